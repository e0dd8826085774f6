//! The table `rooms`: keys, cursors of both directions, subjects.

use jid::BareJid;
use rusqlite::{Connection, OptionalExtension};

use super::columns::Text;
use super::{Confirmed, RoomState, Store, StoreError, Subject, messages, puppets, sessions, shown};
use crate::model::{Heard, Seq, StaysAway, Timestamp};

/// The store's key of a room, the same for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub i64);

impl Store {
    /// The key of a room; a room that is new gets one.
    pub async fn room(&self, jid: &BareJid) -> Result<RoomId, StoreError> {
        let jid = jid.clone();
        self.write(move |db| Ok(key(db, &jid)?)).await
    }

    /// Everything a portal starts from.
    pub async fn room_state(&self, room: RoomId) -> Result<RoomState, StoreError> {
        self.read(move |db| Ok(state(db, room, Timestamp::now())?)).await
    }

    /// Keeps what the server has certainly taken. The cursor only grows.
    pub async fn confirm(&self, room: RoomId, confirmed: Confirmed) -> Result<(), StoreError> {
        self.write(move |db| {
            if let Some(seq) = confirmed.seq {
                advance(db, room, seq)?;
            }
            shown::change(db, room, &confirmed.shown)?;
            sessions::greeted(db, room, &confirmed.greeted)?;
            Ok(())
        })
        .await
    }
}

fn key(db: &Connection, jid: &BareJid) -> rusqlite::Result<RoomId> {
    db.prepare_cached("INSERT INTO rooms (jid) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([Text(jid)])?;
    db.prepare_cached("SELECT id FROM rooms WHERE jid = ?1")?
        .query_row([Text(jid)], |row| row.get(0))
}

pub(super) fn state(db: &Connection, room: RoomId, now: Timestamp) -> rusqlite::Result<RoomState> {
    let (confirmed, subject, heard, stays_away) = db
        .prepare_cached(
            "SELECT confirmed, subject, subject_nick, subject_time, heard, heard_time, stays_away, stays_away_why
             FROM rooms WHERE id = ?1",
        )?
        .query_row([room], |row| {
            let subject = match row.get(1)? {
                Some(text) => Some(Subject {
                    text,
                    nick: row.get(2)?,
                    time: row.get(3)?,
                }),
                None => None,
            };
            let heard = match row.get(5)? {
                Some(time) => Some(Heard { id: row.get(4)?, time }),
                None => None,
            };
            let stays_away = match row.get(6)? {
                Some(until) => Some(StaysAway {
                    until,
                    why: row.get(7)?,
                }),
                None => None,
            };
            Ok((row.get(0)?, subject, heard, stays_away))
        })
        .optional()?
        .unwrap_or_default();
    Ok(RoomState {
        last: messages::last(db, room)?.map_or(Seq(0), |(seq, _)| seq),
        confirmed,
        sessions: sessions::all(db, room)?,
        shown: shown::all(db, room)?,
        remembered: sessions::remembered(db, room, now)?,
        subject,
        heard,
        stays_away,
        puppets: puppets::all(db, room)?,
    })
}

pub(super) fn advance(db: &Connection, room: RoomId, seq: Seq) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE rooms SET confirmed = ?2 WHERE id = ?1 AND confirmed < ?2")?
        .execute((room, seq))?;
    Ok(())
}

/// A message without an id leaves the last id that was heard. Time only grows: services sort their archives by their own clocks.
pub(super) fn heard(db: &Connection, room: RoomId, id: Option<&str>, time: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE rooms SET heard = coalesce(?2, heard), heard_time = max(coalesce(heard_time, ?3), ?3) WHERE id = ?1",
    )?
    .execute((room, id, time))?;
    Ok(())
}

pub(super) fn stays_away(db: &Connection, room: RoomId, away: Option<&StaysAway>) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE rooms SET stays_away = ?2, stays_away_why = ?3 WHERE id = ?1")?
        .execute((room, away.map(|away| away.until), away.map(|away| &away.why)))?;
    Ok(())
}

pub(super) fn set_subject(db: &Connection, room: RoomId, subject: &Subject) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE rooms SET subject = ?2, subject_nick = ?3, subject_time = ?4 WHERE id = ?1")?
        .execute((room, &subject.text, &subject.nick, subject.time))?;
    Ok(())
}
