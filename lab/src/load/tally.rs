//! Counting by signs: how often a text stands in a stream of bytes, however the network cut it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::bail;
use memchr::memmem::Finder;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Counts one text in one stream.
#[derive(Debug)]
pub struct Marks {
    finder: Finder<'static>,
    /// The end of what was read, one byte too short to hold the text.
    tail: Vec<u8>,
}

impl Marks {
    /// For this text.
    pub fn new(text: &'static str) -> Self {
        Self {
            finder: Finder::new(text),
            tail: Vec::with_capacity(2 * text.len()),
        }
    }

    /// How often the text ends in these bytes.
    pub fn count(&mut self, bytes: &[u8]) -> u64 {
        let keep = self.finder.needle().len() - 1;
        // What stands across the cut: the rest of before, and as much of now.
        let head = bytes.len().min(keep);
        self.tail.extend_from_slice(&bytes[..head]);
        let mut found = self.finder.find_iter(&self.tail).count();
        if bytes.len() > keep {
            found += self.finder.find_iter(bytes).count();
            self.tail.clear();
            self.tail.extend_from_slice(&bytes[bytes.len() - keep..]);
        } else {
            let old = self.tail.len().saturating_sub(keep);
            self.tail.drain(..old);
        }
        u64::try_from(found).unwrap_or(u64::MAX)
    }
}

/// A sum of many counters, and somebody who waits for it.
#[derive(Debug)]
pub struct Tally {
    total: AtomicU64,
    wanted: AtomicU64,
    reached: Notify,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            total: AtomicU64::new(0),
            wanted: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
        }
    }
}

impl Tally {
    /// So many more.
    pub fn add(&self, count: u64) {
        let total = self.total.fetch_add(count, Ordering::SeqCst) + count;
        if total >= self.wanted.load(Ordering::SeqCst) {
            self.reached.notify_one();
        }
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::SeqCst)
    }

    /// Waits until there are so many. One waits at a time.
    pub async fn reach(&self, wanted: u64, limit: Duration) -> anyhow::Result<()> {
        self.wanted.store(wanted, Ordering::SeqCst);
        let end = Instant::now() + limit;
        while self.total() < wanted {
            if timeout_at(end, self.reached.notified()).await.is_err() {
                bail!("{} of {wanted} arrived within {limit:?}", self.total());
            }
        }
        self.wanted.store(u64::MAX, Ordering::SeqCst);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_across_every_cut() {
        let text = b"<a></m><</m></m>x</m";
        for size in 1..text.len() {
            let mut marks = Marks::new("</m>");
            let found: u64 = text.chunks(size).map(|chunk| marks.count(chunk)).sum();
            assert_eq!(found, 3, "chunks of {size}");
            assert_eq!(marks.count(b">"), 1);
        }
    }

    #[tokio::test]
    async fn a_sum_is_waited_for() {
        let tally = Tally::default();
        tally.add(2);
        tally.reach(2, Duration::from_secs(1)).await.expect("it is there");
        let (reached, ()) = tokio::join!(tally.reach(5, Duration::from_secs(5)), async { tally.add(3) });
        reached.expect("it comes");
        assert!(tally.reach(6, Duration::from_millis(10)).await.is_err());
    }
}
