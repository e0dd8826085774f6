//! Messages as events, and as what `get_msg` and the histories give.

use serde_json::{Value, json};

use super::super::dialect::{Files, Own, Sender, Seqs};
use super::super::segment::{cq, write};
use super::super::view::View;
use crate::store::StoreError;
use crate::world::{Chat, Message, MessageFormat};

/// A message as an event; nothing when the program does not tell it.
pub(crate) fn event(view: &View<'_>, message: &Message) -> Result<Option<Value>, StoreError> {
    let segments = write::segments(view, message)?;
    if segments.is_empty() && !view.dialect.tells_empty {
        return Ok(None);
    }
    // A file, in a program that has only the notice.
    if segments.is_empty() && !message.segments.is_empty() && view.dialect.files != Files::Both {
        return Ok(None);
    }
    let mut event = described(view, message, &segments);
    let own = message.from == view.qq() && view.dialect.own == Own::Sent;
    event["post_type"] = json!(if own { "message_sent" } else { "message" });
    Ok(Some(event))
}

/// A message with these segments in the shape of an event, as `get_msg` and the histories give it, too.
pub(crate) fn described(view: &View<'_>, message: &Message, segments: &[Value]) -> Value {
    let dialect = view.dialect;
    let id = view.handle(message);
    let raw = cq::encode(segments, dialect.trims);
    let raw = if dialect.trims { raw.trim().to_owned() } else { raw };
    let written = match view.format() {
        MessageFormat::Array => json!(segments),
        MessageFormat::String => json!(raw),
    };
    let mut event = json!({
        "time": message.time, "self_id": view.qq(), "post_type": "message", "message_id": id, "user_id": message.from,
        "message": written, "raw_message": raw, "font": dialect.font, "sender": sender(view, message),
    });
    match dialect.seqs {
        Seqs::RealSeq => {
            event["message_seq"] = json!(id);
            event["real_id"] = json!(id);
            event["real_seq"] = json!(message.seq.to_string());
        }
        Seqs::MessageSeq => event["message_seq"] = json!(message.seq),
        Seqs::Untold => {}
    }
    if dialect.names_format {
        let word = if view.format() == MessageFormat::Array {
            "array"
        } else {
            "string"
        };
        event["message_format"] = json!(word);
    }
    match dialect.sender {
        Sender::Titled => event["raw_pb"] = json!(""),
        Sender::Untitled => event["message_style"] = Value::Null,
        Sender::Short | Sender::Full => {}
    }
    if let Chat::Group(number) = message.chat {
        event["message_type"] = json!("group");
        event["sub_type"] = json!("normal");
        event["group_id"] = json!(number);
        if dialect.anonymous {
            event["anonymous"] = Value::Null;
        }
        if dialect.group_name {
            event["group_name"] = json!(view.state.world.group(number).map(|group| group.name.as_str()));
        }
    } else {
        event["message_type"] = json!("private");
        event["sub_type"] = json!("friend");
        if dialect.seqs == Seqs::RealSeq || message.from == view.qq() {
            event["target_id"] = json!(view.peer(message.chat));
        }
    }
    event
}

fn sender(view: &View<'_>, message: &Message) -> Value {
    let group = matches!(message.chat, Chat::Group(_));
    let member = view.member(message.chat, message.from);
    let nickname = member.map_or_else(|| view.nickname(message.from), |member| member.nickname.as_str());
    let card = member.map_or("", |member| member.card.as_str());
    let role = member.map(|member| member.role).unwrap_or_default();
    let title = member.map_or("", |member| member.title.as_str());
    let level = level_of(message.from);
    let mut sender = json!({"user_id": message.from, "nickname": nickname});
    match view.dialect.sender {
        Sender::Short => sender["card"] = json!(card),
        Sender::Titled => {
            if group {
                sender["level"] = json!(level);
                sender["title"] = json!(title);
                sender["card"] = json!(card);
            }
        }
        Sender::Untitled | Sender::Full => {
            sender["sex"] = json!("unknown");
            sender["age"] = json!(0);
            if group {
                let shown = if view.dialect.sender == Sender::Full { title } else { "" };
                sender["area"] = json!("");
                sender["card"] = json!(card);
                sender["level"] = json!(level);
                sender["title"] = json!(shown);
            }
        }
    }
    if group {
        sender["role"] = json!(role);
    }
    sender
}

/// The level of a person in their groups, as text.
pub(crate) fn level_of(qq: i64) -> String {
    (qq % 99 + 1).to_string()
}
