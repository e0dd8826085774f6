use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::MemberId;

fn notice(fields: &Value) -> Event {
    let mut frame = json!({"post_type": "notice", "self_id": 9, "time": 1, "group_id": 1, "user_id": 2});
    let all = frame.as_object_mut().expect("an object");
    all.extend(fields.as_object().expect("an object").clone());
    read(&frame)
}

fn muted(fields: &Value) -> Duration {
    match notice(fields) {
        Event::Muted { duration, .. } => duration,
        other => panic!("{other:?}"),
    }
}

#[test]
fn mutes_end_where_an_end_is_told() {
    let ban = |duration: Value| muted(&json!({"notice_type": "group_ban", "sub_type": "ban", "duration": duration}));
    assert_eq!(ban(json!(600)), Duration::from_secs(600));
    assert_eq!(ban(json!("2592000")), Duration::from_secs(2_592_000));
    assert_eq!(ban(json!(0)), Duration::ZERO);
    for endless in [
        json!(-1),
        json!(4_294_967_295_u32),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(null),
    ] {
        assert_eq!(ban(endless), Duration::MAX);
    }
    let untold = json!({"notice_type": "group_ban", "duration": 0, "user_id": 0});
    assert_eq!(muted(&untold), Duration::ZERO);
}

#[test]
fn the_words_of_a_poke() {
    let poke = |fields: Value| {
        let mut fields = fields;
        fields["notice_type"] = "notify".into();
        fields["sub_type"] = "poke".into();
        fields["target_id"] = 3.into();
        match notice(&fields) {
            Event::Poked { poke, .. } => (poke.verb, poke.suffix),
            other => panic!("{other:?}"),
        }
    };
    let words = |verb: &str, suffix: &str| (verb.to_owned(), suffix.to_owned());
    assert_eq!(
        poke(json!({"action": "拍了拍", "suffix": "的\n头"})),
        words("拍了拍", "的 头")
    );
    let raw = json!([{"type": "nor", "txt": "揉了揉"}, {"type": "qq"}, {"type": "nor", "txt": "的"}, {"type": "nor", "txt": "头"}]);
    assert_eq!(poke(json!({"raw_info": raw})), words("揉了揉", "的头"));
    let long = "长".repeat(1000);
    let (verb, _) = poke(json!({"raw_info": vec![json!({"type": "nor", "txt": long}); 1000]}));
    assert!(verb.len() <= 60);
}

#[test]
fn names_are_lines_and_ids_are_texts() {
    let frame = json!({"post_type": "message", "message_type": "group", "self_id": "9", "group_id": "1", "user_id": "2",
        "message_id": " abc=/+ ", "real_seq": "x", "message_seq": "-5", "time": "12", "message": "hi",
        "sender": {"nickname": "a\nb\u{0}", "card": 5, "role": "king"}});
    let Event::Heard(heard) = read(&frame) else {
        panic!("a message");
    };
    assert_eq!(
        (&*heard.handle.0, heard.real_seq, heard.message_seq),
        ("abc=/+", None, Some(-5))
    );
    assert_eq!((&*heard.sender.nickname, &*heard.sender.card), ("a b", "5"));
    assert_eq!(heard.time, Some(Timestamp(12_000)));
    assert_eq!(self_id(&frame), Some(QqNumber(9)));
    let long = json!({"post_type": "message", "message_type": "group", "group_id": 1, "user_id": 2, "message_id": "x".repeat(5000)});
    assert_eq!(read(&long), Event::Other("group".into()));
}

#[test]
fn a_message_of_a_history_borrows_what_it_lacks() {
    let item = json!({"message_id": 5, "sender": {"user_id": 9, "nickname": "bot"}, "message": [], "message_seq": 0});
    let heard = super::heard(&item, Some(QqNumber(9)), Some(GroupNumber(1))).expect("a message");
    assert!(heard.own);
    assert_eq!(heard.sender.id, MemberId::Number(QqNumber(9)));
    assert_eq!((heard.group, heard.message_seq), (GroupNumber(1), None));
    assert_eq!(super::heard(&item, Some(QqNumber(9)), None), None);
}

#[test]
fn kinds_are_short() {
    let frame = json!({"post_type": "notice", "notice_type": "x\u{1}".repeat(1000), "sub_type": 5});
    assert_eq!(read(&frame), Event::Other("x".repeat(30)));
}

/// A field of an event with a value that does not belong there.
fn field() -> impl Strategy<Value = (&'static str, Value)> {
    let keys = vec![
        "group_id",
        "user_id",
        "self_id",
        "message_id",
        "operator_id",
        "target_id",
        "sender_id",
        "duration",
        "likes",
        "raw_info",
        "file",
        "time",
        "interval",
        "status",
        "sender",
        "message",
        "anonymous",
        "is_add",
        "sub_type",
        "name_new",
        "card_new",
        "comment",
        "flag",
        "real_seq",
        "message_seq",
        "emoji_id",
        "code",
        "count",
    ];
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "\\PC{0,8}|-?[0-9]{1,25}".prop_map(Value::from),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{"emoji_id": "128077", "user_id": 1, "type": "nor", "txt": "x", "name": "n"}])),
        Just(json!({"user_id": 1, "name": "n", "nickname": "m", "online": 1, "size": -1})),
    ];
    (prop::sample::select(keys), value)
}

proptest! {
    #[test]
    fn no_event_is_too_strange(
        post in prop::sample::select(vec!["message", "message_sent", "notice", "request", "meta_event", ""]),
        kind in prop::sample::select(vec![
            "group", "private", "friend", "group_increase", "group_decrease", "group_dismiss", "group_card", "group_admin", "group_ban",
            "group_name_change", "group_recall", "group_msg_emoji_like", "reaction", "group_upload", "offline_file", "bot_offline",
            "notify", "lifecycle", "heartbeat",
        ]),
        sub in prop::sample::select(vec!["", "poke", "group_name", "ban", "lift_ban", "kick_me", "disband", "add", "remove", "invite"]),
        fields in prop::collection::vec(field(), 0..20),
    ) {
        let mut frame = json!({"post_type": post, "message_type": kind, "notice_type": kind, "request_type": kind,
            "meta_event_type": kind, "sub_type": sub, "group_id": 1, "user_id": 2, "message_id": 3, "target_id": 4});
        for (key, value) in fields {
            frame[key] = value;
        }
        let told = format!("{:?}", read(&frame));
        prop_assert!(told.len() < 4000);
    }
}
