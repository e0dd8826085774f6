//! What became of every request of a client: the entries that `/sandbox/log` gives out.
//!
//! No cookie, token or password is ever written into an entry.

use serde::{Deserialize, Serialize};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fate {
    /// A message that is now in the world.
    Delivered,
    /// A message that was accepted and that nobody will ever see.
    Dropped,
    /// A check failed; `detail` says which.
    Refused,
    /// Everything else that was answered.
    Answered,
    /// What was taken for an answer that nobody received, or a queue that overflowed.
    Gone,
}

/// One line of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The line's number; 0 until it is written.
    #[serde(default)]
    pub(crate) n: i64,
    /// Unix time in seconds.
    pub(crate) time: i64,
    /// `webqq`, `onebot`, or `sandbox` for what the sandbox did by itself.
    pub(crate) protocol: String,
    /// The account it was about, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) account: Option<i64>,
    /// HTTP method, empty when there was no request.
    pub(crate) method: String,
    /// The historic host.
    pub(crate) host: String,
    /// The path without its query.
    pub(crate) path: String,
    /// What became of it.
    pub(crate) outcome: Fate,
    /// A sentence for people.
    pub(crate) detail: String,
    /// The protocol's own answer code, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) retcode: Option<i64>,
    /// The message that came into the world by this request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) message: Option<i64>,
    /// The messages that were given out by this answer.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) events: Vec<i64>,
}

impl Entry {
    /// An entry about something that no request asked for.
    pub(crate) fn aside(protocol: &str, account: Option<i64>, outcome: Fate, detail: impl Into<String>) -> Self {
        Self {
            n: 0,
            time: 0,
            protocol: protocol.to_owned(),
            account,
            method: String::new(),
            host: String::new(),
            path: String::new(),
            outcome,
            detail: detail.into(),
            retcode: None,
            message: None,
            events: Vec::new(),
        }
    }
}
