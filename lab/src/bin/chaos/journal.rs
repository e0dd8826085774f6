//! What was said and what was seen, by whom and when: all that the judge knows. Written by everybody, in one place.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// On which side something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Side {
    Qq,
    Xmpp,
}

/// The number that a message carries in its text: `q2-17` is the 17th of room 2 that was said on QQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark {
    pub(crate) side: Side,
    pub(crate) room: usize,
    pub(crate) n: u64,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Qq => 'q',
            Side::Xmpp => 'x',
        };
        write!(f, "{side}{}-{}", self.room, self.n)
    }
}

impl Mark {
    /// The first word of a text that is one, whoever's name stands before it.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::read)
    }

    fn read(word: &str) -> Option<Self> {
        let side = match word.chars().next()? {
            'q' => Side::Qq,
            'x' => Side::Xmpp,
            _ => return None,
        };
        let (room, n) = word[1..].split_once('-')?;
        Some(Self {
            side,
            room: room.parse().ok()?,
            n: n.parse().ok()?,
        })
    }
}

/// A message of a group as the sandbox has it, in its order.
#[derive(Clone, Debug)]
pub(crate) struct GroupWord {
    pub(crate) id: i64,
    /// Said by the bridging account.
    pub(crate) own: bool,
    pub(crate) mark: Option<Mark>,
    /// When it was seen there.
    pub(crate) at: Duration,
}

/// What somebody was told about a message.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at: Duration,
    pub(crate) condition: String,
    pub(crate) text: String,
}

/// A message of a person on XMPP.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) person: usize,
    pub(crate) id: String,
    /// Each time that it was sent.
    pub(crate) sent: Vec<Duration>,
    /// When its author saw it in the room.
    pub(crate) reflected: Option<Duration>,
    /// Errors with its id.
    pub(crate) errors: Vec<Told>,
}

/// How somebody came to see a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// As it was said, or later as if it were (after the gateway was away).
    Live,
    /// Between an entry and its end.
    History,
    /// In a page of the archive.
    Archive,
    /// While the person was not in the room: its address was, before the break, and nobody has told the room of it. Clients that have
    /// not entered show nothing of it.
    Stray,
}

/// A message as one person saw it in one room.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// Counts the stays of this person in this room.
    pub(crate) stay: u32,
    pub(crate) how: How,
    /// The room's id of the message (XEP-0359).
    pub(crate) id: String,
    pub(crate) mark: Option<Mark>,
    /// Where there is no mark.
    pub(crate) text: String,
    pub(crate) delayed: bool,
    pub(crate) at: Duration,
}

/// Something that was done to somebody.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    pub(crate) at: Duration,
    /// The kind of the fault.
    pub(crate) kind: String,
    pub(crate) what: String,
    /// Whether from here on all is well again.
    pub(crate) ends: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Journal {
    begun: Instant,
    /// The same moment, in seconds since 1970.
    pub(crate) epoch: f64,
    /// Of each room.
    pub(crate) groups: Vec<Vec<GroupWord>>,
    pub(crate) said: BTreeMap<Mark, Said>,
    /// By person and room.
    pub(crate) sights: Vec<Vec<Vec<Sight>>>,
    /// Private words of a room's visitors to a person, by person and room.
    pub(crate) whispers: Vec<Vec<Vec<Told>>>,
    pub(crate) deeds: Vec<Deed>,
    /// The sandbox's log.
    pub(crate) far: Vec<serde_json::Value>,
}

/// The journal in everybody's hands.
#[derive(Clone, Debug)]
pub(crate) struct Book(Arc<Mutex<Journal>>);

impl Book {
    pub(crate) fn new(persons: usize, rooms: usize) -> Self {
        Self(Arc::new(Mutex::new(Journal {
            begun: Instant::now(),
            epoch: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs_f64(),
            groups: vec![Vec::new(); rooms],
            said: BTreeMap::new(),
            sights: vec![vec![Vec::new(); rooms]; persons],
            whispers: vec![vec![Vec::new(); rooms]; persons],
            deeds: Vec::new(),
            far: Vec::new(),
        })))
    }

    pub(crate) fn open(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what is done now.
    pub(crate) fn deed(&self, kind: &str, what: impl Into<String>, ends: bool) {
        let mut journal = self.open();
        let at = journal.now();
        journal.deeds.push(Deed {
            at,
            kind: kind.to_owned(),
            what: what.into(),
            ends,
        });
    }
}

impl Journal {
    /// Since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_behind_names() {
        let mark = Mark {
            side: Side::Qq,
            room: 3,
            n: 17,
        };
        assert_eq!(mark.to_string(), "q3-17");
        assert_eq!(Mark::find("喵 3.1: q3-17 早"), Some(mark));
        assert_eq!(Mark::find("some messages from QQ may be missing here"), None);
    }
}
