use serde_json::json;

use super::*;
use crate::model::Language;
use crate::model::words::plain_text;

fn node(name: &str, content: &Value) -> Value {
    json!({"type": "node", "data": {"user_id": "7", "nickname": name, "content": content}})
}

#[test]
fn hidden_senders_have_no_number_and_nobody_is_nameless() {
    let hi = json!([{"type": "text", "data": {"text": "hi"}}]);
    let data = json!({"messages": [
        {"sender": {"user_id": 1_094_950_020, "nickname": "QQ用户"}, "message": hi},
        {"sender": {"user_id": 8, "nickname": "", "card": " "}, "content": hi},
        {"content": hi},
        {"sender": {"user_id": 9, "nickname": "b", "card": "Bob"}, "message": []},
        "x",
    ]});
    let lines = read("id", &data).lines;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.sender.map(|user| user.0), &*line.name))
        .collect();
    assert_eq!(
        told,
        [
            (None, "QQ用户"),
            (Some(8), "8"),
            (None, "QQ用户"),
            (Some(9), "Bob"),
            (None, "QQ用户")
        ]
    );
    assert_eq!(
        plain_text(&lines[3].parts, Language::En),
        "[something that cannot be shown here]"
    );
}

#[test]
fn only_what_is_not_known_wants_fetching() {
    let hi = json!("hi");
    assert!(wants_fetching(&read("id", &json!({}))));
    assert!(!wants_fetching(&read("", &json!({}))));
    assert!(!wants_fetching(&read("id", &json!([node("a", &hi)]))));
}

#[test]
fn long_and_deep_records_are_cut_and_say_so() {
    let hi = json!("hi");
    let record = read("id", &json!({"messages": vec![node("a", &hi); 1000]}));
    assert_eq!((record.lines.len(), record.more), (200, 800));
    let mut deep = json!([node("a", &hi)]);
    for _ in 0..20 {
        deep = json!([node(
            "a",
            &json!([{"type": "forward", "data": {"id": "r", "content": deep}}])
        )]);
    }
    let mut record = read("id", &deep);
    let mut depth = 0;
    while let Some(Part::Record(inner)) = record.lines.first().and_then(|line| line.parts.first()).cloned() {
        record = inner;
        depth += 1;
    }
    assert_eq!((depth, record.lines.len(), record.more), (DEPTH_MAX, 0, 1));
}

#[test]
fn what_is_no_record_is_empty() {
    for data in [
        json!(null),
        json!(5),
        json!("x"),
        json!({"messages": 5}),
        json!({"message": {"a": 1}}),
    ] {
        assert_eq!(read("id", &data).lines, [], "{data}");
    }
}
