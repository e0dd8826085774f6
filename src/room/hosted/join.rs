//! Available presence: joins, repeated joins, changes of status (XEP-0045 §7.2, §7.7, §17.3).

use jid::{FullJid, Jid};
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::texts::Text;
use crate::model::{Timestamp, nick};
use crate::room::{Admitted, Change, Effect, HistoryWanted};
use crate::xmpp::Outgoing;
use crate::xmpp::read;
use crate::xmpp::render::error::Refusal;
use crate::xmpp::render::presence::{About, available};

/// Client sessions in a room at most.
const MOST_SESSIONS: usize = 10_000;
/// Client sessions of one person at most.
const MOST_SESSIONS_OF_ONE: usize = 30;

impl HostedRoom {
    pub(super) fn admit_presence(&mut self, from: &Jid, to: &Jid, presence: Presence, now: Timestamp) -> Admitted {
        let Ok(session) = from.clone().try_into_full() else {
            return self.presence_without_resource(from, to, &presence);
        };
        match presence.type_ {
            Type::Error => self.bounced_stanza(&session, &presence.payloads, now),
            Type::Unavailable => self.admit_leave(&session, presence, now),
            Type::None => {
                let id = presence.id.clone();
                self.admit_available(&session, to, presence, now)
                    .unwrap_or_else(|refusal| Admitted::reply(refusal.presence(&self.settings.jid, to, from, id)))
            }
            Type::Probe => self.probe(&session, to),
            Type::Subscribe => {
                let no = Presence::new(Type::Unsubscribed).with_from(to.clone());
                Admitted::reply(Outgoing::one(no, from.clone()))
            }
            Type::Subscribed | Type::Unsubscribe | Type::Unsubscribed => Admitted::default(),
        }
    }

    /// Servers probe and subscribe from bare addresses; nobody can join from one.
    fn presence_without_resource(&self, from: &Jid, to: &Jid, presence: &Presence) -> Admitted {
        match presence.type_ {
            Type::Subscribe => {
                let no = Presence::new(Type::Unsubscribed).with_from(to.clone());
                Admitted::reply(Outgoing::one(no, from.clone()))
            }
            Type::None => {
                let refusal = Refusal::modify(DefinedCondition::JidMalformed);
                Admitted::reply(refusal.presence(&self.settings.jid, to, from, presence.id.clone()))
            }
            _ => Admitted::default(),
        }
    }

    fn admit_available(
        &mut self,
        session: &FullJid,
        to: &Jid,
        presence: Presence,
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        let joins = read::join::read(&presence, now);
        let here = self.book.guest(session).map(|guest| guest.nick.clone());
        let Some(wish) = to.resource().map(|r| r.as_str().to_owned()) else {
            return match here {
                Some(_) if joins.is_none() => Ok(self.status(session, presence)),
                _ => Err(Refusal::modify(DefinedCondition::JidMalformed).because(self.text(Text::NickMissing))),
            };
        };
        match (here, joins) {
            (None, None) => Err(Refusal::cancel(DefinedCondition::ItemNotFound).because(self.text(Text::NotJoined))),
            (Some(nick), None) if nick == wish => Ok(self.status(session, presence)),
            (Some(_), None) => self.admit_rename(session, &wish, presence, now),
            (Some(nick), Some(history)) => {
                // The client thinks it is out, perhaps under another nick: the change first, then the whole join again.
                let mut admitted = Admitted::default();
                if nick != wish {
                    admitted = self.admit_rename(session, &wish, presence.clone(), now)?;
                }
                admitted
                    .effects
                    .push(self.enter(session, &wish, presence, history, true));
                Ok(admitted)
            }
            (None, Some(history)) => {
                self.may_join(session, &wish)?;
                Ok(Admitted::effect(self.enter(session, &wish, presence, history, false)))
            }
        }
    }

    fn may_join(&self, session: &FullJid, wish: &str) -> Result<(), Refusal> {
        let who = session.to_bare();
        if let Some(refusal) = self.stranger(&who) {
            return Err(refusal);
        }
        self.may_use(session, wish)?;
        if self.book.len() >= MOST_SESSIONS {
            return Err(Refusal::wait(DefinedCondition::ServiceUnavailable).because(self.text(Text::TooManySessions)));
        }
        if self.book.sessions_of(&who) >= MOST_SESSIONS_OF_ONE {
            return Err(Refusal::wait(DefinedCondition::ResourceConstraint).because(self.text(Text::TooManySessions)));
        }
        Ok(())
    }

    /// The nick can be shown everywhere, and belongs to nobody else.
    pub(super) fn may_use(&self, session: &FullJid, wish: &str) -> Result<(), Refusal> {
        match nick::prepare(wish) {
            Some(prepared) if prepared == wish => {}
            Some(_) => {
                return Err(Refusal::modify(DefinedCondition::NotAcceptable).because(self.text(Text::NickUnusable)));
            }
            None => return Err(Refusal::modify(DefinedCondition::JidMalformed).because(self.text(Text::NickUnusable))),
        }
        if self.book.free_for(&session.to_bare(), wish) {
            return Ok(());
        }
        Err(Refusal::cancel(DefinedCondition::Conflict).because(self.text(Text::NickTaken)))
    }

    fn enter(
        &mut self,
        session: &FullJid,
        nick: &str,
        presence: Presence,
        history: HistoryWanted,
        again: bool,
    ) -> Effect {
        let id = presence.id.clone();
        let payload = read::presence::payload(presence);
        self.book.enter(session, nick, payload.clone(), true);
        Effect::Change(Change::Join {
            session: session.clone(),
            nick: nick.to_owned(),
            id,
            history,
            presence: payload,
            again,
        })
    }

    fn status(&mut self, session: &FullJid, presence: Presence) -> Admitted {
        let payload = read::presence::payload(presence);
        if let Some(guest) = self.book.guest_mut(session) {
            guest.presence.clone_from(&payload);
            guest.verified = true;
        }
        Admitted::effect(Effect::Change(Change::Presence {
            session: session.clone(),
            presence: payload,
        }))
    }

    /// A joined session asks how an occupant is (§17.3). One that was not shown its join yet learns it there, in order.
    fn probe(&self, session: &FullJid, to: &Jid) -> Admitted {
        let Some(nick) = to.resource().filter(|_| self.stage.seats.contains_key(session)) else {
            return Admitted::default();
        };
        let Some((_, shown)) = self.stage.by_nick(nick.as_str()) else {
            return Admitted::default();
        };
        let about = About {
            with_jid: self.settings.is_owner(&session.to_bare()),
            ..About::default()
        };
        Admitted::reply(Outgoing::one(available(&shown.face, &about), session.clone()))
    }
}
