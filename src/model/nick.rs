//! The one nick function: from what QQ calls a person to what every XMPP server and client accepts.
//!
//! The ruler is RFC 3454 resourceprep with Unicode 3.2: ejabberd bounces, and the `jid` crate cannot hold, anything beyond it
//! (emoji, newer Hanzi). What is lost here lives on untouched in XEP-0172 `<nick/>` and the vCard.

use stringprep::tables;
use unicode_segmentation::UnicodeSegmentation;

use super::member::Member;

/// Longest nick, in characters.
const MAX_CHARS: usize = 60;
/// Longest nick, in bytes of UTF-8.
const MAX_BYTES: usize = 200;

/// The nick a member would like to have: from the card, else the nickname, else the number.
pub fn of_member(member: &Member) -> String {
    [member.card.as_str(), member.nickname.as_str()]
        .into_iter()
        .find_map(prepare)
        .or_else(|| prepare(member.id.to_string().trim_start_matches('=')))
        .unwrap_or_else(|| "QQ".to_owned())
}

/// The nicks to try in turn when `wish` is taken: `wish`, `wish (QQ)`, `wish (4321)`, then with ever more digits of the number.
pub fn candidates(wish: &str, digits: &str) -> impl Iterator<Item = String> {
    let lengths = (4..digits.len()).step_by(2).chain([digits.len()]);
    let tails: Vec<String> = lengths
        .map(|n| digits[digits.len().saturating_sub(n)..].to_owned())
        .collect();
    let wish = wish.to_owned();
    let plain = std::iter::once(wish.clone());
    plain.chain(std::iter::once("QQ".to_owned()).chain(tails).map(move |mark| {
        let room_for_mark = mark.len() + 3;
        format!(
            "{} ({mark})",
            cut(&wish, MAX_CHARS - room_for_mark, MAX_BYTES - room_for_mark)
        )
    }))
}

/// The longest beginning of a nick that has at most so many bytes and ends at a grapheme.
pub fn shortened(nick: &str, max_bytes: usize) -> &str {
    cut(nick, MAX_CHARS, max_bytes)
}

/// A name in the form that every server accepts as a resource, or nothing when no character of it survives.
pub fn prepare(name: &str) -> Option<String> {
    let kept: String = name.chars().filter(|c| !invisible(*c)).collect();
    let kept: String = kept.chars().filter_map(prepared_char).collect();
    let kept = one_direction(&kept);
    let collapsed = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = cut(&collapsed, MAX_CHARS, MAX_BYTES).trim_end();
    // A second pass: composition may make one character of two, each of which was fine alone.
    let prepared = stringprep::resourceprep(cut).ok()?;
    (!prepared.is_empty()).then(|| prepared.into_owned())
}

/// Two nicks are the same nick when this is equal: prepared and case-folded.
pub fn fold(nick: &str) -> String {
    prepare(nick)
        .unwrap_or_else(|| nick.to_owned())
        .chars()
        .flat_map(char::to_lowercase)
        .collect()
}

/// Characters that draw nothing or change how others are drawn: control, format, joiner, variation selector, tag.
fn invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || tables::private_use(c)
        || tables::tagging_character(c)
        || tables::commonly_mapped_to_nothing(c)
        || tables::change_display_properties_or_deprecated(c)
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E01EF}')
}

/// The character if resourceprep takes it alone; white space of every kind as a space.
fn prepared_char(c: char) -> Option<char> {
    if c.is_whitespace() {
        return Some(' ');
    }
    let mut buffer = [0; 4];
    // Bidirectional rules speak of whole strings and are seen to later; alone every letter keeps them.
    stringprep::resourceprep(c.encode_utf8(&mut buffer)).ok().map(|_| c)
}

/// RFC 3454 §6: a string with right-to-left letters may hold no left-to-right ones, and must begin and end with its own.
fn one_direction(name: &str) -> String {
    if stringprep::resourceprep(name).is_ok() || !name.chars().any(tables::bidi_r_or_al) {
        return name.to_owned();
    }
    if name.chars().any(tables::bidi_l) {
        return name.chars().filter(|c| !tables::bidi_r_or_al(*c)).collect();
    }
    name.trim_matches(|c| !tables::bidi_r_or_al(c)).to_owned()
}

/// The longest beginning that keeps both limits and ends at a grapheme.
fn cut(text: &str, max_chars: usize, max_bytes: usize) -> &str {
    let mut chars = 0;
    let mut end = 0;
    for (start, grapheme) in text.grapheme_indices(true) {
        chars += grapheme.chars().count();
        let next = start + grapheme.len();
        if chars > max_chars || next > max_bytes {
            break;
        }
        end = next;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberId, QqNumber, Role};

    fn member(card: &str, nickname: &str) -> Member {
        Member {
            id: MemberId::Number(QqNumber(222_333_444)),
            nickname: nickname.into(),
            card: card.into(),
            role: Role::Member,
        }
    }

    #[test]
    fn vectors() {
        for (card, nickname, nick) in [
            ("🐱猫", "", "猫"),
            ("✨", "", "222333444"),
            ("✨", "wang", "wang"),
            ("ＡＢＣ", "", "ABC"),
            ("  a \u{a0}\t b ", "", "a b"),
            ("a\u{200d}b\u{fe0f}c\u{202e}d\u{e0041}", "", "abcd"),
            ("\u{1}\u{2}", "\u{e000}", "222333444"),
            ("اسم 1", "", "اسم"),
            ("اسم Ann", "", "Ann"),
            ("小明", "ignored", "小明"),
        ] {
            assert_eq!(of_member(&member(card, nickname)), nick, "card {card:?}");
        }
    }

    #[test]
    fn is_cut_at_sixty_characters_and_two_hundred_bytes() {
        assert_eq!(prepare(&"a".repeat(99)).map(|n| n.len()), Some(60));
        assert_eq!(prepare(&"中".repeat(99)).map(|n| n.chars().count()), Some(60));
        assert!(prepare(&"中\u{301}".repeat(99)).is_some_and(|n| n.len() <= 200));
    }

    #[test]
    fn candidates_grow_by_digits_of_the_number() {
        let all: Vec<_> = candidates("ABC", "222333444").collect();
        assert_eq!(all[..3], ["ABC", "ABC (QQ)", "ABC (3444)"]);
        assert_eq!(all.last().map(String::as_str), Some("ABC (222333444)"));
        for nick in candidates(&"长".repeat(60), "222333444") {
            assert_eq!(prepare(&nick).as_ref(), Some(&nick));
        }
    }

    #[test]
    fn equal_by_fold() {
        assert_eq!(fold("ＡＢＣ"), fold("abc"));
    }

    proptest::proptest! {
        #[test]
        fn every_nick_is_a_resource(name in "\\PC{0,80}") {
            if let Some(nick) = prepare(&name) {
                let jid = jid::FullJid::new(&format!("r@d/{nick}"));
                let jid = jid.expect("a JID");
                proptest::prop_assert_eq!(jid.resource().as_str(), nick);
            }
        }
    }
}
