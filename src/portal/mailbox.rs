//! The XMPP mailbox of a portal: two queues, two depths.
//!
//! The component's reader must never wait. What its sender can be told about (a message, a query, a join) is refused at the
//! first depth; what nobody can be told about (somebody left, a bounce) is taken until the second. Past that the portal is
//! *overrun*: it no longer knows who is here, and pings its occupants.
//!
//! Who comes and goes stands in one queue, since a leave that overtakes or falls behind a join would make a ghost of a person.
//! What people say does not wait behind a storm of others who come and go, so it has another; except behind the sender's own motion.
//!
//! What comes over a new stream stays inside until the portal knows of the stream: a word that follows a gap must not be taken for the
//! one behind the last, as long as nobody looked into the gap.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jid::Jid;
use tokio::sync::Notify;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::presence::Type;

use crate::xmpp::{Event, Link, Refused};

/// Depth at which stanzas are refused that can be answered: of what people say, and of who comes and goes. When a crowd goes at
/// once, others may come behind it.
const WORDS_AT: usize = 256;
const MOTION_AT: usize = 2048;
/// Depth at which even the rest is dropped.
const DROP_AT: usize = 4096;

/// Both ends of the mailbox; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queue: Mutex<Queue>,
    arrived: Notify,
}

/// How much is to be taken of either queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Portion {
    /// Of what people say and ask.
    pub words: usize,
    /// Of who comes and goes, and of all that stands in one order with it.
    pub motion: usize,
}

#[derive(Debug, Default)]
struct Queue {
    words: VecDeque<Event>,
    motion: VecDeque<Event>,
    /// Of whom there is how much in `motion`.
    movers: HashMap<Jid, usize>,
    /// What came over streams that the portal does not know yet, and the last of these.
    later: VecDeque<(Event, Order)>,
    unknown: Option<Link>,
    overrun: bool,
    closed: bool,
}

/// What a stanza may overtake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Others' motion.
    OfSender,
    /// Nothing.
    OfRoom,
}

impl Queue {
    fn depth(&self) -> usize {
        self.words.len() + self.motion.len() + self.later.len()
    }

    /// Whether too many stand before this one.
    fn is_busy_for(&self, event: &Event) -> bool {
        let (queue, most) = if self.is_motion(event) {
            (&self.motion, MOTION_AT)
        } else {
            (&self.words, WORDS_AT)
        };
        queue.len() + self.later.len() >= most
    }

    fn is_motion(&self, event: &Event) -> bool {
        let word = match &event.stanza {
            Stanza::Message(message) => message.type_ != MessageType::Error,
            Stanza::Presence(_) => false,
            Stanza::Iq(iq) => matches!(iq, Iq::Get { .. } | Iq::Set { .. }),
        };
        !word || self.movers.contains_key(&event.from)
    }

    fn take_in(&mut self, event: Event, order: Order) {
        if self.depth() >= DROP_AT {
            self.overrun = true;
        } else if self.unknown.is_some() {
            self.later.push_back((event, order));
        } else {
            self.sort_in(event, order);
        }
    }

    fn sort_in(&mut self, event: Event, order: Order) {
        if order == Order::OfRoom || self.is_motion(&event) {
            *self.movers.entry(event.from.clone()).or_default() += 1;
            self.motion.push_back(event);
        } else {
            self.words.push_back(event);
        }
    }

    fn take_motion(&mut self) -> Option<Event> {
        let event = self.motion.pop_front()?;
        if let Some(left) = self.movers.get_mut(&event.from) {
            *left -= 1;
            if *left == 0 {
                self.movers.remove(&event.from);
            }
        }
        Some(event)
    }

    fn has(&self, portion: Portion) -> bool {
        portion.words > 0 && !self.words.is_empty() || portion.motion > 0 && !self.motion.is_empty()
    }
}

impl Mailbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a stanza in, or gives it back with the reason.
    pub fn push(&self, event: Event) -> Result<(), Box<(Event, Refused)>> {
        let mut queue = self.queue();
        // Who left while the portal restarts is not heard of again: that is kept, too.
        if queue.closed && can_be_refused(&event.stanza) {
            return Err(Box::new((event, Refused::NotReady)));
        }
        if queue.is_busy_for(&event) && can_be_refused(&event.stanza) {
            return Err(Box::new((event, Refused::Busy)));
        }
        queue.take_in(event, Order::OfSender);
        drop(queue);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// Puts in what nobody can be told about, whatever it is: stanzas of somebody else's room, which are in that room's order.
    pub fn push_anyway(&self, event: Event) {
        let mut queue = self.queue();
        queue.take_in(event, Order::OfRoom);
        drop(queue);
        self.0.arrived.notify_one();
    }

    /// A stream begins.
    pub fn opened(&self, link: &Link) {
        let mut queue = self.queue();
        queue.unknown = Some(link.clone());
    }

    /// The portal knows of this stream, and is ready for what comes over it; unless there is a newer one already.
    pub fn linked(&self, link: &Link) {
        let mut queue = self.queue();
        if queue.unknown.as_ref().is_some_and(|unknown| unknown.same(link)) {
            queue.unknown = None;
            for (event, order) in std::mem::take(&mut queue.later) {
                queue.sort_in(event, order);
            }
        }
        drop(queue);
        self.0.arrived.notify_one();
    }

    /// Waits until there is something to take of this. Safe to cancel.
    pub async fn arrived(&self, portion: Portion) {
        while !self.queue().has(portion) {
            self.0.arrived.notified().await;
        }
    }

    /// Takes up to so many stanzas, of each queue in order.
    pub fn take(&self, portion: Portion) -> Vec<Event> {
        let mut queue = self.queue();
        let words = queue.words.len().min(portion.words);
        let mut taken: Vec<Event> = queue.words.drain(..words).collect();
        taken.extend(std::iter::from_fn(|| queue.take_motion()).take(portion.motion));
        taken
    }

    /// Takes all stanzas whose senders can be told that nothing came of them.
    pub fn take_refusable(&self) -> Vec<Event> {
        let mut queue = self.queue();
        let (words, later) = (std::mem::take(&mut queue.words), std::mem::take(&mut queue.later));
        let motion: Vec<Event> = std::iter::from_fn(|| queue.take_motion()).collect();
        let mut refused = Vec::new();
        let all = words.into_iter().chain(motion).map(|event| (event, None));
        for (event, order) in all.chain(later.into_iter().map(|(event, order)| (event, Some(order)))) {
            match order {
                _ if can_be_refused(&event.stanza) => refused.push(event),
                Some(order) => queue.later.push_back((event, order)),
                None => queue.sort_in(event, Order::OfRoom),
            }
        }
        refused
    }

    /// Puts back what was taken and could not be worked on, before everything else.
    pub fn give_back(&self, events: impl DoubleEndedIterator<Item = Event>) {
        let mut queue = self.queue();
        for event in events.rev() {
            queue.words.push_front(event);
        }
    }

    /// Whether there is nothing inside.
    pub fn is_empty(&self) -> bool {
        let queue = self.queue();
        queue.words.is_empty() && queue.motion.is_empty()
    }

    /// Whether something was dropped since the last call.
    pub fn take_overrun(&self) -> bool {
        std::mem::take(&mut self.queue().overrun)
    }

    /// Refuses what can be answered from now on: the portal ends, or starts anew. What is inside can still be taken.
    pub fn close(&self) {
        self.queue().closed = true;
    }

    /// Takes stanzas again: the portal starts anew.
    pub fn open(&self) {
        self.queue().closed = false;
    }
}

/// Whether the sender of a stanza learns from an error that it was not taken.
fn can_be_refused(stanza: &Stanza) -> bool {
    match stanza {
        Stanza::Message(message) => message.type_ != MessageType::Error,
        Stanza::Presence(presence) => presence.type_ == Type::None,
        Stanza::Iq(iq) => matches!(iq, Iq::Get { .. } | Iq::Set { .. }),
    }
}
