//! The command line: what was asked for, the log, the signals, the exit code.
//!
//! Runs in the main task. Knows nothing of what the gateway does; a test can start the gateway without it. The commands for the store
//! ([`store`], [`outbox`]) work beside a gateway that runs, and without one.

mod outbox;
mod store;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, Problems, Source};
use crate::gateway;
use crate::store::aside::Aside;

/// Something failed at run time.
const FAILED: u8 = 1;
/// The command line makes no sense.
const WRONG_USE: u8 = 2;
/// The configuration is wrong (`EX_CONFIG` of sysexits.h).
const BAD_CONFIG: u8 = 78;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_LOG: &str = "warn,qqxmpp=info";

#[derive(Parser)]
#[command(name = "qqxmpp", version, about = "A gateway between QQ groups and XMPP rooms")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or SIGINT
    Run {
        /// The configuration file
        #[arg(long, default_value = "bridge.toml")]
        config: PathBuf,
        /// How the log on stderr looks
        #[arg(long, value_enum, default_value = "human")]
        log_format: LogFormat,
    },
    /// Read the configuration and print everything that is wrong with it
    Check {
        /// The configuration file
        #[arg(long, default_value = "bridge.toml")]
        config: PathBuf,
        /// Also contact the servers: the component's login, and what they lack
        #[arg(long)]
        online: bool,
    },
    /// Look after the store: works while the gateway runs, too
    Store {
        #[command(subcommand)]
        what: store::Store,
    },
    /// See what waits for QQ, hurry it, give it up: works while the gateway runs, too
    Outbox {
        #[command(subcommand)]
        what: outbox::Outbox,
    },
}

/// Where the configuration is.
#[derive(clap::Args)]
struct Place {
    /// The configuration file
    #[arg(long, default_value = "bridge.toml")]
    config: PathBuf,
}

impl Place {
    /// The store that the configuration names.
    fn store(&self) -> anyhow::Result<Aside> {
        let config = Source::new(&self.config).load()?;
        Ok(Aside::open(&config.store.path)?)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people, with colours on a terminal
    Human,
    /// One JSON object a line
    Json,
}

/// Does what the arguments say (the first is the program's name) and gives the exit code: 0 fine, 1 failed at run time, 2 wrong
/// use, 78 bad configuration.
pub async fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody is left to hear that printing failed. Help and version come this way too, with code 0.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(WRONG_USE).into();
        }
    };
    let log_format = match &arguments.command {
        Command::Run { log_format, .. } => *log_format,
        Command::Check { .. } | Command::Store { .. } | Command::Outbox { .. } => LogFormat::Human,
    };
    if let Err(error) = start_log(log_format) {
        eprintln!("qqxmpp: {error:#}");
        return WRONG_USE.into();
    }
    let done = match arguments.command {
        Command::Run { config, .. } => run(Source::new(config)).await,
        Command::Check { config, online } => check(&Source::new(config), online).await,
        Command::Store { what } => store::run(&what),
        Command::Outbox { what } => outbox::run(&what),
    };
    match done {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

async fn run(source: Source) -> anyhow::Result<ExitCode> {
    let shutdown = CancellationToken::new();
    stop_on_signals(shutdown.clone())?;
    gateway::run(source, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

async fn check(source: &Source, online: bool) -> anyhow::Result<ExitCode> {
    let config = source.load()?;
    println!("{}", fine(source, &config));
    if !online {
        return Ok(ExitCode::SUCCESS);
    }
    let found = gateway::probe(&config).await?;
    for sentence in found.lacking.iter().chain(&found.hints) {
        println!("{sentence}");
    }
    Ok(if found.lacking.is_empty() {
        ExitCode::SUCCESS
    } else {
        FAILED.into()
    })
}

fn fine(source: &Source, config: &Config) -> String {
    let count = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    let accounts = count(config.accounts.len(), "account");
    let rooms = count(config.mappings.len(), "room");
    format!("{} is fine: {accounts}, {rooms}", source.path().display())
}

/// Tells why it failed, and as what it counts.
fn failed(error: &anyhow::Error) -> ExitCode {
    let Some(problems) = error.downcast_ref::<Problems>() else {
        eprintln!("qqxmpp: {error:#}");
        return FAILED.into();
    };
    eprintln!("{problems}");
    BAD_CONFIG.into()
}

/// The log goes to stderr; `RUST_LOG` says what is in it.
fn start_log(format: LogFormat) -> anyhow::Result<()> {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { DEFAULT_LOG } else { &wanted };
    let filter = EnvFilter::try_new(wanted).with_context(|| format!("RUST_LOG is no log filter: {wanted}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second call in one process (tests) keeps the first log.
    let _ = match format {
        LogFormat::Human => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    Ok(())
}

/// The first SIGTERM or SIGINT asks for an orderly stop, the second ends the process where it is.
fn stop_on_signals(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if shutdown.is_cancelled() {
                tracing::warn!(signal = name, "stopping at once");
                std::process::exit(FAILED.into());
            }
            tracing::info!(signal = name, "stopping; a second signal ends the process at once");
            shutdown.cancel();
        }
    });
    Ok(())
}
