//! Answers that do not get through as they should.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{arm, messages, texts};
use crate::client::{CHANNEL, Qq, Way, content, log, say};
use crate::sandbox;

/// The bytes of an answer to a poll or a send, or why there are none.
async fn raw(qq: &Qq, path: &str, r: &serde_json::Value) -> Result<(u16, String, String), reqwest::Error> {
    let request = qq
        .http
        .post(qq.url(path))
        .form(&[("r", r.to_string())])
        .header("referer", CHANNEL);
    let response = request.send().await?;
    let status = response.status().as_u16();
    let kind = response
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    Ok((status, kind.unwrap_or_default(), response.text().await?))
}

const POLL: &str = "d1.web2.qq.com/channel/poll2";
const SEND: &str = "d1.web2.qq.com/channel/send_qun_msg2";

#[tokio::test]
async fn polls_break_and_lose_nothing() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    for fault in [
        json!({"kind": "close", "call": "poll"}),
        json!({"kind": "cut_body", "call": "poll"}),
        json!({"kind": "cut_body", "call": "poll2", "chunked": true}),
    ] {
        arm(at, fault.clone()).await;
        let text = format!("after {fault}");
        say(at, 222_333_444, &text).await;
        assert!(raw(&qq, POLL, &qq.poll_fields()).await.is_err(), "{fault}");
        assert_eq!(texts(&qq).await, [text.replace('"', "&quot;")]);
    }
    for (fault, status, body) in [
        (json!({"kind": "http_status"}), 502, "Bad Gateway"),
        (json!({"kind": "http_status", "status": 504}), 504, "Bad Gateway"),
        (
            json!({"kind": "http_status", "status": 404, "call": "poll"}),
            404,
            "Bad Gateway",
        ),
        (json!({"kind": "empty_body"}), 200, ""),
        (json!({"kind": "garbage_body"}), 200, "nginx"),
    ] {
        arm(at, fault.clone()).await;
        let answer = raw(&qq, POLL, &qq.poll_fields()).await.unwrap();
        assert_eq!(answer.0, status, "{fault}");
        assert!(answer.2.contains(body), "{fault}: {answer:?}");
    }
    arm(at, json!({"kind": "content_type", "type": "image/gif"})).await;
    say(at, 222_333_444, "a picture?").await;
    let answer = raw(&qq, POLL, &qq.poll_fields()).await.unwrap();
    assert_eq!(answer.1, "image/gif");
    assert!(answer.2.contains("a picture?"));
}

#[tokio::test]
async fn a_poll_can_lose_what_it_took_and_the_log_says_so() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    for fault in [
        json!({"kind": "close", "call": "poll", "done": true}),
        json!({"kind": "cut_body", "call": "poll", "lose": true}),
    ] {
        arm(at, fault.clone()).await;
        let id = say(at, 222_333_444, "lost").await;
        assert!(raw(&qq, POLL, &qq.poll_fields()).await.is_err());
        assert!(texts(&qq).await.is_empty(), "{fault}");
        let gone = log(at)
            .await
            .into_iter()
            .rfind(|entry| entry["outcome"] == "gone")
            .unwrap();
        assert!(gone["detail"].as_str().unwrap().contains(&format!("[{id}]")), "{gone}");
    }
}

#[tokio::test]
async fn answers_drip_come_late_and_not_at_all() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let mut qq = Qq::log_in(at, Way::Path).await;
    let (gid, _) = qq.group().await;
    for kind in ["slow_body", "late_reply"] {
        arm(at, json!({"kind": kind, "call": "lists", "delay": "400ms"})).await;
        let begun = Instant::now();
        assert_eq!(qq.groups().await["retcode"], 0);
        assert!(
            begun.elapsed() >= Duration::from_millis(300),
            "{kind}: {:?}",
            begun.elapsed()
        );
    }
    arm(at, json!({"kind": "hang", "call": "send"})).await;
    let waiting = tokio::time::timeout(Duration::from_millis(300), qq.send(gid, &content("unheard"))).await;
    assert!(waiting.is_err());
    assert_eq!(messages(at).await, 0);
    assert_eq!(qq.send(gid, &content("heard")).await["errCode"], 0);
}

#[tokio::test]
async fn a_send_that_breaks_is_delivered_or_not() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let mut qq = Qq::log_in(at, Way::Path).await;
    let (gid, _) = qq.group().await;
    for (done, expected) in [(false, 0), (true, 1)] {
        arm(at, json!({"kind": "close", "call": "send_qun_msg2", "done": done})).await;
        qq.msg_id += 1;
        let r = json!({
            "group_uin": gid, "content": content("once?"), "face": 591, "clientid": 53_999_199, "msg_id": qq.msg_id,
            "psessionid": qq.psessionid,
        });
        assert!(raw(&qq, SEND, &r).await.is_err());
        assert_eq!(messages(at).await, expected);
    }
    let told: String = log(at)
        .await
        .iter()
        .map(|entry| entry["detail"].as_str().unwrap().to_owned())
        .collect();
    assert!(told.contains("not carried out by the fault close"), "{told}");
}
