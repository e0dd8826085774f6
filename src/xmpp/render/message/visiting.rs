//! A row as a visitor says it in somebody else's room: without what only a room may say.

use jid::FullJid;
use xmpp_parsers::message::{Lang, Message};
use xmpp_parsers::stanza_id::OriginId;

use super::{parts, reactions, retraction};
use crate::model::{Content, Language, Row};
use crate::xmpp::payload::delay::Delay;
use crate::xmpp::render::Names;
use crate::xmpp::render::text::{legal, stamp_text};

/// A row as a groupchat message of `by`, under the id of the row; `None` when there is nothing to say (any more), or when it is
/// about a message that the room has no id for. `speaker`: `by` says it for somebody of this name. `delayed` adds when it was said.
pub fn visiting(
    names: &dyn Names,
    language: Language,
    row: &Row,
    by: &FullJid,
    (id, speaker, delayed): (&str, Option<&str>, bool),
) -> Option<Message> {
    let said = |body: String| Message::groupchat(None).with_body(Lang::new(), body);
    let mut message = match &row.content {
        Content::Parts(parts) => {
            let (body, payloads) = parts::said(names, language, parts, speaker);
            said(body).with_payloads(payloads)
        }
        Content::Notice(text) => said(legal(text)),
        Content::Retraction { row: gone, .. } => {
            let id = names.stanza_id(*gone)?;
            said(retraction::fallback(language).to_owned()).with_payloads(retraction::by_author(id))
        }
        Content::Reactions { row: to, emoji } => {
            Message::groupchat(None).with_payloads(reactions(names.stanza_id(*to)?, emoji))
        }
        Content::Stanza { .. } | Content::Tombstone { .. } => return None,
    };
    message = message.with_payload(OriginId { id: id.to_owned() });
    if delayed {
        message = message.with_payload(Delay {
            from: Some(by.clone().into()),
            stamp: stamp_text(row.time),
        });
    }
    Some(message)
}
