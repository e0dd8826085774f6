//! Sends, recalls and reactions.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

use super::fake::{ALICE, Fake, GROUP, OWN, Reply, notice, said};
use super::running::{CATS, Running, settings, text};
use crate::model::{Handle, Timestamp};
use crate::qq::onebot::Reach;
use crate::qq::{Act, Command, NotSent, Outcome};

const TIMEOUT: &str = "Timeout: NTEvent serviceAndMethod:NodeIKernelMsgService/sendMsg";

async fn ready() -> Running {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running
}

#[tokio::test]
async fn what_is_sent_has_a_handle() {
    let running = ready().await;
    assert_eq!(running.say("hello").await, Outcome::Sent(Some(Handle("1".into()))));
    let (_, params) = running.fake.with(|state| state.calls.last().cloned()).expect("a call");
    assert_eq!(
        params,
        json!({"group_id": GROUP, "message": [{"type": "text", "data": {"text": "hello"}}]})
    );
    running.stop().await;
}

#[tokio::test]
async fn an_unknown_send_is_settled_by_history_and_never_repeated() {
    let mut running = ready().await;
    for reply in [Reply::Silence, Reply::Fail(1200, TIMEOUT), Reply::Hangup] {
        let hangup = matches!(reply, Reply::Hangup);
        let sends = running.fake.count("send_group_msg");
        running.fake.reply("send_group_msg", [reply]);
        let words = format!("did it arrive? {sends}");
        let outcome = running.say(&words).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        let seq = 50 + u64::try_from(sends).expect("few");
        let mut own = said(GROUP, seq, OWN, &words);
        own["time"] = (Timestamp::now().0 / 1000).into();
        let story = vec![said(GROUP, 1, ALICE, "old"), said(GROUP, 2, OWN, "long ago"), own];
        running.fake.with(|state| state.history.insert(GROUP, story));
        let found = running.message().await;
        assert_eq!((text(&found), found.own), (words, true));
        assert_eq!(found.id.0.as_ref(), format!("seq:{seq}"));
        assert_eq!(running.fake.count("send_group_msg"), sends + 1);
        if hangup {
            running.online().await;
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_late_answer_disturbs_nobody() {
    let running = ready().await;
    let late = Reply::Late(Duration::from_millis(1200), json!({"message_id": 99}));
    running.fake.reply("send_group_msg", [late]);
    assert!(matches!(running.say("slow").await, Outcome::Unknown(_)));
    running.fake.reply(
        "send_group_msg",
        [Reply::Late(Duration::from_millis(400), json!({"message_id": 100}))],
    );
    assert_eq!(running.say("next").await, Outcome::Sent(Some(Handle("100".into()))));
    running.stop().await;
}

#[tokio::test]
async fn after_five_failures_nothing_is_sent_and_the_room_and_the_admins_know() {
    let mut running = ready().await;
    running.fake.reply("send_group_msg", [Reply::Fail(1200, TIMEOUT)]);
    for _ in 0..5 {
        assert!(matches!(running.say("hello").await, Outcome::Unknown(_)));
    }
    assert!(running.sentence().await.contains("nothing is sent for 2 minutes"));
    let paused = |act: &Act| matches!(act, Act::Paused(left) if *left > Duration::from_secs(100)).then_some(());
    running.find(paused).await;
    running.say_in_vain("hello").await;
    assert_eq!(running.fake.count("send_group_msg"), 5);
    // Once is enough: the next that is told is something else.
    running.fake.tell(&said(GROUP, 7, ALICE, "hi"));
    assert!(matches!(running.act().await, Act::Said(_)));
    running.stop().await;
}

#[tokio::test]
async fn a_mute_that_a_refusal_tells_concerns_its_group_alone() {
    let running = ready().await;
    running.fake.reply("send_group_msg", [Reply::Fail(1200, "你已被禁言")]);
    let refused = running.say("hello").await;
    assert!(matches!(refused, Outcome::NotSent(NotSent::Later(_))), "{refused:?}");
    for _ in 0..6 {
        let why = running.say_in_vain("hello").await;
        assert!(why.contains("may not speak in the group"), "{why}");
    }
    assert_eq!(running.fake.count("send_group_msg"), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_slow_rate_is_an_answer_and_no_long_wait() {
    let fake = Fake::new();
    let url = fake.listen().await.parse().expect("a url");
    let mut settings = settings(Reach::Connect(url), None);
    settings.send_every = Duration::from_secs(600);
    let mut running = Running::with(fake, settings, &Arc::default());
    running.ready().await;
    for _ in 0..3 {
        assert!(matches!(running.say("hello").await, Outcome::Sent(_)));
    }
    let why = running.say_in_vain("hello").await;
    assert!(why.contains("the next may go in"), "{why}");
    running.stop().await;
}

#[tokio::test]
async fn refusals_for_what_it_is_are_for_ever() {
    let running = ready().await;
    running
        .fake
        .reply("send_group_msg", [Reply::Fail(1400, "no such segment")]);
    for _ in 0..7 {
        assert!(matches!(
            running.say("hello").await,
            Outcome::NotSent(NotSent::Never(_))
        ));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_muted_account_does_not_try() {
    let mut running = ready().await;
    let ban = |sub: &str, user: u64, duration: i64| {
        let ban =
            json!({"sub_type": sub, "group_id": GROUP, "user_id": user, "operator_id": ALICE, "duration": duration});
        notice("group_ban", ban)
    };
    for user in [OWN, 0] {
        running.fake.tell(&ban("ban", user, if user == 0 { -1 } else { 600 }));
        running.act().await;
        let why = running.say_in_vain("hello").await;
        assert!(
            why.contains("may speak in the QQ group") || why.contains("10 minutes"),
            "{why}"
        );
        running.fake.tell(&ban("lift_ban", user, 0));
        running.act().await;
    }
    assert_eq!(running.fake.count("send_group_msg"), 0);
    assert!(matches!(running.say("hello").await, Outcome::Sent(_)));
    running.stop().await;
}

#[tokio::test]
async fn recalls_and_reactions_are_calls() {
    let running = ready().await;
    let (reply, outcome) = oneshot::channel();
    let (group, handle) = (CATS, Handle("-17".into()));
    let recall = Command::Recall {
        group,
        handle: handle.clone(),
        reply,
    };
    assert_eq!(running.wish(recall, outcome).await, Outcome::Sent(None));
    let react = |emoji: &str, reply| Command::React {
        group,
        handle: handle.clone(),
        emoji: emoji.into(),
        added: false,
        reply,
    };
    let (reply, outcome) = oneshot::channel();
    assert_eq!(running.wish(react("👍", reply), outcome).await, Outcome::Sent(None));
    let calls = running.fake.with(|state| state.calls.split_off(state.calls.len() - 2));
    assert_eq!(calls[0], ("delete_msg".into(), json!({"message_id": -17})));
    let like = json!({"message_id": -17, "emoji_id": "128077", "set": false});
    assert_eq!(calls[1], ("set_msg_emoji_like".into(), like));
    let (reply, outcome) = oneshot::channel();
    let outcome = running.wish(react("👨‍👩‍👧", reply), outcome).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Never(_))), "{outcome:?}");
    running.stop().await;
}
