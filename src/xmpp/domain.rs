//! What the gateway itself answers: for the bare domain, for the members' addresses, for the listener of joined rooms. Pure.
//!
//! Rooms answer for themselves, and what a joined room sends is the portal's; the caller sorts both out before.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use jid::{BareJid, Jid, ResourcePart};
use minidom::Element;
use tokio_xmpp::Stanza;
use xmpp_parsers::disco::{DiscoInfoQuery, DiscoItemsQuery};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::{Lang, Message, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::presence::{Presence, Show, Type};
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};
use xmpp_parsers::time::TimeResult;
use xmpp_parsers::version::VersionResult;

use super::address::Address;
use super::disco::{self, Listed};
use super::{Event, Outgoing, nobody};
use crate::model::Timestamp;

/// The resource of a member's presence.
const RESOURCE: &str = "gw";

/// A member as the vCard tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// The untouched name.
    pub name: String,
    /// A picture: media type and bytes, at most 64 KiB.
    pub photo: Option<(String, Vec<u8>)>,
}

/// What the answers need to know. Implemented by the gateway; asked synchronously, so it must not wait.
pub trait Directory {
    /// The rooms that this person may see.
    fn rooms(&self, asker: &BareJid) -> Vec<Listed>;

    /// The member at an address, if there is one.
    fn member(&self, address: &Address) -> Option<Card>;

    /// What is wrong with the gateway, in a few words for people.
    fn trouble(&self) -> Option<String>;
}

/// What becomes of a stanza to the gateway.
#[derive(Debug)]
pub enum Answer {
    /// These are to be sent; none when nothing is to be said.
    Send(Vec<Outgoing>),
    /// Not answered here: an iq result or error, a bounce, a word to the gateway by a person.
    Caller(Box<Event>),
}

/// Answers a stanza to the domain, a member or the listener.
pub fn answer(event: Event, address: &Address, directory: &dyn Directory, now: Timestamp) -> Answer {
    let Event { from, to, stanza } = event;
    match stanza {
        stanza if *address == Address::Unknown => Answer::Send(nobody::answer(stanza, &from, &to)),
        Stanza::Iq(Iq::Get { id, payload, .. }) => {
            let result = get(&payload, &from, address, directory, now);
            Answer::Send(vec![reply(id, result, to, from)])
        }
        Stanza::Iq(Iq::Set { id, .. }) => Answer::Send(vec![reply(id, Err(unavailable()), to, from)]),
        Stanza::Presence(presence) => Answer::Send(presences(&presence, from, &to, address, directory)),
        Stanza::Message(message) if is_for_a_member(&message, address) => private(message, from, to),
        stanza => Answer::Caller(Box::new(Event { from, to, stanza })),
    }
}

fn reply(id: String, result: Result<Option<Element>, Box<StanzaError>>, from: Jid, to: Jid) -> Outgoing {
    let iq = match result {
        Ok(payload) => Iq::Result {
            from: Some(from),
            to: None,
            id,
            payload,
        },
        Err(error) => Iq::from_error(id, *error).with_from(from),
    };
    Outgoing::one(iq, to)
}

fn get(
    payload: &Element,
    asker: &Jid,
    address: &Address,
    directory: &dyn Directory,
    now: Timestamp,
) -> Result<Option<Element>, Box<StanzaError>> {
    let card = match address {
        Address::Domain | Address::Bridge => Card {
            name: "QQ".to_owned(),
            photo: None,
        },
        other => directory.member(other).ok_or_else(not_found)?,
    };
    let is_domain = *address == Address::Domain;
    let answer = if payload.is("ping", ns::PING) {
        return Ok(None);
    } else if payload.is("query", ns::DISCO_INFO) {
        let query = DiscoInfoQuery::try_from(payload.clone()).map_err(|_| bad_request())?;
        no_node(query.node.as_deref())?;
        if is_domain {
            disco::domain_info()
        } else {
            disco::puppet_info(&card.name, *address == Address::Bridge)
        }
    } else if payload.is("query", ns::DISCO_ITEMS) {
        let query = DiscoItemsQuery::try_from(payload.clone()).map_err(|_| bad_request())?;
        no_node(query.node.as_deref())?;
        if is_domain {
            disco::domain_items(directory.rooms(&asker.to_bare()), &query).map_err(|_| not_found())?
        } else {
            disco::no_items()
        }
    } else if payload.is("query", ns::VERSION) {
        version()
    } else if payload.is("time", ns::TIME) && is_domain {
        TimeResult::from(DateTime::<Utc>::from_timestamp_millis(now.0).unwrap_or_default()).into()
    } else if payload.is("vCard", ns::VCARD) {
        vcard(&card, is_domain)
    } else {
        return Err(unavailable());
    };
    Ok(Some(answer))
}

fn no_node(node: Option<&str>) -> Result<(), Box<StanzaError>> {
    match node {
        None | Some("") => Ok(()),
        Some(_) => Err(not_found()),
    }
}

fn version() -> Element {
    VersionResult {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        os: None,
    }
    .into()
}

/// A vCard (XEP-0054).
pub fn vcard(card: &Card, gateway: bool) -> Element {
    let field = |name: &str, text: &str| Element::builder(name, ns::VCARD).append(text).build();
    let mut vcard = Element::builder("vCard", ns::VCARD)
        .append(field("FN", &card.name))
        .append(field("NICKNAME", &card.name));
    if gateway {
        vcard = vcard.append(field("DESC", "A gateway between QQ groups and XMPP rooms"));
    }
    if let Some((kind, bytes)) = &card.photo {
        let photo = Element::builder("PHOTO", ns::VCARD)
            .append(field("TYPE", kind))
            .append(field("BINVAL", &STANDARD.encode(bytes)));
        vcard = vcard.append(photo.build());
    }
    vcard.build()
}

/// A private message that a person wrote to a member. Chat states and the like say nothing; a joined room marks what it hands on.
fn is_for_a_member(message: &Message, address: &Address) -> bool {
    matches!(address, Address::Member(_) | Address::Unnumbered(_))
        && matches!(message.type_, MessageType::Chat | MessageType::Normal)
        && !message.payloads.iter().any(|payload| payload.is("x", ns::MUC_USER))
}

fn private(message: Message, from: Jid, to: Jid) -> Answer {
    if message.bodies.is_empty() {
        return Answer::Send(Vec::new());
    }
    let error = StanzaError::new(
        ErrorType::Cancel,
        DefinedCondition::FeatureNotImplemented,
        "en",
        "private messages to QQ members are not carried",
    );
    let mut answer = Message::error(None);
    answer.id = message.id;
    answer.from = Some(to);
    answer.payloads.push(error.into());
    Answer::Send(vec![Outgoing::one(answer, from)])
}

fn presences(presence: &Presence, from: Jid, to: &Jid, address: &Address, directory: &dyn Directory) -> Vec<Outgoing> {
    let known = !matches!(address, Address::Member(_) | Address::Unnumbered(_)) || directory.member(address).is_some();
    let bare = to.to_bare();
    let plain = |kind| {
        let mut answer = Presence::new(kind);
        answer.from = Some(bare.clone().into());
        Outgoing::one(answer, from.to_bare())
    };
    match presence.type_ {
        Type::Subscribe if known => vec![
            plain(Type::Subscribed),
            Outgoing::one(available(&bare, address, directory.trouble()), from.to_bare()),
        ],
        Type::Subscribe | Type::Probe if !known => vec![plain(Type::Unsubscribed)],
        Type::Probe => vec![Outgoing::one(available(&bare, address, directory.trouble()), from)],
        Type::Unsubscribe => vec![plain(Type::Unsubscribed)],
        _ => Vec::new(),
    }
}

/// The presence of an address of ours. The gateway's own says how it fares.
pub fn available(bare: &BareJid, address: &Address, trouble: Option<String>) -> Presence {
    let mut presence = Presence::available();
    if *address != Address::Domain {
        let resource = ResourcePart::new(RESOURCE).expect("`gw` is a resource");
        presence.from = Some(bare.with_resource(&resource).into());
        return presence;
    }
    presence.from = Some(bare.clone().into());
    if let Some(trouble) = trouble {
        presence.show = Some(Show::Away);
        presence.statuses.insert(Lang::new(), trouble);
    }
    presence
}

fn error(kind: ErrorType, condition: DefinedCondition) -> Box<StanzaError> {
    Box::new(StanzaError {
        type_: kind,
        by: None,
        defined_condition: condition,
        texts: std::collections::BTreeMap::new(),
        other: None,
    })
}

fn unavailable() -> Box<StanzaError> {
    error(ErrorType::Cancel, DefinedCondition::ServiceUnavailable)
}

fn not_found() -> Box<StanzaError> {
    error(ErrorType::Cancel, DefinedCondition::ItemNotFound)
}

fn bad_request() -> Box<StanzaError> {
    error(ErrorType::Modify, DefinedCondition::BadRequest)
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
