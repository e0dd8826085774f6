//! What a message is made of: the segments of `OneBot` 11, as far as the world knows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most segments a message may have.
const MOST_SEGMENTS: usize = 500;

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
pub(crate) enum Segment {
    /// Words.
    Text {
        /// The words, lines parted by `\n`.
        text: String,
    },
    /// A classic face.
    Face {
        /// Its transport number, as text.
        id: String,
    },
    /// A mention.
    At {
        /// A QQ number or `all`.
        qq: String,
    },
    /// A picture.
    Image {
        /// Its name or address.
        file: String,
    },
    /// An answer to a message.
    Reply {
        /// The world's number of that message.
        id: String,
    },
}

/// Reads a `message` field: text, one segment, or an array of segments. The error is a sentence for the caller.
pub(crate) fn parse_message(value: &Value) -> Result<Vec<Segment>, String> {
    let segments = match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![Segment::Text { text: text.clone() }],
        Value::Array(list) => list.iter().map(parse_segment).collect::<Result<_, _>>()?,
        Value::Object(_) => vec![parse_segment(value)?],
        _ => return Err("\"message\" must be text or an array of OneBot segments".to_owned()),
    };
    if segments.is_empty() {
        return Err("\"message\" is empty: say something".to_owned());
    }
    if segments.len() > MOST_SEGMENTS {
        return Err(format!(
            "\"message\" has {} segments, at most {MOST_SEGMENTS} are taken",
            segments.len()
        ));
    }
    Ok(segments)
}

fn parse_segment(value: &Value) -> Result<Segment, String> {
    let kind = value["type"].as_str().ok_or("a segment needs a \"type\"")?;
    let field = |name: &str| match &value["data"][name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("a {kind} segment needs \"data\": {{\"{name}\": …}}")),
    };
    match kind {
        "text" => Ok(Segment::Text { text: field("text")? }),
        "face" => {
            let id = field("id")?;
            let known = id.parse::<u16>().is_ok();
            known
                .then_some(Segment::Face { id })
                .ok_or_else(|| "a face's \"id\" must be a small number".to_owned())
        }
        "at" => Ok(Segment::At { qq: field("qq")? }),
        "image" => Ok(Segment::Image { file: field("file")? }),
        "reply" => Ok(Segment::Reply { id: field("id")? }),
        other => Err(format!(
            "unknown segment type \"{other}\": known are text, face, at, image, reply"
        )),
    }
}

/// The message in one line of text, for the log.
pub(crate) fn plain_text(segments: &[Segment]) -> String {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Text { text } => text.clone(),
            Segment::Face { id } => format!("[face {id}]"),
            Segment::At { qq } => format!("@{qq} "),
            Segment::Image { .. } => "[image]".to_owned(),
            Segment::Reply { .. } => String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_read_in_every_form() {
        assert_eq!(
            parse_message(&json!("hi")),
            Ok(vec![Segment::Text { text: "hi".into() }])
        );
        let both = json!([{"type": "text", "data": {"text": "a"}}, {"type": "face", "data": {"id": 14}}]);
        let segments = parse_message(&both).unwrap();
        assert_eq!(segments[1], Segment::Face { id: "14".into() });
        assert_eq!(json!(segments)[1], json!({"type": "face", "data": {"id": "14"}}));
        for wrong in [
            json!(""),
            json!([]),
            json!(5),
            json!([{"type": "rocket"}]),
            json!([{"type": "face", "data": {"id": "x"}}]),
        ] {
            assert!(parse_message(&wrong).is_err(), "{wrong}");
        }
    }
}
