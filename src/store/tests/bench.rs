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
