//! How much is heard: an account that is usually busy and fell silent may have lost its login without anybody saying so.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::session::lock;

/// So many events within [`BUSY_TIME`] make an account a busy one.
const BUSY: usize = 60;
const BUSY_TIME: Duration = Duration::from_secs(3600);

/// When the last events came.
#[derive(Debug, Default)]
pub(super) struct Activity(Mutex<VecDeque<Instant>>);

impl Activity {
    /// An event of a group came.
    pub(super) fn heard(&self) {
        let mut times = lock(&self.0);
        if times.len() == BUSY {
            times.pop_front();
        }
        times.push_back(Instant::now());
    }

    /// A new link begins: what was before says nothing of it.
    pub(super) fn forget(&self) {
        lock(&self.0).clear();
    }

    /// For how long a busy account has been silent; nothing for one that is not busy.
    pub(super) fn silence(&self) -> Option<Duration> {
        let times = lock(&self.0);
        let (first, last) = (times.front()?, times.back()?);
        let busy = times.len() == BUSY && *last - *first < BUSY_TIME;
        busy.then(|| last.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_busy_account_is_suspiciously_silent() {
        let activity = Activity::default();
        for _ in 0..BUSY - 1 {
            activity.heard();
        }
        assert_eq!(activity.silence(), None);
        activity.heard();
        tokio::time::advance(BUSY_TIME).await;
        assert_eq!(activity.silence(), Some(BUSY_TIME));
        activity.heard();
        assert_eq!(activity.silence(), None);
    }
}
