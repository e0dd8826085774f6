//! One WebSocket, whichever side opened it: a task of its own that reads frames into a channel, writes frames out of another,
//! and notices when the other side fell silent. Knows JSON; does not know what a frame says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::json;

/// The biggest frame and message that is read: forwarded records with pictures inside have tens of megabytes.
const BIGGEST: usize = 64 << 20;
/// Frames that may wait in either direction.
const DEPTH: usize = 32;
/// Parsed beside the runtime's threads from this size on.
const LONG: usize = 256 << 10;
/// A frame of the biggest size on a slow line.
const WRITE_PATIENCE: Duration = Duration::from_secs(300);
/// For the other side to take the answer to its close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);
/// Pings that may stay unanswered before the socket counts as dead.
const UNANSWERED: u32 = 3;

/// The limits of both directions.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(BIGGEST))
        .max_frame_size(Some(BIGGEST))
}

/// A frame on its way out. It is taken once: by the writer, and nobody can say any more that the other side did not get it; or
/// by who sent it, and it will never be written.
#[derive(Debug, Clone)]
pub(super) struct Outgoing(Arc<Mutex<Option<Message>>>);

impl Outgoing {
    pub(super) fn text(text: String) -> Self {
        Self::new(Message::text(text))
    }

    fn ping() -> Self {
        Self::new(Message::Ping(Vec::new().into()))
    }

    fn new(message: Message) -> Self {
        Self(Arc::new(Mutex::new(Some(message))))
    }

    /// Takes it back; false when the writer was quicker.
    pub(super) fn withdraw(&self) -> bool {
        self.take().is_some()
    }

    pub(super) fn take(&self) -> Option<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What came in.
#[derive(Debug)]
pub(super) enum Frame {
    Json(Value),
    /// The last one.
    Ended(Ended),
}

/// Why a socket is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ended {
    #[error("the OneBot program closed the connection")]
    Closed,
    /// Close code 1008: the other side's way to refuse a token after the upgrade.
    #[error("the OneBot program closed the connection by its policy")]
    Policy,
    #[error("the OneBot program fell silent")]
    Silent,
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// A running socket. Dropping it, and every clone of its writing end, closes the connection.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) out: mpsc::Sender<Outgoing>,
    pub(super) frames: mpsc::Receiver<Frame>,
}

impl Socket {
    /// Starts the task of a socket that was opened.
    pub(super) fn start<S>(ws: WebSocketStream<S>, ping_every: Duration) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (out, outgoing) = mpsc::channel(DEPTH);
        let (to_reader, frames) = mpsc::channel(DEPTH);
        let (sink, mut stream) = ws.split();
        let writing = Arc::new(AtomicBool::new(false));
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = read(&mut stream, &to_reader, ping_every, &writing) => ended,
                ended = write(sink, outgoing, ping_every, &writing) => ended,
            };
            let closed = matches!(ended, Ended::Closed | Ended::Policy);
            to_reader.send(Frame::Ended(ended)).await.ok();
            if closed {
                timeout(CLOSE_PATIENCE, finish(&mut stream)).await.ok();
            }
        });
        Self { out, frames }
    }
}

/// A close is answered by reading on (RFC 6455, section 5.5.1): who gets no answer takes the connection for broken (1006).
async fn finish<S>(stream: &mut SplitStream<WebSocketStream<S>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(_)) = stream.next().await {}
}

async fn read<S>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    to: &mpsc::Sender<Frame>,
    ping_every: Duration,
    writing: &AtomicBool,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let message = match timeout(ping_every * UNANSWERED, stream.next()).await {
            // No ping goes out meanwhile, so nothing has to come in.
            Err(_) if writing.load(Ordering::Relaxed) => continue,
            Err(_) => return Ended::Silent,
            Ok(None) => return Ended::Closed,
            Ok(Some(Err(error))) => return broken(&error),
            Ok(Some(Ok(message))) => message,
        };
        let text = match message {
            Message::Text(text) => text.as_str().to_owned(),
            Message::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Message::Close(Some(frame)) if frame.code == CloseCode::Policy => return Ended::Policy,
            Message::Close(_) => return Ended::Closed,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
        let parsed = if text.len() < LONG {
            json::parse(&text)
        } else {
            let parsing = tokio::task::spawn_blocking(move || json::parse(&text));
            parsing.await.unwrap_or_else(|error| Err(error.to_string()))
        };
        match parsed {
            Ok(value) => {
                if to.send(Frame::Json(value)).await.is_err() {
                    // Nobody listens any more: the writer closes.
                    std::future::pending::<()>().await;
                }
            }
            Err(error) => tracing::warn!(error, "a OneBot frame is no JSON and was dropped"),
        }
    }
}

async fn write<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut outgoing: mpsc::Receiver<Outgoing>,
    ping_every: Duration,
    writing: &AtomicBool,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ticks = interval_at(Instant::now() + ping_every, ping_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            next = outgoing.recv() => next,
            _ = ticks.tick() => Some(Outgoing::ping()),
        };
        let Some(frame) = next else {
            timeout(Duration::from_secs(1), sink.close()).await.ok();
            return Ended::Closed;
        };
        let Some(message) = frame.take() else { continue };
        writing.store(true, Ordering::Relaxed);
        let sent = timeout(WRITE_PATIENCE, sink.send(message)).await;
        writing.store(false, Ordering::Relaxed);
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return broken(&error),
            Err(_) => return Ended::Silent,
        }
    }
}

fn broken(error: &Error) -> Ended {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Ended::Closed,
        Error::Capacity(_) => Ended::Broken(format!("a frame is bigger than {} MiB", BIGGEST >> 20)),
        error => Ended::Broken(error.to_string()),
    }
}
