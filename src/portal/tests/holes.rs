//! Gaps that do not close at the first answer, or for which nobody answers at all.

use super::gap::{MISSING, ONLINE, asked, backfill, heard_once};
use super::*;
use crate::qq::Extent;

const BLIND: Act = Act::Online { history: false };

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ago(id: &str, secs: u64) -> Message {
    Message {
        time: Timestamp::now().minus(Duration::from_secs(secs)),
        ..named(id)
    }
}

/// Everything that was sent to Ann, once this line is there.
async fn bodies_upto(lab: &Lab, server: &mut Server, marker: u64) -> Vec<String> {
    lab.rows_upto(server, marker).await;
    let mut bodies = server.bodies(ANN);
    bodies.pop();
    bodies
}

#[tokio::test(start_paused = true)]
async fn one_failure_closes_no_gap_and_says_nothing() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    lab.act(GROUP, Act::Said(named("live"))).await;
    // A part of it, and less than the next answer will bring.
    lab.act(GROUP, backfill(&["m2"], Extent::Failed)).await;
    tokio::time::sleep(secs(11)).await;
    assert_eq!(asked(&mut commands).await.0.as_ref(), "q0");
    lab.act(GROUP, backfill(&["m1", "m2"], Extent::Whole)).await;
    server.until_body(ANN, "live").await;
    assert_eq!(server.bodies(ANN), ["q0", "m1", "m2", "live"]);
}

#[tokio::test(start_paused = true)]
async fn a_hole_that_stays_is_told_once_and_filled_after_a_later_outage() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    let mut questions = 0;
    lab.act(GROUP, Act::Said(named("live1"))).await;
    while let Ok(Some(_)) = timeout(secs(300), commands.recv()).await {
        questions += 1;
        assert!(questions < 20, "it is asked for ever");
        lab.act(GROUP, backfill(&["m2"], Extent::Failed)).await;
    }
    assert!(questions > 2, "{questions}");
    let bodies = bodies_upto(&lab, &mut server, 7).await;
    assert_eq!(bodies, ["q0", MISSING, "live1", "m2"]);

    lab.act(GROUP, ONLINE).await;
    assert_eq!(asked(&mut commands).await.0.as_ref(), "q0");
    lab.act(GROUP, Act::Said(named("live3"))).await;
    let found = backfill(&["m1", "m2", "live1", "live2"], Extent::Whole);
    lab.act(GROUP, found).await;
    server.until_body(ANN, "live3").await;
    let bodies = server.bodies(ANN);
    assert_eq!(bodies[5..], ["m1", "live2", "live3"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_told_to_be_missing_is_not_told_again() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    tokio::time::sleep(secs(40)).await;
    lab.act(GROUP, Act::Said(named("live1"))).await;
    server.until_body(ANN, "live1").await;
    lab.act(GROUP, backfill(&[], Extent::Failed)).await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    // All of the second outage, not all of the first.
    lab.act(
        GROUP,
        Act::Backfill {
            messages: vec![ago("old", 60), named("live1"), named("live2")],
            extent: Extent::Part,
        },
    )
    .await;
    server.until_body(ANN, "live2").await;
    assert_eq!(server.bodies(ANN), ["q0", MISSING, "live1", "old", "live2"]);
}

#[tokio::test(start_paused = true)]
async fn a_question_whose_answer_was_lost_is_asked_again() {
    let (lab, mut server, mut commands) = heard_once().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    tokio::time::sleep(secs(100)).await;
    assert!(commands.try_recv().is_err());
    tokio::time::sleep(secs(30)).await;
    asked(&mut commands).await;
    lab.act(GROUP, backfill(&["missed"], Extent::Whole)).await;
    server.until_body(ANN, "missed").await;
    // It is closed: the next outage is a gap of its own.
    lab.act(GROUP, ONLINE).await;
    assert_eq!(asked(&mut commands).await.0.as_ref(), "missed");
}

#[tokio::test]
async fn a_group_without_history_says_once_for_each_gap_that_something_may_be_missing() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.act(GROUP, BLIND).await;
    lab.said(GROUP, "q0").await;
    lab.act(GROUP, Act::Offline("gone".into())).await;
    lab.act(GROUP, BLIND).await;
    lab.said(GROUP, "q1").await;
    // Behind: it is on line again without having been off.
    lab.act(GROUP, BLIND).await;
    lab.said(GROUP, "q2").await;
    let bodies = bodies_upto(&lab, &mut server, 7).await;
    assert_eq!(bodies, ["q0", MISSING, "q1", MISSING, "q2"]);
}

#[tokio::test]
async fn history_brings_nobody_back_who_left() {
    let (lab, mut server, mut commands) = heard_once().await;
    let snapshot = Act::Snapshot {
        name: "g".into(),
        members: vec![member(11)],
        own: member(99).id,
    };
    lab.act(GROUP, snapshot).await;
    let gone = |el: &Element| el.attr("from").is_some_and(|from| from.ends_with("/m10")) && kind(el) == "unavailable";
    server.until(ANN, gone).await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    let old = Message {
        sender: Member {
            card: "her old name".into(),
            ..member(11)
        },
        ..named("m2")
    };
    let messages = vec![named("m1"), old];
    let extent = Extent::Whole;
    lab.act(GROUP, Act::Backfill { messages, extent }).await;
    let shown = server.until_body(ANN, "m1").await;
    assert_eq!(shown.attr("from"), Some("rust@qq.example/m10"));
    let shown = server.until_body(ANN, "m2").await;
    assert_eq!(shown.attr("from"), Some("rust@qq.example/m11"));
    let state = lab.store.group_state(GROUP).await.expect("a state");
    assert_eq!(state.members, [member(11)]);
    let here = |el: &Element| el.name() == "presence" && el.attr("from").is_some_and(|from| from.ends_with("/m10"));
    assert_eq!(server.count(ANN, here), 2, "came and went: {}", server.told());
}

#[tokio::test]
async fn old_words_do_not_go_to_the_other_groups() {
    let (lab, mut server) = Lab::attended(Settings {
        groups: vec![GROUP, OTHER],
        ..settings()
    })
    .await;
    let mut commands = lab.session();
    lab.said(GROUP, "q0").await;
    server.until_body(ANN, "q0").await;
    lab.send_all().await;
    lab.act(GROUP, ONLINE).await;
    asked(&mut commands).await;
    let messages = vec![ago("old", 660), ago("young", 60)];
    let extent = Extent::Whole;
    lab.act(GROUP, Act::Backfill { messages, extent }).await;
    server.until_body(ANN, "young").await;
    assert_eq!(server.bodies(ANN), ["q0", "old", "young"]);
    let sent = lab.send_all().await;
    let [(OTHER, Deed::Say { parts, .. })] = &sent[..] else {
        panic!("the young one alone: {sent:?}");
    };
    assert!(format!("{parts:?}").contains("young"), "{parts:?}");
}

#[tokio::test]
async fn a_recall_that_is_told_twice_takes_back_once() {
    let (lab, mut server, _commands) = heard_once().await;
    for id in ["recall:h-q0:1", "recall:h-q0:2"] {
        let recalled = Act::Recalled {
            id: EventId(id.into()),
            handle: handle("h-q0"),
            by: Some(member(10).id),
        };
        lab.act(GROUP, recalled).await;
    }
    let rows = lab.rows_upto(&mut server, 7).await;
    let retracts = |row: &&Row| matches!(row.content, crate::model::Content::Retraction { .. });
    assert_eq!(rows.iter().filter(retracts).count(), 1);
}
