//! Forwarded records.

use qq_sandbox::Flavour;
use serde_json::{Value, json};

use super::{App, BOT, CATS, MEMBER, OWNER, person, sandbox_of, settings, text};

fn record() -> Value {
    let inner = json!([{"type": "forward", "data": {"content": [{"user_id": OWNER, "message": "deep"}]}}]);
    json!([{"type": "forward", "data": {"content": [
        {"user_id": OWNER, "time": 1_700_000_000, "message": "first"}, {"user_id": MEMBER, "message": inner},
    ]}}])
}

#[tokio::test]
async fn a_record_is_asked_for_by_its_id() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        settings(at, json!({"message_format": "array"})).await;
        let mut app = App::connect(at).await;
        person(at, MEMBER, record()).await;
        let event = app.event().await;
        let id = event["message"][0]["data"]["id"].clone();
        assert_eq!(
            id == json!(event["message_id"].to_string()),
            flavour == Flavour::Napcat,
            "{event}"
        );
        let data = app.done("get_forward_msg", json!({"id": id, "message_id": id})).await;
        let key = if flavour == Flavour::Lagrange {
            "message"
        } else {
            "messages"
        };
        let nodes = data[key].as_array().unwrap();
        let content = |node: &Value| match flavour {
            Flavour::Napcat => node["message"].clone(),
            Flavour::Lagrange => node["data"]["content"].clone(),
            _ => node["content"].clone(),
        };
        assert_eq!(content(&nodes[0]), text("first"));
        let name = match flavour {
            Flavour::Lagrange => &nodes[0]["data"]["nickname"],
            _ => &nodes[0]["sender"]["nickname"],
        };
        assert_eq!(name, "三花的妈");
        let inner = &content(&nodes[1])[0]["data"];
        if flavour == Flavour::Napcat {
            assert_eq!(inner["content"][0]["message"], text("deep"));
            app.failed("get_forward_msg", json!({"id": inner["id"]}), 1200).await;
        } else {
            let data = app.done("get_forward_msg", json!({"id": inner["id"]})).await;
            assert_eq!(content(&data[key][0]), text("deep"));
        }
        assert_eq!(
            app.call("get_forward_msg", json!({"id": "x"})).await["status"],
            "failed"
        );
    }
}

#[tokio::test]
async fn a_record_is_made_of_nodes() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let mut app = App::connect(sandbox.address).await;
        settings(sandbox.address, json!({"report_self": false})).await;
        let id = app.say("to be quoted").await;
        let nodes = json!([
            {"type": "node", "data": {"user_id": "5", "nickname": "alice", "content": text("a")}},
            {"type": "node", "data": {"uin": 6, "name": "bob", "content": "[CQ:face,id=14]"}},
            {"type": "node", "data": {"id": id}},
        ]);
        let sent = app
            .done("send_group_forward_msg", json!({"group_id": CATS, "messages": nodes}))
            .await;
        let forward = app.done("get_forward_msg", json!({"id": sent["forward_id"]})).await;
        let shown = forward
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .as_array()
            .unwrap();
        assert_eq!(shown.len(), 3);
        let bot = BOT.to_string();
        assert!(shown[2].to_string().contains(&bot), "{shown:?}");
        let direct = app
            .call("send_group_msg", json!({"group_id": CATS, "message": nodes}))
            .await;
        let takes = matches!(flavour, Flavour::Napcat | Flavour::Lagrange);
        assert_eq!(direct["status"] == "ok", takes, "{direct}");
    }
}
