//! Pictures, stickers, recordings, videos and files. Each program names their fields in its own way; all names are tried.

use serde_json::Value;

use super::words::unbracketed;
use crate::model::{Media, MediaKind, Part};
use crate::qq::onebot::field;

/// No recording or video of QQ is longer than a day.
const SECONDS_MAX: u64 = 86_400;

/// Reads the data of a segment, or the `file` object of a notice.
pub(in crate::qq::onebot) fn media(kind: MediaKind, data: &Value) -> Option<Media> {
    data.as_object()?;
    let kind = if kind == MediaKind::Picture && is_sticker(data) {
        MediaKind::Sticker
    } else {
        kind
    };
    let file = field::scalar(&data["file"]);
    let urls = [field::text(&data["url"]), &file, field::text(&data["path"])];
    Some(Media {
        kind,
        name: name(kind, data),
        file: code(kind, data),
        url: urls.into_iter().find_map(field::url),
        size: ["file_size", "size", "fileSize"]
            .into_iter()
            .find_map(|key| field::number(&data[key])),
        seconds: ["duration", "seconds", "length"]
            .into_iter()
            .find_map(|key| seconds(&data[key])),
        summary: summary(kind, data),
    })
}

/// Market faces arrive as pictures from some programs; `sub_type` 0 is a picture, all others (1 own sticker, 7 hot, …) are stickers.
fn is_sticker(data: &Value) -> bool {
    let sub = ["sub_type", "subType"]
        .into_iter()
        .find_map(|key| field::signed(&data[key]));
    let market = ["emoji_id", "emoji_package_id"];
    sub.is_some_and(|sub| sub > 0) || market.iter().any(|key| !field::scalar(&data[*key]).is_empty())
}

/// What a person called it. Of a file `file` is its name; of all others it is a code, and rarely a name.
fn name(kind: MediaKind, data: &Value) -> String {
    let told = field::first(data, &["name", "file_name", "filename", "fileName"]);
    let told = if told.is_empty() {
        field::scalar(&data["file"])
    } else {
        told
    };
    let foreign = ["://", "base64:", "data:"].iter().any(|sign| told.contains(sign));
    if foreign || (kind != MediaKind::File && !is_name(&told)) {
        return String::new();
    }
    // A path of the sender's machine says more than its owner wants.
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    field::line(last, 300)
}

/// Whether somebody may have typed it: codes of QQ are long hexadecimal or base64 words, with or without braces and an ending.
fn is_name(text: &str) -> bool {
    let stem = text.rsplit_once('.').map_or(text, |(stem, _)| stem);
    let word = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '{' | '}' | '+' | '/' | '=' | '$' | '~' | '@' | '`')
    };
    let hexadecimal = stem
        .chars()
        .filter(|c| !matches!(c, '-' | '{' | '}'))
        .all(|c| c.is_ascii_hexdigit());
    let code = (hexadecimal && stem.len() >= 16) || (stem.chars().all(word) && stem.len() >= 32);
    !code && text.contains('.')
}

/// What the program calls it.
fn code(kind: MediaKind, data: &Value) -> String {
    let keys: &[&str] = match kind {
        MediaKind::File => &["file_id", "id", "file_hash"],
        _ => &["file_id", "file", "emoji_id"],
    };
    let mut codes = keys.iter().map(|key| field::file(&field::scalar(&data[*key])));
    codes.find(|code| !code.is_empty()).unwrap_or_default()
}

fn seconds(value: &Value) -> Option<u32> {
    let seconds = field::number(value).filter(|n| (1..=SECONDS_MAX).contains(n));
    seconds.and_then(|n| u32::try_from(n).ok())
}

/// QQ's words, unless they only name the kind.
fn summary(kind: MediaKind, data: &Value) -> String {
    let told = unbracketed(&field::line(field::text(&data["summary"]), 200));
    if !told.is_empty() && told != "图片" {
        return told;
    }
    match kind {
        MediaKind::Picture if data["type"] == "flash" => "闪照".to_owned(),
        _ => String::new(),
    }
}

/// A file that its sender has to stay on line for. Nobody can fetch it, so it has no code.
pub(super) fn online_file(data: &Value) -> Option<Part> {
    let file = media(MediaKind::File, data)?;
    if field::flag(&data["isDir"]) == Some(true) {
        return Some(Part::Marker(format!("folder: {}", file.name)));
    }
    Some(Part::Media(Media {
        file: String::new(),
        summary: "在线文件".to_owned(),
        ..file
    }))
}

/// A bundle of files under one code (闪传). None of the calls for files takes that code.
pub(super) fn flash_transfer(data: &Value) -> Option<Part> {
    let file = media(MediaKind::File, data)?;
    Some(Part::Media(Media {
        name: field::line(field::text(&data["title"]), 300),
        file: field::file(&field::first(data, &["file_set_id", "fileSetId"])),
        summary: "闪传".to_owned(),
        ..file
    }))
}
