//! The gap of one group: what was said while nobody listened. While it is being closed, what happens now waits behind it.
//!
//! ```text
//!                        ┌── the session's mailbox is full, or the answer was lost ──┐
//!  on line, with history ▼                                                           │
//!  ──────────────────► wanted ──tick, at once──► asked ──whole, part──► closed: what waited goes on
//!                        ▲ ▲                      │ │ │
//!                        │ └─ on line again ──────┘ │ └─ 30 s, or 1024 events wait: what waited goes on, but the gap stays open,
//!                        │    (asked after the      │    for an answer that comes late and for the next question
//!                        │     answer)              │
//!                        └──── a pause, doubling ───┤ failed
//!                                                   └──── too often: what waited goes on, and the gap rests until on line again
//! ```
//!
//! Pure but for tokio's clock. What waits is not in the store: a portal that ends drops it, and the next one finds it in
//! history, since it asks from the last message that *is* in the store.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Message, Timestamp};
use crate::qq::event::HISTORY_PATIENCE;
use crate::qq::{Act, Extent, GroupEvent, Known, Session};

/// New events wait for their history so long at most.
const PATIENCE: Duration = Duration::from_secs(30);
/// And so many of them.
const MAX_HELD: usize = 1024;
/// History is asked for so often until the session is on line again …
const TRIES: u32 = 6;
/// … the second time after this pause, each further time after twice the last one.
const PAUSE: Duration = Duration::from_secs(5);
/// QQ's clock may be so much behind ours.
pub(super) const CLOCKS: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Gap {
    after: Known,
    /// What happens now waits until then; nothing once the wait is over.
    until: Option<Instant>,
    question: Question,
    held: Vec<GroupEvent>,
    /// How often it was asked for since the session was last on line.
    tries: u32,
    /// People know that something may be missing.
    said: bool,
    /// They knew it when this was the last that had been said: what is older needs no second line.
    told: Option<Timestamp>,
}

#[derive(Debug)]
enum Question {
    /// To be asked.
    Wanted,
    /// The session has it.
    Asked {
        of: Session,
        since: Instant,
        /// There is a newer gap: asked once more behind the answer.
        again: bool,
    },
    /// It failed: to be asked again then.
    Later(Instant),
    /// It failed too often.
    Resting,
}

/// What a backfill means for the gap it came for.
#[derive(Debug)]
pub(super) enum Answered {
    /// It says too little: what comes later has all of it in order.
    NotYet,
    /// More of it is to be asked for.
    AskAgain,
    /// It is closed; this waited.
    Closed(Vec<GroupEvent>),
    /// It stays open, but nobody asks before the session is on line again; this waited.
    Left(Vec<GroupEvent>),
}

impl Gap {
    /// A gap behind the last message that is known.
    pub(super) fn behind(after: Known) -> Self {
        Self {
            after,
            until: Some(Instant::now() + PATIENCE),
            question: Question::Wanted,
            held: Vec::new(),
            tries: 0,
            said: false,
            told: None,
        }
    }

    /// The last message before it.
    pub(super) fn after(&self) -> &Known {
        &self.after
    }

    /// Something more was lost, behind `last`. One question is enough for all that was lost until it is asked; a session that is
    /// gone answers no more. What was lost earlier and not found is asked for too, unless it was said before `since`.
    pub(super) fn widen(&mut self, last: Known, since: Timestamp) {
        self.tries = 0;
        match &mut self.question {
            Question::Asked { of, since, again } if !of.is_closed() && since.elapsed() < HISTORY_PATIENCE => {
                *again = true;
            }
            question => *question = Question::Wanted,
        }
        if self.until.is_none() {
            self.until = Some(Instant::now() + PATIENCE);
            if std::mem::take(&mut self.said) {
                self.told = Some(last.time);
            }
            if self.after.time < since {
                self.after = last;
            }
        }
    }

    /// Whether the session is to be asked.
    pub(super) fn wants_question(&self) -> bool {
        match &self.question {
            Question::Wanted => true,
            Question::Asked { since, .. } => self.tries < TRIES && since.elapsed() >= HISTORY_PATIENCE,
            Question::Later(at) => *at <= Instant::now(),
            Question::Resting => false,
        }
    }

    /// The session has the question.
    pub(super) fn asked(&mut self, of: Session) {
        self.tries += 1;
        self.question = Question::Asked {
            of,
            since: Instant::now(),
            again: false,
        };
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

    /// Whether people know already that what such an answer lacks may be missing: it reaches back behind what they were told.
    pub(super) fn is_told(&self, messages: &[Message]) -> bool {
        let reaches = |told: Timestamp| messages.first().is_some_and(|first| first.time <= told.minus(CLOCKS));
        self.told.is_some_and(reaches)
    }

    /// A backfill came.
    pub(super) fn answered(&mut self, extent: Extent) -> Answered {
        let failed = extent == Extent::Failed;
        if let Question::Asked { again: true, .. } = self.question {
            self.question = Question::Wanted;
            return if failed { Answered::NotYet } else { Answered::AskAgain };
        }
        if !failed {
            return Answered::Closed(self.give_up());
        }
        if self.tries < TRIES {
            let pause = PAUSE * 2_u32.saturating_pow(self.tries.saturating_sub(1));
            self.question = Question::Later(Instant::now() + pause);
            return Answered::NotYet;
        }
        self.question = Question::Resting;
        Answered::Left(self.give_up())
    }
}
