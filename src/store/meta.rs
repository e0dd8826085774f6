//! The table `meta`: what is made once, with the store, or fixed with its first joined room.

use rand::Rng;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::{Store, StoreError};

/// Letters of the epoch: legal in every id, and none is taken for another.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 40 bits.
const EPOCH_LENGTH: usize = 8;

/// What is made with the store.
pub(super) struct Meta {
    /// Key of occupant-ids and hashed addresses.
    pub(super) salt: [u8; 32],
    /// Part of stanza-ids.
    pub(super) epoch: String,
}

/// Reads both; a new store gets them.
pub(super) fn read_or_make(connection: &mut Connection) -> rusqlite::Result<Meta> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let salt = match get(&step, "salt")? {
        Some(salt) => salt,
        None => put(&step, "salt", rand::random::<[u8; 32]>())?,
    };
    let epoch = match get(&step, "epoch")? {
        Some(epoch) => epoch,
        None => put(&step, "epoch", new_epoch())?,
    };
    step.commit()?;
    Ok(Meta { salt, epoch })
}

impl Store {
    /// Fixes the kind of addresses that puppets have in joined rooms, and gives the one that holds: the first that was ever
    /// fixed. Rooms know puppets by their addresses, for ever.
    pub async fn fix_puppet_address(&self, wanted: &str) -> Result<String, StoreError> {
        let wanted = wanted.to_owned();
        self.write(move |db| {
            Ok(match get(db, "puppet_address")? {
                Some(fixed) => fixed,
                None => put(db, "puppet_address", wanted)?,
            })
        })
        .await
    }
}

fn get<T: rusqlite::types::FromSql>(connection: &Connection, key: &str) -> rusqlite::Result<Option<T>> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
}

fn put<T: rusqlite::ToSql>(connection: &Connection, key: &str, value: T) -> rusqlite::Result<T> {
    connection.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", (key, &value))?;
    Ok(value)
}

fn new_epoch() -> String {
    let mut random = rand::rng();
    (0..EPOCH_LENGTH)
        .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
        .collect()
}
