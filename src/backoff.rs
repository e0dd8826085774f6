//! The waits of a loop that tries to get back: exponential, capped, jittered. Owned by the loop that waits; knows nothing of
//! what is tried, and does not sleep itself.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Waits that double from `first` to `cap`. Each is drawn from its upper half, so that many loops do not march in step.
#[derive(Debug)]
pub struct Backoff {
    builder: ExponentialBuilder,
    waits: ExponentialBackoff,
    cap: Duration,
}

impl Backoff {
    /// The first wait lies between half of `first` and `first`; none is longer than `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        // The builder's jitter adds up to the delay itself: half of each bound makes the sum keep to it.
        let builder = ExponentialBuilder::new()
            .with_factor(2.0)
            .with_min_delay(first.min(cap) / 2)
            .with_max_delay(cap / 2)
            .without_max_times()
            .with_jitter();
        Self {
            builder,
            waits: builder.build(),
            cap,
        }
    }

    /// How long to wait before the next try.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends, so an Option would be a lie"
    )]
    pub fn next(&mut self) -> Duration {
        self.waits.next().unwrap_or(self.cap).min(self.cap)
    }

    /// It worked: the next wait is the first again.
    pub fn reset(&mut self) {
        self.waits = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_the_cap_and_begins_again() {
        let (first, cap) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut backoff = Backoff::new(first, cap);
        let mut bound = first;
        for _ in 0..12 {
            let wait = backoff.next();
            assert!(wait >= bound / 2 && wait <= bound, "{wait:?} is not within {bound:?}");
            bound = (bound * 2).min(cap);
        }
        backoff.reset();
        assert!(backoff.next() <= first);
    }
}
