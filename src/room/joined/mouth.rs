//! What is to be said in the room, in order, one thing at a time: the next is said when the room has shown the last. So of all that
//! was committed, at most one thing is in doubt, whatever breaks.
//!
//! ```text
//!  waiting ──said──► on its way ──reflection──► done
//!     ▲                  │ bounced, or not shown though the room's history was read
//!     └──────────────────┘
//! ```

use std::collections::{HashMap, VecDeque};

use crate::model::{Called, MemberId, Row, Seq, Timestamp};

/// Rows held: enough to let their speakers enter ahead of time.
const DEPTH: usize = 64;
/// Rows of which it is remembered how the room calls them, beside the store.
const REMEMBERED: usize = 512;

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Voice {
    /// The puppet of its author.
    Puppet(MemberId),
    /// The listener.
    Listener,
}

/// Something said that the room has not shown yet.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) by: Voice,
    pub(super) at: Timestamp,
}

/// One thing to say.
#[derive(Debug)]
pub(super) struct Saying {
    pub(super) row: Row,
    /// Behind its time.
    pub(super) late: bool,
    /// How the room calls the rows that it is about.
    pub(super) names: HashMap<Seq, Called>,
    pub(super) flight: Option<Flight>,
    /// How often it was said or refused in vain.
    pub(super) tries: u32,
    /// How often the room had too much to do.
    pub(super) waits: u32,
    /// The puppet of its author could not say it.
    pub(super) not_by_puppet: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Mouth {
    queue: VecDeque<Saying>,
    names: HashMap<Seq, Called>,
    order: VecDeque<Seq>,
}

impl Mouth {
    /// How many more rows it takes.
    pub(super) fn capacity(&self) -> usize {
        DEPTH.saturating_sub(self.queue.len())
    }

    /// One more row to say.
    pub(super) fn push(&mut self, row: Row, late: bool, names: HashMap<Seq, Called>) {
        self.queue.push_back(Saying {
            row,
            late,
            names,
            flight: None,
            tries: 0,
            waits: 0,
            not_by_puppet: false,
        });
    }

    /// What is said next, or on its way.
    pub(super) fn front(&mut self) -> Option<&mut Saying> {
        self.queue.front_mut()
    }

    /// What is said next, or on its way.
    pub(super) fn peek(&self) -> Option<&Saying> {
        self.queue.front()
    }

    /// The first is done.
    pub(super) fn pop(&mut self) -> Option<Saying> {
        self.queue.pop_front()
    }

    /// What waits behind the first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Saying> {
        self.queue.iter().skip(1)
    }

    /// The room calls a row so.
    pub(super) fn name(&mut self, row: Seq, called: Called) {
        if self.names.insert(row, called).is_none() {
            self.order.push_back(row);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.names.remove(&oldest);
            }
        }
    }

    /// How the room calls a row.
    pub(super) fn called<'a>(&'a self, saying: &'a Saying, row: Seq) -> Option<&'a Called> {
        self.names.get(&row).or_else(|| saying.names.get(&row))
    }
}
