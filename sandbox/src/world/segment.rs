//! What a message is made of: the segments of `OneBot` 11. The world understands words, faces, mentions and answers; all
//! others it keeps as they came.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most segments a message may have.
const MOST_SEGMENTS: usize = 500;
/// The largest text of the data of one segment that is kept as it came, without media.
const LARGEST_DATA: usize = 256 * 1024;

/// The kinds that are kept as they came, and the fields of which they need one (none: no field is needed).
const KINDS: [(&str, &[&str]); 23] = [
    ("image", &["file", "url"]),
    ("mface", &["emoji_id"]),
    ("record", &["file", "url"]),
    ("video", &["file", "url"]),
    ("file", &["file", "name"]),
    ("forward", &["content"]),
    ("json", &["data"]),
    ("xml", &["data"]),
    ("markdown", &["content"]),
    ("keyboard", &["rows"]),
    ("poke", &[]),
    ("shake", &[]),
    ("dice", &[]),
    ("rps", &[]),
    ("location", &["lat"]),
    ("contact", &["id"]),
    ("share", &["url"]),
    ("music", &["type"]),
    ("flashtransfer", &["fileSetId"]),
    ("flash_file", &["file_set_id"]),
    ("onlinefile", &["fileName"]),
    ("anonymous", &[]),
    ("basketball", &[]),
];

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Raw", into = "Raw")]
pub(crate) enum Segment {
    /// Words, lines parted by `\n`.
    Text {
        /// The words.
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
    /// An answer to a message.
    Reply {
        /// The world's number of that message.
        id: String,
    },
    /// Anything else.
    Other {
        /// One of [`KINDS`].
        kind: String,
        /// Its fields.
        data: Map<String, Value>,
    },
}

/// A segment as it is written.
#[derive(Serialize, Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Map<String, Value>,
}

impl From<Raw> for Segment {
    fn from(Raw { kind, mut data }: Raw) -> Self {
        let mut field = |name: &str| match data.remove(name) {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        match kind.as_str() {
            "text" => Self::Text { text: field("text") },
            "face" => Self::Face { id: field("id") },
            "at" => Self::At { qq: field("qq") },
            "reply" => Self::Reply { id: field("id") },
            _ => Self::Other { kind, data },
        }
    }
}

impl From<Segment> for Raw {
    fn from(segment: Segment) -> Self {
        let one = |kind: &str, name: &str, value: String| Self {
            kind: kind.to_owned(),
            data: Map::from_iter([(name.to_owned(), Value::String(value))]),
        };
        match segment {
            Segment::Text { text } => one("text", "text", text),
            Segment::Face { id } => one("face", "id", id),
            Segment::At { qq } => one("at", "qq", qq),
            Segment::Reply { id } => one("reply", "id", id),
            Segment::Other { kind, data } => Self { kind, data },
        }
    }
}

impl Segment {
    /// Words.
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A segment of another kind.
    pub(crate) fn other(kind: &str, data: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self::Other {
            kind: kind.to_owned(),
            data: data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// A field of a segment's data as text; empty when it is absent or null.
pub(crate) fn text_of(data: &Map<String, Value>, name: &str) -> String {
    match data.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// Reads a `message` field: text, one segment, or an array of segments. The error is a sentence for the caller.
pub(crate) fn parse_message(value: &Value) -> Result<Vec<Segment>, String> {
    let segments = match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![Segment::words(text)],
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

/// Reads one segment.
pub(crate) fn parse_segment(value: &Value) -> Result<Segment, String> {
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
        "reply" => Ok(Segment::Reply { id: field("id")? }),
        other => parse_other(other, &value["data"]),
    }
}

fn parse_other(kind: &str, data: &Value) -> Result<Segment, String> {
    let Some((_, needed)) = KINDS.iter().find(|(known, _)| *known == kind) else {
        let known: Vec<_> = KINDS.iter().map(|(known, _)| *known).collect();
        return Err(format!(
            "unknown segment type \"{kind}\": known are text, face, at, reply, {}",
            known.join(", ")
        ));
    };
    let data = data.as_object().cloned().unwrap_or_default();
    if !needed.is_empty() && needed.iter().all(|name| data.get(*name).is_none_or(Value::is_null)) {
        return Err(format!("a {kind} segment needs \"data\": {{\"{}\": …}}", needed[0]));
    }
    let media = |name: &str| name == "file" || name == "content" || name == "messages";
    let large = |(name, value): (&String, &Value)| {
        !media(name) && value.as_str().map_or_else(|| value.to_string().len(), str::len) > LARGEST_DATA
    };
    if data.iter().any(large) {
        return Err(format!(
            "the data of a {kind} segment is larger than {LARGEST_DATA} bytes"
        ));
    }
    Ok(Segment::Other {
        kind: kind.to_owned(),
        data,
    })
}

/// The message in one line of text, for the log.
pub(crate) fn plain_text(segments: &[Segment]) -> String {
    segments
        .iter()
        .map(|segment| match segment {
            Segment::Text { text } => text.clone(),
            Segment::Face { id } => format!("[face {id}]"),
            Segment::At { qq } => format!("@{qq} "),
            Segment::Reply { .. } => String::new(),
            Segment::Other { kind, .. } => format!("[{kind}]"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_read_in_every_form() {
        assert_eq!(parse_message(&json!("hi")), Ok(vec![Segment::words("hi")]));
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
            json!([{"type": "image", "data": {}}]),
        ] {
            assert!(parse_message(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_world_does_not_understand_it_keeps() {
        let card = json!({"type": "json", "data": {"data": "{\"app\":\"x\"}", "extra": [1, null]}});
        let segment = parse_segment(&card).unwrap();
        let stored = serde_json::to_string(&segment).unwrap();
        assert_eq!(serde_json::from_str::<Segment>(&stored).unwrap(), segment);
        assert_eq!(json!(segment), card);
        assert_eq!(plain_text(&[segment]), "[json]");
    }
}
