//! The fault run: a real server, the QQ sandbox and the gateway, rooms of both kinds on both protocols, numbered words both ways, and
//! a seeded plan of what is done to them. In the end it is counted, from what outside observers saw, what became of each word.
//!
//! It knows nothing of the gateway's code. Exit code 0 when nothing was lost, doubled or disordered and everybody was told, 1 when
//! something was, 2 for wrong use.
//!
//! - `plan`: what will be done when, drawn from the seed · `deeds`: does it · `disk`: the one that gets full
//! - `stage`: what stands on this machine · `rooms`: rooms, people, files
//! - `talk`: who says what when · `person`, `place`: a Jabber client and its rooms · `watch`: onlookers, phone, operator
//! - `journal`: what was said and seen · `archive`, `judge`, `recovery`, `table`, `timeline`: what became of it

mod archive;
mod deeds;
mod disk;
mod journal;
mod judge;
mod person;
mod place;
mod plan;
mod recovery;
mod rooms;
mod run;
mod stage;
mod table;
mod talk;
mod timeline;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Parser, ValueEnum};
use lab::Kind;
use tokio::signal::unix::{SignalKind, signal};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ServerName {
    Prosody,
    Ejabberd,
}

/// Rooms, people and faults: nothing lost, nothing doubled, or told.
#[derive(Clone, Debug, Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// The same seed gives the same plan of faults
    #[arg(long, env = "SEED", default_value_t = 1)]
    seed: u64,
    /// How long things go wrong
    #[arg(long, env = "MINUTES", default_value_t = 5.0)]
    minutes: f64,
    /// Groups with a room each: by turns on `WebQQ` and `OneBot`, hosted and joined
    #[arg(long, env = "ROOMS", default_value_t = 4)]
    rooms: usize,
    /// Messages a second, both ways and all rooms together
    #[arg(long, env = "RATE", default_value_t = 12.0)]
    rate: f64,
    /// The XMPP server
    #[arg(long, env = "SERVER", value_enum, default_value_t = ServerName::Prosody)]
    server: ServerName,
    /// Jabber clients, each in every room
    #[arg(long, env = "JABBER", default_value_t = 3)]
    jabber: usize,
    /// In the place of a plan: so many times kill -9 of the gateway
    #[arg(long, env = "KILLS", default_value_t = 0)]
    kills: u64,
    /// Only these kinds of faults: beginnings of their names, with commas, as kill-gateway,wire,sandbox-lost_link
    #[arg(long, env = "FAULTS", default_value = "")]
    faults: String,
    /// Print the plan, and do nothing
    #[arg(long)]
    plan: bool,
    /// Keep the folder with all logs even when all went well
    #[arg(long, env = "KEEP", num_args = 0..=1, default_missing_value = "true", default_value_t = false)]
    keep: bool,
}

impl Arguments {
    fn frame(&self) -> plan::Frame {
        plan::Frame {
            seed: self.seed,
            time: Duration::from_secs_f64(self.minutes.clamp(0.0, 10_000.0) * 60.0),
            rooms: self.rooms,
            persons: self.jabber,
            kinds: self
                .faults
                .split(',')
                .map(str::trim)
                .filter(|kind| !kind.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    fn kind(&self) -> Kind {
        match self.server {
            ServerName::Prosody => Kind::Prosody,
            ServerName::Ejabberd => Kind::Ejabberd,
        }
    }
}

/// One thread for everything here: the children do the work.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match begin(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn begin(arguments: &Arguments) -> anyhow::Result<bool> {
    if arguments.rooms < 1 || arguments.jabber < 2 || arguments.rate <= 0.0 {
        bail!("there must be a room, two clients, and a rate above 0");
    }
    let plan = plan::draw(&arguments.frame())?;
    if arguments.plan {
        for step in &plan {
            println!("{step}");
        }
        return Ok(true);
    }
    if arguments.kills == 0 && plan.is_empty() {
        bail!(
            "no fault of these kinds: {}; --plan without FAULTS shows some",
            arguments.faults
        );
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = run::run(arguments, &plan) => done,
        _ = terminate.recv() => bail!("stopped"),
        _ = interrupt.recv() => bail!("stopped"),
    }
}
