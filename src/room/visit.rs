//! What a joined room answers beside what every room does.

use crate::model::Author;
use crate::room::Spoken;

/// What a joined room tells people beside what is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// To the admins.
    Admins(String),
    /// So many messages of people in the room are too old to be passed on to QQ.
    TooLateForQq(usize),
    /// So many messages from QQ were not said in the room.
    NotSaid(usize),
}

/// Why a joined room is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It may mend itself.
    Away(String),
    /// A person has to do something.
    NeedsOperator(String),
}

/// Something that was said in somebody else's room.
#[derive(Debug, Clone)]
pub struct Overheard {
    /// Who said it; ids of rows in it are empty, since the room does not know rows by their ids.
    pub spoken: Spoken,
    /// The author.
    pub author: Author,
    /// The stanza-id that the service gave it.
    pub id: Option<String>,
    /// The stanza-id of what it is about.
    pub about: About,
}

/// What a stanza in somebody else's room is about, by stanza-id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum About {
    /// Nothing that was said before.
    #[default]
    Nothing,
    /// It answers a message.
    Answers(String),
    /// Its author takes a message back.
    TakesBack(String),
    /// Its author reacts to a message.
    Reacts(String, Vec<String>),
    /// A moderator takes somebody's message back; perhaps with a reason.
    Moderates(String, Option<String>),
}
