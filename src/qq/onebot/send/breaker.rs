//! Stops sending when QQ takes nothing: going on would make a mute of minutes one of days. Pure but for the clock.
//!
//! ```text
//!  closed ── 5 failures in a row ──► open (2 min, doubling to 30) ──► half open: one try
//!    ▲                                  ▲                                 │
//!    └────────── worked ────────────────┼──── worked ─────────────────────┤
//!                                       └──── failed ─────────────────────┘
//! ```

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::GroupNumber;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
const LONGEST: Duration = Duration::from_secs(1800);

/// See the module.
#[derive(Debug)]
pub(super) struct Breaker {
    first: Duration,
    failures: u32,
    /// How often it opened since something worked.
    opened: u32,
    until: Option<Instant>,
    /// The groups that know of the pause.
    told: HashSet<GroupNumber>,
}

impl Breaker {
    pub(super) fn new(first: Duration) -> Self {
        Self {
            first,
            failures: 0,
            opened: 0,
            until: None,
            told: HashSet::new(),
        }
    }

    /// Whether something may be tried; else why not.
    pub(super) fn may_try(&self) -> Result<(), String> {
        let Some(left) = self.left() else { return Ok(()) };
        let minutes = left.as_secs().div_ceil(60);
        Err(format!(
            "QQ took none of the last messages of this account; the next try is in {minutes} minutes"
        ))
    }

    /// How long the pause lasts, for a group that has something to say and was not told of this pause before.
    pub(super) fn news(&mut self, group: GroupNumber) -> Option<Duration> {
        let left = self.left()?;
        self.told.insert(group).then_some(left)
    }

    fn left(&self) -> Option<Duration> {
        let left = self.until? - Instant::now();
        (!left.is_zero()).then_some(left)
    }

    pub(super) fn worked(&mut self) {
        *self = Self::new(self.first);
    }

    /// One more failure. Says for how long, when it opens.
    pub(super) fn failed(&mut self) -> Option<Duration> {
        self.failures += 1;
        // After a pause one failure is enough.
        if self.failures < FAILURES && self.opened == 0 {
            return None;
        }
        let pause = self
            .first
            .saturating_mul(1 << self.opened.min(8))
            .min(LONGEST.max(self.first));
        self.failures = 0;
        self.opened += 1;
        self.until = Some(Instant::now() + pause);
        self.told.clear();
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_until_something_works() {
        let first = Duration::from_secs(120);
        let mut breaker = Breaker::new(first);
        for _ in 0..4 {
            assert_eq!(breaker.failed(), None);
        }
        assert_eq!(breaker.news(GroupNumber(1)), None);
        assert_eq!(breaker.failed(), Some(first));
        assert!(breaker.may_try().is_err());
        assert_eq!(breaker.news(GroupNumber(1)), Some(first));
        assert_eq!(
            (breaker.news(GroupNumber(1)), breaker.news(GroupNumber(2))),
            (None, Some(first))
        );
        tokio::time::advance(first).await;
        assert_eq!(breaker.may_try(), Ok(()));
        assert_eq!(breaker.failed(), Some(first * 2));
        assert_eq!(breaker.news(GroupNumber(1)), Some(first * 2));
        for _ in 0..10 {
            breaker.failed();
        }
        assert_eq!(breaker.failed(), Some(LONGEST));
        breaker.worked();
        assert_eq!((breaker.may_try(), breaker.failed()), (Ok(()), None));
    }
}
