//! What is kept of the visits to somebody else's room.

use jid::BareJid;

use super::id::{GroupNumber, MemberId};
use super::time::Timestamp;

/// How somebody else's room calls a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The stanza-id that its service gave (XEP-0359).
    pub id: String,
    /// The author, where it was a QQ member.
    pub member: Option<MemberId>,
    /// The listener said it for its author.
    pub by_listener: bool,
}

/// How far somebody else's room was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The stanza-id of the last message, where it had one.
    pub id: Option<String>,
    /// When it was said.
    pub time: Timestamp,
}

/// A puppet as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPuppet {
    /// Whose.
    pub member: MemberId,
    /// In which group they were heard first.
    pub group: GroupNumber,
    /// Its address.
    pub address: BareJid,
    /// The nick that worked; empty when none did yet.
    pub nick: String,
    /// Its occupant-id in the room (XEP-0421).
    pub occupant: Option<String>,
    /// It had entered.
    pub inside: bool,
    /// A moderator removed it: nothing of it is said until then.
    pub silenced: Option<Timestamp>,
}

/// The gateway was put out of somebody else's room, or the room is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaysAway {
    /// It does not enter before then; the end of time: not before somebody says so.
    pub until: Timestamp,
    /// Why, and what to do, for the operator.
    pub why: String,
}
