//! What is read back.

use jid::{BareJid, FullJid};

use super::write::{ClientSession, Shown, Subject};
use crate::model::{
    AccountName, Author, EventId, GroupNumber, Handle, Heard, KeptPuppet, Member, Part, Row, Seq, StaysAway, Timestamp,
};

/// Everything a portal starts from.
#[derive(Debug, Clone, Default)]
pub struct RoomState {
    /// The last row of the room; 0 when empty.
    pub last: Seq,
    /// The last row that every greeted session certainly got; in a joined room, that its service certainly has.
    pub confirmed: Seq,
    /// Client sessions that were in the room.
    pub sessions: Vec<ClientSession>,
    /// What the room has shown, by occupant-id.
    pub shown: Vec<(String, Shown)>,
    /// Nicks of XMPP people who are here or were in the last 30 days: the last one of each, with the time it was last seen
    /// to come, change or go.
    pub remembered: Vec<(BareJid, String, Timestamp)>,
    /// The subject.
    pub subject: Option<Subject>,
    /// What was last taken of a joined room; `None` before there was anything.
    pub heard: Option<Heard>,
    /// Why and how long the gateway stays away from a joined room.
    pub stays_away: Option<StaysAway>,
    /// The puppets of a joined room, also those that are not inside.
    pub puppets: Vec<KeptPuppet>,
}

/// What is known of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupState {
    /// Its name, when a session told.
    pub name: Option<String>,
    /// Its members.
    pub members: Vec<Member>,
}

/// The last message of a group that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEvent {
    /// Its identity.
    pub event: EventId,
    /// What the account calls it, where it told.
    pub handle: Option<Handle>,
    /// When it was said.
    pub time: Timestamp,
}

/// A wish for a page of the archive (XEP-0313 with XEP-0059).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Said at this time or later.
    pub start: Option<Timestamp>,
    /// Said at this time or earlier.
    pub end: Option<Timestamp>,
    /// Rows behind this one (form fields `after-id`, exclusive).
    pub after_id: Option<Seq>,
    /// Rows before this one (`before-id`, exclusive).
    pub before_id: Option<Seq>,
    /// Exactly these rows.
    pub ids: Vec<Seq>,
    /// Only rows of these authors (a member of two groups is two); empty means anybody.
    pub with: Vec<Author>,
    /// The page wanted.
    pub page: PageWanted,
    /// Rows on the page, at most.
    pub max: usize,
}

/// Which page of the filtered rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PageWanted {
    /// From the beginning.
    #[default]
    First,
    /// Behind this row.
    After(Seq),
    /// Before this row.
    Before(Seq),
    /// The last page.
    Last,
}

/// A page of the archive, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// How many rows the filter lets through, over all pages.
    pub count: u64,
    /// Place of the first row of this page among them.
    pub index: u64,
    /// Nothing more lies in the direction of paging.
    pub complete: bool,
}

/// Something that a person on XMPP said under an id of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidBy {
    /// The row.
    pub row: Seq,
    /// The id.
    pub id: String,
    /// The children of the stanza, where these may name a message that it corrects.
    pub correction: Option<String>,
}

/// How much history a joiner gets; the tightest bound wins (XEP-0045 §7.2.14; `maxchars` is counted on the stanzas).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Rows up to this one.
    pub upto: Seq,
    /// At most so many.
    pub max: usize,
    /// From the first on that was said at this time or later.
    pub since: Option<Timestamp>,
}

/// One piece in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Key of the row.
    pub id: i64,
    /// The room it was said in.
    pub room: BareJid,
    /// The archive row it belongs to.
    pub row: Seq,
    /// The group it is for.
    pub group: GroupNumber,
    /// What to do.
    pub deed: Deed,
    /// How often it was tried.
    pub tries: u32,
    /// When `give_up` began to count: the first try; before there was one, the commit (by our clock).
    pub since: Timestamp,
    /// Its state.
    pub state: PieceState,
}

/// What a piece wants of QQ. Handles are those that the account knows by now: everything before the piece is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Words.
    Say {
        /// What to say; empty when it was taken back meanwhile.
        parts: Vec<Part>,
        /// What the account calls the message that is answered, where it knows it.
        answers: Option<Handle>,
    },
    /// A row is taken back.
    Recall {
        /// What the account calls what became of the row, each piece.
        handles: Vec<Handle>,
        /// QQ has, or may have, a piece of the row that no handle is known of.
        unnamed: bool,
    },
    /// The account's reaction to a row changes.
    React {
        /// What the account calls the row; nothing when the group does not have it.
        handle: Option<Handle>,
        /// With what.
        emoji: String,
        /// Added or taken away.
        added: bool,
    },
}

/// How a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceState {
    /// To be tried when its time has come.
    Due,
    /// Handed to the session; found so after a crash it is unknown.
    Sending,
    /// QQ may or may not have it.
    Unknown,
}

/// How a piece ended, or what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// QQ has it.
    Sent(Option<Handle>),
    /// Try again, not before.
    Retry {
        /// Then.
        at: Timestamp,
        /// Why it did not work.
        why: String,
    },
    /// Not proven yet; hold the group.
    Unknown(String),
    /// Given up: the author is to be told.
    Failed(String),
}

/// A message whose author is to be told that it, or a piece of it, did not reach QQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// The first row of the message.
    pub message: Seq,
    /// The client session that said it; `None` when it came from another QQ group.
    pub session: Option<FullJid>,
    /// The author's id of the stanza.
    pub id: Option<String>,
    /// The account that could not.
    pub account: AccountName,
    /// The group that lacks it.
    pub group: GroupNumber,
    /// Why.
    pub why: String,
    /// It may be there all the same.
    pub unknown: bool,
    /// The author was told of this message for another group.
    pub again: bool,
    /// It was no words: the author wanted something taken back.
    pub recall: bool,
    /// When it was given up.
    pub failed: Timestamp,
}
