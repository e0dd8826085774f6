//! How quickly an account may speak: what it may say is refilled by one message per `send_every`, up to a few that may come at
//! once; each waits a little longer than it must, since a machine's rhythm is what QQ looks for.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep};

/// Messages that may come at once.
const BURST: NonZeroU32 = NonZeroU32::new(3).expect("three is not zero");

/// One account's rate.
pub(super) struct Rate {
    limiter: Option<RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>>,
    clock: TokioClock,
    every: Duration,
}

/// tokio's time, so that tests can pause it.
#[derive(Debug, Clone)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Rate {
    /// Zero means as quickly as the other side takes it.
    pub(super) fn new(every: Duration) -> Self {
        let clock = TokioClock(Instant::now());
        let quota = Quota::with_period(every).map(|quota| quota.allow_burst(BURST));
        Self {
            limiter: quota.map(|quota| RateLimiter::direct_with_clock(quota, clock.clone())),
            clock,
            every,
        }
    }

    /// Waits until one more message may go out; where that is longer than `patience`, says at once how long.
    pub(super) async fn wait(&self, patience: Duration) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let until = Instant::now() + patience;
        while let Err(not_yet) = limiter.check() {
            let must = not_yet.wait_time_from(self.clock.now());
            let more = self.every.mul_f64(rand::random_range(0.0..0.2));
            if Instant::now() + must > until {
                return Err(must);
            }
            sleep(must + more).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_at_once_and_then_one_by_one() {
        let every = Duration::from_secs(2);
        let rate = Rate::new(every);
        let begun = Instant::now();
        for _ in 0..3 {
            rate.wait(every).await.expect("at once");
        }
        assert!(begun.elapsed() < Duration::from_millis(10));
        for _ in 0..5 {
            rate.wait(every).await.expect("soon");
        }
        let took = begun.elapsed();
        assert!(took >= every * 5 && took <= every * 6, "{took:?}");
        assert_eq!(Rate::new(Duration::ZERO).wait(Duration::ZERO).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_they_want() {
        let rate = Rate::new(Duration::from_secs(600));
        let begun = Instant::now();
        for _ in 0..3 {
            rate.wait(Duration::ZERO).await.expect("at once");
        }
        let left = rate.wait(Duration::from_secs(30)).await.expect_err("not for long");
        assert!(left > Duration::from_secs(500), "{left:?}");
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}
