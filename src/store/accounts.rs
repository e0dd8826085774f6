//! The table `accounts`: what the session of an account wants to find again after a restart. Opaque here.

use rusqlite::OptionalExtension;

use super::{Store, StoreError};
use crate::model::AccountName;

impl Store {
    /// What was saved last.
    pub async fn account_state(&self, account: &AccountName) -> Result<Option<Vec<u8>>, StoreError> {
        let account = account.clone();
        self.read(move |db| {
            let state = db
                .prepare_cached("SELECT state FROM accounts WHERE name = ?1")?
                .query_row([account], |row| row.get(0))
                .optional()?;
            Ok(state)
        })
        .await
    }

    /// Saves, in place of what was saved before.
    pub async fn save_account_state(&self, account: &AccountName, state: Vec<u8>) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |db| {
            db.prepare_cached(
                "INSERT INTO accounts (name, state) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET state = excluded.state",
            )?
            .execute((account, state))?;
            Ok(())
        })
        .await
    }
}
