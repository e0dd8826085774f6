//! The own echo: QQ shows the account what it said itself.

use rusqlite::{Connection, OptionalExtension};

use super::settle;
use crate::model::{AccountName, GroupNumber, Handle, Seq, Timestamp};

/// The clocks of QQ and ours may differ by so many milliseconds; and so late may an echo come when they differ by more.
const WINDOW_MS: i64 = 10 * 60 * 1000;

/// A message of the account itself.
pub(in crate::store) struct Echo<'a> {
    pub(in crate::store) account: &'a AccountName,
    pub(in crate::store) group: GroupNumber,
    pub(in crate::store) handle: Option<&'a Handle>,
    pub(in crate::store) normal: &'a str,
    /// When QQ says that it was said.
    pub(in crate::store) time: Timestamp,
    /// Now, by our clock.
    pub(in crate::store) now: Timestamp,
}

/// Finds the piece that this is the echo of, marks it as echoed and sent, and gives its row and place; the oldest of
/// several. Nothing: this is news.
pub(in crate::store) fn take_echo(db: &Connection, echo: &Echo<'_>) -> rusqlite::Result<Option<(Seq, i64)>> {
    let mut found = by_handle(db, echo)?;
    if found.is_none() {
        found = by_text(db, echo)?;
    }
    let Some((id, row, piece)) = found else {
        return Ok(None);
    };
    db.prepare_cached("UPDATE outbox SET echoed = 1 WHERE id = ?1")?
        .execute([id])?;
    settle::mark_sent(db, id, echo.now)?;
    Ok(Some((row, piece)))
}

pub(in crate::store) const OPEN_ECHO: &str = "SELECT id, row, piece FROM outbox INDEXED BY outbox_moving
     WHERE account = ?1 AND grp = ?2 AND state IN ('sending', 'unknown') AND echoed = 0 AND normal = ?3
     ORDER BY id LIMIT 1";

type Found = Option<(i64, Seq, i64)>;

/// The sure way, where the send's answer came first and told a handle. A piece that was echoed already is not news either,
/// whatever identity the echo has this time.
fn by_handle(db: &Connection, echo: &Echo<'_>) -> rusqlite::Result<Found> {
    let Some(handle) = echo.handle else {
        return Ok(None);
    };
    db.prepare_cached(
        "SELECT o.id, o.row, o.piece FROM handles h
         JOIN messages m ON m.seq = h.row
         JOIN outbox o ON o.message = m.message AND o.grp = h.grp AND o.piece = h.piece AND o.row = h.row
         WHERE h.account = ?1 AND h.grp = ?2 AND h.handle = ?3 AND o.account = ?1
         ORDER BY o.echoed, o.id LIMIT 1",
    )?
    .query_row((echo.account, echo.group, handle), read)
    .optional()
}

/// Same text, not echoed yet. What was said between a piece's first try and its end is its echo, also when history tells it
/// hours later: after a crash a try may have ended long after it began. QQ's clock may be wrong, so what has just ended by
/// ours counts too, but less.
fn by_text(db: &Connection, echo: &Echo<'_>) -> rusqlite::Result<Found> {
    if echo.normal.is_empty() {
        return Ok(None);
    }
    let open = db
        .prepare_cached(OPEN_ECHO)?
        .query_row((echo.account, echo.group, echo.normal), read)
        .optional()?;
    let settled = db
        .prepare_cached(
            "SELECT id, row, piece FROM outbox
             WHERE account = ?1 AND grp = ?2 AND settled IS NOT NULL AND settled >= min(?4, ?5) - ?6 AND echoed = 0
                 AND ((settled >= ?4 - ?6 AND min(since, settled) <= ?4 + ?6) OR abs(settled - ?5) <= ?6)
                 AND (state = 'sent' OR (state = 'failed' AND doubt = 1)) AND normal = ?3
             ORDER BY settled >= ?4 - ?6 AND min(since, settled) <= ?4 + ?6 DESC, id LIMIT 1",
        )?
        .query_row(
            (echo.account, echo.group, echo.normal, echo.time, echo.now, WINDOW_MS),
            read,
        )
        .optional()?;
    Ok([open, settled].into_iter().flatten().min_by_key(|found| found.0))
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Seq, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}
