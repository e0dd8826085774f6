//! `qqxmpp outbox …`: what waits for QQ, and why; hurrying it, giving it up.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use super::store::count;
use super::{FAILED, Place};
use crate::store::aside::{Aside, Chosen, Waiting, Why};

/// Letters of a message that are shown.
const WORDS: usize = 24;

#[derive(Subcommand)]
pub(super) enum Outbox {
    /// Every row that waits, and why
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Try a row now instead of later
    Retry {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Give a row up; its author is told that it did not reach QQ
    Drop {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(clap::Args)]
pub(super) struct Which {
    /// The row's number, as `list` shows it
    #[arg(required_unless_present = "all", conflicts_with_all = ["all", "account"])]
    id: Option<i64>,
    /// All rows
    #[arg(long)]
    all: bool,
    /// With --all: those of this account alone
    #[arg(long, requires = "all")]
    account: Option<String>,
}

impl Which {
    fn chosen(&self) -> Chosen {
        match self.id {
            Some(id) => Chosen::One(id),
            None => Chosen::all(self.account.as_deref()),
        }
    }
}

pub(super) fn run(what: &Outbox) -> anyhow::Result<ExitCode> {
    match what {
        Outbox::List { json, place } => list(&place.store()?, *json),
        Outbox::Retry { which, place } => {
            let store = place.store()?;
            let rows = store.retry(&which.chosen())?;
            println!("{} to be tried now", count(rows, "row"));
            Ok(some(rows, which))
        }
        Outbox::Drop { which, place } => {
            let store = place.store()?;
            let dropped = store.give_up(&which.chosen())?;
            println!("{} given up; {}", count(dropped.rows, "row"), who_tells(store.in_use()));
            if dropped.doubtful > 0 {
                println!(
                    "{} of them may have reached QQ all the same, and the authors are told so",
                    dropped.doubtful
                );
            }
            Ok(some(dropped.rows, which))
        }
    }
}

/// A row that was named and is not there, or not to be touched, is a failure; none at all is not.
fn some(rows: usize, which: &Which) -> ExitCode {
    match which.id {
        Some(id) if rows == 0 => {
            eprintln!(
                "qqxmpp: there is no row {id} of which that can be done; `qqxmpp outbox list` shows those that wait"
            );
            FAILED.into()
        }
        _ => ExitCode::SUCCESS,
    }
}

fn who_tells(runs: bool) -> &'static str {
    if runs {
        "their authors are told"
    } else {
        "their authors are told when the gateway runs again"
    }
}

fn list(store: &Aside, json: bool) -> anyhow::Result<ExitCode> {
    let runs = store.in_use();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut rows = 0;
    let mut written = Ok(());
    store.waiting(|row| {
        rows += 1;
        // Who closed the other end has seen enough.
        if written.is_ok() {
            written = if json {
                writeln!(out, "{}", as_json(&row))
            } else {
                let title = if rows == 1 { TITLE } else { "" };
                write!(out, "{title}{}", as_line(&row, runs))
            };
        }
    })?;
    if written.is_ok() && !json {
        let gateway = if runs { "" } else { "; the gateway does not run" };
        writeln!(out, "{} waiting{gateway}", count(rows, "row")).ok();
    }
    out.flush().ok();
    Ok(ExitCode::SUCCESS)
}

const TITLE: &str = "    id  account      group         age  tries  room                           author            words                     why it waits\n";

fn as_line(row: &Waiting, runs: bool) -> String {
    format!(
        "{:>6}  {:<11}  {:<11}  {:>4}  {:>5}  {}  {}  {}  {}\n",
        row.id,
        row.account.as_str(),
        row.group.to_string(),
        age(row.age),
        row.tries,
        cell(row.room.as_str(), 29),
        cell(&row.author, 16),
        cell(&row.words, WORDS),
        why(&row.why, runs),
    )
}

fn as_json(row: &Waiting) -> serde_json::Value {
    let (behind, again, error) = match &row.why {
        Why::Behind(id) => (Some(*id), None, None),
        Why::Again { at, error, .. } => (None, Some(at.0), Some(error.as_str())),
        Why::Unknown(error) => (None, None, Some(error.as_str())),
        Why::Turn | Why::Sending => (None, None, None),
    };
    json!({
        "id": row.id, "account": row.account.as_str(), "group": row.group.0, "room": row.room.as_str(),
        "author": row.author, "words": row.words, "tries": row.tries, "state": row.state,
        "since": row.since.0, "age": row.age.as_secs(),
        "behind": behind, "not_before": again, "error": error,
    })
}

fn why(why: &Why, runs: bool) -> String {
    match why {
        Why::Behind(id) => format!("behind row {id}"),
        Why::Turn if runs => "its turn comes".to_owned(),
        Why::Turn => "the gateway does not run".to_owned(),
        Why::Again { wait, error, .. } if wait.is_zero() => format!("again now: {}", plain(error)),
        Why::Again { wait, error, .. } => format!("again in {}: {}", age(*wait), plain(error)),
        Why::Sending if runs => "the session has it now".to_owned(),
        Why::Sending => "the gateway ended while it was being sent: the next start asks for its echo".to_owned(),
        Why::Unknown(error) => format!("QQ may have it, its echo is waited for: {}", plain(error)),
    }
}

fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// What people wrote, harmless to a terminal.
fn plain(text: &str) -> String {
    let odd = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if odd(c) { ' ' } else { c }).collect()
}

/// The beginning, in so many columns. Hanzi and the like take two.
fn cell(text: &str, columns: usize) -> String {
    let width = |c: char| if c >= '\u{1100}' { 2 } else { 1 };
    let text = plain(text);
    let (mut cell, mut used) = (String::new(), 0);
    let whole: usize = text.chars().map(width).sum();
    let room = if whole > columns { columns - 1 } else { columns };
    for c in text.chars() {
        if used + width(c) > room {
            break;
        }
        cell.push(c);
        used += width(c);
    }
    if whole > columns {
        cell.push('…');
        used += 1;
    }
    cell.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_as_wide_as_it_says_and_harmless() {
        assert_eq!(cell("hi", 4), "hi  ");
        assert_eq!(cell("一二三四", 6), "一二… ");
        assert_eq!(cell("a\u{1b}[31m\u{202e}b", 9), "a [31m b ");
    }

    #[test]
    fn a_row_tells_why_it_waits() {
        assert_eq!(why(&Why::Behind(12), true), "behind row 12");
        assert_eq!(
            why(&Why::Unknown("no\nanswer".into()), true),
            "QQ may have it, its echo is waited for: no answer"
        );
        assert_eq!(age(Duration::from_secs(119)), "119s");
        assert_eq!(age(Duration::from_secs(600)), "10m");
    }
}
