//! What is taken back: the words go everywhere, and QQ is asked to forget what it has.

use super::*;
use crate::store::{Deed, Piece, Settled};

async fn due(lab: &Lab) -> Vec<Piece> {
    lab.store
        .due(&account("main"), Timestamp::now(), 100)
        .await
        .expect("due")
}

async fn settle(lab: &Lab, id: i64, settled: Settled) {
    lab.store.settle(id, settled, Timestamp::now()).await.expect("settled");
}

async fn sending(lab: &Lab, id: i64) {
    assert!(lab.store.sending(id, Timestamp::now()).await.expect("sending"));
}

async fn content(lab: &Lab, row: Seq) -> Content {
    let row = lab.store.row(lab.room, row).await.expect("read");
    row.expect("the row").content
}

async fn said_to_both(lab: &Lab, origin: &str) -> Seq {
    let mut message = from_xmpp(Some(origin), Timestamp::now(), &["one", "two"]);
    message.pieces.push(piece(OTHER, "one two"));
    lab.new_rows(message).await[0].seq
}

#[tokio::test]
async fn what_qq_does_not_have_is_cancelled_without_a_word() {
    let lab = Lab::new().await;
    let row = said_to_both(&lab, "1").await;
    let by = lab.new_rows(take_back(row)).await[0].seq;
    assert_eq!(due(&lab).await, []);
    assert_eq!(lab.store.queued(&account("main")).await.expect("queued"), 0);
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    let Content::Tombstone {
        id,
        retraction,
        moderator,
        ..
    } = content(&lab, row).await
    else {
        panic!("words are left");
    };
    assert_eq!((id.as_deref(), retraction, moderator), (Some("id-1"), by, None));
    assert!(matches!(content(&lab, by).await, Content::Stanza { .. }));
}

#[tokio::test]
async fn what_qq_has_is_recalled_behind_everything_before_it() {
    let lab = Lab::new().await;
    let row = said_to_both(&lab, "1").await;
    let [one, other] = &due(&lab).await[..] else {
        panic!("two groups");
    };
    sending(&lab, one.id).await;
    settle(&lab, one.id, Settled::Sent(Some(handle("h1")))).await;
    let later = lab.new_rows(from_xmpp(Some("2"), Timestamp::now(), &["later"])).await;
    lab.new_rows(take_back(row)).await;

    // The second piece is gone, the first is recalled; the other group never had any.
    let next = due(&lab).await;
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].row, later[0].seq);
    assert!(!lab.store.sending(other.id, Timestamp::now()).await.expect("cancelled"));
    sending(&lab, next[0].id).await;
    settle(&lab, next[0].id, Settled::Sent(None)).await;
    let recall = &due(&lab).await[0];
    let expected = Deed::Recall {
        handles: vec![handle("h1")],
        unnamed: false,
    };
    assert_eq!((recall.group, &recall.deed), (GROUP, &expected));

    // Once: a second retraction finds no words.
    lab.new_rows(take_back(row)).await;
    assert_eq!(lab.store.queued(&account("main")).await.expect("queued"), 1);
    sending(&lab, recall.id).await;
    settle(&lab, recall.id, Settled::Sent(None)).await;
    assert_eq!(due(&lab).await, []);
}

#[tokio::test]
async fn what_is_on_its_way_is_not_tried_again() {
    let lab = Lab::new().await;
    let row = said_to_both(&lab, "1").await;
    let id = due(&lab).await[0].id;
    sending(&lab, id).await;
    lab.new_rows(take_back(row)).await;
    let retry = Settled::Retry {
        at: Timestamp(0),
        why: "busy".into(),
    };
    settle(&lab, id, retry).await;
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    let nothing_there = Deed::Recall {
        handles: Vec::new(),
        unnamed: false,
    };
    assert_eq!(due(&lab).await[0].deed, nothing_there);
}

#[tokio::test]
async fn what_may_be_there_and_has_no_name_is_said_to_be_so() {
    let lab = Lab::new().await;
    let row = said_to_both(&lab, "1").await;
    let id = due(&lab).await[0].id;
    sending(&lab, id).await;
    settle(&lab, id, Settled::Unknown("timeout".into())).await;
    let mut retraction = take_back(row);
    retraction.rows = vec![Content::Stanza {
        id: Some("r1".into()),
        children: String::new(),
    }];
    lab.new_rows(retraction).await;
    assert_eq!(due(&lab).await, []);
    settle(&lab, id, Settled::Failed("not proven".into())).await;
    // Its author wants it gone: that it may not have arrived is no news.
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    let recall = due(&lab).await.remove(0);
    let unnamed = Deed::Recall {
        handles: Vec::new(),
        unnamed: true,
    };
    assert_eq!(recall.deed, unnamed);
    sending(&lab, recall.id).await;
    settle(&lab, recall.id, Settled::Failed("no name".into())).await;
    let untold = lab.store.untold(lab.room, None).await.expect("untold");
    assert_eq!(untold.len(), 1);
    assert_eq!((untold[0].id.as_deref(), untold[0].recall), (Some("r1"), true));
    // The echo comes after all, and is still known by its text.
    assert_eq!(
        lab.one(own("e1", "one", Some("h1"), Timestamp::now())).await,
        Written::Known
    );
}

#[tokio::test]
async fn no_words_stay_in_the_file() {
    let lab = Lab::new().await;
    let secret = "a word that nobody shall read";
    let row = lab.new_rows(from_xmpp(Some("1"), Timestamp::now(), &[secret])).await[0].seq;
    let id = due(&lab).await[0].id;
    sending(&lab, id).await;
    settle(&lab, id, Settled::Sent(Some(handle("h1")))).await;
    lab.new_rows(take_back(row)).await;
    let found: i64 = rusqlite::Connection::open(lab.dir.path().join("db"))
        .expect("the file")
        .query_row(
            "SELECT (SELECT count(*) FROM outbox WHERE parts LIKE ?1 OR normal LIKE ?1)
                 + (SELECT count(*) FROM messages WHERE content LIKE '%<body>hi%' AND seq = ?2)",
            (format!("%{secret}%"), row.0),
            |row| row.get(0),
        )
        .expect("a count");
    assert_eq!(found, 0);
    // The late echo is known by its handle.
    assert_eq!(
        lab.one(own("e1", secret, Some("h1"), Timestamp::now())).await,
        Written::Known
    );
}

#[tokio::test]
async fn a_recall_from_qq_takes_all_rows_and_goes_on_to_the_other_groups() {
    let lab = Lab::new().await;
    let mut message = from_qq("1", "caption");
    message.rows.push(text("picture"));
    message.pieces = vec![piece(OTHER, "m: caption")];
    let rows = lab.new_rows(message).await;
    let id = due(&lab).await[0].id;
    sending(&lab, id).await;
    settle(&lab, id, Settled::Sent(Some(handle("o1")))).await;

    let targets: Vec<Seq> = rows.iter().map(|row| row.seq).collect();
    let retraction = |row: &Seq| Content::Retraction {
        row: *row,
        moderated: true,
        reason: None,
    };
    let mut recall = from_qq("recall-1", "");
    recall.rows = targets.iter().map(retraction).collect();
    recall.upon = Some(Upon {
        act: Acting::TakeBack {
            rows: targets.clone(),
            moderator: Some("Admin".into()),
        },
        account: account("main"),
        groups: vec![OTHER],
    });
    let by = lab.new_rows(recall.clone()).await;
    for (target, by) in targets.iter().zip(&by) {
        let tombstone = content(&lab, *target).await;
        assert!(
            matches!(&tombstone, Content::Tombstone { retraction, moderator, .. }
                if *retraction == by.seq && moderator.as_deref() == Some("Admin")),
            "{tombstone:?}"
        );
    }
    // Told twice, done once.
    assert_eq!(lab.one(Write::Message(recall)).await, Written::Known);
    let deeds = due(&lab).await;
    assert_eq!(deeds.len(), 1);
    assert_eq!(deeds[0].group, OTHER);
    // Nobody on XMPP wanted it: nobody is told.
    sending(&lab, deeds[0].id).await;
    settle(&lab, deeds[0].id, Settled::Failed("too late".into())).await;
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    // A recall is no message that history could go on from.
    let last = lab.store.last_event(&account("main"), GROUP).await.expect("read");
    assert_eq!(last.map(|last| last.event), Some(EventId("1".into())));
}

#[tokio::test]
async fn rows_of_another_room_and_rows_that_are_gone_are_left_alone() {
    let lab = Lab::new().await;
    let elsewhere = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let row = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    for target in [row, Seq(4711)] {
        let mut both = take_back(target);
        let written = lab.store.commit(elsewhere, vec![Write::Message(both.clone())]).await;
        assert!(matches!(written.expect("a commit")[..], [Written::Rows(_)]));
        both.upon = both.upon.map(|upon| Upon {
            act: Acting::React {
                row: target,
                emoji: vec!["👍".into()],
            },
            ..upon
        });
        let written = lab.store.commit(elsewhere, vec![Write::Message(both)]).await;
        assert!(matches!(written.expect("a commit")[..], [Written::Rows(_)]));
    }
    assert_eq!(content(&lab, row).await, text("hi"));
    assert_eq!(due(&lab).await, []);
}

#[tokio::test]
async fn the_last_message_of_a_group_is_the_one_committed_last_under_its_name() {
    let lab = Lab::new().await;
    assert_eq!(lab.store.last_event(&account("main"), GROUP).await.expect("read"), None);
    lab.new_rows(from_qq("1", "hi")).await;
    lab.new_rows(from_qq("2", "ho")).await;
    let last = lab.store.last_event(&account("main"), GROUP).await.expect("read");
    let last = last.expect("a message");
    assert_eq!((last.event, last.handle), (EventId("2".into()), Some(handle("h-2"))));
    assert_eq!(last.time, Timestamp::from_secs(1000));
    // Another account calls it otherwise, and has not said how.
    let last = lab.store.last_event(&account("second"), GROUP).await.expect("read");
    assert_eq!(last.expect("a message").handle, None);
    assert_eq!(lab.store.last_event(&account("main"), OTHER).await.expect("read"), None);
    // An own echo is heard, too.
    lab.new_rows(from_xmpp(Some("1"), Timestamp::now(), &["mine"])).await;
    let id = due(&lab).await[0].id;
    sending(&lab, id).await;
    lab.one(own("3", "mine", Some("h3"), Timestamp::now())).await;
    let last = lab.store.last_event(&account("main"), GROUP).await.expect("read");
    let last = last.expect("a message");
    assert_eq!((last.event, last.handle), (EventId("3".into()), Some(handle("h3"))));
}
