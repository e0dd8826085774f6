//! Whole sessions against a small scripted far side.

mod changing;
mod fake;
mod gate;
mod hearing;
mod hostile;
mod password;
mod running;
mod staying;
mod wire;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use url::Url;

use super::{Login, Pace, Settings};
use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{GroupNumber, MemberId, Part, QqNumber};
use crate::qq::{AccountEvent, Act, Command, Need, NotSent, Outcome, SessionState};
use fake::{Fake, OWN, said};
use running::{Boxes, Running};

const GROUP: GroupNumber = GroupNumber(346_000_003);
const PATIENCE: Duration = Duration::from_secs(10);

fn qr(state: &SessionState) -> Option<String> {
    match state {
        SessionState::NeedsOperator(Need::ScanQr { text, .. }) => text.clone(),
        _ => None,
    }
}

fn attention(state: &SessionState) -> Option<String> {
    match state {
        SessionState::NeedsOperator(Need::Attention(text)) => Some(text.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn logs_in_by_the_second_code_hears_and_speaks() {
    let fake = Fake::default();
    fake.script().scans = [66, 65, 66, 67, 0].into();
    let mut running = Running::start(fake, None, None).await;
    for _ in 0..2 {
        assert_eq!(running.state(qr).await, "http://txz.qq.com/p?k=x");
        let refused = running.say("too early").await;
        assert!(matches!(refused, Outcome::NotSent(NotSent::Later(_))), "{refused:?}");
    }
    running.online().await;

    assert_eq!(running.act().await, Act::Online { history: false });
    let Act::Snapshot { name, members, own } = running.act().await else {
        panic!("a snapshot follows");
    };
    assert_eq!(name, "Rust & 群");
    assert_eq!(own, MemberId::Number(QqNumber(OWN)));
    let seen: Vec<_> = members.iter().map(|m| (m.id.to_string(), m.shown_name())).collect();
    assert_eq!(
        seen,
        [("222333444".into(), "李四".into()), (OWN.to_string(), "me".to_owned())]
    );

    running.fake.script().polls.push_back(said(29_125, "大家&lt;好"));
    let message = running.message().await;
    assert_eq!(plain_text(&message.parts, Language::Zh), "大家<好");
    assert_eq!(message.id.to_string(), "w:222333444:29125:-:1450687625");
    assert_eq!(message.sender.shown_name(), "李四");
    assert!(!message.own);

    assert_eq!(running.say("Ann: a < b").await, Outcome::Sent(None));
    assert_eq!(running.say("Ann: a < b").await, Outcome::Sent(None));
    let contents: Vec<Value> = {
        let script = running.fake.script();
        assert!(script.sends[0]["msg_id"].as_u64() < script.sends[1]["msg_id"].as_u64());
        script
            .sends
            .iter()
            .map(|r| serde_json::from_str(r["content"].as_str().unwrap_or_default()).expect("JSON"))
            .collect()
    };
    assert_eq!(contents[0][0], "Ann: a ＜ b");
    assert_eq!(contents[0][1][0], "font");
    assert_ne!(contents[0][0], contents[1][0]);

    {
        let log = running.fake.script().log.join("\n");
        let order = [
            "check_sig",
            "getvfwebqq",
            "login2",
            "get_group_name_list_mask2",
            "get_online_buddies2",
            "get_recent_list2",
            "poll2",
        ];
        let places: Vec<_> = order.iter().map(|call| log.find(&format!("/{call}"))).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{log}");
        assert!(log.contains("ui.ptlogin2.qq.com /cgi-bin/login"));
    }
    running.stop().await;
}

#[tokio::test]
async fn resumes_without_a_scan() {
    let mut running = Running::start(Fake::default(), None, None).await;
    running.online().await;
    let saved = running.stop().await;
    assert!(saved.is_some());

    let mut running = Running::start(Fake::default(), saved, None).await;
    running.online().await;
    assert_eq!(running.fake.asked("ptqrshow") + running.fake.asked("login2"), 0);
    assert_eq!(running.act().await, Act::Online { history: false });
    running.stop().await;
}

#[tokio::test]
async fn a_dead_saved_session_ends_in_a_code() {
    let mut running = Running::start(Fake::default(), None, None).await;
    running.online().await;
    let saved = running.stop().await;

    let fake = Fake::default();
    fake.script()
        .instead
        .insert("get_online_buddies2", [json!({"retcode": 100_000})].into());
    fake.script()
        .instead
        .insert("getvfwebqq", [json!({"retcode": 100_000})].into());
    let mut running = Running::start(fake, saved, None).await;
    running.state(qr).await;
    assert_eq!(running.fake.asked("pt4_auth"), 1);
    running.online().await;
    running.stop().await;
}

#[tokio::test]
async fn a_lost_link_is_opened_again_and_a_renewed_cookie_is_used() {
    let fake = Fake::default();
    let mut running = Running::start(fake, None, None).await;
    running.online().await;
    running.fake.script().polls.extend([
        json!({"retcode": 116, "p": "renewed"}).to_string(),
        json!({"errmsg": "error!!!", "retcode": 0}).to_string(),
        json!({"retcode": 121, "t": "0"}).to_string(),
    ]);
    running
        .state(|state| matches!(state, SessionState::Degraded(_)).then_some(()))
        .await;
    running.online().await;
    running.fake.script().polls.push_back(said(1, "hi"));
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "hi");
    assert_eq!(running.fake.asked("login2"), 2);
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    let saved = running.stop().await.expect("a saved state");
    assert!(String::from_utf8_lossy(&saved).contains("renewed"));
}

#[tokio::test]
async fn a_second_kick_asks_for_a_person() {
    let kick = json!({"retcode": 0, "result": [{"poll_type": "kick_message", "value": {"reason": "另一地点登录"}}]})
        .to_string();
    let mut running = Running::start(Fake::default(), None, None).await;
    running.online().await;
    running.fake.script().polls.push_back(kick.clone());
    running
        .state(|state| matches!(state, SessionState::Degraded(why) if why.contains("另一地点登录")).then_some(()))
        .await;
    running.online().await;
    assert_eq!(running.fake.asked("ptqrshow"), 1);
    running.fake.script().polls.push_back(kick);
    let why = running.state(attention).await;
    assert!(why.contains("login main"), "{why}");
    let refused = running.say("hi").await;
    assert!(matches!(refused, Outcome::NotSent(NotSent::Later(_))));
    running.commands.send(Command::Login).await.expect("the session runs");
    running.online().await;
    running.stop().await;
}

#[tokio::test]
async fn after_ten_codes_it_waits_for_an_admin() {
    let fake = Fake::default();
    fake.script().scans = vec![65; 10].into();
    let mut running = Running::start(fake, None, None).await;
    running.state(attention).await;
    assert_eq!(running.fake.asked("ptqrshow"), 10);
    running.commands.send(Command::Login).await.expect("the session runs");
    running.state(qr).await;
    running.online().await;
    running.stop().await;
}

#[tokio::test]
async fn where_numbers_are_withheld_names_do() {
    let fake = Fake::default();
    fake.script().withholds_numbers = true;
    let mut running = Running::start(fake, None, Some("Rust & 群")).await;
    assert_eq!(running.act().await, Act::Online { history: false });
    running.fake.script().polls.push_back(said(5, "hi"));
    assert_eq!(running.message().await.id.to_string(), "w:=李四:5:-:1450687625");
    running.stop().await;

    let fake = Fake::default();
    fake.script().withholds_numbers = true;
    let mut running = Running::start(fake, None, None).await;
    assert!(matches!(running.act().await, Act::Offline(why) if why.contains("group_name")));
    let told = running.told().await;
    assert!(told.contains("set group_name for group 346000003"), "{told}");
    running.stop().await;
}

#[tokio::test]
async fn a_doubtful_session_is_tested_and_goes_on() {
    let mut running = Running::start(Fake::default(), None, None).await;
    running.online().await;
    let before = running.fake.asked("get_online_buddies2");
    running.fake.script().polls.extend([
        json!({"retcode": 103, "errmsg": "error"}).to_string(),
        said(9, "still here"),
    ]);
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "still here");
    assert_eq!(running.fake.asked("get_online_buddies2"), before + 1);
    assert_eq!(running.fake.asked("login2"), 1);

    running
        .fake
        .script()
        .instead
        .insert("send_qun_msg2", [json!({"retcode": 100_000})].into());
    assert!(matches!(running.say("x").await, Outcome::NotSent(NotSent::Later(_))));
    running.fake.script().polls.push_back(said(10, "and here"));
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "and here");
    running.stop().await;
}
