//! `json` segments: the arks of QQ (`app`, `prompt`, `meta`). What it knows of an app is where its words stand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{TITLE_MAX, card, geo, link};
use crate::model::{Part, Record, RecordLine};
use crate::qq::onebot::field;

/// Bytes of an ark that is still read.
const ARK_MAX: usize = 256 << 10;
/// QQ shows four lines of a record before it is opened.
const PREVIEW_MAX: usize = 10;

/// Reads a `json` segment.
pub(in crate::qq::onebot) fn read(data: &Value) -> Part {
    let parsed;
    let ark = match &data["data"] {
        Value::String(text) if text.len() <= ARK_MAX => {
            parsed = serde_json::from_str(text).unwrap_or(Value::Null);
            &parsed
        }
        other => other,
    };
    let app = field::text(&ark["app"]);
    let prompt = prompt(ark);
    let known = match app {
        "com.tencent.multimsg" => record(ark),
        "com.tencent.mannounce" => announcement(app, &ark["meta"]["mannounce"], &prompt),
        "com.tencent.map" => place(app, &ark["meta"]["Location.Search"]),
        _ => linked(app, &ark["meta"], &prompt),
    };
    if let Some(part) = known {
        return part;
    }
    if prompt.is_empty() && app.is_empty() {
        return Part::Marker("card".to_owned());
    }
    let link = field::entries(&ark["meta"]).find_map(jump);
    card(app, &[&prompt, field::text(&ark["desc"])], "", link)
}

/// What QQ shows in lists, without the kind before it: `[分享]标题` is `标题`.
fn prompt(ark: &Value) -> String {
    let prompt = field::line(field::text(&ark["prompt"]), TITLE_MAX);
    let rest = prompt.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match rest {
        Some((_, rest)) if !rest.trim().is_empty() => rest.trim().to_owned(),
        _ => prompt,
    }
}

/// Where an entry of `meta` leads.
fn jump(entry: &Value) -> Option<String> {
    let keys = ["qqdocurl", "jumpUrl", "jump_url", "url", "musicUrl"];
    keys.into_iter().find_map(|key| link(field::text(&entry[key])))
}

/// Links, mini apps, music, contacts: an entry of `meta` has headline, words and address. The entry's name and its fields'
/// names differ from app to app.
fn linked(app: &str, meta: &Value, prompt: &str) -> Option<Part> {
    let (entry, title, words): (_, &[&str], &[&str]) = match app {
        "com.tencent.miniapp_01" | "com.tencent.miniapp" => ("detail_1", &["title"], &["desc"]),
        "com.tencent.music.lua" => ("music", &["title"], &["desc"]),
        "com.tencent.contact.lua" | "com.tencent.troopsharecard" => {
            ("contact", &["nickname", "name"], &["contact", "tag"])
        }
        "com.tencent.structmsg" | "com.tencent.tuwen.lua" => ("news", &["title"], &["desc"]),
        _ => return None,
    };
    let entry = match &meta[entry] {
        Value::Null => field::entries(meta).find(|entry| entry.is_object())?,
        entry => entry,
    };
    let title = field::first(entry, title);
    let title = if title.is_empty() { prompt } else { &title };
    (!title.is_empty()).then(|| card(app, &[title], &field::first(entry, words), jump(entry)))
}

/// An announcement of the group (群公告): its words are in base64.
fn announcement(app: &str, entry: &Value, prompt: &str) -> Option<Part> {
    let plain = field::number(&entry["encode"]) == Some(0);
    let decoded = |key: &str| {
        let text = field::text(&entry[key]);
        let bytes = if plain { None } else { STANDARD.decode(text).ok() };
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_else(|| text.to_owned())
    };
    let (title, text) = (decoded("title"), decoded("text"));
    let any = !title.is_empty() || !text.is_empty();
    any.then(|| card(app, &[&title, prompt, "群公告"], &text, None))
}

fn place(app: &str, entry: &Value) -> Option<Part> {
    let place = geo(&field::scalar(&entry["lat"]), &field::first(entry, &["lng", "lon"]));
    let name = field::text(&entry["name"]);
    let address = field::text(&entry["address"]);
    let any = place.is_some() || !name.is_empty() || !address.is_empty();
    any.then(|| card(app, &[name, address, "位置"], address, place))
}

/// A forwarded record: how to ask for it, and the first lines as QQ shows them.
fn record(ark: &Value) -> Option<Part> {
    let detail = &ark["meta"]["detail"];
    let id = field::file(&field::first(detail, &["resid", "resId"]));
    let news = field::items(&detail["news"]);
    if id.is_empty() && news.is_empty() {
        return None;
    }
    let lines: Vec<RecordLine> = news.iter().take(PREVIEW_MAX).filter_map(preview).collect();
    let digits = field::line(field::text(&detail["summary"]), 100);
    let digits: String = digits
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let total = digits.parse().unwrap_or(0_usize).min(1000);
    Some(Part::Record(Record {
        id,
        title: field::line(&field::first(detail, &["source", "title"]), TITLE_MAX),
        more: total.saturating_sub(lines.len()),
        lines,
    }))
}

/// `name: words`.
fn preview(news: &Value) -> Option<RecordLine> {
    let text = field::line(field::text(&news["text"]), 500);
    let at = text.find([':', '：'])?;
    let words = text[at..].trim_start_matches([':', '：']).trim();
    Some(RecordLine {
        sender: None,
        name: text[..at].trim().to_owned(),
        time: None,
        parts: vec![Part::Text(words.to_owned())],
    })
}
