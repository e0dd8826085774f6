//! Parts of a message as segments to be sent.

use serde_json::{Value, json};

use crate::model::words::plain_text;
use crate::model::{Language, MemberId, Mention, Part};
use crate::qq::faces;
use crate::qq::text::clean_lines;

/// Writes the `message` parameter of a send: always an array, the reply first, all values texts. What has no segment that QQ
/// takes from a robot goes as words. Empty only when nothing of the parts is visible.
pub(in crate::qq::onebot) fn write(parts: &[Part]) -> Vec<Value> {
    let mut segments = Vec::new();
    let mut text = String::new();
    let replies = parts.iter().filter(|part| matches!(part, Part::Reply(_))).take(1);
    let others = parts.iter().filter(|part| !matches!(part, Part::Reply(_)));
    for part in replies.chain(others) {
        let segment = match part {
            Part::Reply(reply) => json!({"type": "reply", "data": {"id": &*reply.handle.0}}),
            Part::Mention(Mention { member: None, .. }) => at("all"),
            Part::Mention(Mention {
                member: Some(MemberId::Number(number)),
                ..
            }) => at(&number.to_string()),
            // Others are dropped in silence, with the message if they are alone.
            Part::Face(face) if faces::in_onebot(face.id) => {
                json!({"type": "face", "data": {"id": face.id.to_string()}})
            }
            other => {
                let words = plain_text(std::slice::from_ref(other), Language::Zh);
                push(&mut text, &words, &segments);
                continue;
            }
        };
        flush(&mut segments, &mut text);
        segments.push(segment);
    }
    flush(&mut segments, &mut text);
    segments
}

fn at(who: &str) -> Value {
    json!({"type": "at", "data": {"qq": who}})
}

/// Clients show the name of a mention without a gap behind it.
fn push(text: &mut String, words: &str, before: &[Value]) {
    let behind_mention = text.is_empty() && before.last().is_some_and(|segment| segment["type"] == "at");
    if behind_mention && !words.is_empty() && !words.starts_with(char::is_whitespace) {
        text.push(' ');
    }
    text.extend(clean_lines(words).chars().filter_map(|c| match c {
        '\n' | '\t' => Some(c),
        c if c.is_control() => c.is_whitespace().then_some(' '),
        c => Some(c),
    }));
}

fn flush(segments: &mut Vec<Value>, text: &mut String) {
    if !text.is_empty() {
        segments.push(json!({"type": "text", "data": {"text": std::mem::take(text)}}));
    }
}
