//! The table of QQ system faces (表情): names and emoji, and their numbers in each protocol.
//!
//! [`Face::id`] is the id of today's QQ. The web protocol counts differently (难过 is 15, and 50 there), so its session
//! translates with [`of_webqq`] and [`webqq_number`].

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

use crate::model::{Face, Part};

/// Which protocol's faces are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Those that the web protocol can carry.
    WebQq,
    /// Those that `OneBot` can carry.
    OneBot,
}

/// One row of the table.
struct Row {
    onebot: bool,
    webqq: Option<u32>,
    face: Face,
}

/// The table with its indexes; the first row wins where several share a key.
struct Table {
    rows: Vec<Row>,
    by_id: HashMap<u32, usize>,
    by_webqq: HashMap<u32, usize>,
    /// Emoji without variation selectors, and `[name]`.
    by_sign: [HashMap<String, usize>; 2],
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("faces.tsv")));

impl Table {
    fn read(tsv: &str) -> Self {
        let rows: Vec<Row> = tsv.lines().filter(|line| !line.starts_with('#')).map(row).collect();
        let mut table = Self {
            by_id: HashMap::new(),
            by_webqq: HashMap::new(),
            by_sign: [HashMap::new(), HashMap::new()],
            rows: Vec::new(),
        };
        for (at, row) in rows.iter().enumerate() {
            // Rows of today's QQ come before rows of the same id that only the web protocol knows.
            table.by_id.entry(row.face.id).or_insert(at);
            if let Some(number) = row.webqq {
                table.by_webqq.entry(number).or_insert(at);
                sign(&mut table.by_sign[0], row, at);
            }
            if row.onebot {
                sign(&mut table.by_sign[1], row, at);
            }
        }
        table.rows = rows;
        table
    }

    fn signs(&self, known: Known) -> &HashMap<String, usize> {
        match known {
            Known::WebQq => &self.by_sign[0],
            Known::OneBot => &self.by_sign[1],
        }
    }
}

fn row(line: &str) -> Row {
    let mut cells = line.split('\t');
    let mut cell = || cells.next().unwrap_or_default();
    let (id, onebot, webqq, name, emoji) = (cell(), cell(), cell(), cell(), cell());
    Row {
        onebot: !onebot.is_empty(),
        webqq: webqq.parse().ok(),
        face: Face {
            id: id.parse().expect("the table's first column is a number"),
            name: name.to_owned(),
            emoji: (!emoji.is_empty()).then(|| emoji.to_owned()),
        },
    }
}

fn sign(signs: &mut HashMap<String, usize>, row: &Row, at: usize) {
    if let Some(emoji) = &row.face.emoji {
        signs.entry(bare(emoji)).or_insert(at);
    }
    // `[OK]` and `[NO]` are what programmers write; only Chinese names are meant as faces.
    if !row.face.name.is_ascii() {
        signs.entry(format!("[{}]", row.face.name)).or_insert(at);
    }
}

/// An emoji without variation selectors: `☺` and `☺️` are one sign.
fn bare(emoji: &str) -> String {
    emoji.chars().filter(|c| *c != '\u{fe0f}').collect()
}

/// The face with this id of today's QQ; an unknown id has no name.
pub fn get(id: u32) -> Face {
    TABLE
        .by_id
        .get(&id)
        .map_or_else(|| unknown(id), |at| TABLE.rows[*at].face.clone())
}

/// The face that the web protocol calls `number`.
pub fn of_webqq(number: u32) -> Face {
    let row = TABLE.by_webqq.get(&number);
    row.map_or_else(|| unknown(number), |at| TABLE.rows[*at].face.clone())
}

/// What the web protocol calls this face, if it has it.
pub fn webqq_number(id: u32) -> Option<u32> {
    let mut rows = TABLE.rows.iter().filter(|row| row.face.id == id);
    rows.find_map(|row| row.webqq)
}

/// Whether today's QQ has this face: what it does not know it drops in silence.
pub fn in_onebot(id: u32) -> bool {
    TABLE.by_id.get(&id).is_some_and(|at| TABLE.rows[*at].onebot)
}

/// The face of today's QQ that this emoji says, variation selectors aside.
pub fn of_emoji(emoji: &str) -> Option<u32> {
    let emoji = bare(emoji);
    // A sign in brackets is a name, not an emoji.
    let at = TABLE
        .signs(Known::OneBot)
        .get(&emoji)
        .filter(|_| !emoji.starts_with('['))?;
    Some(TABLE.rows[*at].face.id)
}

fn unknown(id: u32) -> Face {
    Face {
        id,
        name: String::new(),
        emoji: None,
    }
}

/// Text on its way to QQ: an emoji that is exactly a face's, and `[微笑]` with a known name, become that face. Emoji that are
/// part of a longer sequence (joined, with a skin tone) stay as they are.
pub fn split(text: &str, known: Known) -> Vec<Part> {
    let signs = TABLE.signs(known);
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(grapheme) = rest.graphemes(true).next() {
        let (length, face) = bracketed(rest, signs).unwrap_or_else(|| {
            let at = (!grapheme.is_ascii()).then(|| signs.get(&bare(grapheme))).flatten();
            (grapheme.len(), at.copied())
        });
        match face {
            Some(at) => {
                flush(&mut parts, &mut plain);
                parts.push(Part::Face(TABLE.rows[at].face.clone()));
            }
            None => plain.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    flush(&mut parts, &mut plain);
    parts
}

/// `[name]` at the beginning, with the length it takes.
fn bracketed(text: &str, signs: &HashMap<String, usize>) -> Option<(usize, Option<usize>)> {
    /// No name is longer; keeps a line of brackets from being searched to its end again and again.
    const LONGEST: usize = 40;
    if !text.starts_with('[') {
        return None;
    }
    let end = text.bytes().take(LONGEST).position(|b| b == b']')? + 1;
    let at = signs.get(&text[..end])?;
    Some((end, Some(*at)))
}

fn flush(parts: &mut Vec<Part>, plain: &mut String) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Language;
    use crate::model::words::plain_text;

    fn faces(text: &str, known: Known) -> Vec<Result<u32, String>> {
        split(text, known)
            .into_iter()
            .map(|part| match part {
                Part::Face(face) => Ok(face.id),
                other => Err(plain_text(&[other], Language::Zh)),
            })
            .collect()
    }

    fn text(text: &str) -> Result<u32, String> {
        Err(text.to_owned())
    }

    #[test]
    fn classic_numbers_are_translated() {
        for (number, id, name) in [
            (14, 14, "微笑"),
            (0, 0, "惊讶"),
            (50, 15, "难过"),
            (54, 19, "吐"),
            (32, 89, "西瓜"),
        ] {
            let face = of_webqq(number);
            assert_eq!((face.id, face.name.as_str()), (id, name));
            assert_eq!(webqq_number(id), Some(number));
        }
        assert_eq!(of_webqq(58).name, "大兵");
        assert_eq!(get(29).name, "悠闲");
        assert_eq!(of_webqq(46).name, "强");
        assert_eq!(plain_text(&[Part::Face(of_webqq(9999))], Language::Zh), "[表情9999]");
        assert_eq!(webqq_number(344), None);
    }

    #[test]
    fn names_and_emoji_become_faces() {
        assert_eq!(faces("a🙂b", Known::WebQq), [text("a"), Ok(14), text("b")]);
        assert_eq!(faces("[微笑][无此][OK]", Known::WebQq), [Ok(14), text("[无此][OK]")]);
        assert_eq!(faces("[[微笑]]", Known::WebQq), [text("["), Ok(14), text("]")]);
        assert_eq!(faces("☕️☕", Known::OneBot), [Ok(60), Ok(60)]);
    }

    #[test]
    fn sequences_stay_whole() {
        for whole in ["👍🏽", "👨‍👩‍👧", "👁️‍🗨️", "1️⃣", "👋🏿"] {
            assert_eq!(faces(whole, Known::OneBot), [text(whole)], "{whole}");
        }
    }

    #[test]
    fn only_what_the_protocol_knows() {
        let modern = format!("[{}]", get(344).name);
        assert_eq!(faces(&modern, Known::OneBot), [Ok(344)]);
        assert_eq!(faces(&modern, Known::WebQq), [Err(modern.clone())]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(s in "[ -~]{0,12}|[\\[\\]微笑🙂]{0,12}|\\PC{0,40}") {
            let text_only: String = split(&s, Known::OneBot).iter().filter_map(|p| match p {
                Part::Text(t) => Some(t.as_str()),
                _ => None,
            }).collect();
            proptest::prop_assert!(text_only.len() <= s.len());
            if split(&s, Known::OneBot).iter().all(|p| matches!(p, Part::Text(_))) {
                proptest::prop_assert_eq!(text_only, s);
            }
        }
    }
}
