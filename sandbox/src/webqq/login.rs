//! What the service knows of a client: the login (its cookies, 47 hours) and in it the session (one `psessionid`).
//!
//! ```text
//! check ─(captcha)─► login 0 ────────────────┐ (2013)
//! QR shown ─scan─► confirmed ─ptqrlogin 0─► Login ─check_sig─► cookies ─login2─► Session ─get_online_buddies2─► registered
//!                                             │ 47 h, logout                         │ login2 again, kick, another login
//!                                             ▼                                      ▼
//!                                           void                                   over
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::token;

/// How long the cookies of one scan are good for, in seconds (webqq.md §11.3: about 47 to 48 hours).
pub(crate) const LOGIN_LIFE: i64 = 47 * 3600;
/// How many ended sessions of a login are remembered.
const PAST_KEPT: usize = 4;

/// What one scan or password gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one login, not a state"
)]
pub(crate) struct Login {
    pub(crate) id: i64,
    pub(crate) account: i64,
    /// Unix seconds of the scan.
    pub(crate) since: i64,
    pub(crate) skey: String,
    pub(crate) ptwebqq: String,
    pub(crate) p_skey: String,
    pub(crate) pt4_token: String,
    pub(crate) supertoken: String,
    /// The secret of the `check_sig` address.
    pub(crate) ptsigx: String,
    pub(crate) vfwebqq: String,
    /// Whether `check_sig` was fetched.
    pub(crate) checked: bool,
    /// Whether it came from a password, as in 2013: login2 itself gives the `vfwebqq` of the lists.
    #[serde(default)]
    pub(crate) by_password: bool,
    /// Whether there was no `check_sig` to fetch, as until the summer of 2013.
    #[serde(default)]
    pub(crate) bare: bool,
    /// Whether the account logged out.
    pub(crate) logged_out: bool,
    pub(crate) session: Option<Session>,
    /// Sessions that ended, the last ones.
    pub(crate) past: Vec<Past>,
    /// How often each call was made.
    pub(crate) done: BTreeMap<String, u64>,
}

/// A live link of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) psessionid: String,
    pub(crate) clientid: String,
    pub(crate) since: i64,
    pub(crate) status: String,
    /// Whether `get_online_buddies2` was called.
    pub(crate) registered: bool,
    /// Whether it came from a relink.
    pub(crate) relinked: bool,
    /// The link is lost: polls get this code until a relink.
    #[serde(default)]
    pub(crate) unlinked: Option<i64>,
    /// A kick stands in the queue; nothing but the poll is answered any more.
    pub(crate) kicked: bool,
    /// The last content sent to each chat, and when (Unix seconds).
    pub(crate) last_sent: BTreeMap<String, (String, i64)>,
    /// When the last messages were sent, Unix milliseconds.
    pub(crate) sent_ms: Vec<i64>,
    /// The last message numbers of the client.
    pub(crate) msg_ids: Vec<i64>,
}

/// A session that ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Past {
    pub(crate) psessionid: String,
    pub(crate) why: Ending,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ending {
    /// login2 with this `psessionid`: another one took its place.
    Relinked,
    /// login2 of the same cookies without it.
    Replaced,
    /// Another client logged in, or the service threw it out.
    Kicked,
    /// The account logged out.
    Left,
}

impl Login {
    pub(crate) fn new(id: i64, account: i64, now: i64, with_ptwebqq: bool) -> Self {
        Self {
            id,
            account,
            since: now,
            skey: format!("@{}", token::letters(9)),
            ptwebqq: if with_ptwebqq { token::hex(64) } else { String::new() },
            p_skey: format!("{}_", token::letters(43)),
            pt4_token: format!("{}_", token::letters(43)),
            supertoken: token::digits(10),
            ptsigx: token::hex(160),
            vfwebqq: token::hex(80),
            checked: false,
            by_password: false,
            bare: false,
            logged_out: false,
            session: None,
            past: Vec::new(),
            done: BTreeMap::new(),
        }
    }

    /// Why the cookies are no good any more, if so.
    pub(crate) fn void(&self, now: i64) -> Option<&'static str> {
        if self.logged_out {
            return Some("the account logged out");
        }
        (now - self.since >= LOGIN_LIFE).then_some("the login is older than 47 hours")
    }

    /// Counts a call.
    pub(crate) fn count(&mut self, call: &str) {
        *self.done.entry(call.to_owned()).or_default() += 1;
    }

    /// Ends the session, if there is one.
    pub(crate) fn end(&mut self, why: Ending) {
        if let Some(session) = self.session.take() {
            self.past.push(Past {
                psessionid: session.psessionid,
                why,
            });
            if self.past.len() > PAST_KEPT {
                self.past.remove(0);
            }
        }
    }
}

impl Session {
    pub(crate) fn new(clientid: String, now: i64, status: String) -> Self {
        // In captures the last 80 digits repeat login2's vfwebqq; all of it is opaque.
        let psessionid = format!(
            "8368046764001d636f6e6e7365727665725f77656271714031302e3133332e{}",
            token::hex(160)
        );
        Self {
            psessionid,
            clientid,
            since: now,
            status,
            registered: false,
            relinked: false,
            unlinked: None,
            kicked: false,
            last_sent: BTreeMap::new(),
            sent_ms: Vec::new(),
            msg_ids: Vec::new(),
        }
    }

    /// The part of `psessionid` that login2 repeats as its own vfwebqq.
    pub(crate) fn tail(&self) -> &str {
        &self.psessionid[self.psessionid.len().saturating_sub(80)..]
    }
}
