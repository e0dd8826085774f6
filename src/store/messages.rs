//! The table `messages`: the archive of all rooms. Pages for archive queries are in `page.rs`.

use jid::FullJid;
use rusqlite::{Connection, OptionalExtension, ToSql};

use super::columns::{Json, Text, limit, shared};
use super::{HistoryQuery, RoomId, SaidBy, Store, StoreError};
use crate::model::{Author, Content, Row, Seq, Timestamp};

/// A client that says the same again within this many milliseconds repeats itself.
const REPETITION_MS: i64 = 10 * 60 * 1000;

/// Rows that are looked at for one page of history.
const HISTORY_DEPTH: i64 = 10_000;
/// Rows of one person among which the versions of a message are looked for.
const SAID_DEPTH: i64 = 5_000;

impl Store {
    /// Rows behind one, in order.
    pub async fn rows_after(&self, room: RoomId, after: Seq, max: usize) -> Result<Vec<Row>, StoreError> {
        self.read(move |db| {
            let rows = db
                .prepare_cached(
                    "SELECT seq, message, time, author, nick, content FROM messages
                     WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                )?
                .query_map((room, after, limit(max)), read)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        })
        .await
    }

    /// The newest rows that a joiner wants, oldest first: words, and what was taken back. Reactions, markers and the like mean
    /// nothing to who does not know the rows before, and would take the place of words; the archive has them. A time says with
    /// which row it begins: what stands behind that was shown behind it, whenever it was said.
    pub async fn history(&self, room: RoomId, query: HistoryQuery) -> Result<Vec<Row>, StoreError> {
        self.read(move |db| {
            let since = query.since.unwrap_or(Timestamp(i64::MIN));
            let mut rows = db
                .prepare_cached(
                    "WITH near AS (SELECT seq, time FROM messages WHERE room = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT ?5)
                     SELECT seq, message, time, author, nick, content FROM messages
                     WHERE room = ?1 AND seq <= ?2 AND seq >= (SELECT min(seq) FROM near WHERE time >= ?3)
                     AND NOT (content LIKE '{\"reactions\":%' OR (content LIKE '{\"stanza\":%'
                         AND (instr(content, '<reactions ') OR NOT (instr(content, '<body') OR instr(content, '<retract ')))))
                     ORDER BY seq DESC LIMIT ?4",
                )?
                .query_map((room, query.upto, since, limit(query.max), HISTORY_DEPTH), read)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            rows.reverse();
            Ok(rows)
        })
        .await
    }

    /// The first and the last row of a room, with the times they were said at; nothing when it is empty.
    pub async fn bounds(&self, room: RoomId) -> Result<Option<((Seq, Timestamp), (Seq, Timestamp))>, StoreError> {
        self.read(move |db| Ok(first(db, room)?.zip(last(db, room)?))).await
    }

    /// The row that has exactly `newer` rows of the room behind it; nothing when there are not so many.
    pub async fn row_with_newer(&self, room: RoomId, newer: usize) -> Result<Option<Seq>, StoreError> {
        self.read(move |db| {
            let seq = db
                .prepare_cached("SELECT seq FROM messages WHERE room = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2")?
                .query_row((room, limit(newer)), |row| row.get(0))
                .optional()?;
            Ok(seq)
        })
        .await
    }

    /// The row of a QQ member that has exactly `newer` rows of QQ members behind it in the room; nothing when there are not so many.
    pub async fn word_with_newer(&self, room: RoomId, newer: usize) -> Result<Option<Seq>, StoreError> {
        self.read(move |db| {
            let seq = db
                .prepare_cached(
                    "SELECT seq FROM messages WHERE room = ?1 AND substr(author, 1, 1) = 'm'
                     ORDER BY seq DESC LIMIT 1 OFFSET ?2",
                )?
                .query_row((room, limit(newer)), |row| row.get(0))
                .optional()?;
            Ok(seq)
        })
        .await
    }

    /// One row, if the room has it.
    pub async fn row(&self, room: RoomId, seq: Seq) -> Result<Option<Row>, StoreError> {
        self.read(move |db| Ok(one(db, room, seq)?)).await
    }

    /// What a person on XMPP said in a room under ids of their own, and that still has words: the newest few thousand, in order.
    /// Nothing for an author who is none.
    pub async fn stanzas_by(&self, room: RoomId, author: &Author) -> Result<Vec<SaidBy>, StoreError> {
        let author = author.clone();
        self.read(move |db| {
            let mut said = match &author {
                Author::Occupant(who) => said_by(db, OF_OCCUPANT, room, &Text(who))?,
                Author::Guest(_) => said_by(db, OF_GUEST, room, &author)?,
                Author::Member { .. } | Author::Room => Vec::new(),
            };
            said.reverse();
            Ok(said)
        })
        .await
    }

    /// All rows of a message of a room, by its first.
    pub async fn message(&self, room: RoomId, first: Seq) -> Result<Vec<Row>, StoreError> {
        self.read(move |db| {
            let rows = whole(db, first)?;
            Ok(if one(db, room, first)?.is_some() {
                rows
            } else {
                Vec::new()
            })
        })
        .await
    }
}

/// Whatever has an id of its own has an origin, too, and the index of these knows the speaker.
const OF_OCCUPANT: &str = "SELECT seq, content ->> '$.stanza.id' AS id,
         iif(instr(content, 'urn:xmpp:message-correct:0'), content ->> '$.stanza.children', NULL)
     FROM messages WHERE room = ?1 AND speaker = ?2 AND origin IS NOT NULL AND id IS NOT NULL
     ORDER BY seq DESC LIMIT ?3";
/// Guests of a room all have the room for a speaker; an index of their own knows them apart.
const OF_GUEST: &str = "SELECT seq, content ->> '$.stanza.id' AS id,
         iif(instr(content, 'urn:xmpp:message-correct:0'), content ->> '$.stanza.children', NULL)
     FROM messages WHERE room = ?1 AND author = ?2 AND substr(author, 1, 1) = 'g' AND id IS NOT NULL
     ORDER BY seq DESC LIMIT ?3";

/// The newest first.
fn said_by(db: &Connection, sql: &str, room: RoomId, who: &dyn ToSql) -> rusqlite::Result<Vec<SaidBy>> {
    db.prepare_cached(sql)?
        .query_map((room, who, SAID_DEPTH), |row| {
            Ok(SaidBy {
                row: row.get(0)?,
                id: row.get(1)?,
                correction: row.get(2)?,
            })
        })?
        .collect()
}

pub(super) fn one(db: &Connection, room: RoomId, seq: Seq) -> rusqlite::Result<Option<Row>> {
    db.prepare_cached("SELECT seq, message, time, author, nick, content FROM messages WHERE seq = ?2 AND room = ?1")?
        .query_row((room, seq), read)
        .optional()
}

fn first(db: &Connection, room: RoomId) -> rusqlite::Result<Option<(Seq, Timestamp)>> {
    db.prepare_cached("SELECT seq, time FROM messages WHERE room = ?1 ORDER BY seq LIMIT 1")?
        .query_row([room], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

pub(super) fn last(db: &Connection, room: RoomId) -> rusqlite::Result<Option<(Seq, Timestamp)>> {
    db.prepare_cached("SELECT seq, time FROM messages WHERE room = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([room], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The columns `seq, message, time, author, nick, content`.
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        seq: row.get(0)?,
        message: row.get(1)?,
        time: row.get(2)?,
        author: row.get(3)?,
        nick: shared(row, 4)?,
        content: row.get::<_, Json<Content>>(5)?.0,
    })
}

/// What the rows of a new message have in common.
pub(super) struct Said<'a> {
    pub(super) room: RoomId,
    pub(super) time: Timestamp,
    pub(super) author: &'a Author,
    pub(super) nick: &'a str,
    /// From XMPP: the client session, and its id of the message.
    pub(super) from: Option<(&'a FullJid, Option<&'a str>)>,
}

/// The number that the next row gets: `AUTOINCREMENT` counts in this table, so that no number is given twice.
pub(super) fn next(db: &Connection) -> rusqlite::Result<Seq> {
    db.prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'messages'")?
        .query_row([], |row| row.get(0))
}

/// Adds the first row of a message. `false`: its client session said it already, and nothing was added.
pub(super) fn add_first(db: &Connection, seq: Seq, said: &Said<'_>, content: &Content) -> rusqlite::Result<bool> {
    let (speaker, resource, origin) = match said.from {
        Some((session, origin)) => (Some(session.to_bare()), Some(session.resource().as_str()), origin),
        None => (None, None, None),
    };
    if let (Some(speaker), Some(origin)) = (&speaker, origin) {
        // The claim of a message that is long past ends here; the unique index judges the rest.
        db.prepare_cached(
            "UPDATE messages SET origin = NULL
             WHERE room = ?1 AND speaker = ?2 AND origin = ?3 AND abs(time - ?4) > ?5",
        )?
        .execute((said.room, Text(speaker), origin, said.time, REPETITION_MS))?;
    }
    let added = db
        .prepare_cached(
            "INSERT INTO messages (seq, room, message, time, author, nick, content, speaker, resource, origin)
             VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (room, speaker, origin) WHERE origin IS NOT NULL DO NOTHING",
        )?
        .execute((
            seq,
            said.room,
            said.time,
            said.author,
            said.nick,
            Json(content),
            speaker.map(Text),
            resource,
            origin,
        ))?;
    Ok(added > 0)
}

/// Adds a later row of the message that began with `message`.
pub(super) fn add_later(
    db: &Connection,
    seq: Seq,
    message: Seq,
    said: &Said<'_>,
    content: &Content,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO messages (seq, room, message, time, author, nick, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        seq,
        said.room,
        message,
        said.time,
        said.author,
        said.nick,
        Json(content),
    ))?;
    Ok(())
}

/// The rows of the message that a client session now repeats.
pub(super) fn said_before(
    db: &Connection,
    room: RoomId,
    session: &FullJid,
    origin: &str,
) -> rusqlite::Result<Vec<Row>> {
    let first: Seq = db
        .prepare_cached("SELECT seq FROM messages WHERE room = ?1 AND speaker = ?2 AND origin = ?3")?
        .query_row((room, Text(session.to_bare()), origin), |row| row.get(0))?;
    whole(db, first)
}

/// A message's rows were given their numbers in one go, so they end where another message begins.
fn whole(db: &Connection, first: Seq) -> rusqlite::Result<Vec<Row>> {
    db.prepare_cached("SELECT seq, message, time, author, nick, content FROM messages WHERE seq >= ?1 ORDER BY seq")?
        .query_map([first], read)?
        .take_while(|row| row.as_ref().map_or(true, |row| row.message == first))
        .collect()
}
