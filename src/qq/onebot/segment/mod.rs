//! Message segments, both ways: the `message` field of events as parts of a message, and parts as segments to be sent. Pure.
//!
//! ```text
//! array │ one segment │ string form ──▶ segments ──▶ parts      (read, within a Budget)
//!                                       segments ◀── parts      (write)
//! ```

mod media;
mod words;
mod write;

use std::borrow::Cow;

use serde_json::Value;

pub(super) use media::media;
pub(super) use write::write;

use super::{card, cq, field, record};
use crate::model::{MediaKind, Part, Record};

/// What is read of one message, what is forwarded in it included: more is no message of a person.
#[derive(Debug)]
pub(super) struct Budget {
    parts: usize,
    /// Bytes.
    text: usize,
    /// Lines of forwarded records.
    lines: usize,
}

impl Budget {
    /// For a message of a group.
    pub(super) fn message() -> Self {
        Self {
            parts: 500,
            text: 64 << 10,
            lines: 100,
        }
    }

    /// For a record that was asked for.
    pub(super) fn record() -> Self {
        Self {
            parts: 2000,
            text: 128 << 10,
            lines: 200,
        }
    }

    /// Whether one more line may be read.
    pub(super) fn take_line(&mut self) -> bool {
        let left = self.lines > 0 && self.parts > 0;
        self.lines = self.lines.saturating_sub(1);
        left
    }

    /// As much of a text of several lines as is left.
    fn take_text(&mut self, text: &str) -> String {
        let text = field::lines(text, self.text);
        self.text = self.text.saturating_sub(text.len());
        text
    }
}

/// Reads the `message` field: an array of segments, one segment, or the string form. Empty when nothing is in it.
pub(super) fn read(message: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    read_into(&mut parts, message, &mut Budget::message(), 0);
    parts
}

/// Reads one message into `parts`, at this depth of records in records. At most one reply, and that first.
pub(super) fn read_into(parts: &mut Vec<Part>, message: &Value, budget: &mut Budget, depth: usize) {
    let segments: Cow<'_, [Value]> = match message {
        Value::Array(segments) => Cow::Borrowed(segments),
        Value::Object(_) => Cow::Borrowed(std::slice::from_ref(message)),
        Value::String(text) => Cow::Owned(cq::parse(field::cut(text, budget.text))),
        _ => return,
    };
    let mut replied = false;
    for segment in segments.iter().take(budget.parts) {
        let Some(part) = part(field::text(&segment["type"]), &segment["data"], budget, depth) else {
            continue;
        };
        budget.parts = budget.parts.saturating_sub(1);
        match part {
            Part::Reply(_) if replied => {}
            Part::Reply(_) => {
                replied = true;
                parts.insert(0, part);
            }
            part => parts.push(part),
        }
    }
}

/// One segment. Nothing for what says nothing.
fn part(kind: &str, data: &Value, budget: &mut Budget, depth: usize) -> Option<Part> {
    let part = match kind {
        // gocq: text that is read aloud.
        "text" | "tts" => words::text(field::text(&data["text"]), budget)?,
        "markdown" => words::text(field::text(&data["content"]), budget)?,
        "at" => words::mention(data)?,
        "reply" => words::reply(data)?,
        "face" => words::face(data),
        "dice" => words::dice(data),
        "rps" => words::rps(data),
        "keyboard" | "inline_keyboard" => words::keyboard(data),
        "poke" => Part::Marker(words::label("poke", &data["name"])),
        "shake" => Part::Marker("window shake".to_owned()),
        "redbag" | "red_packet" | "hb" => Part::Marker(words::label("red packet", &data["title"])),
        "transfer" | "wallet" => Part::Marker(words::label("transfer", &data["title"])),
        "gift" => Part::Marker(words::label("gift", &data["name"])),
        "image" | "cardimage" => Part::Media(media(MediaKind::Picture, data)?),
        "mface" | "marketface" | "bface" => Part::Media(media(MediaKind::Sticker, data)?),
        "record" | "voice" => Part::Media(media(MediaKind::Voice, data)?),
        "video" => Part::Media(media(MediaKind::Video, data)?),
        "file" => Part::Media(media(MediaKind::File, data)?),
        "onlinefile" => media::online_file(data)?,
        "flashtransfer" | "flash_file" => media::flash_transfer(data)?,
        "forward" => forward(data, budget, depth),
        "json" | "miniapp" => card::json::read(data),
        "xml" => card::xml::read(data),
        "location" => card::location(data),
        "contact" => card::contact(data),
        "share" => card::share(data),
        "music" => card::music(data),
        // The standard's sign that a message may be sent without a name; says nothing to a reader.
        "anonymous" => return None,
        other => Part::Marker(words::unknown(other)),
    };
    Some(part)
}

/// A forwarded record; some programs put what is in it there at once.
fn forward(data: &Value, budget: &mut Budget, depth: usize) -> Part {
    let mut found = Record {
        id: field::file(&field::first(data, &["id", "resid", "res_id", "forward_id"])),
        title: field::line(&field::first(data, &["title", "source"]), card::TITLE_MAX),
        ..Record::default()
    };
    record::fill(&mut found, &data["content"], budget, depth);
    Part::Record(found)
}

#[cfg(test)]
mod tests;
