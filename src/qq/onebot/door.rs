//! Reverse WebSocket: the `OneBot` programs connect to us. One listener per address, shared by the accounts that name it.
//!
//! ```text
//!  first account ──► bind ──► accept ──► admit (2 s: headers, token) ──► whose? ──► mailbox of the account
//!  last account gone ──► closed                 └─ 401, 403                └─ no X-Self-ID: the first frames tell
//! ```
//!
//! A task per listener, and one per connection until it is handed to its session. Knows tokens and numbers of accounts; what
//! the sockets are used for is the session's.

mod admit;
mod learn;
mod refused;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::socket::Socket;
use crate::config::Secret;
use crate::model::QqNumber;
use refused::Refused;
pub(super) use refused::wrong_number;

/// Connections that have not proven a token yet.
const STRANGERS_MAX: usize = 32;
/// Sockets that a session has not taken yet.
const ARRIVALS: usize = 4;

/// All reverse listeners of the process: each is opened with its first account and closed with its last.
#[derive(Debug, Default)]
pub struct Doors {
    doors: Mutex<HashMap<SocketAddr, Door>>,
    /// Held by who opens a door: of two at once for the same address, one would find it in use.
    opening: tokio::sync::Mutex<()>,
}

struct Door {
    accounts: Arc<Accounts>,
    /// Nothing: it is closing.
    open: Option<DropGuard>,
    /// Ends when the address is free again.
    listening: JoinHandle<()>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

/// Who may come in, and where to.
type Accounts = Mutex<Vec<Account>>;

#[derive(Clone)]
struct Account {
    id: u64,
    qq: Option<QqNumber>,
    token: Option<Secret>,
    arrivals: mpsc::Sender<Arrival>,
    /// Since the last one that came in.
    refused: watch::Sender<Refused>,
}

/// What a socket is for, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Universal,
    Api,
    Event,
}

/// What to say when one of the two clients of a program came and the other did not.
pub(super) fn half_alone(came: Role) -> String {
    let (came, missing) = match came {
        Role::Event => ("Event", "API"),
        Role::Api | Role::Universal => ("API", "Event"),
    };
    format!("only the {came} client of the OneBot program has connected: let it connect its {missing} client as well")
}

/// A socket that came in.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) role: Role,
    pub(super) socket: Socket,
}

/// An account's place at a door; leaving it is dropping it.
#[derive(Debug)]
pub(super) struct Place {
    doors: Arc<Doors>,
    listen: SocketAddr,
    id: u64,
    qq: Option<QqNumber>,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    refused: watch::Receiver<Refused>,
}

impl Place {
    /// Why programs that try to come in are turned away, when some are: what to do about it.
    pub(super) fn turned_away(&self) -> Option<String> {
        self.refused.borrow().why(self.qq)
    }
}

impl Doors {
    /// Waits at `listen` for the sockets of an account.
    pub(super) async fn place(
        self: &Arc<Self>,
        listen: SocketAddr,
        qq: Option<QqNumber>,
        token: Option<Secret>,
        ping_every: Duration,
    ) -> io::Result<Place> {
        let (sender, arrivals) = mpsc::channel(ARRIVALS);
        let (refused_sender, refused) = watch::channel(Refused::default());
        let account = Account {
            id: rand::random(),
            qq,
            token,
            arrivals: sender,
            refused: refused_sender,
        };
        let place = Place {
            doors: self.clone(),
            listen,
            id: account.id,
            qq,
            arrivals,
            refused,
        };
        let _opening = self.opening.lock().await;
        if self.join(listen, &account) {
            return Ok(place);
        }
        let closing = self.lock().remove(&listen);
        if let Some(door) = closing {
            door.listening.await.ok();
        }
        let listener = TcpListener::bind(listen).await?;
        let accounts = Arc::new(Mutex::new(vec![account]));
        let open = CancellationToken::new();
        let listening = tokio::spawn(serve(listener, accounts.clone(), ping_every, open.clone()));
        let door = Door {
            accounts,
            open: Some(open.drop_guard()),
            listening,
        };
        self.lock().insert(listen, door);
        Ok(place)
    }

    fn join(&self, listen: SocketAddr, account: &Account) -> bool {
        let doors = self.lock();
        let Some(door) = doors.get(&listen).filter(|door| door.open.is_some()) else {
            return false;
        };
        lock(&door.accounts).push(account.clone());
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Door>> {
        lock(&self.doors)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut doors = self.doors.lock();
        let Some(door) = doors.get_mut(&self.listen) else {
            return;
        };
        let mut accounts = lock(&door.accounts);
        accounts.retain(|account| account.id != self.id);
        if accounts.is_empty() {
            door.open = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, accounts: Arc<Accounts>, ping_every: Duration, closed: CancellationToken) {
    let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closed.cancelled() => return,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection of a OneBot program");
                // Out of descriptors: the next try would fail at once as well.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(stranger) = strangers.clone().try_acquire_owned() else {
            tracing::debug!(%from, "too many connections without a token, one was closed");
            continue;
        };
        let accounts = accounts.clone();
        let closed = closed.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = enter(stream, from, &accounts, ping_every) => {}
                () = closed.cancelled() => {}
            }
            drop(stranger);
        });
    }
}

/// Brings a connection to its account, or closes it.
async fn enter(stream: TcpStream, from: SocketAddr, accounts: &Accounts, ping_every: Duration) {
    let candidates = lock(accounts).clone();
    let admitted = match admit::admit(stream, &candidates, ping_every).await {
        Ok(admitted) => admitted,
        Err(why) => return tracing::info!(%from, why, "a connection to the OneBot listener was refused"),
    };
    let admit::Admitted {
        role,
        mut socket,
        whose,
    } = admitted;
    let mut whose: Vec<&Account> = candidates
        .iter()
        .filter(|account| whose.contains(&account.id))
        .collect();
    if whose.len() > 1 {
        let Some((own, learned)) = learn::number(socket, role).await else {
            return tracing::warn!(%from, "a OneBot program did not say which account it is; let it send X-Self-ID");
        };
        socket = learned;
        let chosen = choose(&whose, own);
        if chosen.is_empty() {
            for account in &whose {
                account.refused.send_modify(|refused| refused.number(own));
            }
        }
        whose = chosen;
    }
    let [account] = *whose else {
        return tracing::warn!(%from, "a OneBot program connected for an account that is not configured");
    };
    account.refused.send_replace(Refused::default());
    if account.arrivals.send(Arrival { role, socket }).await.is_err() {
        tracing::debug!(%from, "the account of a OneBot connection is gone");
    }
}

/// The accounts with this number; else those that take any.
fn choose<'a>(accounts: &[&'a Account], own: QqNumber) -> Vec<&'a Account> {
    let with = |qq: Option<QqNumber>| {
        accounts
            .iter()
            .copied()
            .filter(move |account| account.qq == qq)
            .collect()
    };
    let exact: Vec<&Account> = with(Some(own));
    if exact.is_empty() { with(None) } else { exact }
}
