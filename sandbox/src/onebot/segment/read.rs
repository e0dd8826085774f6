//! What a client says: the `message` of a call, in any of its forms, as segments of the world.
//!
//! Segments that the program would drop are dropped here too; the log says which.

use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::params::Params;
use super::super::view::View;
use super::cq;
use crate::media::bytes_of;
use crate::world::{Chat, Flavour, Segment, parse_segment};

/// The highest face that exists; `NapCat` drops what it does not know.
const LAST_FACE: u16 = 430;

/// What was read, and what was dropped on the way.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) segments: Vec<Segment>,
    pub(crate) dropped: Vec<String>,
}

/// The list of wire segments in a `message`: an array, one object, or a text with CQ codes.
pub(crate) fn wire_segments(message: &Value, auto_escape: bool) -> Result<Vec<Value>, Failure> {
    match message {
        Value::Array(list) => Ok(list.clone()),
        Value::Object(_) => Ok(vec![message.clone()]),
        Value::String(text) if auto_escape => Ok(vec![json!({"type": "text", "data": {"text": text}})]),
        Value::String(text) => Ok(cq::decode(text)),
        _ => Err(Failure::BadParam("message")),
    }
}

/// Reads a `message` that is to be said in a chat.
pub(crate) fn message(view: &View<'_>, chat: Chat, message: &Value, auto_escape: bool) -> Result<Read, Failure> {
    let wire = wire_segments(message, auto_escape)?;
    let nodes = wire.iter().filter(|segment| segment["type"] == "node").count();
    if nodes > 0 {
        if nodes < wire.len() || !view.dialect.takes_nodes {
            return Err(Failure::Nodes);
        }
        return Ok(Read {
            segments: vec![record(view, chat, &wire)?],
            dropped: Vec::new(),
        });
    }
    let mut read = Read::default();
    for segment in &wire {
        let kind = segment["type"].as_str().unwrap_or("?");
        match one(view, chat, kind, segment)? {
            Some(segment) => read.segments.push(segment),
            None => read.dropped.push(format!("{kind} {}", segment["data"])),
        }
    }
    if read.segments.is_empty() {
        return Err(Failure::Empty);
    }
    Ok(read)
}

fn one(view: &View<'_>, chat: Chat, kind: &str, segment: &Value) -> Result<Option<Segment>, Failure> {
    let flavour = view.dialect.flavour;
    let data = Params::of(&segment["data"]);
    match kind {
        "text" => Ok(data.text("text").filter(|text| !text.is_empty()).map(Segment::words)),
        "at" => {
            let qq = data.text("qq").unwrap_or_default();
            let known = qq == "all" || qq.parse().is_ok_and(|number| view.member(chat, number).is_some());
            let kept = matches!(chat, Chat::Group(_)) && (known || flavour != Flavour::Napcat);
            Ok(kept.then_some(Segment::At { qq }))
        }
        "reply" => {
            let original = data
                .number("id")
                .map(|handle| view.recognise(handle))
                .transpose()?
                .flatten();
            let original = original.filter(|original| original.chat == chat);
            Ok(original.map(|original| Segment::Reply {
                id: original.id.to_string(),
            }))
        }
        "face" => {
            let id = data.text("id").and_then(|id| id.parse::<u16>().ok());
            let known = id.filter(|id| *id <= LAST_FACE || flavour != Flavour::Napcat);
            Ok(known.map(|id| Segment::Face { id: id.to_string() }))
        }
        "image" | "record" | "video" | "file" => media(kind, segment).map(Some),
        "dice" | "rps" => {
            let sides = if kind == "dice" { 6 } else { 3 };
            let result = view.state.clock.now_ms() % sides + 1;
            Ok(Some(Segment::other(kind, [("result", json!(result.to_string()))])))
        }
        "xml" | "poke" | "markdown" | "keyboard" | "node" if flavour == Flavour::Napcat => Ok(None),
        _ => Ok(parse_segment(segment).ok()),
    }
}

/// A picture, voice, video or file. What it is fetched from may be an address or the bytes themselves.
fn media(kind: &str, segment: &Value) -> Result<Segment, Failure> {
    let data = Params::of(&segment["data"]);
    let source = data.text("url").filter(|url| url.starts_with("http"));
    let source = source.or_else(|| data.text("file")).unwrap_or_default();
    let name = data.text("name").or_else(|| data.text("filename"));
    let mut fields = vec![("file", json!(source))];
    if source.starts_with("http://") || source.starts_with("https://") {
        let last = source
            .split(['?', '#'])
            .next()
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or_default();
        fields = vec![
            ("file", json!(name.clone().unwrap_or_else(|| last.to_owned()))),
            ("url", json!(source)),
        ];
    } else if bytes_of(&source).is_none_or(|bytes| bytes.is_empty()) {
        return Err(Failure::NoFile(source));
    }
    if kind == "file" {
        fields.push(("name", json!(name.unwrap_or_else(|| "file".to_owned()))));
    }
    for name in ["summary", "sub_type"] {
        if let Some(text) = data.text(name) {
            fields.push((name, json!(text)));
        }
    }
    if let Some(sub_type) = data.text("subType") {
        fields.push(("sub_type", json!(sub_type)));
    }
    Ok(Segment::other(kind, fields))
}

/// A record made of nodes, each with its own words or the id of a message.
pub(crate) fn record(view: &View<'_>, chat: Chat, nodes: &[Value]) -> Result<Segment, Failure> {
    let content: Vec<Value> = nodes
        .iter()
        .map(|node| of_node(view, chat, node))
        .collect::<Result<_, _>>()?;
    if content.is_empty() {
        return Err(Failure::Empty);
    }
    Ok(Segment::other("forward", [("content", json!(content))]))
}

fn of_node(view: &View<'_>, chat: Chat, node: &Value) -> Result<Value, Failure> {
    let data = Params::of(&node["data"]);
    if let Some(handle) = data.number("id") {
        let message = view.recognise(handle)?.ok_or(Failure::NoMessage)?;
        let name = view
            .member(message.chat, message.from)
            .map_or_else(|| view.nickname(message.from), |m| m.called());
        return Ok(json!({
            "user_id": message.from, "nickname": name, "time": message.time, "message": message.segments,
        }));
    }
    let user = data
        .number("user_id")
        .or_else(|| data.number("uin"))
        .unwrap_or(view.qq());
    let name = data.text("nickname").or_else(|| data.text("name")).unwrap_or_default();
    let wire = wire_segments(&node["data"]["content"], false)?;
    let segments = if wire.iter().any(|segment| segment["type"] == "node") {
        vec![record(view, chat, &wire)?]
    } else {
        let read = wire.iter().map(|segment| {
            let kind = segment["type"].as_str().unwrap_or("?");
            one(view, chat, kind, segment)
        });
        read.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()
    };
    Ok(json!({"user_id": user, "nickname": name, "time": view.state.clock.now(), "message": segments}))
}
