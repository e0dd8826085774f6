//! What is older than the archive keeps goes, in small steps, so that nobody's commit waits for it.

use std::time::Duration;

use rusqlite::Connection;

use super::columns::{Json, limit};
use super::{Store, StoreError, sessions};
use crate::model::Timestamp;

impl Store {
    /// Deletes the oldest rows that were said longer than `keep` before `now`, with their events, handles and finished
    /// pieces, at most `step` in one transaction; says how many. Rows of messages with open pieces stay.
    ///
    /// An event that was deleted would be news again: `keep` must be longer than what is fetched to close a gap.
    pub async fn prune(&self, keep: Duration, now: Timestamp, step: usize) -> Result<usize, StoreError> {
        let step = step.max(1);
        let mut deleted = 0;
        loop {
            // The search goes over an index of the whole archive: a reader's work, the writer only deletes.
            let old = self
                .read(move |db| Ok::<_, StoreError>(old(db, now.minus(keep), step)?))
                .await?;
            let found = old.len();
            if found > 0 {
                deleted += self.write(move |db| Ok(delete(db, old)?)).await?;
            }
            if found < step {
                break;
            }
        }
        self.write(move |db| Ok(sessions::forget(db, now)?)).await?;
        Ok(deleted)
    }
}

fn old(db: &Connection, before: Timestamp, step: usize) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT seq FROM messages INDEXED BY messages_by_room
         WHERE time < ?1 AND NOT EXISTS
             (SELECT 1 FROM outbox o WHERE o.message = messages.message AND o.settled IS NULL)
         ORDER BY seq LIMIT ?2",
    )?
    .query_map((before, limit(step)), |row| row.get(0))?
    .collect()
}

fn delete(db: &Connection, rows: Vec<i64>) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM messages WHERE seq IN (SELECT value FROM json_each(?1))")?
        .execute([Json(rows)])
}
