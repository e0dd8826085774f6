//! A session on `OneBot` 11: JSON over WebSocket to a program that holds the QQ login (`NapCat`, `LLBot`, `SnowLuma`,
//! Lagrange, go-cqhttp). Either side opens the socket.
//!
//! One task ([`run`]) with the life of the link ([`life`]) and the wishes of the others ([`command`]) side by side; beside it
//! a small task per mapped group (its *lane*, [`lane`]), one per socket ([`socket`]), and one per listener of the process
//! ([`door`]). They share [`session::Session`].
//!
//! ```text
//!         wait (backoff; 60 s after a wrong token; Command::Login ends it)
//!          ▲                                        │
//!          │ no link                                ▼
//!          │                       Connect (forward) / Arrive (reverse: API and Event paired)
//!          │                                        │
//!          │ lost, silent, replaced                 ▼
//!          ├──────────────── Enter: get_login_info, get_version_info, get_status, get_group_list
//!          │                                        │
//!          │                                        ▼          heartbeat or get_status: off line, bot_offline
//!          ├──────────────── Keep: lists, mapping, ──────────────────────────► QQ off line: needs operator,
//!          │                 doubts about silence   ◄────────────────────────  get_status every 15 s
//!          └─────────────────────── link lost ◄──────────────────────────────────┘
//!
//!  a frame ─► answer ─► who called
//!          └► event ─► lane of its group ─► Online once per portal ─► Snapshot ─► Said, Recalled, …
//!                          └ not taken in time: behind ─► Online again, so that the portal asks for history
//! ```
//!
//! A broken link never ends the session. Shutting down is dropping the futures. Knows nothing of rooms; which fields count in
//! which program stands in [`dialect`] alone.

mod account;
mod activity;
mod call;
mod card;
mod command;
mod connect;
mod cq;
mod dialect;
mod door;
mod event;
mod field;
mod history;
mod json;
mod lane;
mod life;
mod probe;
mod reaction;
mod receive;
mod record;
mod roster;
mod segment;
mod send;
mod session;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Command, Inbox};
use crate::config::{Reach, Secret};
use crate::model::AccountName;

pub use door::Doors;
pub use probe::{Findings, probe};

/// What the operator says of an account with `protocol = "onebot"`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in `bridge.toml`.
    pub name: AccountName,
    /// Who opens the socket, and where.
    pub reach: Reach,
    /// The secret that both sides share.
    pub access_token: Option<Secret>,
    /// At least so long between two messages on average; a few may come at once.
    pub send_every: Duration,
    /// The session's clockwork.
    pub pace: Pace,
}

impl Settings {
    /// The default of `send_every`: what operators of bots found that QQ bears.
    pub const SEND_EVERY: Duration = Duration::from_secs(1);
}

/// How often and how long: what tests may want quicker.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The first wait before the link is tried again.
    pub retry_first: Duration,
    /// The longest.
    pub retry: Duration,
    /// After a wrong token.
    pub token_retry: Duration,
    /// A program that connects to us tries again after three to five seconds: when none came in this time, something is wrong.
    pub late: Duration,
    /// Between two pings of ours; three without a sign of life and the socket counts as dead.
    pub ping_every: Duration,
    /// How long an ordinary call may take.
    pub call: Duration,
    /// How long a send may take before nobody knows what became of it.
    pub send: Duration,
    /// After an unknown send: when its group's history is asked for it.
    pub prove_after: [Duration; 3],
    /// Between two looks at the mapping and the portals.
    pub look_every: Duration,
    /// Between two lists of members.
    pub between_lists: Duration,
    /// Before a list is asked for again that did not come.
    pub retry_list: Duration,
    /// How old lists may be.
    pub refresh: Duration,
    /// How old group names may be where no event tells of new ones.
    pub refresh_names: Duration,
    /// Between two questions whether QQ is back.
    pub offline_every: Duration,
    /// A busy account that is silent for so long is suspicious.
    pub quiet: Duration,
    /// How long all pages of one history may take; the portal holds the group's events back meanwhile.
    pub history: Duration,
    /// Before a page of history is asked for again that did not come.
    pub retry_page: Duration,
    /// How long a file's notice waits for its message.
    pub file_join: Duration,
    /// The first pause of sending after too many failures in a row; doubles up to 30 minutes.
    pub breaker: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            retry_first: secs(1),
            retry: secs(60),
            token_retry: secs(60),
            late: secs(15),
            ping_every: secs(20),
            call: secs(10),
            send: secs(40),
            prove_after: [secs(2), secs(6), secs(12)],
            look_every: secs(2),
            between_lists: Duration::from_millis(200),
            retry_list: secs(10),
            refresh: secs(1800),
            refresh_names: secs(120),
            offline_every: secs(15),
            quiet: secs(900),
            history: secs(20),
            retry_page: secs(1),
            file_join: secs(5),
            breaker: secs(120),
        }
    }
}

/// Keeps the account on line until `shutdown`.
///
/// The process's rustls provider must have been installed, for `wss`.
///
/// # Errors
/// None that the network makes; the session then says how it is and tries again.
pub async fn run(
    settings: Settings,
    doors: Arc<Doors>,
    commands: mpsc::Receiver<Command>,
    inbox: Arc<dyn Inbox>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let session = session::Session::new(settings, inbox);
    // Also when this future is dropped in the middle.
    let _end = session.ended.clone().drop_guard();
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = life::live(&session, &doors) => unreachable!("a session lives until it is shut down"),
        () = session.serve(commands) => unreachable!("wishes are served until the shutdown"),
    }
    session.end().await;
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
