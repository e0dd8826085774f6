//! Histories: each flavour pages in its own way.

use qq_sandbox::{Flavour, Sandbox};
use serde_json::{Value, json};

use super::{App, BOT, CATS, MEMBER, OWNER, arm, messages, person, sandbox_of, settings, work};

/// A sandbox with 50 messages in the past, `m1` to `m50`, and an application that heard none of them.
async fn with_past(flavour: Flavour) -> (Sandbox, App) {
    let sandbox = sandbox_of(flavour).await;
    let past = json!({"count": 50, "text": "m{n}", "from": [OWNER, MEMBER], "every": "10s"});
    let made = work(sandbox.address, "POST", &format!("groups/{CATS}/history"), past).await;
    assert_eq!(made["count"], 50);
    let mut app = App::connect(sandbox.address).await;
    assert!(app.quiet().await, "nobody is told of the past");
    (sandbox, app)
}

async fn history(app: &mut App, params: Value) -> Vec<Value> {
    let mut params = params;
    params["group_id"] = json!(CATS);
    let data = app.done("get_group_msg_history", params).await;
    data["messages"].as_array().unwrap().clone()
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["raw_message"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn without_an_anchor_the_newest_come_oldest_first() {
    for flavour in Flavour::ALL {
        let (sandbox, mut app) = with_past(flavour).await;
        let all = history(&mut app, json!({"count": 3})).await;
        let expected: Vec<String> = (if flavour == Flavour::Gocq { 31..51 } else { 48..51 })
            .map(|n| format!("m{n}"))
            .collect();
        assert_eq!(texts(&all), expected);
        let said = messages(sandbox.address).await;
        assert_eq!(all.last().unwrap()["time"], said[49]["time"]);
        assert_eq!(
            said[49]["time"].as_i64().unwrap() - said[0]["time"].as_i64().unwrap(),
            490
        );
        assert_eq!(all.last().unwrap()["user_id"], MEMBER);
    }
}

#[tokio::test]
async fn napcat_pages_by_message_id_in_two_directions() {
    let (sandbox, mut app) = with_past(Flavour::Napcat).await;
    let newest = history(&mut app, json!({"count": 10})).await;
    let anchor = newest[0]["message_id"].clone();
    let older = history(
        &mut app,
        json!({"message_seq": anchor, "count": 5, "reverse_order": true}),
    )
    .await;
    assert_eq!(texts(&older), ["m37", "m38", "m39", "m40", "m41"]);
    let newer = history(&mut app, json!({"message_seq": anchor.to_string(), "count": 3})).await;
    assert_eq!(texts(&newer), ["m41", "m42", "m43"]);
    // The real seq is no anchor, and after a start of the program nothing is.
    app.failed(
        "get_group_msg_history",
        json!({"group_id": CATS, "message_seq": 41}),
        1200,
    )
    .await;
    work(sandbox.address, "POST", "onebot/restart", json!({})).await;
    assert!(app.frame().await.is_none());
    let mut app = App::connect(sandbox.address).await;
    app.failed(
        "get_group_msg_history",
        json!({"group_id": CATS, "message_seq": anchor}),
        1200,
    )
    .await;
    app.failed("get_msg", json!({"message_id": anchor}), 1200).await;
    history(&mut app, json!({"count": 10})).await;
    assert_eq!(
        app.done("get_msg", json!({"message_id": anchor})).await["raw_message"],
        "m41"
    );
}

#[tokio::test]
async fn llbot_and_gocq_end_at_the_real_seq_and_lagrange_at_the_id() {
    let (_sandbox, mut app) = with_past(Flavour::Llbot).await;
    let page = history(&mut app, json!({"message_seq": 30, "count": 4})).await;
    assert_eq!(texts(&page), ["m27", "m28", "m29", "m30"]);
    assert_eq!(page[3]["message_seq"], 30);

    let (_sandbox, mut app) = with_past(Flavour::Gocq).await;
    let page = history(&mut app, json!({"message_seq": "30", "count": 4})).await;
    assert_eq!(
        (page.len(), texts(&page)[19]),
        (20, "m30"),
        "twenty, whatever was asked for"
    );

    let (_sandbox, mut app) = with_past(Flavour::Lagrange).await;
    let newest = history(&mut app, json!({"count": 10})).await;
    let page = history(&mut app, json!({"message_id": newest[0]["message_id"], "count": 4})).await;
    assert_eq!(texts(&page), ["m38", "m39", "m40", "m41"]);
    assert!(page[0].get("message_seq").is_none());
    app.failed("get_group_msg_history", json!({"group_id": CATS, "message_id": 7}), 200)
        .await;
}

#[tokio::test]
async fn what_was_taken_back_is_empty_or_absent_and_own_words_are_there() {
    for flavour in Flavour::ALL {
        let sandbox = sandbox_of(flavour).await;
        let at = sandbox.address;
        let mut app = App::connect(at).await;
        settings(at, json!({"report_self": false})).await;
        person(at, OWNER, "one").await;
        let gone = person(at, OWNER, "two").await;
        work(at, "POST", &format!("groups/{CATS}/recall"), json!({"id": gone})).await;
        app.say("three").await;
        let all = history(&mut app, json!({})).await;
        let expected: &[&str] = if flavour == Flavour::Napcat {
            &["one", "", "three"]
        } else {
            &["one", "three"]
        };
        assert_eq!(texts(&all), expected);
        assert_eq!(all.last().unwrap()["user_id"], BOT);
    }
}

#[tokio::test]
async fn a_history_can_be_shorter_than_the_gap() {
    let (sandbox, mut app) = with_past(Flavour::Llbot).await;
    arm(sandbox.address, json!({"kind": "short_history", "messages": 4})).await;
    assert_eq!(
        texts(&history(&mut app, json!({"count": 30})).await),
        ["m47", "m48", "m49", "m50"]
    );
    assert_eq!(
        texts(&history(&mut app, json!({"count": 30, "message_seq": 48})).await),
        ["m47", "m48"]
    );
    assert!(history(&mut app, json!({"message_seq": 40})).await.is_empty());
    work(sandbox.address, "DELETE", "faults", json!({})).await;
    assert_eq!(history(&mut app, json!({"count": 30})).await.len(), 30);

    let (sandbox, mut app) = with_past(Flavour::Napcat).await;
    arm(sandbox.address, json!({"kind": "short_history"})).await;
    app.failed("get_group_msg_history", json!({"group_id": CATS}), 1200)
        .await;
}
