//! A raw Jabber client: one account, one resource, plain TCP. It sends what it is told, hands out whole stanzas in their order,
//! and adds nothing of its own but the answer to pings, which every real client gives.
//!
//! ```text
//!  socket ──▶ reader task (splits, answers pings) ──▶ channel, bounded ──▶ wait(): asked-for stanza
//!                                                                              └──▶ inbox: what was skipped, for later
//! ```
//!
//! A client that nobody waits on stops reading when its channel is full, like a client with a full phone.

mod login;
mod moderator;
mod reader;
mod room;
mod stanza;
mod stream;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use minidom::Element;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Server;
pub use login::{Account, log_in_socket};
pub use moderator::{Moderation, RoomConfig, Whom};
use reader::{Arrival, Reader};
pub use room::Join;
pub use stanza::{Stanza, escape, ns};

/// How long a wait takes at most, unless [`Jabber::set_limit`] says otherwise.
const LIMIT: Duration = Duration::from_secs(10);
/// Several hundred logins at once take their time.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);
/// How many stanzas lie between the reader task and the test.
const CHANNEL: usize = 4096;
/// How many skipped stanzas are kept; more is a test that forgot [`Jabber::take_all`].
const INBOX: usize = 100_000;
/// How many stanzas a failed wait shows.
const SHOWN: usize = 12;

/// A logged-in client. Dropped, its connection ends without a footer.
pub struct Jabber {
    jid: String,
    limit: Duration,
    arrivals: mpsc::Receiver<Arrival>,
    inbox: VecDeque<Element>,
    recent: VecDeque<Element>,
    ended: Option<String>,
    writer: Arc<Mutex<OwnedWriteHalf>>,
    answers_pings: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

impl Jabber {
    /// Logs in one of the server's accounts, whose password is the name. Sends no presence: see
    /// [`come_online`](Self::come_online).
    pub async fn connect(server: &Server, user: &str, resource: &str) -> anyhow::Result<Self> {
        Self::log_in(&Account {
            address: server.address(),
            port: server.c2s_port(),
            domain: server.domain().to_owned(),
            user: user.to_owned(),
            password: user.to_owned(),
            resource: resource.to_owned(),
        })
        .await
    }

    /// Logs in any account of a server of this machine.
    pub async fn log_in(account: &Account) -> anyhow::Result<Self> {
        let who = format!(
            "{}@{} at {}:{}",
            account.user, account.domain, account.address, account.port
        );
        let bound = timeout(LOGIN_LIMIT, login::log_in(account))
            .await
            .map_err(|_| anyhow!("no login of {who} within {LOGIN_LIMIT:?}"))?
            .with_context(|| format!("cannot log in {who}"))?;
        let (read, write) = bound.socket.into_split();
        let (sender, arrivals) = mpsc::channel(CHANNEL);
        let writer = Arc::new(Mutex::new(write));
        let answers_pings = Arc::new(AtomicBool::new(true));
        let reader = Reader {
            read,
            splitter: bound.splitter,
            rest: bound.rest,
            sender,
            writer: writer.clone(),
            answers_pings: answers_pings.clone(),
        };
        Ok(Self {
            jid: bound.jid,
            limit: LIMIT,
            arrivals,
            inbox: VecDeque::new(),
            recent: VecDeque::new(),
            ended: None,
            writer,
            answers_pings,
            reader: tokio::spawn(reader.run()),
        })
    }

    /// The full address that the server bound.
    pub fn jid(&self) -> &str {
        &self.jid
    }

    /// The address without the resource.
    pub fn bare_jid(&self) -> &str {
        self.jid.split_once('/').map_or(&self.jid, |(bare, _)| bare)
    }

    /// Changes how long every wait takes at most (at first ten seconds).
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Whether pings (XEP-0199) are answered (at first they are). They are handed out like other stanzas in any case.
    pub fn set_answers_pings(&mut self, answers: bool) {
        self.answers_pings.store(answers, Ordering::Relaxed);
    }

    /// Sends XML as it is.
    pub async fn send(&mut self, xml: impl AsRef<str>) -> anyhow::Result<()> {
        let xml = xml.as_ref();
        let write = async { self.writer.lock().await.write_all(xml.as_bytes()).await };
        match timeout(self.limit, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(anyhow!("{}: cannot send: {error}\n{}", self.jid, self.seen())),
            Err(_) => bail!(
                "{}: the server did not take {} bytes within {:?}",
                self.jid,
                xml.len(),
                self.limit
            ),
        }
    }

    /// Sends the initial presence, so that messages to the bare address arrive here.
    pub async fn come_online(&mut self) -> anyhow::Result<()> {
        self.send("<presence/>").await
    }

    /// The oldest stanza not handed out yet.
    pub async fn recv(&mut self) -> anyhow::Result<Element> {
        self.wait(|_| true, "any stanza").await
    }

    /// The oldest stanza not handed out yet that `wanted` says yes to. The ones before it stay in the inbox, in order.
    pub async fn wait(&mut self, mut wanted: impl FnMut(&Element) -> bool, what: &str) -> anyhow::Result<Element> {
        if let Some(index) = self.inbox.iter().position(&mut wanted) {
            return Ok(self.inbox.remove(index).expect("the position was found in the inbox"));
        }
        let end = Instant::now() + self.limit;
        loop {
            let stanza = self.arrival(end, what).await?;
            if wanted(&stanza) {
                return Ok(stanza);
            }
            self.keep(stanza)?;
        }
    }

    /// How the stream has ended, when it has and [`take_all`](Self::take_all) or a wait came to its end.
    pub fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// Waits until the stream has ended and says how: the server's stream error, its footer, or the break.
    pub async fn wait_end(&mut self) -> anyhow::Result<String> {
        let end = Instant::now() + self.limit;
        while self.ended.is_none() {
            if let Ok(stanza) = self.arrival(end, "the end of the stream").await {
                self.keep(stanza)?;
            } else if self.ended.is_none() {
                bail!(
                    "{}: the stream did not end within {:?}\n{}",
                    self.jid,
                    self.limit,
                    self.seen()
                );
            }
        }
        Ok(self.ended.clone().unwrap_or_default())
    }

    /// Everything that has arrived and was not handed out, in order.
    pub fn take_all(&mut self) -> Vec<Element> {
        // A full inbox is no error here: it is emptied.
        while let Ok(arrival) = self.arrivals.try_recv() {
            if let Some(stanza) = self.note(arrival) {
                self.inbox.push_back(stanza);
            }
        }
        self.inbox.drain(..).collect()
    }

    /// Sends an iq with a fresh id and waits for its result or error. Without `to` it goes to the own account.
    pub async fn iq(&mut self, to: &str, kind: &str, payload: &str) -> anyhow::Result<Element> {
        let id = fresh_id();
        let address = if to.is_empty() {
            String::new()
        } else {
            format!(" to='{}'", escape(to))
        };
        self.send(format!("<iq type='{kind}' id='{id}'{address}>{payload}</iq>"))
            .await?;
        let is_answer = |el: &Element| el.name() == "iq" && el.id() == id && matches!(el.kind(), "result" | "error");
        self.wait(is_answer, &format!("the answer of {to} to {payload}")).await
    }

    /// Pings `to` and waits for any answer. What `to` had sent us before it answered is then in the inbox, so
    /// [`take_all`](Self::take_all) can show that something did *not* come.
    pub async fn sync(&mut self, to: &str) -> anyhow::Result<()> {
        self.iq(to, "get", &format!("<ping xmlns='{}'/>", ns::PING))
            .await
            .map(drop)
    }

    /// Breaks the connection: no footer, no presence, an RST instead of a FIN.
    pub async fn abort(mut self) -> anyhow::Result<()> {
        self.writer
            .lock()
            .await
            .as_ref()
            .set_zero_linger()
            .context("cannot set SO_LINGER")?;
        self.reader.abort();
        // The socket closes when both halves are gone; the task owns one.
        let _ = (&mut self.reader).await;
        Ok(())
    }

    /// Ends the stream as a client should, and waits for the server's end.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.send("</stream:stream>").await?;
        self.wait_end().await.map(drop)
    }

    /// The next stanza from the wire.
    async fn arrival(&mut self, end: Instant, what: &str) -> anyhow::Result<Element> {
        while self.ended.is_none() {
            let Ok(arrival) = timeout_at(end, self.arrivals.recv()).await else {
                bail!("{}: no {what} within {:?}\n{}", self.jid, self.limit, self.seen());
            };
            let arrival = arrival.unwrap_or_else(|| Arrival::End("the reader ended".to_owned()));
            if let Some(stanza) = self.note(arrival) {
                return Ok(stanza);
            }
        }
        let how = self.ended.as_deref().unwrap_or_default();
        bail!("{}: no {what}, the stream ended: {how}\n{}", self.jid, self.seen())
    }

    fn note(&mut self, arrival: Arrival) -> Option<Element> {
        match arrival {
            Arrival::Stanza(stanza) => {
                if self.recent.len() == SHOWN {
                    self.recent.pop_front();
                }
                self.recent.push_back((*stanza).clone());
                Some(*stanza)
            }
            Arrival::End(how) => {
                self.ended = Some(how);
                None
            }
        }
    }

    fn keep(&mut self, stanza: Element) -> anyhow::Result<()> {
        if self.inbox.len() == INBOX {
            bail!(
                "{}: {INBOX} stanzas in the inbox that nobody asked for; call take_all",
                self.jid
            );
        }
        self.inbox.push_back(stanza);
        Ok(())
    }

    /// The last stanzas from the wire, for messages.
    fn seen(&self) -> String {
        let mut text = format!("--- last {} stanzas of {} ---", self.recent.len(), self.jid);
        for stanza in &self.recent {
            let _ = write!(text, "\n{}", stanza.xml());
        }
        text
    }
}

impl Drop for Jabber {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// An id that no other client of this process uses.
pub fn fresh_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("lab-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
