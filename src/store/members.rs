//! The table `members`: who is in a QQ group, as its session reports.

use rusqlite::{Connection, OptionalExtension, Row};

use super::columns::Json;
use super::{Store, StoreError};
use crate::model::{GroupNumber, Member, MemberId, QqNumber, Role};

impl Store {
    /// A member of a group.
    pub async fn member(&self, group: GroupNumber, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.read(move |db| {
            let member = db
                .prepare_cached("SELECT member, nickname, card, role FROM members WHERE grp = ?1 AND member = ?2")?
                .query_row((group, id), read)
                .optional()?;
            Ok(member)
        })
        .await
    }

    /// A person by QQ number, with the card of the first of their groups that has one for them.
    pub async fn find_member(&self, number: QqNumber) -> Result<Option<Member>, StoreError> {
        self.read(move |db| {
            let member = db
                .prepare_cached(
                    "SELECT member, nickname, card, role FROM members WHERE member = ?1 ORDER BY card = '', grp LIMIT 1",
                )?
                .query_row([MemberId::Number(number)], read)
                .optional()?;
            Ok(member)
        })
        .await
    }
}

pub(super) fn all(db: &Connection, group: GroupNumber) -> rusqlite::Result<Vec<Member>> {
    db.prepare_cached("SELECT member, nickname, card, role FROM members WHERE grp = ?1")?
        .query_map([group], read)?
        .collect()
}

/// Makes the table say the same as the list. What stays the same is not written, since lists are long and come often.
pub(super) fn replace(db: &Connection, group: GroupNumber, members: &[Member]) -> rusqlite::Result<()> {
    let kept: Vec<String> = members.iter().map(|m| m.id.to_string()).collect();
    db.prepare_cached("DELETE FROM members WHERE grp = ?1 AND member NOT IN (SELECT value FROM json_each(?2))")?
        .execute((group, Json(kept)))?;
    members.iter().try_for_each(|member| put(db, group, member))
}

pub(super) fn put(db: &Connection, group: GroupNumber, member: &Member) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO members (grp, member, nickname, card, role) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET nickname = excluded.nickname, card = excluded.card, role = excluded.role
             WHERE (nickname, card, role) <> (excluded.nickname, excluded.card, excluded.role)",
    )?
    .execute((
        group,
        &member.id,
        &member.nickname,
        &member.card,
        role_text(member.role),
    ))?;
    Ok(())
}

pub(super) fn left(db: &Connection, group: GroupNumber, id: &MemberId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM members WHERE grp = ?1 AND member = ?2")?
        .execute((group, id))?;
    Ok(())
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        id: row.get(0)?,
        nickname: row.get(1)?,
        card: row.get(2)?,
        role: match row.get_ref(3)?.as_str()? {
            "owner" => Role::Owner,
            "admin" => Role::Admin,
            _ => Role::Member,
        },
    })
}

fn role_text(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}
