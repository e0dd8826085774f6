//! What a QQ member said: a body, and payloads that say what its ranges are. Ranges count code points (XEP-0428 §3, XEP-0426).
//!
//! An answer begins with lines that repeat what is answered, for clients that do not know replies (XEP-0461 §3.1):
//!
//! ```text
//!  > 小明: 早        ◄─ <fallback for='urn:xmpp:reply:0'><body start='0' end='9'/></fallback>
//!  @小明 早上好      ◄─ <mention begin='9' end='12'/>
//! ```

use minidom::Element;

use crate::model::words::plain_text;
use crate::model::{Answered, Language, Mention as Mentioned, Part, Reply as Answer};
use crate::xmpp::payload::fallback::{Fallback, Range};
use crate::xmpp::payload::mention::Mention;
use crate::xmpp::payload::ns::REPLY;
use crate::xmpp::payload::reply::Reply;
use crate::xmpp::render::Names;
use crate::xmpp::render::text::legal;

/// Longest body, in code points: with everything escaped still far below what servers take as one stanza.
const LONGEST_BODY: u32 = 20_000;
/// Lines of what is answered that are repeated, and code points in all of them.
const QUOTED_LINES: usize = 3;
const QUOTED_CHARS: usize = 200;

/// The body, and what its ranges mean. Where somebody else says it for `speaker`, their name stands before their words.
pub(super) fn said(
    names: &dyn Names,
    language: Language,
    parts: &[Part],
    mut speaker: Option<&str>,
) -> (String, Vec<Element>) {
    let mut body = Body::default();
    let mut payloads = Vec::new();
    let mut answers = false;
    for part in parts {
        match part {
            Part::Reply(Answer {
                answered: Some(answered),
                ..
            }) => {
                let range = body.push(&quote(Some(&answered.nick), &answered.text));
                if !std::mem::replace(&mut answers, true) {
                    payloads.extend(answer(names, answered, range).into_iter().flatten());
                }
            }
            Part::Reply(Answer { quote: text, .. }) => {
                body.push(&text.as_deref().map(|text| quote(None, text)).unwrap_or_default());
            }
            Part::Mention(Mentioned {
                member: Some(member), ..
            }) => {
                body.name(speaker.take());
                let range = body.push(&words(part, language));
                payloads.push(
                    Mention {
                        begin: range.start,
                        end: range.end,
                        occupantid: names.occupant_id(member),
                    }
                    .into(),
                );
            }
            _ => {
                let words = words(part, language);
                match (words.strip_prefix("/me "), speaker.take()) {
                    (Some(act), Some(name)) => body.push(&format!("* {name} {act}")),
                    (_, speaker) => {
                        body.name(speaker);
                        body.push(&words)
                    }
                };
            }
        }
        if body.full {
            break;
        }
    }
    (body.text, payloads)
}

fn words(part: &Part, language: Language) -> String {
    legal(&plain_text(std::slice::from_ref(part), language))
}

/// What is answered, and which of the body only repeats it. Without an id nobody can be pointed to it: then the lines are words.
fn answer(names: &dyn Names, answered: &Answered, range: Range) -> Option<[Element; 2]> {
    let reply = Reply {
        to: Some(names.address(&answered.nick).to_string()),
        id: names.stanza_id(answered.row)?,
    };
    let fallback = Fallback {
        for_: Some(REPLY.to_owned()),
        bodies: vec![range],
    };
    Some([reply.into(), fallback.into()])
}

/// The beginning of what is answered, as lines that begin with `> `.
fn quote(nick: Option<&str>, text: &str) -> String {
    let mut out = String::from("> ");
    if let Some(nick) = nick
        .map(|nick| legal(nick).replace('\n', " "))
        .filter(|nick| !nick.is_empty())
    {
        out.extend([&nick, ":"]);
    }
    let text = legal(text);
    let mut left = QUOTED_CHARS;
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    for (at, line) in lines.enumerate() {
        if at == QUOTED_LINES || left == 0 {
            out.push('…');
            break;
        }
        match at {
            0 if out.ends_with(':') => out.push(' '),
            0 => {}
            _ => out.push_str("\n> "),
        }
        let kept: String = line.chars().take(left).collect();
        left -= kept.chars().count();
        out.push_str(&kept);
        if kept.len() < line.len() {
            out.push('…');
            break;
        }
    }
    out.push('\n');
    out
}

/// A body as it grows.
#[derive(Debug, Default)]
struct Body {
    text: String,
    chars: u32,
    full: bool,
}

impl Body {
    /// Who speaks, where it is said for them.
    fn name(&mut self, speaker: Option<&str>) {
        if let Some(speaker) = speaker {
            self.push(&format!("{speaker}: "));
        }
    }

    /// Appends a text and says where it stands. What would be too much is cut.
    fn push(&mut self, text: &str) -> Range {
        let start = self.chars;
        for c in text.chars() {
            if self.chars >= LONGEST_BODY {
                self.full = true;
                self.text.push('…');
                break;
            }
            self.text.push(c);
            self.chars += 1;
        }
        Range {
            start: Some(start),
            end: Some(self.chars),
        }
    }
}
