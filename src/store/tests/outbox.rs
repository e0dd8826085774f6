//! What goes to QQ, and what is told when it does not.

use super::*;
use crate::store::{Deed, Piece, PieceState, Settled, Unsent};

async fn due(lab: &Lab, now: Timestamp) -> Vec<Piece> {
    lab.store.due(&account("main"), now, 100).await.expect("due")
}

fn words(pieces: &[Piece]) -> Vec<String> {
    pieces
        .iter()
        .map(|p| match &p.deed {
            Deed::Say { parts, .. } => crate::model::words::plain_text(parts, crate::model::Language::Zh),
            other => panic!("no words: {other:?}"),
        })
        .collect()
}

/// Hands the piece over and settles it.
async fn settle(lab: &Lab, id: i64, settled: Settled, now: Timestamp) {
    assert!(lab.store.sending(id, now).await.expect("sending"));
    lab.store.settle(id, settled, now).await.expect("settled");
}

fn two_groups(origin: &str, pieces: &[&str]) -> NewMessage {
    let mut message = from_xmpp(Some(origin), Timestamp::now(), pieces);
    message.pieces.extend(pieces.iter().map(|words| piece(OTHER, words)));
    message
}

#[tokio::test]
async fn each_group_gives_its_oldest_piece_alone() {
    let lab = Lab::new().await;
    let now = Timestamp::now();
    let said = lab.new_rows(two_groups("1", &["a", "b"])).await;
    lab.new_rows(from_xmpp(Some("2"), now, &["c"])).await;
    let first = due(&lab, now).await;
    assert_eq!(words(&first), ["a", "a"]);
    assert_eq!([first[0].group, first[1].group], [GROUP, OTHER]);
    assert_eq!(
        (first[0].row, &first[0].room, first[0].tries),
        (said[0].seq, &room_jid(), 0)
    );
    assert_eq!(lab.store.due(&account("main"), now, 1).await.expect("due").len(), 1);
    assert_eq!(lab.store.due(&account("other"), now, 9).await.expect("due"), []);
    assert_eq!(lab.store.queued(&account("main")).await.expect("queued"), 5);

    // One group is held by a piece in flight; the other goes on.
    assert!(lab.store.sending(first[0].id, now).await.expect("sending"));
    assert!(!lab.store.sending(first[0].id, now).await.expect("sending twice"));
    settle(&lab, first[1].id, Settled::Sent(None), now).await;
    let next = due(&lab, now).await;
    assert_eq!((words(&next), next[0].group), (vec!["b".to_owned()], OTHER));

    lab.store
        .settle(first[0].id, Settled::Sent(Some(handle("h1"))), now)
        .await
        .expect("settled");
    let next = due(&lab, now).await;
    settle(&lab, next[0].id, Settled::Sent(Some(handle("h2"))), now).await;
    assert_eq!(words(&due(&lab, now).await), ["b", "c"]);

    // Both pieces lead to the row, and the row to both.
    let main = account("main");
    for called in ["h1", "h2"] {
        let row = lab.called(&main, GROUP, &handle(called)).await;
        assert_eq!(row, Some(said[0].seq));
    }
    let all = lab.handles_of(said[0].seq, &main, GROUP).await;
    assert_eq!(all, [handle("h1"), handle("h2")]);
    assert_eq!(lab.handle_of(said[0].seq, &main, GROUP).await, Some(handle("h1")));
}

#[tokio::test]
async fn a_retry_holds_its_group_until_its_time() {
    let lab = Lab::new().await;
    let main = account("main");
    assert_eq!(lab.store.next_due(&main).await.expect("read"), None);
    lab.new_rows(from_xmpp(Some("1"), Timestamp::now(), &["a", "b"])).await;
    let t = Timestamp::from_secs;
    let committed = due(&lab, t(0)).await[0].since;
    assert!(Timestamp::now().since(committed) < MINUTE);
    let id = due(&lab, t(100)).await[0].id;
    let retry = |at| Settled::Retry { at, why: "busy".into() };
    settle(&lab, id, retry(t(160)), t(100)).await;
    assert_eq!(due(&lab, t(159)).await, []);
    assert_eq!(lab.store.next_due(&main).await.expect("read"), Some(t(160)));
    settle(&lab, id, retry(t(400)), t(161)).await;
    let again = due(&lab, t(400)).await;
    // `give_up` counts from the first try.
    assert_eq!(
        (words(&again), again[0].tries, again[0].since),
        (vec!["a".to_owned()], 2, t(100))
    );
    assert_eq!(lab.store.queued(&main).await.expect("read"), 2);
}

#[tokio::test]
async fn what_was_handed_over_before_a_crash_is_found_unsettled() {
    let lab = Lab::new().await;
    let (main, now) = (account("main"), Timestamp::now());
    lab.new_rows(two_groups("1", &["a"])).await;
    lab.new_rows(from_xmpp(Some("2"), now, &["b"])).await;
    let first = due(&lab, now).await;
    lab.store.sending(first[0].id, now).await.expect("sending");
    settle(&lab, first[1].id, Settled::Unknown("no answer".into()), now).await;
    let lab = lab.killed().await;
    let found = lab.store.unsettled(&main).await.expect("unsettled");
    let states: Vec<_> = found.iter().map(|p| (p.group, p.state)).collect();
    assert_eq!(states, [(GROUP, PieceState::Sending), (OTHER, PieceState::Unknown)]);
    assert_eq!(due(&lab, now).await, []);
    // History shows that it is not there: it may be tried again.
    let retry = Settled::Retry {
        at: now,
        why: "not in history".into(),
    };
    lab.store.settle(found[1].id, retry, now).await.expect("settled");
    assert_eq!(due(&lab, now).await[0].id, found[1].id);
}

#[tokio::test]
async fn a_failed_piece_takes_the_rest_of_its_message_along_and_is_told_once() {
    let lab = Lab::new().await;
    let now = Timestamp::now();
    let said = lab.new_rows(two_groups("1", &["a", "b", "c"])).await;
    lab.new_rows(from_xmpp(Some("2"), now, &["next"])).await;
    let first = due(&lab, now).await;
    settle(&lab, first[0].id, Settled::Sent(None), now).await;
    let b = due(&lab, now).await.into_iter().find(|p| p.group == GROUP).expect("b");
    settle(&lab, b.id, Settled::Failed("refused".into()), now).await;

    // The next message of the group goes on, and so does the other group.
    assert_eq!(words(&due(&lab, now).await), ["a", "next"]);
    let untold = lab.store.untold(lab.room, None).await.expect("untold");
    assert_eq!(untold.len(), 1);
    let one = &untold[0];
    assert_eq!((one.message, one.group, one.unknown), (said[0].seq, GROUP, false));
    assert_eq!(one.session, Some(full("alice@example.org/phone")));
    assert_eq!((one.id.as_deref(), one.why.as_str()), (Some("id-1"), "refused"));
    assert_eq!(one.account, account("main"));

    // It survives a crash, and ends when told.
    let lab = lab.killed().await;
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), untold);
    lab.store.told(lab.room, one.message, OTHER).await.expect("told");
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), untold);
    lab.store.told(lab.room, one.message, GROUP).await.expect("told");
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
}

#[tokio::test]
async fn an_unknown_that_is_given_up_says_so() {
    let lab = Lab::new().await;
    let now = Timestamp::now();
    lab.new_rows(from_xmpp(Some("1"), now, &["a"])).await;
    let id = due(&lab, now).await[0].id;
    settle(&lab, id, Settled::Unknown("no answer".into()), now).await;
    assert_eq!(due(&lab, now).await, []);
    lab.store
        .settle(id, Settled::Failed("not proven".into()), now)
        .await
        .expect("settled");
    let untold = lab.store.untold(lab.room, None).await.expect("untold");
    assert!(untold[0].unknown);
    // An answer after all: there is nothing to tell any more.
    lab.store
        .settle(id, Settled::Sent(Some(handle("late"))), now)
        .await
        .expect("settled");
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    // And what is sent stays sent.
    lab.store
        .settle(id, Settled::Failed("no".into()), now)
        .await
        .expect("settled");
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
    lab.store.settle(-5, Settled::Sent(None), now).await.expect("nobody's");
}

#[tokio::test]
async fn a_reply_names_what_the_account_calls_the_row() {
    let lab = Lab::new().await;
    let asked = lab.new_rows(from_qq("1", "?")).await[0].seq;
    let mut answer = two_groups("1", &["!"]);
    for piece in &mut answer.pieces {
        piece.answers = Some(asked);
    }
    lab.new_rows(answer).await;
    let answers: Vec<_> = due(&lab, Timestamp::now())
        .await
        .into_iter()
        .map(|p| match p.deed {
            Deed::Say { answers, .. } => answers,
            other => panic!("no words: {other:?}"),
        })
        .collect();
    // The other group never saw it.
    assert_eq!(answers, [Some(handle("h-1")), None]);
}

#[tokio::test]
async fn a_removed_row_gives_up_everything_open() {
    let lab = Lab::new().await;
    let now = Timestamp::now();
    lab.new_rows(two_groups("1", &["a"])).await;
    lab.new_rows(two_groups("2", &["b"])).await;
    // Another room's words to the same group stay.
    let elsewhere = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let theirs = Write::Message(from_xmpp(Some("3"), now, &["c"]));
    lab.store.commit(elsewhere, vec![theirs]).await.expect("a commit");
    let id = due(&lab, now).await[0].id;
    lab.store.sending(id, now).await.expect("sending");
    let group = Unsent::Group(account("main"), OTHER);
    assert_eq!(lab.store.fail_all(group, "removed").await.expect("failed"), 2);
    assert_eq!(
        lab.store.fail_all(Unsent::Room(RoomId(77)), "x").await.expect("failed"),
        0
    );
    assert_eq!(
        lab.store
            .fail_all(Unsent::Room(lab.room), "removed")
            .await
            .expect("failed"),
        2
    );
    let doubts: Vec<_> = lab.store.untold(lab.room, None).await.expect("untold");
    let doubts: Vec<_> = doubts.into_iter().map(|u| (u.group, u.unknown)).collect();
    assert_eq!(doubts, [(GROUP, true), (OTHER, false), (GROUP, false), (OTHER, false)]);
    assert!(!lab.store.sending(id + 2, now).await.expect("given up"));
    assert_eq!(lab.store.untold(elsewhere, None).await.expect("untold"), []);
    assert_eq!(words(&due(&lab, now).await), ["c"]);
}

#[tokio::test]
async fn a_piece_must_name_a_row_of_its_message() {
    let lab = Lab::new().await;
    let mut message = from_xmpp(Some("1"), Timestamp::now(), &["a"]);
    message.pieces[0].row = 1;
    assert!(lab.store.commit(lab.room, vec![Write::Message(message)]).await.is_err());
    assert_eq!(lab.archive().await, []);
}
