//! The XMPP mailbox of a portal: one queue, two depths.
//!
//! The component's reader must never wait. What its sender can be told about (a message, a query, a join) is refused at the
//! first depth; what nobody can be told about (somebody left, a bounce) is taken until the second. Past that the portal is
//! *overrun*: it no longer knows who is here, and pings its occupants. One queue, because a leave that overtakes or falls
//! behind a join would make a ghost of a person.
//!
//! What comes over a new stream stays inside until the portal knows of the stream: a word that follows a gap must not be taken for the
//! one behind the last, as long as nobody looked into the gap.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::presence::Type;

use crate::xmpp::{Event, Link, Refused};

/// Depth at which stanzas are refused that can be answered.
const REFUSE_AT: usize = 256;
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

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    /// What came over streams that the portal does not know yet, and the last of these.
    later: VecDeque<Event>,
    unknown: Option<Link>,
    overrun: bool,
    closed: bool,
}

impl Queue {
    fn depth(&self) -> usize {
        self.events.len() + self.later.len()
    }

    fn take_in(&mut self, event: Event) {
        if self.depth() >= DROP_AT {
            self.overrun = true;
        } else if self.unknown.is_some() {
            self.later.push_back(event);
        } else {
            self.events.push_back(event);
        }
    }
}

impl Mailbox {
    /// Puts a stanza in, or gives it back with the reason.
    pub fn push(&self, event: Event) -> Result<(), Box<(Event, Refused)>> {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // Who left while the portal restarts is not heard of again: that is kept, too.
        if queue.closed && can_be_refused(&event.stanza) {
            return Err(Box::new((event, Refused::NotReady)));
        }
        if queue.depth() >= REFUSE_AT && can_be_refused(&event.stanza) {
            return Err(Box::new((event, Refused::Busy)));
        }
        queue.take_in(event);
        drop(queue);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// Puts in what nobody can be told about, whatever it is: stanzas of somebody else's room.
    pub fn push_anyway(&self, event: Event) {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.take_in(event);
        drop(queue);
        self.0.arrived.notify_one();
    }

    /// A stream begins.
    pub fn opened(&self, link: &Link) {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.unknown = Some(link.clone());
    }

    /// The portal knows of this stream, and is ready for what comes over it; unless there is a newer one already.
    pub fn linked(&self, link: &Link) {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.unknown.as_ref().is_some_and(|unknown| unknown.same(link)) {
            queue.unknown = None;
            let later = std::mem::take(&mut queue.later);
            queue.events.extend(later);
        }
        drop(queue);
        self.0.arrived.notify_one();
    }

    /// Waits until there is something to take. Safe to cancel.
    pub async fn arrived(&self) {
        loop {
            if !self.is_empty() {
                return;
            }
            self.0.arrived.notified().await;
        }
    }

    /// Takes up to `max` stanzas, in order.
    pub fn take(&self, max: usize) -> Vec<Event> {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let n = queue.events.len().min(max);
        queue.events.drain(..n).collect()
    }

    /// Takes all stanzas whose senders can be told that nothing came of them.
    pub fn take_refusable(&self) -> Vec<Event> {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused = Vec::new();
        let Queue { events, later, .. } = &mut *queue;
        for waiting in [events, later] {
            let (told, kept): (VecDeque<_>, _) = waiting.drain(..).partition(|event| can_be_refused(&event.stanza));
            *waiting = kept;
            refused.extend(told);
        }
        refused
    }

    /// Puts back what was taken and could not be worked on, before everything else.
    pub fn give_back(&self, events: impl DoubleEndedIterator<Item = Event>) {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events.rev() {
            queue.events.push_front(event);
        }
    }

    /// Whether there is nothing inside.
    pub fn is_empty(&self) -> bool {
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.events.is_empty()
    }

    /// Whether something was dropped since the last call.
    pub fn take_overrun(&self) -> bool {
        std::mem::take(&mut self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).overrun)
    }

    /// Refuses what can be answered from now on: the portal ends, or starts anew. What is inside can still be taken.
    pub fn close(&self) {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
    }

    /// Takes stanzas again: the portal starts anew.
    pub fn open(&self) {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = false;
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

#[cfg(test)]
mod tests {
    use super::*;
    use xmpp_parsers::presence::Presence;

    fn event(type_: Type) -> Event {
        Event {
            from: "ann@example.org/phone".parse().expect("a JID"),
            to: "room@qq.example.org/Ann".parse().expect("a JID"),
            stanza: Presence::new(type_).into(),
        }
    }

    #[test]
    fn refuses_what_can_be_answered_and_keeps_the_rest() {
        let mailbox = Mailbox::default();
        for _ in 0..REFUSE_AT {
            assert!(mailbox.push(event(Type::None)).is_ok());
        }
        let refused = mailbox.push(event(Type::None)).expect_err("full");
        assert_eq!(refused.1, Refused::Busy);
        assert!(mailbox.push(event(Type::Unavailable)).is_ok());
        assert_eq!(mailbox.take(usize::MAX).len(), REFUSE_AT + 1);
        assert!(!mailbox.take_overrun());
    }

    #[test]
    fn a_new_stream_waits_until_the_portal_knows_it() {
        let link = || Link::new("qq.example.org".parse().expect("a domain"), 1).0;
        let (first, second) = (link(), link());
        let mailbox = Mailbox::default();
        let taken = || mailbox.take(usize::MAX).len();
        assert!(mailbox.push(event(Type::None)).is_ok());
        mailbox.opened(&first);
        assert!(mailbox.push(event(Type::None)).is_ok());
        assert_eq!(taken(), 1, "what came before");
        mailbox.opened(&second);
        assert!(mailbox.push(event(Type::Unavailable)).is_ok());
        mailbox.linked(&first);
        assert_eq!(taken(), 0);
        mailbox.linked(&second);
        assert_eq!(taken(), 2);
        assert!(mailbox.push(event(Type::None)).is_ok());
        assert_eq!(taken(), 1);
    }

    #[test]
    fn a_closed_one_refuses_joins_and_keeps_departures() {
        let mailbox = Mailbox::default();
        mailbox.close();
        let refused = mailbox.push(event(Type::None)).expect_err("closed");
        assert_eq!(refused.1, Refused::NotReady);
        assert!(mailbox.push(event(Type::Unavailable)).is_ok());
        mailbox.open();
        assert_eq!(mailbox.take(9).len(), 1);
    }

    #[test]
    fn is_overrun_past_the_second_depth() {
        let mailbox = Mailbox::default();
        for _ in 0..=DROP_AT {
            assert!(mailbox.push(event(Type::Unavailable)).is_ok());
        }
        assert_eq!(mailbox.take(usize::MAX).len(), DROP_AT);
        assert!(mailbox.take_overrun());
        assert!(!mailbox.take_overrun());
    }
}
