//! The table `stanza_ids`: what another MUC service calls the rows of a room that it hosts (XEP-0359).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::columns::Json;
use super::{RoomId, Store, StoreError};
use crate::model::{Author, Called, Seq};

impl Store {
    /// What the room's service calls these rows; those that it never named are left out. A row with several names gives one of
    /// them, always the same.
    pub async fn stanza_ids(&self, room: RoomId, rows: Vec<Seq>) -> Result<HashMap<Seq, Called>, StoreError> {
        self.read(move |db| {
            let ids = db
                .prepare_cached(
                    "SELECT i.row, max(i.id), i.listener, m.author FROM stanza_ids i JOIN messages m ON m.seq = i.row
                     WHERE i.row IN (SELECT value FROM json_each(?2)) AND i.room = ?1 GROUP BY i.row",
                )?
                .query_map((room, Json(rows)), |row| {
                    let member = match row.get(3)? {
                        Author::Member { id, .. } => Some(id),
                        Author::Occupant(_) | Author::Guest(_) | Author::Room => None,
                    };
                    let called = Called {
                        id: row.get(1)?,
                        member,
                        by_listener: row.get(2)?,
                    };
                    Ok((row.get(0)?, called))
                })?
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
pub(super) fn put(db: &Connection, room: RoomId, row: Seq, (id, listener): (&str, bool)) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO stanza_ids (room, id, row, listener) SELECT room, ?2, seq, ?4 FROM messages WHERE seq = ?3 AND room = ?1
         ON CONFLICT DO NOTHING",
    )?
    .execute((room, id, row, listener))?;
    Ok(())
}
