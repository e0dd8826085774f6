//! Client sessions that are no longer there: bounces remove them, pings find them (XEP-0045 §18.1, XEP-0199).

use jid::{BareJid, FullJid, Jid};
use minidom::Element;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::{Id, Message};
use xmpp_parsers::ns::{DEFAULT_NS, XMPP_STANZAS};
use xmpp_parsers::ping::Ping;
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

use super::HostedRoom;
use crate::model::Timestamp;
use crate::room::{Admitted, Change, Effect, Leaving};
use crate::xmpp::Outgoing;
use crate::xmpp::payload::hint::Hint;

/// Conditions by which a server says that somebody is not there.
const GONE: [&str; 8] = [
    "gone",
    "internal-server-error",
    "item-not-found",
    "recipient-unavailable",
    "redirect",
    "remote-server-not-found",
    "remote-server-timeout",
    "service-unavailable",
];

/// What the ids of our pings begin with.
const PING: &str = "here-";

impl HostedRoom {
    /// A message or presence of ours came back from this client session. Never answered.
    pub(super) fn bounced_stanza(&mut self, session: &FullJid, payloads: &[Element], now: Timestamp) -> Admitted {
        let condition = payloads
            .iter()
            .find(|p| p.is("error", DEFAULT_NS))
            .and_then(|error| error.children().find(|c| c.has_ns(XMPP_STANZAS) && c.name() != "text"))
            .map(Element::name);
        if condition.is_none_or(|name| GONE.contains(&name)) {
            self.lost(session, now)
        } else {
            Admitted::default()
        }
    }

    /// Removes exactly this client session with status 333; once, however many bounces follow. Also for a session that is too
    /// far behind: its client joins again and catches up.
    pub fn lost(&mut self, session: &FullJid, now: Timestamp) -> Admitted {
        if self.book.leave(session, now).is_none() {
            return Admitted::default();
        }
        Admitted::effect(Effect::Change(Change::Leave {
            session: session.clone(),
            why: Leaving::Ghost,
        }))
    }

    /// The next `n` client sessions that gave no sign of life since [`resume`](Self::resume), to be pinged. Answers and bounces
    /// come back through [`admit`](Self::admit).
    pub fn pings(&mut self, n: usize) -> Vec<Outgoing> {
        let room: Jid = self.settings.jid.clone().into();
        let ids = &self.ids;
        self.book
            .sessions_mut()
            .filter(|(_, guest)| !guest.verified && !guest.pinged)
            .take(n)
            .map(|(session, guest)| {
                guest.pinged = true;
                let id = format!("{PING}{}", ids.token("ping", session.as_str()));
                Outgoing::one(Iq::from_get(id, Ping).with_from(room.clone()), session.clone())
            })
            .collect()
    }

    /// The client session that said something, or another of the same person's; only one that gave a sign of life, since what is
    /// sent to the dead is lost.
    pub fn listening(&self, author: &FullJid) -> Option<FullJid> {
        if self.book.guest(author).is_some_and(|guest| guest.verified) {
            return Some(author.clone());
        }
        let who = author.to_bare();
        let mut sessions = self.book.sessions().filter(|(_, guest)| guest.verified);
        sessions.find_map(|(session, _)| (session.to_bare() == who).then(|| session.clone()))
    }

    /// Everybody of whom a client session gave a sign of life.
    pub fn listeners(&self) -> Vec<BareJid> {
        let alive = self.book.sessions().filter(|(_, guest)| guest.verified);
        let mut people: Vec<BareJid> = alive.map(|(session, _)| session.to_bare()).collect();
        // Sessions are in the order of their addresses.
        people.dedup();
        people
    }

    /// Stanzas were dropped unread: nobody is known to be here any more until they give a sign of life.
    pub fn doubt_all(&mut self) {
        for (_, guest) in self.book.sessions_mut() {
            guest.verified = false;
            guest.pinged = false;
        }
    }

    /// An answer to one of our pings, or nothing when the id is not of one.
    pub(super) fn pong(
        &mut self,
        from: &Jid,
        id: &str,
        error: Option<&StanzaError>,
        now: Timestamp,
    ) -> Option<Admitted> {
        let token = id.strip_prefix(PING)?;
        let session = from.try_as_full().ok()?;
        if token != self.ids.token("ping", session.as_str()) {
            return Some(Admitted::default());
        }
        let condition = error.map_or("", |e| condition_name(&e.defined_condition));
        // A client that does not know pings says what its server says of one that is gone: no sign of life, and none of death.
        if condition == "service-unavailable" && self.book.guest(session).is_some() {
            return Some(Admitted::reply(self.touch(session)));
        }
        if GONE.contains(&condition) {
            return Some(self.lost(session, now));
        }
        self.alive(from);
        Some(Admitted::default())
    }

    /// A message with nothing in it: a client passes over it, and the server of a client that is gone returns it (RFC 6121
    /// §8.5.3.2.1), which [`bounced_stanza`](Self::bounced_stanza) takes for what it is.
    fn touch(&self, session: &FullJid) -> Outgoing {
        let mut message = Message::groupchat(None).with_payload(Hint::NoStore);
        message.from = Some(self.settings.jid.clone().into());
        message.id = Some(Id(format!("{PING}{}", self.ids.token("touch", session.as_str()))));
        Outgoing::one(message, session.clone())
    }

    /// A sign of life.
    pub(super) fn alive(&mut self, from: &Jid) {
        if let Ok(session) = from.try_as_full()
            && let Some(guest) = self.book.guest_mut(session)
        {
            guest.verified = true;
        }
    }
}

/// The word of those conditions that say somebody is gone; nothing for the others.
fn condition_name(condition: &DefinedCondition) -> &'static str {
    match condition {
        DefinedCondition::Gone { .. } => "gone",
        DefinedCondition::InternalServerError => "internal-server-error",
        DefinedCondition::ItemNotFound => "item-not-found",
        DefinedCondition::RecipientUnavailable => "recipient-unavailable",
        DefinedCondition::Redirect { .. } => "redirect",
        DefinedCondition::RemoteServerNotFound => "remote-server-not-found",
        DefinedCondition::RemoteServerTimeout => "remote-server-timeout",
        DefinedCondition::ServiceUnavailable => "service-unavailable",
        _ => "",
    }
}
