//! Friends, and a world that sets its accounts itself.

use qq_sandbox::{Flavour, Sandbox, parse_world};
use serde_json::{Value, json};

use super::{App, open, work};
use crate::sandbox_with;

const ME: i64 = 55_001;
const FRIEND: i64 = 55_002;

async fn with_friend(flavour: Flavour) -> (Sandbox, App) {
    let world = format!(
        "[[account]]\nqq = {ME}\nnickname = 'me'\nprotocol = 'onebot'\naccess_token = 'geheim'\nflavour = '{}'\n\
         report_self = true\nmessage_format = 'array'\nheartbeat = 0\n\
         friends = [{{ qq = {FRIEND}, nickname = 'friend', markname = 'f' }}]\n",
        flavour.word()
    );
    let world = parse_world(&world).unwrap();
    let sandbox = sandbox_with(|options| options.world = Some(world)).await;
    let socket = open(sandbox.address, "/onebot/v11", "Bearer geheim").await.unwrap();
    let mut app = App::of(socket);
    assert_eq!(app.frame().await.unwrap()["self_id"], ME);
    (sandbox, app)
}

#[tokio::test]
async fn friends_talk() {
    for flavour in Flavour::ALL {
        let (sandbox, mut app) = with_friend(flavour).await;
        let at = sandbox.address;
        let chat = format!("friends/{ME}/{FRIEND}");
        let id = work(at, "POST", &format!("{chat}/messages"), json!({"message": "hello"})).await["id"].clone();
        let event = app.event().await;
        assert_eq!(
            (&event["message_type"], &event["sub_type"], &event["user_id"]),
            (&json!("private"), &json!("friend"), &json!(FRIEND))
        );
        assert_eq!(event["sender"]["nickname"], "friend");
        let target = if flavour == Flavour::Napcat {
            json!(FRIEND)
        } else {
            Value::Null
        };
        assert_eq!(event["target_id"], target);
        let handle = event["message_id"].clone();
        let answer = json!([{"type": "reply", "data": {"id": handle}}, {"type": "text", "data": {"text": "hi"}}]);
        app.done("send_private_msg", json!({"user_id": FRIEND, "message": answer}))
            .await;
        let own = app.event().await;
        assert_eq!((&own["user_id"], &own["target_id"]), (&json!(ME), &json!(FRIEND)));
        assert_eq!(own["message"][0]["data"]["id"], handle.to_string());
        let said = work(at, "GET", &format!("{chat}/messages"), json!({})).await;
        assert_eq!(said[1]["from"], ME);
        if flavour != Flavour::Gocq {
            let history = app.done("get_friend_msg_history", json!({"user_id": FRIEND})).await;
            assert_eq!(history["messages"].as_array().unwrap().len(), 2);
        }
        work(at, "POST", &format!("{chat}/recall"), json!({"id": id})).await;
        let recall = app.event().await;
        assert_eq!(
            (&recall["notice_type"], &recall["message_id"]),
            (&json!("friend_recall"), &handle)
        );
        work(at, "POST", &format!("{chat}/poke"), json!({})).await;
        let poke = app.event().await;
        assert_eq!(
            (&poke["sub_type"], &poke["user_id"], &poke["target_id"]),
            (&json!("poke"), &json!(FRIEND), &json!(ME))
        );
        assert_eq!(poke.get("sender_id").is_some(), flavour != Flavour::Llbot);
        let file = json!([{"type": "file", "data": {"file": "base64://YWJj", "name": "a.zip"}}]);
        work(at, "POST", &format!("{chat}/messages"), json!({"message": file})).await;
        let told = app.event().await;
        match flavour {
            Flavour::Napcat | Flavour::Llbot => assert_eq!(told["message"][0]["type"], "file"),
            _ => assert_eq!(
                (&told["notice_type"], &told["file"]["name"]),
                (&json!("offline_file"), &json!("a.zip"))
            ),
        }
        assert!(app.quiet().await);
        assert_eq!(app.done("get_friend_list", json!({})).await[0]["remark"], "f");
    }
}

#[tokio::test]
async fn a_hurried_call_is_gocqs_alone() {
    for flavour in [Flavour::Gocq, Flavour::Napcat] {
        let (_sandbox, mut app) = with_friend(flavour).await;
        let answer = app
            .call("send_private_msg_async", json!({"user_id": FRIEND, "message": "x"}))
            .await;
        let expected = if flavour == Flavour::Gocq {
            json!(1)
        } else {
            json!(1404)
        };
        assert_eq!(answer["retcode"], expected);
    }
}

#[test]
fn a_world_names_only_what_there_is() {
    let wrong = parse_world("[[account]]\nqq = 5\nprotocol = 'onebot'\nflavour = 'mirai'\n");
    assert!(wrong.unwrap_err().to_string().contains("napcat"));
}
