//! The time that a room is told: it goes on whatever somebody does to the system's clock, since waits and paces are counted by it.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::Timestamp;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    /// Agrees with the system's clock at this moment.
    pub(super) fn start() -> Self {
        Self {
            start: Timestamp::now(),
            since: Instant::now(),
        }
    }

    /// Now.
    pub(super) fn now(self) -> Timestamp {
        self.start.plus(self.since.elapsed())
    }

    /// Waits until then; for ever without a time.
    pub(super) async fn at(self, time: Option<Timestamp>) {
        match time {
            Some(time) => {
                let wait = time.since(self.start);
                // The clock counts whole milliseconds.
                tokio::time::sleep_until(self.since + wait + Duration::from_millis(1)).await;
            }
            None => std::future::pending().await,
        }
    }
}
