//! The table `shown`: what each room has shown of each occupant, so that a restart shows the difference alone.

use rusqlite::Connection;

use super::{RoomId, Shown};

pub(super) fn all(db: &Connection, room: RoomId) -> rusqlite::Result<Vec<(String, Shown)>> {
    db.prepare_cached("SELECT occupant, nick, role, affiliation, digest FROM shown WHERE room = ?1")?
        .query_map([room], |row| {
            let shown = Shown {
                nick: row.get(1)?,
                role: row.get(2)?,
                affiliation: row.get(3)?,
                digest: row.get(4)?,
            };
            Ok((row.get(0)?, shown))
        })?
        .collect()
}

/// Applies changes in order; `None` takes an occupant away.
pub(super) fn change(db: &Connection, room: RoomId, changes: &[(String, Option<Shown>)]) -> rusqlite::Result<()> {
    let mut put = db.prepare_cached(
        "INSERT INTO shown (room, occupant, nick, role, affiliation, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET nick = excluded.nick, role = excluded.role,
             affiliation = excluded.affiliation, digest = excluded.digest",
    )?;
    let mut take = db.prepare_cached("DELETE FROM shown WHERE room = ?1 AND occupant = ?2")?;
    for (occupant, shown) in changes {
        match shown {
            Some(s) => put.execute((room, occupant, &s.nick, &s.role, &s.affiliation, &s.digest))?,
            None => take.execute((room, occupant))?,
        };
    }
    Ok(())
}
