//! Hostile and broken calls: each is answered, and the program goes on. And what only some seeds do.

use std::collections::HashSet;

use futures_util::SinkExt as _;
use qq_sandbox::Flavour;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{App, BOT, CATS, MEMBER, OWNER, messages, person, sandbox_of, settings, text, work};
use crate::sandbox_with;

const ACTIONS: [&str; 24] = [
    "send_group_msg",
    "send_private_msg",
    "send_msg",
    "send_group_forward_msg",
    "delete_msg",
    "get_msg",
    "get_forward_msg",
    "get_group_msg_history",
    "get_friend_msg_history",
    "set_msg_emoji_like",
    "set_group_reaction",
    "set_group_ban",
    "set_group_whole_ban",
    "set_group_card",
    "set_group_admin",
    "group_poke",
    "send_poke",
    "get_group_info",
    "get_group_member_info",
    "get_stranger_info",
    "get_image",
    "get_record",
    "get_group_file_url",
    "upload_group_file",
];

#[tokio::test]
async fn odd_calls_are_answered() {
    let odd = [
        Value::Null,
        json!([]),
        json!("x"),
        json!({"group_id": CATS, "user_id": {}, "message": {}, "message_id": [], "id": {}, "messages": {}, "file": 1}),
        json!({"group_id": CATS, "user_id": -1, "message": [7, null, {"type": 5}], "message_id": "999999999999999999999"}),
        json!({"group_id": 1e300, "user_id": i64::MIN, "message_id": i64::MIN, "count": i64::MIN, "message_seq": u64::MAX}),
        json!({"group_id": CATS, "user_id": MEMBER, "count": 0, "message_seq": -1, "duration": i64::MAX, "emoji_id": "\u{0}"}),
        json!({"group_id": CATS, "message": "[CQ:[CQ:,=,][CQ:image,file=[CQ:at,qq=all", "file": "", "name": ""}),
        json!({"group_id": CATS, "messages": [{"type": "node", "data": {"content": [{"type": "node"}]}}], "id": "sB+x/FFFFFFFFFFFF.FF=="}),
        json!({"group_id": CATS, "user_id": MEMBER, "duration": "soon", "card": "\u{202e}\u{0}x", "id": "sB+x/000000000001.00.FFFFFFFFFFFFFFFF=="}),
    ];
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let mut app = App::connect(sandbox.address).await;
        for action in ACTIONS {
            for params in &odd {
                app.call(action, params.clone()).await;
            }
        }
        let deep = "[".repeat(100_000);
        for frame in [
            "",
            "null",
            "{}",
            "[]",
            "{\"action\":{}}",
            "{\"action\":\"\",\"params\":7}",
            &deep,
        ] {
            app.socket.send(Message::text(frame)).await.unwrap();
            assert_eq!(app.answer().await.unwrap()["status"], "failed");
        }
        app.socket.send(Message::binary(vec![0xFF, 0x00])).await.unwrap();
        app.answer().await.unwrap();
        app.done("get_login_info", json!({})).await;
    }
}

#[tokio::test]
async fn a_burst_is_told_whole_and_in_order() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let mut app = App::connect(sandbox.address).await;
    for n in 0..1000 {
        app.ask("send_group_msg", json!({"group_id": CATS, "message": format!("{n}")}))
            .await;
    }
    for n in 0..1000 {
        let answer = app.answer().await.unwrap();
        assert_eq!(
            (&answer["status"], &answer["echo"]),
            (&json!("ok"), &json!(format!("e{}", n + 1)))
        );
    }
    let said = messages(sandbox.address).await;
    assert_eq!(said.len(), 1000);
    assert!(
        said.iter()
            .enumerate()
            .all(|(n, message)| message["message"] == text(&n.to_string()))
    );
}

#[tokio::test]
async fn seeds_choose_what_comes_first() {
    let (mut own_first, mut newest_first) = (HashSet::new(), HashSet::new());
    for seed in 0..12 {
        let sandbox = sandbox_with(|options| options.seed = seed).await;
        let at = sandbox.address;
        settings(at, json!({"report_self": true})).await;
        let mut app = App::connect(at).await;
        person(at, OWNER, "one").await;
        app.event().await;
        app.say("two").await;
        own_first.insert(app.events.pop_front().is_some());
        let params = json!({"group_id": CATS, "reverse_order": true});
        let history = app.done("get_group_msg_history", params).await;
        newest_first.insert(history["messages"][0]["user_id"] == BOT);
        let state = work(at, "GET", "state", json!({})).await;
        assert_eq!(state["seed"], seed);
    }
    assert_eq!((own_first.len(), newest_first.len()), (2, 2));
}

#[tokio::test]
async fn a_flood_is_told_message_by_message() {
    let sandbox = sandbox_of(Flavour::Llbot).await;
    let mut app = App::connect(sandbox.address).await;
    let flood = json!({"count": 500, "first": 8, "text": "m{n}", "from": [OWNER, MEMBER]});
    let said = work(sandbox.address, "POST", &format!("groups/{CATS}/flood"), flood).await;
    assert_eq!(said["count"], 500);
    for n in 0..500 {
        let event = app.event().await;
        let from = if n % 2 == 0 { OWNER } else { MEMBER };
        assert_eq!(event["raw_message"], format!("m{}", n + 8));
        assert_eq!(event["user_id"], from);
    }
    assert_eq!(messages(sandbox.address).await.len(), 500);
}
