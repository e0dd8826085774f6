//! The table `events`: every event of a QQ group that was seen, once.

use rusqlite::{Connection, OptionalExtension};

use super::read::LastEvent;
use super::{Store, StoreError};
use crate::model::{AccountName, EventId, GroupNumber, Seq};

/// In place of a piece, for an event that is no message.
pub(super) const NO_MESSAGE: i64 = -1;

impl Store {
    /// The message of a group that was committed last, and what the account calls it. Nothing when none was ever heard.
    pub async fn last_event(&self, account: &AccountName, group: GroupNumber) -> Result<Option<LastEvent>, StoreError> {
        let account = account.clone();
        self.read(move |db| {
            let last = db
                .prepare_cached(
                    "SELECT e.event, h.handle, m.time FROM events e CROSS JOIN messages m ON m.seq = e.row
                     LEFT JOIN handles h ON h.row = e.row AND h.account = ?1 AND h.grp = e.grp AND h.piece = e.piece
                     WHERE e.grp = ?2 AND e.piece >= 0 ORDER BY e.row DESC, e.piece DESC LIMIT 1",
                )?
                .query_row((account, group), |row| {
                    Ok(LastEvent {
                        event: row.get(0)?,
                        handle: row.get(1)?,
                        time: row.get(2)?,
                    })
                })
                .optional()?;
            Ok(last)
        })
        .await
    }
}

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
