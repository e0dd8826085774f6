//! Replies, recalls, reactions and mutes.

use super::super::draft::Draft;
use super::super::turn::Portal;
use super::*;
use crate::model::{Answered, Author, Content, Reply};
use crate::portal::flight::Noted;
use crate::room::{Admitted, Effect, Spoken};

const ADMIN: u64 = 20;

fn recalled(id: &str, of: &str, by: Option<u64>) -> Act {
    Act::Recalled {
        id: EventId(id.into()),
        handle: handle(of),
        by: by.map(|number| member(number).id),
    }
}

fn retraction(row: &Row, moderated: bool) -> Content {
    Content::Retraction {
        row: row.seq,
        moderated,
        reason: None,
    }
}

fn is_tombstone(row: &Row, by: &Row, moderator: Option<&str>) -> bool {
    matches!(&row.content, Content::Tombstone { retraction, moderator: m, .. }
        if *retraction == by.seq && m.as_deref() == moderator)
}

fn by_member(number: u64) -> Author {
    Author::Member {
        group: GROUP,
        id: member(number).id,
    }
}

fn reply(id: &str, to: &str) -> Message {
    let reply = Reply {
        handle: handle(to),
        quote: Some("quoted by QQ".into()),
        answered: None,
    };
    Message {
        parts: vec![Part::Reply(reply), Part::Text(id.into())],
        ..named(id)
    }
}

fn answered(row: &Row) -> Option<&Answered> {
    match &row.content {
        Content::Parts(parts) => parts.iter().find_map(|part| match part {
            Part::Reply(reply) => reply.answered.as_ref(),
            _ => None,
        }),
        _ => None,
    }
}

#[tokio::test]
async fn a_reply_finds_what_it_answers_also_in_the_same_turn() {
    let (lab, mut server) = Lab::attended(settings()).await;
    // One turn: the portal is not scheduled in between.
    for message in [
        named("q0"),
        reply("r1", "h-q0"),
        reply("r2", "h-r1"),
        reply("r3", "h-unknown"),
    ] {
        let event = GroupEvent {
            account: AccountName("main".into()),
            group: GROUP,
            act: Act::Said(message),
        };
        lab.handle.qq.try_send(event).expect("room");
    }
    let rows = lab.rows_upto(&mut server, 7).await;
    let first = Answered {
        row: rows[0].seq,
        nick: "m10".into(),
        text: "q0".into(),
    };
    assert_eq!(answered(&rows[1]), Some(&first));
    assert_eq!(
        answered(&rows[2]).map(|a| (a.row, a.text.as_str())),
        Some((rows[1].seq, "r1"))
    );
    assert_eq!(answered(&rows[3]), None);
}

#[tokio::test]
async fn a_reply_to_any_piece_of_words_from_xmpp_finds_them_and_goes_on_as_a_reply() {
    let (lab, mut server) = Lab::attended(Settings {
        groups: vec![GROUP, OTHER],
        ..settings()
    })
    .await;
    let long = "word ".repeat(200);
    lab.say(ANN, "a1", &long);
    server.until(ANN, |el| el.attr("id") == Some("a1")).await;
    let pieces = lab.send_all().await;
    assert_eq!(pieces.len(), 4, "two for each group");
    lab.act(GROUP, Act::Said(reply("r1", "sent-2"))).await;
    let rows = lab.rows_upto(&mut server, 7).await;
    let found = answered(&rows[1]).expect("an answer");
    assert_eq!((found.row, found.nick.as_str()), (rows[0].seq, "Ann"));
    assert_eq!(found.text.chars().count(), 200);
    let [(group, Deed::Say { answers, .. })] = &lab.send_all().await[..] else {
        panic!("one piece");
    };
    assert_eq!((*group, answers), (OTHER, &Some(handle("sent-3"))));
}

#[tokio::test]
async fn an_author_takes_back_their_own_and_others_are_moderators() {
    let (lab, mut server) = Lab::attended(settings()).await;
    for id in ["own", "admin", "nobody"] {
        lab.act(GROUP, Act::Said(named(id))).await;
    }
    lab.act(GROUP, Act::Member(member(ADMIN))).await;
    lab.act(GROUP, recalled("e1", "h-own", Some(10))).await;
    lab.act(GROUP, recalled("e2", "h-admin", Some(ADMIN))).await;
    lab.act(GROUP, recalled("e3", "h-nobody", None)).await;
    // Told twice, in whatever way; and of something that nobody knows.
    lab.act(GROUP, recalled("e1", "h-own", Some(10))).await;
    lab.act(GROUP, recalled("e4", "h-admin", Some(10))).await;
    lab.act(GROUP, recalled("e5", "h-unknown", Some(10))).await;
    let rows = lab.rows_upto(&mut server, 7).await;
    assert_eq!(rows.len(), 7, "{rows:?}");
    let told: Vec<_> = rows[3..6].iter().map(|row| (&row.author, &row.content)).collect();
    assert_eq!(told[0], (&by_member(10), &retraction(&rows[0], false)));
    assert_eq!(told[1], (&by_member(ADMIN), &retraction(&rows[1], true)));
    assert_eq!(told[2], (&by_member(10), &retraction(&rows[2], false)));
    assert_eq!(&*rows[4].nick, "m20");
    assert!(is_tombstone(&rows[0], &rows[3], None));
    assert!(is_tombstone(&rows[1], &rows[4], Some("m20")));
    assert!(is_tombstone(&rows[2], &rows[5], None));
}

#[tokio::test]
async fn words_from_xmpp_can_only_be_moderated_on_qq() {
    let (lab, mut server) = Lab::attended(settings()).await;
    for id in ["a1", "a2"] {
        lab.say(ANN, id, id);
        server.until_body(ANN, id).await;
    }
    lab.send_all().await;
    lab.act(GROUP, Act::Member(member(ADMIN))).await;
    lab.act(GROUP, recalled("e1", "sent-1", Some(ADMIN))).await;
    lab.act(GROUP, recalled("e2", "sent-2", None)).await;
    let rows = lab.rows_upto(&mut server, 7).await;
    assert_eq!(
        (&rows[2].author, &rows[2].content),
        (&by_member(ADMIN), &retraction(&rows[0], true))
    );
    assert_eq!(
        (&rows[3].author, &rows[3].content),
        (&Author::Room, &retraction(&rows[1], true))
    );
    assert!(is_tombstone(&rows[0], &rows[2], Some("m20")));
    assert!(is_tombstone(&rows[1], &rows[3], Some("")));
    // It is gone there already.
    assert_eq!(lab.send_all().await, []);
}

#[tokio::test]
async fn a_recall_goes_on_to_the_other_groups() {
    let (lab, mut server) = Lab::attended(Settings {
        groups: vec![GROUP, OTHER],
        ..settings()
    })
    .await;
    lab.act(GROUP, Act::Said(named("sent"))).await;
    server.until_body(ANN, "sent").await;
    assert_eq!(lab.send_all().await.len(), 1);
    lab.act(GROUP, Act::Said(named("waits"))).await;
    server.until_body(ANN, "waits").await;
    lab.act(GROUP, recalled("e1", "h-sent", Some(10))).await;
    lab.act(GROUP, recalled("e2", "h-waits", Some(10))).await;
    lab.rows_upto(&mut server, 7).await;
    let recall = Deed::Recall {
        handles: vec![handle("sent-1")],
        unnamed: false,
    };
    assert_eq!(lab.send_all().await, [(OTHER, recall)]);
}

/// What the room makes of an occupant's stanza, as far as the portal sees it.
async fn spoken(lab: &Lab, retracts: Option<Seq>, reacts: Option<(Seq, Vec<String>)>) {
    let wiring = Wiring {
        store: lab.store.clone(),
        link: lab.links.subscribe(),
        outbox: Arc::new(|_| {}),
        session: Arc::new(|_| None),
        health: Arc::new(|_| {}),
        alert: Arc::new(|_| {}),
        neighbours: Neighbours::default(),
        metrics: Metrics::new(),
    };
    let mut portal = Portal::start(settings(), wiring, &mut Noted::default())
        .await
        .expect("a portal");
    let spoken = Spoken {
        session: ANN.parse().expect("a JID"),
        nick: "Ann".into(),
        origin: None,
        time: Timestamp::now(),
        content: Content::Stanza {
            id: Some("x1".into()),
            children: "<x xmlns='y'/>".into(),
        },
        speech: None,
        ephemeral: false,
        retracts,
        reacts,
    };
    let mut draft = Draft::default();
    portal.take_admitted(Admitted::effect(Effect::Spoken(spoken)), &mut draft);
    portal.commit(draft).await.expect("a commit");
}

#[tokio::test]
async fn a_retraction_is_recalled_on_qq_and_its_author_hears_when_qq_keeps_the_words() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.say(ANN, "a1", "oops");
    server.until_body(ANN, "oops").await;
    lab.send_all().await;
    let target = lab.rows_upto(&mut server, 7).await[0].seq;
    spoken(&lab, Some(target), None).await;
    let account = AccountName("main".into());
    let due = lab.store.due(&account, Timestamp::now(), 9).await.expect("pieces");
    let recall = Deed::Recall {
        handles: vec![handle("sent-1")],
        unnamed: false,
    };
    assert_eq!(due[0].deed, recall);
    let refused = Settled::Failed("more than two minutes old".into());
    assert!(lab.store.sending(due[0].id, Timestamp::now()).await.expect("a mark"));
    let settled = lab.store.settle(due[0].id, refused, Timestamp::now()).await;
    settled.expect("settled");
    lab.handle.untold.notify_one();
    let error = server.until(ANN, is_error).await;
    assert_eq!(error.attr("id"), Some("x1"));
    let text = String::from(&error);
    assert!(
        text.contains("QQ cannot take this message back: more than two minutes old"),
        "{text}"
    );
}

#[tokio::test]
async fn reactions_of_members_are_told_as_whole_sets_and_own_ones_not_at_all() {
    let (lab, mut server) = Lab::attended(settings()).await;
    let snapshot = Act::Snapshot {
        name: "cats".into(),
        members: vec![member(10), member(ADMIN), member(99)],
        own: member(99).id,
    };
    lab.act(GROUP, snapshot).await;
    lab.act(GROUP, Act::Said(named("q0"))).await;
    let react = |number, emoji: &str, added| Act::Reacted {
        handle: handle("h-q0"),
        member: member(number).id,
        emoji: emoji.into(),
        added,
    };
    for act in [
        react(ADMIN, "👍", true),
        react(ADMIN, "👍", true),
        react(ADMIN, "🎉", true),
        react(99, "👍", true),
        react(ADMIN, "👍", false),
        react(10, "😂", false),
    ] {
        lab.act(GROUP, act).await;
    }
    let rows = lab.rows_upto(&mut server, 7).await;
    let sets: Vec<_> = rows[1..rows.len() - 1]
        .iter()
        .map(|row| (row.author.clone(), row.content.clone()))
        .collect();
    let set = |emoji: &[&str]| {
        let content = Content::Reactions {
            row: rows[0].seq,
            emoji: emoji.iter().map(|e| (*e).to_owned()).collect(),
        };
        (by_member(ADMIN), content)
    };
    assert_eq!(sets, [set(&["👍"]), set(&["🎉", "👍"]), set(&["🎉"])]);

    // The account shows what occupants think.
    spoken(&lab, None, Some((rows[0].seq, vec!["👍".into()]))).await;
    let react = Deed::React {
        handle: Some(handle("h-q0")),
        emoji: "👍".into(),
        added: true,
    };
    assert_eq!(lab.send_all().await, [(GROUP, react)]);
}

#[tokio::test]
async fn reactions_wait_until_it_is_known_which_are_the_accounts_own() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.act(GROUP, Act::Said(named("q0"))).await;
    let react = |emoji: &str| Act::Reacted {
        handle: handle("h-q0"),
        member: member(99).id,
        emoji: emoji.into(),
        added: true,
    };
    lab.act(GROUP, react("👍")).await;
    let snapshot = Act::Snapshot {
        name: "cats".into(),
        members: vec![member(10), member(99)],
        own: member(99).id,
    };
    lab.act(GROUP, snapshot).await;
    lab.act(GROUP, react("🎉")).await;
    let rows = lab.rows_upto(&mut server, 7).await;
    assert_eq!(rows.len(), 2, "the words and the line: {rows:?}");
}

#[tokio::test]
async fn mutes_that_silence_the_room_are_told() {
    let (lab, mut server) = Lab::attended(settings()).await;
    let snapshot = Act::Snapshot {
        name: "cats".into(),
        members: vec![member(10), member(99)],
        own: member(99).id,
    };
    lab.act(GROUP, snapshot).await;
    let muted = |number: Option<u64>, duration| Act::Muted {
        member: number.map(|number| member(number).id),
        duration,
    };
    lab.act(GROUP, muted(Some(10), Duration::MAX)).await;
    lab.act(GROUP, muted(Some(99), Duration::from_secs(600))).await;
    lab.act(GROUP, muted(None, Duration::MAX)).await;
    server
        .until_body(ANN, "only admins may speak on QQ until further notice")
        .await;
    let own = "the gateway is muted on QQ for 10 minutes: nothing from here is heard there";
    assert_eq!(
        server.bodies(ANN),
        [own, "only admins may speak on QQ until further notice"]
    );
}
