//! How quickly something may be done, by a clock that is told the time: rooms are values in, values out.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::model::Timestamp;

/// One bucket: refilled by one each `every`, up to `burst`.
#[derive(Debug)]
pub(super) struct Pace {
    limiter: RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Nanos>>,
    clock: Told,
}

/// The latest time that was told.
#[derive(Debug, Clone, Default)]
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

impl Pace {
    /// A full bucket. `every` is not zero.
    pub(super) fn new(every: Duration, burst: u32) -> Self {
        let clock = Told::default();
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(every.max(Duration::from_millis(1))).expect("a period that is not zero");
        Self {
            limiter: RateLimiter::direct_with_clock(quota.allow_burst(burst), clock.clone()),
            clock,
        }
    }

    /// Takes one, or says when there is one.
    pub(super) fn take(&self, now: Timestamp) -> Result<(), Timestamp> {
        let told = u64::try_from(now.0).unwrap_or(0).saturating_mul(1_000_000);
        self.clock.0.fetch_max(told, Ordering::Relaxed);
        self.limiter.check().map_err(|not_yet| {
            let wait = not_yet.wait_time_from(self.clock.now());
            // Whole milliseconds: a wait that is cut short would find the bucket as empty as before.
            now.plus(wait + Duration::from_millis(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_by_one() {
        let start = Timestamp(1_700_000_000_000);
        let pace = Pace::new(Duration::from_millis(200), 3);
        let at = |ms: u64| start.plus(Duration::from_millis(ms));
        for _ in 0..3 {
            assert_eq!(pace.take(at(0)), Ok(()));
        }
        let when = pace.take(at(0)).expect_err("the bucket is empty");
        assert!((at(200)..=at(202)).contains(&when), "{when:?}");
        assert_eq!(pace.take(when), Ok(()));
        assert!(pace.take(when).is_err());
        for _ in 0..3 {
            assert_eq!(pace.take(at(60_000)), Ok(()));
        }
        assert!(pace.take(at(60_000)).is_err());
        // A clock that goes back gives nothing away, and takes nothing.
        assert!(pace.take(at(0)).is_err());
    }
}
