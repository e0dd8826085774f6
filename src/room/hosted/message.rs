//! Messages to the room (XEP-0045 §7.4, §8.1).

use jid::{FullJid, Jid};
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::occupants::Holder;
use super::texts::Text;
use crate::model::{Content, MemberId, Seq, Timestamp};
use crate::room::mentions::mentioned;
use crate::room::{Admitted, Effect, Speech, Spoken};
use crate::xmpp::read::message::{self as read, Kind};
use crate::xmpp::render::error::Refusal;
use crate::xmpp::render::{children, message};
use crate::xmpp::{Event, Outgoing};

impl HostedRoom {
    pub(super) fn admit_message(&mut self, from: &Jid, to: &Jid, message: Message, now: Timestamp) -> Admitted {
        if message.type_ == MessageType::Error {
            return match from.try_as_full() {
                Ok(session) => {
                    let mut admitted = self.bounced_stanza(session, &message.payloads, now);
                    if admitted.effects.is_empty() {
                        admitted.replies.extend(self.private_error(session, to, message));
                    }
                    admitted
                }
                Err(_) => Admitted::default(),
            };
        }
        self.alive(from);
        let id = message.id.clone();
        let admitted = match (message.type_.clone(), to.is_full()) {
            (MessageType::Groupchat, false) => self.admit_groupchat(from, message, now),
            (MessageType::Groupchat, true) => Err(Refusal::modify(DefinedCondition::BadRequest)),
            (_, true) => self.admit_private(from, to, message),
            (_, false) => self.admit_to_room(from, &message),
        };
        admitted.unwrap_or_else(|refusal| Admitted::reply(refusal.message(&self.settings.jid, to, from, id)))
    }

    fn admit_groupchat(&mut self, from: &Jid, mut message: Message, now: Timestamp) -> Result<Admitted, Refusal> {
        let Some((session, nick)) = self.speaker(from) else {
            if read::unimportant(&message) {
                return Ok(Admitted::default());
            }
            return Err(Refusal::cancel(DefinedCondition::NotAcceptable).because(self.text(Text::NotJoined)));
        };
        if read::encrypted(&message) {
            return Err(Refusal::modify(DefinedCondition::NotAcceptable).because(self.text(Text::Encrypted)));
        }
        read::clean(&mut message);
        let retracts = self.retracted(&message.payloads)?;
        let reacts = read::reacted(&message).and_then(|reacted| Some((self.ids.seq(&reacted.to)?, reacted.emoji)));
        let kind = read::kind(&message);
        if kind == Kind::Empty {
            return Ok(Admitted::default());
        }
        let id = message.id.clone().map(|id| id.0);
        // The words of a retraction are there for clients that know none; not all of them say so.
        let speech = read::said(&message)
            .filter(|_| retracts.is_none())
            .map(|said| self.speech(said));
        let origin = read::origin(&message);
        let children = children::of_message(message);
        // Nobody promised that a stanza's id is never used again: alone it would make other words a repetition.
        let origin = origin.or_else(|| {
            let id = id.as_ref().filter(|id| !id.is_empty())?;
            Some(self.ids.token("repeated", &format!("{id}\n{children}")))
        });
        if children.len() + id.as_ref().map_or(0, String::len) > self.settings.max_stanza {
            return Err(Refusal::modify(DefinedCondition::PolicyViolation).because(self.text(Text::TooLong)));
        }
        if let Kind::Subject(text) = kind {
            if !self.settings.is_owner(&session.to_bare()) {
                return Err(Refusal::auth(DefinedCondition::Forbidden).because(self.text(Text::SubjectForbidden)));
            }
            return Ok(Admitted::effect(Effect::Subject {
                by: session,
                nick,
                id,
                text,
                time: now,
            }));
        }
        Ok(Admitted::effect(Effect::Spoken(Spoken {
            session,
            nick,
            origin,
            time: now,
            content: Content::Stanza { id, children },
            speech,
            ephemeral: kind == Kind::Fleeting,
            retracts,
            reacts,
        })))
    }

    /// The row that a stanza answers (XEP-0461), whoever sends it.
    pub fn answers(&self, event: &Event) -> Option<Seq> {
        match &event.stanza {
            Stanza::Message(message) if message.type_ == MessageType::Groupchat => {
                self.ids.seq(&read::answers(message)?)
            }
            _ => None,
        }
    }

    /// The refusal of a stanza that cannot be looked into now; `why` is for people to read.
    pub fn not_now(&self, event: &Event, why: &'static str) -> Option<Outgoing> {
        let refusal = Refusal::wait(DefinedCondition::ResourceConstraint).because((self.settings.language.tag(), why));
        match &event.stanza {
            Stanza::Message(message) => {
                Some(refusal.message(&self.settings.jid, &event.to, &event.from, message.id.clone()))
            }
            Stanza::Iq(iq @ (Iq::Get { .. } | Iq::Set { .. })) => {
                Some(refusal.iq(&self.settings.jid, &event.to, &event.from, iq.id()))
            }
            Stanza::Iq(_) | Stanza::Presence(_) => None,
        }
    }

    /// A line of the room that one client session gets alone, and that is not kept.
    pub fn whisper(&self, session: &FullJid, text: &str) -> Outgoing {
        Outgoing::one(message::notice(&self.ids, text), session.clone())
    }

    /// The client session and its nick, when it is in the room.
    pub(super) fn speaker(&self, from: &Jid) -> Option<(FullJid, String)> {
        let session = from.try_as_full().ok()?;
        Some((session.clone(), self.book.guest(session)?.nick.clone()))
    }

    /// Messages to the bare room that are no groupchat: invitations, or a mistake.
    fn admit_to_room(&self, from: &Jid, message: &Message) -> Result<Admitted, Refusal> {
        if let Some(admitted) = self.admit_invitation(from, message) {
            return admitted;
        }
        // Requests for voice and the like have no body; nobody waits for an answer.
        if message.bodies.is_empty() {
            return Ok(Admitted::default());
        }
        Err(Refusal::modify(DefinedCondition::BadRequest))
    }

    fn speech(&self, said: read::Said) -> Speech {
        let mut mentions = mentioned(&said.text, |nick| self.member(nick));
        for uri in &said.mentioned {
            let Some((nick, id)) = self.referred(uri) else { continue };
            if !mentions.iter().any(|(_, m)| *m == id) {
                mentions.push((nick, id));
            }
        }
        mentions.sort_by_key(|(nick, _)| std::cmp::Reverse(nick.chars().count()));
        Speech {
            answers: said.answers.and_then(|id| self.ids.seq(&id)),
            quote: said.quote,
            text: said.text,
            action: said.action,
            mentions,
        }
    }

    /// A member named by the URI of their occupant JID (XEP-0372).
    fn referred(&self, uri: &str) -> Option<(String, MemberId)> {
        let jid = Jid::new(uri.strip_prefix("xmpp:")?).ok()?;
        if jid.to_bare() != self.settings.jid {
            return None;
        }
        let nick = jid.resource()?.as_str();
        Some((nick.to_owned(), self.member(nick)?))
    }

    /// The QQ member of exactly this nick, but for case and width; white space around it belongs to no nick.
    fn member(&self, nick: &str) -> Option<MemberId> {
        if nick.trim() != nick || nick.is_empty() {
            return None;
        }
        match self.book.holder(nick)? {
            Holder::Member(id) => Some(id.clone()),
            Holder::Person(_) => None,
        }
    }
}
