//! The form in which two texts are the same to QQ: what we sent, and what came back as our own echo.
//! QQ escapes, widens, trims and replaces on the way; nothing of that may hide an echo.

use super::faces::{self, Known};
use super::text::{decode_entities, is_legal, narrow};
use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{MemberId, Mention, Part};

/// Stands for any face: from 2018 on the service called them all by one number.
const ANY_FACE: char = '\u{fffc}';
/// Stands for any mention of a member.
const MENTION: char = '\u{fff9}';
/// Stands for the mention of everybody.
const EVERYBODY: char = '\u{fffa}';
const SIGNS: [char; 3] = [ANY_FACE, MENTION, EVERYBODY];

/// The normal form of a message in this protocol: entities decoded, full-width ASCII narrowed (`＜` is `<`), white space folded,
/// every face one sign, whether it came as a face, an emoji or a bracketed name.
///
/// The web protocol has no mentions: they go and come back as text. `OneBot` has: whom we mention by the nick in the room comes
/// back under the name in the group, or under none, so there a mention is one sign as well. A reply counts for nothing, and with
/// it the mention of the answered that QQ sets behind it: either may be missing in the echo.
pub fn normal_form(parts: &[Part], protocol: Known) -> String {
    let mut text = String::new();
    let mut behind_reply = false;
    for part in parts {
        match part {
            Part::Text(t) => push_text(&mut text, t),
            // What the table does not have goes as text, and comes back so.
            Part::Face(face) if !faces::get(face.id).name.is_empty() => text.push(ANY_FACE),
            Part::Reply(_) => {}
            Part::Mention(mention) if protocol == Known::OneBot => push_mention(&mut text, mention, behind_reply),
            other => push_text(&mut text, &plain_text(std::slice::from_ref(other), Language::Zh)),
        }
        behind_reply = matches!(part, Part::Reply(_));
    }
    fold(&text)
}

fn push_mention(out: &mut String, mention: &Mention, behind_reply: bool) {
    match &mention.member {
        _ if behind_reply => {}
        None => out.push(EVERYBODY),
        Some(MemberId::Number(_)) => out.push(MENTION),
        // Nobody can be mentioned by name: it goes as text.
        Some(MemberId::Named(_)) => {
            let part = Part::Mention(mention.clone());
            push_text(out, &plain_text(&[part], Language::Zh));
        }
    }
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
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        if c.is_control() {
            continue;
        }
        // Clients set spaces around faces and behind mentions as they please.
        if gap && !SIGNS.contains(&c) && !out.is_empty() && !out.ends_with(SIGNS) {
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
        normal_form(&[Part::Text(text.into())], Known::WebQq)
    }

    #[test]
    fn what_the_service_changes_does_not_matter() {
        assert_eq!(of("Ann: a < b"), of("Ann：  a&nbsp;&lt;\r\nb "));
        assert_eq!(of("a＜b＞"), of("a&amp;lt;b>"));
        assert_eq!(of("hi 🙂"), of("hi[微笑] "));
        let face = Part::Face(faces::get(344));
        let other = Part::Face(faces::of_webqq(0));
        assert_eq!(
            normal_form(&[Part::Text("x ".into()), face], Known::WebQq),
            normal_form(&[Part::Text("x".into()), other, Part::Text(" ".into())], Known::WebQq)
        );
        assert_ne!(of("a b"), of("ab"));
    }

    #[test]
    fn a_mention_comes_back_under_another_name_or_none() {
        let mention = |name: &str| {
            Part::Mention(Mention {
                member: Some(MemberId::Number(crate::model::QqNumber(7))),
                name: name.into(),
            })
        };
        let sent = [text("Ann: "), mention("Bob Lee"), text("hi")];
        let form = normal_form(&sent, Known::OneBot);
        for name in ["", "bob", "@bob"] {
            let echo = [text("Ann: "), mention(name), text(" hi ")];
            assert_eq!(normal_form(&echo, Known::OneBot), form);
        }
        assert_ne!(normal_form(&[text("Ann: hi")], Known::OneBot), form);
        let as_text = [text("Ann: @Bob Lee hi")];
        let sent = [text("Ann: "), mention("Bob Lee"), text(" hi")];
        assert_eq!(normal_form(&sent, Known::WebQq), normal_form(&as_text, Known::WebQq));
    }

    #[test]
    fn a_reply_may_be_lost_and_the_answered_be_mentioned() {
        let reply = Part::Reply(crate::model::Reply {
            handle: crate::model::Handle("5".into()),
            quote: None,
            answered: None,
        });
        let author = Part::Mention(Mention {
            member: Some(MemberId::Number(crate::model::QqNumber(8))),
            name: "bob".into(),
        });
        let sent = normal_form(&[reply.clone(), text("Ann: yes")], Known::OneBot);
        assert_eq!(sent, normal_form(&[text("Ann: yes")], Known::OneBot));
        assert_eq!(sent, normal_form(&[reply, author, text(" Ann: yes")], Known::OneBot));
    }

    fn text(text: &str) -> Part {
        Part::Text(text.into())
    }

    proptest::proptest! {
        #[test]
        fn escaping_and_trailing_space_keep_the_form(s in "[a-z<>&🙂微 ]{0,30}") {
            let escaped = s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") + "  ";
            proptest::prop_assert_eq!(of(&s), of(&escaped));
        }
    }
}
