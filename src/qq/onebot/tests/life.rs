//! Coming, staying, going and coming back.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::fake::{ALICE, Fake, GROUP, OTHER, OWN, Reply, notice, said};
use super::running::{CATS, Running, settings, text};
use crate::config::Reach;
use crate::model::{EventId, GroupNumber, Handle, MemberId, QqNumber, Role, Timestamp};
use crate::qq::{Act, Command, Extent, Known};

#[tokio::test]
async fn a_portal_hears_online_then_the_members_then_what_is_said() {
    let fake = Fake::new();
    fake.with(|state| {
        let hour = Timestamp::now().0 / 1000 + 3600;
        state.members.get_mut(&GROUP).expect("members")[2]["shut_up_timestamp"] = hour.into();
    });
    let mut running = Running::start(fake).await;
    running.online().await;
    let mut act = running.act().await;
    if let Act::Offline(_) = act {
        act = running.act().await;
    }
    assert_eq!(act, Act::Online { history: true });
    let Act::Snapshot { name, members, own } = running.act().await else {
        panic!("no snapshot");
    };
    assert_eq!((name.as_str(), own), ("cats", MemberId::Number(QqNumber(OWN))));
    assert_eq!(members[1].nickname, "alice");
    assert_eq!(members[1].role, Role::Owner);
    let muted = Some(MemberId::Number(QqNumber(ALICE + 1)));
    assert!(matches!(running.act().await, Act::Muted { member, .. } if member == muted));

    for _ in 0..2 {
        running.fake.tell(&said(GROUP, 41669, ALICE, "hi"));
    }
    running.fake.tell(&said(GROUP, 41670, OWN, "mine"));
    let first = running.message().await;
    assert_eq!(first.id, EventId("seq:41669".into()));
    assert_eq!(first.handle, Some(Handle("5041669".into())));
    assert_eq!(
        (text(&first).as_str(), first.own, first.sender.role),
        ("hi", false, Role::Owner)
    );
    let Act::Said(second) = running.act().await else {
        panic!("the message that came twice is said once");
    };
    assert_eq!((text(&second).as_str(), second.own), ("mine", true));
    running.stop().await;
}

#[tokio::test]
async fn a_lost_link_comes_back_and_the_gap_is_closed_from_history() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running.fake.tell(&said(GROUP, 10, ALICE, "before"));
    let before = running.message().await;
    running.fake.with(|state| {
        let story = (1..=80).map(|seq| said(GROUP, seq, ALICE, &seq.to_string())).collect();
        state.history.insert(GROUP, story);
    });
    running.fake.hang_up();
    running.offline().await;
    running.back().await;
    let known = Known {
        event: Some(before.id),
        handle: before.handle,
        time: before.time,
    };
    running.commands.send(history(known)).await.expect("the session runs");
    let (messages, extent) = running.find(backfill).await;
    assert_eq!(extent, Extent::Whole);
    let expected: Vec<String> = (11..=80).map(|seq| seq.to_string()).collect();
    assert_eq!(messages, expected);
    running.stop().await;
}

fn history(after: Known) -> Command {
    Command::History {
        group: CATS,
        after,
        count: 500,
        since: Timestamp(0),
    }
}

fn backfill(act: &Act) -> Option<(Vec<String>, Extent)> {
    match act {
        Act::Backfill { messages, extent } => Some((messages.iter().map(text).collect(), *extent)),
        _ => None,
    }
}

#[tokio::test]
async fn nothing_is_said_before_the_portal_knows_of_the_gap() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    let login = json!({"user_id": OWN});
    running
        .fake
        .reply("get_login_info", [Reply::Late(Duration::from_millis(200), login)]);
    running.fake.hang_up();
    running.offline().await;
    while running.fake.count("get_login_info") < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.fake.tell(&said(GROUP, 81, ALICE, "early"));
    assert_eq!(running.act().await, Act::Online { history: true });
    assert_eq!(text(&running.message().await), "early");
    running.stop().await;
}

#[tokio::test]
async fn a_wish_for_history_is_answered_also_when_there_is_none() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running
        .fake
        .reply("get_group_msg_history", [Reply::Fail(1200, "消息不存在")]);
    let known = Known {
        event: Some(EventId("seq:5".into())),
        handle: None,
        time: Timestamp(0),
    };
    running.commands.send(history(known)).await.expect("the session runs");
    assert_eq!(running.find(backfill).await, (vec![], Extent::Part));
    running.stop().await;
}

#[tokio::test]
async fn lists_that_fail_or_are_empty_never_mean_that_all_left() {
    let fake = Fake::new();
    fake.reply(
        "get_group_member_list",
        [
            Reply::Fail(1200, "cache"),
            Reply::Fail(1200, "cache"),
            Reply::Data(json!([])),
            Reply::Data(json!([])),
        ],
    );
    fake.reply(
        "get_group_list",
        [
            Reply::Data(json!([])),
            Reply::Data(json!(fake.with(|state| state.groups.clone()))),
        ],
    );
    let mut running = Running::start(fake).await;
    running.online().await;
    running.back().await;
    running.fake.tell(&said(GROUP, 1, ALICE, "hi"));
    let mut acts = Vec::new();
    loop {
        let act = running.act().await;
        if matches!(act, Act::Said(_)) {
            break;
        }
        acts.push(act);
    }
    assert!(acts.is_empty(), "{acts:?}");
    running.fake.as_table("get_group_member_list");
    running
        .find(|act| matches!(act, Act::Snapshot { .. }).then_some(()))
        .await;
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_for_a_person() {
    let fake = Fake::new();
    fake.with(|state| state.token = Some("right"));
    let url = fake.listen().await.parse().expect("a url");
    let mut settings = settings(Reach::Connect(url), Some("wrong"));
    settings.pace.token_retry = Duration::from_secs(3600);
    let mut running = Running::with(fake, settings, &std::sync::Arc::default());
    let why = running.needs().await;
    assert!(why.contains("access_token") && !why.contains("wrong"), "{why}");
    running.fake.with(|state| state.token = Some("wrong"));
    running.commands.send(Command::Login).await.expect("the session runs");
    running.ready().await;
    running.stop().await;
}

#[tokio::test]
async fn a_token_that_is_refused_in_an_answer_is_for_a_person() {
    for code in [1401, 1403] {
        let fake = Fake::new();
        fake.reply("get_login_info", [Reply::Fail(code, "token验证失败")]);
        let mut running = Running::start(fake).await;
        let why = running.needs().await;
        assert!(why.contains("access_token"), "{why}");
        assert_eq!(
            running.fake.count("get_login_info"),
            1,
            "nobody asks again with a wrong token"
        );
        running.stop().await;
    }
}

#[tokio::test]
async fn nothing_that_listens_is_said_and_tried_again() {
    let fake = Fake::new();
    let port = super::doors::free_address();
    let url = format!("ws://{port}/").parse().expect("a url");
    let mut running = Running::with(fake, settings(Reach::Connect(url), None), &std::sync::Arc::default());
    let why = running.degraded().await;
    assert!(why.contains("nothing listens"), "{why}");
    running.stop().await;
}

#[tokio::test]
async fn a_logged_out_account_is_for_a_person_until_it_is_back() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running
        .fake
        .reply("get_status", [Reply::Data(json!({"online": false}))]);
    running.fake.tell(&notice(
        "bot_offline",
        json!({"user_id": OWN, "tag": "下线通知", "message": "登录已失效"}),
    ));
    let why = running.needs().await;
    assert!(why.contains("登录已失效"), "{why}");
    assert!(running.offline().await.contains("logged out"));
    assert!(running.say_in_vain("hello").await.contains("logged out"));
    assert_eq!(running.fake.count("send_group_msg"), 0);
    // The first one was asked on entering.
    while running.fake.count("get_status") < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.fake.as_table("get_status");
    running.online().await;
    running.back().await;

    running
        .fake
        .reply("get_status", [Reply::Data(json!({"online": false}))]);
    running.fake.tell(&heartbeat(false));
    running.needs().await;
    running.fake.reply("get_status", [Reply::Fail(1404, "none")]);
    running.fake.tell(&heartbeat(true));
    running.online().await;
    running.stop().await;
}

fn heartbeat(online: bool) -> Value {
    json!({"post_type": "meta_event", "meta_event_type": "heartbeat", "self_id": OWN, "interval": 30000, "status": {"online": online}})
}

/// `NapCat` goes on saying that it is on line after some logouts.
async fn logged_out_by_a_cheerful_program() -> Running {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    let words = json!({"user_id": OWN, "tag": "下线通知", "message": "登录已失效"});
    running.fake.tell(&notice("bot_offline", words));
    assert!(running.needs().await.contains("登录已失效"));
    assert!(running.offline().await.contains("logged out"));
    // Both ways in which it says that all is well.
    let asked = running.fake.count("get_status");
    running.fake.tell(&heartbeat(true));
    while running.fake.count("get_status") < asked + 2 {
        running.fake.tell(&heartbeat(true));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(running.say_in_vain("hello").await.contains("登录已失效"));
    assert_eq!(running.fake.count("send_group_msg"), 0);
    running
}

#[tokio::test]
async fn a_logout_is_believed_until_somebody_is_heard() {
    let mut running = logged_out_by_a_cheerful_program().await;
    running.fake.tell(&said(GROUP, 5, ALICE, "you are back"));
    running.online().await;
    running.back().await;
    assert_eq!(text(&running.message().await), "you are back");
    running.stop().await;
}

#[tokio::test]
async fn a_logout_is_believed_until_the_program_said_both() {
    let mut running = logged_out_by_a_cheerful_program().await;
    running.fake.tell(&heartbeat(false));
    running.fake.tell(&heartbeat(true));
    running.online().await;
    running.back().await;
    running.stop().await;
}

#[tokio::test]
async fn a_logout_is_believed_until_an_admin_says_otherwise() {
    let mut running = logged_out_by_a_cheerful_program().await;
    running.commands.send(Command::Login).await.expect("the session runs");
    running.online().await;
    running.back().await;
    running.stop().await;
}

#[tokio::test]
async fn a_logout_is_believed_until_there_is_a_new_link() {
    let mut running = logged_out_by_a_cheerful_program().await;
    running.fake.hang_up();
    running.online().await;
    running.back().await;
    running.stop().await;
}

#[tokio::test]
async fn a_program_that_falls_silent_is_dead() {
    let fake = Fake::new();
    let url = fake.listen().await.parse().expect("a url");
    let mut running = Running::with(fake, settings(Reach::Connect(url), None), &std::sync::Arc::default());
    running.ready().await;
    let heartbeat = json!({"post_type": "meta_event", "meta_event_type": "heartbeat", "self_id": OWN, "interval": 100, "status": {}});
    // An interval under a second is taken for one.
    running.fake.frame(Frame::text(heartbeat.to_string()));
    let why = running.degraded().await;
    assert!(why.contains("silent"), "{why}");
    running.online().await;
    running.stop().await;
}

#[tokio::test]
async fn the_mapping_is_followed() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    let parrots = GroupNumber(OTHER + 1);
    running.fake.with(|state| {
        state
            .groups
            .push(json!({"group_id": parrots.0, "group_name": "parrots"}));
        let members = state.members[&GROUP].clone();
        state.members.insert(parrots.0, members);
    });
    let mut portal = running.inbox.map(parrots, 16);
    let name = super::running::wait(&mut portal, |act| match act {
        Act::Snapshot { name, .. } => Some(name.clone()),
        _ => None,
    });
    assert_eq!(name.await, "parrots");
    // A portal that was restarted is told all again.
    let mut again = running.inbox.map(parrots, 16);
    super::running::wait(&mut again, |act| matches!(act, Act::Online { .. }).then_some(())).await;
    super::running::wait(&mut again, |act| matches!(act, Act::Snapshot { .. }).then_some(())).await;
    running.stop().await;
}
