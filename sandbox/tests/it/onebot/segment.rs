//! Segments as each flavour tells them, and between the two protocols.

use qq_sandbox::Flavour;
use serde_json::json;

use super::{App, BOT, MEMBER, messages, person, sandbox_of, settings, text, work};
use crate::client::{GROUP, Qq, Way};
use crate::sandbox;

#[tokio::test]
async fn every_segment_is_told_in_some_way() {
    let segments = [
        json!({"type": "mface", "data": {"emoji_id": "3a", "emoji_package_id": 244_959, "key": "k", "summary": "[摸头]", "url": "https://x/a.gif"}}),
        json!({"type": "json", "data": {"data": "{\"app\":\"com.tencent.map\"}"}}),
        json!({"type": "dice", "data": {"result": "5"}}),
        json!({"type": "record", "data": {"file": "v.amr"}}),
        json!({"type": "video", "data": {"file": "v.mp4", "url": "https://x/v.mp4"}}),
        json!({"type": "location", "data": {"lat": "39", "lon": "116", "title": "门"}}),
        json!({"type": "shake", "data": {}}),
        json!({"type": "markdown", "data": {"content": "# a"}}),
    ];
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        settings(sandbox.address, json!({"message_format": "array"})).await;
        let mut app = App::connect(sandbox.address).await;
        let mut kinds = Vec::new();
        for segment in &segments {
            person(sandbox.address, MEMBER, json!([segment])).await;
            let event = app.event().await;
            let told = &event["message"][0];
            kinds.push(told["type"].as_str().unwrap().to_owned());
            if told["type"] == "dice" {
                let fields = match flavour {
                    Flavour::Lagrange => json!({}),
                    Flavour::Gocq => json!({"value": "5"}),
                    _ => json!({"result": "5"}),
                };
                assert_eq!(told["data"], fields);
            }
        }
        let expected = match flavour {
            Flavour::Napcat => ["image", "json", "dice", "record", "video", "json", "poke", "markdown"],
            Flavour::Llbot => ["mface", "json", "dice", "record", "video", "json", "shake", "markdown"],
            Flavour::Lagrange => [
                "mface", "json", "dice", "record", "video", "location", "poke", "markdown",
            ],
            Flavour::Gocq => [
                "text", "json", "dice", "record", "video", "location", "poke", "markdown",
            ],
        };
        assert_eq!(kinds, expected, "{flavour:?}");
    }
}

#[tokio::test]
async fn both_protocols_hear_each_other() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    work(at, "POST", &format!("groups/{GROUP}/members"), json!({"qq": BOT})).await;
    let mut app = App::connect(at).await;
    let mut qq = Qq::log_in(at, Way::Path).await;
    app.done(
        "send_group_msg",
        json!({"group_id": GROUP, "message": text("from OneBot")}),
    )
    .await;
    let heard = qq.poll().await;
    assert_eq!(heard["result"][0]["value"]["content"][1], "from OneBot");
    let (gid, _) = qq.group().await;
    qq.send(gid, &crate::client::content("from WebQQ")).await;
    let event = app.event().await;
    assert_eq!(
        (&event["user_id"], &event["raw_message"]),
        (&json!(123_456_789), &json!("from WebQQ"))
    );
}

#[tokio::test]
async fn bytes_that_are_none_are_refused() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let mut app = App::connect(sandbox.address).await;
    for file in ["base64://%%%", "base64://", "file:///etc/passwd", "data:x", ""] {
        let message = json!([{"type": "image", "data": {"file": file}}]);
        app.failed(
            "send_group_msg",
            json!({"group_id": super::CATS, "message": message}),
            1200,
        )
        .await;
    }
    assert!(messages(sandbox.address).await.is_empty());
}
