//! Events: what the other program tells, in neutral values, whichever dialect it speaks. Pure; reading never fails.

mod message;
mod notice;

use std::time::Duration;

use serde_json::Value;

pub(super) use message::{heard, role};

use super::field;
use crate::model::{GroupNumber, Handle, Media, Member, Part, Poke, QqNumber, Timestamp};

/// What an event says. Numbers are real QQ numbers; who or what is 0 on the wire is `None` here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// Somebody said something in a group; the account itself too.
    Heard(Heard),
    /// Somebody wrote to the account alone, or the account wrote to somebody.
    Private(Private),
    /// Somebody is new in a group.
    Increase {
        group: GroupNumber,
        user: QqNumber,
        /// Who let them in or invited them.
        by: Option<QqNumber>,
        /// The account itself is new there.
        me: bool,
    },
    /// Somebody left a group.
    Decrease {
        group: GroupNumber,
        user: QqNumber,
        /// Removed by somebody.
        kicked: bool,
        by: Option<QqNumber>,
        /// The account itself left or was removed.
        me: bool,
    },
    /// A group is no more.
    Dissolved { group: GroupNumber, by: Option<QqNumber> },
    /// A member has another name in the group; empty when they took it away.
    Card {
        group: GroupNumber,
        user: QqNumber,
        card: String,
    },
    /// A member became an administrator, or is one no longer.
    Admin {
        group: GroupNumber,
        user: QqNumber,
        set: bool,
    },
    /// A member, or the whole group (`None`), may not speak for so long: zero lifts it, `Duration::MAX` where no end is told.
    Muted {
        group: GroupNumber,
        user: Option<QqNumber>,
        duration: Duration,
        by: Option<QqNumber>,
    },
    /// A group has a new name. Never empty.
    GroupName {
        group: GroupNumber,
        name: String,
        by: Option<QqNumber>,
    },
    /// A message was taken back.
    Recalled {
        group: GroupNumber,
        handle: Handle,
        /// Who had said it.
        user: Option<QqNumber>,
        /// Who took it back.
        by: Option<QqNumber>,
        time: Option<Timestamp>,
    },
    /// Somebody reacted to a message, or took reactions away.
    Reacted {
        /// Not always told.
        group: Option<GroupNumber>,
        handle: Handle,
        /// Not always told. The account itself too.
        user: Option<QqNumber>,
        /// One by one; without faces that no emoji says. May be empty.
        changes: Vec<Change>,
    },
    /// Somebody was poked.
    Poked {
        /// None: in a private chat.
        group: Option<GroupNumber>,
        user: QqNumber,
        poke: Poke,
        time: Option<Timestamp>,
    },
    /// A file was put into a group. Most programs tell of it also as a message: there it is [`Event::Heard`] a second time.
    Upload {
        group: GroupNumber,
        user: QqNumber,
        media: Media,
        time: Option<Timestamp>,
    },
    /// Somebody wants something that the account has to allow.
    Request(Request),
    /// QQ threw the account out; QQ's words, for people.
    BotOffline(String),
    /// The other program is there.
    Lifecycle,
    /// It still is.
    Heartbeat {
        /// Whether QQ holds the account on line, where told.
        online: Option<bool>,
        /// When the next one comes, where told.
        interval: Option<Duration>,
    },
    /// Nothing that anybody waits for: its kind (`notify/honor`), for counting.
    Other(String),
}

/// A message in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) group: GroupNumber,
    /// What the program calls it.
    pub(super) handle: Handle,
    /// `real_seq`: QQ's own count of the group's messages (`NapCat`).
    pub(super) real_seq: Option<u64>,
    /// `message_seq`: the same count in some dialects, only the message id again in others.
    pub(super) message_seq: Option<i64>,
    pub(super) time: Option<Timestamp>,
    /// As far as the event tells; an anonymous one is [`crate::model::MemberId::Named`].
    pub(super) sender: Member,
    /// By the account itself, from whichever of its devices.
    pub(super) own: bool,
    /// By somebody who hid behind a name that QQ gave.
    pub(super) anonymous: bool,
    /// Not said by anybody: a text of QQ's own.
    pub(super) notice: bool,
    /// May be empty: there is nothing to show then (a recalled message of the history, an element that the program does not
    /// know). Skip it, but count its number as seen.
    pub(super) parts: Vec<Part>,
}

/// A message outside of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Private {
    pub(super) handle: Option<Handle>,
    /// The other person, whoever speaks; not always told for own messages.
    pub(super) peer: Option<QqNumber>,
    /// The speaker's nickname; may be empty.
    pub(super) name: String,
    /// By the account itself.
    pub(super) own: bool,
    /// The group that both are in, where they are no friends (临时会话) and it is told.
    pub(super) group: Option<GroupNumber>,
    pub(super) time: Option<Timestamp>,
    /// May be empty.
    pub(super) parts: Vec<Part>,
}

/// One reaction more or less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) emoji: String,
    pub(super) added: bool,
}

/// A wish that the account has to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) kind: RequestKind,
    pub(super) group: Option<GroupNumber>,
    /// Who asks.
    pub(super) user: Option<QqNumber>,
    /// What they say; several lines, may be empty.
    pub(super) comment: String,
    /// To be given back unchanged in the answer.
    pub(super) flag: String,
}

/// The kinds of [`Request`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// Wants to be the account's friend.
    Friend,
    /// Wants to join a group that the account administers.
    Join,
    /// Invites the account to a group.
    Invite,
}

/// Reads an event. What is no event, or none of interest, is [`Event::Other`].
pub(super) fn read(frame: &Value) -> Event {
    let event = match field::text(&frame["post_type"]) {
        "message" | "message_sent" => message::read(frame),
        "notice" => notice::read(frame),
        "request" => request(frame).map(Event::Request),
        "meta_event" => meta(frame),
        _ => None,
    };
    event.unwrap_or_else(|| Event::Other(kind(frame)))
}

/// The account that an event is about.
pub(super) fn self_id(frame: &Value) -> Option<QqNumber> {
    field::user(&frame["self_id"])
}

fn kind(frame: &Value) -> String {
    let keys = ["message_type", "notice_type", "request_type", "meta_event_type"];
    let main = field::first(frame, &keys);
    let main = if main.is_empty() {
        field::text(&frame["post_type"])
    } else {
        &main
    };
    let sub = field::text(&frame["sub_type"]);
    let kind = if sub.is_empty() {
        main.to_owned()
    } else {
        format!("{main}/{sub}")
    };
    field::line(&kind, 60)
}

fn request(frame: &Value) -> Option<Request> {
    let kind = match (field::text(&frame["request_type"]), field::text(&frame["sub_type"])) {
        ("friend", _) => RequestKind::Friend,
        ("group", "invite") => RequestKind::Invite,
        ("group", _) => RequestKind::Join,
        _ => return None,
    };
    Some(Request {
        kind,
        group: field::group(&frame["group_id"]),
        user: field::user(&frame["user_id"]),
        comment: field::lines(field::text(&frame["comment"]), 2000),
        flag: field::cut(&field::scalar(&frame["flag"]), 2000).to_owned(),
    })
}

fn meta(frame: &Value) -> Option<Event> {
    match field::text(&frame["meta_event_type"]) {
        "lifecycle" => Some(Event::Lifecycle),
        "heartbeat" => Some(Event::Heartbeat {
            online: field::flag(&frame["status"]["online"]),
            interval: field::millis(&frame["interval"]),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
