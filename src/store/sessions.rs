//! The tables `sessions` (who is in a room, by client session) and `nicks` (whose nick is remembered).

use std::time::Duration;

use jid::{BareJid, FullJid};
use rusqlite::Connection;

use super::columns::{Json, Text};
use super::{ClientSession, RoomId};
use crate::model::Timestamp;

/// How long the nick of somebody who left is theirs.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) fn all(db: &Connection, room: RoomId) -> rusqlite::Result<Vec<ClientSession>> {
    db.prepare_cached("SELECT jid, nick, cut, greeted, presence, history FROM sessions WHERE room = ?1")?
        .query_map([room], |row| {
            Ok(ClientSession {
                jid: row.get::<_, Text<FullJid>>(0)?.0,
                nick: row.get(1)?,
                cut: row.get(2)?,
                greeted: row.get(3)?,
                presence: row.get(4)?,
                history: row
                    .get::<_, Option<Json<_>>>(5)?
                    .map(|Json(history)| history)
                    .unwrap_or_default(),
            })
        })?
        .collect()
}

/// Everybody who is here, and who was in the last 30 days.
pub(super) fn remembered(
    db: &Connection,
    room: RoomId,
    now: Timestamp,
) -> rusqlite::Result<Vec<(BareJid, String, Timestamp)>> {
    db.prepare_cached(
        "SELECT who, nick, seen FROM nicks WHERE room = ?1
             AND (seen >= ?2 OR who IN (SELECT who FROM sessions WHERE room = ?1))",
    )?
    .query_map((room, now.minus(REMEMBERED)), |row| {
        Ok((row.get::<_, Text<BareJid>>(0)?.0, row.get(1)?, row.get(2)?))
    })?
    .collect()
}

pub(super) fn entered(db: &Connection, room: RoomId, session: &ClientSession, now: Timestamp) -> rusqlite::Result<()> {
    let who = session.jid.to_bare();
    db.prepare_cached(
        "INSERT INTO sessions (room, jid, who, nick, cut, greeted, presence, history)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET nick = excluded.nick, cut = excluded.cut,
             greeted = excluded.greeted, presence = excluded.presence, history = excluded.history",
    )?
    .execute((
        room,
        Text(&session.jid),
        Text(&who),
        &session.nick,
        session.cut,
        session.greeted,
        &session.presence,
        Json(session.history),
    ))?;
    seen(db, room, &who, &session.nick, now)
}

/// The nick stays remembered, counted from now.
pub(super) fn gone(db: &Connection, room: RoomId, jid: &FullJid, now: Timestamp) -> rusqlite::Result<()> {
    let nick: Vec<String> = db
        .prepare_cached("DELETE FROM sessions WHERE room = ?1 AND jid = ?2 RETURNING nick")?
        .query_map((room, Text(jid)), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    match nick.first() {
        Some(nick) => seen(db, room, &jid.to_bare(), nick, now),
        None => Ok(()),
    }
}

pub(super) fn renamed(
    db: &Connection,
    room: RoomId,
    who: &BareJid,
    (old, new): (&str, &str),
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET nick = ?4 WHERE room = ?1 AND who = ?2 AND nick = ?3")?
        .execute((room, Text(who), old, new))?;
    seen(db, room, who, new, now)
}

pub(super) fn presence(db: &Connection, room: RoomId, jid: &FullJid, presence: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE sessions SET presence = ?3 WHERE room = ?1 AND jid = ?2")?
        .execute((room, Text(jid), presence))?;
    Ok(())
}

/// Their whole join is with them.
pub(super) fn greeted(db: &Connection, room: RoomId, sessions: &[FullJid]) -> rusqlite::Result<()> {
    let mut mark = db.prepare_cached("UPDATE sessions SET greeted = 1 WHERE room = ?1 AND jid = ?2")?;
    for jid in sessions {
        mark.execute((room, Text(jid)))?;
    }
    Ok(())
}

fn seen(db: &Connection, room: RoomId, who: &BareJid, nick: &str, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO nicks (room, who, nick, seen) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET nick = excluded.nick, seen = excluded.seen",
    )?
    .execute((room, Text(who), nick, now))?;
    Ok(())
}

/// Whether there is something that nobody remembers any more.
pub(super) fn forgets(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    db.query_row(
        "SELECT EXISTS (SELECT 1 FROM nicks WHERE seen < ?1
             AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.room = nicks.room AND s.jid BETWEEN nicks.who || '/' AND nicks.who || '0'))",
        [now.minus(REMEMBERED)],
        |row| row.get(0),
    )
}

/// Takes away what nobody remembers any more.
pub(super) fn forget(db: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    db.execute(
        "DELETE FROM nicks WHERE seen < ?1
             AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.room = nicks.room AND s.jid BETWEEN nicks.who || '/' AND nicks.who || '0')",
        [now.minus(REMEMBERED)],
    )
}
