//! The gateway as a whole: starts every part, keeps it running, changes it by reload, stops it in order.
//!
//! ```text
//!                    ┌────────── supervised ──────────┐
//!   config ──► run ──┤ component · accounts · portals │ ◄── reload (SIGHUP, an admin's chat)
//!                    │ operator · http · domain       │
//!                    └────────────────────────────────┘
//! ```
//!
//! Knows every part, and is known by none of them: they get handles and closures.

mod accounts;
mod build;
mod disk;
mod domain;
mod fixed;
mod presence;
mod probe;
mod reload;
mod rooms;
mod route;
mod run;
mod supervise;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

pub use probe::{Found, probe};
pub use run::run;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::operator::{self, Board, LoginPage, Needs};
use crate::qq::onebot::Doors;
use crate::room::joined::Neighbours;
use crate::store::Store;
use crate::xmpp::Link;

/// What the parts of the gateway share.
struct Gateway {
    store: Store,
    route: Arc<route::Route>,
    board: Board,
    /// What the sessions need of a person.
    needs: Needs,
    /// Where a person can help them, if there is a listener.
    page: Option<LoginPage>,
    metrics: Metrics,
    operator: mpsc::Sender<operator::Input>,
    link: watch::Receiver<Option<Link>>,
    accounts: accounts::Accounts,
    /// Where programs that speak `OneBot` connect to us.
    doors: Arc<Doors>,
    rooms: rooms::Rooms,
    /// The servers of joined rooms.
    neighbours: Neighbours,
    /// The configuration in force.
    config: watch::Sender<Arc<Config>>,
    fatal: mpsc::Sender<String>,
}

impl Gateway {
    /// The process cannot go on; ends it with the reason. The first reason counts.
    fn fatal(&self, why: String) {
        self.fatal.try_send(why).ok();
    }
}
