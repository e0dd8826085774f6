//! The table `outbox`: what goes to QQ, a line per group and piece, and what became of it. Recalls and reactions are pieces too.
//!
//! ```text
//!             sending()                Sent, or the echo
//!      due ─────────────▶ sending ─────────────────────────▶ sent
//!       ▲  ◀──── Retry ──────┤ │                              ▲
//!       │                    │ └─ Unknown ─▶ unknown ─────────┤  the echo, or Sent
//!       └──── Retry ─────────┼──────────────────┤             │
//!                            └──── Failed ──────┴─▶ failed ───┘  the echo when in doubt, or Sent: the record is corrected
//! ```
//!
//! What was taken back does not go back to `due`: it fails, and nobody is told.
//!
//! `settled` is empty until a piece is sent or failed. Of each group only the oldest open piece moves; when it fails, the later
//! pieces of the same message fail with it, so that no text goes on without its middle.

mod deed;
mod echo;
mod settle;
mod told;

use jid::BareJid;
use rusqlite::{Connection, OptionalExtension};

use super::columns::{Json, Text, limit};
use super::{NewPiece, Piece, PieceState, RoomId, Store, StoreError};
use crate::model::{AccountName, GroupNumber, Seq, Timestamp};

pub(super) use deed::{NewDeed, add_deed, cancel, drop_opposite, reaches, went_to};
pub(super) use echo::{Echo, take_echo};
pub use told::Unsent;

/// The oldest open piece of each group of account `?1`: a step of the index for each group. To group all open pieces would look at
/// each of them, for each piece that is sent, and after an outage they are many.
const OLDEST_OF_EACH_GROUP: &str = "WITH RECURSIVE groups (grp) AS (
         SELECT min(grp) FROM outbox WHERE account = ?1 AND settled IS NULL
         UNION ALL
         SELECT (SELECT min(grp) FROM outbox WHERE account = ?1 AND settled IS NULL AND grp > groups.grp)
         FROM groups WHERE groups.grp IS NOT NULL)
     SELECT (SELECT min(id) FROM outbox WHERE account = ?1 AND settled IS NULL AND grp = groups.grp)
     FROM groups WHERE groups.grp IS NOT NULL";

impl Store {
    /// What may be sent now: of each group the oldest open piece, if it is due and its time has come. Oldest first.
    pub async fn due(&self, account: &AccountName, now: Timestamp, max: usize) -> Result<Vec<Piece>, StoreError> {
        let account = account.clone();
        self.read(move |db| {
            let pieces = db
                .prepare_cached(&format!(
                    "SELECT o.id, r.jid, o.row, o.grp, o.parts, o.answers, o.deed, o.emoji, o.tries, o.since, o.state
                     FROM outbox o JOIN messages m ON m.seq = o.message JOIN rooms r ON r.id = m.room
                     WHERE o.id IN ({OLDEST_OF_EACH_GROUP}) AND o.state = 'due' AND o.not_before <= ?2
                     ORDER BY o.id LIMIT ?3",
                ))?
                .query_map((&account, now, limit(max)), |row| read(db, row, &account))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(pieces)
        })
        .await
    }

    /// Pieces of which is not known whether QQ has them: handed to a session before a crash, or found unknown. Oldest first.
    pub async fn unsettled(&self, account: &AccountName) -> Result<Vec<Piece>, StoreError> {
        let account = account.clone();
        self.read(move |db| {
            let pieces = db
                .prepare_cached(
                    "SELECT o.id, r.jid, o.row, o.grp, o.parts, o.answers, o.deed, o.emoji, o.tries, o.since, o.state
                     FROM outbox o JOIN messages m ON m.seq = o.message JOIN rooms r ON r.id = m.room
                     WHERE o.account = ?1 AND o.settled IS NULL AND o.state IN ('sending', 'unknown') ORDER BY o.id",
                )?
                .query_map([&account], |row| read(db, row, &account))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(pieces)
        })
        .await
    }

    /// When the next retry is due, over all groups of the account; in the past when something is due already.
    pub async fn next_due(&self, account: &AccountName) -> Result<Option<Timestamp>, StoreError> {
        let account = account.clone();
        self.read(move |db| {
            let at = db
                .prepare_cached(&format!(
                    "SELECT min(not_before) FROM outbox WHERE state = 'due' AND id IN ({OLDEST_OF_EACH_GROUP})",
                ))?
                .query_row([account], |row| row.get(0))?;
            Ok(at)
        })
        .await
    }

    /// Whose open pieces there are: room, account, group.
    pub async fn open_targets(&self) -> Result<Vec<(RoomId, BareJid, AccountName, GroupNumber)>, StoreError> {
        self.read(move |db| {
            let targets = db
                .prepare_cached(
                    "SELECT DISTINCT r.id, r.jid, o.account, o.grp
                     FROM outbox o JOIN messages m ON m.seq = o.message JOIN rooms r ON r.id = m.room
                     WHERE o.settled IS NULL",
                )?
                .query_map([], |row| {
                    Ok((row.get(0)?, row.get::<_, Text<_>>(1)?.0, row.get(2)?, row.get(3)?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(targets)
        })
        .await
    }

    /// How many pieces of an account are open, and since when the oldest of them.
    pub async fn queued(&self, account: &AccountName) -> Result<(u64, Option<Timestamp>), StoreError> {
        let account = account.clone();
        self.read(move |db| {
            let (count, oldest): (i64, _) = db
                .prepare_cached("SELECT count(*), min(since) FROM outbox WHERE account = ?1 AND settled IS NULL")?
                .query_row([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((count.cast_unsigned(), oldest))
        })
        .await
    }
}

/// The columns as [`Store::due`] selects them.
fn read(db: &Connection, row: &rusqlite::Row<'_>, account: &AccountName) -> rusqlite::Result<Piece> {
    Ok(Piece {
        id: row.get(0)?,
        room: row.get::<_, Text<_>>(1)?.0,
        row: row.get(2)?,
        group: row.get(3)?,
        deed: deed::read(db, row, account)?,
        tries: row.get(8)?,
        since: row.get(9)?,
        state: match row.get_ref(10)?.as_str()? {
            "sending" => PieceState::Sending,
            "unknown" => PieceState::Unknown,
            _ => PieceState::Due,
        },
    })
}

/// Adds the pieces of a message whose rows begin at `message`, each group's in order.
pub(super) fn add(
    db: &Connection,
    message: Seq,
    rows: usize,
    pieces: &[NewPiece],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT INTO outbox (message, row, account, grp, piece, parts, answers, normal, since)
         VALUES (?1, ?2, ?3, ?4, (SELECT count(*) FROM outbox WHERE message = ?1 AND grp = ?4), ?5, ?6, ?7, ?8)",
    )?;
    for piece in pieces {
        let place = i64::try_from(piece.row).ok().filter(|_| piece.row < rows);
        let Some(place) = place else {
            return Err(StoreError::Malformed(
                "a piece names a row that its message does not have",
            ));
        };
        insert.execute((
            message,
            Seq(message.0 + place),
            &piece.account,
            piece.group,
            Json(&piece.parts),
            piece.answers,
            &piece.normal,
            now,
        ))?;
    }
    Ok(())
}

/// Where a piece stands in its message.
struct Place {
    message: Seq,
    row: Seq,
    account: AccountName,
    group: GroupNumber,
    piece: i64,
    state: String,
    cancelled: bool,
    /// Words, and nothing else.
    say: bool,
}

fn place(db: &Connection, id: i64) -> rusqlite::Result<Option<Place>> {
    db.prepare_cached(
        "SELECT message, row, account, grp, piece, state, cancelled, deed = 'say' FROM outbox WHERE id = ?1",
    )?
    .query_row([id], |row| {
        Ok(Place {
            message: row.get(0)?,
            row: row.get(1)?,
            account: row.get(2)?,
            group: row.get(3)?,
            piece: row.get(4)?,
            state: row.get(5)?,
            cancelled: row.get(6)?,
            say: row.get(7)?,
        })
    })
    .optional()
}
