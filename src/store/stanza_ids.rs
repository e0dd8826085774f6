//! The table `stanza_ids`: what another MUC service calls the rows of a room that it hosts (XEP-0359).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::columns::Json;
use super::{RoomId, Store, StoreError};
use crate::model::Seq;

impl Store {
    /// What the room's service calls these rows; those that it never named are left out. A row with several names gives one of
    /// them, always the same.
    pub async fn stanza_ids(&self, room: RoomId, rows: Vec<Seq>) -> Result<HashMap<Seq, String>, StoreError> {
        self.read(move |db| {
            let ids = db
                .prepare_cached(
                    "SELECT row, max(id) FROM stanza_ids
                     WHERE row IN (SELECT value FROM json_each(?2)) AND room = ?1 GROUP BY row",
                )?
                .query_map((room, Json(rows)), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(ids)
        })
        .await
    }

    /// The row that the room's service calls so.
    pub async fn row_called(&self, room: RoomId, id: &str) -> Result<Option<Seq>, StoreError> {
        let id = id.to_owned();
        self.read(move |db| Ok(find(db, room, &id)?)).await
    }
}

pub(super) fn find(db: &Connection, room: RoomId, id: &str) -> rusqlite::Result<Option<Seq>> {
    db.prepare_cached("SELECT row FROM stanza_ids WHERE room = ?1 AND id = ?2")?
        .query_row((room, id), |row| row.get(0))
        .optional()
}

/// A name stays with the row it was first given to. Rows that are gone, or of another room, get none.
pub(super) fn put(db: &Connection, room: RoomId, row: Seq, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO stanza_ids (room, id, row) SELECT room, ?2, seq FROM messages WHERE seq = ?3 AND room = ?1
         ON CONFLICT DO NOTHING",
    )?
    .execute((room, id, row))?;
    Ok(())
}
