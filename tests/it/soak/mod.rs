//! A week of a `WebQQ` session within minutes: session and sandbox in one process and one runtime, over loopback, both clocks
//! moved by hand. Links are lost each half hour, logins expire after two days and are scanned again, once a day the service
//! loses sight of the session; a hundred thousand messages come, each once and in order, and memory and descriptors stay flat.
//! Two days with fewer messages are for every day; the week is `cargo test --test it -- --ignored --nocapture soak::a_week`.

mod clock;
mod ears;
mod tally;
mod week;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// What goes wrong meanwhile.
pub(crate) const ARMED: &[&str] = &[LOST_LINK, ZOMBIE, NO_QUICK_LOGIN];
const LOST_LINK: &str = r#"{"kind": "lost_link"}"#;
const ZOMBIE: &str = r#"{"kind": "zombie"}"#;
const NO_QUICK_LOGIN: &str = r#"{"kind": "no_quick_login"}"#;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Says to the program of this test that it runs in a process of its own.
const ALONE: &str = "QQXMPP_SOAK_ALONE";

/// Runs a soak in a process of its own: memory and descriptors are measured, and other tests have theirs.
fn alone(test: &str, days: u32, messages: u64) -> anyhow::Result<()> {
    if std::env::var_os(ALONE).is_some() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        return runtime
            .enable_all()
            .start_paused(true)
            .build()?
            .block_on(week::soak(days * DAY, messages));
    }
    let child = Command::new(std::env::current_exe()?)
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .context("the program of this test does not start again")?;
    println!("{}", String::from_utf8_lossy(&child.stdout));
    let errors = String::from_utf8_lossy(&child.stderr);
    ensure!(child.status.success(), "{errors}");
    Ok(())
}

#[test]
fn two_days() -> anyhow::Result<()> {
    alone("soak::two_days", 2, 4_000)
}

#[test]
#[ignore = "takes minutes"]
fn a_week() -> anyhow::Result<()> {
    alone("soak::a_week", 7, 100_000)
}
