//! The sandbox seen from outside: a small `SmartQQ` client written from the notes on the service, old clients' ways of
//! calling, a plain `OneBot` application, and the control API.

#![allow(
    clippy::unwrap_used,
    clippy::assigning_clones,
    clippy::format_collect,
    reason = "brevity in tests"
)]

mod checks;
mod client;
mod control;
mod fault;
mod keep;
mod login;
mod old;
mod old_clients;
mod onebot;
mod program;
mod robust;
mod seeds;
mod talk;
mod web2013;

use std::time::Duration;

use qq_sandbox::{Options, Sandbox};

/// A sandbox that holds polls for a second only.
async fn sandbox() -> Sandbox {
    sandbox_with(|_| ()).await
}

async fn sandbox_with(change: impl FnOnce(&mut Options)) -> Sandbox {
    let mut options = Options {
        hold: Duration::from_secs(1),
        ..Options::default()
    };
    change(&mut options);
    Sandbox::start(options).await.unwrap()
}
