//! Rows that are taken back: what remains of them in `messages`, and what follows from it in the other tables.

use rusqlite::{Connection, OptionalExtension};

use super::columns::Json;
use super::outbox::{self, NewDeed};
use super::{RoomId, Upon, reactions};
use crate::model::{Author, Content, GroupNumber, Seq, Timestamp};

/// A message that takes rows back, as it stands.
pub(super) struct Retraction<'a> {
    pub(super) room: RoomId,
    /// Its first row.
    pub(super) message: Seq,
    /// All of them.
    pub(super) contents: &'a [Content],
    pub(super) time: Timestamp,
    /// It came from an occupant, who is told when QQ keeps the words.
    pub(super) from_occupant: bool,
}

impl Retraction<'_> {
    /// The row that takes `target` back: the one that names it, else the first.
    fn row_for(&self, target: Seq) -> Seq {
        let names = |content: &Content| matches!(content, Content::Retraction { row, .. } if *row == target);
        let later = (self.message.0..)
            .zip(self.contents)
            .find(|(_, content)| names(content));
        later.map_or(self.message, |(seq, _)| Seq(seq))
    }
}

/// The words of a row, if it has any and the room has the row.
pub(super) fn words(db: &Connection, room: RoomId, row: Seq) -> rusqlite::Result<Option<Content>> {
    let content = db
        .prepare_cached("SELECT content FROM messages WHERE seq = ?1 AND room = ?2")?
        .query_row((row, room), |row| row.get::<_, Json<Content>>(0))
        .optional()?;
    Ok(content
        .map(|content| content.0)
        .filter(|content| matches!(content, Content::Parts(_) | Content::Stanza { .. })))
}

/// Replies from QQ repeat how a row begins; they do so no longer. They stand behind it, and a reply comes first in its row. What went
/// to QQ with a quote is done with: only the form by which its echo is known stays until that came.
fn forget_quotes(db: &Connection, room: RoomId, row: Seq) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE messages SET content = json_set(content, '$.parts[0].reply.answered.text', '',
             '$.parts[0].reply.quote', NULL)
         WHERE room = ?1 AND seq > ?2 AND content LIKE '{\"parts\":[{\"reply\":%'
             AND content ->> '$.parts[0].reply.answered.row' = ?2",
    )?
    .execute((room, row))?;
    db.prepare_cached(
        "UPDATE outbox INDEXED BY outbox_about SET parts = '[]', normal = iif(echoed = 1, '', normal)
         WHERE message > ?1 AND answers = ?1 AND deed = 'say' AND settled IS NOT NULL",
    )?
    .execute([row])?;
    Ok(())
}

/// Whether a message was said in a group, by its first row.
pub(super) fn came_from(db: &Connection, row: Seq, group: GroupNumber) -> rusqlite::Result<bool> {
    let author: Option<Author> = db
        .prepare_cached("SELECT author FROM messages WHERE seq = ?1 AND message = ?1")?
        .query_row([row], |row| row.get(0))
        .optional()?;
    Ok(matches!(author, Some(Author::Member { group: of, .. }) if of == group))
}

/// Takes rows back, here and on QQ.
pub(super) fn take_back(
    db: &Connection,
    retraction: &Retraction<'_>,
    (rows, moderator): (&[Seq], Option<&str>),
    upon: &Upon,
    now: Timestamp,
) -> rusqlite::Result<()> {
    for &target in rows {
        let Some(content) = words(db, retraction.room, target)? else {
            continue;
        };
        let by = retraction.row_for(target);
        let tombstone = Content::Tombstone {
            id: match content {
                Content::Stanza { id, .. } => id,
                _ => None,
            },
            retraction: by,
            time: retraction.time,
            moderator: moderator.map(str::to_owned),
        };
        db.prepare_cached("UPDATE messages SET content = ?2 WHERE seq = ?1")?
            .execute((target, Json(tombstone)))?;
        reactions::clear(db, target)?;
        forget_quotes(db, retraction.room, target)?;
        outbox::cancel(db, target)?;
        for group in &upon.groups {
            // Only people of this room take away what members said in their own group: those of another group may not.
            let own_group = retraction.from_occupant && came_from(db, target, *group)?;
            if own_group || outbox::went_to(db, target, &upon.account, *group)? {
                let deed = NewDeed {
                    message: retraction.message,
                    row: by,
                    account: &upon.account,
                    group: *group,
                    deed: "recall",
                    about: target,
                    emoji: "",
                    silent: !retraction.from_occupant,
                };
                outbox::add_deed(db, &deed, now)?;
            }
        }
    }
    Ok(())
}
