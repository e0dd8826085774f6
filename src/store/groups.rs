//! The table `groups`: names of QQ groups, as a session told them.

use rusqlite::{Connection, OptionalExtension};

use super::{GroupState, Store, StoreError, members};
use crate::model::GroupNumber;

impl Store {
    /// What is known of a group.
    pub async fn group_state(&self, group: GroupNumber) -> Result<GroupState, StoreError> {
        self.read(move |db| {
            let members = members::all(db, group)?;
            Ok(GroupState {
                name: name(db, group)?,
                members,
            })
        })
        .await
    }

    /// The name alone, without reading the members.
    pub async fn group_name(&self, group: GroupNumber) -> Result<Option<String>, StoreError> {
        self.read(move |db| Ok(name(db, group)?)).await
    }
}

fn name(db: &Connection, group: GroupNumber) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT name FROM groups WHERE number = ?1")?
        .query_row([group], |row| row.get(0))
        .optional()
}

pub(super) fn set_name(db: &Connection, group: GroupNumber, name: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO groups (number, name) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET name = excluded.name",
    )?
    .execute((group, name))?;
    Ok(())
}
