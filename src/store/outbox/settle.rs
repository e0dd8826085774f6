//! What became of a try.

use rusqlite::Connection;

use super::super::handles;
use super::super::{Settled, Store, StoreError};
use super::{Place, place};
use crate::model::{Handle, Timestamp};

impl Store {
    /// Notes that a piece is handed to the session: to be committed before it is. `false`: it is not due any more (given up
    /// meanwhile), and must not be sent.
    pub async fn sending(&self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(move |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE outbox SET state = 'sending', tries = tries + 1, since = iif(tries = 0, ?2, since)
                     WHERE id = ?1 AND state = 'due'",
                )?
                .execute((id, now))?;
            Ok(changed > 0)
        })
        .await
    }

    /// Notes how a piece ended, or what it waits for. What is proven to be sent stays sent, whatever is settled after it. A
    /// piece that was taken back meanwhile is given up instead of being tried again. A
    /// piece that is given up while it is unknown is remembered as one that QQ may have; one found `Sending` after a crash
    /// is to be settled `Unknown` first.
    pub async fn settle(&self, id: i64, settled: Settled, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            let Some(place) = place(db, id)? else {
                return Ok(());
            };
            match settled {
                Settled::Sent(handle) => sent(db, id, &place, handle.as_ref(), now)?,
                Settled::Retry { why, .. } if place.cancelled => failed(db, id, &place, &why, now)?,
                Settled::Retry { at, why } => wait(db, id, "due", &why, at)?,
                Settled::Unknown(why) => wait(db, id, "unknown", &why, Timestamp(0))?,
                Settled::Failed(why) => failed(db, id, &place, &why, now)?,
            }
            Ok(())
        })
        .await
    }
}

/// Also from `failed`: the answer came after all. Then only the record is corrected.
fn sent(db: &Connection, id: i64, place: &Place, handle: Option<&Handle>, now: Timestamp) -> rusqlite::Result<()> {
    if let Some(handle) = handle {
        handles::put(db, place.row, &place.account, place.group, place.piece, handle)?;
    }
    mark_sent(db, id, now)
}

pub(super) fn mark_sent(db: &Connection, id: i64, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE outbox SET state = 'sent', settled = ?2 WHERE id = ?1 AND state <> 'sent'")?
        .execute((id, now))?;
    Ok(())
}

fn wait(db: &Connection, id: i64, state: &str, why: &str, at: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE outbox SET state = ?2, why = ?3, not_before = ?4 WHERE id = ?1 AND settled IS NULL")?
        .execute((id, state, why, at))?;
    Ok(())
}

/// The rest of the message for this group waits behind the piece, untried: it ends here too.
fn failed(db: &Connection, id: i64, place: &Place, why: &str, now: Timestamp) -> rusqlite::Result<()> {
    if matches!(place.state.as_str(), "sent" | "failed") {
        return Ok(());
    }
    db.prepare_cached(
        "UPDATE outbox SET doubt = (state = 'unknown'), state = 'failed', settled = ?2, why = ?3 WHERE id = ?1",
    )?
    .execute((id, now, why))?;
    if !place.say {
        return Ok(());
    }
    db.prepare_cached(
        "UPDATE outbox SET state = 'failed', settled = ?4, why = ?5
         WHERE message = ?1 AND grp = ?2 AND piece > ?3 AND state = 'due'",
    )?
    .execute((place.message, place.group, place.piece, now, why))?;
    Ok(())
}
