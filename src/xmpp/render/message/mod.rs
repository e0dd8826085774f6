//! Messages of a room: rows of its archive, its subject, its signals.

mod parts;
mod retraction;
#[cfg(test)]
mod tests;
mod visiting;

use minidom::Element;
use xmpp_parsers::message::{Id, Lang, Message};
use xmpp_parsers::occupant_id::OccupantId;
use xmpp_parsers::reactions::{Reaction, Reactions};
use xmpp_parsers::stanza_id::StanzaId;

use super::children;
use super::id::Ids;
use super::text::{legal, stamp_text};
use crate::model::{Content, Language, Row, Timestamp};
use crate::xmpp::payload::delay::Delay;
use crate::xmpp::payload::hint::Hint;
use crate::xmpp::payload::muc_user::{Item, MucUser};

pub use visiting::visiting;

/// A row as a groupchat message, without `to`. `language` is that of the room's own words in it; `delayed` adds when it was said.
pub fn row(ids: &Ids, language: Language, row: &Row, delayed: bool) -> Message {
    let mut message = content(ids, language, row);
    let author = occupant(ids, row);
    message.from = Some(match author {
        Some(_) => ids.address(&row.nick),
        None => ids.room().clone().into(),
    });
    if delayed {
        message = message.with_payload(delay(ids, row.time));
    }
    message = message.with_payload(StanzaId {
        id: ids.stanza_id(row.seq),
        by: ids.room().clone().into(),
    });
    match author {
        Some(id) => message.with_payload(OccupantId { id }),
        None => message,
    }
}

/// A row as it stands in an archive's answer (XEP-0313 §5.1.2): in the clients' namespace; `item` where the asker may see it.
pub fn archived(ids: &Ids, language: Language, row: &Row, item: Option<Item>) -> Element {
    let mut message = self::row(ids, language, row, false);
    if let Some(item) = item.filter(|_| occupant(ids, row).is_some()) {
        message = message.with_payload(MucUser {
            items: vec![item],
            ..MucUser::default()
        });
    }
    children::for_clients(&message.into())
}

/// The occupant-id of who says a row; nothing when the room itself does.
fn occupant(ids: &Ids, row: &Row) -> Option<String> {
    match row.content {
        Content::Retraction { moderated: true, .. } => None,
        _ => ids.of_author(&row.author),
    }
}

fn content(ids: &Ids, language: Language, row: &Row) -> Message {
    match &row.content {
        Content::Stanza { id, children } => {
            let mut message = children::to_message(children);
            message.id = id.clone().map(Id);
            message
        }
        Content::Parts(parts) => {
            let (body, payloads) = parts::said(ids, language, parts, None);
            own(ids, row, body).with_payloads(payloads)
        }
        Content::Notice(text) => own(ids, row, legal(text)),
        Content::Retraction {
            row: gone,
            moderated,
            reason,
        } => match occupant(ids, row).filter(|_| !moderated) {
            Some(_) => own(ids, row, retraction::fallback(language).to_owned())
                .with_payloads(retraction::by_author(ids.stanza_id(*gone))),
            None => bare(ids, row).with_payloads(retraction::by_moderator(ids, *gone, row, reason.as_deref())),
        },
        Content::Tombstone {
            id,
            retraction,
            time,
            moderator,
        } => {
            let mut message = bare(ids, row);
            message.id = id.as_deref().map(|id| Id(legal(id))).or(message.id);
            message.with_payloads(retraction::tombstone(ids, *retraction, *time, moderator.as_deref()))
        }
        Content::Reactions { row: to, emoji } => bare(ids, row).with_payloads(reactions(ids.stanza_id(*to), emoji)),
    }
}

fn own(ids: &Ids, row: &Row, body: String) -> Message {
    bare(ids, row).with_body(Lang::new(), body)
}

fn bare(ids: &Ids, row: &Row) -> Message {
    let mut message = Message::groupchat(None);
    message.id = Some(Id(ids.stanza_id(row.seq)));
    message
}

/// All reactions of one occupant to the message of this stanza-id (XEP-0444 §3); none takes the last away.
fn reactions(id: String, emoji: &[String]) -> Vec<Element> {
    let emoji = emoji.iter().map(|emoji| legal(emoji)).filter(|emoji| !emoji.is_empty());
    let reactions = Reactions {
        id,
        reactions: emoji.map(|emoji| Reaction { emoji }).collect(),
    };
    vec![reactions.into(), Hint::Store.into()]
}

/// The subject (§7.2.15): sent to every joiner, also when empty. `time` of the setting goes with it then.
pub fn subject(ids: &Ids, nick: &str, text: &str, id: Option<&str>, time: Option<Timestamp>) -> Message {
    let mut message = Message::groupchat(None);
    message.from = Some(if nick.is_empty() {
        ids.room().clone().into()
    } else {
        ids.address(nick)
    });
    message.id = id.map(|id| Id(id.to_owned()));
    message.subjects.insert(Lang::new(), legal(text));
    match time {
        Some(time) => message.with_payload(delay(ids, time)),
        None => message,
    }
}

/// A line of the room's own that is no row.
pub fn notice(ids: &Ids, text: &str) -> Message {
    let mut message = Message::groupchat(None).with_body(Lang::new(), legal(text));
    message.from = Some(ids.room().clone().into());
    message
}

/// The room's configuration changed (§10.2.1): codes 104, 172, 173.
pub fn signal(ids: &Ids, statuses: &[u16]) -> Message {
    let mut message = Message::groupchat(None).with_payload(MucUser {
        statuses: statuses.to_vec(),
        ..MucUser::default()
    });
    message.from = Some(ids.room().clone().into());
    message
}

fn delay(ids: &Ids, time: Timestamp) -> Delay {
    Delay {
        from: Some(ids.room().clone().into()),
        stamp: stamp_text(time),
    }
}

/// How many characters the stanza has on the wire: `maxchars` counts the whole of it.
pub fn length(message: &Message) -> usize {
    String::from(&Element::from(message.clone())).chars().count()
}
