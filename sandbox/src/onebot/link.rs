//! One connection with an application, whoever opened it.
//!
//! One task per connection. It ends with the connection, with the program ([`Link::end`]) or with the sandbox.
//!
//! ```text
//! opened ─► lifecycle ─► calls are answered, events and heartbeats written ─► closed
//! ```

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{Future, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;

use super::call::{self, When};
use super::event;
use super::frame::{self, Frame};
use super::power::come_back;
use super::tell::is_reached;
use super::view::View;
use crate::log::{Entry, Fate};
use crate::state::Shared;
use crate::store::StoreError;

/// The most frames that wait for a client that does not read.
const QUEUE: usize = 16_384;
/// The largest frame that is taken, as in `NapCat`.
const LARGEST_FRAME: usize = 50 * 1024 * 1024;
/// How long writing one frame may take.
const WRITE_TIME: Duration = Duration::from_secs(60);
/// How long answers are held back to be mixed up.
const HOLD_TIME: Duration = Duration::from_secs(2);

/// A connection as the face knows it.
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: u64,
    pub(crate) qq: i64,
    /// Whether it takes calls.
    pub(crate) calls: bool,
    /// Whether it gets events.
    pub(crate) events: bool,
    /// Whether nothing is ever said on it.
    pub(crate) silent: bool,
    /// Whether the program opened it.
    pub(crate) outgoing: bool,
    /// Unix seconds.
    pub(crate) since: i64,
    sender: mpsc::Sender<Frame>,
    stop: CancellationToken,
}

impl Link {
    /// Hands a frame to the connection; one from which nobody reads is ended.
    pub(super) fn give(&self, frame: Frame) {
        if self.silent || self.stop.is_cancelled() {
            return;
        }
        if let Err(mpsc::error::TrySendError::Full(_)) = self.sender.try_send(frame) {
            tracing::warn!(
                qq = self.qq,
                connection = self.id,
                "{QUEUE} frames wait and nobody reads: the connection is ended"
            );
            self.stop.cancel();
        }
    }

    /// Ends the connection.
    pub(super) fn end(&self) {
        self.stop.cancel();
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose {
    pub(super) qq: i64,
    pub(super) calls: bool,
    pub(super) events: bool,
    pub(super) outgoing: bool,
}

/// The limits of a connection.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(LARGEST_FRAME))
        .max_frame_size(Some(LARGEST_FRAME))
}

/// A connection that was entered into the face's list.
struct Opened {
    id: u64,
    frames: mpsc::Receiver<Frame>,
    stop: CancellationToken,
    silent: bool,
    heartbeat: u64,
    hello: Option<String>,
}

fn open(shared: &Arc<Shared>, purpose: Purpose) -> Result<Option<Opened>, StoreError> {
    shared.run(|state| {
        come_back(state, purpose.qq)?;
        let silent = state.faults.take("silent_socket", purpose.qq, |_| true).is_some();
        let Some(view) = View::of(state, purpose.qq) else {
            return Ok(None);
        };
        let usual = u64::try_from(view.dialect.heartbeat.as_millis()).unwrap_or(0);
        let heartbeat = view.account.heartbeat.unwrap_or(usual);
        let hello = (purpose.events && !silent).then(|| event::lifecycle(&view).to_string());
        let (sender, frames) = mpsc::channel(QUEUE);
        let stop = shared.stop.child_token();
        state.onebot.last_link += 1;
        let id = state.onebot.last_link;
        let Purpose {
            qq,
            calls,
            events,
            outgoing,
        } = purpose;
        state.onebot.links.push(Link {
            id,
            qq,
            calls,
            events,
            silent,
            outgoing,
            since: state.clock.now(),
            sender,
            stop: stop.clone(),
        });
        let way = if outgoing {
            "to the application"
        } else {
            "from the application"
        };
        let what = match (calls, events) {
            (true, true) => "calls and events",
            (true, false) => "calls",
            (false, true) => "events",
            (false, false) => "nothing",
        };
        let detail = format!("connection {id} {way} is open, for {what}");
        state.log(Entry::aside("onebot", Some(qq), Fate::Answered, detail))?;
        Ok(Some(Opened {
            id,
            frames,
            stop,
            silent,
            heartbeat,
            hello,
        }))
    })
}

fn close(shared: &Arc<Shared>, qq: i64, id: u64, why: &str) -> Result<(), StoreError> {
    shared.run(|state| {
        state.onebot.links.retain(|link| link.id != id);
        state.log(Entry::aside(
            "onebot",
            Some(qq),
            Fate::Answered,
            format!("connection {id} is closed: {why}"),
        ))
    })
}

/// Serves a connection until it ends.
pub(super) async fn serve<S>(socket: WebSocketStream<S>, shared: &Arc<Shared>, purpose: Purpose)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let opened = match open(shared, purpose) {
        Ok(Some(opened)) => opened,
        Ok(None) => return,
        Err(error) => {
            tracing::debug!(%error, "a connection could not be served");
            return;
        }
    };
    let id = opened.id;
    let mut talk = Talk {
        socket,
        shared: shared.clone(),
        purpose,
        link: id,
        silent: opened.silent,
        stop: opened.stop.clone(),
        late: FuturesUnordered::new(),
        held: Vec::new(),
        release: None,
    };
    let why = talk.run(opened).await;
    if let Err(error) = close(shared, purpose.qq, id, &why) {
        tracing::debug!(%error, "the end of a connection could not be written down");
    }
}

type Later = Pin<Box<dyn Future<Output = Frame> + Send>>;

struct Talk<S> {
    socket: WebSocketStream<S>,
    shared: Arc<Shared>,
    purpose: Purpose,
    link: u64,
    silent: bool,
    stop: CancellationToken,
    /// Answers that are given later.
    late: FuturesUnordered<Later>,
    /// Answers that are held back, to be given in reverse order.
    held: Vec<Frame>,
    /// When, and how many are wanted before that.
    release: Option<(Instant, usize)>,
}

impl<S> Talk<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// Says why it ended.
    async fn run(&mut self, opened: Opened) -> String {
        let Opened {
            mut frames,
            stop,
            heartbeat,
            hello,
            ..
        } = opened;
        if let Some(hello) = hello
            && !self.write(Frame::Text(hello)).await
        {
            return "the first frame could not be written".to_owned();
        }
        let beats = self.purpose.events && heartbeat > 0 && !self.silent;
        let period = Duration::from_millis(heartbeat.max(1));
        let mut beat = interval_at(Instant::now() + period, period);
        loop {
            let release = self.release.map_or_else(Instant::now, |(at, _)| at);
            let on = tokio::select! {
                biased;
                () = stop.cancelled() => {
                    let _ = timeout(Duration::from_secs(1), self.socket.close(None)).await;
                    return "the program ended it".to_owned();
                }
                Some(frame) = frames.recv() => self.write(frame).await,
                Some(frame) = self.late.next() => self.write(frame).await,
                () = sleep_until(release), if self.release.is_some() => self.let_go().await,
                _ = beat.tick(), if beats => self.beat(heartbeat).await,
                message = self.socket.next() => match message {
                    Some(Ok(message)) => self.hear(message, &mut frames).await,
                    Some(Err(error)) => return format!("it broke: {error}"),
                    None => return "the application closed it".to_owned(),
                },
            };
            if !on {
                return "the last frame was written, or could not be".to_owned();
            }
        }
    }

    async fn write(&mut self, frame: Frame) -> bool {
        let writing = timeout(WRITE_TIME, frame::write(&mut self.socket, frame, self.purpose.outgoing));
        tokio::select! {
            () = self.stop.cancelled() => false,
            written = writing => matches!(written, Ok(Ok(true))),
        }
    }

    async fn beat(&mut self, interval: u64) -> bool {
        let qq = self.purpose.qq;
        let event = self.shared.run(|state| {
            // A program that does not know that it is off the line is cheerful.
            let online = is_reached(state, qq) || state.faults.has("silent_offline", qq);
            Ok(View::of(state, qq).map(|view| event::heartbeat(&view, interval, online).to_string()))
        });
        match event {
            Ok(Some(event)) => self.write(Frame::Text(event)).await,
            _ => false,
        }
    }

    async fn hear(&mut self, message: Message, frames: &mut mpsc::Receiver<Frame>) -> bool {
        let text = match &message {
            Message::Text(text) => text.as_str(),
            Message::Binary(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            _ => return true,
        };
        if self.silent || !self.purpose.calls {
            return true;
        }
        let answers = match call::answer(&self.shared, self.purpose.qq, self.link, text) {
            Ok(answers) => answers,
            Err(error) => {
                tracing::debug!(%error, "a call could not be served");
                return false;
            }
        };
        // What follows from a call may be told before it is answered.
        if answers.after_events {
            while let Ok(frame) = frames.try_recv() {
                if !self.write(frame).await {
                    return false;
                }
            }
        }
        match answers.frame {
            None => true,
            Some((frame, When::Now)) => self.write(frame).await,
            Some((frame, When::Later(delay))) => {
                self.late.push(Box::pin(async move {
                    sleep(delay).await;
                    frame
                }));
                true
            }
            Some((frame, When::Held(size))) => {
                self.held.push(frame);
                let (_, wanted) = *self.release.get_or_insert((Instant::now() + HOLD_TIME, size));
                self.held.len() < wanted || self.let_go().await
            }
        }
    }

    async fn let_go(&mut self) -> bool {
        self.release = None;
        for frame in std::mem::take(&mut self.held).into_iter().rev() {
            if !self.write(frame).await {
                return false;
            }
        }
        true
    }
}
