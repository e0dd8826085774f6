//! What is older than the archive keeps goes, in small steps, so that nobody's commit waits for it.
//!
//! With a row go its events, handles, names elsewhere, reactions and finished pieces: as long as the archive has a message it can be
//! answered, taken back and recognised, and no longer. All of them hang on `messages` by a foreign key with an index. What else there is
//! does not grow with time: members and what rooms have shown are as many as there are people now, puppets as many as ever spoke in a
//! joined room (its history shows them still), nicks are forgotten after 30 days, the rest is a row for each room, group and account.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::time::sleep;

use super::columns::{Json, limit};
use super::{Store, StoreError, sessions};
use crate::model::Timestamp;

/// A step takes about so long: as a commit that waits behind it notices.
const STEP: Duration = Duration::from_millis(10);
/// Between two steps others have the writer for so many times what the last one took.
const REST: u32 = 4;
/// Rows that are looked at for one step.
const WINDOW: usize = 1000;
/// Rows that the first step deletes.
const FIRST: usize = 32;

pub(super) const OLD: &str = "SELECT o.seq, o.time < ?3 AND NOT EXISTS
         (SELECT 1 FROM outbox p JOIN messages m ON p.message = m.message WHERE m.seq = o.seq AND p.settled IS NULL),
         o.time < ?3
     FROM (SELECT seq, time FROM messages INDEXED BY messages_by_room WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?4) o";

impl Store {
    /// Deletes the rows that were said longer than `keep` before `now`, with their events, handles and finished pieces, at most
    /// `step` in one transaction; says how many. Rows of messages with open pieces stay. Takes its time.
    ///
    /// An event that was deleted would be news again: `keep` must be longer than what is fetched to close a gap.
    pub async fn prune(&self, keep: Duration, now: Timestamp, step: usize) -> Result<usize, StoreError> {
        let before = now.minus(keep);
        let mut deleted = 0;
        let mut size = FIRST.min(step.max(1));
        for room in self.read(|db| Ok::<_, StoreError>(rooms(db)?)).await? {
            // In the order of commits, which is that of time but for what came late: the walk ends where nothing is old.
            let mut last = 0;
            loop {
                // Looking is a reader's work, the writer only deletes.
                let window = self
                    .read(move |db| Ok::<_, StoreError>(old(db, room, last, before)?))
                    .await?;
                for rows in window.gone.chunks(size) {
                    let rows = rows.to_vec();
                    let (gone, took) = self.write(move |db| Ok(delete(db, rows)?)).await?;
                    deleted += gone;
                    size = if took > STEP { size / 2 } else { size * 2 }.clamp(1, step.max(1));
                    sleep(took * REST).await;
                }
                match window.last {
                    Some(seen) if window.any_old => last = seen,
                    _ => break,
                }
            }
        }
        if self
            .read(move |db| Ok::<_, StoreError>(sessions::forgets(db, now)?))
            .await?
        {
            self.write(move |db| Ok(sessions::forget(db, now)?)).await?;
        }
        Ok(deleted)
    }
}

fn rooms(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached("SELECT id FROM rooms ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Rows of a room that follow each other.
#[derive(Default)]
struct Window {
    /// Those that may go.
    gone: Vec<i64>,
    /// Some are old, whether they may go or not.
    any_old: bool,
    last: Option<i64>,
}

fn old(db: &Connection, room: i64, after: i64, before: Timestamp) -> rusqlite::Result<Window> {
    let mut query = db.prepare_cached(OLD)?;
    let mut rows = query.query((room, after, before, limit(WINDOW)))?;
    let mut window = Window::default();
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        if row.get(1)? {
            window.gone.push(seq);
        }
        window.any_old |= row.get::<_, bool>(2)?;
        window.last = Some(seq);
    }
    Ok(window)
}

/// How many went, and how long that took.
fn delete(db: &Connection, rows: Vec<i64>) -> rusqlite::Result<(usize, Duration)> {
    let begin = Instant::now();
    let gone = db
        .prepare_cached("DELETE FROM messages WHERE seq IN (SELECT value FROM json_each(?1))")?
        .execute([Json(rows)])?;
    Ok((gone, begin.elapsed()))
}
