//! A store whose disk is full, locked, read-only, slow or damaged.

use std::path::Path;
use std::thread;

use lab::SmallDisk;
use rusqlite::Connection;
use tokio::time::timeout;

use super::*;
use crate::store::{OpenError, Trouble};

const LIMIT: Duration = Duration::from_secs(30);

/// What is wrong, as soon as something is.
async fn blocked(store: &Store) -> Trouble {
    let mut changes = store.health().changes();
    let now = timeout(LIMIT, changes.wait_for(|now| now.blocked.is_some()))
        .await
        .expect("trouble");
    now.expect("a store").blocked.clone().expect("it is blocked")
}

async fn writable(store: &Store) {
    timeout(LIMIT, store.health().writable()).await.expect("it heals");
}

async fn say(store: &Store, room: RoomId, event: &str, words: &str) -> Result<Vec<Written>, StoreError> {
    store.commit(room, vec![Write::Message(from_qq(event, words))]).await
}

fn limit_pages(count: i64) -> impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static {
    move |db| db.pragma_update_and_check(None, "max_page_count", count, |_| Ok(()))
}

#[tokio::test]
async fn a_full_file_fails_whole_and_is_over_when_there_is_room() {
    let lab = Lab::new().await;
    let rows = lab.new_rows(from_qq("1", "a")).await;
    // Not less than the file has now.
    lab.store.tamper(limit_pages(1)).await;
    let big = "x".repeat(1 << 20);
    let (small, full) = tokio::join!(
        say(&lab.store, lab.room, "2", "b"),
        say(&lab.store, lab.room, "3", &big)
    );
    assert!(matches!(full, Err(StoreError::Trouble(Trouble::Full))), "{full:?}");
    // Whatever was answered is what is there.
    let kept = if small.is_ok() { 2 } else { 1 };
    assert_eq!(lab.archive().await.len(), kept);
    assert_eq!(lab.archive().await[..1], rows);
    // Refused at once, while it lasts.
    assert_eq!(blocked(&lab.store).await, Trouble::Full);
    let before = lab.store.counts();
    assert!(
        say(&lab.store, lab.room, "4", "c")
            .await
            .is_err_and(|error| error.heals())
    );
    assert_eq!(lab.store.counts(), before);
    lab.store.tamper(limit_pages(1 << 30)).await;
    writable(&lab.store).await;
    lab.new_rows(from_qq("3", &big)).await;
    let left = lab.store.read(|db| {
        let left = db.query_row("SELECT count(*) FROM meta WHERE key = 'probe'", [], |row| {
            row.get::<_, i64>(0)
        });
        Ok::<_, StoreError>(left?)
    });
    assert_eq!(left.await.expect("read"), 0, "the probe leaves nothing behind");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_answered() {
    if !::lab::available("mounts") {
        return;
    }
    let disk = SmallDisk::mount(4096).expect("a disk");
    let path = disk.path().join("db");
    let store = Store::open(&path).expect("a store");
    let room = store.room(&room_jid()).await.expect("a room");
    disk.fill().expect("full");
    let mut answered = Vec::new();
    // Room in the write-ahead log lasts for some.
    for n in 0..1000 {
        match say(&store, room, &n.to_string(), &"word ".repeat(50)).await {
            Ok(written) => answered.extend(written),
            Err(error) => {
                assert!(matches!(error, StoreError::Trouble(Trouble::Full)), "{error}");
                break;
            }
        }
    }
    assert!(answered.len() < 1000);
    assert_eq!(blocked(&store).await, Trouble::Full);
    // What can be read is read.
    assert_eq!(
        store.rows_after(room, Seq(0), 2000).await.expect("rows").len(),
        answered.len()
    );
    disk.make_room().expect("room");
    writable(&store).await;
    assert!(matches!(
        say(&store, room, "later", "hi").await.expect("it goes on")[..],
        [Written::Rows(_)]
    ));
    store.close().await;
    disk.fill().expect("full");
    let error = Store::open(&path).err().expect("no room to open it").to_string();
    assert!(error.contains("make room on it") && !error.contains('\n'), "{error}");
    disk.make_room().expect("room");
    let store = Store::open(&path).expect("the same store");
    assert_eq!(
        store.rows_after(room, Seq(0), 2000).await.expect("rows").len(),
        answered.len() + 1
    );
}

#[tokio::test]
async fn a_read_only_disk_is_told_in_one_sentence() {
    if !::lab::available("mounts") {
        return;
    }
    let disk = SmallDisk::mount(4096).expect("a disk");
    let path = disk.path().join("db");
    Store::open(&path).expect("a store").close().await;
    disk.read_only(true).expect("no writing");
    let error = Store::open(&path).err().expect("refused").to_string();
    assert!(
        error.contains("Read-only file system") && error.contains("may write to"),
        "{error}"
    );
    disk.read_only(false).expect("writing");
    Store::open(&path).expect("the same store").close().await;
}

#[tokio::test]
async fn a_file_that_may_not_be_written_heals() {
    let lab = Lab::new().await;
    lab.store.tamper(|db| db.pragma_update(None, "query_only", true)).await;
    let error = say(&lab.store, lab.room, "1", "a").await.expect_err("read-only");
    assert!(matches!(error, StoreError::Trouble(Trouble::ReadOnly)), "{error}");
    assert_eq!(blocked(&lab.store).await, Trouble::ReadOnly);
    lab.store.tamper(|db| db.pragma_update(None, "query_only", false)).await;
    writable(&lab.store).await;
    lab.new_rows(from_qq("1", "a")).await;
}

/// Another program's transaction, ended after a while.
fn lock(path: &Path, time: Duration) -> thread::JoinHandle<()> {
    let other = Connection::open(path).expect("the file");
    other.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    thread::spawn(move || {
        thread::sleep(time);
        other.execute_batch("ROLLBACK").expect("the end of it");
    })
}

#[tokio::test]
async fn a_short_lock_delays_and_a_long_one_is_told() {
    let lab = Lab::new().await;
    let path = lab.dir.path().join("db");
    let held = lock(&path, Duration::from_secs(2));
    lab.new_rows(from_qq("1", "a")).await;
    assert_eq!(lab.store.health().blocked(), None);
    held.join().expect("unlocked");

    lab.store.tamper(|db| db.busy_timeout(Duration::from_millis(100))).await;
    let held = lock(&path, Duration::from_secs(3));
    let error = say(&lab.store, lab.room, "2", "b").await.expect_err("locked");
    assert!(matches!(error, StoreError::Trouble(Trouble::Busy)), "{error}");
    assert_eq!(lab.archive().await.len(), 1, "it can be read");
    writable(&lab.store).await;
    held.join().expect("unlocked");
    lab.new_rows(from_qq("2", "b")).await;
    // From now on it is as patient as before.
    let held = lock(&path, Duration::from_secs(1));
    lab.new_rows(from_qq("3", "c")).await;
    held.join().expect("unlocked");
}

#[tokio::test]
async fn a_slow_disk_takes_the_longer_the_more_at_once() {
    let lab = Lab::new().await;
    let before = lab.store.counts();
    let store = lab.store.clone();
    let slow = tokio::spawn(async move {
        let pause = |_: &Connection| {
            thread::sleep(Duration::from_millis(500));
            Ok(())
        };
        store.write(pause).await
    });
    tokio::task::yield_now().await;
    let calls: Vec<_> = (0..200)
        .map(|n| {
            let (store, room) = (lab.store.clone(), lab.room);
            tokio::spawn(async move { say(&store, room, &n.to_string(), "hi").await })
        })
        .collect();
    for call in calls {
        call.await.expect("an answer").expect("a commit");
    }
    slow.await.expect("an answer").expect("a commit");
    let after = lab.store.counts();
    assert_eq!(after.jobs - before.jobs, 201);
    assert!(after.transactions - before.transactions < 20, "{before:?} {after:?}");
}

/// Overwrites pages in the middle of a closed file.
fn damage(path: &Path) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(path).expect("the file");
    let pages = file.metadata().expect("its size").len() / 4096;
    for page in pages / 2..pages * 3 / 4 {
        file.write_all_at(&[0x5a; 4096], page * 4096).expect("a page");
    }
}

#[tokio::test]
async fn damage_is_told_and_what_works_works() {
    let lab = Lab::new().await;
    for n in 0..300 {
        lab.new_rows(from_qq(&n.to_string(), &"word ".repeat(100))).await;
    }
    let path = lab.dir.path().join("db");
    lab.store.close().await;
    damage(&path);
    let store = Store::open(&path).expect("its beginning is whole");
    let error = store.rows_after(lab.room, Seq(0), 1000).await.expect_err("damaged");
    assert!(error.to_string().contains("restore a copy"), "{error}");
    assert!(!error.heals());
    let now = store.health().changes().borrow().clone();
    assert!(
        matches!(now.trouble(), Some(Trouble::Damaged(_))) && now.blocked.is_none(),
        "{now:?}"
    );
    store
        .save_account_state(&account("main"), b"x".to_vec())
        .await
        .expect("other pages work");
    store.close().await;

    std::fs::write(&path, [0x5a; 8192]).expect("a header of another kind");
    let error = Store::open(&path).err().expect("refused");
    assert!(
        matches!(
            &error,
            OpenError::Trouble {
                trouble: Trouble::Damaged(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("restore a copy"), "{error}");
}
