//! Messages of a room: rows of its archive, its subject, its signals.

use minidom::Element;
use xmpp_parsers::message::{Id, Lang, Message};
use xmpp_parsers::occupant_id::OccupantId;
use xmpp_parsers::stanza_id::StanzaId;

use super::children;
use super::id::Ids;
use super::text::{legal, stamp_text};
use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{Content, Part, Row, Timestamp};
use crate::xmpp::payload::delay::Delay;
use crate::xmpp::payload::mention::Mention;
use crate::xmpp::payload::muc_user::{Item, MucUser};

/// A row as a groupchat message, without `to`. `delayed` adds when it was said.
pub fn row(ids: &Ids, row: &Row, delayed: bool) -> Message {
    let mut message = content(ids, row);
    let author = ids.of_author(&row.author);
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
pub fn archived(ids: &Ids, row: &Row, item: Option<Item>) -> Element {
    let mut message = self::row(ids, row, false);
    if let Some(item) = item {
        message = message.with_payload(MucUser {
            items: vec![item],
            ..MucUser::default()
        });
    }
    children::for_clients(&message.into())
}

fn content(ids: &Ids, row: &Row) -> Message {
    match &row.content {
        Content::Stanza { id, children } => {
            let mut message = children::to_message(children);
            message.id = id.clone().map(Id);
            message
        }
        Content::Parts(parts) => {
            let (body, mentions) = body(ids, parts);
            let payloads = mentions.into_iter().map(Element::from).collect();
            own(ids, row, body).with_payloads(payloads)
        }
        Content::Notice(text) => own(ids, row, legal(text)),
        Content::Retraction { .. } | Content::Tombstone { .. } | Content::Reactions { .. } => bare(ids, row),
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

/// The body of what a QQ member said, with the ranges in it that name others (in code points).
///
/// A reply is shown by the text that QQ quoted: its handle says nothing here.
fn body(ids: &Ids, parts: &[Part]) -> (String, Vec<Mention>) {
    let mut body = String::new();
    let mut mentions = Vec::new();
    for part in parts {
        if let Part::Reply(reply) = part {
            for line in reply.quote.iter().flat_map(|quote| quote.lines()) {
                body.push_str("> ");
                body.push_str(&legal(line));
                body.push('\n');
            }
            continue;
        }
        let text = legal(&plain_text(std::slice::from_ref(part), Language::En));
        if let Part::Mention(mention) = part
            && let Some(member) = &mention.member
        {
            let begin = count(&body);
            mentions.push(Mention {
                begin: Some(begin),
                end: Some(begin + count(&text)),
                occupantid: Some(ids.of_member(member)),
            });
        }
        body.push_str(&text);
    }
    (body, mentions)
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
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
