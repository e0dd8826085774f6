//! What can be asked, and how each flavour says no.

use futures_util::SinkExt as _;
use qq_sandbox::Flavour;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{App, BOT, CATS, DMITRI, MEMBER, OWNER, messages, person, sandbox_of, settings, text, work};
use crate::client::log;

fn refused(flavour: Flavour, napcat: i64, lagrange: i64, gocq: i64) -> i64 {
    match flavour {
        Flavour::Napcat | Flavour::Llbot => napcat,
        Flavour::Lagrange => lagrange,
        Flavour::Gocq => gocq,
    }
}

#[tokio::test]
async fn what_is_said_is_in_the_world_in_every_form() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        person(at, MEMBER, "before").await;
        let handle = app.event().await["message_id"].as_i64().unwrap();
        app.say(text("array")).await;
        app.say(text("one object")[0].clone()).await;
        app.say(format!("[CQ:reply,id={handle}][CQ:at,qq={OWNER}] a&#44;b &#91;c&#93;"))
            .await;
        let params = json!({"group_id": CATS.to_string(), "message": "[CQ:face,id=14]", "auto_escape": "true"});
        app.done("send_msg", params).await;
        app.say(json!([{"type": "reply", "data": {"id": "12345"}}, {"type": "text", "data": {"text": "no such"}}]))
            .await;
        let said = messages(at).await;
        assert!(said[1..].iter().all(|message| message["from"] == BOT));
        assert_eq!(said[1]["message"], text("array"));
        assert_eq!(said[2]["message"], text("one object"));
        let expected = json!([
            {"type": "reply", "data": {"id": said[0]["id"].to_string()}}, {"type": "at", "data": {"qq": OWNER.to_string()}},
            {"type": "text", "data": {"text": " a,b [c]"}},
        ]);
        assert_eq!(said[3]["message"], expected);
        assert_eq!(said[4]["message"], text("[CQ:face,id=14]"));
        assert_eq!(said[5]["message"], text("no such"), "an unknown reply is dropped");
        let delivered: Vec<Value> = log(at)
            .await
            .into_iter()
            .filter(|entry| entry["outcome"] == "delivered")
            .collect();
        assert_eq!(delivered.len(), 5);
        assert_eq!(delivered[0]["message"], said[1]["id"]);
        assert_eq!(
            (&delivered[0]["protocol"], &delivered[0]["path"]),
            (&json!("onebot"), &json!("send_group_msg"))
        );
        assert!(delivered[4]["detail"].as_str().unwrap().contains("dropped: reply"));
    }
}

#[tokio::test]
async fn no_is_said_in_the_words_of_the_flavour() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        let hi = json!({"group_id": CATS, "message": text("hi")});
        work(
            at,
            "POST",
            &format!("groups/{CATS}/members/{BOT}/mute"),
            json!({"duration": "1h"}),
        )
        .await;
        let answer = app
            .failed("send_group_msg", hi.clone(), refused(flavour, 1200, 120, 100))
            .await;
        match flavour {
            Flavour::Napcat => {
                let words = answer["message"].as_str().unwrap();
                assert!(words.contains("sendMsg") && words.contains("120"), "{answer}");
                assert_eq!(
                    (&answer["wording"], &answer["stream"]),
                    (&answer["message"], &json!("normal-action"))
                );
            }
            Flavour::Llbot => assert!(answer["message"].is_string() && answer.get("stream").is_none()),
            Flavour::Lagrange => assert!(answer.get("message").is_none()),
            Flavour::Gocq => assert_eq!(answer["msg"], "SEND_MSG_API_ERROR"),
        }
        work(
            at,
            "POST",
            &format!("groups/{CATS}/members/{BOT}/mute"),
            json!({"duration": 0}),
        )
        .await;
        work(at, "POST", &format!("groups/{CATS}/mute"), json!({})).await;
        app.say("admins may").await;
        work(
            at,
            "PATCH",
            &format!("groups/{CATS}/members/{BOT}"),
            json!({"role": "member"}),
        )
        .await;
        app.failed("send_group_msg", hi.clone(), refused(flavour, 1200, 120, 100))
            .await;
        work(at, "POST", &format!("groups/{CATS}/mute"), json!({"on": false})).await;
        app.failed("no_such_action", json!({}), refused(flavour, 1404, 404, 1404))
            .await;
        app.failed(
            "send_group_msg",
            json!({"message": text("x")}),
            refused(flavour, 1400, 200, 100),
        )
        .await;
        app.failed(
            "send_group_msg",
            json!({"group_id": CATS, "message": []}),
            refused(flavour, 1200, 200, 100),
        )
        .await;
        app.failed(
            "send_group_msg",
            json!({"group_id": 5, "message": "x"}),
            refused(flavour, 1200, 200, 100),
        )
        .await;
        app.failed(
            "send_private_msg",
            json!({"user_id": 5, "message": "x"}),
            refused(flavour, 1200, 200, 100),
        )
        .await;
        app.failed("get_msg", json!({"message_id": 5}), refused(flavour, 1200, 200, 100))
            .await;
        app.failed(
            "set_group_ban",
            json!({"group_id": CATS, "user_id": MEMBER}),
            refused(flavour, 1200, 200, 104),
        )
        .await;
        work(
            at,
            "DELETE",
            &format!("groups/{CATS}/members/{BOT}"),
            json!({"operator": OWNER}),
        )
        .await;
        app.failed("send_group_msg", hi, refused(flavour, 1200, 200, 100)).await;
        app.failed(
            "get_group_member_list",
            json!({"group_id": CATS}),
            refused(flavour, 1200, 200, 100),
        )
        .await;
        app.socket.send(Message::text("{no json")).await.unwrap();
        assert_eq!(app.answer().await.unwrap()["status"], "failed");
    }
}

#[tokio::test]
async fn echoes_come_back_as_they_went() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let mut app = App::connect(sandbox.address).await;
    for echo in [json!({"n": [1, "x"]}), json!(7), json!("s"), Value::Null] {
        let call = json!({"action": "get_status", "echo": echo});
        app.socket.send(Message::text(call.to_string())).await.unwrap();
        let answer = app.answer().await.unwrap();
        assert_eq!(answer["echo"], echo);
        assert_eq!(answer["data"]["online"], true);
    }
}

#[tokio::test]
async fn groups_and_people_are_described() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let mut app = App::connect(sandbox.address).await;
        let version = app.done("get_version_info", json!({})).await;
        let name = match flavour {
            Flavour::Napcat => "NapCat.Onebot",
            Flavour::Llbot => "LLOneBot",
            Flavour::Lagrange => "Lagrange.OneBot",
            Flavour::Gocq => "go-cqhttp",
        };
        assert_eq!(
            (&version["app_name"], &version["protocol_version"]),
            (&json!(name), &json!("v11"))
        );
        let groups = app.done("get_group_list", json!({})).await;
        assert_eq!(
            (
                &groups[0]["group_id"],
                &groups[0]["group_name"],
                &groups[0]["member_count"]
            ),
            (&json!(CATS), &json!("猫"), &json!(6))
        );
        assert_eq!(
            app.done("get_group_info", json!({"group_id": CATS.to_string()})).await,
            groups[0]
        );
        let list = json!({"group_id": CATS});
        if flavour == Flavour::Napcat {
            app.failed("get_group_member_list", list.clone(), 1200).await;
        }
        let members = app.done("get_group_member_list", list).await;
        assert_eq!(members.as_array().unwrap().len(), 6);
        let dmitri = app
            .done("get_group_member_info", json!({"group_id": CATS, "user_id": DMITRI}))
            .await;
        assert_eq!(
            (&dmitri["nickname"], &dmitri["role"], &dmitri["card"]),
            (&json!("Dmitri"), &json!("admin"), &json!(""))
        );
        assert_eq!(
            app.done("get_stranger_info", json!({"user_id": MEMBER})).await["nickname"],
            "😺"
        );
        assert_eq!(app.done("get_friend_list", json!({})).await, json!([]));
        assert_eq!(app.done("can_send_image", json!({})).await, json!({"yes": true}));
    }
}

#[tokio::test]
async fn messages_are_taken_back_and_given_faces() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        settings(at, json!({"report_self": false})).await;
        let id = app.say("mine").await;
        let shown = app.done("get_msg", json!({"message_id": id})).await;
        assert_eq!(
            (&shown["message_id"], &shown["raw_message"]),
            (&json!(id), &json!("mine"))
        );
        let (action, field) = match flavour {
            Flavour::Lagrange => ("set_group_reaction", "code"),
            _ => ("set_msg_emoji_like", "emoji_id"),
        };
        let params = json!({"group_id": CATS, "message_id": id, field: "76", "is_add": true});
        if flavour == Flavour::Gocq {
            app.failed(action, params, 1404).await;
        } else {
            app.done(action, params).await;
            let event = app.event().await;
            assert_eq!(event["message_id"], id, "own faces are told, too");
        }
        app.done("delete_msg", json!({"message_id": id.to_string()})).await;
        let event = app.event().await;
        assert_eq!(
            (&event["notice_type"], &event["operator_id"]),
            (&json!("group_recall"), &json!(BOT))
        );
        assert_eq!(messages(at).await[0]["recalled"], true);
        person(at, OWNER, "the owner's").await;
        let theirs = app.event().await["message_id"].clone();
        app.failed(
            "delete_msg",
            json!({"message_id": theirs}),
            refused(flavour, 1200, 200, 104),
        )
        .await;
        person(at, MEMBER, "a member's").await;
        let theirs = app.event().await["message_id"].clone();
        app.done("delete_msg", json!({"message_id": theirs})).await;
        assert_eq!(app.event().await["user_id"], MEMBER);
        work(
            at,
            "PATCH",
            &format!("groups/{CATS}/members/{BOT}"),
            json!({"role": "member"}),
        )
        .await;
        assert_eq!(app.event().await["sub_type"], "unset");
        let old = app.say("old").await;
        work(at, "POST", "clock", json!({"advance": "3m"})).await;
        app.failed(
            "delete_msg",
            json!({"message_id": old}),
            refused(flavour, 1200, 200, 104),
        )
        .await;
    }
}

#[tokio::test]
async fn an_admin_rules() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    let mut app = App::connect(at).await;
    let of = |field: &str, value: Value| json!({"group_id": CATS, "user_id": MEMBER, field: value});
    app.done("set_group_ban", of("duration", json!(60))).await;
    assert_eq!(app.event().await["duration"], 60);
    app.done("set_group_card", of("card", json!("新名片"))).await;
    assert_eq!(app.event().await["card_new"], "新名片");
    app.done("group_poke", of("x", json!(1))).await;
    assert_eq!(app.event().await["sub_type"], "poke");
    app.done("set_group_name", json!({"group_id": CATS, "group_name": "狗"}))
        .await;
    assert_eq!(app.event().await["name_new"], "狗");
    app.done("set_group_whole_ban", json!({"group_id": CATS})).await;
    assert_eq!(app.event().await["duration"], -1);
    app.done("set_group_kick", of("reject_add_request", json!(false))).await;
    assert_eq!(app.event().await["operator_id"], BOT);
    app.failed("set_group_kick", json!({"group_id": CATS, "user_id": OWNER}), 1200)
        .await;
    app.failed("set_group_ban", json!({"group_id": CATS, "user_id": DMITRI}), 1200)
        .await;
    let state = work(at, "GET", "state", json!({})).await;
    assert_eq!(state["groups"][1]["name"], "狗");
    assert_eq!(state["sessions"][0]["protocol"], "onebot");
}
