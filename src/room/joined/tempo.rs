//! How quickly one room is spoken to. It begins with what a lively room bears, goes slower each time the room says that it is too
//! much, and comes back step by step.
//!
//! What rooms count differs: `mod_muc_limits` lets through one event in two seconds, over all occupants and entries alike, from people
//! without an affiliation; ejabberd counts by occupant. So entries and words are one pace here, and it takes half of what is left.

use std::time::Duration;

use super::pace::Pace;
use crate::model::Timestamp;

/// The steps: one event each so many milliseconds, and how many at once.
const STEPS: [(u64, u32); 6] = [(200, 20), (500, 5), (1_000, 1), (2_000, 1), (4_000, 1), (8_000, 1)];
/// From this step on a visitor more costs more than it is worth.
const NO_JOINS_FROM: usize = 2;
/// So long without a refusal, and it is tried a step faster.
const CALM: Duration = Duration::from_secs(600);
/// After entries were refused: the first wait, doubled up to the longest.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Debug)]
pub(super) struct Tempo {
    step: usize,
    pace: Pace,
    /// When the room last said that it was too much, or it was tried faster.
    changed: Timestamp,
    /// Nothing before then.
    pause: Timestamp,
    joins_after: Timestamp,
    joins_refused: u32,
    longest_nick: Option<usize>,
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            step: 0,
            pace: pace(0),
            changed: Timestamp::default(),
            pause: Timestamp::default(),
            joins_after: Timestamp::default(),
            joins_refused: 0,
            longest_nick: None,
        }
    }
}

fn pace(step: usize) -> Pace {
    let (every, burst) = STEPS[step.min(STEPS.len() - 1)];
    Pace::new(Duration::from_millis(every), burst)
}

impl Tempo {
    /// One more message, or when.
    pub(super) fn may_say(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        if self.step > 0 && now.since(self.changed) >= CALM {
            self.step -= 1;
            self.pace = pace(self.step);
            self.changed = now;
        }
        if now < self.pause {
            return Err(self.pause);
        }
        self.pace.take(now)
    }

    /// One more visitor, or when.
    pub(super) fn may_join(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        self.may_say(now)
    }

    /// Whether visitors may be sent at all; else the listener speaks for them.
    pub(super) fn puppets_may_join(&self, now: Timestamp) -> bool {
        now >= self.joins_after && self.step < NO_JOINS_FROM
    }

    /// It was too much.
    pub(super) fn slower(&mut self, now: Timestamp) {
        self.step = (self.step + 1).min(STEPS.len() - 1);
        self.pace = pace(self.step);
        self.changed = now;
        // What is counted there runs out only when nothing comes.
        self.pause = now.plus(Duration::from_millis(STEPS[self.step].0 * 2));
    }

    /// Nothing for so long.
    pub(super) fn pause(&mut self, now: Timestamp, time: Duration) {
        self.pause = self.pause.max(now.plus(time));
    }

    /// The room is full, or lets nobody in for now.
    pub(super) fn join_refused(&mut self, now: Timestamp) {
        let wait = FIRST.saturating_mul(1 << self.joins_refused.min(10)).min(LONGEST);
        self.joins_refused = self.joins_refused.saturating_add(1);
        self.no_joins(now, wait);
    }

    /// No visitors for so long.
    pub(super) fn no_joins(&mut self, now: Timestamp, time: Duration) {
        self.joins_after = self.joins_after.max(now.plus(time));
    }

    /// A visitor got in.
    pub(super) fn joined(&mut self) {
        self.joins_refused = 0;
    }

    /// The longest nick that the room takes, in bytes, as far as it refused longer ones.
    pub(super) fn longest_nick(&self) -> Option<usize> {
        self.longest_nick
    }

    /// The room refuses long nicks. Whether that is news.
    pub(super) fn nicks_within(&mut self, bytes: usize) -> bool {
        self.longest_nick.replace(bytes) != Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_has_enough_is_left_alone_and_tried_again() {
        let start = Timestamp(1_000_000_000);
        let at = |s: u64| start.plus(Duration::from_secs(s));
        let mut tempo = Tempo::default();
        for _ in 0..20 {
            assert_eq!(tempo.may_say(at(0)), Ok(()));
        }
        assert!(tempo.may_say(at(0)).is_err());
        tempo.slower(at(1));
        tempo.slower(at(1));
        assert_eq!(tempo.may_say(at(2)), Err(at(3)));
        assert!(!tempo.puppets_may_join(at(3)));
        assert_eq!(tempo.may_say(at(3)), Ok(()));
        assert!(tempo.may_say(at(3)).is_err());
        assert_eq!(tempo.may_say(at(700)), Ok(()));
        assert!(tempo.puppets_may_join(at(700)));
    }

    #[test]
    fn a_full_room_is_knocked_at_ever_less() {
        let start = Timestamp(1_000_000_000);
        let mut tempo = Tempo::default();
        tempo.join_refused(start);
        assert!(!tempo.puppets_may_join(start.plus(Duration::from_secs(29))));
        assert!(tempo.puppets_may_join(start.plus(Duration::from_secs(30))));
        for _ in 0..20 {
            tempo.join_refused(start);
        }
        assert!(tempo.puppets_may_join(start.plus(LONGEST)));
    }
}
