//! The control API.

use serde_json::json;

use crate::client::{GROUP, Qq, Way, control, log, say};
use crate::sandbox;

#[tokio::test]
async fn errors_are_sentences() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let messages = format!("groups/{GROUP}/messages");
    for (method, path, body, status) in [
        ("GET", "nowhere", json!({}), 404),
        ("PUT", "state", json!({}), 405),
        ("GET", "groups/5/messages", json!({}), 404),
        ("GET", "groups/rust/messages", json!({}), 400),
        ("GET", &format!("{messages}?after=x"), json!({}), 400),
        ("GET", &format!("{messages}?wait=-1"), json!({}), 400),
        ("POST", "groups/5/messages", json!({"from": 1, "message": "x"}), 404),
        ("POST", &messages, json!({"from": 1, "message": "x"}), 400),
        ("POST", &messages, json!({"message": "x"}), 400),
        ("POST", &messages, json!({"from": 222_333_444}), 400),
        ("POST", &messages, json!([1]), 400),
        (
            "POST",
            &messages,
            json!({"from": 222_333_444, "message": [{"type": "rocket", "data": {}}]}),
            400,
        ),
        ("POST", "faults", json!({"kind": "flood"}), 400),
        ("POST", "clock", json!({"advance": "soon"}), 400),
        ("POST", "clock", json!({}), 400),
        ("POST", "qr/scan", json!({"qq": 5}), 400),
        (
            "POST",
            &format!("groups/{GROUP}/members"),
            json!({"qq": 222_333_444}),
            409,
        ),
        ("DELETE", &format!("groups/{GROUP}/members/5"), json!({}), 404),
        (
            "PATCH",
            &format!("groups/{GROUP}/members/222333444"),
            json!({"role": "king"}),
            400,
        ),
    ] {
        let (got, answer) = control(at, method, path, &body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
        assert!(
            answer["error"].as_str().is_some_and(|sentence| sentence.len() > 10),
            "{answer}"
        );
    }
    let (status, answer) = control(at, "POST", "faults", &json!({"kind": "flood"})).await;
    assert!(
        status == 400 && answer["error"].as_str().unwrap().contains("unknown fault kind"),
        "{answer}"
    );
    let listed = control(at, "GET", "faults", &json!({})).await.1;
    assert_eq!(listed["armed"], json!([]));
    for kind in listed["kinds"].as_array().unwrap() {
        assert!(
            kind["kind"].is_string() && kind["does"].as_str().unwrap().len() > 10,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn messages_are_read_and_waited_for() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let first = say(at, 222_333_444, "one").await;
    let waiting = tokio::spawn(async move {
        control(
            at,
            "GET",
            &format!("groups/{GROUP}/messages?after={first}&wait=10"),
            &json!({}),
        )
        .await
        .1
    });
    let second = say(at, 555_666_777, "two").await;
    assert!(second > first);
    let got = waiting.await.unwrap();
    assert_eq!(got.as_array().unwrap().len(), 1);
    assert_eq!(got[0]["id"], second);
    assert_eq!(got[0]["from"], 555_666_777);
    assert_eq!(got[0]["message"], json!([{"type": "text", "data": {"text": "two"}}]));
    assert!(got[0]["time"].as_i64().unwrap() > 1_700_000_000);
    let none = control(
        at,
        "GET",
        &format!("groups/{GROUP}/messages?after={second}&wait=0.1"),
        &json!({}),
    )
    .await;
    assert_eq!(none, (200, json!([])));
}

#[tokio::test]
async fn a_recall_is_remembered_though_webqq_cannot_show_it() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let id = say(at, 222_333_444, "oops").await;
    let (status, answer) = control(at, "POST", &format!("groups/{GROUP}/recall"), &json!({"id": id})).await;
    assert!(
        status == 400 && answer["error"].as_str().unwrap().contains("WebQQ"),
        "{answer}"
    );
    let messages = control(at, "GET", &format!("groups/{GROUP}/messages"), &json!({}))
        .await
        .1;
    assert_eq!(messages[0]["recalled"], true);
    assert_eq!(
        control(at, "POST", &format!("groups/{GROUP}/recall"), &json!({"id": 99}))
            .await
            .0,
        404
    );
    let other = json!({"from": 700_100_200, "message": "喵"});
    let id = control(at, "POST", "groups/346000004/messages", &other).await.1["id"].clone();
    assert_eq!(
        control(at, "POST", "groups/346000004/recall", &json!({"id": id}))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn members_come_change_and_go() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let members = format!("groups/{GROUP}/members");
    let newcomer = json!({"qq": "888999000", "nickname": "新人", "card": "x", "role": "admin"});
    assert_eq!(control(at, "POST", &members, &newcomer).await.0, 200);
    say(at, 888_999_000, "大家好").await;
    let changed = control(at, "PATCH", &format!("{members}/888999000"), &json!({"card": "newer"}))
        .await
        .1;
    assert_eq!((&changed["card"], &changed["role"]), (&json!("newer"), &json!("admin")));
    assert_eq!(
        control(at, "DELETE", &format!("{members}/888999000"), &json!({}))
            .await
            .0,
        200
    );
    let body = json!({"from": 888_999_000, "message": "still here?"});
    assert_eq!(
        control(at, "POST", &format!("groups/{GROUP}/messages"), &body).await.0,
        400
    );
}

#[tokio::test]
async fn the_state_shows_how_far_a_login_is() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let state = || async move { control(at, "GET", "state", &json!({})).await.1 };
    assert_eq!(state().await["sessions"], json!([]));
    let mut qq = Qq::new(at, Way::Path);
    qq.show_qr().await;
    assert_eq!(state().await["qr"][0]["state"], "waiting");
    let picture = reqwest::get(format!("http://{at}/sandbox/qr")).await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    qq.scan_in().await;
    assert_eq!(state().await["sessions"][0]["state"], "checked");
    qq.getvfwebqq().await;
    qq.login2().await;
    assert_eq!(state().await["sessions"][0]["state"], "entering");
    qq.online_buddies().await;
    let shown = state().await["sessions"][0].clone();
    assert_eq!(
        (&shown["state"], &shown["account"]),
        (&json!("online"), &json!(123_456_789))
    );
    assert_eq!(shown["done"]["login2"], 1);
}

#[tokio::test]
async fn the_log_says_what_became_of_each_request_and_no_secret() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, _) = qq.group().await;
    qq.send(gid, &crate::client::content("logged")).await;
    let entries = log(sandbox.address).await;
    let sent = entries.last().unwrap();
    assert_eq!(
        (&sent["outcome"], &sent["host"]),
        (&json!("delivered"), &json!("d1.web2.qq.com"))
    );
    assert!(sent["message"].is_i64() && sent["account"] == 123_456_789);
    let numbers: Vec<_> = entries.iter().map(|entry| entry["n"].as_i64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    let later = control(sandbox.address, "GET", &format!("log?after={}", numbers[2]), &json!({}))
        .await
        .1;
    assert_eq!(later[0]["n"], numbers[3]);
    let text = serde_json::to_string(&entries).unwrap();
    for secret in [
        &qq.psessionid,
        &qq.vfwebqq,
        &qq.ptwebqq,
        &qq.cookie("w.qq.com", "p_skey").unwrap(),
    ] {
        assert!(!text.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn the_page_is_there() {
    let sandbox = sandbox().await;
    let page = reqwest::get(sandbox.url()).await.unwrap();
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let html = page.text().await.unwrap();
    assert!(
        !html.contains("src=\"http") && !html.contains("href=\"http"),
        "nothing from elsewhere"
    );
    assert_eq!(
        reqwest::get(format!("{}/elsewhere", sandbox.url()))
            .await
            .unwrap()
            .status(),
        404
    );
}
