//! Segments of the world as each program writes them into events and answers.

use serde_json::{Map, Value, json};

use super::super::id::scramble;
use super::super::view::View;
use crate::store::StoreError;
use crate::world::{Chat, Flavour, Message, Segment, text_of};

/// The segments of a message in the account's dialect.
pub(crate) fn segments(view: &View<'_>, message: &Message) -> Result<Vec<Value>, StoreError> {
    let mut written = Vec::new();
    for (place, segment) in message.segments.iter().enumerate() {
        let one = match segment {
            Segment::Text { text } => Some(segment_of("text", json!({"text": text.replace('\r', "\n")}))),
            Segment::Face { id } => Some(segment_of("face", face(view.dialect.flavour, id))),
            Segment::At { qq } => Some(segment_of("at", at(view, message.chat, qq))),
            Segment::Reply { id } => reply(view, id)?,
            Segment::Other { kind, data } => other(view, message, place, kind, data),
        };
        written.extend(one);
    }
    Ok(written)
}

#[expect(clippy::needless_pass_by_value, reason = "what is written into it is made for it")]
fn segment_of(kind: &str, data: Value) -> Value {
    json!({"type": kind, "data": data})
}

fn at(view: &View<'_>, chat: Chat, qq: &str) -> Value {
    let name = || {
        let number = qq.parse().unwrap_or(0);
        let name = view
            .member(chat, number)
            .map_or_else(|| view.nickname(number), |member| member.called());
        if qq == "all" {
            "全体成员".to_owned()
        } else {
            name.to_owned()
        }
    };
    match view.dialect.flavour {
        Flavour::Napcat | Flavour::Gocq => json!({"qq": qq}),
        Flavour::Llbot => json!({"qq": qq, "name": name()}),
        Flavour::Lagrange => json!({"qq": qq, "name": format!("@{}", name())}),
    }
}

/// The answer to a message; nothing when the program does not find that one.
fn reply(view: &View<'_>, id: &str) -> Result<Option<Value>, StoreError> {
    let original = id
        .parse()
        .ok()
        .map(|id| view.state.store.message(id))
        .transpose()?
        .flatten();
    let Some(original) = original.filter(|original| !original.recalled) else {
        return Ok(None);
    };
    let id = json!({"id": view.handle(&original).to_string()});
    Ok(view.knows(&original)?.then(|| segment_of("reply", id)))
}

fn face(flavour: Flavour, id: &str) -> Value {
    let number: i64 = id.parse().unwrap_or(0);
    // From 260 on they are the new ones, some of them animated.
    let kind = if number < 260 { 1 } else { 2 };
    match flavour {
        Flavour::Napcat => json!({
            "id": id, "raw": {"faceIndex": number, "faceText": null, "faceType": kind, "packId": null, "stickerId": null,
                "sourceType": null, "stickerType": null, "resultId": null, "surpriseId": null, "randomType": null},
            "resultId": null, "chainCount": null,
        }),
        Flavour::Llbot => json!({"id": id, "sub_type": kind}),
        Flavour::Lagrange => json!({"id": id, "large": null}),
        Flavour::Gocq => json!({"id": id}),
    }
}

/// Address of what the world keeps, or the address with which it came.
fn url(view: &View<'_>, data: &Map<String, Value>) -> String {
    match text_of(data, "url") {
        url if url.is_empty() => view.url(&text_of(data, "file")),
        url => url,
    }
}

fn other(view: &View<'_>, message: &Message, place: usize, kind: &str, data: &Map<String, Value>) -> Option<Value> {
    use Flavour::{Gocq, Lagrange, Llbot, Napcat};
    let flavour = view.dialect.flavour;
    let field = |name: &str| text_of(data, name);
    let size = || {
        if field("file_size").is_empty() {
            "0".to_owned()
        } else {
            field("file_size")
        }
    };
    let address = || url(view, data);
    let as_it_is = || segment_of(kind, json!(data));
    let written = match (kind, flavour) {
        ("image", _) => segment_of("image", image(view, data)),
        ("mface", Napcat) => {
            let mut data = data.clone();
            data.insert("file".to_owned(), json!(format!("{}.gif", field("emoji_id"))));
            segment_of("image", json!(data))
        }
        ("mface", Gocq) => segment_of("text", json!({"text": field("summary")})),
        ("record" | "video", Napcat) => {
            let path = format!("/app/.config/QQ/{}", field("file"));
            segment_of(
                kind,
                json!({"file": field("file"), "path": path, "url": address(), "file_size": size()}),
            )
        }
        ("record" | "video", Llbot) => segment_of(
            kind,
            json!({"file": field("file"), "url": address(), "path": "", "file_size": size()}),
        ),
        ("record" | "video", Lagrange) => segment_of(kind, json!({"file": address(), "url": address()})),
        ("record" | "video", Gocq) => segment_of(kind, json!({"file": field("file"), "url": address()})),
        ("file", Napcat) => segment_of(
            "file",
            json!({"file": name_of(data), "file_id": field("file_id"), "file_size": size()}),
        ),
        ("file", Llbot) => segment_of(
            "file",
            json!({"file": name_of(data), "url": "", "file_id": field("file_id"), "path": "", "file_size": size()}),
        ),
        // In groups as a notice alone; between friends as `offline_file`.
        ("file", Lagrange | Gocq) => return None,
        ("forward", _) => segment_of("forward", json!({"id": forward_id(view, message, &[place])})),
        ("dice" | "rps", Napcat | Llbot) => segment_of(kind, json!({"result": field("result")})),
        ("dice" | "rps", Lagrange) => segment_of(kind, json!({})),
        ("dice" | "rps", Gocq) => segment_of(kind, json!({"value": field("result")})),
        ("poke" | "shake", Llbot) => segment_of("shake", json!({})),
        ("poke" | "shake", Napcat) => segment_of("poke", json!({"type": field("type"), "id": field("id")})),
        ("poke" | "shake", _) => segment_of("poke", json!({"type": field("type"), "id": "-1", "strength": "0"})),
        ("location", Napcat | Llbot) => segment_of("json", json!({"data": map_card(data)})),
        ("share" | "contact" | "music", Napcat | Llbot | Lagrange) => {
            segment_of("json", json!({"data": link_card(data)}))
        }
        ("xml", Lagrange) => segment_of("xml", json!({"data": field("data"), "service_id": 1})),
        _ => as_it_is(),
    };
    Some(written)
}

fn image(view: &View<'_>, data: &Map<String, Value>) -> Value {
    let field = |name: &str| text_of(data, name);
    let file = field("file");
    let sub_type = field("sub_type").parse().unwrap_or(0);
    let size = if field("file_size").is_empty() {
        "0".to_owned()
    } else {
        field("file_size")
    };
    let url = url(view, data);
    match view.dialect.flavour {
        Flavour::Napcat => {
            json!({"summary": field("summary"), "file": file, "sub_type": sub_type, "url": url, "file_size": size})
        }
        Flavour::Llbot => json!({"file": file, "subType": sub_type, "url": url, "file_size": size}),
        Flavour::Lagrange => {
            let summary = if field("summary").is_empty() {
                "[图片]".to_owned()
            } else {
                field("summary")
            };
            json!({"file": url, "filename": file, "url": url, "summary": summary, "subType": sub_type})
        }
        Flavour::Gocq => {
            let name = format!("{:016x}{:016x}.image", scramble(&file), scramble(&url));
            json!({"file": name, "subType": sub_type.to_string(), "url": url})
        }
    }
}

/// The name of a file, whichever way it was given.
pub(crate) fn name_of(data: &Map<String, Value>) -> String {
    match text_of(data, "name") {
        name if name.is_empty() => text_of(data, "file"),
        name => name,
    }
}

/// What a forwarded record is called: `NapCat` takes the message's id, the others have opaque words. `path`: the place of the
/// segment in the message, then those within records in records.
pub(crate) fn forward_id(view: &View<'_>, message: &Message, path: &[usize]) -> String {
    if view.dialect.flavour == Flavour::Napcat && path.len() == 1 {
        return view.handle(message).to_string();
    }
    let path: Vec<_> = path.iter().map(|place| format!("{place:02X}")).collect();
    format!("sB+x/{:012X}.{}==", message.id, path.join("."))
}

/// Message and path of an opaque word.
pub(crate) fn read_forward_id(word: &str) -> Option<(i64, Vec<usize>)> {
    let (id, path) = word.strip_prefix("sB+x/")?.trim_end_matches('=').split_once('.')?;
    let path = path
        .split('.')
        .map(|place| usize::from_str_radix(place, 16).ok())
        .collect::<Option<_>>()?;
    Some((i64::from_str_radix(id, 16).ok()?, path))
}

fn map_card(data: &Map<String, Value>) -> String {
    let field = |name: &str| text_of(data, name);
    let place = json!({"name": field("title"), "address": field("content"), "lat": field("lat"), "lng": field("lon")});
    json!({"app": "com.tencent.map", "prompt": format!("[位置]{}", field("title")), "meta": {"Location.Search": place}})
        .to_string()
}

fn link_card(data: &Map<String, Value>) -> String {
    let field = |name: &str| text_of(data, name);
    let news =
        json!({"title": field("title"), "desc": field("content"), "jumpUrl": field("url"), "preview": field("image")});
    json!({"app": "com.tencent.tuwen.lua", "prompt": format!("[分享]{}", field("title")), "meta": {"news": news}})
        .to_string()
}
