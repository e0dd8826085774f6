//! `[[account]]`: the QQ accounts that the gateway logs in.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use toml::de::DeValue;
use url::Url;

use crate::model::{AccountName, QqNumber};

use super::secret::{self, Secret, Sources};
use super::section::{Placed, Section};
use super::value::{self, Wrong};

/// Keys that only accounts of one protocol have.
const WEBQQ_KEYS: [&str; 4] = ["server", "login", "password", "password_file"];
const ONEBOT_KEYS: [&str; 4] = ["url", "listen", "access_token", "access_token_file"];
/// Keys of `webqq` accounts with a password.
const PASSWORD_KEYS: [&str; 3] = ["qq", "password", "password_file"];

/// A QQ account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The operator's name for it.
    pub name: AccountName,
    /// How it is reached.
    pub protocol: Protocol,
    /// The least time between two messages; nothing: what the protocol and its era bear.
    pub send_every: Option<Duration>,
}

/// How an account is reached, with what the protocol needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// `webqq`: Tencent's web protocol.
    WebQq(WebQq),
    /// `onebot`: `OneBot` 11 over WebSocket.
    OneBot(OneBot),
}

/// The keys of a `onebot` account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneBot {
    /// Who connects to whom.
    pub reach: Reach,
    /// What both sides must know; without it the other side asks for none.
    pub access_token: Option<Secret>,
}

/// Who connects to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The gateway, to this address.
    Connect(Url),
    /// The other side, to the gateway.
    Listen {
        /// Where the gateway listens; several accounts may share it.
        listen: SocketAddr,
        /// The account's number; nothing takes whoever comes.
        qq: Option<QqNumber>,
    },
}

/// The keys of a `webqq` account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebQq {
    /// Where every `WebQQ` host is to be found: scheme, host and port count.
    pub server: Url,
    /// How it logs in.
    pub login: Login,
}

/// How a `webqq` account logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A person scans a code with the phone's QQ (`SmartQQ`).
    Qr,
    /// By number and password (`WebQQ` of 2013).
    Password {
        /// The account's number.
        qq: QqNumber,
        /// Its password.
        password: Secret,
    },
}

impl Login {
    /// Number and password, where it is by these.
    pub fn password(&self) -> Option<(QqNumber, &Secret)> {
        match self {
            Self::Qr => None,
            Self::Password { qq, password } => Some((*qq, password)),
        }
    }
}

/// What the file says of one account: its name even when the rest is wrong, so that rows that use it are not wrong too.
pub(super) struct Read {
    pub(super) name: Option<Placed<AccountName>>,
    pub(super) account: Option<Account>,
}

/// Who is expected at which address, and the line that says so: accounts that share one must be told apart.
pub(super) type Doors = HashMap<(SocketAddr, Option<QqNumber>), usize>;

#[derive(Debug, Clone, Copy)]
enum Spoken {
    WebQq,
    OneBot,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Qr,
    Password,
}

/// Reads one account.
pub(super) fn read(section: &Section<'_>, sources: &Sources<'_>, doors: &mut Doors) -> Read {
    if section.get("name").is_none() {
        section.missing("name", "add a line name = \"main\"; rows of the mapping use it");
    }
    let name = section.read_placed("name", read_name);
    let send_every = section.read("send_every", value::duration("0s", "10m"));
    let protocols = [("onebot", Spoken::OneBot), ("webqq", Spoken::WebQq)];
    let protocol = match section.required("protocol", "\"onebot\"", value::word(&protocols)) {
        Some(Spoken::WebQq) => {
            section.refuse(&ONEBOT_KEYS, "onebot accounts");
            webqq(section, name.as_ref().map(|name| &name.value), sources)
        }
        Some(Spoken::OneBot) => {
            section.refuse(&WEBQQ_KEYS, "webqq accounts");
            onebot(section, name.as_ref().map(|name| &name.value), sources, doors)
        }
        None => {
            section.forgive(&WEBQQ_KEYS);
            section.forgive(&ONEBOT_KEYS);
            section.forgive(&PASSWORD_KEYS);
            None
        }
    };
    let complete = || {
        Some(Account {
            name: name.as_ref()?.value.clone(),
            protocol: protocol?,
            send_every,
        })
    };
    Read {
        account: complete(),
        name,
    }
}

fn onebot(
    section: &Section<'_>,
    name: Option<&AccountName>,
    sources: &Sources<'_>,
    doors: &mut Doors,
) -> Option<Protocol> {
    let path = ["account", name.map_or("", AccountName::as_str), "access_token"];
    let token = secret::optional(section, "access_token", "access_token_file", &path, sources);
    let url = section.read("url", value::ws_server);
    let listen = section.read_placed("listen", value::listen);
    let qq = section.read("qq", value::qq);
    let reach = match (section.get("url"), section.get("listen")) {
        (Some(_), Some(_)) => {
            let instead = "keep one: with `url` the gateway connects, with `listen` the other side does";
            section.problem_at("listen", "`listen` stands beside `url`", instead);
            return None;
        }
        (None, None) => {
            let instead =
                "add a line url = \"ws://127.0.0.1:3001\", or listen = \"127.0.0.1:6199\" when the other side connects";
            section.missing("url", instead);
            return None;
        }
        (Some(_), None) => {
            if section.get("qq").is_some() {
                section.problem_at("qq", "`qq` is for `listen` alone", "take the line out");
            }
            Reach::Connect(url?)
        }
        (None, Some(_)) => door(section, listen?, qq, doors)?,
    };
    let token = token.ok()?;
    if let Reach::Listen { listen, .. } = &reach
        && token.is_none()
        && !listen.ip().is_loopback()
    {
        let instead = "add a line access_token = \"…\", the same as on the other side";
        let what = format!("`access_token` is missing: who reaches {listen} could speak as the account");
        section.problem_at("listen", &what, instead);
        return None;
    }
    Some(Protocol::OneBot(OneBot {
        reach,
        access_token: token,
    }))
}

fn door(section: &Section<'_>, listen: Placed<SocketAddr>, qq: Option<QqNumber>, doors: &mut Doors) -> Option<Reach> {
    let Placed { value: listen, at } = listen;
    if section.get("qq").is_some() && qq.is_none() {
        return None;
    }
    let line = section.line_of(&at);
    // Who takes whoever comes shares with nobody.
    let other = doors
        .iter()
        .find(|((address, number), _)| *address == listen && (*number == qq || number.is_none() || qq.is_none()))
        .map(|(_, line)| *line);
    if let Some(other) = other {
        let wrong = Wrong::new(
            format!("is {listen} again: it stands in line {other} already"),
            "give each of these accounts its own number: qq = 123456789",
        );
        section.wrong("listen", at, &wrong);
        return None;
    }
    doors.insert((listen, qq), line);
    Some(Reach::Listen { listen, qq })
}

fn webqq(section: &Section<'_>, name: Option<&AccountName>, sources: &Sources<'_>) -> Option<Protocol> {
    let server = section.required("server", "\"http://127.0.0.1:8600\"", value::http_server);
    let ways = [("qr", Way::Qr), ("password", Way::Password)];
    let login = match section.required("login", "\"qr\"", value::word(&ways)) {
        Some(Way::Qr) => {
            section.refuse(&PASSWORD_KEYS, "accounts with login = \"password\"");
            Some(Login::Qr)
        }
        Some(Way::Password) => password(section, name, sources),
        None => {
            section.forgive(&PASSWORD_KEYS);
            None
        }
    };
    Some(Protocol::WebQq(WebQq {
        server: server?,
        login: login?,
    }))
}

fn password(section: &Section<'_>, name: Option<&AccountName>, sources: &Sources<'_>) -> Option<Login> {
    let qq = section.required("qq", "123456789", value::qq);
    let path = ["account", name.map_or("", AccountName::as_str), "password"];
    let password = secret::required(section, "password", "password_file", &path, sources);
    Some(Login::Password {
        qq: qq?,
        password: password?,
    })
}

fn read_name(value: &DeValue<'_>) -> Result<AccountName, Wrong> {
    let text = value::text(value)?;
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.is_empty() || text.len() > 64 || !text.chars().all(fine) {
        let what = format!("cannot be \"{text}\"");
        return Err(Wrong::new(
            what,
            "write small letters, digits and _ alone, like \"main\"",
        ));
    }
    Ok(AccountName(text.into()))
}
