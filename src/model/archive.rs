//! A row of the archive: one stanza of a room's history, as it was committed. Live, history and archive queries show this.

use std::sync::Arc;

use jid::BareJid;
use serde::{Deserialize, Serialize};

use super::id::{GroupNumber, MemberId, Seq};
use super::message::Part;
use super::time::Timestamp;

/// One committed stanza of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in commit order; the stanza-id is made of it.
    pub seq: Seq,
    /// The first row of the message this one belongs to: a message may become several stanzas.
    pub message: Seq,
    /// When it was said.
    pub time: Timestamp,
    /// Who said it.
    pub author: Author,
    /// Under which nick, at that time.
    pub nick: Arc<str>,
    /// What it is.
    pub content: Content,
}

/// Who said something in a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A QQ member, and in which group.
    Member {
        /// The group it was said in.
        group: GroupNumber,
        /// Who.
        id: MemberId,
    },
    /// A person on XMPP.
    Occupant(BareJid),
    /// A person on XMPP in a room of another service: the occupant-id that it gives them (XEP-0421), else `=` and their nick.
    Guest(String),
    /// The room itself: lines of the gateway.
    Room,
}

/// What a row shows. Serialised into the store: variants are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// From QQ: rendered anew each time it is shown.
    Parts(Vec<Part>),
    /// From XMPP: id and children of the stanza as they were accepted, cleaned of everything forged.
    Stanza {
        /// The author's own id of the stanza.
        id: Option<String>,
        /// The children, as XML in the component's namespace, one element after the other.
        children: String,
    },
    /// A line of the gateway's own.
    Notice(String),
    /// The author of this row took a message back that was said on QQ or reached it; their own, or somebody else's.
    Retraction {
        /// The row that is gone.
        row: Seq,
        /// By another than its author: a moderator of the group.
        moderated: bool,
        /// Why, in a moderator's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// What is left of a row that was taken back: its words are gone from the store.
    Tombstone {
        /// The author's own id of the stanza that stood here, if it came from XMPP.
        id: Option<String>,
        /// The row that took it back.
        retraction: Seq,
        /// When.
        time: Timestamp,
        /// The nick of who did, where it was not the author; empty when nobody said.
        moderator: Option<String>,
    },
    /// All reactions of the author to a row, after one was added or taken away.
    Reactions {
        /// The row.
        row: Seq,
        /// Emoji, sorted; none when the last was taken away.
        emoji: Vec<String>,
    },
}
