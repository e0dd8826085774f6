//! The state machine drawn in [`super`]: each step says which comes next and when, or what the trouble is. No trouble ends it.

mod enter;
mod password;
mod stay;

use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;

use super::api::{Called, NoAnswer};
use super::era::Era;
use super::event::Seen;
use super::login::Trouble;
use super::session::Session;
use super::verdict::{Cure, Health};
use super::wire::Answer;
use crate::backoff::Backoff;
use crate::model::QqNumber;
use crate::qq::{Need, SessionState};
use password::Code;

/// Codes, or captchas, after which an admin has to ask for more.
const CODES_MAX: u32 = 10;
/// Logins without a scan are not tried more often, unless one lasted.
const QUICK_EVERY: Duration = Duration::from_secs(600);
/// A second kick within this time is somebody who means it.
const KICKS_APART: Duration = Duration::from_secs(600);
/// Links opened anew in a row, without one good poll between them, before the login counts as lost.
const RELINKS_MAX: u32 = 3;
/// Answers of "overloaded" to a relink before the login counts as lost.
const OVERLOADS_MAX: u32 = 10;
/// Refusals of the login in a row before a person is asked.
const REFUSALS_MAX: u32 = 5;
/// Longest wait between two refused logins by password, in first waits.
const PASSWORD_WAITS: u32 = 20;
/// How long a service that had too many logins from us is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1800);
/// Broken connections in a row before people are told, while a picture is shown to them.
const BROKEN_MAX: u32 = 3;

/// Where the session stands.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Test what an earlier session saved.
    Resume,
    /// A login without a scan.
    Quick,
    Page,
    /// A QR code.
    Show,
    Wait,
    /// Whether a captcha is wanted.
    Check,
    /// A captcha: its name, and the salt of the password.
    Picture(String, [u8; 8]),
    /// A person reads it, until then.
    Typing([u8; 8], Instant),
    SignIn(Code),
    CheckSig(Url),
    Token,
    Login2,
    Lists,
    Register,
    Polling,
    /// A relink without need.
    Freshen,
    /// Test whether the session lives, and what helps if it does not.
    Probe(Cure),
    Relink,
    /// A person has to do something first.
    Rest(String),
}

/// What comes next, and when.
struct Turn {
    next: Step,
    after: Duration,
}

impl Turn {
    fn now(next: Step) -> Self {
        Self::after(Duration::ZERO, next)
    }

    fn after(after: Duration, next: Step) -> Self {
        Self { next, after }
    }
}

/// The one who walks the steps.
pub(super) struct Life<'a> {
    session: &'a Session,
    health: Health,
    seen: Seen,
    wire: Backoff,
    refused: Backoff,
    refusals: u32,
    relink_wait: Backoff,
    relinks: u32,
    overloads: u32,
    codes: u32,
    /// Steps in a row that the wire broke.
    broken: u32,
    page_opened: Instant,
    /// The signature of the login page.
    login_sig: String,
    /// The link is of an earlier session or of a relink, so the token is all that is missing; and that it is good is not certain.
    linked: bool,
    /// This login came without a scan; its failure is no refusal yet.
    quick: bool,
    /// The last login without a person, unless it lasted.
    last_login: Option<Instant>,
    last_kick: Option<Instant>,
    /// When login2 was last done.
    linked_at: Instant,
    /// When somebody was last heard.
    heard: Instant,
}

impl<'a> Life<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        let pace = &session.settings.pace;
        // Refused passwords are what accounts are frozen for.
        let refused = match session.api.http.era {
            Era::W13 => Backoff::new(pace.password_again, pace.password_again * PASSWORD_WAITS),
            Era::S15 => Backoff::new(pace.retry_first, pace.retry),
        };
        Self {
            session,
            health: Health::new(pace.retry_first, pace.retry),
            seen: Seen::default(),
            wire: Backoff::new(pace.retry_first, pace.retry),
            refused,
            refusals: 0,
            relink_wait: Backoff::new(pace.retry_first, pace.retry),
            relinks: 0,
            overloads: 0,
            codes: 0,
            broken: 0,
            page_opened: Instant::now(),
            login_sig: String::new(),
            linked: false,
            quick: false,
            last_login: None,
            last_kick: None,
            linked_at: Instant::now(),
            heard: Instant::now(),
        }
    }

    /// Lives; never ends by itself. `saved`: whether an earlier session's tokens were taken.
    pub(super) async fn live(mut self, saved: bool) {
        let mut step = if saved { Step::Resume } else { Step::Page };
        loop {
            let turn = match self.take(&step).await {
                Ok(turn) => turn,
                Err(trouble) => self.face(&step, trouble).await,
            };
            let polls = |step: &Step| matches!(step, Step::Polling | Step::Probe(_));
            if !polls(&turn.next) || !polls(&step) {
                tracing::debug!(account = %self.session.settings.name, from = ?kind(&step), to = ?kind(&turn.next), after = ?turn.after, "step");
            }
            step = turn.next;
            if turn.after.is_zero() {
                continue;
            }
            tokio::select! {
                () = sleep(turn.after) => {}
                () = self.session.wish.notified() => step = self.asked(step),
            }
        }
    }

    /// An admin asked for a login in the middle of a wait: where to go on.
    fn asked(&mut self, step: Step) -> Step {
        match step {
            Step::Wait | Step::Show => {
                self.codes = 0;
                Step::Show
            }
            Step::CheckSig(_) | Step::Token | Step::Login2 | Step::SignIn(_) | Step::Picture(..) => Step::Page,
            step => step,
        }
    }

    async fn take(&mut self, step: &Step) -> Result<Turn, Trouble> {
        match step {
            Step::Resume => self.resume().await,
            Step::Quick => self.quick().await,
            Step::Page => self.page().await,
            Step::Show => self.show().await,
            Step::Wait => self.wait().await,
            Step::Check => self.check().await,
            Step::Picture(name, salt) => self.picture(name, *salt).await,
            Step::Typing(salt, until) => Ok(self.typing(*salt, *until).await),
            Step::SignIn(code) => self.sign_in(code).await,
            Step::CheckSig(link) => {
                self.session.api.check_sig(link).await?;
                self.went_well();
                Ok(Turn::now(match self.session.api.http.era {
                    Era::W13 => Step::Login2,
                    Era::S15 => Step::Token,
                }))
            }
            Step::Token => self.token().await,
            Step::Login2 => self.login2().await,
            Step::Lists => self.lists().await,
            Step::Register => self.register().await,
            Step::Polling => Ok(self.poll().await),
            Step::Freshen => Ok(self.freshen().await),
            Step::Probe(cure) => Ok(self.probe(*cure).await),
            Step::Relink => self.relink().await,
            Step::Rest(why) => {
                self.lose(why).await;
                self.session
                    .set_state(SessionState::NeedsOperator(Need::Attention(why.clone())))
                    .await;
                self.session.wish.notified().await;
                self.codes = 0;
                self.refusals = 0;
                self.last_login = None;
                self.last_kick = None;
                Ok(Turn::now(Step::Quick))
            }
        }
    }

    /// What to do about trouble in a step.
    async fn face(&mut self, step: &Step, trouble: Trouble) -> Turn {
        tracing::warn!(account = %self.session.settings.name, step = ?kind(step), %trouble, "the QQ login is in trouble");
        match trouble {
            Trouble::Wire(why) => {
                self.broken += 1;
                let shown = self
                    .session
                    .state_is(|state| matches!(state, SessionState::NeedsOperator(_)));
                if !shown || self.broken >= BROKEN_MAX {
                    self.degrade(&why).await;
                }
                Turn::after(self.wire.next(), step.clone())
            }
            Trouble::Wait(why) => {
                self.degrade(&why).await;
                Turn::after(LEFT_ALONE, Step::Page)
            }
            Trouble::Person(why) => Turn::now(Step::Rest(self.asking(&why))),
            Trouble::Refused(_) if self.linked => {
                self.linked = false;
                Turn::now(Step::Quick)
            }
            Trouble::Refused(_) if self.quick => {
                self.quick = false;
                Turn::now(Step::Page)
            }
            Trouble::Refused(why) => {
                self.refusals += 1;
                if self.refusals >= REFUSALS_MAX {
                    return Turn::now(Step::Rest(self.asking(&why)));
                }
                let after = self.refused.next();
                self.degrade(&format!("{why}; trying again in {} s", after.as_secs().max(1)))
                    .await;
                Turn::after(after, Step::Page)
            }
        }
    }

    fn asking(&self, why: &str) -> String {
        // A reload with another password or login starts the account anew.
        if why.ends_with("reload") {
            return why.to_owned();
        }
        format!("{why}; then send `login {}`", self.session.settings.name)
    }

    fn went_well(&mut self) {
        self.broken = 0;
        self.wire.reset();
    }

    async fn degrade(&self, why: &str) {
        self.session.set_state(SessionState::Degraded(why.to_owned())).await;
    }

    /// The session is gone: nobody can speak, and everybody is told.
    async fn lose(&self, why: &str) {
        if self.session.is_online() {
            self.session.set_online(false);
            self.session.announce_loss(why).await;
        }
    }

    async fn come_online(&self) {
        let own = QqNumber(self.session.api.own());
        self.session.set_state(SessionState::Online(own)).await;
    }
}

/// A step's name without what it carries: links hold secrets.
fn kind(step: &Step) -> &'static str {
    match step {
        Step::Resume => "resume",
        Step::Quick => "quick",
        Step::Page => "page",
        Step::Show => "show",
        Step::Wait => "wait",
        Step::Check => "check",
        Step::Picture(..) => "getimage",
        Step::Typing(..) => "captcha",
        Step::SignIn(_) => "login",
        Step::CheckSig(_) => "check_sig",
        Step::Token => "getvfwebqq",
        Step::Login2 => "login2",
        Step::Lists => "lists",
        Step::Register => "register",
        Step::Polling => "polling",
        Step::Freshen => "freshen",
        Step::Probe(_) => "probe",
        Step::Relink => "relink",
        Step::Rest(_) => "rest",
    }
}

/// What a test of the session showed.
#[derive(Debug, PartialEq, Eq)]
enum Probed {
    Lives,
    Lost,
    Unclear(String),
}

fn probed(called: Called) -> Probed {
    match called {
        Err(error) => Probed::Unclear(error.to_string()),
        Ok(answer) => match answer.retcode {
            Some(0) => Probed::Lives,
            // An outage of the whole service; harmless in practice; or about something else.
            Some(code @ (100_002 | 100_003 | 112 | 114 | 116 | 1202 | 100_100)) => {
                Probed::Unclear(format!("QQ answers with code {code}"))
            }
            Some(_) => Probed::Lost,
            None => Probed::Unclear("QQ gave no readable answer".to_owned()),
        },
    }
}

fn answered(called: Called) -> Result<Answer, Trouble> {
    called.map_err(|error| match error {
        NoAnswer::Wire(_) | NoAnswer::Status(_) | NoAnswer::Unreadable => Trouble::Wire(error.to_string()),
    })
}

fn refused(what: &str, answer: &Answer) -> Trouble {
    match answer.retcode {
        Some(100_003 | 112 | 113) | None => Trouble::Wire(format!("QQ {what}: it seems to be out of order")),
        Some(code @ 115) => Trouble::Wait(format!(
            "QQ {what}: it blocks the account or this machine's address (code {code})"
        )),
        Some(code @ (106 | 111)) => {
            Trouble::Person(format!("QQ {what}: the account may not log in here (code {code})"))
        }
        Some(code) => Trouble::Refused(format!("QQ {what} (code {code})")),
    }
}
