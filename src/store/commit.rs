//! One batch of a portal: all of it is committed, or nothing.

use rusqlite::Connection;

use super::messages::Said;
use super::reactions::Reaction;
use super::retract::Retraction;
use super::{Acting, Identity, NewMessage, RoomId, Store, StoreError, Upon, Write, Written};
use super::{
    events, groups, handles, members, messages, outbox, puppets, reactions, retract, rooms, sessions, stanza_ids,
};
use crate::model::{Row, Seq, Timestamp};

impl Store {
    /// Commits the writes in order and says what became of each. Answered when it is on the disk; on an error nothing is
    /// kept of any of them.
    pub async fn commit(&self, room: RoomId, writes: Vec<Write>) -> Result<Vec<Written>, StoreError> {
        self.write(move |db| {
            let now = Timestamp::now();
            writes.into_iter().map(|write| commit(db, room, write, now)).collect()
        })
        .await
    }
}

fn commit(db: &Connection, room: RoomId, write: Write, now: Timestamp) -> Result<Written, StoreError> {
    match write {
        Write::Message(message) => return said(db, room, message, now),
        Write::Own { normal, message, shown } => return own(db, room, &normal, message, shown, now),
        Write::Entered(session) => sessions::entered(db, room, &session, now)?,
        Write::Gone(jid) => sessions::gone(db, room, &jid, now)?,
        Write::Presence(jid, presence) => sessions::presence(db, room, &jid, &presence)?,
        Write::Renamed { who, old, new } => sessions::renamed(db, room, &who, (&old, &new), now)?,
        Write::Subject(subject) => rooms::set_subject(db, room, &subject)?,
        Write::Group { group, name, members } => {
            groups::set_name(db, group, &name)?;
            members::replace(db, group, &members)?;
        }
        Write::Member(group, member) => members::put(db, group, &member)?,
        Write::MemberLeft(group, id) => members::left(db, group, &id)?,
        Write::GroupName(group, name) => groups::set_name(db, group, &name)?,
        Write::Named { row, id, by_listener } => stanza_ids::put(db, room, row, (&id, by_listener))?,
        Write::Said(row) => rooms::advance(db, room, row)?,
        Write::Heard(heard) => rooms::heard(db, room, heard.id.as_deref(), heard.time)?,
        Write::StaysAway(away) => rooms::stays_away(db, room, away.as_ref())?,
        Write::Puppet(puppet) => puppets::put(db, room, &puppet)?,
    }
    Ok(Written::Done)
}

/// What the bridging account said: an echo of ours, or news from its owner.
fn own(
    db: &Connection,
    room: RoomId,
    normal: &str,
    message: NewMessage,
    shown: bool,
    now: Timestamp,
) -> Result<Written, StoreError> {
    let Identity::Qq {
        group,
        event,
        handle,
        account,
    } = &message.identity
    else {
        return said(db, room, message, now);
    };
    // An echo that was seen before must not claim a second piece.
    if events::find(db, *group, event)?.is_none() {
        let echo = outbox::Echo {
            account,
            group: *group,
            handle: handle.as_ref(),
            normal,
            time: message.time,
            now,
        };
        if let Some((row, piece)) = outbox::take_echo(db, &echo)? {
            events::claim(db, *group, event, row, piece)?;
            if let Some(handle) = handle {
                handles::put(db, row, account, *group, piece, handle)?;
            }
            return Ok(Written::Known);
        }
    }
    if !shown {
        return Ok(Written::Known);
    }
    said(db, room, message, now)
}

fn said(db: &Connection, room: RoomId, message: NewMessage, now: Timestamp) -> Result<Written, StoreError> {
    if let Identity::Qq {
        group,
        event,
        handle,
        account,
    } = &message.identity
        && let Some((row, piece)) = events::find(db, *group, event)?
    {
        if let Some(handle) = handle {
            handles::put(db, row, account, *group, piece, handle)?;
        }
        return Ok(Written::Known);
    }
    if let Identity::Elsewhere { id: Some(id), .. } = &message.identity
        && stanza_ids::find(db, room, id)?.is_some()
    {
        return Ok(Written::Known);
    }
    let elsewhere = origin_elsewhere(&message.identity);
    let from = match &message.identity {
        Identity::Xmpp { session, origin } => Some((session, origin.as_deref())),
        Identity::Elsewhere { session, .. } => Some((session, elsewhere.as_deref())),
        Identity::Qq { .. } | Identity::Line => None,
    };
    let said = Said {
        room,
        time: message.time,
        author: &message.author,
        nick: &message.nick,
        from,
    };
    let Some((opening, later)) = message.rows.split_first() else {
        return Err(StoreError::Malformed("a message has no rows"));
    };
    let first = messages::next(db)?;
    if !messages::add_first(db, first, &said, opening)? {
        return match from {
            Some((_, Some(_))) if elsewhere.is_some() => Ok(Written::Known),
            Some((session, Some(origin))) => Ok(Written::Repeated(messages::said_before(db, room, session, origin)?)),
            _ => Err(StoreError::Malformed(
                "a message without origin was taken for a repetition",
            )),
        };
    }
    for (seq, content) in (first.0 + 1..).map(Seq).zip(later) {
        messages::add_later(db, seq, first, &said, content)?;
    }
    if let Identity::Qq {
        group,
        event,
        handle,
        account,
    } = &message.identity
    {
        // The key of the table has the last word; the look above only spares the rows.
        let piece = if message.upon.is_some() { events::NO_MESSAGE } else { 0 };
        if !events::claim(db, *group, event, first, piece)? {
            return Err(StoreError::Malformed("an event was committed twice at the same time"));
        }
        if let Some(handle) = handle {
            handles::put(db, first, account, *group, 0, handle)?;
        }
    }
    if let Identity::Elsewhere { id: Some(id), .. } = &message.identity {
        stanza_ids::put(db, room, first, (id, false))?;
    }
    outbox::add(db, first, message.rows.len(), &message.pieces, now)?;
    if let Some(upon) = &message.upon {
        act_upon(db, room, first, &message, upon, now)?;
    }
    Ok(Written::Rows(as_rows(first, message)))
}

/// The origin of a message from a joined room. Ids by its service and ids by its people are kept apart.
fn origin_elsewhere(identity: &Identity) -> Option<String> {
    let Identity::Elsewhere { id, origin, .. } = identity else {
        return None;
    };
    let by_service = id.as_ref().map(|id| format!("s:{id}"));
    by_service.or_else(|| origin.as_ref().map(|origin| format!("o:{origin}")))
}

/// What a new message does to earlier ones.
fn act_upon(
    db: &Connection,
    room: RoomId,
    first: Seq,
    message: &NewMessage,
    upon: &Upon,
    now: Timestamp,
) -> rusqlite::Result<()> {
    match &upon.act {
        Acting::TakeBack { rows, moderator } => {
            let retraction = Retraction {
                room,
                message: first,
                contents: &message.rows,
                time: message.time,
                from_occupant: matches!(message.identity, Identity::Xmpp { .. } | Identity::Elsewhere { .. }),
            };
            retract::take_back(db, &retraction, (rows, moderator.as_deref()), upon, now)
        }
        Acting::React { row, emoji } => {
            let reaction = Reaction {
                room,
                message: first,
                author: &message.author,
                row: *row,
                emoji,
            };
            reactions::replace(db, &reaction, upon, now)
        }
    }
}

/// The rows as they now stand, without reading them back.
fn as_rows(first: Seq, message: NewMessage) -> Vec<Row> {
    let nick: std::sync::Arc<str> = message.nick.into();
    (first.0..)
        .map(Seq)
        .zip(message.rows)
        .map(|(seq, content)| Row {
            seq,
            message: first,
            time: message.time,
            author: message.author.clone(),
            nick: nick.clone(),
            content,
        })
        .collect()
}
