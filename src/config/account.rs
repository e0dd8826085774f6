//! `[[account]]`: the QQ accounts that the gateway logs in.

use std::time::Duration;

use toml::de::DeValue;
use url::Url;

use crate::model::AccountName;

use super::section::{Placed, Section};
use super::value::{self, Wrong};

/// A protocol and a login that come later.
const ONEBOT: &str = "onebot";
const PASSWORD: &str = "password";

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// A person scans a code with the phone's QQ (`SmartQQ`).
    Qr,
}

/// What the file says of one account: its name even when the rest is wrong, so that rows that use it are not wrong too.
pub(super) struct Read {
    pub(super) name: Option<Placed<AccountName>>,
    pub(super) account: Option<Account>,
}

/// Reads one account.
pub(super) fn read(section: &Section<'_>) -> Read {
    if section.get("name").is_none() {
        section.missing("name", "add a line name = \"main\"; rows of the mapping use it");
    }
    let name = section.read_placed("name", read_name);
    let send_every = section.read("send_every", value::duration("0s", "10m"));
    let spoken = section.required("protocol", "\"webqq\"", protocol);
    let protocol = if section.says("protocol", ONEBOT) {
        section.forgive(&["server", "login"]);
        section.forgive_later();
        None
    } else {
        let read = webqq(section);
        spoken.and(read)
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

fn webqq(section: &Section<'_>) -> Option<Protocol> {
    let server = section.required("server", "\"http://127.0.0.1:8600\"", value::http_server);
    let login = section.required("login", "\"qr\"", login);
    if section.says("login", PASSWORD) {
        section.forgive(&["qq", "password", "password_file"]);
    }
    Some(Protocol::WebQq(WebQq {
        server: server?,
        login: login?,
    }))
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

/// There is one protocol so far: nothing has to be told apart.
fn protocol(value: &DeValue<'_>) -> Result<(), Wrong> {
    refuse_later(value, ONEBOT, "webqq")?;
    value::word(&[("webqq", ())])(value)
}

fn login(value: &DeValue<'_>) -> Result<Login, Wrong> {
    refuse_later(value, PASSWORD, "qr")?;
    value::word(&[("qr", Login::Qr)])(value)
}

/// A value that a later version has.
fn refuse_later(value: &DeValue<'_>, later: &str, now: &str) -> Result<(), Wrong> {
    if value.as_str() != Some(later) {
        return Ok(());
    }
    Err(Wrong::new(
        format!("cannot be \"{later}\": that is not in this version of qqxmpp"),
        format!("write \"{now}\", or take a version that has it"),
    ))
}
