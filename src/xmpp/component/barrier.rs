//! The barrier: a ping from our domain to itself. It comes back behind everything that was written before it, and behind every
//! local bounce of that, so it proves that the server has taken it all.
//!
//! ```text
//!            written, awaited            ping written
//! Idle ─────────────────────► Waiting ───────────────► In flight ──came back──► Idle, or Waiting for what came meanwhile
//! ```
//!
//! One is in flight at a time. It also counts what the server may still have before it: more than a [`WINDOW`] is not written ahead,
//! or a big room would fill the kernel's buffers for seconds and every other room would stand behind it. Pure but for the clock.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// A barrier that is longer under way means that the stream is lost.
const LIMIT: Duration = Duration::from_secs(10);
/// While stanzas keep coming, a barrier goes out behind this many …
const STANZAS: usize = 256;
/// … or after this long.
const AGE: Duration = Duration::from_millis(50);
/// Stanzas written ahead of what the server has certainly taken. A few barriers' worth, so that it never runs dry while one
/// comes back; a fifth of a second's work of a slow server.
const WINDOW: usize = 4 * STANZAS;

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Barrier {
    waiting: Vec<oneshot::Sender<()>>,
    waiting_since: Option<Instant>,
    stanzas: usize,
    flight: Option<Flight>,
    count: u64,
}

#[derive(Debug)]
struct Flight {
    id: String,
    deadline: Instant,
    receipts: Vec<oneshot::Sender<()>>,
    /// Written before it.
    stanzas: usize,
}

impl Barrier {
    /// Stanzas went into the buffer.
    pub(super) fn wrote(&mut self, stanzas: usize) {
        self.stanzas += stanzas;
    }

    /// Somebody waits for what went into the buffer so far.
    pub(super) fn awaited(&mut self, receipt: oneshot::Sender<()>, now: Instant) {
        self.waiting.push(receipt);
        self.waiting_since.get_or_insert(now);
    }

    /// Nothing more is to be written before the barrier under way is back.
    pub(super) fn is_full(&self) -> bool {
        self.stanzas + self.flight.as_ref().map_or(0, |flight| flight.stanzas) >= WINDOW
    }

    /// The id of a barrier that is to go into the buffer now. `more` says that further stanzas are at hand.
    pub(super) fn due(&mut self, nonce: &str, more: bool, now: Instant) -> Option<String> {
        if self.flight.is_some() {
            return None;
        }
        let awaited = self
            .waiting_since
            .is_some_and(|since| !more || now.duration_since(since) >= AGE);
        if !awaited && self.stanzas < STANZAS {
            return None;
        }
        self.count += 1;
        let id = format!("{nonce}b{}", self.count);
        self.flight = Some(Flight {
            id: id.clone(),
            deadline: now + LIMIT,
            receipts: std::mem::take(&mut self.waiting),
            stanzas: std::mem::take(&mut self.stanzas),
        });
        self.waiting_since = None;
        Some(id)
    }

    /// A ping came back: true when it was the barrier; then everybody behind it knows.
    pub(super) fn came_back(&mut self, id: &str) -> bool {
        let Some(flight) = self.flight.take_if(|flight| flight.id == id) else {
            return false;
        };
        for receipt in flight.receipts {
            // Who does not wait any more does not mind.
            let _ = receipt.send(());
        }
        true
    }

    /// When the barrier under way is lost.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.flight.as_ref().map(|flight| flight.deadline)
    }

    /// Nobody waits for anything.
    pub(super) fn is_idle(&self) -> bool {
        self.flight.is_none() && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_flight_closes_what_was_written_before_it() {
        let mut barrier = Barrier::default();
        let now = Instant::now();
        assert_eq!(barrier.due("n", false, now), None);
        let (first, mut first_rx) = oneshot::channel();
        barrier.awaited(first, now);
        assert_eq!(barrier.due("n", false, now).as_deref(), Some("nb1"));
        let (second, mut second_rx) = oneshot::channel();
        barrier.awaited(second, now);
        assert_eq!(barrier.due("n", false, now), None);
        assert!(!barrier.came_back("nb2"));
        assert!(barrier.came_back("nb1"));
        assert_eq!(first_rx.try_recv(), Ok(()));
        assert!(second_rx.try_recv().is_err());
        assert_eq!(barrier.due("n", false, now).as_deref(), Some("nb2"));
        assert!(barrier.came_back("nb2"));
        assert_eq!(second_rx.try_recv(), Ok(()));
        assert!(barrier.is_idle());
    }

    #[test]
    fn a_steady_stream_gets_one_per_256_stanzas_or_50_ms() {
        let mut barrier = Barrier::default();
        let now = Instant::now();
        barrier.wrote(255);
        barrier.awaited(oneshot::channel().0, now);
        assert_eq!(barrier.due("n", true, now), None);
        assert!(barrier.due("n", true, now + AGE).is_some());
        barrier.came_back("nb1");
        barrier.wrote(256);
        barrier.awaited(oneshot::channel().0, now);
        assert!(barrier.due("n", true, now).is_some());
        assert_eq!(barrier.deadline(), Some(now + LIMIT));
    }

    #[test]
    fn no_more_is_written_ahead_than_a_window() {
        let mut barrier = Barrier::default();
        let now = Instant::now();
        barrier.wrote(STANZAS);
        // Nobody waits for it; it measures.
        assert_eq!(barrier.due("n", true, now).as_deref(), Some("nb1"));
        barrier.wrote(WINDOW - STANZAS - 1);
        assert!(!barrier.is_full());
        barrier.wrote(1);
        assert!(barrier.is_full());
        assert!(barrier.came_back("nb1"));
        assert!(!barrier.is_full());
        assert_eq!(barrier.due("n", true, now).as_deref(), Some("nb2"));
        barrier.wrote(STANZAS);
        assert!(barrier.is_full());
    }
}
