//! The gap of one group: what was said while nobody listened. While it is being closed, what happens now waits behind it.
//!
//! ```text
//!                        ┌── the session's mailbox is full, or there is no session ──┐
//!  on line, with history ▼                                                           │
//!  ──────────────────► wanted ──tick, at once──► asked ──backfill──► closed: what waited goes on
//!                        ▲                        │ │
//!                        └─ on line again ────────┘ └─ 30 s, or 1024 events wait: what waited goes on, but the gap stays
//!                           (asked after the answer)    open, for an answer that comes late and for the next question
//! ```
//!
//! Pure but for tokio's clock. What waits is not in the store: a portal that ends drops it, and the next one finds it in
//! history, since it asks from the last message that *is* in the store.

use std::time::Duration;

use tokio::time::Instant;

use crate::qq::{Act, GroupEvent, Known, Session};

/// New events wait for their history so long at most.
const PATIENCE: Duration = Duration::from_secs(30);
/// And so many of them.
const MAX_HELD: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Gap {
    after: Known,
    /// What happens now waits until then; nothing once the wait is over.
    until: Option<Instant>,
    question: Question,
    held: Vec<GroupEvent>,
    /// People know that something may be missing.
    said: bool,
}

#[derive(Debug)]
enum Question {
    /// To be asked.
    Wanted,
    /// The session has it.
    Asked {
        of: Session,
        /// There is a newer gap: asked once more behind the answer.
        again: bool,
    },
}

/// What a backfill means for the gap it came for.
#[derive(Debug)]
pub(super) enum Answered {
    /// More of it is to be asked for.
    AskAgain,
    /// It is closed; this waited.
    Closed(Vec<GroupEvent>),
}

impl Gap {
    /// A gap behind the last message that is known.
    pub(super) fn behind(after: Known) -> Self {
        Self {
            after,
            until: Some(Instant::now() + PATIENCE),
            question: Question::Wanted,
            held: Vec::new(),
            said: false,
        }
    }

    /// The last message before it.
    pub(super) fn after(&self) -> &Known {
        &self.after
    }

    /// Something more was lost. One question is enough for all that was lost until it is asked; a session that is gone answers no
    /// more.
    pub(super) fn widen(&mut self) {
        match &mut self.question {
            Question::Asked { of, again } if !of.is_closed() => *again = true,
            question => *question = Question::Wanted,
        }
        if self.until.is_none() {
            self.until = Some(Instant::now() + PATIENCE);
            self.said = false;
        }
    }

    /// Whether the session is to be asked.
    pub(super) fn wants_question(&self) -> bool {
        matches!(self.question, Question::Wanted)
    }

    /// The session has the question.
    pub(super) fn asked(&mut self, of: Session) {
        self.question = Question::Asked { of, again: false };
    }

    /// Keeps an event back, or gives it on: when nothing is held (any more), or it is about the connection and not the group.
    pub(super) fn hold(&mut self, event: GroupEvent) -> Option<GroupEvent> {
        let connection = matches!(
            event.act,
            Act::Online { .. } | Act::Offline(_) | Act::Backfill { .. } | Act::Missed(_)
        );
        if self.until.is_none() || connection {
            return Some(event);
        }
        self.held.push(event);
        None
    }

    /// When the wait ends, if nothing comes before; it has ended when too much waits.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.held.len() >= MAX_HELD {
            return self.until.map(|until| until - PATIENCE);
        }
        self.until
    }

    /// The wait is over; this waited.
    pub(super) fn give_up(&mut self) -> Vec<GroupEvent> {
        self.until = None;
        std::mem::take(&mut self.held)
    }

    /// Whether people are still to be told that something may be missing; from now on they were.
    pub(super) fn say_once(&mut self) -> bool {
        !std::mem::replace(&mut self.said, true)
    }

    /// A backfill came.
    pub(super) fn answered(&mut self) -> Answered {
        if let Question::Asked { again: true, .. } = self.question {
            self.question = Question::Wanted;
            return Answered::AskAgain;
        }
        Answered::Closed(self.give_up())
    }
}
