//! What `/sandbox/state` tells about this face.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Webqq;
use super::login::{LOGIN_LIFE, Login};
use super::qr::{CODE_LIFE, Stage};

/// A login as it is shown.
pub(crate) struct LoginView {
    pub(crate) login: i64,
    pub(crate) account: i64,
    /// One word or two: how far it is.
    pub(crate) state: &'static str,
    pub(crate) since: i64,
    pub(crate) expires: i64,
    pub(crate) status: Option<String>,
    pub(crate) polling: bool,
    pub(crate) done: BTreeMap<String, u64>,
}

impl Webqq {
    /// The logins, the oldest first.
    pub(crate) fn views(&self, now: i64) -> Vec<LoginView> {
        let view = |login: &Login| LoginView {
            login: login.id,
            account: login.account,
            state: state_of(login, now),
            since: login.since,
            expires: login.since + LOGIN_LIFE,
            status: login.session.as_ref().map(|session| session.status.clone()),
            polling: self.polls.contains_key(&login.id),
            done: login.done.clone(),
        };
        self.logins.values().map(view).collect()
    }

    /// The QR codes that are not used up, the newest last; the first that can be scanned is the last one `waiting`.
    pub(crate) fn code_views(&self, now: i64) -> Vec<Value> {
        let stage = |stage| match stage {
            Stage::Shown => "waiting",
            Stage::Scanned(_) => "scanned",
            Stage::Confirmed(_) => "confirmed",
        };
        let shown = self
            .codes
            .iter()
            .filter(|code| code.stage != Stage::Shown || code.waits(now));
        shown
            .map(|code| json!({"id": code.id, "state": stage(code.stage), "shown": code.shown, "expires": code.shown + CODE_LIFE}))
            .collect()
    }
}

fn state_of(login: &Login, now: i64) -> &'static str {
    match &login.session {
        _ if login.logged_out => "logged out",
        _ if login.void(now).is_some() => "expired",
        Some(session) if session.kicked => "kicked",
        Some(session) if session.registered => "online",
        Some(_) => "entering",
        None if login.past.is_empty() && login.checked => "checked",
        None if login.past.is_empty() => "scanned",
        None => "ended",
    }
}
