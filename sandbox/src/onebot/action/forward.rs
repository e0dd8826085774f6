//! Forwarded records: asked for by their id.

use serde_json::{Value, json};

use super::super::event::described;
use super::super::failure::Failure;
use super::super::params::Params;
use super::super::segment::write;
use super::super::view::View;
use super::Call;
use crate::world::{Flavour, Message, Segment, parse_message};

/// How deep records in records are opened.
const DEEPEST: usize = 6;

pub(super) fn get(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let id = params.text("id").or_else(|| params.text("message_id"));
    let id = id.or_else(|| params.text("res_id")).ok_or(Failure::BadParam("id"))?;
    let view = call.view()?;
    let (message, path) = if let Some((id, path)) = write::read_forward_id(&id) {
        // The records within records cannot be asked for in `NapCat`: they come with the outer one.
        if view.dialect.flavour == Flavour::Napcat && path.len() > 1 {
            return Err(Failure::NoMessage);
        }
        (view.state.store.message(id)?, path)
    } else {
        let handle = id.parse().map_err(|_| Failure::NoMessage)?;
        let message = view.recognise(handle)?;
        let place = message
            .as_ref()
            .and_then(|message| message.segments.iter().position(is_record));
        (message, place.into_iter().collect())
    };
    let message = message.ok_or(Failure::NoMessage)?;
    let nodes = open(&message, &path).ok_or(Failure::NoMessage)?;
    let shown: Vec<Value> = nodes
        .iter()
        .enumerate()
        .map(|(place, node)| of_node(&view, node, &[&path[..], &[place]].concat()))
        .collect::<Result<_, _>>()?;
    let key = if view.dialect.flavour == Flavour::Lagrange {
        "message"
    } else {
        "messages"
    };
    Ok(json!({ key: shown }))
}

fn is_record(segment: &Segment) -> bool {
    matches!(segment, Segment::Other { kind, .. } if kind == "forward")
}

/// The nodes of the record at a path: the segment, then in turns a node and a segment in it.
fn open(message: &Message, path: &[usize]) -> Option<Vec<Message>> {
    let (first, rest) = path.split_first()?;
    let mut nodes = nodes(message, message.segments.get(*first)?)?;
    for step in rest.chunks(2) {
        let [node, segment] = step else { return None };
        let inner = nodes.get(*node)?;
        nodes = self::nodes(message, inner.segments.get(*segment)?)?;
    }
    Some(nodes)
}

/// The nodes of a record, as messages of the chat in which the record is.
fn nodes(outer: &Message, record: &Segment) -> Option<Vec<Message>> {
    let Segment::Other { data, .. } = record else {
        return None;
    };
    let node = |node: &Value| {
        let params = Params::of(node);
        Some(Message {
            from: params.number("user_id").unwrap_or(1_094_950_020),
            time: params.number("time").unwrap_or(outer.time),
            segments: parse_message(params.value("message")).ok()?,
            ..outer.clone()
        })
    };
    data.get("content")?.as_array()?.iter().map(node).collect()
}

fn of_node(view: &View<'_>, node: &Message, path: &[usize]) -> Result<Value, Failure> {
    let name = view
        .member(node.chat, node.from)
        .map_or_else(|| view.nickname(node.from), |member| member.called());
    let name = if name.is_empty() { "QQ用户" } else { name };
    let content = opened(view, node, path)?;
    let sender = json!({"user_id": node.from, "nickname": name});
    Ok(match view.dialect.flavour {
        Flavour::Napcat => {
            let mut event = described(view, node, &content);
            event["sender"] = json!({"user_id": node.from, "nickname": name, "card": ""});
            event
        }
        Flavour::Llbot => json!({
            "content": content, "sender": sender, "time": node.time, "message_format": "array", "message_type": "group",
        }),
        Flavour::Gocq => json!({"content": content, "sender": sender, "time": node.time}),
        Flavour::Lagrange => json!({
            "type": "node", "data": {"user_id": node.from.to_string(), "nickname": name, "content": content},
        }),
    })
}

/// The segments of a node; records in it are opened where the program does that, and else get an id of their own.
fn opened(view: &View<'_>, node: &Message, path: &[usize]) -> Result<Vec<Value>, Failure> {
    let mut written = Vec::new();
    for (place, segment) in node.segments.iter().enumerate() {
        if !is_record(segment) {
            let alone = Message {
                segments: vec![segment.clone()],
                ..node.clone()
            };
            written.extend(write::segments(view, &alone)?);
            continue;
        }
        let path = [path, &[place]].concat();
        let mut data = json!({"id": write::forward_id(view, node, &path)});
        if view.dialect.flavour == Flavour::Napcat && path.len() < DEEPEST {
            let inner = nodes(node, segment).unwrap_or_default();
            let inner = inner
                .iter()
                .enumerate()
                .map(|(place, inner)| of_node(view, inner, &[&path[..], &[place]].concat()));
            data["content"] = inner.collect::<Result<_, _>>()?;
        }
        written.push(json!({"type": "forward", "data": data}));
    }
    Ok(written)
}
