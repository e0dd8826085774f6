//! What is answered for an address of our domain that nobody has. Pure.
//!
//! Mostly it is that of a room which is no more, or which a client wants to create: such clients are told, by their own ids, and
//! nobody else.

use jid::Jid;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::ns;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::Outgoing;
use super::render::error::Refusal;

/// The answer, if there is one.
pub(super) fn answer(stanza: Stanza, from: &Jid, to: &Jid) -> Vec<Outgoing> {
    let room = to.to_bare();
    let answer = match stanza {
        // "item-not-found" would say to a self-ping that one is still there under another nick (XEP-0410 §3.2).
        Stanza::Iq(Iq::Get { id, payload, .. }) if payload.is("ping", ns::PING) && to.is_full() => {
            Refusal::cancel(DefinedCondition::NotAcceptable).iq(&room, to, from, &id)
        }
        Stanza::Iq(Iq::Get { id, .. } | Iq::Set { id, .. }) => {
            Refusal::cancel(DefinedCondition::ItemNotFound).iq(&room, to, from, &id)
        }
        Stanza::Presence(presence) => match presence.type_ {
            Type::None if presence.payloads.iter().any(|payload| payload.is("x", ns::MUC)) => {
                Refusal::cancel(DefinedCondition::NotAllowed)
                    .because((
                        "en",
                        "There is no such room. Rooms are made by the gateway's configuration alone.",
                    ))
                    .presence(&room, to, from, presence.id)
            }
            Type::Subscribe | Type::Probe => {
                let mut answer = Presence::new(Type::Unsubscribed);
                answer.from = Some(room.into());
                Outgoing::one(answer, from.to_bare())
            }
            _ => return Vec::new(),
        },
        // What a joined room says goes to full addresses, and it marks the private messages of its occupants.
        Stanza::Message(message) => {
            let marked = message.payloads.iter().any(|payload| payload.is("x", ns::MUC_USER));
            let said = !message.bodies.is_empty() || !message.subjects.is_empty();
            match message.type_ {
                MessageType::Groupchat if said && to.is_bare() => {
                    Refusal::cancel(DefinedCondition::NotAcceptable).message(&room, to, from, message.id)
                }
                MessageType::Chat | MessageType::Normal if said && !marked => {
                    Refusal::cancel(DefinedCondition::ItemNotFound).message(&room, to, from, message.id)
                }
                _ => return Vec::new(),
            }
        }
        Stanza::Iq(Iq::Result { .. } | Iq::Error { .. }) => return Vec::new(),
    };
    vec![answer]
}
