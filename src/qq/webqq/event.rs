//! Poll events as values, in the order in which they happened, each once. Pure.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::wire::{number, text};
use crate::qq::text::clean_name;

/// More events than any real answer holds.
const BATCH_MAX: usize = 2000;

/// What a poll told. Kinds that nothing is done about do not appear.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// Somebody said something.
    Said(Said),
    /// The session was ended by the service; its words.
    Kicked(String),
}

/// Something said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub(super) place: Place,
    /// The temporary id of who said it.
    pub(super) sender: u64,
    pub(super) msg_id: u64,
    /// 2013 only.
    pub(super) msg_id2: Option<u64>,
    /// Unix seconds; 0 when not told.
    pub(super) time: i64,
    pub(super) content: Value,
}

/// Where it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In a group, by its gid.
    Group(u64),
    /// In a discussion, by its did.
    Discussion(u64),
    /// By a friend, alone with us.
    Friend(u64),
    /// By somebody who shares a group with us, alone with us.
    Session(u64),
}

/// Reads an answer's events. The service sends them newest first.
pub(super) fn read(events: &[Value]) -> Vec<Event> {
    let mut read: Vec<(i64, Event)> = Vec::new();
    let mut latest = i64::MIN;
    for event in events.iter().take(BATCH_MAX).rev().filter_map(read_one) {
        // What tells no time stays behind what stood before it.
        if let Event::Said(said) = &event
            && said.time > 0
        {
            latest = said.time;
        }
        read.push((latest, event));
    }
    read.sort_by_key(|(time, _)| *time);
    read.into_iter().map(|(_, event)| event).collect()
}

fn read_one(event: &Value) -> Option<Event> {
    let value = &event["value"];
    let from = || number(&value["from_uin"]);
    let sender = || number(&value["send_uin"]);
    let (place, sender) = match text(&event["poll_type"]) {
        "group_message" => (Place::Group(from()?), sender()?),
        "discu_message" => (Place::Discussion(number(&value["did"]).or_else(from)?), sender()?),
        "message" => (Place::Friend(from()?), from()?),
        "sess_message" => (Place::Session(from()?), from()?),
        "kick_message" => return Some(Event::Kicked(clean_name(text(&value["reason"])))),
        _ => return None,
    };
    Some(Event::Said(Said {
        place,
        sender,
        msg_id: number(&value["msg_id"]).unwrap_or(0),
        msg_id2: number(&value["msg_id2"]),
        time: number(&value["time"]).and_then(|t| i64::try_from(t).ok()).unwrap_or(0),
        content: value["content"].clone(),
    }))
}

type Key = (u64, u64, Option<u64>, i64);

/// What was seen lately, per place: the service repeats itself.
#[derive(Debug, Default)]
pub(super) struct Seen {
    places: HashMap<Place, Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    keys: HashSet<Key>,
    order: VecDeque<(Instant, Key)>,
}

impl Seen {
    /// Kept per place whatever their age, and at most.
    const KEPT: [usize; 2] = [200, 5000];
    const AGE: Duration = Duration::from_secs(600);
    const PLACES_MAX: usize = 2000;

    /// Whether this is the first time; `now` is when it came.
    pub(super) fn is_new(&mut self, said: &Said, now: Instant) -> bool {
        if self.places.len() >= Self::PLACES_MAX && !self.places.contains_key(&said.place) {
            self.places
                .retain(|_, recent| recent.order.back().is_some_and(|(at, _)| now - *at < Self::AGE));
        }
        let recent = self.places.entry(said.place).or_default();
        let key = (said.sender, said.msg_id, said.msg_id2, said.time);
        if !recent.keys.insert(key) {
            return false;
        }
        recent.order.push_back((now, key));
        while let Some((at, key)) = recent.order.front() {
            let [kept, most] = Self::KEPT;
            let spare = recent.order.len() > most || (recent.order.len() > kept && now - *at > Self::AGE);
            if !spare {
                break;
            }
            recent.keys.remove(key);
            recent.order.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn group(msg_id: u64, time: i64) -> Value {
        json!({"poll_type": "group_message", "value": {"msg_id": msg_id, "from_uin": 2_559_000_001_u64, "to_uin": 123_456_789,
            "group_code": 2_559_000_001_u64, "msg_type": 4, "send_uin": 2_440_000_005_u64, "time": time, "content": [["font", {}], "大家好"]}})
    }

    fn ids(events: &[Event]) -> Vec<u64> {
        let ids = events.iter().map(|event| match event {
            Event::Said(said) => said.msg_id,
            Event::Kicked(_) => 0,
        });
        ids.collect()
    }

    #[test]
    fn newest_first_becomes_oldest_first_and_equal_times_keep_their_order() {
        assert_eq!(
            ids(&read(&[group(4, 30), group(3, 20), group(2, 20), group(1, 10)])),
            [1, 2, 3, 4]
        );
        // Also when the service mixes them.
        assert_eq!(ids(&read(&[group(1, 10), group(3, 20), group(2, 20)])), [1, 2, 3]);
    }

    #[test]
    fn a_kick_stays_behind_what_came_before_it() {
        let kick = json!({"poll_type": "kick_message", "value": {"way": "poll", "show_reason": 1, "reason": "您的帐号在另一地点登录"}});
        let events = read(&[kick, group(2, 20), group(1, 10)]);
        assert_eq!(ids(&events), [1, 2, 0]);
        assert_eq!(events[2], Event::Kicked("您的帐号在另一地点登录".into()));
    }

    #[test]
    fn kinds() {
        let said = |event: Value| match read(&[event]).pop() {
            Some(Event::Said(said)) => Some((said.place, said.sender)),
            _ => None,
        };
        let friend = json!({"poll_type": "message", "value": {"from_uin": 3_570_340_001_u64, "msg_id": 5, "time": 1, "content": []}});
        assert_eq!(said(friend), Some((Place::Friend(3_570_340_001), 3_570_340_001)));
        let discussion = json!({"poll_type": "discu_message", "value": {"from_uin": 10000, "did": 2_006_000_004_u64, "send_uin": 7}});
        assert_eq!(said(discussion), Some((Place::Discussion(2_006_000_004), 7)));
        let session = json!({"poll_type": "sess_message", "value": {"from_uin": "8", "id": 1}});
        assert_eq!(said(session), Some((Place::Session(8), 8)));
        for other in [
            json!({"poll_type": "buddies_status_change", "value": {"uin": 1}}),
            json!({"poll_type": "no such thing", "value": 5}),
            json!({"poll_type": "group_message"}),
            json!({"poll_type": 5}),
            json!(null),
            json!([]),
        ] {
            assert_eq!(read(std::slice::from_ref(&other)), [], "{other}");
        }
    }

    #[test]
    fn repeats_are_known_for_ten_minutes_and_two_hundred_messages() {
        let now = Instant::now();
        let mut seen = Seen::default();
        let mut said = match read(&[group(1, 10)]).pop() {
            Some(Event::Said(said)) => said,
            other => panic!("{other:?}"),
        };
        assert!(seen.is_new(&said, now));
        assert!(!seen.is_new(&said, now));
        let now = now + Duration::from_secs(660);
        for id in 2..=200 {
            said.msg_id = id;
            assert!(seen.is_new(&said, now));
        }
        said.msg_id = 1;
        assert!(!seen.is_new(&said, now));
        said.msg_id = 201;
        assert!(seen.is_new(&said, now));
        said.msg_id = 1;
        assert!(seen.is_new(&said, now));
    }
}
