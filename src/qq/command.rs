//! What can be asked of a session, and what it answers.

use tokio::sync::{mpsc, oneshot};

use crate::model::{EventId, GroupNumber, Handle, Part, Timestamp};

/// The wishes' mailbox of one session. Bounded; a closed one means that the session is restarting.
pub type Session = mpsc::Sender<Command>;

/// A wish to a session. Dropping the reply without an answer means [`Outcome::Unknown`].
#[derive(Debug)]
pub enum Command {
    /// Say one piece in a group. The session does not queue: the outbox asks for one piece at a time.
    Send {
        /// Where.
        group: GroupNumber,
        /// What.
        piece: Outgoing,
        /// What became of it.
        reply: oneshot::Sender<Outcome>,
    },
    /// Take a message back.
    Recall {
        /// Where.
        group: GroupNumber,
        /// Which.
        handle: Handle,
        /// What became of it.
        reply: oneshot::Sender<Outcome>,
    },
    /// Add a reaction of the account to a message, or take it away.
    React {
        /// Where.
        group: GroupNumber,
        /// To which.
        handle: Handle,
        /// The emoji.
        emoji: String,
        /// Added or taken away.
        added: bool,
        /// What became of it; an emoji that QQ has no id for is refused for ever.
        reply: oneshot::Sender<Outcome>,
    },
    /// Fetch what was said behind `after`; answered by [`super::Act::Backfill`], always, within
    /// [`super::event::HISTORY_PATIENCE`]. Only for sessions whose
    /// [`super::Act::Online`] said that they have history.
    History {
        /// Where.
        group: GroupNumber,
        /// The last message that is known.
        after: Known,
        /// At most so many, the newest.
        count: usize,
        /// Nothing older than this.
        since: Timestamp,
    },
    /// An admin asks for a login now: a new QR code, an end of waiting.
    Login,
    /// An admin typed what the captcha shows.
    Captcha(String),
}

/// The last message of a group that is known, in the words of the session that told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which; nothing where none was ever heard: then `time` is when listening began.
    pub event: Option<EventId>,
    /// What the account called it.
    pub handle: Option<Handle>,
    /// When it was said.
    pub time: Timestamp,
}

/// One piece of a message on its way to QQ, within the protocol's limits (see [`super::piece`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// In reading order, never empty.
    pub parts: Vec<Part>,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// QQ has it; and calls it so, where it says.
    Sent(Option<Handle>),
    /// QQ certainly does not have it.
    NotSent(NotSent),
    /// QQ may or may not have it: never blindly sent again.
    Unknown(String),
}

/// Why something was certainly not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// May work later: the session is off line, the service is busy.
    Later(String),
    /// Will never work: refused for what it is.
    Never(String),
}
