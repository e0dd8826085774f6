//! The reader task: from the stream to the inbox. Waits for the stream and for nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jid::{BareJid, Jid};
use tokio::sync::mpsc;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;

use super::refuse;
use crate::xmpp::stream::{Incoming, Lost, Reader, encode};
use crate::xmpp::{Event, Inbox};

/// What was dropped on the way, since the start of the process.
#[derive(Debug, Default)]
pub struct Dropped {
    /// Received: no stanza that can be read, or one with no usable address.
    pub malformed: AtomicU64,
    /// Received: from our own domain, and none of our pings.
    pub own: AtomicU64,
    /// Answers that found no room in their queue: somebody floods us.
    pub answers: AtomicU64,
    /// To be sent: `from` is not in our domain, or no XML can be made of it. A fault of ours.
    pub unsendable: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What the reader needs beside the stream.
pub(super) struct Taking {
    pub(super) domain: BareJid,
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) dropped: Arc<Dropped>,
    /// Begins the ids of our pings to ourselves; new for each stream.
    pub(super) nonce: String,
    /// Takes the ids of our own pings that came back.
    pub(super) echoes: mpsc::Sender<String>,
    /// Takes answers, as XML.
    pub(super) answers: mpsc::Sender<Vec<u8>>,
}

impl Taking {
    /// Reads until the stream ends.
    pub(super) async fn run(self, mut reader: Reader) -> Lost {
        loop {
            match reader.next().await {
                Ok(Incoming::Stanza(stanza)) => self.stanza(*stanza),
                Ok(Incoming::Malformed(known)) => {
                    tracing::debug!(from = known.from, name = known.name, id = known.id, "malformed stanza");
                    self.malformed(known.from.as_deref());
                    if let Some(answer) = refuse::malformed(&known, self.domain.as_str()) {
                        self.answer(answer);
                    }
                }
                Ok(Incoming::StreamError(condition)) => return Lost::StreamError(condition),
                Ok(Incoming::Copy) => self.inbox.copy(),
                Ok(Incoming::Handshake | Incoming::Other) => {}
                Err(lost) => return lost,
            }
        }
    }

    fn stanza(&self, stanza: Stanza) {
        let (from, to) = match &stanza {
            Stanza::Iq(iq) => (iq.from(), iq.to()),
            Stanza::Message(message) => (message.from.as_ref(), message.to.as_ref()),
            Stanza::Presence(presence) => (presence.from.as_ref(), presence.to.as_ref()),
        };
        let (Some(from), Some(to)) = (from.cloned(), to.cloned()) else {
            self.malformed(from.map(Jid::as_str));
            return;
        };
        if to.domain() != self.domain.domain() {
            self.malformed(Some(from.as_str()));
            return;
        }
        if from.domain() == self.domain.domain() {
            self.own(&stanza);
            return;
        }
        let Err(refused) = self.inbox.deliver(Event { from, to, stanza }) else {
            return;
        };
        let (event, why) = *refused;
        let Some((mut stanza, to)) = refuse::unwanted(event, why) else {
            return;
        };
        let mut answer = Vec::new();
        if encode(&mut answer, &mut stanza, &[to]).is_ok() {
            self.answer(answer);
        }
    }

    /// Our own domain speaks to us by pings alone; all else would be a loop.
    fn own(&self, stanza: &Stanza) {
        match stanza {
            Stanza::Iq(Iq::Get { id, .. }) if id.starts_with(&self.nonce) => {
                // As many as the queue holds are never on their way.
                let _ = self.echoes.try_send(id.clone());
            }
            _ => count(&self.dropped.own),
        }
    }

    fn malformed(&self, from: Option<&str>) {
        count(&self.dropped.malformed);
        self.inbox.malformed(from);
    }

    fn answer(&self, answer: Vec<u8>) {
        if self.answers.try_send(answer).is_err() {
            count(&self.dropped.answers);
        }
    }
}
