//! The fault run, short: nothing is lost, nothing doubled, nothing out of order, and everybody is told, under a seeded plan of faults.
//! `make chaos` runs it for longer, in the release build. `lab/chaos/seeds.txt` has the seeds that found something.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use lab::process::workspace_binary;

const SEEDS: &str = include_str!("../../lab/chaos/seeds.txt");

/// A run in a process of its own, as `make chaos` has it.
async fn run(server: &str, arguments: &[&str]) -> anyhow::Result<()> {
    if !lab::available(server) {
        return Ok(());
    }
    let mut command = Command::new(workspace_binary("chaos")?);
    command.args(["--server", server]).args(arguments).stdin(Stdio::null());
    // What `make` was given for a run of its own is not for this one.
    for name in [
        "SEED", "MINUTES", "ROOMS", "RATE", "SERVER", "JABBER", "KILLS", "FAULTS", "KEEP",
    ] {
        command.env_remove(name);
    }
    let output = tokio::task::spawn_blocking(move || command.output())
        .await?
        .context("the fault run does not start")?;
    let (told, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    println!("{told}");
    let last = told.lines().last().unwrap_or_default();
    ensure!(
        output.status.success() && last.starts_with("chaos: accepted="),
        "{arguments:?} on {server}: {}\n{told}\n{errors}",
        output.status
    );
    ensure!(last.contains(" lost=0 doubled=0 disordered=0 "), "{last}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_run_on_prosody() -> anyhow::Result<()> {
    run("prosody", &["--seed", "11", "--minutes", "0.5", "--rate", "8"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_run_on_ejabberd() -> anyhow::Result<()> {
    run("ejabberd", &["--seed", "12", "--minutes", "0.5", "--rate", "8"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_a_row() -> anyhow::Result<()> {
    run("prosody", &["--seed", "13", "--kills", "10", "--rate", "8"]).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes for each seed"]
async fn seeds_that_found_something() -> anyhow::Result<()> {
    for row in SEEDS.lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
        let mut words = row.split_whitespace();
        let mut next = || words.next().context("a row of the seeds is too short");
        let (server, seed, minutes, faults) = (next()?, next()?, next()?, next()?);
        let faults = if faults == "-" { "" } else { faults };
        let arguments = ["--seed", seed, "--minutes", minutes, "--faults", faults];
        run(server, &arguments).await?;
    }
    Ok(())
}
