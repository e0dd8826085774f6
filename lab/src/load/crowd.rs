//! Many clients whose arrivals are counted and not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;

use super::{Marks, Tally};
use crate::Server;
use crate::jabber::{Account, log_in_socket};

/// What one client reads at once, at most.
const BUFFER: usize = 64 << 10;
/// How long entering a room takes at most.
const ENTER: Duration = Duration::from_secs(60);

struct Client {
    jid: String,
    writer: OwnedWriteHalf,
    /// Messages that arrived here.
    count: Arc<AtomicU64>,
    reader: JoinHandle<()>,
}

/// Clients of one server, logged in one after the other. What they get is counted by the ends of messages.
pub struct Crowd {
    clients: Vec<Client>,
    tally: Arc<Tally>,
    errors: Arc<AtomicU64>,
}

impl Crowd {
    /// Logs in these accounts, whose passwords are their names.
    pub async fn gather(server: &Server, users: &[String], resource: &str) -> anyhow::Result<Self> {
        let mut crowd = Self {
            clients: Vec::new(),
            tally: Arc::default(),
            errors: Arc::default(),
        };
        for user in users {
            let account = Account {
                address: server.address(),
                port: server.c2s_port(),
                domain: server.domain().to_owned(),
                user: user.clone(),
                password: user.clone(),
                resource: resource.to_owned(),
            };
            let (socket, jid) = log_in_socket(&account).await?;
            let (read, writer) = socket.into_split();
            let count = Arc::new(AtomicU64::new(0));
            let reading = reading(read, count.clone(), crowd.tally.clone(), crowd.errors.clone());
            crowd.clients.push(Client {
                jid,
                writer,
                count,
                reader: tokio::spawn(reading),
            });
        }
        Ok(crowd)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Their full addresses.
    pub fn jids(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().map(|client| client.jid.as_str())
    }

    /// All messages that arrived at anybody.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The messages that arrived at each.
    pub fn counts(&self) -> Vec<u64> {
        let counts = self.clients.iter().map(|client| client.count.load(Ordering::SeqCst));
        counts.collect()
    }

    /// Stanzas of type error that arrived at anybody.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::SeqCst)
    }

    /// One of them writes XML as it is.
    pub async fn write(&mut self, who: usize, xml: &[u8]) -> anyhow::Result<()> {
        let written = self.clients[who].writer.write_all(xml).await;
        written.with_context(|| format!("{} cannot write", self.clients[who].jid))
    }

    /// Everybody enters a room as `c0`, `c1`, …, one after the other, without history: the only message that each gets is the
    /// subject.
    pub async fn enter(&mut self, room: &str) -> anyhow::Result<()> {
        for n in 0..self.len() {
            let join = format!(
                "<presence to='{room}/c{n}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
            );
            let before = self.tally.total();
            self.write(n, join.as_bytes()).await?;
            let entered = self.tally.reach(before + 1, ENTER).await;
            entered.with_context(|| format!("{} does not come into {room}", self.clients[n].jid))?;
        }
        ensure!(self.errors() == 0, "somebody was kept out of {room}");
        Ok(())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for client in &self.clients {
            client.reader.abort();
        }
    }
}

async fn reading(mut socket: OwnedReadHalf, count: Arc<AtomicU64>, tally: Arc<Tally>, errors: Arc<AtomicU64>) {
    let mut messages = Marks::new("</message>");
    let mut refused = Marks::new("type='error'");
    let mut buffer = vec![0; BUFFER];
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        let found = messages.count(&buffer[..n]);
        errors.fetch_add(refused.count(&buffer[..n]), Ordering::SeqCst);
        if found > 0 {
            count.fetch_add(found, Ordering::SeqCst);
            tally.add(found);
        }
    }
}
