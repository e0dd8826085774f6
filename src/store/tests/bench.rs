//! How fast it commits: `cargo test --release --workspace --lib store::tests::bench -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn commits_per_second() {
    for (callers, batch) in [(1, 1), (16, 1), (64, 1), (1, 64)] {
        let lab = Lab::new().await;
        let each = if callers == 1 { 1000 } else { 200 };
        let begin = Instant::now();
        let calls: Vec<_> = (0..callers)
            .map(|caller| {
                let store = lab.store.clone();
                tokio::spawn(async move {
                    let room = store
                        .room(&bare(&format!("r{caller}@qq.example.org")))
                        .await
                        .expect("a room");
                    for n in 0..each {
                        let message = |m| from_xmpp(Some(&format!("{caller} {n} {m}")), Timestamp(n), &["hello"]);
                        let writes = (0..batch).map(|m| Write::Message(message(m))).collect();
                        store.commit(room, writes).await.expect("a commit");
                    }
                })
            })
            .collect();
        for call in calls {
            call.await.expect("an end");
        }
        let seconds = begin.elapsed().as_secs_f64();
        let rows = f64::from(i32::try_from(callers * each * batch).expect("small"));
        let counts = lab.store.counts();
        println!(
            "{callers} callers, batches of {batch}: {:.0} rows/s, {counts:?}",
            rows / seconds
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_long_queue() {
    let lab = Lab::new().await;
    let main = account("main");
    for batch in 0..2000 {
        let message = |n: i64| from_xmpp(Some(&format!("{batch} {n}")), Timestamp(n), &["hello"]);
        let writes = (0..100).map(|n| Write::Message(message(n))).collect();
        lab.store.commit(lab.room, writes).await.expect("a commit");
    }
    let begin = Instant::now();
    assert_eq!(lab.store.queued(&main).await.expect("queued"), 200_000);
    println!("queued: {:?}", begin.elapsed());
    let (mut due, mut next, mut sending, mut settle, mut unsettled) = <[std::time::Duration; 5]>::default().into();
    for n in 0..100 {
        let begin = Instant::now();
        let pieces = lab.store.due(&main, Timestamp::now(), 32).await.expect("due");
        due += begin.elapsed();
        let begin = Instant::now();
        lab.store.next_due(&main).await.expect("next");
        next += begin.elapsed();
        let begin = Instant::now();
        assert!(
            lab.store
                .sending(pieces[0].id, Timestamp::now())
                .await
                .expect("sending")
        );
        sending += begin.elapsed();
        let begin = Instant::now();
        assert_eq!(lab.store.unsettled(&main).await.expect("unsettled").len(), 1);
        unsettled += begin.elapsed();
        let begin = Instant::now();
        let sent = crate::store::Settled::Sent(Some(handle(&format!("h{n}"))));
        lab.store
            .settle(pieces[0].id, sent, Timestamp::now())
            .await
            .expect("settled");
        settle += begin.elapsed();
    }
    for (what, time) in [
        ("due", due),
        ("next_due", next),
        ("sending", sending),
        ("unsettled", unsettled),
        ("settle", settle),
    ] {
        println!("{what}: {:?}", time / 100);
    }
    let begin = Instant::now();
    let mut longest = std::time::Duration::ZERO;
    // Nothing is old enough to go but what was sent.
    let pruned = tokio::spawn({
        let store = lab.store.clone();
        async move { store.prune(MINUTE, Timestamp::now(), 500).await }
    });
    while !pruned.is_finished() {
        let begin = Instant::now();
        lab.store
            .confirm(lab.room, crate::store::Confirmed::default())
            .await
            .expect("a write");
        longest = longest.max(begin.elapsed());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    println!(
        "prune: {:?} rows, {:?}, others waited {longest:?} at most",
        pruned.await.expect("an end"),
        begin.elapsed()
    );
}
