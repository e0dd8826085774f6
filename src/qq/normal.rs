//! The form in which two texts are the same to QQ: what we sent, and what came back as our own echo.
//! QQ escapes, widens, trims and replaces on the way; nothing of that may hide an echo.

use super::faces::{self, Known};
use super::text::{decode_entities, is_legal, narrow};
use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{Mention, Part};

/// Stands for any face: from 2018 on the service called them all by one number.
const ANY_FACE: char = '\u{fffc}';

/// The normal form of a message: entities decoded, full-width ASCII narrowed (`＜` is `<`), white space folded, every face one
/// sign, whether it came as a face, an emoji or a bracketed name.
pub fn normal_form(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(t) => push_text(&mut text, t),
            Part::Face(_) => text.push(ANY_FACE),
            Part::Mention(Mention { member: None, .. }) => text.push_str("@全体成员"),
            Part::Reply(_) => {}
            other => text.push_str(&plain_text(std::slice::from_ref(other), Language::Zh)),
        }
    }
    fold(&text)
}

fn push_text(out: &mut String, text: &str) {
    for part in faces::split(&decode_deep(text), Known::OneBot) {
        let Part::Text(text) = part else {
            out.push(ANY_FACE);
            continue;
        };
        for part in faces::split(&text, Known::WebQq) {
            match part {
                Part::Text(text) => out.push_str(&text),
                _ => out.push(ANY_FACE),
            }
        }
    }
}

/// A typed `&lt;` and an escaped `<` cannot be told apart, so both end as `<`.
fn decode_deep(text: &str) -> String {
    let mut text = text.to_owned();
    // Three levels: typed, escaped by the sender's client, escaped by the service.
    for _ in 0..3 {
        text = decode_entities(&text);
    }
    text
}

fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    let visible = text
        .chars()
        .filter(|c| is_legal(*c) && *c != '\u{fe0f}' && *c != '\u{200b}');
    for c in visible.map(narrow) {
        if c.is_whitespace() || c.is_control() {
            gap = true;
            continue;
        }
        // Clients set spaces around faces as they please.
        if gap && c != ANY_FACE && !out.is_empty() && !out.ends_with(ANY_FACE) {
            out.push(' ');
        }
        gap = false;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        normal_form(&[Part::Text(text.into())])
    }

    #[test]
    fn what_the_service_changes_does_not_matter() {
        assert_eq!(of("Ann: a < b"), of("Ann：  a&nbsp;&lt;\r\nb "));
        assert_eq!(of("a＜b＞"), of("a&amp;lt;b>"));
        assert_eq!(of("hi 🙂"), of("hi[微笑] "));
        let face = Part::Face(faces::get(344));
        let other = Part::Face(faces::of_webqq(0));
        assert_eq!(
            normal_form(&[Part::Text("x ".into()), face]),
            normal_form(&[Part::Text("x".into()), other, Part::Text(" ".into())])
        );
        assert_ne!(of("a b"), of("ab"));
    }

    proptest::proptest! {
        #[test]
        fn escaping_and_trailing_space_keep_the_form(s in "[a-z<>&🙂微 ]{0,30}") {
            let escaped = s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") + "  ";
            proptest::prop_assert_eq!(of(&s), of(&escaped));
        }
    }
}
