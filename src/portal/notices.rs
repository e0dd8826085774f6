//! When the gateway itself says a line in the room: late and seldom, so that a flapping connection does not talk.

use std::time::Duration;

use tokio::time::Instant;

use super::words::Line;

/// An outage shorter than this is nobody's business.
const OUTAGE_WORTH_A_LINE: Duration = Duration::from_secs(30);
/// At most one summary of failed messages in this time.
const SUMMARY_EVERY: Duration = Duration::from_secs(30);

/// What is to be said, and when.
#[derive(Debug, Default)]
pub(super) struct Notices {
    outage: Option<Outage>,
    failed: usize,
    last_why: String,
    next_summary: Option<Instant>,
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
