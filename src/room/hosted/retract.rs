//! Taking back what was said. Everybody takes back what is their own (XEP-0424 §5.3): clients check it too, but not all of them do.
//! Owners take back what anybody said (XEP-0425).

use minidom::Element;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::iq::Asked;
use super::texts::Text;
use crate::model::{Author, Seq, Timestamp};
use crate::room::{Admitted, Effect};
use crate::xmpp::Event;
use crate::xmpp::payload::ns::RETRACT;
use crate::xmpp::read::{message as read, moderation};
use crate::xmpp::render::error::Refusal;

impl HostedRoom {
    /// The row that a stanza wants to take back, its author's own or somebody else's. The row's author is to be given to
    /// [`admit_retraction`](Self::admit_retraction), in place of [`admit`](Self::admit): the room does not know what was said.
    pub fn retracts(&self, event: &Event) -> Option<Seq> {
        if !event.to.is_bare() {
            return None;
        }
        match &event.stanza {
            Stanza::Message(message) if message.type_ == MessageType::Groupchat => {
                self.retracted(&message.payloads).ok().flatten()
            }
            Stanza::Iq(Iq::Set { payload, .. }) => self.ids.seq(&moderation::read(payload)?.id),
            _ => None,
        }
    }

    /// As [`admit`](Self::admit), with the author of the row that is to be taken back; `None` when there is no such row any more.
    pub fn admit_retraction(&mut self, event: Event, author: Option<&Author>, now: Timestamp) -> Admitted {
        let (from, to) = (event.from.clone(), event.to.clone());
        let id = match &event.stanza {
            Stanza::Message(message) => message.id.clone(),
            Stanza::Iq(iq) => {
                let id = iq.id().to_owned();
                let admitted = self.admit(event, now);
                if author.is_some() || admitted.effects.is_empty() {
                    return admitted;
                }
                return Admitted::reply(self.no_such_message().iq(&self.settings.jid, &to, &from, &id));
            }
            Stanza::Presence(_) => None,
        };
        let own = matches!(author, Some(Author::Occupant(who)) if *who == from.to_bare());
        if own || self.speaker(&from).is_none() {
            return self.admit(event, now);
        }
        let refusal = match author {
            Some(_) => Refusal::auth(DefinedCondition::Forbidden).because(self.text(Text::NotYours)),
            None => self.no_such_message(),
        };
        Admitted::reply(refusal.message(&self.settings.jid, &to, &from, id))
    }

    /// Somebody who may be in the room wants a row to be taken away; that was seen to before.
    pub(super) fn moderate(&self, asked: &Asked<'_>, now: Timestamp) -> Result<Admitted, Refusal> {
        let Some(wanted) = moderation::read(asked.payload) else {
            return Err(Refusal::cancel(DefinedCondition::ServiceUnavailable));
        };
        let Some((by, nick)) = self.speaker(asked.from) else {
            return Err(Refusal::cancel(DefinedCondition::NotAcceptable).because(self.text(Text::NotJoined)));
        };
        if !self.settings.is_owner(&by.to_bare()) {
            return Err(Refusal::auth(DefinedCondition::Forbidden).because(self.text(Text::NotModerator)));
        }
        let row = self.ids.seq(&wanted.id).ok_or_else(|| self.no_such_message())?;
        let mut admitted = asked.answer(None);
        admitted.effects.push(Effect::Moderated {
            by,
            nick,
            row,
            reason: wanted.reason,
            time: now,
        });
        Ok(admitted)
    }

    /// What a message's payloads take back: nothing, or a row. An id that was not given here is refused, and so are two at once.
    /// What is [forged] is not looked at: it goes no further.
    ///
    /// [forged]: read::forged
    pub(super) fn retracted(&self, payloads: &[Element]) -> Result<Option<Seq>, Refusal> {
        let mut all = payloads.iter().filter(|p| p.is("retract", RETRACT) && !read::forged(p));
        let Some(retract) = all.next() else { return Ok(None) };
        if all.next().is_some() {
            return Err(Refusal::modify(DefinedCondition::BadRequest));
        }
        let seq = retract.attr("id").and_then(|id| self.ids.seq(id));
        seq.map(Some).ok_or_else(|| self.no_such_message())
    }

    fn no_such_message(&self) -> Refusal {
        Refusal::cancel(DefinedCondition::ItemNotFound).because(self.text(Text::NoSuchMessage))
    }
}
