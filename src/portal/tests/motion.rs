//! Order, breaks and repetitions: what is accepted is shown once, in order, to everybody who was there.

use super::*;

fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("q{n}")).collect()
}

#[tokio::test]
async fn shows_qq_and_people_in_commit_order_and_hands_words_to_qq() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.said(GROUP, "q0").await;
    server.until_body(ANN, "q0").await;
    lab.say(ANN, "a1", "from Ann");
    server.until_body(ANN, "from Ann").await;
    lab.said(GROUP, "q1").await;
    server.until_body(ANN, "q1").await;
    assert_eq!(server.bodies(ANN), ["q0", "from Ann", "q1"]);
    let queued = lab.store.queued(&AccountName("main".into())).await.expect("a count");
    assert_eq!(queued, 1);
}

#[tokio::test]
async fn a_repeated_stanza_is_reflected_to_its_author_alone_and_qq_gets_it_once() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    lab.enter(BOB, "Bob");
    server.until_entered(BOB).await;
    lab.say(ANN, "a1", "once");
    server.until_body(BOB, "once").await;
    lab.say(ANN, "a1", "once");
    lab.say(ANN, "a2", "then");
    server.until_body(BOB, "then").await;
    assert_eq!(server.bodies(ANN), ["once", "once", "then"]);
    assert_eq!(server.bodies(BOB), ["once", "then"]);
    let queued = lab.store.queued(&AccountName("main".into())).await.expect("a count");
    assert_eq!(queued, 2);
}

#[tokio::test]
async fn never_more_than_64_rows_behind_an_open_barrier_and_a_break_repeats_no_more() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    server.answers = false;
    for id in numbered(0..200) {
        lab.said(GROUP, &id).await;
    }
    server.until_body(ANN, "q63").await;
    assert_eq!(server.bodies(ANN), numbered(0..64));
    // The bound holds although all is committed: what is shown next is shown after a barrier.
    let room = lab.room().await;
    while lab.store.room_state(room).await.expect("a state").last.0 < 200 {
        tokio::task::yield_now().await;
    }
    assert!(server.batches.is_empty());

    // The stream breaks before any barrier came back.
    drop(server);
    let mut server = lab.connect();
    server.until_body(ANN, "q199").await;
    assert_eq!(server.bodies(ANN), numbered(0..200));
    let first = server.until_body(ANN, "q0").await;
    assert!(first.children().any(|child| child.name() == "delay"), "{first:?}");
}

#[tokio::test]
async fn what_was_confirmed_is_not_shown_again_after_a_kill() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.said(GROUP, "q0").await;
    server.until_body(ANN, "q0").await;
    let room = lab.room().await;
    while lab.store.room_state(room).await.expect("a state").confirmed.0 == 0 {
        tokio::task::yield_now().await;
    }
    server.answers = false;
    lab.said(GROUP, "q1").await;
    server.until_body(ANN, "q1").await;

    let lab = lab.killed().await;
    lab.said(GROUP, "q2").await;
    let mut server = lab.connect();
    server.until_body(ANN, "q2").await;
    assert_eq!(server.bodies(ANN), ["q1", "q2"]);
    assert_eq!(server.count(ANN, |el| el.name() == "presence"), 0, "{}", server.told());
}

#[tokio::test]
async fn what_is_said_while_there_is_no_connection_is_shown_by_the_next() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    drop(server);
    lab.links.send_replace(None);
    for id in numbered(0..300) {
        lab.said(GROUP, &id).await;
    }
    let mut server = lab.connect();
    server.until_body(ANN, "q299").await;
    assert_eq!(server.bodies(ANN), numbered(0..300));
}

#[tokio::test]
async fn who_lacks_too_much_is_removed_with_333_and_gets_no_rows_before() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    // A break as the gateway sees it after a kill: the portal starts with the connection.
    let lab = lab.killed().await;
    for id in numbered(0..501) {
        lab.said(GROUP, &id).await;
    }
    let room = lab.room().await;
    while lab.store.room_state(room).await.expect("a state").last.0 < 501 {
        tokio::task::yield_now().await;
    }
    let mut server = lab.connect();
    server.until(ANN, |el| has_status(el, "333")).await;
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.said(GROUP, "live").await;
    server.until_body(ANN, "live").await;
    let bodies = server.bodies(ANN);
    assert_eq!(bodies.len(), 21, "the history of a join and one row: {bodies:?}");
    assert!(lab.store.room_state(room).await.expect("a state").sessions.len() == 1);
}

#[tokio::test]
async fn a_session_that_came_late_to_a_long_silence_lacks_nothing() {
    let lab = Lab::new();
    for id in numbered(0..600) {
        lab.said(GROUP, &id).await;
    }
    let room = lab.room().await;
    while lab.store.room_state(room).await.expect("a state").last.0 < 600 {
        tokio::task::yield_now().await;
    }
    // Nobody was there: nothing is confirmed, and nobody lacks anything.
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    drop(server);
    let mut server = lab.connect();
    lab.said(GROUP, "live").await;
    server.until_body(ANN, "live").await;
    assert_eq!(server.bodies(ANN), ["live"]);
    assert_eq!(server.count(ANN, |el| has_status(el, "333")), 0);
}

#[tokio::test]
async fn a_join_that_broke_off_is_shown_whole_by_the_next_connection() {
    let lab = Lab::new();
    let mut server = lab.connect();
    server.answers = false;
    lab.said(GROUP, "q0").await;
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    drop(server);
    let mut server = lab.connect();
    server.until_entered(ANN).await;
    server.until(ANN, |el| has_status(el, "110")).await;
    assert_eq!(server.bodies(ANN), ["q0"]);
}

#[tokio::test]
async fn a_subject_that_broke_off_is_shown_by_the_next_connection() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    server.answers = false;
    let xml = "<message xmlns='jabber:component:accept' type='groupchat' id='s1'><subject>news</subject></message>";
    lab.xml(ANN, ROOM, xml);
    let news = |el: &Element| {
        el.children()
            .any(|child| child.name() == "subject" && child.text() == "news")
    };
    server.until(ANN, news).await;
    drop(server);
    let mut server = lab.connect();
    server.until(ANN, news).await;
}

#[tokio::test]
async fn groups_of_one_room_hear_each_other() {
    let lab = Lab::with(Settings {
        groups: vec![GROUP, OTHER],
        ..settings()
    });
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.said(GROUP, "hello").await;
    server.until_body(ANN, "hello").await;
    lab.say(ANN, "a1", "to all");
    server.until_body(ANN, "to all").await;
    let account = AccountName("main".into());
    let due = lab.store.due(&account, Timestamp::now(), 10).await.expect("pieces");
    let mut groups: Vec<_> = due.iter().map(|piece| piece.group).collect();
    groups.sort_unstable();
    assert_eq!(groups, [GROUP, OTHER]);
    assert_eq!(lab.store.queued(&account).await.expect("a count"), 3);
}

#[tokio::test]
async fn an_own_echo_shows_nothing_and_proves_the_piece_also_where_qq_is_not_shown() {
    for to_xmpp in [true, false] {
        let lab = Lab::with(Settings { to_xmpp, ..settings() });
        let mut server = lab.connect();
        lab.enter(ANN, "Ann");
        server.until_entered(ANN).await;
        lab.say(ANN, "a1", "hi");
        server.until_body(ANN, "hi").await;
        let account = AccountName("main".into());
        let due = lab.store.due(&account, Timestamp::now(), 10).await.expect("pieces");
        assert!(lab.store.sending(due[0].id, Timestamp::now()).await.expect("a mark"));
        let Deed::Say { parts, .. } = due[0].deed.clone() else {
            panic!("words");
        };
        let echo = Message {
            parts,
            ..message("echo", true)
        };
        lab.act(GROUP, Act::Said(echo)).await;
        lab.act(GROUP, Act::Missed(Some(7))).await;
        server.until_body(ANN, "7 messages from QQ are missing here").await;
        assert_eq!(server.bodies(ANN).len(), 2);
        assert_eq!(lab.store.queued(&account).await.expect("a count"), 0, "{to_xmpp}");
    }
}

#[tokio::test]
async fn those_who_are_shown_in_a_large_room_are_shown_after_a_restart_and_a_reload() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.greeted().await;
    let snapshot = Act::Snapshot {
        name: "big".into(),
        members: (10..300).map(member).collect(),
        own: member(99_999).id,
    };
    lab.act(GROUP, snapshot).await;
    lab.said(GROUP, "q0").await;
    let here = |el: &Element| el.name() == "presence" && el.attr("from").is_some_and(|from| from.ends_with("/m10"));
    server.until(ANN, here).await;
    server.until_body(ANN, "q0").await;
    let room = lab.room().await;
    while lab.store.room_state(room).await.expect("a state").confirmed.0 == 0 {
        tokio::task::yield_now().await;
    }

    let lab = lab.killed().await;
    let mut server = lab.connect();
    control(&lab, Control::Configure(Box::new(settings()))).await;
    lab.act(GROUP, Act::Member(member(11))).await;
    lab.act(
        GROUP,
        Act::Member(Member {
            card: "new".into(),
            ..member(12)
        }),
    )
    .await;
    lab.said(GROUP, "q1").await;
    server.until_body(ANN, "q1").await;
    assert_eq!(
        server.count(ANN, |el| kind(el) == "unavailable"),
        0,
        "{}",
        server.told()
    );
}
