//! What becomes of what was said: the room shows it, refuses it, or does neither.

use std::time::Duration;

use jid::Jid;
use xmpp_parsers::message::Message;

use super::listener::Place;
use super::mouth::Voice;
use super::speak::IN_ALL;
use super::{JoinedRoom, by_room, texts};
use crate::model::{Author, Called, Seq};
use crate::room::{Effect, Trouble};
use crate::xmpp::read::visit as read;

/// The room has too much to do for a row so often, and it will not have less to do for it: ten minutes at the slowest pace.
const MOST_WAITS: u32 = 40;
/// Without voice it is tried again after this.
const VOICELESS: Duration = Duration::from_secs(60);
/// Rows that were found in the room's past before they came to be said.
const MOST_SEEN: usize = 256;

impl JoinedRoom {
    /// The room showed a row of ours.
    pub(super) fn shown(&mut self, seq: Seq, id: Option<String>, by_listener: bool) {
        if self.mouth.peek().is_some_and(|front| front.row.seq == seq) {
            self.named(seq, id, by_listener);
            self.done();
            if matches!(self.listener.place, Place::In) {
                // Somebody has a voice after all.
                self.listener.trouble = None;
            }
        } else if self.seen.len() < MOST_SEEN {
            self.seen.insert(seq, (id, by_listener));
        }
    }

    pub(super) fn named(&mut self, seq: Seq, id: Option<String>, by_listener: bool) {
        let Some(id) = id else { return };
        let author = self
            .mouth
            .peek()
            .filter(|front| front.row.seq == seq)
            .map(|front| &front.row.author);
        let member = match author {
            Some(Author::Member { id, .. }) => Some(id.clone()),
            _ => None,
        };
        let called = Called {
            id,
            member,
            by_listener,
        };
        self.mouth.name(seq, called.clone());
        self.out.effects.push(Effect::Called { row: seq, called });
    }

    /// It was not shown. The room's past tells whether it was lost.
    pub(super) fn doubt_shown(&mut self) {
        tracing::warn!(room = %self.settings.jid, "the room does not show what was said; reading what it has");
        if self.listener.has_archive {
            self.not_at_home();
        } else {
            self.away(self.now);
        }
    }

    /// The room's past was read, and what was on its way is not in it.
    pub(super) fn not_shown(&mut self) {
        if let Some(front) = self.mouth.front().filter(|front| front.flight.is_some()) {
            front.flight = None;
            front.tries += 1;
        }
    }

    /// A message of ours came back with an error. Errors of other occupants say nothing.
    pub(super) fn bounced(&mut self, from: &Jid, message: &Message) {
        if !by_room(from, None) {
            return;
        }
        let refused = read::refused(&message.payloads);
        let seq = message.id.as_ref().and_then(|id| self.ids.seq(&id.0));
        if refused.is_remote() {
            self.unreachable(&refused.condition);
            return;
        }
        let Some(front) = self.mouth.front().filter(|front| Some(front.row.seq) == seq) else {
            return;
        };
        let Some(flight) = front.flight.take() else { return };
        tracing::info!(room = %self.settings.jid, condition = refused.condition, kind = refused.kind, "refused by the room");
        let busy = match refused.condition.as_str() {
            "resource-constraint" => true,
            "policy-violation" => refused.kind != "modify",
            _ => false,
        };
        match refused.condition.as_str() {
            _ if busy => {
                front.waits += 1;
                if front.waits >= MOST_WAITS {
                    front.tries = IN_ALL;
                }
                self.tempo.slower(self.now);
            }
            "not-acceptable" => {
                front.tries += 1;
                match flight.by {
                    Voice::Puppet(id) => self.bar(&id, Duration::ZERO),
                    Voice::Listener => self.thrown_out("the room says that the listener is not in it"),
                }
            }
            "forbidden" => match flight.by {
                Voice::Puppet(_) => front.not_by_puppet = true,
                Voice::Listener => {
                    // Whoever is given a voice first says it.
                    front.not_by_puppet = false;
                    self.voiceless();
                }
            },
            "item-not-found" | "gone" | "recipient-unavailable" | "service-unavailable" => {
                front.tries += 1;
                self.thrown_out("the room does not take what is said");
            }
            _ => {
                front.tries += 2;
                front.not_by_puppet = true;
            }
        }
    }

    /// Nobody of ours may speak in a moderated room.
    fn voiceless(&mut self) {
        let what = texts::voiceless(&self.listener.jid.to_bare());
        self.alert("voice", &what);
        self.listener.trouble = Some(Trouble::NeedsOperator(what));
        self.tempo.pause(self.now, VOICELESS);
    }
}
