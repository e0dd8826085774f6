//! What the seed and `--lax` change, and what they must not.

use serde_json::{Value, json};

use crate::client::{CHANNEL, Qq, Way, content, control, say};
use crate::sandbox_with;

/// Polls until an event of that kind comes; events of other kinds are passed over.
async fn event(qq: &Qq, wanted: &str) -> Value {
    for _ in 0..5 {
        let answer = qq.poll().await;
        let found = answer["result"]
            .as_array()
            .and_then(|list| list.iter().find(|event| event["poll_type"] == wanted));
        if let Some(found) = found {
            return found["value"].clone();
        }
    }
    panic!("no {wanted}")
}

#[tokio::test]
async fn every_seed_lets_a_client_in() {
    for seed in 1..=10 {
        let sandbox = sandbox_with(|options| options.seed = seed).await;
        let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
        let (gid, _) = qq.group().await;
        say(sandbox.address, 222_333_444, "hello").await;
        assert_eq!(event(&qq, "group_message").await["content"][1], "hello", "seed {seed}");
        let sent = qq.send(gid, &content("back")).await;
        assert!(sent["errCode"] == 0 || sent["retcode"] == 0, "seed {seed}: {sent}");
        assert_eq!(event(&qq, "group_message").await["send_uin"], qq.uin, "seed {seed}");
        control(sandbox.address, "POST", "clock", &json!({"advance": "48h"})).await;
        let code = qq.poll().await["retcode"].as_i64().unwrap();
        assert!([100_000, 100_012, 103].contains(&code), "seed {seed}: {code}");
    }
}

#[tokio::test]
async fn a_relink_may_renew_the_temporary_numbers() {
    let mut renewed = Vec::new();
    for seed in 0..10 {
        let sandbox = sandbox_with(|options| options.seed = seed).await;
        let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
        let before = qq.group().await;
        let r = json!({
            "ptwebqq": qq.ptwebqq, "clientid": 53_999_199, "psessionid": qq.psessionid, "key": "", "state": "online",
        });
        let answer = qq.post("d1.web2.qq.com/channel/login2", CHANNEL, &r).await;
        qq.psessionid = answer["result"]["psessionid"].as_str().unwrap().to_owned();
        renewed.push(qq.group().await != before);
    }
    assert!(!renewed[0], "not on a good day");
    assert!(renewed.contains(&true) && renewed[1..].contains(&false), "{renewed:?}");
}

#[tokio::test]
async fn lax_does_without_what_is_uncertain() {
    for lax in [false, true] {
        let sandbox = sandbox_with(|options| options.lax = lax).await;
        let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
        let (gid, _) = qq.group().await;
        let font = json!(["font", {"name": "宋体", "size": 10, "style": [0, 0, 0], "color": "000000"}]);
        let only_a_face = json!([["face", 14], font]).to_string();
        assert_eq!(qq.send(gid, &only_a_face).await["errCode"] == 0, lax);
        let request = qq
            .http
            .get(qq.url("s.web2.qq.com/api/get_self_info2?t=1"))
            .header("user-agent", "");
        let answer = request
            .header("referer", CHANNEL)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(answer.contains("100101"), !lax, "{answer}");
    }
}
