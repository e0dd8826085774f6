//! What passes between the component's stream and everybody else: stanzas in, stanzas out, and the proof that the server took them.

use jid::{BareJid, FullJid, Jid};
use tokio::sync::{mpsc, oneshot};
use tokio_xmpp::Stanza;

/// A stanza that came from the server. `from` and `to` are present and valid: the reader saw to it.
#[derive(Debug)]
pub struct Event {
    /// Who sent it; the server vouches for it.
    pub from: Jid,
    /// An address of our domain.
    pub to: Jid,
    /// The stanza itself.
    pub stanza: Stanza,
}

/// Who takes stanzas for the addresses of our domain. Implemented by the gateway; the reader never waits for it.
pub trait Inbox: Send + Sync + 'static {
    /// A stream begins: what is handed over from now on came over it. Said before the link is announced.
    fn opened(&self, link: &Link);

    /// Hands a stanza over, or says why not; then the reader answers where an answer is due.
    fn deliver(&self, event: Event) -> Result<(), Box<(Event, Refused)>>;

    /// A stranger's stanza that could not be parsed was dropped, or answered by its header: count it.
    fn malformed(&self, from: Option<&str>);

    /// A puppet's copy of what happens in a joined room was dropped unread: count it.
    fn copy(&self);
}

/// Why a stanza found no taker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Nobody answers for this address: `item-not-found`.
    NoSuchAddress,
    /// The taker has too much to do: `wait/resource-constraint`.
    Busy,
    /// The taker is starting or the gateway is stopping: `wait/service-unavailable`.
    NotReady,
    /// Nothing can be stored, and so nothing be taken: `wait/resource-constraint`.
    NotStored,
}

/// A stanza to send, to one or many. The writer puts each recipient in `to`; `from` is of our domain.
#[derive(Debug)]
pub struct Outgoing {
    /// The stanza; its own `to` is overwritten.
    pub stanza: Stanza,
    /// Who gets it.
    pub to: Vec<Jid>,
}

impl Outgoing {
    /// For one recipient.
    pub fn one(stanza: impl Into<Stanza>, to: impl Into<Jid>) -> Self {
        Self {
            stanza: stanza.into(),
            to: vec![to.into()],
        }
    }

    /// For many; an empty list sends nothing.
    pub fn many(stanza: impl Into<Stanza>, to: impl IntoIterator<Item = FullJid>) -> Self {
        Self {
            stanza: stanza.into(),
            to: to.into_iter().map(Jid::from).collect(),
        }
    }
}

/// The way out over one connection to the server. A new connection is a new `Link`: what was meant for the old one cannot
/// slip into the new. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Link {
    domain: BareJid,
    batches: mpsc::Sender<Batch>,
}

/// What the writer task takes: stanzas to write in order, and who waits for the barrier behind them.
#[derive(Debug)]
pub struct Batch {
    /// In order.
    pub stanzas: Vec<Outgoing>,
    /// Answered when the server has taken them; dropped when the stream ended before.
    pub receipt: Option<oneshot::Sender<()>>,
}

/// Room for one batch, held for whoever reserved it.
#[derive(Debug)]
pub struct Permit(mpsc::OwnedPermit<Batch>);

impl Permit {
    /// Writes stanzas without waiting, and gives the receipt for them.
    pub fn write(self, stanzas: Vec<Outgoing>) -> Receipt {
        let (receipt, rx) = oneshot::channel();
        self.0.send(Batch {
            stanzas,
            receipt: Some(receipt),
        });
        Receipt(rx)
    }
}

/// The connection is gone; a new one will be announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection to the XMPP server was lost")]
pub struct LinkLost;

/// Resolves when the server has certainly taken the batch (a ping from our domain to itself came back behind it).
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<()>);

impl Receipt {
    /// Waits for the barrier.
    pub async fn taken(&mut self) -> Result<(), LinkLost> {
        (&mut self.0).await.map_err(|_| LinkLost)
    }
}

impl Link {
    /// A link and the writer's end of it, holding at most `depth` batches.
    pub fn new(domain: BareJid, depth: usize) -> (Self, mpsc::Receiver<Batch>) {
        let (batches, rx) = mpsc::channel(depth);
        (Self { domain, batches }, rx)
    }

    /// The domain that every `from` must be in.
    pub fn domain(&self) -> &BareJid {
        &self.domain
    }

    /// Whether both are the way out over the same connection.
    pub fn same(&self, other: &Self) -> bool {
        self.batches.same_channel(&other.batches)
    }

    /// Writes stanzas, waiting while the server is slow, and gives the receipt for them.
    pub async fn write(&self, stanzas: Vec<Outgoing>) -> Result<Receipt, LinkLost> {
        let (receipt, rx) = oneshot::channel();
        self.batches
            .send(Batch {
                stanzas,
                receipt: Some(receipt),
            })
            .await
            .map_err(|_| LinkLost)?;
        Ok(Receipt(rx))
    }

    /// Writes stanzas that nobody needs a proof for: answers, errors, presence of the gateway.
    pub async fn post(&self, stanzas: Vec<Outgoing>) -> Result<(), LinkLost> {
        self.batches
            .send(Batch { stanzas, receipt: None })
            .await
            .map_err(|_| LinkLost)
    }

    /// Waits until the writer has room for one batch, without having rendered it yet.
    pub async fn reserve(&self) -> Result<Permit, LinkLost> {
        self.batches
            .clone()
            .reserve_owned()
            .await
            .map(Permit)
            .map_err(|_| LinkLost)
    }

    /// As [`Link::post`], but drops the stanzas when the writer has no room: for answers that a flood asks for.
    pub fn try_post(&self, stanzas: Vec<Outgoing>) -> bool {
        self.batches.try_send(Batch { stanzas, receipt: None }).is_ok()
    }
}
