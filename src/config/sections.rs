//! The sections that are in the file once: their values, defaults and limits.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jid::BareJid;

use crate::model::Language;

use super::allow::{self, Allow};
use super::secret::{self, Secret, Sources};
use super::section::{Placed, Section};
use super::template::{self, Template};
use super::value::{self, Wrong};

const SECS_PER_DAY: u64 = 24 * 60 * 60;

/// `[xmpp]`: the component and who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xmpp {
    /// The component's domain; no local part.
    pub domain: BareJid,
    /// The XMPP server's component port.
    pub server: Server,
    /// The secret of the component's handshake (XEP-0114 §3).
    pub secret: Secret,
    /// Who may use the admin commands and gets the alerts.
    pub admins: Vec<BareJid>,
    /// Who may join hosted rooms that say nothing themselves.
    pub allow: Vec<Allow>,
    /// What the addresses of members are made of in joined rooms.
    pub puppet_address: PuppetAddress,
    /// Of the gateway's texts to XMPP people.
    pub language: Language,
}

/// What the address of a member is made of in joined rooms, where whoever moderates can see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PuppetAddress {
    /// A hash, which tells nobody who it is.
    #[default]
    Hashed,
    /// The QQ number.
    Number,
}

impl PuppetAddress {
    const WORDS: [(&'static str, Self); 2] = [("hashed", Self::Hashed), ("number", Self::Number)];

    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Number => "number",
        }
    }
}

/// Where a server listens. The name is looked up at each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// `[store]`: where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The `SQLite` file, resolved against the place of `bridge.toml`.
    pub path: PathBuf,
    /// How long the archive keeps messages.
    pub keep: Duration,
}

/// `[http]`: health, metrics and the login page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Http {
    /// Where to listen; nothing turns it off.
    pub listen: Option<SocketAddr>,
}

/// `[relay]`: from XMPP to QQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// How an XMPP person's words look on QQ.
    pub template: Template,
    /// How long a message to QQ is retried.
    pub give_up: Duration,
    /// How much of a gap is closed after an outage.
    pub backfill: Backfill,
}

/// How much of what was said on QQ during an outage is fetched after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backfill {
    /// At most so many messages of a group; 0 fetches nothing.
    pub count: usize,
    /// Nothing older; never longer than the archive keeps messages, which knows what was shown already.
    pub age: Duration,
}

impl Default for Backfill {
    fn default() -> Self {
        Self {
            count: 500,
            age: Duration::from_secs(SECS_PER_DAY),
        }
    }
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            template: Template::default(),
            give_up: Duration::from_secs(600),
            backfill: Backfill::default(),
        }
    }
}

/// `[rooms]`: what all rooms share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rooms {
    /// Tell the occupants of hosted rooms when the gateway stops (status 332); their clients may then not come back.
    pub farewell: bool,
}

/// `[run]`: the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How long a stop may take to finish what was taken.
    pub drain_timeout: Duration,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            drain_timeout: Duration::from_secs(10),
        }
    }
}

pub(super) fn values<T>(list: Vec<Placed<T>>) -> Vec<T> {
    list.into_iter().map(|placed| placed.value).collect()
}

pub(super) fn xmpp(section: &Section<'_>, sources: &Sources<'_>) -> Partial {
    let domain = section.required("domain", "\"qq.example.org\"", value::domain);
    let server = section.required("server", "\"127.0.0.1:5347\"", value::server);
    let secret = secret::required(section, "secret", "secret_file", &["xmpp", "secret"], sources);
    if section.get("admins").is_none() {
        section.missing("admins", "add a line admins = [\"alice@example.org\"]");
    }
    let admins = section.list("admins", value::address);
    let allow = match section.list("allow", allow::read) {
        Some(rules) => Some(values(rules)),
        None => default_allow(section, domain.as_ref()),
    };
    let puppet_address = section.read("puppet_address", value::word(&PuppetAddress::WORDS));
    let languages = [("en", Language::En), ("zh", Language::Zh)];
    let language = section.read("language", value::word(&languages)).unwrap_or_default();
    Partial {
        domain,
        server,
        secret,
        admins: admins.map(values),
        allow,
        puppet_address: puppet_address.unwrap_or_default(),
        language,
    }
}

/// `[xmpp]` as far as it could be read: the rows of the mapping are checked against what there is.
pub(super) struct Partial {
    pub(super) domain: Option<BareJid>,
    server: Option<Server>,
    secret: Option<Secret>,
    admins: Option<Vec<BareJid>>,
    pub(super) allow: Option<Vec<Allow>>,
    puppet_address: PuppetAddress,
    language: Language,
}

impl Partial {
    /// The section, if nothing is missing.
    pub(super) fn complete(self) -> Option<Xmpp> {
        Some(Xmpp {
            domain: self.domain?,
            server: self.server?,
            secret: self.secret?,
            admins: self.admins?,
            allow: self.allow?,
            puppet_address: self.puppet_address,
            language: self.language,
        })
    }
}

fn default_allow(section: &Section<'_>, domain: Option<&BareJid>) -> Option<Vec<Allow>> {
    if section.get("allow").is_some() {
        return None;
    }
    let domain = domain?;
    let rule = allow::parent(domain);
    if rule.is_none() {
        let what = format!("`allow` is missing: {domain} has no parent domain that could be your users'");
        let instead = "say who may join the rooms: add a line allow = [\"example.org\"]";
        section.problem_at("domain", &what, instead);
    }
    rule.map(|rule| vec![rule])
}

pub(super) fn store(section: &Section<'_>, sources: &Sources<'_>) -> Option<Store> {
    let keep = section.read("keep", value::duration("1h", "36500d"));
    let path = section.required("path", "\"qqxmpp.db\"", value::path)?;
    Some(Store {
        path: sources.base.join(path),
        keep: keep.unwrap_or(Duration::from_secs(90 * SECS_PER_DAY)),
    })
}

pub(super) fn http(section: &Section<'_>) -> Http {
    Http {
        listen: section.read("listen", value::listen),
    }
}

pub(super) fn relay(section: &Section<'_>, keep: Option<Duration>) -> Relay {
    let default = Relay::default();
    Relay {
        template: section.read("template", template::read).unwrap_or(default.template),
        give_up: section
            .read("give_up", value::duration("1s", "30d"))
            .unwrap_or(default.give_up),
        backfill: backfill(section, keep),
    }
}

fn backfill(section: &Section<'_>, keep: Option<Duration>) -> Backfill {
    let default = Backfill::default();
    let keep = keep.unwrap_or(Duration::MAX);
    let Some(section) = section.table("backfill", "[relay] `backfill`") else {
        return Backfill {
            age: default.age.min(keep),
            ..default
        };
    };
    let count = section.read("count", value::count(0, 100_000)).unwrap_or(default.count);
    let age = section.read_placed("age", value::duration("1m", "365d"));
    if let Some(Placed { value, at }) = &age
        && *value > keep
    {
        let wrong = Wrong::new(
            "is longer than `keep` of [store]",
            "the archive knows what was shown already: fetch nothing older than it keeps",
        );
        section.wrong("age", at.clone(), &wrong);
    }
    section.finish();
    Backfill {
        count,
        age: age.map_or(default.age, |age| age.value).min(keep),
    }
}

pub(super) fn rooms(section: &Section<'_>) -> Rooms {
    Rooms {
        farewell: section.read("farewell", value::flag).unwrap_or_default(),
    }
}

pub(super) fn run(section: &Section<'_>) -> Run {
    let drain_timeout = section.read("drain_timeout", value::duration("0s", "10m"));
    drain_timeout.map_or_else(Run::default, |drain_timeout| Run { drain_timeout })
}
