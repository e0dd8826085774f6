//! Every kind of misbehaviour.

use std::time::Duration;

use futures_util::StreamExt as _;
use qq_sandbox::Flavour;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Error;

use super::{App, CATS, MEMBER, arm, messages, open, person, sandbox_of, settings, text, work};

fn hi() -> Value {
    json!({"group_id": CATS, "message": text("hi")})
}

#[tokio::test]
async fn calls_and_answers_are_lost_late_and_mixed_up() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    let mut app = App::connect(at).await;
    arm(at, json!({"kind": "drop_call", "action": "send_group_msg"})).await;
    app.ask("send_group_msg", hi()).await;
    assert!(app.quiet().await);
    assert!(messages(at).await.is_empty());
    arm(at, json!({"kind": "drop_answer", "action": "send_group_msg"})).await;
    app.ask("send_group_msg", hi()).await;
    assert!(app.quiet().await);
    assert_eq!(messages(at).await.len(), 1);
    arm(at, json!({"kind": "late_answer", "delay": "300ms"})).await;
    let begun = Instant::now();
    let late = app.ask("get_status", json!({})).await;
    let soon = app.ask("get_status", json!({})).await;
    assert_eq!(app.answer().await.unwrap()["echo"], soon);
    assert_eq!(app.answer().await.unwrap()["echo"], late);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    arm(at, json!({"kind": "reorder_answers", "size": 3})).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        asked.push(app.ask("get_status", json!({})).await);
    }
    for echo in asked.iter().rev() {
        assert_eq!(app.answer().await.unwrap()["echo"], *echo);
    }
    app.call("get_status", json!({})).await;
    arm(at, json!({"kind": "fail_call", "action": "get_group_list"})).await;
    app.failed("get_group_list", json!({}), 1200).await;
    app.done("get_group_list", json!({})).await;
}

#[tokio::test]
async fn sends_time_out_with_and_without_being_delivered() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    let mut app = App::connect(at).await;
    settings(at, json!({"report_self": true})).await;
    arm(at, json!({"kind": "timeout_delivered"})).await;
    app.done("get_group_list", json!({})).await;
    let answer = app.failed("send_group_msg", hi(), 1200).await;
    assert!(answer["message"].as_str().unwrap().starts_with("Timeout: NTEvent"));
    assert_eq!(messages(at).await.len(), 1);
    assert_eq!(
        app.event().await["post_type"],
        "message_sent",
        "the own message proves it"
    );
    arm(at, json!({"kind": "timeout_lost", "count": 2})).await;
    app.failed("send_group_msg", hi(), 1200).await;
    app.failed("send_group_msg", hi(), 1200).await;
    assert_eq!(messages(at).await.len(), 1);
    app.done("send_group_msg", hi()).await;
    assert_eq!(work(at, "GET", "faults", json!({})).await["armed"], json!([]));
}

#[tokio::test]
async fn events_are_lost_doubled_and_huge() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    let mut app = App::connect(at).await;
    arm(at, json!({"kind": "lost_event"})).await;
    person(at, MEMBER, "lost").await;
    arm(at, json!({"kind": "duplicate_event"})).await;
    person(at, MEMBER, "twice").await;
    let (one, two) = (app.event().await, app.event().await);
    assert_eq!((&one, &one["raw_message"]), (&two, &json!("twice")));
    arm(at, json!({"kind": "lost_event", "post_type": "notice", "qq": 5})).await;
    arm(at, json!({"kind": "huge_frame", "size": 20_000_000})).await;
    person(at, MEMBER, "huge").await;
    let event = app.event().await;
    assert_eq!(
        (&event["raw_message"], event["raw"].as_str().unwrap().len()),
        (&json!("huge"), 20_000_000)
    );
}

#[tokio::test]
async fn garbage_comes_in_turns() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    let mut app = App::connect(at).await;
    arm(at, json!({"kind": "garbage_frame", "count": 12})).await;
    let mut rubbish = 0;
    for n in 0..12 {
        person(at, MEMBER, format!("{n}")).await;
        loop {
            let frame = app.frame().await.unwrap();
            if frame["raw_message"] == json!(n.to_string()) {
                break;
            }
            rubbish += 1;
        }
    }
    assert_eq!(rubbish, 12);
}

#[tokio::test]
async fn sockets_are_cut_refused_and_silent() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    for fault in [
        json!({"kind": "cut_socket"}),
        json!({"kind": "cut_socket", "mid_frame": true}),
    ] {
        let mut app = App::connect(at).await;
        arm(at, fault).await;
        person(at, MEMBER, "cut off").await;
        assert!(app.frame().await.is_none());
    }
    let mut app = App::connect(at).await;
    arm(at, json!({"kind": "cut_socket", "on": "answer", "mid_frame": true})).await;
    app.ask("send_group_msg", hi()).await;
    assert!(app.answer().await.is_none());
    assert_eq!(
        messages(at).await.last().unwrap()["message"],
        text("hi"),
        "done all the same"
    );
    let mut app = App::connect(at).await;
    assert_eq!(work(at, "POST", "onebot/cut", json!({})).await["ended"], 1);
    assert!(app.frame().await.is_none());
    arm(at, json!({"kind": "refuse_socket", "status": 502})).await;
    assert!(matches!(open(at, "/onebot/v11", "").await, Err(Error::Http(response)) if response.status() == 502));
    arm(at, json!({"kind": "silent_socket"})).await;
    let mut app = App::of(open(at, "/onebot/v11", "").await.unwrap());
    app.ask("get_status", json!({})).await;
    person(at, MEMBER, "unheard").await;
    assert!(timeout(Duration::from_millis(300), app.socket.next()).await.is_err());
    App::connect(at).await;
}

#[tokio::test]
async fn an_account_can_be_off_the_line_unnoticed() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let at = sandbox.address;
    settings(at, json!({"heartbeat": 50})).await;
    let mut app = App::connect(at).await;
    arm(at, json!({"kind": "silent_offline"})).await;
    person(at, MEMBER, "unheard").await;
    assert!(app.quiet().await);
    app.failed("send_group_msg", hi(), 1200).await;
    assert_eq!(messages(at).await.len(), 1);
    let beat = loop {
        let frame = app.frame().await.unwrap();
        if frame["meta_event_type"] == "heartbeat" {
            break frame;
        }
    };
    assert_eq!(beat["status"]["online"], true);
    work(at, "DELETE", "faults?kind=silent_offline", json!({})).await;
    person(at, MEMBER, "heard").await;
    assert_eq!(app.event().await["raw_message"], "heard");
}

#[tokio::test]
async fn an_event_can_be_given_as_it_stands() {
    let sandbox = sandbox_of(Flavour::Napcat).await;
    let mut app = App::connect(sandbox.address).await;
    let event = json!({"event": {"post_type": "notice", "notice_type": "essence", "group_id": CATS, "x": [1]}});
    work(sandbox.address, "POST", "onebot/event", event).await;
    let told = app.event().await;
    assert_eq!((&told["notice_type"], &told["x"]), (&json!("essence"), &json!([1])));
    assert!(told["self_id"].is_i64() && told["time"].is_i64());
}
