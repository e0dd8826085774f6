//! What is committed: one batch of a portal is one transaction, its writes in order.

use jid::{BareJid, FullJid};

use crate::model::{
    AccountName, Author, Content, EventId, GroupNumber, Handle, Heard, HistoryWanted, KeptPuppet, Member, MemberId,
    Part, Row, Seq, StaysAway, Timestamp,
};

/// One thing to commit. See [`super::Store::commit`].
#[derive(Debug, Clone)]
pub enum Write {
    /// A message: its rows, its identity, and what goes to QQ because of it.
    Message(NewMessage),
    /// The account's own message, as QQ showed it: the echo of something in the outbox, or its owner at another device.
    Own {
        /// Its text in normal form (see `qq::piece::normal_form`).
        normal: String,
        /// What it becomes when it is no echo.
        message: NewMessage,
        /// False where nothing of QQ is shown: then news is not kept, and only an echo counts.
        shown: bool,
    },
    /// A client session entered the room, or its presence changed.
    Entered(ClientSession),
    /// The payload of a session's presence changed.
    Presence(FullJid, String),
    /// A client session is gone.
    Gone(FullJid),
    /// All client sessions of an occupant carry a new nick.
    Renamed {
        /// Whose.
        who: BareJid,
        /// The nick until now.
        old: String,
        /// The nick from now on.
        new: String,
    },
    /// The subject, and who set it when.
    Subject(Subject),
    /// The group as its account sees it: replaces all members known of it.
    Group {
        /// Which.
        group: GroupNumber,
        /// Its name.
        name: String,
        /// All of its members.
        members: Vec<Member>,
    },
    /// A member is new or changed.
    Member(GroupNumber, Member),
    /// A member left.
    MemberLeft(GroupNumber, MemberId),
    /// The group has a new name.
    GroupName(GroupNumber, String),
    /// What the service of a joined room calls a row (XEP-0359): that is known from now on, as if it had come from there. Nothing
    /// happens when the row is gone, or something else is called so.
    Named {
        /// The row.
        row: Seq,
        /// The stanza-id.
        id: String,
        /// The listener said it for its author.
        by_listener: bool,
    },
    /// A joined room certainly has all rows up to this one. Only grows.
    Said(Seq),
    /// Messages of a joined room were taken up to here, whatever became of them. An id replaces the last one, the time only grows.
    Heard(Heard),
    /// The gateway stays away from a joined room, or may enter it again.
    StaysAway(Option<StaysAway>),
    /// A puppet of a joined room, as it now is.
    Puppet(KeptPuppet),
}

/// A message about to be committed.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// What makes a repetition recognisable.
    pub identity: Identity,
    /// When it was said.
    pub time: Timestamp,
    /// By whom.
    pub author: Author,
    /// The nick it was said under.
    pub nick: String,
    /// One row per stanza it becomes; never empty.
    pub rows: Vec<Content>,
    /// What goes to QQ, in order.
    pub pieces: Vec<NewPiece>,
    /// What it does to what was said before. Done with its first commit, not with a repetition.
    pub upon: Option<Upon>,
}

/// What a message does to earlier rows of its room, in the same transaction.
#[derive(Debug, Clone)]
pub struct Upon {
    /// What.
    pub act: Acting,
    /// The account that carries it to QQ.
    pub account: AccountName,
    /// The groups that it is carried to, as far as the rows are known there.
    pub groups: Vec<GroupNumber>,
}

/// The ways of [`Upon`]. Rows that are gone, of another room or no words are left as they are.
#[derive(Debug, Clone)]
pub enum Acting {
    /// Rows are taken back: of each remains a [`Content::Tombstone`]. Pieces that QQ does not have are cancelled, the others
    /// are recalled.
    TakeBack {
        /// Which.
        rows: Vec<Seq>,
        /// As in [`Content::Tombstone`].
        moderator: Option<String>,
    },
    /// The author's reactions to a row are these, from now on. QQ knows one person for all of XMPP, the account: it gets what
    /// changes in the union of all occupants' reactions. Those of members are there already.
    React {
        /// To which.
        row: Seq,
        /// All of them.
        emoji: Vec<String>,
    },
}

/// What makes two messages the same message.
#[derive(Debug, Clone)]
pub enum Identity {
    /// From QQ: unique per group for ever. The handle is kept for this account also when another told of it first.
    Qq {
        /// Where.
        group: GroupNumber,
        /// Which.
        event: EventId,
        /// What `account` calls it.
        handle: Option<Handle>,
        /// Who saw it.
        account: AccountName,
    },
    /// From XMPP: the same author and origin-id (XEP-0359) within ten minutes is the same message.
    Xmpp {
        /// The client session that said it: errors go there.
        session: FullJid,
        /// The author's origin-id, else what stands for it, where there is anything.
        origin: Option<String>,
    },
    /// From a joined room: the same stanza-id is the same message for ever; where there is none, the same origin within ten
    /// minutes.
    Elsewhere {
        /// The address in the room of who said it: errors go there.
        session: FullJid,
        /// The stanza-id that the room's service gave.
        id: Option<String>,
        /// What makes a repetition recognisable where there is no stanza-id. All who speak in the room share one space of these.
        origin: Option<String>,
    },
    /// A line of the gateway: never a repetition.
    Line,
}

/// One piece for one group.
#[derive(Debug, Clone)]
pub struct NewPiece {
    /// The account that speaks in the group.
    pub account: AccountName,
    /// The group.
    pub group: GroupNumber,
    /// Index of the row in [`NewMessage::rows`] that the piece belongs to.
    pub row: usize,
    /// What is said; a reply in it names the row that is answered, since each group has a handle of its own.
    pub parts: Vec<Part>,
    /// The row that is answered.
    pub answers: Option<Seq>,
    /// The text in normal form, by which the echo is recognised.
    pub normal: String,
}

/// A client session of an occupant (one resource).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSession {
    /// Its full JID.
    pub jid: FullJid,
    /// The occupant's nick.
    pub nick: String,
    /// It entered behind this row: rows up to it came as history or not at all.
    pub cut: Seq,
    /// It has been sent its whole join; false after a crash in the middle of it.
    pub greeted: bool,
    /// The payload of its last presence (show, status, caps, avatar hash), as XML elements one after the other.
    pub presence: String,
    /// What it asked of the room's history.
    pub history: HistoryWanted,
}

/// The subject of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The text; empty when taken away.
    pub text: String,
    /// The nick that set it.
    pub nick: String,
    /// When.
    pub time: Timestamp,
}

/// What became of one [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A new message: its rows as they now stand.
    Rows(Vec<Row>),
    /// From XMPP and already committed: its rows, to be reflected again to their author alone.
    Repeated(Vec<Row>),
    /// From QQ or a joined room and already committed, or the echo of something of ours: nothing to show.
    Known,
    /// Anything else: done.
    Done,
}

/// What the XMPP server has certainly taken: the barrier behind it came back.
#[derive(Debug, Clone, Default)]
pub struct Confirmed {
    /// The last row of the room that every greeted session got; `None` when no row was in it.
    pub seq: Option<Seq>,
    /// What the room now shows, as changes.
    pub shown: Vec<(String, Option<Shown>)>,
    /// Client sessions that got their whole join.
    pub greeted: Vec<FullJid>,
}

/// What a room has shown of one occupant, by occupant-id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Under this nick.
    pub nick: String,
    /// `moderator`, `participant`, `visitor`.
    pub role: String,
    /// `owner`, `admin`, `member`, `none`.
    pub affiliation: String,
    /// Everything else of the presence that others saw, as a digest: another digest means "show again".
    pub digest: String,
}
