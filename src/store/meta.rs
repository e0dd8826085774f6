//! The table `meta`: what is made once, with the store.

use rand::Rng;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

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
