//! The table `events`: every event of a QQ group that was seen, once.

use rusqlite::{Connection, OptionalExtension};

use crate::model::{EventId, GroupNumber, Seq};

/// Claims the event for a row and piece. `false`: it was seen before, and stays with the row it has.
pub(super) fn claim(
    db: &Connection,
    group: GroupNumber,
    event: &EventId,
    row: Seq,
    piece: i64,
) -> rusqlite::Result<bool> {
    let new = db
        .prepare_cached("INSERT INTO events (grp, event, row, piece) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
        .execute((group, event, row, piece))?;
    Ok(new > 0)
}

/// The row and piece that an event became.
pub(super) fn find(db: &Connection, group: GroupNumber, event: &EventId) -> rusqlite::Result<Option<(Seq, i64)>> {
    db.prepare_cached("SELECT row, piece FROM events WHERE grp = ?1 AND event = ?2")?
        .query_row((group, event), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}
