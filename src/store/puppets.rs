//! The table `puppets`: the occupants of joined rooms that stand for QQ members.

use jid::BareJid;
use rusqlite::{Connection, OptionalExtension};

use super::columns::Text;
use super::{RoomId, Store, StoreError, members};
use crate::model::{KeptPuppet, Member, Role};

impl Store {
    /// The member that a puppet stands for, in whichever room, with the card of a group that has one for them. One who is in no
    /// list of members (any more) has the puppet's nick for a nickname.
    pub async fn find_puppet(&self, address: &BareJid) -> Result<Option<Member>, StoreError> {
        let address = address.clone();
        self.read(move |db| {
            let known = db
                .prepare_cached(
                    "SELECT m.member, m.nickname, m.card, m.role FROM puppets p
                     JOIN members m ON m.grp = p.grp AND m.member = p.member
                     WHERE p.address = ?1 ORDER BY m.card = '', p.room LIMIT 1",
                )?
                .query_row([Text(&address)], members::read)
                .optional()?;
            if known.is_some() {
                return Ok(known);
            }
            let unlisted = db
                .prepare_cached("SELECT member, nick FROM puppets WHERE address = ?1 ORDER BY room LIMIT 1")?
                .query_row([Text(&address)], |row| {
                    Ok(Member {
                        id: row.get(0)?,
                        nickname: row.get(1)?,
                        card: String::new(),
                        role: Role::Member,
                    })
                })
                .optional()?;
            Ok(unlisted)
        })
        .await
    }
}

pub(super) fn all(db: &Connection, room: RoomId) -> rusqlite::Result<Vec<KeptPuppet>> {
    db.prepare_cached("SELECT member, grp, address, nick, occupant, inside, silenced FROM puppets WHERE room = ?1")?
        .query_map([room], |row| {
            Ok(KeptPuppet {
                member: row.get(0)?,
                group: row.get(1)?,
                address: row.get::<_, Text<BareJid>>(2)?.0,
                nick: row.get(3)?,
                occupant: row.get(4)?,
                inside: row.get(5)?,
                silenced: row.get(6)?,
            })
        })?
        .collect()
}

pub(super) fn put(db: &Connection, room: RoomId, puppet: &KeptPuppet) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO puppets (room, member, grp, address, nick, occupant, inside, silenced)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET grp = excluded.grp, address = excluded.address, nick = excluded.nick,
             occupant = excluded.occupant, inside = excluded.inside, silenced = excluded.silenced",
    )?
    .execute((
        room,
        &puppet.member,
        puppet.group,
        Text(&puppet.address),
        &puppet.nick,
        &puppet.occupant,
        puppet.inside,
        puppet.silenced,
    ))?;
    Ok(())
}
