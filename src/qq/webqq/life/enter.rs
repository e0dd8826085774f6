//! The steps from nothing to the first poll.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{CODES_MAX, Life, Probed, QUICK_EVERY, Step, Turn, answered, probed, refused};
use crate::qq::text::clean_name;
use crate::qq::webqq::api::Called;
use crate::qq::webqq::contacts;
use crate::qq::webqq::era::Era;
use crate::qq::webqq::hash::Variant;
use crate::qq::webqq::login::Trouble;
use crate::qq::webqq::login::scan::Scan;
use crate::qq::webqq::qr;
use crate::qq::webqq::saved::Tokens;
use crate::qq::webqq::wire::text;
use crate::qq::{Need, SessionState};

/// How often the group list is tried before a session goes on without it.
const GROUPS_TRIES: u32 = 5;
/// Longest wait for the groups' numbers before the first poll: what an unmatched group says is lost, while the service keeps it for
/// who does not poll yet.
const MATCHING: Duration = Duration::from_secs(120);

impl Life<'_> {
    pub(super) async fn resume(&mut self) -> Result<Turn, Trouble> {
        self.session.set_state(SessionState::Starting).await;
        match probed(self.session.api.online_buddies().await) {
            Probed::Lives => {
                self.linked = true;
                Ok(Turn::now(Step::Lists))
            }
            // Of 2013 the link may be all that was lost; with `SmartQQ` a login without a scan is tried anyway.
            Probed::Lost if self.session.api.http.era == Era::W13 => Ok(Turn::now(Step::Relink)),
            Probed::Lost => Ok(Turn::now(Step::Quick)),
            Probed::Unclear(why) => Err(Trouble::Wire(why)),
        }
    }

    pub(super) async fn quick(&mut self) -> Result<Turn, Trouble> {
        self.lose("the QQ login was lost").await;
        if self.session.api.http.era == Era::W13 {
            if self.last_login.is_some() {
                return Err(Trouble::Refused("QQ ends each login soon after it is made".to_owned()));
            }
            return Ok(Turn::now(Step::Page));
        }
        let lately = self.last_login.is_some_and(|at| at.elapsed() < QUICK_EVERY);
        if lately || self.session.api.own() == 0 {
            return Ok(Turn::now(Step::Page));
        }
        self.session.set_state(SessionState::Starting).await;
        let link = self.session.api.quick_login().await?;
        self.went_well();
        self.last_login = Some(Instant::now());
        self.quick = true;
        self.linked = false;
        self.session.roster().forget_ids();
        // Without a link the cookies alone may still do.
        Ok(Turn::now(link.map_or(Step::Token, Step::CheckSig)))
    }

    pub(super) async fn page(&mut self) -> Result<Turn, Trouble> {
        let era = self.session.api.http.era;
        let why = match era {
            Era::W13 => "the QQ login was lost",
            Era::S15 => "the QQ login was lost; a person has to scan a QR code",
        };
        self.lose(why).await;
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
            *tokens = Tokens {
                msg_ids: tokens.msg_ids,
                variant: tokens.variant,
                ..Tokens::new(era)
            };
        }
        self.session.roster().forget_ids();
        self.login_sig = self.session.api.login_page().await?;
        self.page_opened = Instant::now();
        Ok(Turn::now(match era {
            Era::W13 => {
                self.last_login = Some(Instant::now());
                Step::Check
            }
            Era::S15 => Step::Show,
        }))
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
        let is_shown = |state: &SessionState| matches!(state, SessionState::NeedsOperator(Need::ScanQr { .. }));
        Ok(match scan {
            // A broken wire was all that people saw meanwhile.
            Scan::Waiting | Scan::Confirming if !self.session.state_is(is_shown) => Turn::now(Step::Show),
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
        let next = if self.linked { Step::Lists } else { Step::Login2 };
        Ok(Turn::now(next))
    }

    pub(super) async fn login2(&mut self) -> Result<Turn, Trouble> {
        let answer = answered(self.session.api.login2().await)?;
        if answer.retcode != Some(0) || !self.session.api.take_session(answer.result()) {
            return Err(refused("refused the login", &answer));
        }
        self.went_well();
        self.linked_at = Instant::now();
        Ok(Turn::now(Step::Lists))
    }

    /// The lists that make the session known to the service, in any order; only the groups matter to us.
    pub(super) async fn lists(&mut self) -> Result<Turn, Trouble> {
        let session = self.session;
        // Before the groups: it finds the hash that the service takes now.
        let friends = self.friends().await;
        let (groups, discussions, own) = tokio::join!(
            session.read_groups(),
            session.api.discussions(),
            session.api.self_info()
        );
        // Without it nobody is heard: what a relink left may not be good any more.
        let nobody = session.roster().groups.is_empty();
        if (nobody || (self.linked && groups.is_err())) && self.broken < GROUPS_TRIES {
            let why = groups.err();
            return Err(Trouble::Wire(
                why.unwrap_or_else(|| "QQ tells of no group of the account".to_owned()),
            ));
        }
        if let Err(why) = groups {
            // The old list holds, or the keeper asks again.
            tracing::warn!(account = %session.settings.name, why, "the group list was not read");
        }
        let mut roster = session.roster();
        if let Some((friends, complete)) = list(friends, contacts::friends) {
            take(&mut roster.friends, friends, complete);
        }
        if let Some((discussions, complete)) = list(discussions, contacts::discussions) {
            take(&mut roster.discussions, discussions, complete);
        }
        if let Some(own) = own.ok().filter(|answer| answer.retcode == Some(0)) {
            roster.nick = clean_name(text(&own.result()["nick"]));
        }
        drop(roster);
        Ok(Turn::now(Step::Register))
    }

    /// Friends, by whichever variant of the hash the service takes.
    async fn friends(&self) -> Called {
        const WRONG_HASH: i64 = 50;
        let api = &self.session.api;
        for _ in 1..Variant::COUNT {
            let called = api.friends().await;
            if !called.as_ref().is_ok_and(|answer| answer.retcode == Some(WRONG_HASH)) {
                return called;
            }
            let mut tokens = api.tokens();
            tokens.variant = tokens.variant.next();
        }
        api.friends().await
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
        self.linked = false;
        // What takes longer the keeper goes on with, beside the poll.
        self.session.match_groups_within(MATCHING).await;
        self.session.set_online(true);
        self.session.save().await;
        self.come_online().await;
        Ok(Turn::now(Step::Polling))
    }
}

/// A list that the service gave, by id, and whether it is all of it.
fn list<T>(called: Called, read: impl Fn(&Value) -> HashMap<u64, T>) -> Option<(HashMap<u64, T>, bool)> {
    let answer = called.ok()?;
    let complete = match answer.retcode? {
        0 => true,
        100_003 => false,
        _ => return None,
    };
    Some((read(answer.result()), complete)).filter(|(list, _)| !list.is_empty())
}

fn take<T>(known: &mut HashMap<u64, T>, list: HashMap<u64, T>, complete: bool) {
    if complete {
        *known = list;
    } else {
        known.extend(list);
    }
}
