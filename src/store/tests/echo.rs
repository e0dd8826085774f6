//! The own echo: ours or news.

use super::*;
use crate::store::{Piece, Settled};

async fn due(lab: &Lab) -> Vec<Piece> {
    lab.store
        .due(&account("main"), Timestamp::now(), 100)
        .await
        .expect("due")
}

/// Alice says something; the piece is handed to the session.
async fn in_flight(lab: &Lab, origin: &str, words: &str) -> (Seq, i64) {
    let now = Timestamp::now();
    let seq = lab.new_rows(from_xmpp(Some(origin), now, &[words])).await[0].seq;
    let id = due(lab).await[0].id;
    assert!(lab.store.sending(id, now).await.expect("sending"));
    (seq, id)
}

fn later(minutes: i64) -> Timestamp {
    Timestamp(Timestamp::now().0 + minutes * 60_000)
}

#[tokio::test]
async fn an_echo_before_the_answer_proves_the_piece() {
    let lab = Lab::new().await;
    let (seq, id) = in_flight(&lab, "1", "hi").await;
    assert_eq!(lab.one(own("e1", "hi", Some("h1"), later(0))).await, Written::Known);
    // Proven: the group goes on, and a lost answer changes nothing.
    assert_eq!(lab.store.queued(&account("main")).await.expect("queued"), 0);
    lab.store
        .settle(id, Settled::Unknown("timeout".into()), later(0))
        .await
        .expect("settled");
    lab.store
        .settle(id, Settled::Failed("given up".into()), later(0))
        .await
        .expect("settled");
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    let row = lab.called(&account("main"), GROUP, &handle("h1")).await;
    assert_eq!(row, Some(seq));
    // History gives the same echo again; it hides nothing else.
    assert_eq!(lab.one(own("e1", "hi", Some("h1"), later(0))).await, Written::Known);
    let mut seen_by_another = from_qq("e1", "hi");
    seen_by_another.identity = Identity::Qq {
        group: GROUP,
        event: EventId("e1".into()),
        handle: Some(handle("x1")),
        account: account("second"),
    };
    assert_eq!(lab.one(Write::Message(seen_by_another)).await, Written::Known);
    let theirs = lab.handle_of(seq, &account("second"), GROUP).await;
    assert_eq!(theirs, Some(handle("x1")));
    // The owner says the same at the phone: news.
    assert!(matches!(
        lab.one(own("e2", "hi", Some("h2"), later(0))).await,
        Written::Rows(_)
    ));
}

#[tokio::test]
async fn the_oldest_of_equal_pieces_is_echoed_first() {
    let lab = Lab::new().await;
    let (first, id) = in_flight(&lab, "1", "ok").await;
    lab.store
        .settle(id, Settled::Sent(None), later(0))
        .await
        .expect("settled");
    let (second, id) = in_flight(&lab, "2", "ok").await;
    lab.store
        .settle(id, Settled::Unknown("timeout".into()), later(0))
        .await
        .expect("settled");
    for (event, row) in [("e1", first), ("e2", second)] {
        assert_eq!(lab.one(own(event, "ok", Some(event), later(0))).await, Written::Known);
        let found = lab.called(&account("main"), GROUP, &handle(event)).await;
        assert_eq!(found, Some(row));
    }
    assert_eq!(lab.store.unsettled(&account("main")).await.expect("unsettled"), []);
    assert!(matches!(
        lab.one(own("e3", "ok", Some("e3"), later(0))).await,
        Written::Rows(_)
    ));
}

#[tokio::test]
async fn a_handle_finds_its_piece_whatever_the_text() {
    let lab = Lab::new().await;
    let (_, id) = in_flight(&lab, "1", "same").await;
    lab.store
        .settle(id, Settled::Sent(Some(handle("h1"))), later(0))
        .await
        .expect("settled");
    let (second, id) = in_flight(&lab, "2", "same").await;
    lab.store
        .settle(id, Settled::Sent(Some(handle("h2"))), later(0))
        .await
        .expect("settled");
    // The second's echo comes first, in other words.
    assert_eq!(
        lab.one(own("e2", "changed by QQ", Some("h2"), later(0))).await,
        Written::Known
    );
    assert_eq!(lab.one(own("e1", "same", Some("h1"), later(0))).await, Written::Known);
    assert!(matches!(
        lab.one(own("e3", "same", Some("h3"), later(0))).await,
        Written::Rows(_)
    ));
    let row = lab.called(&account("main"), GROUP, &handle("h2")).await;
    assert_eq!(row, Some(second));
}

#[tokio::test]
async fn what_is_not_ours_is_news() {
    let lab = Lab::new().await;
    // Due, but never tried: QQ cannot have it from us.
    lab.new_rows(from_xmpp(Some("1"), later(0), &["waiting"])).await;
    assert!(matches!(
        lab.one(own("e1", "waiting", None, later(0))).await,
        Written::Rows(_)
    ));
    // Sent, but long ago, by QQ's clock and by ours.
    let id = due(&lab).await[0].id;
    lab.store.sending(id, later(0)).await.expect("sending");
    lab.store
        .settle(id, Settled::Sent(None), later(-11))
        .await
        .expect("settled");
    assert!(matches!(
        lab.one(own("e2", "waiting", None, later(0))).await,
        Written::Rows(_)
    ));
    // History tells late of what was said then.
    assert_eq!(lab.one(own("e3", "waiting", None, later(-12))).await, Written::Known);
    // Words that fold to nothing are nobody's.
    let (_, id) = in_flight(&lab, "2", "").await;
    assert!(matches!(lab.one(own("e4", "", None, later(0))).await, Written::Rows(_)));
    lab.store
        .settle(id, Settled::Sent(None), later(0))
        .await
        .expect("settled");
}

#[tokio::test]
async fn a_wrong_clock_of_qq_hides_no_echo() {
    let lab = Lab::new().await;
    let (_, id) = in_flight(&lab, "1", "hi").await;
    lab.store
        .settle(id, Settled::Sent(None), later(0))
        .await
        .expect("settled");
    assert_eq!(lab.one(own("e1", "hi", None, later(47 * 60))).await, Written::Known);
}

#[tokio::test]
async fn a_late_echo_corrects_the_record() {
    let lab = Lab::new().await;
    let (_, id) = in_flight(&lab, "1", "hi").await;
    lab.store
        .settle(id, Settled::Unknown("timeout".into()), later(0))
        .await
        .expect("settled");
    lab.store
        .settle(id, Settled::Failed("not proven".into()), later(0))
        .await
        .expect("settled");
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold").len(), 1);
    assert_eq!(lab.one(own("e1", "hi", None, later(0))).await, Written::Known);
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    assert_eq!(lab.archive().await.len(), 1);

    // What QQ refused is certainly not there.
    let (_, id) = in_flight(&lab, "2", "no").await;
    lab.store
        .settle(id, Settled::Failed("refused".into()), later(0))
        .await
        .expect("settled");
    assert!(matches!(
        lab.one(own("e2", "no", None, later(0))).await,
        Written::Rows(_)
    ));
}

#[tokio::test]
async fn history_tells_an_old_echo_whatever_happened_since() {
    let lab = Lab::new().await;
    // Handed over five hours ago; then the gateway was down, and gave the piece up two hours ago.
    let at = later(-300);
    lab.new_rows(from_xmpp(Some("1"), at, &["Alice: hi"])).await;
    let id = due(&lab).await[0].id;
    assert!(lab.store.sending(id, at).await.expect("sending"));
    for settled in [Settled::Unknown("killed".into()), Settled::Failed("not proven".into())] {
        lab.store.settle(id, settled, later(-120)).await.expect("settled");
    }
    assert_eq!(lab.one(own("e1", "Alice: hi", Some("h1"), at)).await, Written::Known);
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    // The same message under another identity is still no news.
    assert_eq!(
        lab.one(own("other-1", "Alice: hi", Some("h1"), at)).await,
        Written::Known
    );
    assert_eq!(lab.archive().await.len(), 1);
}

#[tokio::test]
async fn of_equal_words_history_means_those_of_its_time() {
    let lab = Lab::new().await;
    let mut rows = Vec::new();
    for (origin, minutes) in [("1", -300), ("2", -200), ("3", 0)] {
        let at = later(minutes);
        rows.push(lab.new_rows(from_xmpp(Some(origin), at, &["ok"])).await[0].seq);
        let id = due(&lab).await[0].id;
        assert!(lab.store.sending(id, at).await.expect("sending"));
        lab.store.settle(id, Settled::Sent(None), at).await.expect("settled");
    }
    for (event, minutes, row) in [("e2", -200, rows[1]), ("e1", -300, rows[0]), ("e3", 0, rows[2])] {
        let echo = own(event, "ok", Some(event), later(minutes));
        assert_eq!(lab.one(echo).await, Written::Known);
        let found = lab.called(&account("main"), GROUP, &handle(event)).await;
        assert_eq!(found, Some(row));
    }
}
