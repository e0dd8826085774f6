//! The answers of the reader itself: to stanzas that nobody takes, and to stanzas that cannot be read.
//!
//! Never answered: an error, an iq result, presence that is no join, whatever a joined room sends (rooms kick for it).

use jid::Jid;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

use crate::xmpp::stream::{Malformed, push, push_escaped};
use crate::xmpp::{Event, Refused};

/// The error for a stanza that found no taker, when it is one that has an answer.
pub(super) fn unwanted(event: Event, why: Refused) -> Option<(Stanza, Jid)> {
    let error = match why {
        Refused::NoSuchAddress => StanzaError::new(
            ErrorType::Cancel,
            DefinedCondition::ItemNotFound,
            "en",
            "there is nothing at this address",
        ),
        Refused::Busy => StanzaError::new(
            ErrorType::Wait,
            DefinedCondition::ResourceConstraint,
            "en",
            "the gateway has too much to do just now",
        ),
        Refused::NotReady => StanzaError::new(
            ErrorType::Wait,
            DefinedCondition::ServiceUnavailable,
            "en",
            "the gateway is starting or stopping",
        ),
        Refused::NotStored => StanzaError::new(
            ErrorType::Wait,
            DefinedCondition::ResourceConstraint,
            "en",
            "the gateway cannot store messages now; try again later",
        ),
    };
    error_for(event, error)
}

/// Turns a stanza into its error, or into nothing when it must not have one.
fn error_for(Event { from, to, stanza }: Event, error: StanzaError) -> Option<(Stanza, Jid)> {
    let answer = match stanza {
        Stanza::Iq(Iq::Get { id, .. } | Iq::Set { id, .. }) => Iq::from_error(id, error).with_from(to).into(),
        Stanza::Message(message) if wants_answer(&message, &to) => {
            let mut answer = Message::error(None);
            answer.id = message.id;
            answer.from = Some(to);
            answer.payloads.push(error.into());
            answer.into()
        }
        Stanza::Presence(presence) if is_join(&presence) => {
            let mut answer = Presence::new(Type::Error);
            answer.id = presence.id;
            answer.from = Some(to);
            answer.payloads.push(error.into());
            answer.into()
        }
        _ => return None,
    };
    Some((answer, from))
}

fn wants_answer(message: &Message, to: &Jid) -> bool {
    match message.type_ {
        MessageType::Error => false,
        // To a room of ours, by a person; what a joined room says goes to a puppet's full address.
        MessageType::Groupchat => to.is_bare() && to.node().is_some(),
        // A joined room marks the private messages of its occupants.
        _ => !message.payloads.iter().any(|payload| payload.is("x", ns::MUC_USER)),
    }
}

fn is_join(presence: &Presence) -> bool {
    presence.type_ == Type::None && presence.payloads.iter().any(|payload| payload.is("x", ns::MUC))
}

/// The error for a stanza of which only the start tag is known, as XML. It is sent from the very address that was written to,
/// even when that is none: clients know their own request by it.
pub(super) fn malformed(known: &Malformed, domain: &str) -> Option<Vec<u8>> {
    let from = Jid::new(known.from.as_deref()?).ok()?;
    let to = known.to.as_deref().unwrap_or(domain);
    if from.domain().as_str() == domain || domain_of(to) != domain {
        return None;
    }
    let impossible = Jid::new(to).is_err();
    let condition = match (known.name, known.kind.as_deref()) {
        ("presence", None) if impossible && to.contains('/') => "jid-malformed",
        ("iq", Some("get" | "set")) if impossible => "jid-malformed",
        ("iq", Some("get" | "set")) => "bad-request",
        _ => return None,
    };
    let mut out = Vec::with_capacity(256);
    push(&mut out, &["<", known.name, " type='error' from='"]);
    push_escaped(&mut out, to);
    push(&mut out, &["' to='"]);
    push_escaped(&mut out, from.as_str());
    if let Some(id) = &known.id {
        push(&mut out, &["' id='"]);
        push_escaped(&mut out, id);
    }
    push(&mut out, &["'><error type='modify'><", condition, " xmlns='"]);
    push(&mut out, &[ns::XMPP_STANZAS, "'/></error></", known.name, ">"]);
    Some(out)
}

/// The domain of an address that may be none.
fn domain_of(address: &str) -> &str {
    let bare = address.split_once('/').map_or(address, |(bare, _)| bare);
    bare.split_once('@').map_or(bare, |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &'static str, kind: Option<&str>, to: &str) -> Malformed {
        Malformed {
            name,
            from: Some("ann@ex.org/p".into()),
            to: Some(to.into()),
            kind: kind.map(str::to_owned),
            id: Some("i'1".into()),
        }
    }

    fn answer(known: &Malformed) -> Option<String> {
        malformed(known, "qq.ex").map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_join_with_an_impossible_nick_is_told_by_its_id() {
        assert_eq!(
            answer(&known("presence", None, "r@qq.ex/😀")).as_deref(),
            Some(
                "<presence type='error' from='r@qq.ex/😀' to='ann@ex.org/p' id='i&apos;1'><error type='modify'>\
                 <jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
            )
        );
    }

    #[test]
    fn requests_are_answered_and_nothing_else() {
        assert!(answer(&known("iq", Some("set"), "qq.ex")).is_some_and(|text| text.contains("<bad-request")));
        assert!(answer(&known("iq", Some("get"), "r@qq.ex/😀")).is_some_and(|text| text.contains("<jid-malformed")));
        for silent in [
            known("presence", None, "r@qq.ex/ok"),
            known("presence", Some("error"), "r@qq.ex/😀"),
            known("iq", Some("result"), "qq.ex"),
            known("iq", Some("error"), "qq.ex"),
            known("iq", None, "qq.ex"),
            known("message", Some("groupchat"), "r@qq.ex/😀"),
            known("message", Some("chat"), "r@qq.ex"),
            known("", None, "qq.ex"),
            known("iq", Some("get"), "elsewhere.ex"),
        ] {
            assert_eq!(answer(&silent), None, "{silent:?}");
        }
        let mut own = known("iq", Some("get"), "qq.ex");
        own.from = Some("x@qq.ex".into());
        assert_eq!(answer(&own), None);
    }

    fn refused(xml: &str) -> Option<String> {
        let xml = xml.replacen(' ', " xmlns='jabber:component:accept' from='ann@ex.org/p' ", 1);
        let stanza: Stanza = xso::from_bytes(xml.as_bytes()).unwrap();
        let to = match &stanza {
            Stanza::Iq(iq) => iq.to().cloned(),
            Stanza::Message(message) => message.to.clone(),
            Stanza::Presence(presence) => presence.to.clone(),
        };
        let event = Event {
            from: "ann@ex.org/p".parse().unwrap(),
            to: to.unwrap(),
            stanza,
        };
        let (mut stanza, to) = unwanted(event, Refused::Busy)?;
        let mut out = Vec::new();
        crate::xmpp::stream::encode(&mut out, &mut stanza, &[to]).unwrap();
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn who_waits_for_an_answer_gets_one() {
        for xml in [
            "<message to='r@qq.ex' type='groupchat' id='1'><body>x</body></message>",
            "<message to='1@qq.ex' id='1'/>",
            "<iq to='qq.ex' type='get' id='1'><a xmlns='b'/></iq>",
            "<presence to='r@qq.ex/n' id='1'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
        ] {
            let answer = refused(xml).unwrap();
            assert!(
                answer.contains(" to='ann@ex.org/p'") && answer.contains("id='1'"),
                "{answer}"
            );
            assert!(
                answer.contains("type='error'") && answer.contains("resource-constraint"),
                "{answer}"
            );
        }
    }

    #[test]
    fn errors_results_and_rooms_get_none() {
        for xml in [
            "<message to='r@qq.ex' type='error'/>",
            "<message to='1@qq.ex/gw' type='groupchat'><body>x</body></message>",
            "<message to='1@qq.ex/gw' type='chat'><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
            "<iq to='qq.ex' type='result' id='1'/>",
            "<presence to='1@qq.ex/gw'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>",
            "<presence to='r@qq.ex/n' type='unavailable'/>",
        ] {
            assert_eq!(refused(xml), None, "{xml}");
        }
    }
}
