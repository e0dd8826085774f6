//! Refusals: error stanzas with the room as the one who refuses.

use std::borrow::Cow;

use jid::{BareJid, Jid};
use minidom::Element;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::{Id, Message, MessageType};
use xmpp_parsers::muc::Muc;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

use super::text::legal;
use crate::xmpp::Outgoing;

/// Why something is refused, before it is known to whom and as which stanza.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What the client may do about it.
    pub type_: ErrorType,
    /// The condition (RFC 6120 §8.3.3).
    pub condition: DefinedCondition,
    /// For people to read, with its language.
    pub text: Option<(&'static str, Cow<'static, str>)>,
}

impl Refusal {
    /// A refusal without a text.
    pub fn new(type_: ErrorType, condition: DefinedCondition) -> Self {
        Self {
            type_,
            condition,
            text: None,
        }
    }

    /// The same with a text.
    #[must_use]
    pub fn because(mut self, (language, text): (&'static str, impl Into<Cow<'static, str>>)) -> Self {
        self.text = Some((language, text.into()));
        self
    }

    /// `cancel`: do not try again.
    pub fn cancel(condition: DefinedCondition) -> Self {
        Self::new(ErrorType::Cancel, condition)
    }

    /// `modify`: change it and try again.
    pub fn modify(condition: DefinedCondition) -> Self {
        Self::new(ErrorType::Modify, condition)
    }

    /// `auth`: not with this identity.
    pub fn auth(condition: DefinedCondition) -> Self {
        Self::new(ErrorType::Auth, condition)
    }

    /// `wait`: later.
    pub fn wait(condition: DefinedCondition) -> Self {
        Self::new(ErrorType::Wait, condition)
    }

    fn stanza_error(self, by: &BareJid) -> StanzaError {
        StanzaError {
            type_: self.type_,
            by: Some(by.clone().into()),
            defined_condition: self.condition,
            texts: self
                .text
                .map(|(lang, text)| (lang.to_owned(), legal(&text)))
                .into_iter()
                .collect(),
            other: None,
        }
    }

    /// Refuses a presence that `asker` sent to `target`, with its id; a join's `<x/>` is echoed.
    pub fn presence(self, room: &BareJid, target: &Jid, asker: &Jid, id: Option<String>) -> Outgoing {
        let mut presence = Presence::new(Type::Error).with_from(target.clone());
        presence.id = id;
        let presence = presence.with_payload(Muc::new()).with_payload(self.stanza_error(room));
        Outgoing::one(presence, asker.clone())
    }

    /// Refuses a message.
    pub fn message(self, room: &BareJid, target: &Jid, asker: &Jid, id: Option<Id>) -> Outgoing {
        let mut message = Message::new_with_type(MessageType::Error, None).with_payload(self.stanza_error(room));
        message.from = Some(target.clone());
        message.id = id;
        Outgoing::one(message, asker.clone())
    }

    /// Refuses an iq.
    pub fn iq(self, room: &BareJid, target: &Jid, asker: &Jid, id: &str) -> Outgoing {
        let iq = Iq::from_error(id, self.stanza_error(room)).with_from(target.clone());
        Outgoing::one(iq, asker.clone())
    }
}

/// Answers an iq.
pub fn result(target: &Jid, asker: &Jid, id: &str, payload: Option<Element>) -> Outgoing {
    let iq = Iq::Result {
        from: Some(target.clone()),
        to: None,
        id: id.to_owned(),
        payload,
    };
    Outgoing::one(iq, asker.clone())
}
