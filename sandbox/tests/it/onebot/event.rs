//! What is told, in the shape of each flavour.

use qq_sandbox::Flavour;
use serde_json::{Value, json};

use super::{App, BOT, CATS, DMITRI, MEMBER, OWNER, messages, person, sandbox_of, settings, work};
use crate::client::control;

fn sorted_keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_message_has_the_fields_of_its_flavour() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let mut app = App::connect(sandbox.address).await;
        person(sandbox.address, OWNER, "first").await;
        app.event().await;
        let message = json!([
            {"type": "at", "data": {"qq": BOT}}, {"type": "text", "data": {"text": " [喵] & so "}}, {"type": "face", "data": {"id": 14}},
            {"type": "text", "data": {"text": " "}},
        ]);
        person(sandbox.address, OWNER, message).await;
        let event = app.event().await;
        let common = [
            "font",
            "group_id",
            "message",
            "message_id",
            "message_type",
            "post_type",
            "raw_message",
            "self_id",
        ];
        let rest = ["sender", "sub_type", "time", "user_id"];
        let (own, sender): (&[&str], &[&str]) = match flavour {
            Flavour::Napcat => (
                &["group_name", "message_format", "message_seq", "real_id", "real_seq"],
                &["card", "nickname", "role", "user_id"],
            ),
            Flavour::Llbot => (
                &["group_name", "message_format", "message_seq", "raw_pb"],
                &["card", "level", "nickname", "role", "title", "user_id"],
            ),
            Flavour::Lagrange => (
                &["anonymous", "message_style"],
                &[
                    "age", "area", "card", "level", "nickname", "role", "sex", "title", "user_id",
                ],
            ),
            Flavour::Gocq => (
                &["anonymous", "message_seq"],
                &[
                    "age", "area", "card", "level", "nickname", "role", "sex", "title", "user_id",
                ],
            ),
        };
        let mut expected = [&common[..], &rest, own].concat();
        expected.sort_unstable();
        assert_eq!(sorted_keys(&event), expected, "{flavour:?}");
        assert_eq!(sorted_keys(&event["sender"]), sender, "{flavour:?}");
        assert_eq!(event["sender"]["card"], "三花的妈");
        assert_eq!(event["sender"]["role"], "owner");
        let raw = event["raw_message"].as_str().unwrap();
        assert!(raw.contains(" &#91;喵&#93; &amp; so "), "{raw}");
        assert_eq!(raw.ends_with(' '), flavour != Flavour::Napcat, "{raw:?}");
        let id = event["message_id"].as_i64().unwrap();
        assert!(i32::try_from(id).is_ok() && (flavour != Flavour::Napcat || id > 0));
        match flavour {
            Flavour::Napcat => {
                assert_eq!(
                    (&event["message_seq"], &event["real_id"], &event["real_seq"]),
                    (&json!(id), &json!(id), &json!("2"))
                );
                assert_eq!(
                    event["message"][0],
                    json!({"type": "at", "data": {"qq": BOT.to_string()}})
                );
                assert_eq!(event["message"][2]["data"]["raw"]["faceIndex"], 14);
                assert_eq!(event["group_name"], "猫");
            }
            Flavour::Llbot => {
                assert_eq!(event["message_seq"], 2);
                assert_eq!(
                    event["message"][0]["data"],
                    json!({"qq": BOT.to_string(), "name": "猫管家"})
                );
            }
            Flavour::Lagrange => {
                assert_eq!(event["message"][0]["data"]["name"], "@猫管家");
                assert_eq!(event["message"][2]["data"], json!({"id": "14", "large": null}));
            }
            Flavour::Gocq => {
                assert_eq!(event["message_seq"], 2);
                assert_eq!(event["message"], event["raw_message"]);
            }
        }
    }
}

#[tokio::test]
async fn own_messages_are_told_as_the_account_is_set() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        let id = app.say("mine").await;
        if flavour == Flavour::Lagrange {
            let event = app.event().await;
            assert_eq!(
                (&event["post_type"], &event["user_id"]),
                (&json!("message"), &json!(BOT))
            );
            assert_eq!(event["message_id"], id);
        }
        assert!(app.quiet().await);
        settings(at, json!({"report_self": true})).await;
        let id = app.say("mine again").await;
        let event = app.event().await;
        let kind = if flavour == Flavour::Lagrange {
            "message"
        } else {
            "message_sent"
        };
        assert_eq!((&event["post_type"], &event["message_id"]), (&json!(kind), &json!(id)));
        person(at, BOT, "from the account's phone").await;
        assert_eq!(app.event().await["post_type"], kind);
        settings(at, json!({"report_self": false})).await;
        app.say("silently").await;
        assert!(app.quiet().await);
    }
}

#[tokio::test]
async fn recalls_faces_and_pokes_are_told() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        let id = person(at, MEMBER, "oops").await;
        let handle = app.event().await["message_id"].clone();
        let cats = format!("groups/{CATS}");
        for from in [OWNER, DMITRI] {
            work(
                at,
                "POST",
                &format!("{cats}/react"),
                json!({"id": id, "from": from, "emoji": 128_077}),
            )
            .await;
        }
        work(
            at,
            "POST",
            &format!("{cats}/react"),
            json!({"id": id, "from": OWNER, "emoji": "128077", "remove": true}),
        )
        .await;
        if flavour != Flavour::Gocq {
            let told = [app.event().await, app.event().await, app.event().await];
            assert!(
                told.iter()
                    .all(|event| event["message_id"] == handle && event["group_id"] == CATS)
            );
            let of = |event: &Value| match flavour {
                Flavour::Lagrange => (
                    event["operator_id"].clone(),
                    event["count"].clone(),
                    json!(event["sub_type"] == "add"),
                ),
                _ => (
                    event["user_id"].clone(),
                    event["likes"][0]["count"].clone(),
                    event["is_add"].clone(),
                ),
            };
            let counts = if flavour == Flavour::Napcat {
                [1, 1, 1]
            } else {
                [1, 2, 1]
            };
            assert_eq!(of(&told[0]), (json!(OWNER), json!(counts[0]), json!(true)));
            assert_eq!(of(&told[1]), (json!(DMITRI), json!(counts[1]), json!(true)));
            assert_eq!(of(&told[2]), (json!(OWNER), json!(counts[2]), json!(false)));
        }
        assert_eq!(
            messages(at).await[0]["reactions"],
            json!([{"emoji": "128077", "from": DMITRI}])
        );
        work(
            at,
            "POST",
            &format!("{cats}/recall"),
            json!({"id": id, "operator": OWNER}),
        )
        .await;
        let recall = app.event().await;
        assert_eq!(recall["notice_type"], "group_recall");
        assert_eq!(
            (&recall["message_id"], &recall["operator_id"], &recall["user_id"]),
            (&handle, &json!(OWNER), &json!(MEMBER))
        );
        assert_eq!(recall.get("tip").is_some(), flavour == Flavour::Lagrange);
        work(
            at,
            "POST",
            &format!("{cats}/poke"),
            json!({"from": MEMBER, "target": BOT}),
        )
        .await;
        let poke = app.event().await;
        assert_eq!(
            (&poke["sub_type"], &poke["user_id"], &poke["target_id"]),
            (&json!("poke"), &json!(MEMBER), &json!(BOT))
        );
        let (raw, action) = (poke.get("raw_info").is_some(), poke.get("action").is_some());
        assert_eq!(
            (raw, action),
            match flavour {
                Flavour::Napcat | Flavour::Llbot => (true, false),
                Flavour::Lagrange => (false, true),
                Flavour::Gocq => (false, false),
            }
        );
    }
}

#[tokio::test]
async fn who_comes_and_is_muted_is_told() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        let cats = format!("groups/{CATS}");
        work(
            at,
            "POST",
            &format!("{cats}/members"),
            json!({"qq": 5_555_555, "nickname": "新", "operator": DMITRI}),
        )
        .await;
        let event = app.event().await;
        assert_eq!(
            (&event["notice_type"], &event["operator_id"]),
            (&json!("group_increase"), &json!(DMITRI))
        );
        work(
            at,
            "PATCH",
            &format!("{cats}/members/5555555"),
            json!({"card": "新来的", "role": "admin"}),
        )
        .await;
        let event = app.event().await;
        assert_eq!(
            (&event["notice_type"], &event["card_new"], &event["card_old"]),
            (&json!("group_card"), &json!("新来的"), &json!(""))
        );
        let event = app.event().await;
        assert_eq!(
            (&event["notice_type"], &event["sub_type"]),
            (&json!("group_admin"), &json!("set"))
        );
        work(
            at,
            "POST",
            &format!("{cats}/members/5555555/mute"),
            json!({"duration": "10m", "operator": OWNER}),
        )
        .await;
        let event = app.event().await;
        assert_eq!(
            (&event["sub_type"], &event["duration"], &event["operator_id"]),
            (&json!("ban"), &json!(600), &json!(OWNER))
        );
        work(at, "POST", &format!("{cats}/mute"), json!({})).await;
        let event = app.event().await;
        assert_eq!(
            (&event["sub_type"], &event["duration"], &event["user_id"]),
            (&json!("ban"), &json!(-1), &json!(0))
        );
        let body = json!({"from": MEMBER, "message": "psst"});
        assert_eq!(control(at, "POST", &format!("{cats}/messages"), &body).await.0, 403);
        work(at, "POST", &format!("{cats}/mute"), json!({"on": false})).await;
        let event = app.event().await;
        assert_eq!(
            (&event["sub_type"], &event["duration"]),
            (&json!("lift_ban"), &json!(0))
        );
        work(at, "PATCH", &cats, json!({"name": "猫猫"})).await;
        let told = match flavour {
            Flavour::Napcat => Some(("notify", "name_new")),
            Flavour::Lagrange => Some(("group_name_change", "name")),
            Flavour::Llbot | Flavour::Gocq => None,
        };
        if let Some((kind, field)) = told {
            let event = app.event().await;
            assert_eq!((&event["notice_type"], &event[field]), (&json!(kind), &json!("猫猫")));
        }
    }
}

#[tokio::test]
async fn who_goes_is_told_and_the_end_of_a_group() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        let cats = format!("groups/{CATS}");
        work(at, "DELETE", &format!("{cats}/members/{DMITRI}"), json!({})).await;
        let event = app.event().await;
        let operator = if flavour == Flavour::Napcat { 0 } else { DMITRI };
        assert_eq!(
            (&event["sub_type"], &event["operator_id"]),
            (&json!("leave"), &json!(operator))
        );
        work(
            at,
            "DELETE",
            &format!("{cats}/members/{MEMBER}"),
            json!({"operator": OWNER}),
        )
        .await;
        assert_eq!(app.event().await["sub_type"], "kick");
        work(
            at,
            "DELETE",
            &format!("{cats}/members/{BOT}"),
            json!({"operator": OWNER}),
        )
        .await;
        assert_eq!(app.event().await["sub_type"], "kick_me");
        work(at, "POST", &format!("{cats}/members"), json!({"qq": BOT})).await;
        assert_eq!(app.event().await["notice_type"], "group_increase");
        work(at, "DELETE", &cats, json!({})).await;
        let event = app.event().await;
        match flavour {
            Flavour::Llbot => assert_eq!(event["notice_type"], "group_dismiss"),
            Flavour::Napcat => assert_eq!(event["sub_type"], "disband"),
            _ => assert_eq!(event["sub_type"], "kick_me"),
        }
        assert_eq!(app.done("get_group_list", json!({})).await, json!([]));
    }
}
