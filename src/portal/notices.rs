//! When the gateway itself says a line in the room: late and seldom, so that a flapping connection does not talk.

use std::time::Duration;

use tokio::time::Instant;

use super::words::{Line, Muted};

/// An outage shorter than this is nobody's business.
const OUTAGE_WORTH_A_LINE: Duration = Duration::from_secs(30);
/// At most one summary of failed messages in this time.
const SUMMARY_EVERY: Duration = Duration::from_secs(30);

/// Ends of a mute that are no further apart are the same: QQ tells how long it still lasts.
const SAME_END: Duration = Duration::from_secs(60);
/// QQ mutes for a month at most; what is longer has no end.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What is to be said, and when.
#[derive(Debug, Default)]
pub(super) struct Notices {
    outage: Option<Outage>,
    failed: usize,
    last_why: String,
    next_summary: Option<Instant>,
    mutes: Vec<Mute>,
}

/// Who may not speak.
#[derive(Debug)]
struct Mute {
    which: Muted,
    /// Until when; nothing: they may speak.
    end: Option<End>,
    said: Option<End>,
    next: Option<Instant>,
}

/// The end of a mute.
#[derive(Debug, Clone, Copy)]
enum End {
    At(Instant),
    Untold,
}

impl End {
    fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::At(a), Self::At(b)) => a.max(b) - a.min(b) < SAME_END,
            (Self::Untold, Self::Untold) => true,
            (Self::At(_), Self::Untold) | (Self::Untold, Self::At(_)) => false,
        }
    }
}

impl Mute {
    fn is_news(&self) -> bool {
        match (self.end, self.said) {
            (Some(end), Some(said)) => !end.is_like(said),
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        }
    }

    fn line(&self, now: Instant) -> Line {
        let time = match self.end {
            None => Some(Duration::ZERO),
            // One that is over by now was still a mute.
            Some(End::At(at)) => Some(at.saturating_duration_since(now).max(Duration::from_secs(1))),
            Some(End::Untold) => None,
        };
        Line::Muted(self.which, time)
    }
}

#[derive(Debug)]
struct Outage {
    why: String,
    since: Instant,
    said: bool,
}

impl Notices {
    /// The session cannot hear or speak. Only the first report of an outage counts for its time.
    pub(super) fn offline(&mut self, why: String) {
        match &mut self.outage {
            Some(outage) => outage.why = why,
            None => {
                self.outage = Some(Outage {
                    why,
                    since: Instant::now(),
                    said: false,
                });
            }
        }
    }

    /// The session hears and speaks again: a line, if the outage had one.
    pub(super) fn online(&mut self) -> Option<Line> {
        self.outage.take().filter(|outage| outage.said).map(|_| Line::Online)
    }

    /// A message did not reach QQ; its author was told, the room gets a summary.
    pub(super) fn not_sent(&mut self, why: &str) {
        self.failed += 1;
        why.clone_into(&mut self.last_why);
    }

    /// Whether a summary of failed messages would be said now.
    pub(super) fn may_sum_up(&self) -> bool {
        self.next_summary.is_none_or(|at| Instant::now() >= at)
    }

    /// Somebody may not speak for so long; zero: they may again. What changes to and fro between two lines is not told.
    pub(super) fn muted(&mut self, which: Muted, duration: Duration) {
        let end = match Instant::now().checked_add(duration) {
            _ if duration.is_zero() => None,
            Some(at) if duration < FOR_EVER => Some(End::At(at)),
            _ => Some(End::Untold),
        };
        match self.mutes.iter_mut().find(|mute| mute.which == which) {
            Some(mute) => mute.end = end,
            None => self.mutes.push(Mute {
                which,
                end,
                said: None,
                next: None,
            }),
        }
    }

    /// The lines whose time has come.
    pub(super) fn due(&mut self) -> Vec<Line> {
        let now = Instant::now();
        let mut lines = Vec::new();
        if let Some(outage) = &mut self.outage
            && !outage.said
            && now >= outage.since + OUTAGE_WORTH_A_LINE
        {
            outage.said = true;
            lines.push(Line::Offline(outage.why.clone()));
        }
        if self.failed > 0 && self.next_summary.is_none_or(|at| now >= at) {
            self.next_summary = Some(now + SUMMARY_EVERY);
            lines.push(Line::NotSent(std::mem::take(&mut self.failed), self.last_why.clone()));
        }
        for mute in &mut self.mutes {
            if mute.is_news() && mute.next.is_none_or(|at| now >= at) {
                lines.push(mute.line(now));
                mute.said = mute.end;
                mute.next = Some(now + SUMMARY_EVERY);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_short_outage_says_nothing_and_a_long_one_two_lines() {
        let mut notices = Notices::default();
        notices.offline("short".into());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(notices.due(), []);
        assert_eq!(notices.online(), None);

        notices.offline("long".into());
        tokio::time::advance(Duration::from_secs(31)).await;
        assert_eq!(notices.due(), [Line::Offline("long".into())]);
        assert_eq!(notices.due(), []);
        assert_eq!(notices.online(), Some(Line::Online));
    }

    #[tokio::test(start_paused = true)]
    async fn mutes_are_told_and_flapping_is_not() {
        let own = Muted {
            group: None,
            everybody: false,
        };
        let ten_minutes = Duration::from_secs(600);
        let mut notices = Notices::default();
        notices.muted(own, Duration::ZERO);
        assert_eq!(notices.due(), []);
        notices.muted(own, ten_minutes);
        assert_eq!(notices.due(), [Line::Muted(own, Some(ten_minutes))]);
        notices.muted(own, Duration::ZERO);
        notices.muted(own, ten_minutes);
        tokio::time::advance(SUMMARY_EVERY).await;
        assert_eq!(notices.due(), []);
        notices.muted(own, Duration::ZERO);
        assert_eq!(notices.due(), [Line::Muted(own, Some(Duration::ZERO))]);
        notices.muted(own, Duration::MAX);
        assert_eq!(notices.due(), []);
        tokio::time::advance(SUMMARY_EVERY).await;
        assert_eq!(notices.due(), [Line::Muted(own, None)]);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_summed_up() {
        let mut notices = Notices::default();
        notices.not_sent("a");
        assert_eq!(notices.due(), [Line::NotSent(1, "a".into())]);
        notices.not_sent("b");
        notices.not_sent("c");
        assert_eq!(notices.due(), []);
        tokio::time::advance(SUMMARY_EVERY).await;
        assert_eq!(notices.due(), [Line::NotSent(2, "c".into())]);
    }
}
