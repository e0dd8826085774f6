//! The writer: from the link's channel to the stream, in batches with one write each, with the barrier behind what is awaited.
//!
//! ```text
//! link ──batches──► pending ──as much as the barrier's window allows──► buffer ──► stream
//! ```

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use jid::BareJid;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use xmpp_parsers::ns;

use super::barrier::Barrier;
use super::probe::{Probe, Verdict};
use super::reader::{Dropped, count};
use crate::xmpp::Outgoing;
use crate::xmpp::link::Batch;
use crate::xmpp::stream::{Lost, Writer, encode, push, push_escaped};

/// Written at the latest when so much is in the buffer …
const FLUSH_BYTES: usize = 64 << 10;
/// … or so many stanzas.
const FLUSH_STANZAS: usize = 256;
/// How long a clean stop may take.
const STOP: Duration = Duration::from_secs(2);
/// How often we ping ourselves.
const MINUTE: Duration = Duration::from_secs(60);

/// A stanza that was taken from the link and is not in the buffer yet.
pub(super) struct Pending {
    outgoing: Outgoing,
    /// So many of its recipients have been served.
    served: usize,
    /// Who waits for the barrier behind it.
    receipts: Vec<oneshot::Sender<()>>,
}

/// The sending side of one stream.
pub(super) struct Sending {
    pub(super) writer: Writer,
    pub(super) domain: BareJid,
    pub(super) nonce: String,
    pub(super) dropped: Arc<Dropped>,
    pub(super) batches: mpsc::Receiver<Batch>,
    pub(super) answers: mpsc::Receiver<Vec<u8>>,
    pub(super) echoes: mpsc::Receiver<String>,
    pub(super) barrier: Barrier,
    pub(super) probe: Probe,
    pub(super) pending: VecDeque<Pending>,
    pub(super) buffer: Vec<u8>,
    pub(super) buffered: usize,
}

impl Sending {
    /// Writes until the stream is lost, or all is written after `shutdown`. `verdict` hears whether we are alone.
    pub(super) async fn run(&mut self, shutdown: &CancellationToken, verdict: impl Fn(Verdict)) -> Result<(), Lost> {
        let mut minute = interval(MINUTE);
        minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop_at: Option<Instant> = None;
        let mut open = true;
        let mut taken = Vec::new();
        loop {
            if stop_at.is_some() && !open && self.pending.is_empty() && self.barrier.is_idle() {
                return Ok(());
            }
            tokio::select! {
                () = shutdown.cancelled(), if stop_at.is_none() => {
                    self.batches.close();
                    stop_at = Some(Instant::now() + STOP);
                }
                () = at(stop_at) => return Ok(()),
                n = self.batches.recv_many(&mut taken, 64), if open && self.pending.is_empty() => {
                    open = n > 0;
                    self.take(&mut taken);
                }
                Some(answer) = self.answers.recv() => {
                    self.buffer.extend_from_slice(&answer);
                    self.buffered += 1;
                }
                Some(id) = self.echoes.recv() => self.came_back(&id, &verdict),
                _ = minute.tick() => self.ping_ourselves(),
                () = at(self.probe.deadline()) => verdict(self.probe.expire()),
                () = at(self.barrier.deadline()) => self.barrier_late(&verdict)?,
            }
            self.write_on().await?;
            self.close_batch(!self.pending.is_empty());
            self.flush().await?;
        }
    }

    fn take(&mut self, taken: &mut Vec<Batch>) {
        for batch in taken.drain(..) {
            self.pending.extend(batch.stanzas.into_iter().map(|outgoing| Pending {
                outgoing,
                served: 0,
                receipts: Vec::new(),
            }));
            let Some(receipt) = batch.receipt else { continue };
            match self.pending.back_mut() {
                Some(last) => last.receipts.push(receipt),
                None => self.barrier.awaited(receipt, Instant::now()),
            }
        }
    }

    /// Writes what is pending until there is nothing more, or the window is full: then the barrier under way is waited for.
    async fn write_on(&mut self) -> Result<(), Lost> {
        while !self.barrier.is_full()
            && let Some(mut next) = self.pending.pop_front()
        {
            let upto = next.outgoing.to.len().min(next.served + FLUSH_STANZAS);
            if self.put(&mut next.outgoing, next.served..upto) && upto < next.outgoing.to.len() {
                next.served = upto;
                self.pending.push_front(next);
            } else {
                for receipt in next.receipts {
                    self.barrier.awaited(receipt, Instant::now());
                }
            }
            let more = !self.pending.is_empty() || !self.batches.is_empty();
            self.close_batch(more);
            if self.buffer.len() >= FLUSH_BYTES || self.buffered >= FLUSH_STANZAS {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Puts the barrier behind what is in the buffer, when its time has come.
    fn close_batch(&mut self, more: bool) {
        if let Some(id) = self.barrier.due(&self.nonce, more, Instant::now()) {
            self.ping(&id);
        }
    }

    /// Puts a stanza into the buffer, for some of its recipients. False when it cannot be sent to anybody.
    fn put(&mut self, outgoing: &mut Outgoing, recipients: Range<usize>) -> bool {
        let from = match &outgoing.stanza {
            tokio_xmpp::Stanza::Iq(iq) => iq.from(),
            tokio_xmpp::Stanza::Message(message) => message.from.as_ref(),
            tokio_xmpp::Stanza::Presence(presence) => presence.from.as_ref(),
        };
        if from.is_none_or(|from| from.domain() != self.domain.domain()) {
            tracing::error!(
                from = from.map(tracing::field::display),
                "a stanza from outside our domain was dropped"
            );
            count(&self.dropped.unsendable);
            return false;
        }
        let from = from.cloned();
        let to = &outgoing.to[recipients];
        if let Err(error) = encode(&mut self.buffer, &mut outgoing.stanza, to) {
            tracing::error!(from = from.map(tracing::field::display), %error, "a stanza was dropped");
            count(&self.dropped.unsendable);
            return false;
        }
        self.buffered += to.len();
        self.barrier.wrote(to.len());
        true
    }

    fn ping(&mut self, id: &str) {
        let domain = self.domain.as_str();
        let out = &mut self.buffer;
        push(out, &["<iq type='get' from='"]);
        push_escaped(out, domain);
        push(out, &["' to='"]);
        push_escaped(out, domain);
        push(out, &["' id='", id, "'><ping xmlns='", ns::PING, "'/></iq>"]);
    }

    fn ping_ourselves(&mut self) {
        for id in self.probe.begin(&self.nonce, Instant::now()) {
            self.ping(&id);
        }
    }

    fn came_back(&mut self, id: &str, verdict: &impl Fn(Verdict)) {
        if self.barrier.came_back(id) {
            return;
        }
        if let Some(found) = self.probe.came_back(id) {
            verdict(found);
        }
    }

    /// The deadline passed; a slow write may have kept us from reading that the barrier is back.
    fn barrier_late(&mut self, verdict: &impl Fn(Verdict)) -> Result<(), Lost> {
        while let Ok(id) = self.echoes.try_recv() {
            self.came_back(&id, verdict);
        }
        match self.barrier.deadline() {
            Some(deadline) if deadline <= Instant::now() => Err(Lost::BarrierLost),
            _ => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), Lost> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.writer.write(&self.buffer).await?;
        self.buffer.clear();
        self.buffer.shrink_to(4 * FLUSH_BYTES);
        self.buffered = 0;
        Ok(())
    }
}

/// Sleeps until then; for ever without a time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
