//! Messages that are lost, doubled, out of order, and events that say nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{arm, texts};
use crate::client::{GROUP, Qq, Way, control, log, say};
use crate::old::{Old, old_sandbox};
use crate::sandbox;

#[tokio::test]
async fn every_idle_form() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    arm(at, json!({"kind": "hold", "time": "20ms"})).await;
    for (form, expected) in [
        (1, json!({"errmsg": "error!!!", "retcode": 0})),
        (2, json!({"errmsg": "error", "retcode": 0})),
        (3, json!({"errmsg": ""})),
        (4, json!({"retcode": 0, "result": "ok"})),
        (5, json!({"retcode": 0, "retmsg": "ok", "errmsg": "error"})),
        (6, json!({"retcode": 102, "errmsg": ""})),
    ] {
        arm(at, json!({"kind": "idle_form", "form": form})).await;
        let begun = Instant::now();
        assert_eq!(qq.poll().await, expected);
        assert!(begun.elapsed() < Duration::from_millis(900), "held for 20 ms only");
    }
}

#[tokio::test]
async fn messages_come_twice_never_and_in_other_orders() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    arm(at, json!({"kind": "double_message"})).await;
    say(at, 222_333_444, "twice").await;
    let answer = qq.poll().await;
    assert_eq!(answer["result"].as_array().unwrap().len(), 2);
    assert_eq!(answer["result"][0], answer["result"][1]);
    arm(at, json!({"kind": "double_message", "delay": "100ms"})).await;
    say(at, 222_333_444, "and again").await;
    assert_eq!(texts(&qq).await, ["and again"]);
    assert_eq!(texts(&qq).await, ["and again"]);
    for (order, expected) in [
        (Value::Null, ["3", "2", "1"]),
        (json!("oldest"), ["1", "2", "3"]),
        (json!("mixed"), ["2", "3", "1"]),
    ] {
        if !order.is_null() {
            arm(at, json!({"kind": "order", "order": order})).await;
        }
        arm(at, json!({"kind": "batch", "size": 3})).await;
        let poll = texts(&qq);
        let speak = async {
            for text in ["1", "2", "3"] {
                say(at, 222_333_444, text).await;
            }
        };
        assert_eq!(tokio::join!(poll, speak).0, expected);
    }
    arm(at, json!({"kind": "lost_message"})).await;
    let id = say(at, 222_333_444, "lost").await;
    say(at, 222_333_444, "found").await;
    assert_eq!(texts(&qq).await, ["found"]);
    let dropped = log(at)
        .await
        .into_iter()
        .find(|entry| entry["outcome"] == "dropped")
        .unwrap();
    assert_eq!(dropped["message"], id);
}

#[tokio::test]
async fn a_lost_message_leaves_a_gap_in_2013() {
    let sandbox = old_sandbox(|_| ()).await;
    let old = Old::log_in(sandbox.address).await;
    say(sandbox.address, 222_333_444, "one").await;
    arm(sandbox.address, json!({"kind": "lost_message"})).await;
    say(sandbox.address, 222_333_444, "two").await;
    say(sandbox.address, 222_333_444, "three").await;
    let events = old.poll().await["result"].as_array().unwrap().clone();
    let seqs: Vec<_> = events
        .iter()
        .map(|event| event["value"]["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, [3, 1]);
    arm(sandbox.address, json!({"kind": "withhold_numbers"})).await;
    say(sandbox.address, 222_333_444, "four").await;
    let value = old.poll().await["result"][0]["value"].clone();
    assert!(value["seq"] == 4 && value.get("info_seq").is_none(), "{value}");
}

#[tokio::test]
async fn events_that_say_nothing_come_before_messages() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    for (what, kind) in [
        ("unknown", "sandbox_unknown"),
        ("junk", "group_message"),
        ("status", "buddies_status_change"),
        ("input", "input_notify"),
        ("tips", "tips"),
    ] {
        arm(at, json!({"kind": "extra_event", "what": what})).await;
        say(at, 222_333_444, what).await;
        let events = qq.poll().await["result"].clone();
        assert_eq!(events[0]["value"]["content"][1], what);
        assert_eq!(events[1]["poll_type"], kind);
    }
    arm(at, json!({"kind": "faces_zero", "count": 0})).await;
    let body = json!({"from": 222_333_444, "message": [{"type": "face", "data": {"id": 14}}]});
    control(at, "POST", &format!("groups/{GROUP}/messages"), &body).await;
    assert_eq!(qq.poll().await["result"][0]["value"]["content"][1], json!(["face", 0]));
}
