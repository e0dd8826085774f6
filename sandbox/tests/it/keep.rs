//! What outlives the process, and what does not.

use serde_json::json;

use crate::client::{GROUP, Qq, Way, content, control, log, say};
use crate::{sandbox, sandbox_with};

#[tokio::test]
async fn with_a_state_directory_everything_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let first = sandbox_with(|options| options.state = Some(path.clone())).await;
    let mut qq = Qq::log_in(first.address, Way::Host).await;
    let (gid, code) = qq.group().await;
    qq.send(gid, &content("before")).await;
    qq.poll().await;
    let waiting = say(first.address, 222_333_444, "while nobody polled").await;
    let newcomer = json!({"qq": 888_999_000, "nickname": "新人"});
    assert_eq!(
        control(first.address, "POST", &format!("groups/{GROUP}/members"), &newcomer)
            .await
            .0,
        200
    );
    let logged = log(first.address).await.len();
    let address = first.address;
    drop(first);

    let second = sandbox_with(|options| {
        options.state = Some(path.clone());
        options.listen = address;
    })
    .await;
    assert_eq!(qq.online_buddies().await["retcode"], 0, "the session resumes");
    assert_eq!(qq.group().await, (gid, code));
    let answer = qq.poll().await;
    assert_eq!(answer["result"].as_array().unwrap().len(), 1);
    assert_eq!(answer["result"][0]["value"]["content"][1], "while nobody polled");
    assert_eq!(qq.members(code).await["result"]["minfo"].as_array().unwrap().len(), 7);
    let id = say(second.address, 222_333_444, "after").await;
    assert_eq!(id, waiting + 1);
    let messages = control(second.address, "GET", &format!("groups/{GROUP}/messages"), &json!({}))
        .await
        .1;
    let seqs: Vec<_> = messages
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(seqs, [1, 2, 3]);
    assert!(log(second.address).await.len() > logged);
    second.stop().await;
}

#[tokio::test]
async fn without_one_logins_are_forgotten() {
    let first = sandbox().await;
    let mut qq = Qq::log_in(first.address, Way::Path).await;
    let address = first.address;
    first.stop().await;
    let _second = sandbox_with(|options| options.listen = address).await;
    assert_eq!(qq.online_buddies().await["retcode"], 100_001);
    assert_eq!(qq.login2().await["retcode"], 100_001);
}

#[tokio::test]
async fn one_directory_serves_one_sandbox() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let _first = sandbox_with(|options| options.state = Some(path.clone())).await;
    let options = qq_sandbox::Options {
        state: Some(path),
        ..Default::default()
    };
    let error = qq_sandbox::Sandbox::start(options).await.unwrap_err().to_string();
    assert!(error.contains("locked"), "{error}");
}

#[tokio::test]
async fn reset_begins_anew_but_numbers_go_on() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let before = say(sandbox.address, 222_333_444, "old").await;
    let held = tokio::spawn({
        let qq = qq.clone();
        async move {
            qq.poll().await;
            qq.poll().await
        }
    });
    crate::login::wait_until_polling(&qq).await;
    let (status, answer) = control(sandbox.address, "POST", "reset", &json!({"seed": 5})).await;
    assert_eq!((status, &answer["seed"]), (200, &json!(5)));
    assert!([103, 100_001].contains(&held.await.unwrap()["retcode"].as_i64().unwrap()));
    let messages = control(sandbox.address, "GET", &format!("groups/{GROUP}/messages"), &json!({}))
        .await
        .1;
    assert_eq!(messages, json!([]));
    assert!(say(sandbox.address, 222_333_444, "new").await > before);
    Qq::log_in(sandbox.address, Way::Path).await;
}
