//! Private messages between occupants (XEP-0045 §7.5).

use jid::{FullJid, Jid};
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::ns::DEFAULT_NS;
use xmpp_parsers::occupant_id::OccupantId;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use super::HostedRoom;
use super::stage::Key;
use super::texts::Text;
use crate::room::Admitted;
use crate::xmpp::Outgoing;
use crate::xmpp::payload::muc_user::MucUser;
use crate::xmpp::read::message as read;
use crate::xmpp::render::children;
use crate::xmpp::render::error::Refusal;

impl HostedRoom {
    pub(super) fn admit_private(&self, from: &Jid, to: &Jid, mut message: Message) -> Result<Admitted, Refusal> {
        let Some((session, nick)) = self.speaker(from) else {
            if read::unimportant(&message) {
                return Ok(Admitted::default());
            }
            return Err(Refusal::cancel(DefinedCondition::NotAcceptable).because(self.text(Text::NotJoined)));
        };
        let addressee = to.resource().and_then(|nick| self.stage.by_nick(nick.as_str()));
        let Some((key, shown)) = addressee else {
            return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
        };
        if !matches!(key, Key::Person(..)) {
            if read::unimportant(&message) {
                return Ok(Admitted::default());
            }
            return Err(Refusal::cancel(DefinedCondition::NotAllowed).because(self.text(Text::NoPrivateToQq)));
        }
        read::clean(&mut message);
        if children::of_message(message.clone()).len() > self.settings.max_stanza {
            return Err(Refusal::modify(DefinedCondition::PolicyViolation).because(self.text(Text::TooLong)));
        }
        let nick = self.stage.nick_of(&session).unwrap_or(&nick);
        message.from = self.ids.occupant(nick).map(Into::into);
        message.to = None;
        let message = message.with_payload(MucUser::default()).with_payload(OccupantId {
            id: self.ids.of_person(&session.to_bare()),
        });
        let sessions: Vec<FullJid> = shown.seats.iter().cloned().collect();
        Ok(Admitted::reply(Outgoing::many(message, sessions)))
    }

    /// A client refused a private message: its author is told, as by the occupant, and is told nothing else.
    pub(super) fn private_error(&self, from: &FullJid, to: &Jid, message: Message) -> Option<Outgoing> {
        let nick = self.book.guest(from)?.nick.as_str();
        let (_, author) = self.stage.by_nick(to.resource()?.as_str())?;
        let sessions: Vec<FullJid> = author.seats.iter().cloned().collect();
        let error = message.payloads.into_iter().find(|p| p.is("error", DEFAULT_NS))?;
        let error = StanzaError {
            by: None,
            other: None,
            ..StanzaError::try_from(error).ok()?
        };
        if sessions.is_empty() || message.id.is_none() {
            return None;
        }
        let mut out = Message::new_with_type(MessageType::Error, None).with_payload(error);
        out.from = self.ids.occupant(nick).map(Into::into);
        out.id = message.id;
        Some(Outgoing::many(out, sessions))
    }
}
