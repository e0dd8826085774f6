//! What a room answers: what is to be committed, what is to be shown, what is to be read for it.

use jid::{BareJid, FullJid, Jid};

use crate::model::{
    Called, Content, Heard, KeptPuppet, Language, Member, MemberId, Role, Row, Seq, StaysAway, Timestamp,
};
use crate::xmpp::Outgoing;

pub use crate::model::HistoryWanted;

use super::visit::{Aside, Overheard};

/// What follows from one stanza or one fact.
#[derive(Debug, Default)]
pub struct Admitted {
    /// To be sent at once, beside the order of the room: refusals and answers.
    pub replies: Vec<Outgoing>,
    /// To be committed in this order, and then shown.
    pub effects: Vec<Effect>,
    /// What people said in somebody else's room: to be looked up and committed behind the effects, in this order.
    pub overheard: Vec<Overheard>,
}

/// Something that changes the room. The portal commits it and brings it back as a [`Step`].
#[derive(Debug, Clone)]
pub enum Effect {
    /// An occupant said something that the room shows.
    Spoken(Spoken),
    /// Presence changed.
    Change(Change),
    /// The subject was set.
    Subject {
        /// Who set it.
        by: FullJid,
        /// Under which nick.
        nick: String,
        /// The author's id of the stanza: the reflection carries it.
        id: Option<String>,
        /// The text; empty takes it away.
        text: String,
        /// When.
        time: Timestamp,
    },
    /// An owner took a row of anybody's away (XEP-0425). To be committed as a [`Content::Retraction`] that is moderated.
    Moderated {
        /// Who.
        by: FullJid,
        /// Under which nick.
        nick: String,
        /// The row.
        row: Seq,
        /// Why, in their words.
        reason: Option<String>,
        /// When.
        time: Timestamp,
    },
    /// Somebody who may asks the archive. Answered beside the order of the room.
    Archive(ArchiveQuery),
    /// Somebody who may asks for the first and the last row of the archive (XEP-0313 §7). Answered beside the order of the room.
    ArchiveEnds(ArchiveEnds),
    /// Somebody else's room calls a row so.
    Called {
        /// The row.
        row: Seq,
        /// How.
        called: Called,
    },
    /// Somebody else's room has shown every row up to this one, as far as there was something to show.
    Said(Seq),
    /// Everything up to here was heard of somebody else's room.
    Heard(Heard),
    /// The gateway stays away from somebody else's room, or may enter it again.
    StaysAway(Option<StaysAway>),
    /// A puppet stands otherwise than before.
    Puppet(KeptPuppet),
    /// The gateway is in somebody else's room again after a while: rows that wait may be too many to be said.
    Returned,
    /// The gateway has a word for people.
    Aside(Aside),
}

impl Admitted {
    /// Nothing but an answer.
    pub fn reply(reply: Outgoing) -> Self {
        Self {
            replies: vec![reply],
            ..Self::default()
        }
    }

    /// Nothing but an effect.
    pub fn effect(effect: Effect) -> Self {
        Self {
            effects: vec![effect],
            ..Self::default()
        }
    }
}

/// Something an occupant said.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// The client session.
    pub session: FullJid,
    /// The occupant's nick.
    pub nick: String,
    /// What a repetition has in common: the author's origin-id, else something made of the stanza's id and its content.
    pub origin: Option<String>,
    /// When it came.
    pub time: Timestamp,
    /// The stanza as it will be reflected.
    pub content: Content,
    /// What it says to people on QQ; nothing for chat states, markers and the like.
    pub speech: Option<Speech>,
    /// Shown to those who are here, but not kept (chat states).
    pub ephemeral: bool,
    /// The row of the author's own that it takes back (XEP-0424).
    pub retracts: Option<Seq>,
    /// The row it reacts to, and all reactions of the author to it from now on (XEP-0444), at most eight.
    pub reacts: Option<(Seq, Vec<String>)>,
}

/// The part of a stanza that concerns QQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// The body without reply fallback.
    pub text: String,
    /// `/me` (XEP-0245): the text is what the person does.
    pub action: bool,
    /// The row that is answered (XEP-0461), when the room knows the stanza-id.
    pub answers: Option<Seq>,
    /// What the author's client quoted of it: the first line.
    pub quote: Option<String>,
    /// Nicks of members that are mentioned (`@nick`, `nick:`), with who they are, longest first.
    pub mentions: Vec<(String, MemberId)>,
}

/// A change of presence. Made by `admit`, shown by `reflect` when its turn has come.
#[derive(Debug, Clone)]
pub enum Change {
    /// A client session enters, or asks for the whole join again.
    Join {
        /// The session.
        session: FullJid,
        /// Its nick.
        nick: String,
        /// The id of its join presence.
        id: Option<String>,
        /// The history it wants.
        history: HistoryWanted,
        /// The payload of its presence.
        presence: String,
        /// It was in the room before: others see nothing.
        again: bool,
    },
    /// A session's status changed.
    Presence {
        /// The session.
        session: FullJid,
        /// The payload of its presence.
        presence: String,
    },
    /// A session left or was removed.
    Leave {
        /// The session.
        session: FullJid,
        /// Why.
        why: Leaving,
    },
    /// An occupant took another nick.
    Rename {
        /// Whose.
        who: BareJid,
        /// The client session that asked, and the id of its presence.
        by: (FullJid, Option<String>),
        /// Until now.
        old: String,
        /// From now on.
        new: String,
    },
    /// Members of the QQ groups are other than shown: what becomes of whom.
    Members(Vec<MemberChange>),
    /// Name, description or the like changed: status 104.
    Configuration,
}

/// Why a session is no longer in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    /// It said so; the payload of its last presence.
    Itself {
        /// Status text and the like, as XML.
        presence: String,
        /// The id of its presence.
        id: Option<String>,
    },
    /// Its server says that it is not there (status 333).
    Ghost,
    /// It may not be here any more (status 321).
    NotAllowed,
    /// The room ends: its row was removed (`<destroy/>`).
    Destroyed,
    /// The gateway says goodbye (status 332).
    Farewell,
}

/// What becomes of a QQ member as an occupant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberChange {
    /// Who.
    pub id: MemberId,
    /// How they are shown from now on; `None`: not any more.
    pub now: Option<MemberShown>,
    /// They were removed from the group by somebody (status 307).
    pub kicked: bool,
    /// The nick of who removed them, where that is known.
    pub by: Option<String>,
}

/// How a QQ member is shown in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberShown {
    /// The nick they got.
    pub nick: String,
    /// The name as QQ shows it (XEP-0172).
    pub name: String,
    /// The standing in the group.
    pub role: Role,
    /// May not speak now.
    pub muted: bool,
}

/// A question to the archive (XEP-0313) from somebody who may ask.
#[derive(Debug, Clone)]
pub struct ArchiveQuery {
    /// Who asks.
    pub to: Jid,
    /// The id of the request.
    pub id: String,
    /// The parsed query; the portal reads the page and hands both to [`answer`](super::hosted::archive::answer).
    pub query: crate::xmpp::read::archive::Query,
    /// Only rows of this author: what `query.with` means.
    pub with: Option<With>,
    /// The asker may see real JIDs.
    pub sees_jids: bool,
    /// Of the room's own words.
    pub language: Language,
}

/// Whose rows are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// A QQ member, in whichever group of the room.
    Member(MemberId),
    /// A person on XMPP.
    Occupant(BareJid),
}

/// A question for the ends of the archive; the portal hands them to [`ends`](super::hosted::archive::ends).
#[derive(Debug, Clone)]
pub struct ArchiveEnds {
    /// Who asks.
    pub to: Jid,
    /// The id of the request.
    pub id: String,
}

/// What the room shows next. The portal brings steps in commit order.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A committed row, for every session that entered before it. `late` adds `<delay/>`: it is shown behind its time.
    Row {
        /// The row.
        row: &'a Row,
        /// Shown behind its time.
        late: bool,
    },
    /// A row for one session alone: its author's repetition, or what a session missed.
    RowTo {
        /// The row.
        row: &'a Row,
        /// Who gets it.
        session: &'a FullJid,
        /// Shown behind its time.
        late: bool,
    },
    /// A change, with the history that a join wants (oldest first; empty for the rest).
    Change {
        /// The change.
        change: &'a Change,
        /// The page of history.
        history: &'a [Row],
        /// Where a join was committed: rows up to this one are in its history or older, those behind it are live.
        cut: Seq,
    },
    /// A committed subject.
    Subject {
        /// The nick that set it; empty for the room itself.
        nick: &'a str,
        /// The text.
        text: &'a str,
        /// The author's id of the stanza.
        id: Option<&'a str>,
        /// When.
        time: Timestamp,
    },
    /// Something said that is not kept.
    Ephemeral(&'a Spoken),
}

/// A member as the portal merged them from the groups of the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomMember {
    /// The person; card and role of the first group in the row that has them.
    pub member: Member,
    /// May not speak now.
    pub muted: bool,
    /// When they last spoke, as far as is known: `active` rooms show those who did lately.
    pub spoke: Option<Timestamp>,
}

/// What the store kept of a room, for [`resume`](super::hosted::HostedRoom::resume).
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Client sessions that were in the room.
    pub sessions: Vec<KeptSession>,
    /// What the room had shown, by the keys of [`shown_changes`](super::hosted::HostedRoom::shown_changes).
    pub shown: Vec<(String, ShownAs)>,
    /// Nicks of people who were here, and when they were last seen.
    pub remembered: Vec<(BareJid, String, Timestamp)>,
    /// The subject: nick, text, when.
    pub subject: Option<(String, String, Timestamp)>,
    /// Visitors in somebody else's room.
    pub puppets: Vec<KeptPuppet>,
    /// How far somebody else's room was heard.
    pub heard: Option<Heard>,
    /// Why and how long the gateway stays away from somebody else's room.
    pub stays_away: Option<StaysAway>,
}

/// A client session as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// Its full JID.
    pub jid: FullJid,
    /// The occupant's nick.
    pub nick: String,
    /// Rows up to this one came as history or not at all.
    pub cut: Seq,
    /// It got its whole join.
    pub greeted: bool,
    /// The payload of its presence.
    pub presence: String,
    /// The history that it asked for.
    pub history: HistoryWanted,
}

/// What a room has shown of one occupant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownAs {
    /// Under this nick.
    pub nick: String,
    /// The role's word.
    pub role: String,
    /// The affiliation's word.
    pub affiliation: String,
    /// Everything else that others saw.
    pub digest: String,
}

/// What a room finds after a start or a new stream.
#[derive(Debug, Default)]
pub struct Resumed {
    /// The difference between what was shown and what is, to be sent first.
    pub presences: Vec<Outgoing>,
    /// Sessions that wait for their join since before the break, each with the cut of its join.
    pub ungreeted: Vec<(Change, Seq)>,
    /// To be committed: sessions that may not be here any more.
    pub effects: Vec<Effect>,
}
