//! `qqxmpp store …`: whether the file is whole, a copy of it, its free space back.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::{FAILED, Place};

#[derive(Subcommand)]
pub(super) enum Store {
    /// Look for damage, and for what contradicts itself; changes nothing
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Copy the store to a new file, which holds logins: mode 0600
    Backup {
        /// Where to; nothing may be there
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Give free space back to the disk, in small steps
    Vacuum {
        #[command(flatten)]
        place: Place,
    },
}

pub(super) fn run(what: &Store) -> anyhow::Result<ExitCode> {
    match what {
        Store::Check { place } => {
            let problems = place.store()?.check()?;
            for problem in &problems {
                println!("{problem}");
            }
            if problems.is_empty() {
                println!("the store is whole");
                return Ok(ExitCode::SUCCESS);
            }
            println!(
                "{} found: stop the gateway and restore a copy",
                count(problems.len(), "problem")
            );
            Ok(FAILED.into())
        }
        Store::Backup { file, place } => {
            place.store()?.backup(file).context("nothing was copied")?;
            let size = std::fs::metadata(file).map_or(0, |file| file.len());
            println!("{}: {}", file.display(), bytes(size));
            Ok(ExitCode::SUCCESS)
        }
        Store::Vacuum { place } => {
            let given = place.store()?.vacuum()?;
            println!("{} given back", bytes(given.bytes));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// How many of something.
pub(super) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn bytes(n: u64) -> String {
    match n {
        0..10_000 => format!("{n} bytes"),
        10_000..10_000_000 => format!("{} KiB", n >> 10),
        _ => format!("{} MiB", n >> 20),
    }
}
