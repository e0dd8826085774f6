//! Segments that stand between words: texts, mentions, replies, faces, games; and names for what has no form here.

use serde_json::Value;

use super::Budget;
use crate::model::{Face, Game, MemberId, Mention, Part, Reply};
use crate::qq::faces;
use crate::qq::onebot::field;

const QUOTE_MAX: usize = 2000;

pub(super) fn text(text: &str, budget: &mut Budget) -> Option<Part> {
    let text = budget.take_text(text);
    (!text.is_empty()).then_some(Part::Text(text))
}

pub(super) fn mention(data: &Value) -> Option<Part> {
    // Some write the @ before the name, some do not.
    let name = field::name(&data["name"]);
    let name = name.strip_prefix('@').unwrap_or(&name).trim().to_owned();
    let who = field::scalar(&data["qq"]);
    let member = match who.trim() {
        "all" => None,
        _ => Some(field::user(&data["qq"])),
    };
    match member {
        // Whom it is cannot be said, so it is only text.
        Some(None) => {
            let who = if name.is_empty() { field::line(&who, 60) } else { name };
            (!who.is_empty()).then(|| Part::Text(format!("@{who}")))
        }
        member => Some(Part::Mention(Mention {
            member: member.flatten().map(MemberId::Number),
            name,
        })),
    }
}

pub(super) fn reply(data: &Value) -> Option<Part> {
    let quote = field::lines(field::text(&data["text"]), QUOTE_MAX);
    Some(Part::Reply(Reply {
        handle: field::handle(&data["id"])?,
        quote: (!quote.trim().is_empty()).then_some(quote),
        answered: None,
    }))
}

/// A face by the table; one that is newer than the table by the name that comes with it (`[打call]`, `/打call`).
pub(super) fn face(data: &Value) -> Part {
    let id = field::number(&data["id"]).and_then(|id| u32::try_from(id).ok());
    let told = [&data["raw"]["faceText"], &data["name"]].map(field::name);
    let told = told.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let told = unbracketed(told.trim_start_matches('/'));
    match id.map(faces::get) {
        Some(face) if face.name.is_empty() => Part::Face(Face { name: told, ..face }),
        Some(face) => Part::Face(face),
        None if told.is_empty() => Part::Marker("表情".to_owned()),
        None => Part::Marker(told),
    }
}

pub(super) fn dice(data: &Value) -> Part {
    Part::Game(Game::Dice(result(data, 6)))
}

pub(super) fn rps(data: &Value) -> Part {
    Part::Game(Game::Rps(result(data, 3)))
}

fn result(data: &Value, max: u64) -> Option<u8> {
    let result = field::number(&data["result"]).filter(|n| (1..=max).contains(n));
    result.and_then(|n| u8::try_from(n).ok())
}

/// The buttons under a robot's message, by their labels.
pub(super) fn keyboard(data: &Value) -> Part {
    let content = &data["content"]["rows"];
    let rows = if content.is_array() { content } else { &data["rows"] };
    let buttons = field::items(rows).iter().flat_map(|row| field::items(&row["buttons"]));
    let labels: Vec<String> = buttons
        .take(20)
        .map(|button| field::line(field::text(&button["render_data"]["label"]), 60))
        .filter(|label| !label.is_empty())
        .collect();
    if labels.is_empty() {
        return Part::Marker("buttons".to_owned());
    }
    Part::Marker(format!("buttons: {}", labels.join(" | ")))
}

/// `kind: words`, or the kind alone.
pub(super) fn label(kind: &str, words: &Value) -> String {
    let words = field::line(field::text(words), 200);
    if words.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}: {words}")
    }
}

/// The name of a segment that nobody knows.
pub(super) fn unknown(kind: &str) -> String {
    let kind = field::line(kind, 40);
    if kind.is_empty() {
        "something that cannot be shown here".to_owned()
    } else {
        kind
    }
}

/// A name that QQ set in brackets, without them.
pub(super) fn unbracketed(name: &str) -> String {
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    inner.unwrap_or(name).trim().to_owned()
}
