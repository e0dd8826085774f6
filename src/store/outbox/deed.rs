//! What goes to QQ and is no words: recalls and reactions. They stand in the queue behind the words they are about.

use rusqlite::Connection;

use super::super::columns::Json;
use super::super::{Deed, handles, retract};
use crate::model::{AccountName, GroupNumber, Part, Seq, Timestamp};

/// A deed about to be committed.
pub(in crate::store) struct NewDeed<'a> {
    /// The message that wants it, and the row of it that does.
    pub(in crate::store) message: Seq,
    pub(in crate::store) row: Seq,
    pub(in crate::store) account: &'a AccountName,
    pub(in crate::store) group: GroupNumber,
    /// As in the column.
    pub(in crate::store) deed: &'static str,
    /// The row it is about.
    pub(in crate::store) about: Seq,
    pub(in crate::store) emoji: &'a str,
    /// Nobody is told when it fails.
    pub(in crate::store) silent: bool,
}

/// Adds a deed behind everything that is there. It has no echo to wait for.
pub(in crate::store) fn add_deed(db: &Connection, deed: &NewDeed<'_>, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO outbox (message, row, account, grp, piece, parts, answers, normal, since, echoed, deed, emoji, told)
         VALUES (?1, ?2, ?3, ?4, (SELECT count(*) FROM outbox WHERE message = ?1 AND grp = ?4), '[]', ?5, '', ?6, 1, ?7,
             ?8, ?9)",
    )?
    .execute((
        deed.message,
        deed.row,
        deed.account,
        deed.group,
        deed.about,
        now,
        deed.deed,
        deed.emoji,
        deed.silent,
    ))?;
    Ok(())
}

pub(in crate::store) const DROP_OPPOSITE: &str = "DELETE FROM outbox INDEXED BY outbox_about
     WHERE account = ?1 AND grp = ?2 AND settled IS NULL AND state = 'due' AND tries = 0
         AND deed = ?3 AND answers = ?4 AND emoji = ?5";

/// Takes out of the queue what a reaction would undo, if it was not tried yet. `true`: there was something, and both are done with.
pub(in crate::store) fn drop_opposite(db: &Connection, deed: &NewDeed<'_>) -> rusqlite::Result<bool> {
    let opposite = match deed.deed {
        "react" => "unreact",
        "unreact" => "react",
        _ => return Ok(false),
    };
    let dropped =
        db.prepare_cached(DROP_OPPOSITE)?
            .execute((deed.account, deed.group, opposite, deed.about, deed.emoji))?;
    Ok(dropped > 0)
}

/// The columns `parts, answers, deed, emoji`, from the fifth on.
pub(super) fn read(db: &Connection, row: &rusqlite::Row<'_>, account: &AccountName) -> rusqlite::Result<Deed> {
    let group: GroupNumber = row.get(3)?;
    let about: Option<Seq> = row.get(5)?;
    let handle = |about: Option<Seq>| match about {
        Some(about) => handles::of_row(db, about, account, group),
        None => Ok(None),
    };
    Ok(match (row.get_ref(6)?.as_str()?, about) {
        ("recall", Some(about)) => {
            let handles = handles::all_of_row(db, about, account, group)?;
            let nameless = handles.is_empty() && retract::came_from(db, about, group)?;
            Deed::Recall {
                handles,
                unnamed: nameless || unnamed(db, about, account, group)?,
            }
        }
        (deed @ ("react" | "unreact"), about) => Deed::React {
            handle: handle(about)?,
            emoji: row.get(7)?,
            added: deed == "react",
        },
        (_, about) => Deed::Say {
            parts: row.get::<_, Json<Vec<Part>>>(4)?.0,
            answers: handle(about)?,
        },
    })
}

/// Whether QQ has, or may have, a piece of a row that has no handle.
fn unnamed(db: &Connection, row: Seq, account: &AccountName, group: GroupNumber) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox o WHERE message = (SELECT message FROM messages WHERE seq = ?1)
             AND row = ?1 AND account = ?2 AND grp = ?3 AND deed = 'say' AND (state = 'sent' OR doubt = 1) AND NOT EXISTS
             (SELECT 1 FROM handles h WHERE h.row = o.row AND h.account = ?2 AND h.grp = ?3 AND h.piece = o.piece))",
    )?
    .query_row((row, account, group), |row| row.get(0))
}

/// A row was taken back: what QQ cannot have of it goes, the rest is not tried again, and no words stay. By the text in normal
/// form an echo is known that is still to come: it stays where there is no handle to know it by.
pub(in crate::store) fn cancel(db: &Connection, row: Seq) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM outbox WHERE message = (SELECT message FROM messages WHERE seq = ?1) AND row = ?1 AND state = 'due'
             AND deed = 'say'",
    )?
    .execute([row])?;
    db.prepare_cached(
        "UPDATE outbox SET cancelled = 1, told = 1, parts = '[]', normal = iif(echoed = 1 OR EXISTS
             (SELECT 1 FROM handles h WHERE h.row = outbox.row AND h.account = outbox.account AND h.grp = outbox.grp
                 AND h.piece = outbox.piece), '', normal)
         WHERE message = (SELECT message FROM messages WHERE seq = ?1) AND row = ?1 AND deed = 'say'",
    )?
    .execute([row])?;
    Ok(())
}

/// Whether a group has words of a row from this account, or may have them.
pub(in crate::store) fn went_to(
    db: &Connection,
    row: Seq,
    account: &AccountName,
    group: GroupNumber,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE message = (SELECT message FROM messages WHERE seq = ?1) AND row = ?1
             AND account = ?2 AND grp = ?3 AND deed = 'say' AND (state IN ('sending', 'unknown', 'sent') OR doubt = 1))",
    )?
    .query_row((row, account, group), |row| row.get(0))
}

/// Whether a group knows a row, or will when what waits for it was sent.
pub(in crate::store) fn reaches(
    db: &Connection,
    row: Seq,
    account: &AccountName,
    group: GroupNumber,
) -> rusqlite::Result<bool> {
    if handles::of_row(db, row, account, group)?.is_some() {
        return Ok(true);
    }
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM outbox WHERE message = (SELECT message FROM messages WHERE seq = ?1) AND row = ?1
             AND account = ?2 AND grp = ?3 AND deed = 'say' AND settled IS NULL)",
    )?
    .query_row((row, account, group), |row| row.get(0))
}
