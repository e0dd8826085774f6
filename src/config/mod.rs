//! `bridge.toml` as values.
//!
//! The file is walked once, key by key, and everything that is wrong is told at once, with its line and what to write instead.
//! Runs at start and at reload, in whose task it may be. Contacts nothing; reads the file and the files of secrets that it names.
//!
//! ```text
//! text ─► toml tree with places ─► Section: every key that is asked for is known ─► values ─► Config
//!                                     └─ wrong, missing, unknown, of a later version ─► Report ─► Problems
//! ```

mod account;
mod allow;
mod context;
mod later;
mod mapping;
mod problem;
mod room;
mod row;
mod secret;
mod section;
mod sections;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod value;

use std::collections::HashMap;
use std::path::Path;

use toml::de::DeTable;

pub use account::{Account, Login, OneBot, Protocol, Reach, WebQq};
pub use allow::Allow;
pub use problem::{Problem, Problems};
pub use row::{Direction, Group, Hosted, Joined, Occupants, Puppets, RoomKind, Row};
pub use secret::Secret;
pub use sections::{Backfill, Http, PuppetAddress, Relay, Rooms, Run, Server, Store, Xmpp};
pub use source::Source;
pub use template::Template;

pub use crate::model::Language;

use crate::model::AccountName;

use problem::Report;
use section::{Placed, Section};

/// Everything that an operator can say, checked, with defaults filled in. Two are equal when nothing has to be done to get from
/// one to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The component and who may do what.
    pub xmpp: Xmpp,
    /// Where everything is kept.
    pub store: Store,
    /// Health, metrics and the login page.
    pub http: Http,
    /// From XMPP to QQ.
    pub relay: Relay,
    /// What all rooms share.
    pub rooms: Rooms,
    /// The process.
    pub run: Run,
    /// The QQ accounts, in the order of the file; names are unique.
    pub accounts: Vec<Account>,
    /// The rows of the mapping, in the order of the file; groups and rooms are unique, accounts exist.
    pub mappings: Vec<Row>,
}

impl Config {
    /// Reads a configuration. `path` is where it came from: problems name it, and relative paths are relative to it. `env` gives
    /// variables of the environment; only secrets are looked up there.
    pub fn load(text: &str, path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let report = Report::new(path, text);
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let what = format!("this is no TOML: {}", error.message());
            let instead = match error.message() {
                "duplicate key" => "keep one of the lines",
                _ => "write one key = value on a line, texts in \"quotes\"",
            };
            report.add(error.span().as_ref(), what, instead);
        }
        let sources = secret::Sources {
            env,
            base: path.parent().unwrap_or(Path::new("")),
        };
        // What the parser could not read would be missing below; that is no second problem.
        let config = if errors.is_empty() {
            read(document.get_ref(), &sources, &report)
        } else {
            None
        };
        match report.finish() {
            Some(problems) => Err(problems),
            None => Ok(config.expect("what could not be read is in the report")),
        }
    }
}

fn read<'a>(document: &'a DeTable<'a>, sources: &secret::Sources<'_>, report: &'a Report) -> Option<Config> {
    let root = Section::new("", document, None, report);
    let xmpp = once(&root, "xmpp", "[xmpp]", |section| sections::xmpp(section, sources));
    let store = once(&root, "store", "[store]", |section| sections::store(section, sources));
    let http = once(&root, "http", "[http]", sections::http);
    let relay = once(&root, "relay", "[relay]", |section| {
        sections::relay(section, store.as_ref().map(|store| store.keep))
    });
    let rooms = once(&root, "rooms", "[rooms]", sections::rooms);
    let run = once(&root, "run", "[run]", sections::run);
    let (accounts, names) = accounts(root.tables("account", "[[account]]"), sources);
    let mappings = {
        let mut context = context::Context {
            domain: xmpp.domain.as_ref(),
            allow: xmpp.allow.as_deref(),
            accounts: names.as_deref(),
            sources,
            groups: HashMap::new(),
            rooms: HashMap::new(),
        };
        let rows = root.tables("mapping", "[[mapping]]").into_iter().map(|section| {
            let row = mapping::read(&section, &mut context);
            section.finish();
            row
        });
        // Read them all before looking whether one failed.
        let rows: Vec<Option<Row>> = rows.collect();
        rows.into_iter().collect::<Option<Vec<Row>>>()
    };
    root.finish();
    Some(Config {
        xmpp: xmpp.complete()?,
        store: store?,
        http,
        relay,
        rooms,
        run,
        accounts: accounts?,
        mappings: mappings?,
    })
}

/// Reads a section that is in the file once, or not at all: then it is empty.
fn once<T>(root: &Section<'_>, key: &'static str, name: &'static str, read: impl FnOnce(&Section<'_>) -> T) -> T {
    let empty = DeTable::new();
    let section = root.table(key, name).unwrap_or(root.absent(name, &empty));
    let values = read(&section);
    section.finish();
    values
}

/// The accounts, if all are sound, and their names, if all have one.
fn accounts(
    sections: Vec<Section<'_>>,
    sources: &secret::Sources<'_>,
) -> (Option<Vec<Account>>, Option<Vec<AccountName>>) {
    let mut read = Vec::new();
    let mut names: HashMap<AccountName, usize> = HashMap::new();
    let mut doors = account::Doors::new();
    for section in sections {
        let account = account::read(&section, sources, &mut doors);
        if let Some(Placed { value: name, at }) = &account.name {
            if let Some(before) = names.get(name) {
                let what = format!("`name` is \"{name}\" again: it stands in line {before} already");
                section.problem(Some(at.clone()), &what, "give each account a name of its own");
            }
            names.entry(name.clone()).or_insert(section.line_of(at));
        }
        section.finish();
        read.push(account);
    }
    let names = read
        .iter()
        .map(|r| r.name.as_ref().map(|name| name.value.clone()))
        .collect();
    (read.into_iter().map(|r| r.account).collect(), names)
}
