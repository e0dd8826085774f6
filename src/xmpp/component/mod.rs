//! The component: keeps one stream to the XMPP server for our domain, for ever, and says what the operator should know.
//!
//! ```text
//! Starting ──handshake──► Online ◄──all pings back── Degraded(another connection answers for the domain)
//!    ▲                      │  └──────a ping missing──────►┘
//!    └── wait (policy) ◄────┴── lost ─► Degraded(why) ─► NeedsOperator(what to do)
//! ```
//!
//! One supervised future runs the connection and its writer; the reader is a task of its own, so that neither waits for the other.
//! Knows the stream and the link; knows nothing of rooms.

mod barrier;
mod policy;
mod probe;
mod reader;
mod refuse;
mod writer;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jid::BareJid;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::stream::{self, Lost, Reader, Writer};
use super::{Inbox, Link};
use policy::{Plan, Policy};
use probe::Verdict;
pub use reader::Dropped;
use reader::Taking;
use writer::Sending;

/// Batches that the link holds before a writer of stanzas waits. Few: who waits is served in turn, so that a busy room is never
/// more than its own next batch ahead of a quiet one.
const LINK_DEPTH: usize = 4;
/// Answers of the reader that wait for the writer.
const ANSWERS: usize = 256;
/// How long we listen for the server's goodbye.
const GOODBYE: Duration = Duration::from_millis(500);

/// Where and as what to connect.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our domain.
    pub domain: BareJid,
    /// The server's component port, `host:port`.
    pub server: String,
    /// The shared secret.
    pub secret: SecretString,
}

/// How the component fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No stream has come about yet.
    Starting,
    /// All is well.
    Online,
    /// Something is wrong that may mend itself.
    Degraded(String),
    /// Something is wrong that a person must mend; the text says what to do. It is tried again all the same.
    NeedsOperator(String),
}

/// What the component tells everybody.
#[derive(Debug, Clone)]
pub struct Status {
    /// How it fares.
    pub state: State,
    /// The way out, while there is a stream.
    pub link: Option<Link>,
}

/// The component. Made once; [`Component::run`] is its task.
pub struct Component {
    settings: Settings,
    inbox: Arc<dyn Inbox>,
    shutdown: CancellationToken,
    status: watch::Sender<Status>,
    dropped: Arc<Dropped>,
}

impl Component {
    /// A component that has not connected yet, and where it publishes how it fares.
    pub fn new(
        settings: Settings,
        inbox: Arc<dyn Inbox>,
        shutdown: CancellationToken,
    ) -> (Self, watch::Receiver<Status>) {
        let (status, receiver) = watch::channel(Status {
            state: State::Starting,
            link: None,
        });
        let component = Self {
            settings,
            inbox,
            shutdown,
            status,
            dropped: Arc::default(),
        };
        (component, receiver)
    }

    /// What was dropped since the start, for the metrics.
    pub fn dropped(&self) -> Arc<Dropped> {
        self.dropped.clone()
    }

    /// Keeps the stream until the shutdown token is cancelled; then writes what the link holds (2 s at most) and closes it.
    pub async fn run(self) {
        let mut policy = Policy::new();
        while !self.shutdown.is_cancelled() {
            let Settings { domain, server, secret } = &self.settings;
            let connected = tokio::select! {
                () = self.shutdown.cancelled() => break,
                connected = stream::connect(server, domain.as_str(), secret) => connected,
            };
            let (plan, why) = match connected {
                Err(error) => (policy.refused(&error, Instant::now()), error.to_string()),
                Ok((reader, writer)) => {
                    let start = Instant::now();
                    match self.serve(reader, writer).await {
                        Ok(()) => break,
                        Err(lost) => (policy.lost(&lost, start.elapsed(), Instant::now()), lost.to_string()),
                    }
                }
            };
            tracing::warn!(why, wait = ?plan.wait, "no stream to the XMPP server");
            self.offline(plan.operator.clone(), why);
            self.pause(&plan).await;
        }
        self.status.send_modify(|status| status.link = None);
    }

    async fn pause(&self, plan: &Plan) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = sleep(plan.wait) => {}
        }
    }

    fn offline(&self, operator: Option<String>, why: String) {
        self.status.send_modify(|status| {
            status.link = None;
            status.state = operator.map_or(State::Degraded(why), State::NeedsOperator);
        });
    }

    /// One stream, from its handshake to its end. `Ok` is a clean stop.
    async fn serve(&self, reader: Reader, writer: Writer) -> Result<(), Lost> {
        let domain = self.settings.domain.clone();
        let (link, batches) = Link::new(domain.clone(), LINK_DEPTH);
        let (echoes, returns) = mpsc::channel(64);
        let (answers, answered) = mpsc::channel(ANSWERS);
        let nonce = format!("{:032x}", rand::random::<u128>());
        let taking = Taking {
            domain: domain.clone(),
            inbox: self.inbox.clone(),
            dropped: self.dropped.clone(),
            nonce: nonce.clone(),
            echoes,
            answers,
        };
        let mut sending = Sending {
            writer,
            domain,
            nonce,
            dropped: self.dropped.clone(),
            batches,
            answers: answered,
            echoes: returns,
            barrier: barrier::Barrier::default(),
            probe: probe::Probe::default(),
            pending: VecDeque::new(),
            buffer: Vec::new(),
            buffered: 0,
        };
        self.inbox.opened(&link);
        self.status.send_modify(|status| {
            status.link = Some(link);
            status.state = State::Online;
        });
        tracing::info!(domain = %self.settings.domain, "connected to the XMPP server");
        let mut reading = Reading(tokio::spawn(taking.run(reader)));
        let written = tokio::select! {
            lost = reading.ended() => Err(lost),
            written = sending.run(&self.shutdown, |verdict| self.heard(verdict)) => written,
        };
        if let Err(lost) = written {
            sending.writer.abort();
            if self.shutdown.is_cancelled() {
                return Ok(());
            }
            return Err(lost);
        }
        self.status.send_modify(|status| status.link = None);
        if sending.writer.close().await.is_ok() {
            let _ = timeout(GOODBYE, reading.ended()).await;
        }
        Ok(())
    }

    /// Whether another connection answers for our domain.
    fn heard(&self, verdict: Verdict) {
        let state = match verdict {
            Verdict::Alone => State::Online,
            Verdict::Shared => State::Degraded(
                "another connection answers for the domain and takes a share of its traffic; stop the other gateway"
                    .into(),
            ),
        };
        self.status.send_if_modified(|status| {
            let changed = status.state != state;
            if changed {
                tracing::warn!(?state, "the component's state changed");
                status.state = state;
            }
            changed
        });
    }
}

/// The reader task; ends with its stream.
struct Reading(JoinHandle<Lost>);

impl Reading {
    async fn ended(&mut self) -> Lost {
        match (&mut self.0).await {
            Ok(lost) => lost,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Lost::Closed,
            },
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Logs in twice at the same time and hangs up: whether a half-open connection of ours would keep us out.
pub async fn try_second_login(settings: &Settings) -> Result<(), stream::ConnectError> {
    let Settings { domain, server, secret } = settings;
    let _first = stream::connect(server, domain.as_str(), secret).await?;
    stream::connect(server, domain.as_str(), secret).await.map(drop)
}
