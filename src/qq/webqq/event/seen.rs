//! What was seen lately, per place: the service repeats itself.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::{Mark, Place};

/// See the module.
#[derive(Debug, Default)]
pub(in crate::qq::webqq) struct Seen {
    places: HashMap<Place, Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    marks: HashSet<Mark>,
    order: VecDeque<(Instant, Mark)>,
}

impl Seen {
    /// Kept per place whatever their age, and at most.
    const KEPT: [usize; 2] = [200, 5000];
    const AGE: Duration = Duration::from_secs(600);
    const PLACES_MAX: usize = 2000;

    /// Whether this is the first time; `now` is when it came. What tells neither id nor time is always new.
    pub(in crate::qq::webqq) fn is_new(&mut self, place: Place, mark: Mark, now: Instant) -> bool {
        if mark.msg_id == 0 && mark.msg_id2.is_none() && mark.time == 0 {
            return true;
        }
        self.make_room(place, now);
        let recent = self.places.entry(place).or_default();
        if !recent.marks.insert(mark) {
            return false;
        }
        recent.order.push_back((now, mark));
        while let Some((at, mark)) = recent.order.front() {
            let [kept, most] = Self::KEPT;
            let spare = recent.order.len() > most || (recent.order.len() > kept && now - *at > Self::AGE);
            if !spare {
                break;
            }
            recent.marks.remove(mark);
            recent.order.pop_front();
        }
        true
    }

    fn make_room(&mut self, place: Place, now: Instant) {
        if self.places.len() < Self::PLACES_MAX || self.places.contains_key(&place) {
            return;
        }
        self.places
            .retain(|_, recent| recent.order.back().is_some_and(|(at, _)| now - *at < Self::AGE));
        if self.places.len() >= Self::PLACES_MAX {
            // Nobody has so many chats at once: made up, and not worth more memory.
            self.places.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(msg_id: u64) -> Mark {
        Mark {
            sender: 7,
            msg_id,
            msg_id2: None,
            time: 10,
        }
    }

    #[test]
    fn repeats_are_known_for_ten_minutes_and_two_hundred_messages() {
        let now = Instant::now();
        let mut seen = Seen::default();
        let place = Place::Group(1);
        assert!(seen.is_new(place, mark(1), now));
        assert!(!seen.is_new(place, mark(1), now));
        assert!(seen.is_new(Place::Group(2), mark(1), now));
        let now = now + Duration::from_secs(660);
        for id in 2..=200 {
            assert!(seen.is_new(place, mark(id), now));
        }
        assert!(!seen.is_new(place, mark(1), now));
        assert!(seen.is_new(place, mark(201), now));
        assert!(seen.is_new(place, mark(1), now));
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let now = Instant::now();
        let mut seen = Seen::default();
        let place = Place::Group(1);
        let first = mark(1);
        assert!(seen.is_new(place, first, now));
        for other in [
            Mark { sender: 8, ..first },
            Mark {
                msg_id2: Some(5),
                ..first
            },
            Mark { time: 11, ..first },
        ] {
            assert!(seen.is_new(place, other, now), "{other:?}");
            assert!(!seen.is_new(place, other, now), "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_new_and_places_are_bounded() {
        let now = Instant::now();
        let mut seen = Seen::default();
        let nameless = Mark { time: 0, ..mark(0) };
        assert!(seen.is_new(Place::Group(1), nameless, now));
        assert!(seen.is_new(Place::Group(1), nameless, now));
        for place in 0..10_000 {
            seen.is_new(Place::Friend(place), mark(1), now);
        }
        assert!(seen.places.len() <= Seen::PLACES_MAX);
    }
}
