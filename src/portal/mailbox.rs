//! The XMPP mailbox of a portal: two queues, two depths.
//!
//! The component's reader must never wait. What its sender can be told about (a message, a query, a join) is refused at the
//! first depth; what nobody can be told about (somebody left, a bounce) is taken until the second. Past that the portal is
//! *overrun*: it no longer knows who is here, and pings its occupants.
//!
//! Who comes and goes stands in one queue, since a leave that overtakes or falls behind a join would make a ghost of a person.
//! What people say and ask does not wait behind a storm of others who come and go, so it has another; what comes of one sender keeps
//! its order.
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
const MOTION_AT: usize = 1024;
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
    /// Of who comes and goes, and of what stands in one order with it.
    pub motion: usize,
}

#[derive(Debug, Default)]
struct Queue {
    words: Line,
    motion: Line,
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
        let moves = match &event.stanza {
            Stanza::Message(message) => message.type_ == MessageType::Error,
            Stanza::Presence(_) => true,
            Stanza::Iq(_) => false,
        };
        moves || self.motion.has_of(&event.from)
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
            self.motion.push_back(event);
        } else {
            self.words.push_back(event);
        }
    }

    /// The next motion, unless there are words that its sender said before.
    fn take_motion(&mut self) -> Option<Event> {
        let next = self.motion.events.front()?;
        if self.words.has_of(&next.from) {
            return None;
        }
        self.motion.pop_front()
    }

    fn has(&self, portion: Portion) -> bool {
        portion.words > 0 && self.words.len() > 0 || portion.motion > 0 && self.motion.len() > 0
    }
}

/// Stanzas in order, and how many there are of whom.
#[derive(Debug, Default)]
struct Line {
    events: VecDeque<Event>,
    senders: HashMap<Jid, usize>,
}

impl Line {
    fn len(&self) -> usize {
        self.events.len()
    }

    fn has_of(&self, sender: &Jid) -> bool {
        self.senders.contains_key(sender)
    }

    fn push_back(&mut self, event: Event) {
        *self.senders.entry(event.from.clone()).or_default() += 1;
        self.events.push_back(event);
    }

    fn push_front(&mut self, event: Event) {
        *self.senders.entry(event.from.clone()).or_default() += 1;
        self.events.push_front(event);
    }

    fn pop_front(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Some(left) = self.senders.get_mut(&event.from) {
            *left -= 1;
            if *left == 0 {
                self.senders.remove(&event.from);
            }
        }
        Some(event)
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
        let words = std::iter::from_fn(|| queue.words.pop_front());
        let mut taken: Vec<Event> = words.take(portion.words).collect();
        taken.extend(std::iter::from_fn(|| queue.take_motion()).take(portion.motion));
        taken
    }

    /// Takes all stanzas whose senders can be told that nothing came of them.
    pub fn take_refusable(&self) -> Vec<Event> {
        let mut queue = self.queue();
        let (words, motion) = (std::mem::take(&mut queue.words), std::mem::take(&mut queue.motion));
        let (mut refused, kept): (Vec<_>, Vec<_>) = words
            .events
            .into_iter()
            .chain(motion.events)
            .partition(|event| can_be_refused(&event.stanza));
        for event in kept {
            queue.motion.push_back(event);
        }
        for (event, order) in std::mem::take(&mut queue.later) {
            if can_be_refused(&event.stanza) {
                refused.push(event);
            } else {
                queue.later.push_back((event, order));
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
        queue.words.len() + queue.motion.len() == 0
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
