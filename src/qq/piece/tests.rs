use proptest::prelude::*;

use super::*;
use crate::model::{MemberId, QqNumber};
use crate::qq::faces;

const SMALL: Limits = Limits {
    max: 20,
    unit: Unit::Bytes,
    face: 12,
};

fn pieces(text: &str, prefix: &str, limits: Limits) -> Vec<String> {
    split(vec![Part::Text(text.into())], prefix, limits)
        .iter()
        .map(|piece| plain_text(piece, Language::Zh))
        .collect()
}

#[test]
fn what_fits_is_one_piece() {
    assert_eq!(pieces("hello\nworld", "Ann: ", Limits::webqq()), ["Ann: hello\nworld"]);
    assert_eq!(pieces(" \n ", "Ann: ", SMALL), [""; 0]);
}

#[test]
fn lines_before_words_before_graphemes() {
    assert_eq!(
        pieces("first line\nsecond one", "A: ", SMALL),
        ["A: first line", "… second one"]
    );
    assert_eq!(
        pieces("one two three four", "A: ", SMALL),
        ["A: one two three", "… four"]
    );
    assert_eq!(pieces("猫猫猫猫猫猫猫", "A: ", SMALL), ["A: 猫猫猫猫猫", "… 猫猫"]);
    let family = "👨‍👩‍👧";
    let limits = Limits { max: 24, ..SMALL };
    assert_eq!(
        pieces(&format!("0123456{family}"), "", limits),
        ["0123456".to_owned(), format!("… {family}")]
    );
}

#[test]
fn faces_and_mentions_are_never_cut() {
    let mention = Part::Mention(Mention {
        member: Some(MemberId::Number(QqNumber(222_333_444))),
        name: "小明".into(),
    });
    let face = Part::Face(faces::get(14));
    let got = split(
        vec![Part::Text("0123456789".into()), mention.clone(), face.clone()],
        "A: ",
        SMALL,
    );
    assert_eq!(
        got,
        [
            vec![Part::Text("A: 0123456789".into()), mention],
            vec![Part::Text("… ".into()), face]
        ]
    );
}

#[test]
fn angle_brackets_count_as_they_go_out() {
    assert_eq!(pieces("<<<<<<<<", "", SMALL).len(), 2);
}

#[test]
fn absurd_prefixes_and_graphemes_come_through() {
    let zalgo = format!("e{}", "\u{301}".repeat(500));
    for piece in split(vec![Part::Text(zalgo)], &"x".repeat(999), SMALL) {
        assert!(SMALL.of(&piece) <= SMALL.max);
    }
}

fn any_parts() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        "[a-z<> \n]{0,60}".prop_map(Part::Text),
        "\\PC{0,30}".prop_map(Part::Text),
        "[猫🙂👨‍👩‍👧 ]{0,30}".prop_map(Part::Text),
        (0_u32..130).prop_map(|id| Part::Face(faces::get(id))),
    ];
    proptest::collection::vec(part, 0..8)
}

fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn joined_they_are_the_message_and_each_is_within_limits(parts in any_parts(), prefix in "[A-Za-z猫]{0,6}") {
        for limits in [SMALL, Limits { max: 16, unit: Unit::Chars, face: 1 }] {
            let pieces = split(parts.clone(), &prefix, limits);
            let mut joined = String::new();
            for (at, piece) in pieces.iter().enumerate() {
                prop_assert!(limits.of(piece) <= limits.max, "{piece:?}");
                let text = plain_text(piece, Language::Zh);
                let begin = if at == 0 { cut_prefix(&prefix, limits) } else { GOES_ON };
                prop_assert!(text.starts_with(begin));
                joined.push_str(&text[begin.len()..]);
            }
            prop_assert_eq!(dense(&joined), dense(&plain_text(&parts, Language::Zh)));
        }
    }
}
