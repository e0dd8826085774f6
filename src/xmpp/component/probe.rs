//! Pings to ourselves with nonces: when one is missing though the stream lives, another connection shares the domain with us
//! (ejabberd lets two connect and splits the traffic). They also keep the connection from falling silent. Pure but for the clock.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

/// Of two connections, each gets a ping with even odds; one of so many goes to the other almost surely.
const PINGS: u32 = 8;
const LIMIT: Duration = Duration::from_secs(10);

/// The pings under way.
#[derive(Debug, Default)]
pub(super) struct Probe {
    round: u32,
    missing: HashSet<String>,
    deadline: Option<Instant>,
}

/// What a round of pings showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All came back.
    Alone,
    /// Some went elsewhere.
    Shared,
}

impl Probe {
    /// Begins a round; gives the ids to ping with, or none while a round is under way.
    pub(super) fn begin(&mut self, nonce: &str, now: Instant) -> Vec<String> {
        if !self.missing.is_empty() {
            return Vec::new();
        }
        self.round += 1;
        let ids: Vec<_> = (0..PINGS).map(|n| format!("{nonce}p{}-{n}", self.round)).collect();
        self.missing = ids.iter().cloned().collect();
        self.deadline = Some(now + LIMIT);
        ids
    }

    /// A ping came back; the last one of a round decides it.
    pub(super) fn came_back(&mut self, id: &str) -> Option<Verdict> {
        if !self.missing.remove(id) || !self.missing.is_empty() {
            return None;
        }
        self.deadline = None;
        Some(Verdict::Alone)
    }

    /// When the round is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time is up.
    pub(super) fn expire(&mut self) -> Verdict {
        self.deadline = None;
        if std::mem::take(&mut self.missing).is_empty() {
            Verdict::Alone
        } else {
            Verdict::Shared
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_ping_tells() {
        let mut probe = Probe::default();
        let ids = probe.begin("n", Instant::now());
        assert!(probe.begin("n", Instant::now()).is_empty());
        let (last, others) = ids.split_last().unwrap();
        for id in others {
            assert_eq!(probe.came_back(id), None);
        }
        assert_eq!(probe.came_back(last), Some(Verdict::Alone));
        assert_eq!(probe.deadline(), None);
        let ids = probe.begin("n", Instant::now());
        for id in &ids[1..] {
            assert_eq!(probe.came_back(id), None);
        }
        assert_eq!(probe.expire(), Verdict::Shared);
        assert_eq!(probe.came_back(&ids[0]), None);
    }
}
