//! Events of groups that the row does not name. At a reload the route and the row change one after the other, so an event may
//! come a moment before the row knows its group: it waits for the row, but not for long.

use crate::qq::GroupEvent;

/// Events that wait at most; more are dropped, as all of them are when no new row comes.
const MAX: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    events: Vec<GroupEvent>,
    old: bool,
}

impl Strangers {
    /// One more.
    pub(super) fn push(&mut self, event: GroupEvent) {
        if self.events.len() < MAX {
            self.events.push(event);
        }
    }

    /// Time passed: what waits for the second time is dropped.
    pub(super) fn tick(&mut self) {
        if std::mem::replace(&mut self.old, !self.events.is_empty()) {
            self.events.clear();
            self.old = false;
        }
    }

    /// The row changed: all of them, in order.
    pub(super) fn take(&mut self) -> Vec<GroupEvent> {
        self.old = false;
        std::mem::take(&mut self.events)
    }
}
