//! What did not reach QQ, and whether its author knows.

use std::collections::HashSet;

use jid::{BareJid, FullJid};
use rusqlite::Connection;

use super::super::columns::Json;
use super::super::{RoomId, Store, StoreError, Untold};
use crate::model::{AccountName, Content, GroupNumber, Seq, Timestamp};

/// Whose open pieces are given up at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsent {
    /// Those said in a room.
    Room(RoomId),
    /// Those of an account for a group.
    Group(AccountName, GroupNumber),
    /// Those said in a room for an account or a group that its row does not name (any more).
    Elsewhere {
        /// The room.
        room: RoomId,
        /// The account of its row.
        account: AccountName,
        /// The groups of its row.
        groups: Vec<GroupNumber>,
    },
}

impl Store {
    /// Messages said in this room that failed, in whole or in part, and whose author was not told; one for each message
    /// and group, some hundred at most. Those of `listeners` first, if that is known, and then the oldest.
    pub async fn untold(&self, room: RoomId, listeners: Option<Vec<BareJid>>) -> Result<Vec<Untold>, StoreError> {
        self.read(move |db| Ok(untold(db, room, listeners)?)).await
    }

    /// The author was told.
    pub async fn told(&self, room: RoomId, message: Seq, group: GroupNumber) -> Result<(), StoreError> {
        self.write(move |db| {
            db.prepare_cached(
                "UPDATE outbox SET told = 1 WHERE message = ?1 AND grp = ?2 AND state = 'failed' AND told = 0
                     AND (SELECT room FROM messages WHERE seq = ?1) = ?3",
            )?
            .execute((message, group, room))?;
            Ok(())
        })
        .await
    }

    /// Gives up everything open, since nothing will send it any more. Says how many pieces that were; their authors are
    /// untold now. What was with a session or unknown is remembered as possibly sent.
    pub async fn fail_all(&self, unsent: Unsent, why: &str) -> Result<usize, StoreError> {
        let why = why.to_owned();
        self.write(move |db| Ok(fail_all(db, &unsent, &why, Timestamp::now())?))
            .await
    }
}

fn fail_all(db: &Connection, unsent: &Unsent, why: &str, now: Timestamp) -> rusqlite::Result<usize> {
    match unsent {
        Unsent::Room(room) => db
            .prepare_cached(
                "UPDATE outbox SET doubt = (state <> 'due'), state = 'failed', settled = ?2, why = ?3
                 WHERE settled IS NULL AND (SELECT m.room FROM messages m WHERE m.seq = outbox.message) = ?1",
            )?
            .execute((room, now, why)),
        Unsent::Group(account, group) => db
            .prepare_cached(
                "UPDATE outbox SET doubt = (state <> 'due'), state = 'failed', settled = ?3, why = ?4
                 WHERE settled IS NULL AND account = ?1 AND grp = ?2",
            )?
            .execute((account, group, now, why)),
        Unsent::Elsewhere { room, account, groups } => db
            .prepare_cached(
                "UPDATE outbox SET doubt = (state <> 'due'), state = 'failed', settled = ?2, why = ?3
                 WHERE settled IS NULL AND (SELECT m.room FROM messages m WHERE m.seq = outbox.message) = ?1
                     AND (account <> ?4 OR grp NOT IN (SELECT value FROM json_each(?5)))",
            )?
            .execute((room, now, why, account, Json(groups))),
    }
}

fn untold(db: &Connection, room: RoomId, listeners: Option<Vec<BareJid>>) -> rusqlite::Result<Vec<Untold>> {
    // A cross join is SQLite's word for "the left table first": few pieces fail, but a room has many rows.
    let mut query = db.prepare_cached(
        "SELECT o.message, o.grp, o.account, o.why, o.doubt, m.speaker, m.resource, m.content,
             EXISTS (SELECT 1 FROM outbox t WHERE t.message = o.message AND t.told = 1), o.deed = 'recall', o.settled
         FROM outbox o CROSS JOIN messages m ON m.seq = o.message
         WHERE o.state = 'failed' AND o.told = 0 AND m.room = ?1
         ORDER BY ?2 IS NOT NULL AND m.speaker NOT IN (SELECT value FROM json_each(?2)), o.message, o.grp, o.piece LIMIT 256",
    )?;
    // The first piece that failed says why; the later ones failed because of it.
    let mut seen: HashSet<(Seq, GroupNumber)> = HashSet::new();
    let mut found = Vec::new();
    let mut rows = query.query((room, listeners.map(Json)))?;
    while let Some(row) = rows.next()? {
        let (message, group) = (row.get(0)?, row.get(1)?);
        if seen.insert((message, group)) {
            found.push(Untold {
                message,
                session: session(row.get(5)?, row.get(6)?),
                id: stanza_id(row.get::<_, Json<Content>>(7)?.0),
                account: row.get(2)?,
                group,
                why: row.get(3)?,
                unknown: row.get(4)?,
                again: row.get(8)?,
                recall: row.get(9)?,
                failed: row.get(10)?,
            });
        }
    }
    Ok(found)
}

fn session(speaker: Option<String>, resource: Option<String>) -> Option<FullJid> {
    FullJid::new(&format!("{}/{}", speaker?, resource?)).ok()
}

fn stanza_id(content: Content) -> Option<String> {
    match content {
        Content::Stanza { id, .. } | Content::Tombstone { id, .. } => id,
        _ => None,
    }
}
