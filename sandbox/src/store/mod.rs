//! The only SQL. Keeps the world and what happened in it, on disk (`sandbox.db` in the state directory) or in memory.
//!
//! Whoever works on the state opens a transaction with [`Store::begin`] and ends it with [`Store::commit`]; a commit has
//! reached the disk when it returns (`synchronous = FULL`).

mod onebot;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::log::Entry;
use crate::world::{Chat, Message, Segment};

pub(crate) use onebot::End;

/// How many log entries are kept.
const LOG_KEPT: i64 = 200_000;
/// How many messages are kept, of all chats together.
const MESSAGES_KEPT: i64 = 1_000_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doc (kind TEXT NOT NULL, key INTEGER NOT NULL, place INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, sender INTEGER NOT NULL,
    time INTEGER NOT NULL, seq INTEGER NOT NULL, segments TEXT NOT NULL, recalled INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS message_chat ON message (chat, id);
CREATE TABLE IF NOT EXISTS event (n INTEGER PRIMARY KEY AUTOINCREMENT, login INTEGER NOT NULL, message INTEGER, body TEXT);
CREATE INDEX IF NOT EXISTS event_login ON event (login, n);
CREATE TABLE IF NOT EXISTS alias (login INTEGER NOT NULL, kind INTEGER NOT NULL, number INTEGER NOT NULL,
    alias INTEGER NOT NULL, PRIMARY KEY (login, kind, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (n INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
";

/// Why the store did not do what was asked; the request is answered with 500 and nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// `SQLite` said no.
    #[error("the sandbox's database failed: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A row that this version cannot read.
    #[error("the sandbox's database holds a row that cannot be read: {0}")]
    Row(#[from] serde_json::Error),
    /// The sandbox has been stopped.
    #[error("the sandbox has been stopped")]
    Stopped,
}

/// What a client's queue holds: a message of the world, or an event that is given as it stands.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) n: i64,
    pub(crate) message: Option<i64>,
    pub(crate) body: Option<String>,
}

/// One row of the table of temporary numbers: login, kind, real number, temporary number.
pub(crate) type AliasRow = (i64, i64, i64, i64);

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    db: Connection,
}

impl Store {
    /// Opens `sandbox.db` in `dir` (created when missing), or a database in memory.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, StoreError> {
        let db = match dir {
            Some(dir) => Connection::open(dir.join("sandbox.db"))?,
            None => Connection::open_in_memory()?,
        };
        db.busy_timeout(Duration::from_secs(2))?;
        // One sandbox per directory: a second one would serve the same logins with a memory of its own.
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch(SCHEMA)?;
        db.execute_batch(onebot::SCHEMA)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(Self { db })
    }

    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("BEGIN")?)
    }

    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("COMMIT")?)
    }

    pub(crate) fn rollback(&self) {
        if let Err(error) = self.db.execute_batch("ROLLBACK") {
            tracing::warn!(%error, "a transaction could not be rolled back");
        }
    }

    /// Deletes everything but the counters, so that no number is given twice.
    pub(crate) fn clear(&self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch(
            "DELETE FROM doc; DELETE FROM message; DELETE FROM event; DELETE FROM alias; DELETE FROM log;
             DELETE FROM onebot_id; DELETE FROM onebot_gap; DELETE FROM reaction; DELETE FROM media;",
        )?)
    }

    pub(crate) fn meta(&self, key: &str) -> Result<Option<i64>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
        Ok(query.query_row([key], |row| row.get(0)).optional()?)
    }

    pub(crate) fn set_meta(&self, key: &str, value: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?
            .execute(params![key, value])?;
        Ok(())
    }

    /// All documents of a kind, in their places.
    pub(crate) fn docs<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT body FROM doc WHERE kind = ? ORDER BY place, key")?;
        let bodies = query
            .query_map([kind], |row| row.get::<_, String>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(bodies
            .iter()
            .map(|body| serde_json::from_str(body))
            .collect::<Result<_, _>>()?)
    }

    pub(crate) fn put_doc(&self, kind: &str, key: i64, place: usize, doc: &impl Serialize) -> Result<(), StoreError> {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let mut query = self
            .db
            .prepare_cached("INSERT OR REPLACE INTO doc VALUES (?, ?, ?, ?)")?;
        query.execute(params![kind, key, place, serde_json::to_string(doc)?])?;
        Ok(())
    }

    pub(crate) fn delete_doc(&self, kind: &str, key: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM doc WHERE kind = ? AND key = ?")?
            .execute(params![kind, key])?;
        Ok(())
    }

    /// Writes a message and gives it its number and its place in the chat.
    pub(crate) fn add_message(
        &self,
        chat: Chat,
        from: i64,
        time: i64,
        segments: Vec<Segment>,
    ) -> Result<Message, StoreError> {
        let key = chat.key();
        let seq: i64 = self
            .db
            .prepare_cached("SELECT seq FROM message WHERE chat = ? ORDER BY id DESC LIMIT 1")?
            .query_row([&key], |row| row.get(0))
            .optional()?
            .unwrap_or(0)
            + 1;
        self.db
            .prepare_cached("INSERT INTO message (chat, sender, time, seq, segments) VALUES (?, ?, ?, ?, ?)")?
            .execute(params![key, from, time, seq, serde_json::to_string(&segments)?])?;
        let id = self.db.last_insert_rowid();
        if id % 1024 == 0 {
            self.db
                .prepare_cached("DELETE FROM message WHERE id <= ?")?
                .execute([id - MESSAGES_KEPT])?;
        }
        Ok(Message {
            id,
            chat,
            from,
            time,
            seq,
            segments,
            recalled: false,
        })
    }

    /// The messages of a chat behind number `after`, oldest first.
    pub(crate) fn messages(&self, chat: Chat, after: i64, limit: i64) -> Result<Vec<Message>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT id, chat, sender, time, seq, segments, recalled FROM message WHERE chat = ? AND id > ? ORDER BY id LIMIT ?",
        )?;
        let rows = query
            .query_map(params![chat.key(), after, limit], raw_message)?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(read_message).collect()
    }

    pub(crate) fn message(&self, id: i64) -> Result<Option<Message>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT id, chat, sender, time, seq, segments, recalled FROM message WHERE id = ?")?;
        query
            .query_row([id], raw_message)
            .optional()?
            .map(read_message)
            .transpose()
    }

    /// Marks a message as taken back.
    pub(crate) fn recall(&self, id: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE message SET recalled = 1 WHERE id = ?")?
            .execute([id])?;
        Ok(())
    }

    /// Puts an event at the end of a login's queue.
    pub(crate) fn enqueue(&self, login: i64, message: Option<i64>, body: Option<&str>) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT INTO event (login, message, body) VALUES (?, ?, ?)")?
            .execute(params![login, message, body])?;
        Ok(())
    }

    /// The oldest events of a login's queue.
    pub(crate) fn queue(&self, login: i64, limit: i64) -> Result<Vec<Queued>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT n, message, body FROM event WHERE login = ? ORDER BY n LIMIT ?")?;
        let rows = query.query_map(params![login, limit], |row| {
            Ok(Queued {
                n: row.get(0)?,
                message: row.get(1)?,
                body: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn queue_length(&self, login: i64) -> Result<i64, StoreError> {
        let mut query = self.db.prepare_cached("SELECT count(*) FROM event WHERE login = ?")?;
        Ok(query.query_row([login], |row| row.get(0))?)
    }

    /// Takes the events of a login's queue up to number `n` away.
    pub(crate) fn dequeue(&self, login: i64, n: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM event WHERE login = ? AND n <= ?")?
            .execute([login, n])?;
        Ok(())
    }

    pub(crate) fn aliases(&self) -> Result<Vec<AliasRow>, StoreError> {
        let mut query = self.db.prepare_cached("SELECT login, kind, number, alias FROM alias")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn add_alias(&self, (login, kind, number, alias): AliasRow) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO alias VALUES (?, ?, ?, ?)")?
            .execute([login, kind, number, alias])?;
        Ok(())
    }

    pub(crate) fn forget_aliases(&self, login: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("DELETE FROM alias WHERE login = ?")?
            .execute([login])?;
        Ok(())
    }

    /// Writes a log entry; the oldest ones go when there are too many.
    pub(crate) fn add_log(&self, entry: &Entry) -> Result<i64, StoreError> {
        self.db
            .prepare_cached("INSERT INTO log (body) VALUES (?)")?
            .execute([serde_json::to_string(entry)?])?;
        let n = self.db.last_insert_rowid();
        if n % 1024 == 0 {
            self.db
                .prepare_cached("DELETE FROM log WHERE n <= ?")?
                .execute([n - LOG_KEPT])?;
        }
        Ok(n)
    }

    /// The log entries behind number `after`, oldest first.
    pub(crate) fn log(&self, after: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT n, body FROM log WHERE n > ? ORDER BY n LIMIT ?")?;
        let rows = query.query_map([after, limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter()
            .map(|(n, body)| {
                Ok(Entry {
                    n,
                    ..serde_json::from_str(&body)?
                })
            })
            .collect()
    }
}

type RawMessage = (i64, String, i64, i64, i64, String, bool);

fn raw_message(row: &rusqlite::Row<'_>) -> rusqlite::Result<RawMessage> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
    ))
}

fn read_message((id, chat, from, time, seq, segments, recalled): RawMessage) -> Result<Message, StoreError> {
    let chat = Chat::from_key(&chat).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(Message {
        id,
        chat,
        from,
        time,
        seq,
        segments: serde_json::from_str(&segments)?,
        recalled,
    })
}
