//! Order, identity, handles.

use super::*;
use crate::store::{HistoryQuery, Subject};

fn minutes(n: u64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + i64::try_from(n).expect("small") * 60)
}

#[tokio::test]
async fn a_message_of_several_stanzas_keeps_together() {
    let lab = Lab::new().await;
    let mut message = from_qq("1", "caption");
    message.rows.push(Content::Notice("picture".into()));
    let rows = lab.new_rows(message).await;
    let first = rows[0].seq;
    assert_eq!([rows[0].message, rows[1].message], [first, first]);
    assert_eq!(rows[1].seq, Seq(first.0 + 1));
    let next = lab.new_rows(from_qq("2", "next")).await;
    assert_eq!((next[0].seq, next[0].message), (Seq(first.0 + 2), Seq(first.0 + 2)));
    assert_eq!(lab.archive().await, [rows, next].concat());
    assert_eq!(
        lab.store.row(lab.room, first).await.expect("read").map(|r| r.seq),
        Some(first)
    );
    assert_eq!(lab.store.row(RoomId(77), first).await.expect("read"), None);
}

#[tokio::test]
async fn every_author_and_content_reads_back() {
    let lab = Lab::new().await;
    let named = MemberId::Named("a/b=猫".into());
    let authors = [
        Author::Member {
            group: GroupNumber(u64::MAX),
            id: named,
        },
        Author::Occupant(bare("alice@example.org")),
        Author::Guest("r".into()),
        Author::Guest("=猫/m1".into()),
        Author::Room,
    ];
    for author in authors {
        let rows = lab
            .new_rows(NewMessage {
                identity: Identity::Line,
                author,
                ..from_qq("x", "\u{0}<&'\"猫")
            })
            .await;
        assert_eq!(
            lab.store.row(lab.room, rows[0].seq).await.expect("read").as_ref(),
            Some(&rows[0])
        );
    }
}

#[tokio::test]
async fn an_event_of_a_group_is_committed_once() {
    let lab = Lab::new().await;
    let rows = lab.new_rows(from_qq("1", "hi")).await;
    // A second account saw it too, and calls it otherwise.
    let mut again = from_qq("1", "hi");
    again.identity = Identity::Qq {
        group: GROUP,
        event: EventId("1".into()),
        handle: Some(handle("theirs")),
        account: account("second"),
    };
    assert_eq!(lab.one(Write::Message(again)).await, Written::Known);
    assert_eq!(lab.archive().await, rows);
    let seq = rows[0].seq;
    for (name, called) in [("main", "h-1"), ("second", "theirs")] {
        let (name, called) = (account(name), handle(called));
        assert_eq!(lab.handle_of(seq, &name, GROUP).await, Some(called.clone()));
        assert_eq!(lab.called(&name, GROUP, &called).await, Some(seq));
        assert_eq!(lab.called(&name, OTHER, &called).await, None);
    }
    // Another group counts on its own.
    let mut elsewhere = from_qq("1", "hi");
    elsewhere.identity = Identity::Qq {
        group: OTHER,
        event: EventId("1".into()),
        handle: None,
        account: account("main"),
    };
    lab.new_rows(elsewhere).await;
}

#[tokio::test]
async fn the_newest_row_of_a_handle_wins_and_later_rows_have_the_handle_of_the_whole() {
    let lab = Lab::new().await;
    let main = account("main");
    let same = |event: &str| {
        let mut message = from_qq(event, "hi");
        message.rows.push(text("more"));
        message.identity = Identity::Qq {
            group: GROUP,
            event: EventId(event.into()),
            handle: Some(handle("same")),
            account: account("main"),
        };
        message
    };
    lab.new_rows(same("1")).await;
    let rows = lab.new_rows(same("2")).await;
    let found = lab.called(&main, GROUP, &handle("same")).await;
    assert_eq!(found, Some(rows[0].seq));
    let of_later = lab.handle_of(rows[1].seq, &main, GROUP).await;
    assert_eq!(of_later, Some(handle("same")));
}

#[tokio::test]
async fn a_client_that_repeats_itself_within_ten_minutes_gets_its_rows_again() {
    let lab = Lab::new().await;
    let mut first = from_xmpp(Some("o1"), minutes(0), &["hi"]);
    first.rows.push(Content::Notice("second stanza".into()));
    let rows = lab.new_rows(first).await;
    lab.new_rows(from_xmpp(None, minutes(0), &[])).await;

    // From another device of hers it is the same.
    let mut again = from_xmpp(Some("o1"), minutes(10), &["hi"]);
    again.identity = Identity::Xmpp {
        session: full("alice@example.org/laptop"),
        origin: Some("o1".into()),
    };
    assert_eq!(lab.one(Write::Message(again)).await, Written::Repeated(rows.clone()));
    assert_eq!(lab.store.queued(&account("main")).await.expect("read"), 1);

    // Somebody else's is not, nor in another room, nor without an id, nor eleven minutes later.
    let mut bob = from_xmpp(Some("o1"), minutes(1), &[]);
    bob.identity = Identity::Xmpp {
        session: full("bob@example.org/phone"),
        origin: Some("o1".into()),
    };
    lab.new_rows(bob).await;
    let elsewhere = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let there = vec![Write::Message(from_xmpp(Some("o1"), minutes(1), &[]))];
    let there = lab.store.commit(elsewhere, there).await.expect("a commit");
    assert!(matches!(there[..], [Written::Rows(_)]));
    lab.new_rows(from_xmpp(None, minutes(0), &[])).await;
    let later = lab.new_rows(from_xmpp(Some("o1"), minutes(11), &[])).await;
    let repeated = lab.one(Write::Message(from_xmpp(Some("o1"), minutes(12), &[]))).await;
    assert_eq!(repeated, Written::Repeated(later));
}

#[tokio::test]
async fn repetitions_within_one_batch_are_seen() {
    let lab = Lab::new().await;
    let batch = vec![
        Write::Message(from_qq("1", "hi")),
        Write::Message(from_qq("1", "hi")),
        Write::Message(from_xmpp(Some("o"), minutes(0), &[])),
        Write::Message(from_xmpp(Some("o"), minutes(0), &[])),
        Write::Subject(Subject {
            text: "t".into(),
            nick: "Alice".into(),
            time: minutes(0),
        }),
    ];
    let written = lab.store.commit(lab.room, batch).await.expect("a commit");
    assert!(matches!(
        &written[..],
        [Written::Rows(_), Written::Known, Written::Rows(a), Written::Repeated(b), Written::Done] if a == b
    ));
}

#[tokio::test]
async fn lines_are_never_repetitions() {
    let lab = Lab::new().await;
    let line = || NewMessage {
        identity: Identity::Line,
        ..from_qq("x", "same")
    };
    lab.new_rows(line()).await;
    lab.new_rows(line()).await;
    assert_eq!(lab.archive().await.len(), 2);
}

#[tokio::test]
async fn history_is_the_newest_that_fit_oldest_first() {
    let lab = Lab::new().await;
    let elsewhere = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let mut seqs = Vec::new();
    for n in 0..10 {
        let mut message = from_qq(&n.to_string(), "hi");
        message.time = minutes(n);
        seqs.push(lab.new_rows(message).await[0].seq);
        let mut noise = from_qq(&format!("noise {n}"), "x");
        noise.time = minutes(n);
        lab.store
            .commit(elsewhere, vec![Write::Message(noise)])
            .await
            .expect("a commit");
    }
    let ask = async |upto: Seq, max, since| {
        let query = HistoryQuery { upto, max, since };
        let rows = lab.store.history(lab.room, query).await.expect("history");
        rows.into_iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    assert_eq!(ask(seqs[7], 3, None).await, seqs[5..=7]);
    assert_eq!(ask(seqs[9], 100, Some(minutes(6))).await, seqs[6..]);
    assert_eq!(ask(seqs[9], 2, Some(minutes(6))).await, seqs[8..]);
    assert_eq!(ask(seqs[9], 0, None).await, []);
    assert_eq!(ask(Seq(0), 5, None).await, []);
    let bounds = lab.store.bounds(lab.room).await.expect("bounds");
    assert_eq!(bounds, Some(((seqs[0], minutes(0)), (seqs[9], minutes(9)))));
    let some = lab.store.rows_after(lab.room, seqs[3], 2).await.expect("rows");
    assert_eq!(some.iter().map(|row| row.seq).collect::<Vec<_>>(), seqs[4..6]);
    assert_eq!(lab.store.bounds(RoomId(77)).await.expect("bounds"), None);
}

/// Found by the fault run: what QQ gave out after an outage is older than the break that a client asks from.
#[tokio::test]
async fn history_since_a_time_leaves_nothing_out_behind_its_first_row() {
    let lab = Lab::new().await;
    let mut seqs = Vec::new();
    for (n, time) in [1, 6, 4, 5, 7].into_iter().enumerate() {
        let mut message = from_qq(&n.to_string(), "hi");
        message.time = minutes(time);
        seqs.push(lab.new_rows(message).await[0].seq);
    }
    let ask = async |since| {
        let query = HistoryQuery {
            upto: seqs[4],
            max: 100,
            since: Some(since),
        };
        let rows = lab.store.history(lab.room, query).await.expect("history");
        rows.into_iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    assert_eq!(ask(minutes(6)).await, seqs[1..]);
    assert_eq!(ask(minutes(7)).await, seqs[4..]);
    assert_eq!(ask(minutes(8)).await, []);
}

#[tokio::test]
async fn reactions_and_markers_take_no_place_in_history() {
    let lab = Lab::new().await;
    let stanza = |children: &str| NewMessage {
        rows: vec![Content::Stanza {
            id: None,
            children: children.into(),
        }],
        ..from_xmpp(None, Timestamp::now(), &[])
    };
    let said = lab.new_rows(from_qq("1", "hi")).await.remove(0).seq;
    let body = "<body xmlns='jabber:component:accept'>on &lt;reactions /&gt;</body>";
    let about = lab.new_rows(stanza(body)).await.remove(0).seq;
    let retraction = "<retract xmlns='urn:xmpp:message-retract:1' id='e1-7'/>";
    let gone = lab.new_rows(stanza(retraction)).await.remove(0).seq;
    for n in 0..30 {
        let mut reacts = from_qq(&format!("react-{n}"), "");
        reacts.rows = vec![Content::Reactions {
            row: said,
            emoji: vec!["👍".into()],
        }];
        lab.new_rows(reacts).await;
        let reactions = "<reactions xmlns='urn:xmpp:reactions:0' id='e1-1'><reaction>👍</reaction></reactions>";
        lab.new_rows(stanza(reactions)).await;
        lab.new_rows(stanza(&format!(
            "{reactions}<body xmlns='jabber:component:accept'>&gt; hi\n👍</body>"
        )))
        .await;
        lab.new_rows(stanza("<displayed xmlns='urn:xmpp:chat-markers:0' id='e1-1'/>"))
            .await;
    }
    let query = HistoryQuery {
        upto: Seq(1000),
        max: 20,
        since: None,
    };
    let rows = lab.store.history(lab.room, query).await.expect("history");
    let seqs: Vec<Seq> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [said, about, gone]);
    assert_eq!(lab.archive().await.len(), 3 + 4 * 30, "the archive has them all");
}
