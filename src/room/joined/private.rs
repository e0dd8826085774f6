//! Private words in the room (XEP-0045 §7.5): few of ours, and those of others go no further.

use jid::{FullJid, Jid};
use xmpp_parsers::message::{Message, MessageType};

use super::listener::Place;
use super::{JoinedRoom, texts};
use crate::model::Timestamp;
use crate::xmpp::Outgoing;
use crate::xmpp::render::visit;

/// Answers to private words: one to each occupant in this time.
const PRIVATELY_EVERY: std::time::Duration = std::time::Duration::from_secs(60);
/// Occupants of whom it is remembered that they were answered.
const MOST_ANSWERED: usize = 256;

impl JoinedRoom {
    /// Tells an occupant alone that their words did not reach QQ. Seldom: a flood of private words gets a visitor thrown out, and
    /// the room is told how many there were.
    pub fn undelivered(&mut self, to: &FullJid, why: &str, now: Timestamp) -> Option<Outgoing> {
        self.now = now;
        let nick = to.resource().as_str();
        if !matches!(self.listener.place, Place::In) || !self.may_answer(nick) {
            return None;
        }
        Some(visit::private(&self.listener.jid, to, why))
    }

    fn may_answer(&mut self, nick: &str) -> bool {
        let now = self.now;
        self.privately.retain(|_, at| now.since(*at) < PRIVATELY_EVERY);
        if self.privately.len() >= MOST_ANSWERED || self.privately.contains_key(nick) {
            return false;
        }
        self.privately.insert(nick.to_owned(), now);
        true
    }

    /// Words for one of ours alone: they go no further, and whoever says them hears so. No error: rooms throw visitors out for it.
    pub(super) fn private_word(&mut self, from: &Jid, message: &Message, to_listener: bool) {
        let Ok(at) = from.try_as_full() else { return };
        let alone = matches!(message.type_, MessageType::Chat | MessageType::Normal);
        if !alone || message.bodies.is_empty() || !self.may_answer(at.resource().as_str()) {
            return;
        }
        if matches!(self.listener.place, Place::In) {
            let text = texts::not_in_private(self.settings.language, to_listener);
            self.out.replies.push(visit::private(&self.listener.jid, at, text));
        }
    }
}
