//! The component against a scripted server, and against real ones where they are installed.

mod fake;
mod joined;
mod real;
mod scripted;
mod server;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::component::Dropped;
use super::{Component, Event, Inbox, Link, Outgoing, Refused, Settings, State, Status};
use xmpp_parsers::message::{Lang, Message};

const PATIENCE: Duration = Duration::from_secs(20);

/// Keeps what it gets, or refuses it.
struct Recorder {
    events: mpsc::Sender<Event>,
    refuse: Mutex<Option<Refused>>,
    malformed: mpsc::Sender<String>,
    copies: AtomicU64,
}

impl Inbox for Recorder {
    fn opened(&self, _link: &Link) {}

    fn deliver(&self, event: Event) -> Result<(), Box<(Event, Refused)>> {
        let refuse = *self.refuse.lock().unwrap();
        match refuse {
            Some(why) => Err(Box::new((event, why))),
            None => self
                .events
                .try_send(event)
                .map_err(|error| Box::new((error.into_inner(), Refused::Busy))),
        }
    }

    fn malformed(&self, from: Option<&str>) {
        let _ = self.malformed.try_send(from.unwrap_or_default().to_owned());
    }

    fn copy(&self) {
        self.copies.fetch_add(1, Ordering::Relaxed);
    }
}

/// A component at work.
struct Running {
    status: watch::Receiver<Status>,
    events: mpsc::Receiver<Event>,
    malformed: mpsc::Receiver<String>,
    inbox: Arc<Recorder>,
    dropped: Arc<Dropped>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(server: &str, domain: &str, secret: &str) -> Self {
        let (event_tx, events) = mpsc::channel(100_000);
        let (malformed_tx, malformed) = mpsc::channel(100_000);
        let inbox = Arc::new(Recorder {
            events: event_tx,
            refuse: Mutex::new(None),
            malformed: malformed_tx,
            copies: AtomicU64::default(),
        });
        let settings = Settings {
            domain: domain.parse().unwrap(),
            server: server.to_owned(),
            secret: SecretString::from(secret),
        };
        let shutdown = CancellationToken::new();
        let (component, status) = Component::new(settings, inbox.clone(), shutdown.clone());
        Self {
            status,
            events,
            malformed,
            inbox,
            dropped: component.dropped(),
            shutdown,
            task: tokio::spawn(component.run()),
        }
    }

    async fn until(&mut self, what: impl FnMut(&Status) -> bool) -> Status {
        timeout(PATIENCE, self.status.wait_for(what))
            .await
            .expect("a status in time")
            .unwrap()
            .clone()
    }

    async fn online(&mut self) -> Link {
        self.until(|status| status.link.is_some()).await.link.unwrap()
    }

    async fn operator(&mut self) -> String {
        let status = self
            .until(|status| matches!(status.state, State::NeedsOperator(_)))
            .await;
        let State::NeedsOperator(what) = status.state else {
            unreachable!()
        };
        what
    }

    async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("an event in time")
            .unwrap()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.expect("a stop in time").unwrap();
    }
}

fn chat(from: &str, to: &str, body: &str) -> Outgoing {
    let mut message = Message::chat(None);
    message.from = Some(from.parse().unwrap());
    message.bodies.insert(Lang::new(), body.into());
    Outgoing::one(message, to.parse::<jid::Jid>().unwrap())
}
