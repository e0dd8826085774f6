//! The `content` array of messages, both ways. Pure.

use serde_json::{Value, json};

use super::era::Era;
use super::picture::{self, Origin};
use super::wire;
use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{Face, Media, MediaKind, Part};
use crate::qq::faces;
use crate::qq::text::{clean_lines, decode_entities};

/// What is read of one message: more is no message of a person.
const ELEMENTS_MAX: usize = 1000;
const TEXT_MAX: usize = 64 << 10;
/// A tip that the 2013 client put under every message.
const TIPS: [&str; 2] = [
    "【提示：此用户正在使用Q+ Web：http://web.qq.com/】",
    "【提示：此用户正在使用Q+ Web：http://web3.qq.com/】",
];
/// All that is legible of a message that the service itself makes now and then, of a font block gone astray.
const JUNK: &str = "宋体";

/// How the service of this login names faces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaceNumbers {
    /// Each by its own number.
    Own,
    /// All by 0 (from about April 2018).
    AllZero,
}

/// What has to be known to read a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) era: Era,
    pub(super) faces: FaceNumbers,
    /// Whose message it is: pictures are asked for by that.
    pub(super) origin: Origin,
}

/// Reads a received `content`. Nothing for the service's junk; never an empty list otherwise: a message without anything is a
/// picture that `SmartQQ` withholds, or the big moving face of 2013.
pub(super) fn read(content: &Value, reading: Reading) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let elements = wire::items(content);
    for element in elements.iter().take(ELEMENTS_MAX) {
        if let Some(piece) = element.as_str() {
            if is_junk(piece) {
                return None;
            }
            push_text(&mut text, piece);
            continue;
        }
        let Some(part) = read_array(element, reading) else {
            continue;
        };
        flush(&mut parts, &mut text);
        parts.push(part);
    }
    // One trailing space is the service's own; behind a face it is an element of its own.
    if text.ends_with(' ') {
        text.pop();
    }
    flush(&mut parts, &mut text);
    if parts.is_empty() || matches!(parts.as_slice(), [Part::Text(text)] if text.trim().is_empty()) {
        return Some(vec![withheld(reading.era)]);
    }
    Some(parts)
}

/// `" \0\n\0\0\0\0\x02宋体\r"`, also when the control characters were mended away. People do not type it so.
fn is_junk(piece: &str) -> bool {
    let blank = |c: char| c.is_control() || c.is_whitespace();
    piece.trim_matches(blank) == JUNK && piece.len() > JUNK.len() + 4 && piece.starts_with(blank)
}

fn withheld(era: Era) -> Part {
    if !era.tells_pictures() {
        return Part::Marker("picture".to_owned());
    }
    Part::Media(Media {
        kind: MediaKind::Sticker,
        name: String::new(),
        file: String::new(),
        url: None,
        size: None,
        seconds: None,
        summary: String::new(),
    })
}

fn push_text(text: &mut String, piece: &str) {
    // The service escapes, and escapes the escape.
    let piece = decode_entities(&piece.replace("\\u0026", "&"));
    let mut piece = clean_lines(&piece);
    for tip in TIPS {
        piece = piece.replace(tip, "");
    }
    let room = TEXT_MAX.saturating_sub(text.len());
    let end = (0..=room.min(piece.len())).rev().find(|at| piece.is_char_boundary(*at));
    text.push_str(&piece[..end.unwrap_or(0)]);
}

fn flush(parts: &mut Vec<Part>, text: &mut String) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}

fn read_array(element: &Value, reading: Reading) -> Option<Part> {
    match element.get(0)?.as_str()? {
        "font" => None,
        "face" => Some(Part::Face(read_face(wire::number(&element[1]), reading.faces))),
        "cface" | "offpic" | "cface_idx" | "pic_id" | "image" => Some(picture::read(element, reading.origin)),
        _ => Some(Part::Marker("something that cannot be shown here".to_owned())),
    }
}

fn read_face(number: Option<u64>, numbers: FaceNumbers) -> Face {
    let number = number.and_then(|n| u32::try_from(n).ok());
    match (number, numbers) {
        (Some(0), FaceNumbers::AllZero) | (None, _) => Face {
            id: 0,
            name: "表情".to_owned(),
            emoji: None,
        },
        (Some(number), _) => faces::of_webqq(number),
    }
}

/// Writes the `content` of a message to be sent: a JSON text, with the font block last. `tail` is put behind everything.
pub(super) fn write(parts: &[Part], tail: &str) -> String {
    let mut elements: Vec<Value> = Vec::new();
    let mut text = String::new();
    for part in parts {
        let number = match part {
            Part::Face(face) => faces::webqq_number(face.id),
            _ => None,
        };
        let Some(number) = number else {
            text.push_str(&safe(&plain_text(std::slice::from_ref(part), Language::Zh)));
            continue;
        };
        if !text.is_empty() {
            elements.push(std::mem::take(&mut text).into());
        }
        elements.push(json!(["face", number]));
    }
    text.push_str(tail);
    // The service wants at least one string.
    if text.is_empty() && !elements.iter().any(Value::is_string) {
        text.push(' ');
    }
    if !text.is_empty() {
        elements.push(text.into());
    }
    elements.push(json!(["font", {"name": "宋体", "size": 10, "style": [0, 0, 0], "color": "000000"}]));
    Value::from(elements).to_string()
}

/// What stands behind a `<` could vanish.
fn safe(text: &str) -> String {
    clean_lines(text).replace('<', "＜").replace('>', "＞")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qq::normal::normal_form;

    const READING: Reading = Reading {
        era: Era::S15,
        faces: FaceNumbers::Own,
        origin: Origin::Group { code: 5, sender: 7 },
    };

    fn read_own(content: &Value) -> Vec<Part> {
        read(content, READING).expect("a message")
    }

    fn shown(content: &Value) -> String {
        plain_text(&read_own(content), Language::Zh)
    }

    fn font() -> Value {
        json!(["font", {"size": 10, "color": "000000", "style": [0, 0, 0], "name": "\u{5B8B}\u{4F53}"}])
    }

    #[test]
    fn samples_of_both_eras() {
        assert_eq!(shown(&json!([font(), "hello "])), "hello");
        assert_eq!(shown(&json!([font(), "大家好", ["face", 14], " "])), "大家好🙂");
        assert_eq!(shown(&json!([font(), "好啊"])), "好啊");
        assert_eq!(shown(&json!([font(), "a\rb\r\nc"])), "a\nb\nc");
        assert_eq!(shown(&json!([font(), "a &lt;b&gt; \\u0026lt;c"])), "a <b> <c");
        assert_eq!(
            shown(&json!([font(), "hi【提示：此用户正在使用Q+ Web：http://web.qq.com/】"])),
            "hi"
        );
        assert_eq!(shown(&json!([font(), ["face", "50"], ["face", 9999]])), "🙁[表情9999]");
        let picture = json!(["cface", {"name": "{GUID}.jpg", "file_id": 2_059_500_001_u64, "key": " ", "server": "183.60.0.2:8000"}]);
        let parts = read_own(&json!([font(), "look", picture, " "]));
        assert_eq!(plain_text(&parts, Language::En), "look[picture]");
        assert!(matches!(&parts[1], Part::Media(media) if media.file.contains("gid=5&uin=7&") && media.url.is_none()));
        for element in [
            json!(["offpic", {"success": 1, "file_path": "/f3"}]),
            json!(["cface_idx", 1]),
            json!(["pic_id", 1]),
        ] {
            assert_eq!(shown(&json!([font(), element])), "[图片]");
        }
    }

    #[test]
    fn nothing_is_a_picture_and_junk_is_nothing() {
        for content in [
            json!([font()]),
            json!([""]),
            json!([]),
            json!(null),
            json!("x"),
            json!([font(), " "]),
        ] {
            assert_eq!(shown(&content), "[picture]", "{content}");
        }
        let of_2013 = Reading {
            era: Era::W13,
            ..READING
        };
        let big = read(&json!([""]), of_2013).expect("a message");
        assert_eq!(plain_text(&big, Language::En), "[sticker]");
        for junk in [" \0\n\0\0\0\0\u{2}宋体\r", "        宋体 "] {
            assert_eq!(read(&json!([font(), junk]), READING), None, "{junk:?}");
        }
        assert_eq!(shown(&json!([font(), "宋体 "])), "宋体");
        assert_eq!(shown(&json!([font(), "用宋体"])), "用宋体");
    }

    #[test]
    fn all_faces_may_be_zero() {
        let content = json!([font(), ["face", 0]]);
        assert_eq!(shown(&content), "😮");
        assert_eq!(
            read(
                &content,
                Reading {
                    faces: FaceNumbers::AllZero,
                    ..READING
                }
            )
            .map(|p| plain_text(&p, Language::Zh))
            .as_deref(),
            Some("[表情]")
        );
    }

    #[test]
    fn hostile_content_is_bounded() {
        let content = json!([["face"], [], [[]], {"a": 1}, 5, ["face", -1], "x\u{0}\u{1}y", "猫".repeat(100_000)]);
        let parts = read_own(&content);
        assert!(plain_text(&parts, Language::Zh).len() <= TEXT_MAX + 100);
        assert!(plain_text(&parts, Language::Zh).contains("xy猫"));
        assert!(read_own(&Value::from(vec![json!(["face", 14]); 5000])).len() <= ELEMENTS_MAX);
    }

    #[test]
    fn sent_content_ends_with_the_font_and_has_a_string() {
        let parts = [Part::Text("hello \"q\" \\ <中>\n".into()), Part::Face(faces::get(15))];
        let content: Value = serde_json::from_str(&write(&parts, "")).expect("JSON");
        assert_eq!(content[0], "hello \"q\" \\ ＜中＞\n");
        assert_eq!(content[1], json!(["face", 50]));
        assert_eq!(content[2][0], "font");
        let face: Value = serde_json::from_str(&write(&parts[1..], "")).expect("JSON");
        assert_eq!((&face[1], &face[2][0]), (&json!(" "), &json!("font")));
        let modern: Value = serde_json::from_str(&write(&[Part::Face(faces::get(344))], "")).expect("JSON");
        assert!(modern[0].is_string());
    }

    #[test]
    fn an_echo_has_the_normal_form_of_what_was_sent() {
        let parts = [
            Part::Text("Ann: a < b & c ".into()),
            Part::Face(faces::get(14)),
            Part::Face(faces::get(344)),
        ];
        let echo: Value = serde_json::from_str(&write(&parts, "  ")).expect("JSON");
        let form = |parts: &[Part]| normal_form(parts, faces::Known::WebQq);
        assert_eq!(form(&read_own(&echo)), form(&parts));
    }
}
