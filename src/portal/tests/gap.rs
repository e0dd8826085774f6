//! What was said while nobody listened comes first, once, and in order.

use super::*;
use crate::qq::Extent;

pub(super) const MISSING: &str = "some messages from QQ may be missing here";
pub(super) const ONLINE: Act = Act::Online { history: true };

pub(super) fn backfill(ids: &[&str], extent: Extent) -> Act {
    Act::Backfill {
        messages: ids.iter().map(|id| named(id)).collect(),
        extent,
    }
}

pub(super) async fn asked(commands: &mut mpsc::Receiver<Command>) -> EventId {
    let command = timeout(LIMIT, commands.recv()).await.expect("a question");
    match command.expect("the portal has a session") {
        Command::History {
            group,
            after,
            count,
            since,
        } => {
            assert_eq!((group, count), (GROUP, 500));
            let day = Duration::from_secs(24 * 3600);
            assert!(Timestamp::now().since(since) >= day);
            assert!(Timestamp::now().since(since) < day + LIMIT);
            after.event.expect("something was heard")
        }
        other => panic!("not asked for history: {other:?}"),
    }
}

/// A room with Ann in which one thing was said, and its session.
pub(super) async fn heard_once() -> (Lab, Server, mpsc::Receiver<Command>) {
    let (lab, mut server) = Lab::attended(settings()).await;
    let commands = lab.session();
    lab.act(GROUP, Act::Said(named("q0"))).await;
    server.until_body(ANN, "q0").await;
    (lab, server, commands)
}

#[tokio::test]
async fn what_was_missed_comes_before_what_happens_now_and_each_once() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    lab.act(GROUP, Act::Said(named("live1"))).await;
    assert_eq!(asked(&mut commands).await.0.as_ref(), "q0");
    lab.act(GROUP, Act::Said(named("live2"))).await;
    let old = Message {
        time: Timestamp::now().minus(Duration::from_secs(3600)),
        ..named("old")
    };
    let Act::Backfill { mut messages, .. } = backfill(&["q0", "live1"], Extent::Whole) else {
        panic!("a backfill");
    };
    messages.insert(1, old.clone());
    lab.act(
        GROUP,
        Act::Backfill {
            messages,
            extent: Extent::Whole,
        },
    )
    .await;
    server.until_body(ANN, "live2").await;
    assert_eq!(server.bodies(ANN), ["q0", "old", "live1", "live2"]);
    let shown = server.until_body(ANN, "old").await;
    assert!(shown.children().any(|child| child.name() == "delay"), "{shown:?}");
    let rows = lab.rows_upto(&mut server, 7).await;
    assert_eq!(rows[1].time, old.time);
    // Closed: what comes now waits for nothing.
    lab.act(GROUP, Act::Said(named("live3"))).await;
    server.until_body(ANN, "live3").await;
}

#[tokio::test]
async fn what_stays_missing_is_said_once_before_the_rest() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, backfill(&["q5"], Extent::Part)).await;
    // The second time on line is asked behind the first answer, and waited for.
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    lab.act(GROUP, backfill(&["q5", "q6"], Extent::Part)).await;
    // Nobody asked for this one.
    lab.act(GROUP, backfill(&["q6", "q7"], Extent::Part)).await;
    server.until_body(ANN, "q7").await;
    assert_eq!(server.bodies(ANN), ["q0", MISSING, "q5", "q6", "live", "q7"]);
}

#[tokio::test]
async fn a_group_that_was_never_heard_and_a_session_without_history_are_not_asked() {
    let (lab, mut server) = Lab::attended(settings()).await;
    let mut commands = lab.session();
    lab.act(GROUP, ONLINE).await;
    lab.said(GROUP, "q0").await;
    server.until_body(ANN, "q0").await;
    lab.act(GROUP, Act::Online { history: false }).await;
    lab.said(GROUP, "q1").await;
    server.until_body(ANN, "q1").await;
    assert!(commands.try_recv().is_err());
    assert_eq!(server.bodies(ANN), ["q0", MISSING, "q1"]);
}

#[tokio::test]
async fn a_session_that_loses_its_history_lets_everything_go_on() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    lab.act(GROUP, Act::Online { history: false }).await;
    server.until_body(ANN, "live").await;
    assert_eq!(server.bodies(ANN), ["q0", MISSING, "live"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_30_seconds_and_a_late_answer_is_still_shown() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(
        server.batches.is_empty() || server.bodies(ANN) == ["q0"],
        "{}",
        server.told()
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.until_body(ANN, "live").await;
    lab.act(GROUP, backfill(&["late"], Extent::Part)).await;
    server.until_body(ANN, "late").await;
    assert_eq!(server.bodies(ANN), ["q0", MISSING, "live", "late"]);
}

#[tokio::test]
async fn too_many_that_wait_end_the_wait() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    for n in 0..1100 {
        lab.act(GROUP, Act::Said(named(&format!("n{n}")))).await;
    }
    server.until_body(ANN, "n1099").await;
    let bodies = server.bodies(ANN);
    assert_eq!(bodies.len(), 1102);
    assert_eq!(bodies[..3], ["q0", MISSING, "n0"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_takes_nothing_is_asked_at_the_next_tick() {
    let (lab, mut server, mut commands) = heard_once().await;
    let session = lab.session.borrow().clone().expect("a session");
    session.try_send(Command::Login).expect("room");
    session.try_send(Command::Login).expect("room");
    lab.act(GROUP, ONLINE).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(matches!(commands.recv().await, Some(Command::Login)));
    assert!(matches!(commands.recv().await, Some(Command::Login)));
    asked(&mut commands).await;
    lab.act(GROUP, backfill(&["missed"], Extent::Whole)).await;
    server.until_body(ANN, "live").await;
    assert_eq!(server.bodies(ANN), ["q0", "missed", "live"]);
}

#[tokio::test]
async fn a_session_that_restarts_is_asked_again() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    drop(commands);
    let mut commands = lab.session();
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, backfill(&["missed"], Extent::Whole)).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    server.until_body(ANN, "live").await;
    assert_eq!(server.bodies(ANN), ["q0", "missed", "live"]);
}

#[tokio::test]
async fn a_portal_that_breaks_off_asks_by_itself_for_what_it_had_not_committed() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("held"))).await;
    // It is taken when the line behind it is shown.
    lab.rows_upto(&mut server, 7).await;
    lab.restart.notify_one();
    assert_eq!(asked(&mut commands).await.0.as_ref(), "q0");
    lab.act(GROUP, backfill(&["missed", "held"], Extent::Whole)).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    let mut server = lab.connect();
    server.until_body(ANN, "live").await;
    let rows = lab.rows_upto(&mut server, 8).await;
    let times = rows
        .iter()
        .filter(|row| matches!(row.content, crate::model::Content::Parts(_)));
    assert_eq!(times.count(), 4);
}

#[tokio::test]
async fn a_stop_commits_nothing_that_waits_so_that_the_next_start_asks_for_all_of_it() {
    let (lab, _server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("held"))).await;
    lab.stop.cancel();
    let Lab { store, dir, task, .. } = lab;
    let (ended, _) = timeout(LIMIT, task).await.expect("an end").expect("no panic");
    assert_eq!(ended.expect("no error"), Ended::Stopped);

    let lab = Lab::on(store, dir, settings());
    let mut commands = lab.session();
    let mut server = lab.connect();
    lab.act(GROUP, ONLINE).await;
    assert_eq!(asked(&mut commands).await.0.as_ref(), "q0");
    lab.act(GROUP, backfill(&["missed", "held"], Extent::Whole)).await;
    server.until_body(ANN, "held").await;
    let bodies = server.bodies(ANN);
    assert!(bodies.ends_with(&["missed".into(), "held".into()]), "{bodies:?}");
}

#[tokio::test]
async fn an_own_message_of_hours_ago_is_no_news() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.say(ANN, "a1", "hi");
    server.until_body(ANN, "hi").await;
    let sent = lab.send_all().await;
    let [(_, Deed::Say { parts, .. })] = &sent[..] else {
        panic!("one piece");
    };
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    let own = Message {
        own: true,
        handle: Some(handle("sent-1")),
        parts: parts.clone(),
        time: Timestamp::now().minus(Duration::from_secs(9 * 3600)),
        ..message("own", true)
    };
    lab.act(
        GROUP,
        Act::Backfill {
            messages: vec![own, named("q1")],
            extent: Extent::Whole,
        },
    )
    .await;
    server.until_body(ANN, "q1").await;
    assert_eq!(server.bodies(ANN), ["q0", "hi", "q1"]);
}

#[tokio::test]
async fn who_is_kicked_while_others_wait_goes_behind_their_words() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("last words"))).await;
    let kicked = Act::Left {
        member: member(10).id,
        kicked: true,
        by: None,
    };
    lab.act(GROUP, kicked).await;
    lab.act(GROUP, backfill(&["missed"], Extent::Whole)).await;
    server.until(ANN, |el| has_status(el, "307")).await;
    assert_eq!(server.bodies(ANN), ["q0", "missed", "last words"]);
}
