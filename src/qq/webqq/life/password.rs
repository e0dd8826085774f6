//! The steps of the password login: what the service wants, what a person reads in its picture, the login.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::{CODES_MAX, Life, Step, Turn};
use crate::config::Secret;
use crate::model::QqNumber;
use crate::qq::webqq::login::Trouble;
use crate::qq::webqq::login::password::{Check, Signed};
use crate::qq::{Need, SessionState};

/// Longer than anything that a captcha shows.
const TYPED_MAX: usize = 16;

/// A code to log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) word: String,
    pub(super) salt: [u8; 8],
    /// A person read it in a picture; else the service gave it.
    pub(super) typed: bool,
}

impl Life<'_> {
    fn account(&self) -> Result<(QqNumber, &Secret), Trouble> {
        let account = self.session.settings.login.password();
        account.ok_or_else(|| Trouble::Refused("this account has no password to log in with".to_owned()))
    }

    pub(super) async fn check(&mut self) -> Result<Turn, Trouble> {
        let (qq, _) = self.account()?;
        let check = self.session.api.check(qq, &self.login_sig).await?;
        self.went_well();
        Ok(Turn::now(match check {
            Check::Free { code, salt } => Step::SignIn(Code {
                word: code,
                salt,
                typed: false,
            }),
            Check::Captcha { name, salt } => Step::Picture(name, salt),
        }))
    }

    pub(super) async fn picture(&mut self, name: &str, salt: [u8; 8]) -> Result<Turn, Trouble> {
        if self.codes >= CODES_MAX {
            let why = self.asking("nobody read the captcha: be at hand");
            return Ok(Turn::now(Step::Rest(why)));
        }
        let (qq, _) = self.account()?;
        let picture = self.session.api.picture(qq, name).await?;
        self.went_well();
        self.codes += 1;
        self.session.forget_captcha();
        let need = Need::Captcha {
            picture: Arc::from(picture),
        };
        self.session.set_state(SessionState::NeedsOperator(need)).await;
        let until = Instant::now() + self.session.settings.pace.captcha;
        Ok(Turn::now(Step::Typing(salt, until)))
    }

    /// Waits for what a person reads in the picture, as long as the service remembers it.
    pub(super) async fn typing(&mut self, salt: [u8; 8], until: Instant) -> Turn {
        loop {
            let typed = tokio::select! {
                typed = self.session.captcha() => typed,
                () = self.session.wish.notified() => {
                    self.codes = 0;
                    return Turn::now(Step::Check);
                }
                () = sleep_until(until) => return Turn::now(Step::Check),
            };
            let word = typed.trim().to_lowercase();
            if word.is_empty() || word.chars().count() > TYPED_MAX {
                tracing::info!(account = %self.session.settings.name, "what was typed for the captcha cannot be its answer");
                continue;
            }
            let typed = true;
            return Turn::now(Step::SignIn(Code { word, salt, typed }));
        }
    }

    pub(super) async fn sign_in(&mut self, code: &Code) -> Result<Turn, Trouble> {
        let (qq, password) = self.account()?;
        self.session.set_state(SessionState::Starting).await;
        let words = (code.word.as_str(), code.salt);
        let signed = self
            .session
            .api
            .sign_in(qq, password.expose(), words, &self.login_sig)
            .await?;
        self.went_well();
        match signed {
            Signed::Done(link) => Ok(Turn::now(link.map_or(Step::Login2, Step::CheckSig))),
            Signed::WrongCode if code.typed => Ok(Turn::now(Step::Check)),
            Signed::WrongCode => Err(Trouble::Refused("QQ refused the code that it gave itself".to_owned())),
        }
    }
}
