//! Emoji and the ids that QQ reacts with: a face (type 1), or the decimal code point of an emoji (type 2). Pure.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::qq::faces;

/// Which kind of id it is; some calls ask for it (`emojiType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A QQ face; the id is the face's.
    Face = 1,
    /// An emoji; the id is its code point.
    Emoji = 2,
}

/// What QQ calls a reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    /// Decimal digits.
    pub(super) id: String,
    /// Which kind of id.
    pub(super) kind: Kind,
}

/// Faces have ids below, emoji above.
const FACES_END: u32 = 1000;

/// The emoji by their code points, and whether QQ's own picker still offers them.
static EMOJI: LazyLock<HashMap<u32, (&str, bool)>> = LazyLock::new(|| {
    let rows = include_str!("../reactions.tsv").lines();
    rows.filter(|line| !line.starts_with('#')).map(row).collect()
});

fn row(line: &'static str) -> (u32, (&'static str, bool)) {
    let mut cells = line.split('\t');
    let id = cells.next().and_then(|id| id.parse().ok());
    let emoji = cells.next().unwrap_or_default();
    let hidden = cells.nth(1).is_some_and(|cell| !cell.is_empty());
    (id.expect("the table's first column is a number"), (emoji, !hidden))
}

/// QQ's id for reacting with this emoji, whatever its skin; nothing for an emoji that QQ has none for. The emoji itself where QQ
/// offers it, else a face that says the same, else an emoji that QQ offered once.
pub(super) fn id(emoji: &str) -> Option<Id> {
    let bare: String = emoji
        .chars()
        .filter(|c| !matches!(c, '\u{fe0f}' | '\u{fe0e}' | '\u{1f3fb}'..='\u{1f3ff}'))
        .collect();
    let mut chars = bare.chars();
    let code = chars.next().filter(|_| chars.next().is_none()).map(u32::from);
    let offered = |wanted: bool| {
        let code = code.filter(|code| EMOJI.get(code).is_some_and(|(_, offered)| *offered == wanted))?;
        Some(Id {
            id: code.to_string(),
            kind: Kind::Emoji,
        })
    };
    let face = || {
        Some(Id {
            id: faces::of_emoji(&bare)?.to_string(),
            kind: Kind::Face,
        })
    };
    offered(true).or_else(face).or_else(|| offered(false))
}

/// The emoji that QQ's id stands for; nothing for a face that no emoji says, and for what is no emoji.
pub(super) fn emoji(id: &str) -> Option<String> {
    let code: u32 = id.trim().parse().ok()?;
    if code < FACES_END {
        return faces::get(code).emoji;
    }
    if let Some((emoji, _)) = EMOJI.get(&code) {
        return Some((*emoji).to_owned());
    }
    // One that is newer than the table.
    let pictures = (0x1f300..=0x1faff).contains(&code) && !(0x1f3fb..=0x1f3ff).contains(&code);
    let signs = (0x2190..=0x2bff).contains(&code) || matches!(code, 0x203c | 0x2049 | 0x3297 | 0x3299);
    match char::from_u32(code)? {
        c if pictures => Some(c.to_string()),
        c if signs => Some(format!("{c}\u{fe0f}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(emoji: &str) -> Option<(String, u8)> {
        id(emoji).map(|id| (id.id, id.kind as u8))
    }

    #[test]
    fn emoji_have_their_code_point_else_a_face() {
        assert_eq!(code("👍"), Some(("128077".into(), 2)));
        assert_eq!(code("👍🏽"), Some(("128077".into(), 2)));
        assert_eq!(code("☀"), code("☀️"));
        assert_eq!(code("❤️"), Some(("66".into(), 1)));
        assert_eq!(code("🙂"), Some(("14".into(), 1)));
        for none in ["", "a", "1", "👨‍👩‍👧", "🇨🇳", "1️⃣", "👍👍", "🏽", "\u{fe0f}"] {
            assert_eq!(code(none), None, "{none}");
        }
    }

    #[test]
    fn ids_become_emoji() {
        assert_eq!(emoji("76").as_deref(), Some("👍"));
        assert_eq!(emoji("128077").as_deref(), Some("👍"));
        assert_eq!(emoji("9728").as_deref(), Some("☀️"));
        assert_eq!(emoji("12951").as_deref(), Some("㊗️"));
        assert_eq!(emoji("129782").as_deref(), Some("\u{1faf6}"));
        for none in [
            "",
            "x",
            "-1",
            "999",
            "1000",
            "65",
            "8232",
            "127995",
            "55296",
            "99999999999",
        ] {
            assert_eq!(emoji(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_sent_comes_back_as_the_same_emoji() {
        let bare = |emoji: &str| emoji.replace('\u{fe0f}', "");
        for (code, (sign, _)) in EMOJI.iter() {
            let sent = id(sign).unwrap_or_else(|| panic!("{sign} {code} has no id"));
            assert_eq!(emoji(&sent.id).map(|e| bare(&e)), Some(bare(sign)));
        }
        for face in 0..FACES_END {
            if let Some(sign) = emoji(&face.to_string()) {
                let sent = id(&sign).unwrap_or_else(|| panic!("{sign} {face} has no id"));
                assert_eq!(emoji(&sent.id).map(|e| bare(&e)), Some(bare(&sign)));
            }
        }
    }
}
