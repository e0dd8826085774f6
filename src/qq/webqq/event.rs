//! Poll events as values, in the order in which they happened. Pure.

mod change;
mod notice;
mod seen;

use serde_json::Value;

pub(super) use change::{Change, What, Who};
pub(super) use notice::{Deed, Notice};
pub(super) use seen::Seen;

use super::wire::{number, text};
use crate::qq::text::clean_name;

/// More events than any real answer holds.
const BATCH_MAX: usize = 2000;

/// What a poll told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    /// By what a repetition is known.
    pub(super) place: Place,
    pub(super) mark: Mark,
    pub(super) kind: Kind,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Somebody said something.
    Said(Said),
    /// A group changed (2013).
    Changed(Change),
    /// Somebody did something towards the account.
    Noticed(Notice),
    /// The list of friends changed.
    Friends,
    /// The session was ended by the service; its words.
    Kicked(String),
    /// Nothing is done about it; its name.
    Other(String),
}

/// By what the service's repetitions are known, with [`Place`]. Of one login: the uins change with the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mark {
    /// The temporary id of who said it; 0 when not told.
    pub(super) sender: u64,
    pub(super) msg_id: u64,
    /// 2013 only.
    pub(super) msg_id2: Option<u64>,
    /// Unix seconds; 0 when not told.
    pub(super) time: i64,
}

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In a group, by its gid.
    Group(u64),
    /// In a discussion, by its did.
    Discussion(u64),
    /// By a friend, alone with us.
    Friend(u64),
    /// By somebody who shares a group or discussion with us, alone with us.
    Session(u64),
    /// To a group, by its gid.
    Change(u64),
    /// To the account, by this uin.
    Account(u64),
    /// A page that a group's members were shown, by gid.
    Page(u64),
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Said {
    /// The group's second temporary id (2013; later it is the gid again).
    pub(super) code: Option<u64>,
    /// Counts the group's messages (2013).
    pub(super) seq: Option<u64>,
    /// The group's real number, or a count of its changes (2013): nobody knows which.
    pub(super) info_seq: Option<u64>,
    /// Through which group or discussion a stranger speaks to us, and the stranger's real number.
    pub(super) through: Option<u64>,
    pub(super) number: Option<u64>,
    pub(super) content: Content,
}

/// What was said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// `content`.
    Array(Value),
    /// The XML of a `group_web_message`.
    Page(String),
}

impl Default for Content {
    fn default() -> Self {
        Self::Array(Value::Null)
    }
}

/// Reads an answer's events. The service sends them newest first.
pub(super) fn read(events: &[Value]) -> Vec<Event> {
    if events.len() > BATCH_MAX {
        tracing::warn!(
            events = events.len(),
            "QQ sent more events at once than can be; the rest is lost"
        );
    }
    let mut read: Vec<(i64, Event)> = Vec::new();
    let mut latest = i64::MIN;
    for event in events.iter().take(BATCH_MAX).rev().filter_map(read_one) {
        // What tells no time stays behind what stood before it.
        if event.mark.time > 0 {
            latest = event.mark.time;
        }
        read.push((latest, event));
    }
    read.sort_by_key(|(time, _)| *time);
    for second in read.chunk_by_mut(|(a, _), (b, _)| a == b) {
        by_counter(second);
    }
    read.into_iter().map(|(_, event)| event).collect()
}

/// Of one second, each group's messages in the order of its counter. They take each other's places; nothing else moves.
fn by_counter(second: &mut [(i64, Event)]) {
    let counted = |event: &Event| match &event.kind {
        Kind::Said(said) => said.seq.map(|seq| (event.place, seq)),
        _ => None,
    };
    // Few happen within a second; the first pass puts a group's smallest first, and so on.
    for at in 0..second.len() {
        let Some((place, mut least)) = counted(&second[at].1) else {
            continue;
        };
        let mut from = at;
        for (later, (_, event)) in second.iter().enumerate().skip(at + 1) {
            if let Some((other, seq)) = counted(event)
                && other == place
                && seq < least
            {
                (from, least) = (later, seq);
            }
        }
        // The others of the group keep their order by being looked at in their turn.
        second.swap(at, from);
    }
}

fn read_one(event: &Value) -> Option<Event> {
    let kind = text(&event["poll_type"]);
    if kind.is_empty() {
        return None;
    }
    // What lacks the least that it must have is counted, too.
    Some(known(kind, &event["value"]).unwrap_or_else(|| other(kind)))
}

fn known(kind: &str, value: &Value) -> Option<Event> {
    let from = number(&value["from_uin"]);
    let sender = number(&value["send_uin"]);
    let said = || Kind::Said(said(value));
    let (place, sender, read) = match kind {
        "group_message" => (Place::Group(from?), sender, said()),
        "discu_message" => (Place::Discussion(number(&value["did"]).or(from)?), sender, said()),
        "message" => (Place::Friend(from?), from, said()),
        "sess_message" => (Place::Session(from?), from, said()),
        "group_web_message" => (Place::Page(from?), sender, page(value)),
        "sys_g_msg" => {
            let change = change::read(value)?;
            let place = Place::Change(change.gid);
            (place, subject(&change), Kind::Changed(change))
        }
        "buddylist_change" => (Place::Account(0), None, Kind::Friends),
        "kick_message" => (Place::Account(0), None, Kind::Kicked(reason(value))),
        _ => {
            let notice = notice::read(kind, value)?;
            (Place::Account(notice.from.uin), from, Kind::Noticed(notice))
        }
    };
    let mark = Mark {
        sender: sender.unwrap_or(0),
        msg_id: number(&value["msg_id"]).or_else(|| number(&value["seq"])).unwrap_or(0),
        msg_id2: number(&value["msg_id2"]),
        time: number(&value["time"]).and_then(|t| i64::try_from(t).ok()).unwrap_or(0),
    };
    Some(Event {
        place,
        mark,
        kind: read,
    })
}

fn other(kind: &str) -> Event {
    Event {
        place: Place::Account(0),
        mark: Mark {
            sender: 0,
            msg_id: 0,
            msg_id2: None,
            time: 0,
        },
        kind: Kind::Other(clean_name(kind).chars().take(40).collect()),
    }
}

fn said(value: &Value) -> Said {
    Said {
        code: number(&value["group_code"]),
        seq: change::real(&value["seq"]),
        info_seq: number(&value["info_seq"]),
        through: number(&value["id"]),
        number: change::real(&value["ruin"]),
        content: Content::Array(value["content"].clone()),
    }
}

fn page(value: &Value) -> Kind {
    Kind::Said(Said {
        code: number(&value["group_code"]),
        content: Content::Page(text(&value["xml"]).to_owned()),
        ..Said::default()
    })
}

fn subject(change: &Change) -> Option<u64> {
    match &change.what {
        What::Joined(who) | What::Left { who, .. } | What::Asked(who, _) | What::Admin { who, .. } => Some(who.uin),
        What::Created | What::Dissolved | What::Denied(_) | What::Unknown(_) => None,
    }
}

/// The service's words for ending the session; none when it does not want them shown.
fn reason(value: &Value) -> String {
    if number(&value["show_reason"]) == Some(0) {
        return String::new();
    }
    clean_name(text(&value["reason"])).chars().take(300).collect()
}

#[cfg(test)]
mod tests;
