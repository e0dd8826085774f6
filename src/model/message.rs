//! The neutral message: what a QQ session reads and writes, and what a room shows. Knows neither side's wire.

use serde::{Deserialize, Serialize};

use super::id::{EventId, Handle, MemberId, Seq};
use super::member::Member;
use super::rich::{Card, Game, Media, Poke, Record};
use super::time::Timestamp;

/// One thing somebody said in a QQ group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for every account that sees it, and over logins.
    pub id: EventId,
    /// What this account calls it, where the protocol has such a thing.
    pub handle: Option<Handle>,
    /// Who said it. The session fills in what it knows of the person.
    pub sender: Member,
    /// Said by the bridging account itself: an echo of ours, or its owner at another device.
    pub own: bool,
    /// When QQ says it was said.
    pub time: Timestamp,
    /// In reading order; never empty (what cannot be read is a [`Part::Marker`]).
    pub parts: Vec<Part>,
}

/// A piece of a message. Serialised into the store: variants are added, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Plain text; line ends are LF.
    Text(String),
    /// A QQ face (表情).
    Face(Face),
    /// `@somebody`.
    Mention(Mention),
    /// This message answers another. At most one, and first.
    Reply(Reply),
    /// Something that has no form of its own here; shown as `[label]`.
    Marker(String),
    /// A picture, a recording, a video or a file.
    Media(Media),
    /// A shared link and the like.
    Card(Card),
    /// Messages forwarded as one. Always alone.
    Record(Record),
    /// Somebody was poked. Always alone.
    Poke(Poke),
    /// A game of chance.
    Game(Game),
}

/// A QQ system face. The session looks name and emoji up, so that nobody else needs the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Face {
    /// QQ's id of today. `WebQQ` had other ids for some fifty faces: its session translates.
    pub id: u32,
    /// The official Chinese name (微笑); empty when the id is unknown.
    pub name: String,
    /// The emoji that says the same, where there is one.
    pub emoji: Option<String>,
}

/// Who is mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The member; `None` means everybody (@全体成员).
    pub member: Option<MemberId>,
    /// The name as QQ showed it, without the `@`; empty when QQ did not say.
    pub name: String,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What the account calls the message that is answered.
    pub handle: Handle,
    /// The quoted text, where QQ gave it.
    pub quote: Option<String>,
    /// The message in the room, where it is known. The session leaves it empty, the portal fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// The message of the room that a QQ message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Its row.
    pub row: Seq,
    /// The nick it was said under.
    pub nick: String,
    /// How it begins.
    pub text: String,
}
