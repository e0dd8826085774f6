//! Parts written as segments and read back: as a peer gives them back, as the echo of what was said.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{everybody, mention, reply, text};
use crate::model::{Card, Game, MemberId, Mention, Part};
use crate::qq::faces::{self, Known};
use crate::qq::normal::normal_form;
use crate::qq::onebot::event::{self, Event};
use crate::qq::onebot::segment::{read, write};

#[test]
fn what_is_written_is_an_array_of_texts() {
    let parts = [
        text("Ann: "),
        mention(7, "bob"),
        text("hi\u{7}"),
        reply("-5"),
        Part::Face(faces::get(14)),
        everybody(),
    ];
    let expected = json!([
        {"type": "reply", "data": {"id": "-5"}},
        {"type": "text", "data": {"text": "Ann: "}},
        {"type": "at", "data": {"qq": "7"}},
        {"type": "text", "data": {"text": " hi"}},
        {"type": "face", "data": {"id": "14"}},
        {"type": "at", "data": {"qq": "all"}},
    ]);
    assert_eq!(Value::from(write(&parts)), expected);
    let card = Part::Card(Card {
        title: "Rust".into(),
        ..Card::default()
    });
    let named = Part::Mention(Mention {
        member: Some(MemberId::Named("猫".into())),
        name: "猫".into(),
    });
    let unknown = Part::Face(faces::get(99_999));
    let expected = json!([{"type": "text", "data": {"text": "[卡片：Rust]@猫[表情99999]🎲"}}]);
    assert_eq!(
        Value::from(write(&[card, named, unknown, Part::Game(Game::Dice(None))])),
        expected
    );
}

/// The normal form of what is sent, and of its echo.
fn forms(parts: &[Part]) -> [String; 2] {
    let echo = read(&write(parts).into());
    [parts, &echo].map(|parts| normal_form(parts, Known::OneBot))
}

#[test]
fn an_echo_has_the_form_of_what_was_sent() {
    for sent in [
        vec![text("Ann: "), mention(7, "Bob Lee"), text("hi")],
        vec![reply("5"), text("Ann:\u{85}a\u{7f}b "), mention(7, "")],
        vec![everybody(), text("hi")],
        vec![text("a < b &amp; [微笑] 🙂👍🏽 [CQ:at,qq=all] [emm]")],
    ] {
        let [sent, echo] = forms(&sent);
        assert_eq!(sent, echo);
    }
    for id in (0..600).chain([1_000_000]) {
        let [sent, echo] = forms(&[text("a"), Part::Face(faces::get(id)), text("b")]);
        assert_eq!(sent, echo, "face {id}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "data",
        "text",
        "at",
        "reply",
        "face",
        "image",
        "file",
        "forward",
        "content",
        "json",
        "xml",
        "node",
        "id",
        "qq",
        "url",
        "result",
        "sender",
        "message",
        "{\"app\":\"com.tencent.multimsg\"}",
        "0",
        "-1",
        "18446744073709551616",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|entries| Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            )),
        ]
    })
}

fn sendable() -> impl Strategy<Value = Part> {
    prop_oneof![
        "[ -~猫\n]{1,10}".prop_map(|said| text(&said)),
        (1_u64..u64::MAX).prop_map(|number| mention(number, "")),
        Just(everybody()),
        (0_u32..500)
            .prop_filter("a face of today", |id| faces::in_onebot(*id))
            .prop_map(|id| Part::Face(faces::get(id))),
    ]
}

/// Parts as they come back: texts side by side are one, and begin with white space behind a mention.
fn joined(parts: &[Part]) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::new();
    for part in parts {
        let behind_mention = matches!(out.last(), Some(Part::Mention(_)));
        match (out.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(said)) => before.push_str(said),
            (_, Part::Text(said)) if behind_mention && !said.starts_with(char::is_whitespace) => {
                out.push(text(&format!(" {said}")));
            }
            _ => out.push(part.clone()),
        }
    }
    out
}

proptest! {
    #[test]
    fn what_is_written_reads_back(parts in prop::collection::vec(sendable(), 0..8), answers: bool) {
        let mut parts = parts;
        if answers {
            parts.insert(0, reply("95218444184"));
        }
        prop_assert_eq!(read(&write(&parts).into()), joined(&parts));
    }

    #[test]
    fn echoes_have_the_form_of_what_was_sent(
        a in "\\PC{0,20}|[\\x00-\\xff]{0,20}", b in "[@\\[\\]:, 微笑🙂&;a-c]{0,20}", face in 0_u32..500
    ) {
        let card = Part::Card(Card { title: b.clone(), ..Card::default() });
        let [sent, echo] = forms(&[text(&a), mention(7, &a), text(&b), Part::Face(faces::get(face)), text(&a), card]);
        prop_assert_eq!(sent, echo);
    }

    #[test]
    fn no_json_is_too_strange(value in any_json()) {
        let parts = read(&value);
        prop_assert!(parts.len() <= 500);
        let again = event::read(&json!({"post_type": "message", "message_type": "group", "group_id": 1, "message_id": 1, "user_id": 1, "message": value}));
        prop_assert!(matches!(again, Event::Heard(_)));
    }
}
