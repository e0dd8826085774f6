//! What a send is answered, what becomes of it, and how it comes back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{arm, messages, texts};
use crate::client::{Qq, Way, content, log};
use crate::sandbox;

#[tokio::test]
async fn every_answer_delivered_and_not() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let mut qq = Qq::log_in(at, Way::Path).await;
    let (gid, _) = qq.group().await;
    let mut sent = 0;
    for (n, (answer, delivered, retcode, outcome)) in [
        (json!("ok"), None, json!(0), "delivered"),
        (json!("send_ok"), Some(false), Value::Null, "dropped"),
        (json!("zero"), None, json!(0), "delivered"),
        (json!(1202), None, json!(1202), "dropped"),
        (json!(1202), Some(true), json!(1202), "delivered"),
        (json!(100_100), None, json!(100_100), "delivered"),
        (json!("ERROR"), None, Value::Null, "refused"),
        (json!(108), None, json!(108), "refused"),
        (json!("100012"), None, json!(100_012), "refused"),
        (json!(8), Some(true), json!(8), "delivered"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut fault = json!({"kind": "send_answer", "answer": answer});
        if let Some(delivered) = delivered {
            fault["delivered"] = json!(delivered);
        }
        arm(at, fault.clone()).await;
        assert_eq!(
            qq.send(gid, &content(&format!("number {n}"))).await["retcode"],
            retcode,
            "{fault}"
        );
        sent += usize::from(outcome == "delivered");
        assert_eq!(messages(at).await, sent, "{fault}");
        let entry = log(at)
            .await
            .into_iter()
            .rfind(|entry| entry["path"] == "/channel/send_qun_msg2")
            .unwrap();
        assert_eq!(entry["outcome"], outcome, "{entry}");
    }
}

#[tokio::test]
async fn echoes_are_missing_altered_split_twice_late_and_early() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let mut qq = Qq::log_in(at, Way::Path).await;
    let (gid, _) = qq.group().await;
    for (fault, text, expected) in [
        (json!({"how": "none"}), "nobody hears", vec![]),
        (json!({"how": "altered"}), "a b", vec!["a\u{a0}b "]),
        (json!({"how": "altered", "alter": "cut"}), "left < right", vec!["left "]),
        (
            json!({"how": "altered", "alter": "censor"}),
            "buy it cheaply",
            vec!["buy it ***"],
        ),
        (json!({"how": "split"}), "one two three", vec!["two three", "one "]),
        (json!({"how": "twice"}), "me me", vec!["me me", "me me"]),
        (json!({"how": "late", "delay": "200ms"}), "later", vec!["later"]),
    ] {
        let mut armed = fault.clone();
        armed["kind"] = json!("echo");
        arm(at, armed).await;
        let begun = Instant::now();
        assert_eq!(qq.send(gid, &content(text)).await["errCode"], 0);
        assert_eq!(texts(&qq).await, expected, "{fault}");
        let late = fault["how"] == "late";
        assert!(!late || begun.elapsed() >= Duration::from_millis(150));
    }
    arm(at, json!({"kind": "echo", "how": "early", "delay": "500ms"})).await;
    let mut sender = qq.clone();
    let sending = tokio::spawn(async move { sender.send(gid, &content("soon")).await });
    assert_eq!(texts(&qq).await, ["soon"]);
    assert!(!sending.is_finished(), "the echo comes before the answer");
    assert_eq!(sending.await.unwrap()["errCode"], 0);
}
