//! Old rows go.

use super::*;
use crate::store::Settled;

const DAY: Duration = Duration::from_secs(86_400);

fn days(n: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + n * 86_400)
}

async fn count(lab: &Lab, table: &'static str) -> i64 {
    let counted = lab.store.read(move |db| {
        let count = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok::<_, crate::store::StoreError>(count)
    });
    counted.await.expect("a count")
}

#[tokio::test]
async fn what_is_old_goes_with_all_that_hangs_on_it() {
    let lab = Lab::new().await;
    for n in 0..50 {
        let mut message = from_qq(&n.to_string(), "hi");
        message.time = days(n);
        lab.new_rows(message).await;
    }
    let mut sent = from_xmpp(Some("sent"), days(0), &["sent"]);
    sent.pieces.push(piece(OTHER, "sent"));
    lab.new_rows(sent).await;
    let open = lab.new_rows(from_xmpp(Some("open"), days(0), &["open"])).await;
    for piece in lab.store.due(&account("main"), Timestamp::now(), 9).await.expect("due") {
        lab.store.sending(piece.id, days(0)).await.expect("sending");
        let settled = Settled::Sent(Some(handle("h")));
        lab.store.settle(piece.id, settled, days(0)).await.expect("settled");
    }
    let before = lab.store.counts();
    let gone = lab.store.prune(20 * DAY, days(50), 4).await.expect("pruned");
    // Days 0 to 29, and the message that was sent.
    assert_eq!(gone, 31);
    assert!(lab.store.counts().transactions - before.transactions >= 8);
    let left = lab.archive().await;
    assert_eq!((left.len(), left.last()), (21, open.last()));
    assert_eq!(left[0].time, days(30));
    assert_eq!((count(&lab, "events").await, count(&lab, "handles").await), (20, 20));
    assert_eq!(count(&lab, "outbox").await, 1);
    assert_eq!(lab.store.prune(20 * DAY, days(50), 4).await.expect("pruned"), 0);
}

#[tokio::test]
async fn a_number_is_never_given_twice() {
    let lab = Lab::new().await;
    let mut old = from_qq("1", "hi");
    old.time = days(0);
    let last = lab.new_rows(old).await[0].seq;
    assert_eq!(lab.store.prune(DAY, days(9), 100).await.expect("pruned"), 1);
    assert_eq!(lab.archive().await, []);
    let lab = lab.killed().await;
    assert!(lab.new_rows(from_qq("2", "hi")).await[0].seq > last);
}
