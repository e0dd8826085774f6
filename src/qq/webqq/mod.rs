//! A session on Tencent's web protocol, HTTP long poll: as `WebQQ` spoke it in 2013 (login by password) and `SmartQQ` from 2015
//! to 2018 (login by QR code). The way to log in tells the age ([`era`]).
//!
//! One task ([`run`]) with three futures side by side: the life of the login, drawn here ([`life`]); beside its poll the
//! keeper of groups and members ([`keeper`]), and in 2013 a heartbeat; and the wishes of the others ([`command`]). They share
//! [`session::Session`].
//!
//! ```text
//!  saved state ─► Resume ── lives ───────────────────────────────────────────────────────────► Lists
//!                   └ lost ─► 2015: Quick; 2013: Relink                 no saved state ─► Page
//!
//!  Quick ── 2015 ─► pt4_auth ─► CheckSig; without its cookie ─► Token;    refused ─► Page
//!      └─── 2013 ─► Page
//!
//!  2015, by QR code                                 2013, by password
//!
//!  Page ─► Show ─► Wait ── 0 ─► CheckSig            Page ─► Check ── no captcha ─► SignIn ── 0 ─► CheckSig
//!           ▲       │ ⟲ 66, 67     │                         ▲ │                   ▲  │              │
//!           └─ 65 ──┘              ▼                         │ └► Picture ─► Typing ┘  │ 4            │
//!                       Token (getvfwebqq)                   │     too old │           │              │
//!                        │       │                           └─────────────┴───────────┘              │
//!          after Relink  │       ▼                                                                    │
//!                        │     Login2 ◄───────────────────────────────────────────────────────────────┘
//!                        ▼       ▼
//!                      Lists: friends, groups ∥ discussions ∥ self ─► Register: online buddies, recent ─► first poll
//!
//!  Polling ── 103, 100012 ─► Probe ── lives ─► Polling
//!     ▲  │                     └ lost ─► Relink; after 100012 Quick
//!     │  ├─ 120, 121, 112, 100000, 100006; thrice 109, 110 ─► Relink ── 0 ─► 2015: Token; 2013: Lists
//!     │  │                                                     └ 103, others, lost again 3 times ─► Quick
//!     │  ├─ 100, 108, 122 ─► Quick          kick ─► (pause) Quick
//!     └──┴─ errors in a row, though Probe says that it lives; nobody heard for hours; in 2013 every half hour
//!              ─► Freshen ── 0 ─► as Relink;  else ─► Polling
//!
//!  Rest (needs operator) ── Command::Login ─► Quick
//!     ▲ frozen, wrong password, blocked; 10 codes or captchas without an answer; refused 5 times; kicked twice within 10 min
//! ```
//!
//! A resumed or reopened link that Register finds refused leads to Quick, too. A broken wire never leaves a step: the same is
//! tried again, ever more slowly, over fresh connections. A password that was refused is not tried again before a person asks.
//! Shutting down (*stopped*) is dropping the futures.
//! Knows nothing of rooms; temporary ids (uin, gid, code, did) never leave this folder.

mod admins;
mod api;
mod brake;
mod changes;
mod command;
mod contacts;
mod content;
mod counter;
mod echo;
mod endpoint;
mod era;
mod event;
mod groups;
mod hash;
mod hear;
mod http;
mod keeper;
mod life;
mod login;
#[cfg(test)]
mod mangled;
mod member;
mod mute;
mod numbers;
mod page;
mod people;
mod picture;
mod qr;
mod receive;
mod roster;
mod saved;
mod send;
mod session;
mod verdict;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::event::PORTAL_PATIENCE;
use super::{Command, Inbox};
pub use crate::config::Login;
use crate::model::AccountName;
use era::Era;

/// What the operator says of an account with `protocol = "webqq"`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in `bridge.toml`.
    pub name: AccountName,
    /// Where every historic host is to be found: scheme, address and port.
    pub server: Url,
    /// How it logs in, which also tells the age of the protocol.
    pub login: Login,
    /// At least so long from the answer to one send until the next.
    pub send_every: Duration,
    /// The session's clockwork.
    pub pace: Pace,
}

impl Settings {
    /// What `send_every` is unless the operator says otherwise: it goes by the age of the protocol.
    pub fn send_every(login: &Login) -> Duration {
        Era::of(login).send_every()
    }
}

/// How often and how long: what tests may want quicker.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Between two questions whether the QR code was scanned.
    pub qr_every: Duration,
    /// From one idle answer to the next poll, counted from the poll before.
    pub poll_every: Duration,
    /// Between two questions for a real number that nobody waits for.
    pub number_every: Duration,
    /// How old lists may be.
    pub refresh: Duration,
    /// Before a list is read again because something is missing in it; also the longest wait between two tries of a step.
    pub retry: Duration,
    /// The first wait between two tries of a step.
    pub retry_first: Duration,
    /// Between two looks at the mapping and the portals.
    pub look_every: Duration,
    /// Before an account that was logged in elsewhere is taken back.
    pub kick_pause: Duration,
    /// Before a refused login by password is tried again, the first time; then ever longer.
    pub password_again: Duration,
    /// How long a login must last to count as a good one.
    pub settled: Duration,
    /// How long the service remembers what a captcha shows.
    pub captcha: Duration,
    /// Between two heartbeats of `WebQQ`.
    pub heartbeat: Duration,
    /// How old a link of `WebQQ` may get: its lists begin to be refused some time after.
    pub freshen: Duration,
    /// How long it may be that nobody says anything anywhere, before the link is opened anew.
    pub silence: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            qr_every: Duration::from_secs(2),
            poll_every: Duration::from_secs(1),
            number_every: Duration::from_millis(200),
            refresh: Duration::from_secs(600),
            retry: Duration::from_secs(60),
            retry_first: Duration::from_secs(1),
            look_every: Duration::from_secs(2),
            kick_pause: Duration::from_secs(30),
            password_again: Duration::from_secs(30),
            settled: Duration::from_secs(60),
            captcha: Duration::from_secs(15 * 60),
            heartbeat: Duration::from_secs(60),
            freshen: Duration::from_secs(30 * 60),
            silence: Duration::from_secs(2 * 3600),
        }
    }
}

/// Keeps the account on line until `shutdown`. `saved` is what an earlier run emitted as [`super::AccountEvent::Saved`].
///
/// The process's rustls provider must have been installed.
///
/// # Errors
/// When `server` is unusable or the HTTP clients cannot be built; nothing that the network does.
pub async fn run(
    settings: Settings,
    saved: Option<Vec<u8>>,
    commands: mpsc::Receiver<Command>,
    inbox: Arc<dyn Inbox>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let endpoint = endpoint::Endpoint::new(settings.server.clone())?;
    let api = api::Api::new(http::Http::new(endpoint, Era::of(&settings.login))?);
    let session = session::Session::new(settings, api, inbox);
    let resumes = saved.is_some_and(|bytes| session.resume(&bytes));
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = life::Life::new(&session).live(resumes) => unreachable!("a session lives until it is shut down"),
        () = session.serve(commands) => unreachable!("wishes are served until the shutdown"),
    }
    // Tokens may have changed since they were last handed over; a gateway that does not listen any more is not waited for.
    timeout(PORTAL_PATIENCE, session.save()).await.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
