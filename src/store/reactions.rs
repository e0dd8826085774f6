//! The table `reactions`: who reacts to a row with what, now.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::outbox::{self, NewDeed};
use super::{RoomId, Store, StoreError, Upon, retract};
use crate::model::{Author, Seq, Timestamp};

impl Store {
    /// The reactions of somebody to a row, sorted.
    pub async fn reactions_of(&self, row: Seq, author: &Author) -> Result<Vec<String>, StoreError> {
        let author = author.clone();
        self.read(move |db| {
            let emoji = db
                .prepare_cached("SELECT emoji FROM reactions WHERE row = ?1 AND author = ?2 ORDER BY emoji")?
                .query_map((row, author), |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(emoji)
        })
        .await
    }
}

/// Who reacts to what, told by which message.
pub(super) struct Reaction<'a> {
    pub(super) room: RoomId,
    pub(super) message: Seq,
    pub(super) author: &'a Author,
    pub(super) row: Seq,
    pub(super) emoji: &'a [String],
}

/// Replaces somebody's reactions to a row. What occupants change in their union goes to QQ.
pub(super) fn replace(db: &Connection, reaction: &Reaction<'_>, upon: &Upon, now: Timestamp) -> rusqlite::Result<()> {
    let (row, author) = (reaction.row, reaction.author);
    if retract::words(db, reaction.room, row)?.is_none() {
        return Ok(());
    }
    let before = of_occupants(db, row)?;
    forget(db, row, author, reaction.emoji)?;
    let mut insert =
        db.prepare_cached("INSERT INTO reactions (row, author, emoji) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
    for emoji in reaction.emoji {
        insert.execute((row, author, emoji))?;
    }
    let after = of_occupants(db, row)?;
    let gone = before.difference(&after).map(|emoji| (emoji, "unreact"));
    let new = after.difference(&before).map(|emoji| (emoji, "react"));
    for (emoji, deed) in gone.chain(new) {
        for group in &upon.groups {
            let deed = NewDeed {
                message: reaction.message,
                row: reaction.message,
                account: &upon.account,
                group: *group,
                deed,
                about: row,
                emoji,
                silent: true,
            };
            // Who changes their mind before QQ heard of it changed nothing there.
            if !outbox::drop_opposite(db, &deed)? && outbox::reaches(db, row, &upon.account, *group)? {
                outbox::add_deed(db, &deed, now)?;
            }
        }
    }
    Ok(())
}

fn forget(db: &Connection, row: Seq, author: &Author, but: &[String]) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM reactions WHERE row = ?1 AND author = ?2 AND emoji NOT IN (SELECT value FROM json_each(?3))",
    )?
    .execute((row, author, super::columns::Json(but)))?;
    Ok(())
}

/// What the account shows on QQ for all people on XMPP.
fn of_occupants(db: &Connection, row: Seq) -> rusqlite::Result<BTreeSet<String>> {
    db.prepare_cached("SELECT emoji FROM reactions WHERE row = ?1 AND substr(author, 1, 1) IN ('o', 'g')")?
        .query_map([row], |row| row.get(0))?
        .collect()
}

/// Nobody reacts to a row that is gone.
pub(super) fn clear(db: &Connection, row: Seq) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM reactions WHERE row = ?1")?
        .execute([row])?;
    Ok(())
}
