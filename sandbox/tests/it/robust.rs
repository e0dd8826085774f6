//! Hostile and broken input: the sandbox answers or hangs up, and goes on.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{CHANNEL, Qq, Way, control, log, say};
use crate::login::wait_until_polling;
use crate::{sandbox, sandbox_with};

/// Writes bytes and reads what comes, until the far side closes or a second is over.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The far side may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn odd_requests_do_no_harm() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or_default().to_owned();
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-A: b\r\n".repeat(500));
    let big = "POST /sandbox/kick HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n{}";
    for (request, expected) in [
        (long.as_str(), "431"),
        (&many, "431"),
        (big, "413"),
        ("rubbish\r\n\r\n", "400"),
        (
            "CONNECT d1.web2.qq.com:443 HTTP/1.1\r\nHost: d1.web2.qq.com:443\r\n\r\n",
            "501",
        ),
        (
            "GET http://d1.web2.qq.com/nothing HTTP/1.1\r\nHost: d1.web2.qq.com\r\nConnection: close\r\n\r\n",
            "404",
        ),
        ("GET /d1.web2.qq.com HTTP/1.0\r\n\r\n", "200"),
        (
            "GET /%ff%00/%2e%2e/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "404",
        ),
        (
            "GET /s.web2.qq.com/api/get_friend_uin2?tuin=%zz&type=%ff HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n",
            "200",
        ),
        (
            "POST /d1.web2.qq.com/channel/poll2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nr=%ff",
            "200",
        ),
        (
            "DELETE /d1.web2.qq.com/channel/poll2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "404",
        ),
    ] {
        let answer = raw(at, request.as_bytes()).await;
        assert_eq!(
            status(&answer),
            expected,
            "{}: {answer}",
            &request[..request.len().min(80)]
        );
    }
    say(at, 222_333_444, "still alive").await;
}

#[tokio::test]
async fn odd_payloads_are_refused() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for path in [
        "login2",
        "poll2",
        "send_qun_msg2",
        "send_buddy_msg2",
        "send_discu_msg2",
        "get_recent_list2",
    ] {
        for r in [
            "",
            "[]",
            "null",
            "{",
            "\u{0}",
            "{\"psessionid\":{}}",
            "{\"clientid\":1e999}",
            deep.as_str(),
        ] {
            let url = qq.url(&format!("d1.web2.qq.com/channel/{path}"));
            let answer = qq
                .http
                .post(url)
                .header("referer", CHANNEL)
                .form(&[("r", r)])
                .send()
                .await
                .unwrap();
            let answer = answer.text().await.unwrap();
            assert!(
                answer.contains("retcode") && !answer.contains("\"retcode\":0"),
                "{path} {r:.20}: {answer}"
            );
        }
    }
    let r = json!({
        "group_uin": 1e300, "content": {"a": [1]}, "clientid": 53_999_199, "psessionid": qq.psessionid, "msg_id": [],
    });
    assert_eq!(
        qq.post("d1.web2.qq.com/channel/send_qun_msg2", CHANNEL, &r).await["retcode"],
        100_001
    );
}

#[tokio::test]
async fn nothing_is_taken_for_a_client_that_went_away() {
    let sandbox = sandbox_with(|options| options.hold = Duration::from_secs(60)).await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let held = tokio::spawn({
        let qq = qq.clone();
        async move { qq.poll().await }
    });
    wait_until_polling(&qq).await;
    held.abort();
    let gone = async {
        while control(qq.address, "GET", "state", &json!({})).await.1["sessions"][0]["polling"] == true {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap();
    say(sandbox.address, 222_333_444, "for the next poll").await;
    assert_eq!(qq.poll().await["result"][0]["value"]["content"][1], "for the next poll");
    let said = log(sandbox.address)
        .await
        .iter()
        .any(|entry| entry["detail"].as_str().unwrap().contains("closed its poll"));
    assert!(said);
}

#[tokio::test]
async fn a_queue_that_nobody_empties_loses_its_oldest() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for i in 0..2003 {
        let body = json!({"from": 222_333_444, "message": format!("{i}")});
        http.post(format!("http://{at}/sandbox/groups/346000003/messages"))
            .json(&body)
            .send()
            .await
            .unwrap();
    }
    let state = control(at, "GET", "state", &json!({})).await.1;
    assert_eq!(state["sessions"][0]["waiting_events"], 2000);
    let oldest = qq.poll().await["result"].as_array().unwrap().last().unwrap()["value"]["content"][1].clone();
    assert_eq!(oldest, "3");
    let gone = log(at).await.iter().filter(|entry| entry["outcome"] == "gone").count();
    assert_eq!(gone, 3);
}
