//! Group commit.

use super::*;
use crate::store::StoreError;

#[tokio::test]
async fn many_callers_share_transactions() {
    let lab = Lab::new().await;
    let before = lab.store.counts();
    let calls = (0..500).map(|n| {
        let (store, room) = (lab.store.clone(), lab.room);
        tokio::spawn(async move {
            let message = from_qq(&n.to_string(), "hi");
            store
                .commit(room, vec![Write::Message(message)])
                .await
                .expect("a commit")
        })
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        assert!(matches!(call.await.expect("an answer")[..], [Written::Rows(_)]));
    }
    let after = lab.store.counts();
    assert_eq!(after.jobs - before.jobs, 500);
    assert!(after.transactions - before.transactions < 250, "{after:?}");
    assert_eq!(lab.archive().await.len(), 500);
}

#[tokio::test]
async fn a_failing_commit_fails_alone_and_whole() {
    let lab = Lab::new().await;
    let mut empty = from_qq("bad", "");
    empty.rows.clear();
    let bad = vec![Write::Message(from_qq("lost", "lost")), Write::Message(empty)];
    let (good, bad, nowhere, last) = tokio::join!(
        lab.store.commit(lab.room, vec![Write::Message(from_qq("1", "a"))]),
        lab.store.commit(lab.room, bad),
        lab.store.commit(RoomId(99), vec![Write::Message(from_qq("2", "b"))]),
        lab.store.commit(lab.room, vec![Write::Message(from_qq("3", "c"))]),
    );
    assert!(good.is_ok() && last.is_ok());
    assert!(matches!(bad, Err(StoreError::Malformed(_))));
    assert!(matches!(nowhere, Err(StoreError::Sql(_))));
    let texts: Vec<_> = lab.archive().await.into_iter().map(|row| row.content).collect();
    assert_eq!(texts, [text("a"), text("c")]);
    // Nothing of it is known, so it can be tried again.
    assert!(matches!(
        lab.one(Write::Message(from_qq("lost", "lost"))).await,
        Written::Rows(_)
    ));
}

/// Whichever place in a transaction the failing job has.
#[tokio::test]
async fn what_fails_first_or_twice_takes_nothing_with_it() {
    let lab = Lab::new().await;
    let before = lab.store.counts();
    // All of them wait for one transaction.
    let kept = lab.store.keep_writer().await;
    let bad = |n: &str| {
        let mut empty = from_qq("bad", "");
        empty.rows.clear();
        vec![Write::Message(from_qq(n, "lost")), Write::Message(empty)]
    };
    let (first, good, middle, last, ()) = tokio::join!(
        lab.store.commit(lab.room, bad("1")),
        lab.store.commit(lab.room, vec![Write::Message(from_qq("2", "a"))]),
        lab.store.commit(lab.room, bad("3")),
        lab.store.commit(lab.room, vec![Write::Message(from_qq("4", "b"))]),
        // Polled last: all others are in the queue.
        async { drop(kept) },
    );
    assert!(good.is_ok() && last.is_ok(), "{good:?} {last:?}");
    assert!(first.is_err() && middle.is_err(), "{first:?} {middle:?}");
    assert_eq!(lab.store.counts().transactions - before.transactions, 1);
    let texts: Vec<_> = lab.archive().await.into_iter().map(|row| row.content).collect();
    assert_eq!(texts, [text("a"), text("b")]);
}

#[tokio::test]
async fn a_caller_that_went_away_is_still_committed() {
    let lab = Lab::new().await;
    let call = lab.store.commit(lab.room, vec![Write::Message(from_qq("1", "a"))]);
    // Polled once, it is in the queue.
    tokio::select! {
        biased;
        written = call => panic!("too fast: {written:?}"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(lab.one(Write::Message(from_qq("1", "a"))).await, Written::Known);
}
