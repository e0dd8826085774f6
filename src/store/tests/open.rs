//! Who may open a file, and what is found in it again.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::store::OpenError;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[tokio::test]
async fn every_file_is_private() {
    let lab = Lab::new().await;
    lab.new_rows(from_qq("1", "hi")).await;
    for name in ["db", "db-wal", "db-shm", "db.lock"] {
        assert_eq!(mode(&lab.dir.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn an_existing_file_becomes_private() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("db");
    std::fs::write(&path, "").expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("a mode");
    let _store = Store::open(&path).expect("a store");
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let lab = Lab::new().await;
    let path = lab.dir.path().join("db");
    let error = Store::open(&path).err().expect("refused");
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(error.to_string().contains("is in use by another qqxmpp"), "{error}");
    let (salt, epoch) = (*lab.store.salt(), lab.store.epoch().to_owned());
    lab.store.close().await;
    let again = Store::open(&path).expect("the same store");
    assert_eq!((again.salt(), again.epoch()), (&salt, epoch.as_str()));
    assert_eq!(epoch.len(), 8);
}

#[tokio::test]
async fn a_store_that_is_dropped_is_let_go() {
    let lab = Lab::new().await;
    let path = lab.dir.path().join("db");
    lab.new_rows(from_qq("1", "hi")).await;
    drop(lab.store);
    let again = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match Store::open(&path) {
                Ok(store) => return store,
                Err(OpenError::InUse(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    });
    let again = again.await.expect("let go");
    assert_eq!(again.room(&room_jid()).await.expect("the room"), lab.room);
}

#[tokio::test]
async fn close_leaves_one_file_and_other_clones_closed() {
    let lab = Lab::new().await;
    lab.new_rows(from_qq("1", "hi")).await;
    lab.archive().await;
    let clone = lab.store.clone();
    lab.store.close().await;
    assert!(!lab.dir.path().join("db-wal").exists());
    assert!(matches!(
        clone.room(&room_jid()).await,
        Err(super::super::StoreError::Closed)
    ));
    assert!(matches!(
        clone.room_state(lab.room).await,
        Err(super::super::StoreError::Closed)
    ));
    clone.close().await;
}

#[tokio::test]
async fn what_was_answered_outlives_a_kill() {
    let lab = Lab::new().await;
    let rows = lab.new_rows(from_qq("1", "hi")).await;
    let after = lab.killed().await;
    assert_eq!(after.archive().await, rows);
    assert_eq!(after.store.epoch(), lab.store.epoch());
    assert_eq!(after.one(Write::Message(from_qq("1", "hi"))).await, Written::Known);
}

#[tokio::test]
async fn two_stores_differ() {
    let (a, b) = (Lab::new().await, Lab::new().await);
    assert_ne!(a.store.salt(), b.store.salt());
    assert_ne!(a.store.epoch(), b.store.epoch());
}

#[tokio::test]
async fn a_newer_file_and_one_of_another_program_are_refused() {
    let lab = Lab::new().await;
    let path = lab.dir.path().join("db");
    lab.store.close().await;
    let db = rusqlite::Connection::open(&path).expect("the file");
    db.pragma_update(None, "user_version", 99).expect("a version");
    drop(db);
    let error = Store::open(&path).err().expect("refused").to_string();
    assert!(error.contains("written by a newer qqxmpp (format 99"), "{error}");

    let foreign = lab.dir.path().join("foreign");
    let db = rusqlite::Connection::open(&foreign).expect("a file");
    db.execute_batch("CREATE TABLE songs (name TEXT)").expect("a table");
    drop(db);
    let error = Store::open(&foreign).err().expect("refused").to_string();
    assert!(error.contains("belongs to another program"), "{error}");

    let text = lab.dir.path().join("text");
    std::fs::write(&text, "not a database at all, whatever it is".repeat(100)).expect("a file");
    let error = Store::open(&text).err().expect("refused").to_string();
    assert!(error.contains("not a database"), "{error}");

    let nowhere = lab.dir.path().join("no/such/db");
    let error = Store::open(&nowhere).err().expect("refused").to_string();
    assert!(error.contains("must lie in a directory"), "{error}");
}

#[tokio::test]
async fn a_file_of_the_first_format_is_brought_up_to_date() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("db");
    let old = rusqlite::Connection::open(&path).expect("a file");
    old.execute_batch(include_str!("../migrations/001_initial.sql"))
        .expect("the first format");
    old.execute_batch(
        "PRAGMA application_id = 0x7171786d;
         PRAGMA user_version = 1;
         INSERT INTO rooms (id, jid) VALUES (1, 'rust@qq.example.org');
         INSERT INTO messages (seq, room, message, time, author, nick, content)
             VALUES (7, 1, 7, 1000, 'r', '', '{\"notice\":\"old\"}');
         INSERT INTO outbox (message, row, account, grp, piece, parts, normal, since)
             VALUES (7, 7, 'main', 346000003, 0, '[{\"text\":\"old words\"}]', 'old words', 1000);",
    )
    .expect("rows of old");
    old.close().expect("closed");
    let store = Store::open(&path).expect("today's store");
    let due = store.due(&account("main"), Timestamp::now(), 9).await.expect("due");
    let words = crate::store::Deed::Say {
        parts: vec![Part::Text("old words".into())],
        answers: None,
    };
    assert_eq!(due[0].deed, words);
    let room = store.room(&room_jid()).await.expect("the room");
    assert_eq!(store.rows_after(room, Seq(0), 9).await.expect("rows").len(), 1);
}
