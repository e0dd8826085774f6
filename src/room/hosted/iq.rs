//! Requests to the room and to its occupants.

use jid::Jid;
use minidom::Element;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::ns::{DISCO_INFO, DISCO_ITEMS, MAM, PING, VCARD};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::occupants::Holder;
use super::stage::Key;
use super::texts::Text;
use crate::model::{MemberId, Timestamp, nick};
use crate::room::Admitted;
use crate::xmpp::payload::ns::{FASTEN, MODERATE, MUC_ADMIN, MUC_OWNER};
use crate::xmpp::render::error::{Refusal, result};
use crate::xmpp::render::text::legal;

/// Longest id of a request that is answered.
const LONGEST_ID: usize = 1024;

/// A request.
pub(super) struct Asked<'a> {
    pub(super) from: &'a Jid,
    pub(super) to: &'a Jid,
    pub(super) id: &'a str,
    pub(super) payload: &'a Element,
    pub(super) set: bool,
}

impl Asked<'_> {
    pub(super) fn answer(&self, payload: Option<Element>) -> Admitted {
        Admitted::reply(result(self.to, self.from, self.id, payload))
    }

    fn is(&self, name: &str, ns: &str) -> bool {
        self.payload.is(name, ns)
    }
}

impl HostedRoom {
    pub(super) fn admit_iq(&mut self, from: &Jid, to: &Jid, iq: Iq, now: Timestamp) -> Admitted {
        let (id, payload, set) = match iq {
            Iq::Get { id, payload, .. } => (id, payload, false),
            Iq::Set { id, payload, .. } => (id, payload, true),
            Iq::Result { id, payload, .. } => {
                return self
                    .pong(from, &id, None, now)
                    .unwrap_or_else(|| self.forward_answer(from, to, &id, Ok(payload)));
            }
            Iq::Error { id, error, .. } => {
                return self
                    .pong(from, &id, Some(&error), now)
                    .unwrap_or_else(|| self.forward_answer(from, to, &id, Err(error)));
            }
        };
        if id.len() > LONGEST_ID {
            return Admitted::default();
        }
        self.alive(from);
        let asked = Asked {
            from,
            to,
            id: &id,
            payload: &payload,
            set,
        };
        let answer = match to.resource() {
            None => self.asked_room(&asked, now),
            Some(nick) => self.asked_occupant(&asked, nick.as_str()),
        };
        answer.unwrap_or_else(|refusal| Admitted::reply(refusal.iq(&self.settings.jid, to, from, &id)))
    }

    fn asked_room(&self, asked: &Asked<'_>, now: Timestamp) -> Result<Admitted, Refusal> {
        if asked.is("ping", PING) && !asked.set {
            return Ok(asked.answer(None));
        }
        if let Some(refusal) = self.stranger(&asked.from.to_bare()) {
            return Err(refusal);
        }
        let p = asked.payload;
        match (p.name(), p.ns().as_str(), asked.set) {
            ("query", DISCO_INFO, false) => self.disco_info(asked),
            ("query", DISCO_ITEMS, false) => super::disco::items(asked),
            ("query", MAM, false) => Ok(asked.answer(Some(super::archive::form()))),
            ("query", MAM, true) => self.archive_query(asked),
            ("metadata", MAM, false) => Ok(Self::archive_ends(asked)),
            ("vCard", VCARD, false) => Ok(asked.answer(Some(vcard(&[
                ("FN", &self.settings.name),
                ("DESC", &self.settings.description),
            ])))),
            ("moderate", MODERATE, true) | ("apply-to", FASTEN, true) => self.moderate(asked, now),
            ("query", MUC_ADMIN, false) => self.list(asked),
            ("query", MUC_OWNER, false) if !self.settings.is_owner(&asked.from.to_bare()) => {
                Err(Refusal::auth(DefinedCondition::Forbidden))
            }
            ("query", MUC_OWNER, _) | ("query", MUC_ADMIN, true) | ("vCard", VCARD, true) => {
                Err(Refusal::cancel(DefinedCondition::NotAllowed).because(self.text(Text::ConfigurationFile)))
            }
            _ => Err(Refusal::cancel(DefinedCondition::ServiceUnavailable)),
        }
    }

    fn asked_occupant(&self, asked: &Asked<'_>, wanted: &str) -> Result<Admitted, Refusal> {
        let Some((session, own)) = self.speaker(asked.from) else {
            return Err(Refusal::cancel(DefinedCondition::NotAcceptable).because(self.text(Text::NotJoined)));
        };
        let ping = asked.is("ping", PING) && !asked.set;
        if ping && nick::fold(wanted) == nick::fold(&own) {
            return Ok(asked.answer(None));
        }
        let Some(holder) = self.book.holder(wanted) else {
            return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
        };
        if ping {
            return Ok(asked.answer(None));
        }
        match holder {
            Holder::Member(id) => self.asked_member(asked, id),
            Holder::Person(who) => {
                let key = self.stage.by_nick(wanted);
                let Some((Key::Person(..), shown)) = key else {
                    return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
                };
                let own = self.stage.nick_of(&session).unwrap_or(&own);
                self.forward(asked, (&session, own), (who, shown))
            }
        }
    }

    /// The room answers for a QQ member.
    fn asked_member(&self, asked: &Asked<'_>, id: &MemberId) -> Result<Admitted, Refusal> {
        let p = asked.payload;
        let Some(shown) = self.members.shown(id) else {
            return Err(Refusal::cancel(DefinedCondition::ItemNotFound));
        };
        match (p.name(), p.ns().as_str(), asked.set) {
            ("query", DISCO_INFO, false) => super::disco::member(asked, &shown.name),
            ("query", DISCO_ITEMS, false) => super::disco::items(asked),
            ("vCard", VCARD, false) => Ok(asked.answer(Some(vcard(&[("FN", &shown.name), ("NICKNAME", &shown.nick)])))),
            ("vCard", VCARD, true) => Err(Refusal::cancel(DefinedCondition::NotAllowed)),
            _ => Err(Refusal::cancel(DefinedCondition::ServiceUnavailable)),
        }
    }

    /// Real JIDs are for owners.
    pub(super) fn sees_jids(&self, asker: &Jid) -> bool {
        self.settings.is_owner(&asker.to_bare())
    }
}

/// A vCard (XEP-0054) of these fields, without the empty ones.
fn vcard(fields: &[(&str, &str)]) -> Element {
    let mut card = Element::bare("vCard", VCARD);
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let mut field = Element::bare(*name, VCARD);
        field.append_text(legal(value));
        card.append_child(field);
    }
    card
}
