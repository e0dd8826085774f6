//! The demonstration: an XMPP server, the QQ sandbox and the gateway on this machine, and a room and a group to talk across.
//!
//! Runs until Ctrl-C or SIGTERM and leaves nothing behind. With `--check` it says a line each way by itself, reads both back on
//! the other side, and ends: 0 when both came, 1 with the reason when not.

mod check;
mod page;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use stage::Stage;

/// From the first server to the last line read back.
const CHECK_LIMIT: Duration = Duration::from_secs(90);
/// How soon the end of a child is noticed.
const WATCH: Duration = Duration::from_millis(500);

/// A QQ group on one side, a Jabber room on the other, and the gateway between them, all on this machine.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Say a line each way without a person, read both back, and end
    #[arg(long)]
    check: bool,
    /// The `dist` folder of Converse.js; without it there is no page for alice
    #[arg(long, value_name = "DIR")]
    converse: Option<PathBuf>,
}

/// One thread for everything here: the children do the work.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopped = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    // Whatever of the stage stands when this future is dropped, ends with it.
    let shown = async {
        if !arguments.check {
            return show(arguments).await;
        }
        let checked = timeout(CHECK_LIMIT, check_all(arguments)).await;
        checked.unwrap_or_else(|_| Err(anyhow!("not done within {CHECK_LIMIT:?}")))
    };
    tokio::select! {
        done = shown => done,
        () = stopped => {
            println!("\nstopped");
            if arguments.check {
                bail!("stopped before the check was done");
            }
            Ok(())
        }
    }
}

/// Starts everything, says where to look, and stays.
async fn show(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stage = Stage::start().await?;
    let page = page::serve(arguments.converse.as_deref(), &stage.page_values()).await?;
    println!("{}", stage.where_to_look(page));
    loop {
        tokio::time::sleep(WATCH).await;
        stage.all_run()?;
    }
}

async fn check_all(arguments: &Arguments) -> anyhow::Result<()> {
    let stage = Stage::start().await?;
    let page = page::serve(arguments.converse.as_deref(), &stage.page_values()).await?;
    let checked = check::run(&stage, page).await;
    let checked = checked.map_err(|error| error.context(stage.last_words()));
    let stopped = stage.stop().await;
    checked.and(stopped)?;
    println!("checked: a line each way was read on the other side, and everything ended in order");
    Ok(())
}
