//! The steps from nothing to the first poll.

use std::sync::Arc;

use tokio::time::Instant;

use super::{CODES_MAX, Life, Probed, QUICK_EVERY, Step, Turn, answered, probed, refused};
use crate::qq::text::clean_name;
use crate::qq::webqq::api::Called;
use crate::qq::webqq::contacts;
use crate::qq::webqq::login::{Scan, Trouble};
use crate::qq::webqq::qr;
use crate::qq::webqq::saved::Tokens;
use crate::qq::webqq::wire::text;
use crate::qq::{Need, SessionState};

impl Life<'_> {
    pub(super) async fn resume(&mut self) -> Result<Turn, Trouble> {
        self.session.set_state(SessionState::Starting).await;
        match probed(self.session.api.online_buddies().await) {
            Probed::Lives => Ok(Turn::now(Step::Lists)),
            Probed::Lost => Ok(Turn::now(Step::Quick)),
            Probed::Unclear(why) => {
                self.degrade(&why).await;
                Err(Trouble::Wire(why))
            }
        }
    }

    pub(super) async fn quick(&mut self) -> Result<Turn, Trouble> {
        self.lose("the QQ login was lost").await;
        let lately = self.last_quick.is_some_and(|at| at.elapsed() < QUICK_EVERY);
        if lately || self.session.api.own() == 0 {
            return Ok(Turn::now(Step::Page));
        }
        self.session.set_state(SessionState::Starting).await;
        let link = self.session.api.quick_login().await?;
        self.went_well();
        self.last_quick = Some(Instant::now());
        self.quick = true;
        self.linked = false;
        self.session.roster().forget_ids();
        // Without a link the cookies alone may still do.
        Ok(Turn::now(link.map_or(Step::Token, Step::CheckSig)))
    }

    pub(super) async fn page(&mut self) -> Result<Turn, Trouble> {
        self.lose("the QQ login was lost; a person has to scan a QR code").await;
        if !self
            .session
            .state_is(|state| matches!(state, SessionState::Degraded(_)))
        {
            self.session.set_state(SessionState::Starting).await;
        }
        self.quick = false;
        self.linked = false;
        self.codes = 0;
        self.session.api.http.forget_cookies();
        {
            let mut tokens = self.session.api.tokens();
            let msg_ids = tokens.msg_ids;
            *tokens = Tokens {
                msg_ids,
                ..Tokens::default()
            };
        }
        self.session.roster().forget_ids();
        if let Err(trouble) = self.session.api.login_page().await {
            self.degrade(&trouble.to_string()).await;
            return Err(trouble);
        }
        self.page_opened = Instant::now();
        Ok(Turn::now(Step::Show))
    }

    pub(super) async fn show(&mut self) -> Result<Turn, Trouble> {
        if self.codes >= CODES_MAX {
            let why = self.asking("nobody scanned the QR code: have the phone at hand");
            return Ok(Turn::now(Step::Rest(why)));
        }
        let png = self.session.api.qr_show().await?;
        self.went_well();
        self.codes += 1;
        let text = qr::text_of(&png);
        let need = Need::ScanQr {
            png: Arc::from(png),
            text,
        };
        self.session.set_state(SessionState::NeedsOperator(need)).await;
        Ok(Turn::after(self.session.settings.pace.qr_every, Step::Wait))
    }

    pub(super) async fn wait(&mut self) -> Result<Turn, Trouble> {
        let scan = self.session.api.qr_login(self.page_opened.elapsed()).await?;
        self.went_well();
        Ok(match scan {
            Scan::Waiting | Scan::Confirming => Turn::after(self.session.settings.pace.qr_every, Step::Wait),
            Scan::Expired => Turn::now(Step::Show),
            Scan::Done(link) => {
                self.session.set_state(SessionState::Starting).await;
                Turn::now(Step::CheckSig(link))
            }
        })
    }

    pub(super) async fn token(&mut self) -> Result<Turn, Trouble> {
        let answer = answered(self.session.api.vfwebqq().await)?;
        if !self.session.api.take_vfwebqq(answer.result()) {
            return Err(refused("gave no token", &answer));
        }
        self.went_well();
        let next = if std::mem::take(&mut self.linked) {
            Step::Lists
        } else {
            Step::Login2
        };
        Ok(Turn::now(next))
    }

    pub(super) async fn login2(&mut self) -> Result<Turn, Trouble> {
        let answer = answered(self.session.api.login2().await)?;
        if answer.retcode != Some(0) || !self.session.api.take_session(answer.result()) {
            return Err(refused("refused the login", &answer));
        }
        self.went_well();
        Ok(Turn::now(Step::Lists))
    }

    /// The lists that make the session known to the service, in any order; only the groups matter to us.
    pub(super) async fn lists(&mut self) -> Result<Turn, Trouble> {
        let session = self.session;
        let (friends, groups, discussions, own) = tokio::join!(
            session.api.friends(),
            session.read_groups(),
            session.api.discussions(),
            session.api.self_info()
        );
        if let Err(why) = groups {
            // The old list holds, or the keeper asks again.
            tracing::warn!(account = %session.settings.name, why, "the group list was not read");
        }
        let result = |called: Called| called.ok().map(|answer| answer.result().clone());
        {
            let mut roster = session.roster();
            if let Some(friends) = result(friends)
                .map(|r| contacts::friends(&r))
                .filter(|list| !list.is_empty())
            {
                roster.friends = friends;
            }
            if let Some(list) = result(discussions)
                .map(|r| contacts::discussions(&r))
                .filter(|list| !list.is_empty())
            {
                roster.discussions = list;
            }
            if let Some(own) = result(own) {
                roster.nick = clean_name(text(&own["nick"]));
            }
        }
        Ok(Turn::now(Step::Register))
    }

    /// The last calls before the first poll; without them it answers 103.
    pub(super) async fn register(&mut self) -> Result<Turn, Trouble> {
        let answer = answered(self.session.api.online_buddies().await)?;
        if matches!(probed(Ok(answer.clone())), Probed::Lost) {
            return Err(refused("refused the session", &answer));
        }
        if let Err(error) = self.session.api.recent().await {
            tracing::debug!(account = %self.session.settings.name, %error, "the list of recent chats was not read");
        }
        self.went_well();
        self.session.match_groups().await;
        self.refusals = 0;
        self.refused.reset();
        self.session.set_online(true);
        self.session.save().await;
        self.come_online().await;
        Ok(Turn::now(Step::Polling))
    }
}
