//! Off the line, on again, started again.

use qq_sandbox::Flavour;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use super::{App, CATS, MEMBER, OWNER, open, person, sandbox_of, settings, text, work};
use crate::sandbox_with;

async fn history(app: &mut App) -> Vec<Value> {
    let data = app
        .done("get_group_msg_history", json!({"group_id": CATS, "count": 200}))
        .await;
    data["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_account_is_thrown_off_the_line_and_comes_back() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        settings(at, json!({"heartbeat": 100})).await;
        let mut app = App::connect(at).await;
        person(at, OWNER, "before").await;
        app.event().await;
        work(at, "POST", "onebot/offline", json!({})).await;
        if flavour != Flavour::Gocq {
            assert_eq!(app.event().await["notice_type"], "bot_offline");
        }
        assert_eq!(app.done("get_status", json!({})).await["online"], false);
        let call = app
            .call("send_group_msg", json!({"group_id": CATS, "message": text("x")}))
            .await;
        assert_eq!(call["status"], "failed");
        let beat = loop {
            let frame = app.frame().await.unwrap();
            if frame["meta_event_type"] == "heartbeat" {
                break frame;
            }
        };
        assert_eq!(beat["status"]["online"], false);
        for n in 1..=40 {
            person(at, MEMBER, format!("away {n}")).await;
        }
        assert!(app.quiet().await);
        work(at, "POST", "onebot/online", json!({})).await;
        let all = history(&mut app).await;
        match flavour {
            Flavour::Napcat => {
                let told: Vec<_> = app.events.drain(..).map(|event| event["raw_message"].clone()).collect();
                assert_eq!(
                    (told.len(), &told[0], &told[29]),
                    (30, &json!("away 11"), &json!("away 40"))
                );
                assert_eq!(all.len(), 31, "the first ten are in no database");
            }
            Flavour::Gocq => assert!(all.len() == 20 && app.events.is_empty()),
            _ => assert!(all.len() == 41 && app.events.is_empty()),
        }
        person(at, OWNER, "after").await;
        assert_eq!(app.event().await["raw_message"], "after");
    }
}

#[tokio::test]
async fn what_a_program_never_got_is_not_taken_back_nor_answered_for_it() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        settings(at, json!({"message_format": "array"})).await;
        work(at, "POST", "onebot/offline", json!({})).await;
        let id = person(at, OWNER, "unheard").await;
        for n in 1..=30 {
            person(at, OWNER, format!("{n}")).await;
        }
        work(at, "POST", "onebot/online", json!({})).await;
        let mut app = App::connect(at).await;
        let answer = json!([{"type": "reply", "data": {"id": id}}, {"type": "text", "data": {"text": "to that"}}]);
        person(at, MEMBER, answer).await;
        assert_eq!(app.event().await["message"], text("to that"));
        work(at, "POST", &format!("groups/{CATS}/recall"), json!({"id": id})).await;
        assert!(app.quiet().await, "{flavour:?}");
    }
}

#[tokio::test]
async fn a_program_that_is_started_again_refuses_meanwhile_and_forgets() {
    for flavour in [Flavour::Napcat, Flavour::Llbot] {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        person(at, OWNER, "before").await;
        let handle = app.event().await["message_id"].clone();
        work(at, "POST", "onebot/restart", json!({"down": "1h"})).await;
        assert!(app.frame().await.is_none(), "the connection ends");
        assert!(matches!(open(at, "/onebot/v11", "").await, Err(Error::Http(_))));
        person(at, MEMBER, "meanwhile").await;
        work(at, "POST", "clock", json!({"advance": "1h"})).await;
        let mut app = App::connect(at).await;
        assert!(app.quiet().await, "nothing is told of what was said meanwhile");
        let known = app.call("get_msg", json!({"message_id": handle})).await["status"] == "ok";
        assert_eq!(known, flavour == Flavour::Llbot);
        let all = history(&mut app).await;
        assert_eq!(all.len(), 2, "but it is in the history");
    }
}

#[tokio::test]
async fn the_ids_outlive_the_process() {
    for flavour in Flavour::ALL {
        let dir = tempfile::tempdir().unwrap();
        let start = async || {
            sandbox_with(|options| {
                options.state = Some(dir.path().to_owned());
                options.flavour = flavour;
            })
            .await
        };
        let first = start().await;
        let mut app = App::connect(first.address).await;
        person(first.address, OWNER, "kept").await;
        let handle = app.event().await["message_id"].clone();
        drop(first);
        let second = start().await;
        let mut app = App::connect(second.address).await;
        let all = history(&mut app).await;
        assert_eq!(all[0]["message_id"], handle);
        assert_eq!(
            app.done("get_msg", json!({"message_id": handle})).await["raw_message"],
            "kept"
        );
    }
}

#[tokio::test]
async fn an_account_becomes_another_program() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    let mut app = App::connect(at).await;
    let shown = settings(at, json!({"flavour": "gocq", "message_format": "array"})).await;
    assert_eq!(
        (&shown["flavour"], &shown["message_format"]),
        (&json!("gocq"), &json!("array"))
    );
    assert!(app.frame().await.is_none());
    let mut app = App::connect(at).await;
    assert_eq!(app.done("get_version_info", json!({})).await["app_name"], "go-cqhttp");
    let state = work(at, "GET", "state", json!({})).await;
    assert_eq!(state["accounts"][1]["onebot"]["flavour"], "gocq");
    settings(at, json!({"flavour": null})).await;
    let mut app = App::connect(at).await;
    assert_eq!(
        app.done("get_version_info", json!({})).await["app_name"],
        "NapCat.Onebot"
    );
}
