//! What somebody who enters a room wants to be shown of its past.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The four limits of a join's history (XEP-0045 §7.2.14); the tightest wins. `seconds` and `since` come together in `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWanted {
    /// Characters, counted on the whole stanzas.
    pub maxchars: Option<usize>,
    /// Stanzas; never more than 1 000.
    pub maxstanzas: usize,
    /// Said at this time or later.
    pub since: Option<Timestamp>,
}

impl HistoryWanted {
    /// Stanzas for a client that names neither a time nor a number.
    pub const DEFAULT: usize = 20;
    /// Stanzas at most.
    pub const MOST: usize = 1000;
}

/// For a client that says nothing about it.
impl Default for HistoryWanted {
    fn default() -> Self {
        Self {
            maxchars: None,
            maxstanzas: Self::DEFAULT,
            since: None,
        }
    }
}
