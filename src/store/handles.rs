//! The table `handles`: what each account calls a row when it answers it or takes it back.

use rusqlite::{Connection, OptionalExtension};

use super::{RoomId, Store, StoreError, messages, outbox};
use crate::model::{AccountName, GroupNumber, Handle, Row, Seq};

impl Store {
    /// The row of a room that an account calls so in a group, as it stands. Of several the newest, since handles are hashes and
    /// come again.
    pub async fn named(
        &self,
        room: RoomId,
        account: &AccountName,
        group: GroupNumber,
        handle: &Handle,
    ) -> Result<Option<Row>, StoreError> {
        let (account, handle) = (account.clone(), handle.clone());
        self.read(move |db| match newest_row(db, &account, group, &handle)? {
            Some(row) => Ok(messages::one(db, room, row)?),
            None => Ok(None),
        })
        .await
    }
}

impl Store {
    /// Of these groups those in which an account can name a row, or will when what waits for it was sent.
    pub async fn reached(
        &self,
        row: Seq,
        account: &AccountName,
        groups: &[GroupNumber],
    ) -> Result<Vec<GroupNumber>, StoreError> {
        let (account, mut groups) = (account.clone(), groups.to_vec());
        self.read(move |db| {
            let mut failed = None;
            groups.retain(|group| {
                let reached = outbox::reaches(db, row, &account, *group);
                reached.unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                })
            });
            match failed {
                Some(error) => Err(error.into()),
                None => Ok(groups),
            }
        })
        .await
    }
}

/// Keeps a handle; the account's earlier one for the same piece goes, since it would no longer be understood.
pub(super) fn put(
    db: &Connection,
    row: Seq,
    account: &AccountName,
    group: GroupNumber,
    piece: i64,
    handle: &Handle,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO handles (row, account, grp, piece, handle) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET handle = excluded.handle WHERE handle <> excluded.handle",
    )?
    .execute((row, account, group, piece, handle))?;
    Ok(())
}

fn newest_row(
    db: &Connection,
    account: &AccountName,
    group: GroupNumber,
    handle: &Handle,
) -> rusqlite::Result<Option<Seq>> {
    db.prepare_cached(
        "SELECT row FROM handles WHERE account = ?1 AND grp = ?2 AND handle = ?3 ORDER BY row DESC LIMIT 1",
    )?
    .query_row((account, group, handle), |row| row.get(0))
    .optional()
}

/// What an account calls each piece of a row in a group, in order: all of them go when the message is taken back.
pub(super) fn all_of_row(
    db: &Connection,
    row: Seq,
    account: &AccountName,
    group: GroupNumber,
) -> rusqlite::Result<Vec<Handle>> {
    db.prepare_cached("SELECT handle FROM handles WHERE row = ?1 AND account = ?2 AND grp = ?3 ORDER BY piece")?
        .query_map((row, account, group), |row| row.get(0))?
        .collect()
}

/// What an account calls a row in a group. Of a row that became several pieces, the first; a later row of a message that came from
/// QQ has the handle of the whole.
pub(super) fn of_row(
    db: &Connection,
    row: Seq,
    account: &AccountName,
    group: GroupNumber,
) -> rusqlite::Result<Option<Handle>> {
    db.prepare_cached(
        "SELECT handle FROM handles WHERE row IN (?1, (SELECT message FROM messages WHERE seq = ?1))
             AND account = ?2 AND grp = ?3 ORDER BY row DESC, piece LIMIT 1",
    )?
    .query_row((row, account, group), |row| row.get(0))
    .optional()
}
