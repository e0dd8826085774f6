//! Messages, in groups and private; also those of a history, which lack what every event has.

use serde_json::Value;

use super::{Event, Heard, Private};
use crate::model::{GroupNumber, Member, MemberId, Part, QqNumber, Role};
use crate::qq::onebot::{field, segment};

pub(super) fn read(frame: &Value) -> Option<Event> {
    let own = super::self_id(frame);
    match field::text(&frame["message_type"]) {
        "group" => heard(frame, own, None).map(Event::Heard),
        "private" => Some(Event::Private(private(frame, own))),
        _ => None,
    }
}

/// Reads a message of a group: an event, or an item of a history or of `get_msg`, which may say neither whose account (`own`) nor
/// which group (`group`) it is about. Nothing for what has no group, no id or no sender.
pub(in crate::qq::onebot) fn heard(
    message: &Value,
    own: Option<QqNumber>,
    group: Option<GroupNumber>,
) -> Option<Heard> {
    let group = field::group(&message["group_id"]).or(group)?;
    let handle = field::handle(&message["message_id"])?;
    let anonymous = anonymous(message);
    let user = user(message);
    let sender = match &anonymous {
        Some(name) => anonymous_member(name),
        None => member(message, user?),
    };
    Some(Heard {
        group,
        handle,
        real_seq: field::number(&message["real_seq"]).filter(|seq| *seq > 0),
        message_seq: field::signed(&message["message_seq"]).filter(|seq| *seq != 0),
        time: field::time(&message["time"]),
        sender,
        own: message["post_type"] == "message_sent" || (user.is_some() && user == own),
        anonymous: anonymous.is_some(),
        notice: message["sub_type"] == "notice",
        parts: content(message),
    })
}

fn user(message: &Value) -> Option<QqNumber> {
    field::user(&message["user_id"]).or_else(|| field::user(&message["sender"]["user_id"]))
}

fn content(message: &Value) -> Vec<Part> {
    match &message["message"] {
        Value::Null => segment::read(&message["raw_message"]),
        content => segment::read(content),
    }
}

fn member(message: &Value, user: QqNumber) -> Member {
    let sender = &message["sender"];
    Member {
        id: MemberId::Number(user),
        nickname: field::name(&sender["nickname"]),
        card: field::name(&sender["card"]),
        role: role(&sender["role"]),
    }
}

/// The standing of a member, as every dialect writes it.
pub(in crate::qq::onebot) fn role(value: &Value) -> Role {
    match field::text(value) {
        "owner" => Role::Owner,
        "admin" => Role::Admin,
        _ => Role::Member,
    }
}

/// The name of an anonymous sender.
fn anonymous(message: &Value) -> Option<String> {
    let given = field::name(&message["anonymous"]["name"]);
    let is = message["anonymous"].is_object() || message["sub_type"] == "anonymous";
    let name = if given.is_empty() { "匿名".to_owned() } else { given };
    is.then_some(name)
}

fn anonymous_member(name: &str) -> Member {
    Member {
        id: MemberId::Named(name.into()),
        nickname: name.to_owned(),
        card: String::new(),
        role: Role::Member,
    }
}

fn private(frame: &Value, own: Option<QqNumber>) -> Private {
    let user = user(frame);
    let by_us = frame["post_type"] == "message_sent" || (user.is_some() && user == own);
    let group = [&frame["group_id"], &frame["sender"]["group_id"]];
    Private {
        handle: field::handle(&frame["message_id"]),
        peer: if by_us { field::user(&frame["target_id"]) } else { user },
        name: field::name(&frame["sender"]["nickname"]),
        own: by_us,
        group: group.into_iter().find_map(field::group),
        time: field::time(&frame["time"]),
        parts: content(frame),
    }
}
