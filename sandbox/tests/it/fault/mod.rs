//! Every kind of misbehaviour of the web hosts.

mod code;
mod message;
mod passage;
mod send;
mod way_in;

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::client::{GROUP, Qq, control};

async fn arm(address: SocketAddr, fault: Value) {
    let (status, answer) = control(address, "POST", "faults", &fault).await;
    assert_eq!(status, 200, "{answer}");
}

async fn clear(address: SocketAddr) {
    control(address, "DELETE", "faults", &json!({})).await;
}

/// The first texts of the events of a poll, in the order of the answer.
async fn texts(qq: &Qq) -> Vec<String> {
    let answer = qq.poll().await;
    let events = answer["result"].as_array().cloned().unwrap_or_default();
    let text = |event: &Value| event["value"]["content"][1].as_str().unwrap_or_default().to_owned();
    events.iter().map(text).collect()
}

/// How many messages the group has.
async fn messages(address: SocketAddr) -> usize {
    let path = format!("groups/{GROUP}/messages");
    control(address, "GET", &path, &json!({}))
        .await
        .1
        .as_array()
        .unwrap()
        .len()
}

/// A relink, with the cookie of a renewed `ptwebqq` if there is one.
async fn relink(qq: &mut Qq) -> Value {
    let r = json!({
        "ptwebqq": qq.ptwebqq, "clientid": 53_999_199, "psessionid": qq.psessionid, "key": "", "state": "online",
    });
    let answer = qq
        .post("d1.web2.qq.com/channel/login2", crate::client::CHANNEL, &r)
        .await;
    if let Some(psessionid) = answer["result"]["psessionid"].as_str() {
        qq.psessionid = psessionid.to_owned();
    }
    answer
}
