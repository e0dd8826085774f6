//! What the `OneBot` face and the world's smaller happenings need of the database.

use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError, raw_message, read_message};
use crate::world::{Chat, Message};

/// The bytes of media that are kept, of all together; the oldest go.
const MEDIA_KEPT: i64 = 256 * 1024 * 1024;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS onebot_id (account INTEGER NOT NULL, handle INTEGER NOT NULL, message INTEGER NOT NULL,
    PRIMARY KEY (account, handle)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS onebot_gap (account INTEGER NOT NULL, message INTEGER NOT NULL, PRIMARY KEY (account, message))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reaction (message INTEGER NOT NULL, emoji TEXT NOT NULL, qq INTEGER NOT NULL,
    PRIMARY KEY (message, emoji, qq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS media (n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
";

/// Which end of a stretch of messages is wanted when it is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The first ones.
    Oldest,
    /// The last ones.
    Newest,
}

impl Store {
    /// The messages of a chat with numbers from `from` to `to`, without those an account missed; oldest first.
    pub(crate) fn stretch(
        &self,
        chat: Chat,
        (from, to): (i64, i64),
        (limit, end): (i64, End),
        missed_by: Option<i64>,
    ) -> Result<Vec<Message>, StoreError> {
        let order = if end == End::Newest { "DESC" } else { "ASC" };
        let mut query = self.db.prepare_cached(&format!(
            "SELECT id, chat, sender, time, seq, segments, recalled FROM message WHERE chat = ?1 AND id >= ?2 AND id <= ?3
             AND id NOT IN (SELECT message FROM onebot_gap WHERE account = ?4) ORDER BY id {order} LIMIT ?5",
        ))?;
        let rows = query.query_map(
            params![chat.key(), from, to, missed_by.unwrap_or(0), limit],
            raw_message,
        )?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let mut messages: Vec<Message> = rows.into_iter().map(read_message).collect::<Result<_, _>>()?;
        if end == End::Newest {
            messages.reverse();
        }
        Ok(messages)
    }

    /// The world's number of the last message of a chat whose place is not behind `seq`.
    pub(crate) fn at_seq(&self, chat: Chat, seq: i64) -> Result<Option<i64>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT id FROM message WHERE chat = ? AND seq <= ? ORDER BY id DESC LIMIT 1")?;
        Ok(query.query_row(params![chat.key(), seq], |row| row.get(0)).optional()?)
    }

    /// Remembers what an account calls a message.
    pub(crate) fn learn(&self, account: i64, handle: i64, message: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO onebot_id VALUES (?, ?, ?)")?
            .execute([account, handle, message])?;
        Ok(())
    }

    /// The world's number of what an account calls so.
    pub(crate) fn learned(&self, account: i64, handle: i64) -> Result<Option<i64>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT message FROM onebot_id WHERE account = ? AND handle = ?")?;
        Ok(query.query_row([account, handle], |row| row.get(0)).optional()?)
    }

    /// Remembers that a message was said while the account was away.
    pub(crate) fn miss(&self, account: i64, message: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO onebot_gap VALUES (?, ?)")?
            .execute([account, message])?;
        Ok(())
    }

    /// Gives an account the newest of what it missed, so many per chat; the rest stays missed. Oldest first.
    pub(crate) fn catch_up(&self, account: i64, per_chat: i64) -> Result<Vec<Message>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, chat, sender, time, seq, segments, recalled FROM (
                SELECT m.*, row_number() OVER (PARTITION BY chat ORDER BY id DESC) AS place
                FROM message m JOIN onebot_gap g ON g.message = m.id WHERE g.account = ?
             ) WHERE place <= ? ORDER BY id",
        )?;
        let rows = query.query_map([account, per_chat], raw_message)?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let messages: Vec<Message> = rows.into_iter().map(read_message).collect::<Result<_, _>>()?;
        let mut forget = self
            .db
            .prepare_cached("DELETE FROM onebot_gap WHERE account = ? AND message = ?")?;
        for message in &messages {
            forget.execute([account, message.id])?;
        }
        Ok(messages)
    }

    /// Puts somebody's face to a message or takes it away. Says whether that was new, and how many have it now.
    pub(crate) fn react(&self, message: i64, emoji: &str, qq: i64, add: bool) -> Result<(bool, i64), StoreError> {
        let statement = if add {
            "INSERT OR IGNORE INTO reaction VALUES (?, ?, ?)"
        } else {
            "DELETE FROM reaction WHERE message = ? AND emoji = ? AND qq = ?"
        };
        let changed = self
            .db
            .prepare_cached(statement)?
            .execute(params![message, emoji, qq])?;
        let mut query = self
            .db
            .prepare_cached("SELECT count(*) FROM reaction WHERE message = ? AND emoji = ?")?;
        let total = query.query_row(params![message, emoji], |row| row.get(0))?;
        Ok((changed > 0, total))
    }

    /// The faces of a message: which, and whose.
    pub(crate) fn reactions(&self, message: i64) -> Result<Vec<(String, i64)>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT emoji, qq FROM reaction WHERE message = ? ORDER BY emoji, qq")?;
        let rows = query.query_map([message], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps bytes under a name.
    pub(crate) fn put_media(&self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO media (name, body) VALUES (?, ?)")?
            .execute(params![name, body])?;
        self.db
            .prepare_cached(
                "DELETE FROM media WHERE n <= (SELECT coalesce(max(n), 0) FROM (
                    SELECT n, sum(length(body)) OVER (ORDER BY n DESC) AS total FROM media) WHERE total > ?)",
            )?
            .execute([MEDIA_KEPT])?;
        Ok(())
    }

    /// The bytes of a name.
    pub(crate) fn media(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT body FROM media WHERE name = ?")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }
}
