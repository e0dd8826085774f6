//! What can be asked of a session, and what it answers.

use tokio::sync::{mpsc, oneshot};

use crate::model::{GroupNumber, Handle, Part};

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
    /// Fetch what was said behind `after`; answered by [`super::Act::Backfill`] in order with the other events.
    History {
        /// Where.
        group: GroupNumber,
        /// The last message that is known.
        after: Option<Handle>,
        /// At most so many.
        count: usize,
    },
    /// An admin asks for a login now: a new QR code, an end of waiting.
    Login,
    /// An admin typed what the captcha shows.
    Captcha(String),
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
