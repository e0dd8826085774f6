//! Retractions (XEP-0424 §5.3): everybody takes back what is their own. Clients check it too, but not all of them do.

use minidom::Element;
use tokio_xmpp::Stanza;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::texts::Text;
use crate::model::{Author, Seq, Timestamp};
use crate::room::Admitted;
use crate::xmpp::Event;
use crate::xmpp::payload::ns::RETRACT;
use crate::xmpp::read::message as read;
use crate::xmpp::render::error::Refusal;

impl HostedRoom {
    /// The row that a stanza wants to take back. Its author is to be given to [`admit_retraction`](Self::admit_retraction), in
    /// place of [`admit`](Self::admit): the room does not know what was said.
    pub fn retracts(&self, event: &Event) -> Option<Seq> {
        let Stanza::Message(message) = &event.stanza else {
            return None;
        };
        if message.type_ != MessageType::Groupchat || !event.to.is_bare() {
            return None;
        }
        self.retracted(&message.payloads).ok().flatten()
    }

    /// As [`admit`](Self::admit), with the author of the row that is to be taken back; `None` when there is no such row any more.
    pub fn admit_retraction(&mut self, event: Event, author: Option<&Author>, now: Timestamp) -> Admitted {
        let own = matches!(author, Some(Author::Occupant(who)) if *who == event.from.to_bare());
        if own || self.speaker(&event.from).is_none() {
            return self.admit(event, now);
        }
        let refusal = match author {
            Some(_) => Refusal::auth(DefinedCondition::Forbidden).because(self.text(Text::NotYours)),
            None => Refusal::cancel(DefinedCondition::ItemNotFound).because(self.text(Text::NoSuchMessage)),
        };
        let id = match event.stanza {
            Stanza::Message(message) => message.id,
            Stanza::Presence(_) | Stanza::Iq(_) => None,
        };
        Admitted::reply(refusal.message(&self.settings.jid, &event.to, &event.from, id))
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
        seq.map(Some)
            .ok_or_else(|| Refusal::cancel(DefinedCondition::ItemNotFound).because(self.text(Text::NoSuchMessage)))
    }
}
