//! The store as the command line sees it, while a gateway has it open.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::aside::{Aside, Chosen, Dropped, NotGiven, Waiting, Why};
use crate::store::{OpenError, Settled};

fn aside(lab: &Lab) -> Aside {
    Aside::open(&lab.dir.path().join("db")).expect("the store")
}

fn waiting(aside: &Aside) -> Vec<Waiting> {
    let mut all = Vec::new();
    aside.waiting(|row| all.push(row)).expect("a list");
    all
}

fn whys(aside: &Aside) -> Vec<Why> {
    waiting(aside).into_iter().map(|row| row.why).collect()
}

#[tokio::test]
async fn what_waits_says_why_and_can_be_hurried_and_given_up() {
    let lab = Lab::new().await;
    let aside = aside(&lab);
    assert!(aside.in_use());
    let main = account("main");
    lab.new_rows(from_xmpp(Some("1"), Timestamp::now(), &["one", "two"]))
        .await;
    lab.new_rows(from_xmpp(Some("2"), Timestamp::now(), &["three"])).await;
    let rows = waiting(&aside);
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    assert_eq!(whys(&aside), [Why::Turn, Why::Behind(ids[0]), Why::Behind(ids[0])]);
    assert_eq!((rows[0].words.as_str(), rows[0].author.as_str()), ("one", "Alice"));

    // It is to be tried later; the operator wants it now, and the gateway sees that.
    let version = lab.store.version().await.expect("a version");
    let later = Timestamp::now().plus(MINUTE);
    assert!(lab.store.sending(ids[0], Timestamp::now()).await.expect("sending"));
    assert_eq!(whys(&aside)[0], Why::Sending);
    let retry = Settled::Retry {
        at: later,
        why: "no line".into(),
    };
    lab.store
        .settle(ids[0], retry, Timestamp::now())
        .await
        .expect("settled");
    let Why::Again { at, wait, error } = &whys(&aside)[0] else {
        panic!("it waits for its time");
    };
    assert_eq!((*at, error.as_str()), (later, "no line"));
    assert!(*wait <= MINUTE && *wait > MINUTE / 2);
    assert_eq!(
        lab.store.version().await.expect("a version"),
        version,
        "our own writes are no news"
    );
    assert_eq!(aside.retry(&Chosen::One(ids[0])).expect("a retry"), 1);
    assert_ne!(lab.store.version().await.expect("a version"), version);
    assert_eq!(lab.store.due(&main, Timestamp::now(), 9).await.expect("due").len(), 1);

    // The rest of a message goes with its piece.
    let dropped = aside.give_up(&Chosen::One(ids[0])).expect("given up");
    assert_eq!(dropped, Dropped { rows: 2, doubtful: 0 });
    let told = lab.store.untold(lab.room, None).await.expect("untold");
    assert!(
        told.len() == 1 && !told[0].unknown && told[0].why.contains("operator"),
        "{told:?}"
    );

    // With the session now: whether QQ has it is not known, until the session says so.
    assert!(lab.store.sending(ids[2], Timestamp::now()).await.expect("sending"));
    assert_eq!(aside.retry(&Chosen::One(ids[2])).expect("a retry"), 0);
    assert_eq!(
        aside.give_up(&Chosen::All(Some(account("other")))).expect("nothing"),
        Dropped::default()
    );
    let dropped = aside.give_up(&Chosen::All(None)).expect("given up");
    assert_eq!(dropped, Dropped { rows: 1, doubtful: 1 });
    assert!(lab.store.untold(lab.room, None).await.expect("untold")[1].unknown);
    assert_eq!(waiting(&aside), []);
    lab.store
        .settle(ids[2], Settled::Sent(Some(handle("h"))), Timestamp::now())
        .await
        .expect("the answer");
    assert_eq!(aside.check().expect("a check"), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_is_whole_private_and_takes_nobody_s_place() {
    let lab = Lab::new().await;
    for n in 0..200 {
        lab.new_rows(from_qq(&n.to_string(), "hi")).await;
    }
    let to = lab.dir.path().join("copy");
    let writes = tokio::spawn({
        let (store, room) = (lab.store.clone(), lab.room);
        async move {
            for n in 0..50 {
                let message = Write::Message(from_qq(&format!("later {n}"), "hi"));
                store.commit(room, vec![message]).await.expect("a commit");
            }
        }
    });
    let (copied, to_copy) = (aside(&lab), to.clone());
    tokio::task::spawn_blocking(move || copied.backup(&to_copy))
        .await
        .expect("an end")
        .expect("a copy");
    writes.await.expect("an end");
    assert_eq!(to.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let again = aside(&lab).backup(&to).expect_err("something is there").to_string();
    assert!(again.contains("exists"), "{again}");
    let left: Vec<_> = std::fs::read_dir(lab.dir.path()).expect("files").collect();
    assert!(
        left.iter()
            .flatten()
            .all(|file| !file.file_name().to_string_lossy().contains(".part"))
    );

    let copy = Store::open(&to).expect("a store");
    assert_eq!(copy.epoch(), lab.store.epoch());
    let rows = copy.rows_after(lab.room, Seq(0), 1000).await.expect("rows").len();
    assert!((200..=250).contains(&rows), "{rows}");
    assert_eq!(
        Aside::open(&to).expect("the copy").check().expect("a check"),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_is_wrong_is_found() {
    let lab = Lab::new().await;
    let rows = lab.new_rows(from_xmpp(Some("1"), Timestamp::now(), &["one"])).await;
    let path = lab.dir.path().join("db");
    lab.store.close().await;
    let db = rusqlite::Connection::open(&path).expect("the file");
    db.execute_batch(
        "PRAGMA foreign_keys = OFF;
         UPDATE rooms SET confirmed = 99;
         UPDATE outbox SET settled = 1;
         INSERT INTO handles (row, account, grp, piece, handle) VALUES (77, 'main', 1, 0, 'h');",
    )
    .expect("damage");
    drop(db);
    let found = Aside::open(&path).expect("the store").check().expect("a check");
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].contains("handles"), "{found:#?}");
    assert!(
        found[1].contains("was not settled") && found[2].contains("its mark lies beyond"),
        "{found:#?}"
    );
    assert_eq!(rows.len(), 1);

    let nowhere = Aside::open(&lab.dir.path().join("none")).expect_err("no file");
    assert!(matches!(nowhere, OpenError::Io { .. }), "{nowhere}");
}

#[tokio::test]
async fn space_is_given_back_beside_a_gateway() {
    let lab = Lab::new().await;
    for n in 0..300 {
        let mut old = from_qq(&n.to_string(), &"word ".repeat(500));
        old.time = Timestamp(0);
        lab.new_rows(old).await;
    }
    let pruned = lab.store.prune(MINUTE, Timestamp::now(), 500).await.expect("pruned");
    assert_eq!(pruned, 300);
    let given = aside(&lab).vacuum().expect("it works beside us").bytes;
    assert!(given > 500_000, "{given}");
    lab.new_rows(from_qq("new", "hi")).await;
    assert_eq!(aside(&lab).vacuum().expect("once more").bytes, 0);
    assert_eq!(aside(&lab).check().expect("a check"), Vec::<String>::new());
}

#[tokio::test]
async fn an_old_file_needs_one_stop_for_that() {
    let lab = Lab::new().await;
    let path = lab.dir.path().join("db");
    lab.new_rows(from_qq("1", "hi")).await;
    lab.store.close().await;
    let db = rusqlite::Connection::open(&path).expect("the file");
    db.execute_batch("PRAGMA auto_vacuum = NONE; VACUUM")
        .expect("as it was");
    drop(db);
    let store = Store::open(&path).expect("the store");
    let refused = Aside::open(&path)
        .expect("the store")
        .vacuum()
        .expect_err("it is in use");
    assert!(matches!(refused, NotGiven::NeedsStop), "{refused}");
    store.close().await;
    Aside::open(&path).expect("the store").vacuum().expect("rebuilt");
    let store = Store::open(&path).expect("the store");
    Aside::open(&path).expect("the store").vacuum().expect("beside it");
    assert_eq!(store.rows_after(lab.room, Seq(0), 9).await.expect("rows").len(), 1);
}
