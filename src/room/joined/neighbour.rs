//! What all joined rooms of one server have in common: how quickly it is spoken to, and whether it can be reached. Other people's
//! servers throw out who floods them, and who knocks on each of their doors while the house is dark.
//!
//! Shared by the portals of those rooms; every call is short and told the time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::pace::Pace;
use crate::model::Timestamp;

/// Visitors who enter at once, and then two a second.
const JOIN_EVERY: Duration = Duration::from_millis(500);
const JOIN_BURST: u32 = 30;
/// Messages over all rooms of the server at once, and then twenty a second.
const SAY_EVERY: Duration = Duration::from_millis(50);
const SAY_BURST: u32 = 60;
/// Waits between two looks at a server that cannot be reached: the first, doubled up to the longest.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);

/// One server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Neighbour(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    joins: Pace,
    words: Pace,
    reach: Mutex<Reach>,
}

#[derive(Debug, Default)]
struct Reach {
    failures: u32,
    next: Option<Timestamp>,
    /// Somebody looks, and what comes of it is not known.
    looking: bool,
}

impl Default for Neighbour {
    fn default() -> Self {
        Self(Arc::new(Inner {
            joins: Pace::new(JOIN_EVERY, JOIN_BURST),
            words: Pace::new(SAY_EVERY, SAY_BURST),
            reach: Mutex::default(),
        }))
    }
}

impl Neighbour {
    /// One more visitor may enter one of its rooms, or when.
    pub(super) fn may_join(&self, now: Timestamp) -> Result<(), Timestamp> {
        self.0.joins.take(now)
    }

    /// One more message may go to one of its rooms, or when.
    pub(super) fn may_say(&self, now: Timestamp) -> Result<(), Timestamp> {
        self.0.words.take(now)
    }

    /// One look at whether it can be reached, or when the next is due. While it cannot, one room looks for all of them.
    pub(super) fn may_knock(&self, now: Timestamp) -> Result<(), Timestamp> {
        let mut reach = self.reach();
        match reach.next {
            Some(next) if now < next => Err(next),
            Some(_) => {
                reach.next = Some(now.plus(wait(reach.failures)));
                reach.looking = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// When the next look is due.
    pub(super) fn next_knock(&self, now: Timestamp) -> Timestamp {
        self.reach().next.unwrap_or(now).max(now)
    }

    /// It did not answer. Several rooms that notice the same failure count once.
    pub(super) fn unreachable(&self, now: Timestamp) {
        let mut reach = self.reach();
        let looking = std::mem::take(&mut reach.looking);
        if !looking && reach.next.is_some_and(|next| now < next) {
            return;
        }
        reach.failures = reach.failures.saturating_add(1);
        reach.next = Some(now.plus(wait(reach.failures)));
    }

    /// It answered.
    pub(super) fn reached(&self) {
        *self.reach() = Reach::default();
    }

    fn reach(&self) -> MutexGuard<'_, Reach> {
        self.0.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(failures: u32) -> Duration {
    FIRST
        .saturating_mul(1 << failures.saturating_sub(1).min(10))
        .min(LONGEST)
}

/// All servers with joined rooms, by domain. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Neighbours(Arc<Mutex<HashMap<String, Neighbour>>>);

impl Neighbours {
    /// The server of a domain.
    pub fn of(&self, domain: &str) -> Neighbour {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(domain.to_owned()).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_answers_is_looked_at_ever_less() {
        let neighbour = Neighbour::default();
        let mut now = Timestamp(1_000_000);
        let mut looks = 0;
        while looks < 20 {
            match neighbour.may_knock(now) {
                Ok(()) => {
                    looks += 1;
                    now = now.plus(Duration::from_secs(30));
                    neighbour.unreachable(now);
                }
                Err(when) => now = when,
            }
        }
        assert!(now.since(Timestamp(1_000_000)) > LONGEST * 10, "{now:?}");
    }

    #[test]
    fn one_room_knocks_for_all() {
        let neighbours = Neighbours::default();
        let (one, other) = (neighbours.of("c.ex"), neighbours.of("c.ex"));
        let at = |s: u64| Timestamp(1_000_000).plus(Duration::from_secs(s));
        assert_eq!(one.may_knock(at(0)), Ok(()));
        one.unreachable(at(0));
        other.unreachable(at(0));
        assert_eq!(other.may_knock(at(1)), Err(at(2)));
        assert_eq!(one.may_knock(at(2)), Ok(()));
        assert_eq!(other.may_knock(at(2)), Err(at(4)));
        one.unreachable(at(5));
        assert_eq!(one.may_knock(at(6)), Err(at(9)));
        other.reached();
        assert_eq!(one.may_knock(at(6)), Ok(()));
        assert!(neighbours.of("d.ex").may_knock(at(6)).is_ok());
    }
}
