//! What a session is known by to the service, and its written form for the next start.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::era::Era;
use super::hash::Variant;

/// The tokens of one login.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Which age's login it is.
    #[serde(default)]
    pub(super) era: Era,
    /// Our own QQ number; 0 before login2.
    pub(super) uin: u64,
    /// Token of the channel.
    pub(super) psessionid: String,
    /// Token of the lists.
    pub(super) vfwebqq: String,
    /// A copy of the cookie; empty from 2018 on.
    pub(super) ptwebqq: String,
    /// What the client calls itself.
    pub(super) clientid: u64,
    /// Which `hash` the service took last.
    pub(super) variant: Variant,
    /// Message ids below this were used, or may have been.
    pub(super) msg_ids: u64,
}

impl Tokens {
    /// Those of a login that has not begun.
    pub(super) fn new(era: Era) -> Self {
        Self {
            era,
            uin: 0,
            psessionid: String::new(),
            vfwebqq: String::new(),
            ptwebqq: String::new(),
            clientid: era.client(),
            variant: Variant::default(),
            msg_ids: 0,
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("uin", &self.uin).finish_non_exhaustive()
    }
}

/// The written form: opaque to everybody else, and secret.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) version: u32,
    pub(super) tokens: Tokens,
    pub(super) cookies: Vec<Value>,
}

impl Saved {
    const VERSION: u32 = 1;

    pub(super) fn new(tokens: Tokens, cookies: Vec<Value>) -> Self {
        Self {
            version: Self::VERSION,
            tokens,
            cookies,
        }
    }

    /// Reads the written form; nothing when it is another version's or no login's.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let saved: Self = serde_json::from_slice(bytes).ok()?;
        (saved.version == Self::VERSION && saved.tokens.uin != 0).then_some(saved)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data has a JSON form")
    }
}
