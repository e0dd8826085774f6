//! What a program has in memory: gone when it is started again.

use std::collections::{HashSet, VecDeque};

/// The memory of one program.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(super) order: VecDeque<i64>,
    pub(super) seen: HashSet<i64>,
    /// Whether the lists of members are there.
    pub(super) members_ready: bool,
    /// Until when the program is down, in milliseconds of the sandbox's clock.
    pub(super) down_until: i64,
    /// How many answers are to be held back, and how many are.
    pub(super) holding: usize,
    pub(super) held: usize,
    /// Calls that were answered.
    pub(super) calls: u64,
}

impl Run {
    /// Remembers a message, and forgets the oldest when there are more than `most`.
    pub(super) fn see(&mut self, message: i64, most: usize) {
        if !self.seen.insert(message) {
            return;
        }
        self.order.push_back(message);
        while self.order.len() > most
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }

    pub(super) fn remembers(&self, message: i64) -> bool {
        self.seen.contains(&message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut run = Run::default();
        (0..10).for_each(|id| run.see(id, 5));
        run.see(9, 5);
        assert!(!run.remembers(4) && run.remembers(5) && run.remembers(9));
    }
}
