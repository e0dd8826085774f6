//! The sandbox program: arguments, one line that says where it listens, and an end at once on SIGTERM or SIGINT.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;
use qq_sandbox::{DEFAULT_WORLD, Era, Flavour, Options, Sandbox, parse_world};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The far side of QQ on one port: the WebQQ and SmartQQ hosts, OneBot 11 at /onebot/v11, a control API at /sandbox, and a page at / to chat on.
#[expect(clippy::doc_markdown, reason = "the comments are the help text")]
#[derive(Debug, Parser)]
#[command(name = "qq-sandbox", version)]
struct Arguments {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8600")]
    listen: SocketAddr,
    /// People and groups, in the format that --print-world shows.
    #[arg(long)]
    world: Option<PathBuf>,
    /// Keep the world, its messages, the logins and the log in this directory; without it they are forgotten at the end.
    #[arg(long)]
    state: Option<PathBuf>,
    /// The years to play: 2013 (WebQQ, login with a password), 2015 (SmartQQ) or 2018 (SmartQQ in its last year).
    #[arg(long, default_value = "2015")]
    era: String,
    /// The OneBot program to play: napcat, llbot, lagrange or gocq. An account of the world may name another.
    #[arg(long, default_value = "napcat")]
    flavour: String,
    /// Leave out the checks of which nobody knows exactly how the real service made them.
    #[arg(long)]
    lax: bool,
    /// Chooses among the behaviours that were all seen; 0 is the service on a good day.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the default world and end.
    #[arg(long)]
    print_world: bool,
}

fn options(arguments: Arguments) -> anyhow::Result<Options> {
    let Some(era) = Era::from_word(&arguments.era) else {
        bail!("--era {} is not known: take 2013, 2015 or 2018", arguments.era);
    };
    let Some(flavour) = Flavour::from_word(&arguments.flavour) else {
        bail!(
            "--flavour {} is not known: take napcat, llbot, lagrange or gocq",
            arguments.flavour
        );
    };
    let world = match arguments.world {
        Some(path) => {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Some(parse_world(&text).with_context(|| format!("{} is no world", path.display()))?)
        }
        None => None,
    };
    let defaults = Options::default();
    Ok(Options {
        listen: arguments.listen,
        world,
        state: arguments.state,
        era,
        flavour,
        lax: arguments.lax,
        seed: arguments.seed,
        ..defaults
    })
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let options = options(arguments)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let sandbox = Sandbox::start(options).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {}", sandbox.url())?;
    out.flush()?;
    drop(out);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.print_world {
        // A closed pipe (`| head`) is no failure.
        let _ = std::io::stdout().write_all(DEFAULT_WORLD.as_bytes());
        return ExitCode::SUCCESS;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("qq-sandbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}
