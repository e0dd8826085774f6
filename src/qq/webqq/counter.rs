//! The counter of a group's messages, by which 2013 tells what was lost. Pure.

use std::collections::VecDeque;

/// What was counted lately. Outlives a login: the counter is the group's.
#[derive(Debug, Default)]
pub(super) struct Counter {
    last: Option<u64>,
    recent: VecDeque<(u64, u64, i64)>,
}

/// What a message's number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Nothing special.
    Next,
    /// So many messages before this one did not come.
    Behind(u64),
    /// This one came before.
    Repeated,
}

impl Counter {
    const KEPT: usize = 200;
    /// A bigger step is another counter, not so many messages.
    const STEP_MAX: u64 = 100_000;

    /// Takes the number of a message, with who said it when.
    pub(super) fn take(&mut self, seq: u64, sender: u64, time: i64) -> Counted {
        let this = (seq, sender, time);
        if self.recent.contains(&this) {
            return Counted::Repeated;
        }
        if self.recent.len() == Self::KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(this);
        let Some(last) = self.last.replace(seq) else {
            return Counted::Next;
        };
        match seq.checked_sub(last) {
            Some(step @ 2..Self::STEP_MAX) => Counted::Behind(step - 1),
            Some(_) => Counted::Next,
            None => {
                // A late one; but far back the counter began anew.
                if last - seq < Self::STEP_MAX.min(1000) {
                    self.last = Some(last);
                }
                Counted::Next
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_repeats() {
        let mut counter = Counter::default();
        let taken: Vec<Counted> = [1071, 1072, 1072, 1075, 1073, 1076]
            .into_iter()
            .map(|seq| counter.take(seq, 7, 10))
            .collect();
        assert_eq!(
            taken,
            [
                Counted::Next,
                Counted::Next,
                Counted::Repeated,
                Counted::Behind(2),
                Counted::Next,
                Counted::Next
            ]
        );
    }

    #[test]
    fn another_counter_is_no_loss() {
        let mut counter = Counter::default();
        for seq in [5000, 1, 2, u64::MAX, 7] {
            assert_eq!(counter.take(seq, 7, 1), Counted::Next, "{seq}");
        }
        assert_eq!(counter.take(10, 7, 1), Counted::Behind(2));
        // The same number by another or at another time is another message.
        assert_eq!(counter.take(10, 7, 2), Counted::Next);
        for seq in 0..1000 {
            counter.take(seq * 3, 7, 5);
        }
        assert_eq!(counter.recent.len(), Counter::KEPT);
    }
}
