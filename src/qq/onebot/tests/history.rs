//! Histories that are slow, fail or are empty.

use std::time::Duration;

use serde_json::json;

use super::fake::{ALICE, Fake, GROUP, Reply, notice, said};
use super::running::{CATS, Running, settings, text};
use crate::config::Reach;
use crate::model::{EventId, Timestamp};
use crate::qq::{Act, Command, Extent, Known, Outcome};

const HISTORY: &str = "get_group_msg_history";

fn ask(event: Option<&str>) -> Command {
    Command::History {
        group: CATS,
        after: Known {
            event: event.map(|event| EventId(event.into())),
            handle: None,
            time: Timestamp(0),
        },
        count: 500,
        since: Timestamp(0),
    }
}

async fn answer(running: &mut Running, event: Option<&str>) -> (Vec<String>, Extent) {
    running.commands.send(ask(event)).await.expect("the session runs");
    running.find(backfill).await
}

fn backfill(act: &Act) -> Option<(Vec<String>, Extent)> {
    match act {
        Act::Backfill { messages, extent } => Some((messages.iter().map(text).collect(), *extent)),
        _ => None,
    }
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    let page = |seqs: std::ops::RangeInclusive<u64>| {
        let messages: Vec<_> = seqs.map(|seq| said(GROUP, seq, ALICE, &seq.to_string())).collect();
        Reply::Data(json!({"messages": messages}))
    };
    let replies = [
        Reply::Fail(1200, "Timeout"),
        page(8..=10),
        Reply::Fail(1200, "Timeout"),
        Reply::Fail(1200, "Timeout"),
        page(5..=8),
    ];
    running.fake.reply(HISTORY, replies);
    let (messages, extent) = answer(&mut running, Some("seq:6")).await;
    assert_eq!((messages.join(" ").as_str(), extent), ("7 8 9 10", Extent::Whole));

    // Not for ever; and what came is given.
    running
        .fake
        .reply(HISTORY, [page(8..=10), Reply::Fail(1200, "Timeout")]);
    let asked = running.fake.count(HISTORY);
    let (messages, extent) = answer(&mut running, Some("seq:6")).await;
    assert_eq!((messages.join(" ").as_str(), extent), ("8 9 10", Extent::Failed));
    assert_eq!(running.fake.count(HISTORY) - asked, 4);

    running.fake.reply(HISTORY, [Reply::Fail(1404, "no such action")]);
    assert_eq!(answer(&mut running, Some("seq:6")).await, (vec![], Extent::Part));
    running.stop().await;
}

#[tokio::test]
async fn an_empty_history_is_whole_where_nothing_was_ever_heard() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running.fake.reply(HISTORY, [Reply::Fail(1200, "消息0不存在")]);
    let asked = running.fake.count(HISTORY);
    assert_eq!(answer(&mut running, None).await, (vec![], Extent::Whole));
    assert_eq!(running.fake.count(HISTORY) - asked, 1);
    running.stop().await;
}

#[tokio::test]
async fn many_histories_wait_for_their_turn_and_hold_up_no_message() {
    let fake = Fake::new();
    let url = fake.listen().await.parse().expect("a url");
    let mut settings = settings(Reach::Connect(url), None);
    settings.pace.history = Duration::from_millis(1500);
    let mut running = Running::with(fake, settings, &std::sync::Arc::default());
    running.ready().await;
    let late = Reply::Late(Duration::from_millis(200), json!({"messages": []}));
    running.fake.reply(HISTORY, [late]);
    for _ in 0..70 {
        running.commands.send(ask(None)).await.expect("the session runs");
    }
    let sent = tokio::time::Instant::now();
    assert!(matches!(running.say("hi").await, Outcome::Sent(_)));
    assert!(sent.elapsed() < Duration::from_secs(1), "{:?}", sent.elapsed());
    // The last ones wait longer than one history may take.
    for _ in 0..70 {
        assert_eq!(running.find(backfill).await, (vec![], Extent::Whole));
    }
    assert!(sent.elapsed() > Duration::from_millis(1500));
    running.stop().await;
}

#[tokio::test]
async fn a_handle_that_comes_again_can_be_recalled_again() {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    let with = json!({"group_id": GROUP, "user_id": ALICE, "operator_id": ALICE, "message_id": 55});
    let first = notice("group_recall", with);
    let mut second = first.clone();
    second["time"] = 1_786_000_000.into();
    for recall in [&first, &first, &second] {
        running.fake.tell(recall);
    }
    running.fake.tell(&said(GROUP, 1, ALICE, "end"));
    let mut ids = Vec::new();
    while let Act::Recalled { id, .. } = running.act().await {
        ids.push(id);
    }
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    running.stop().await;
}
