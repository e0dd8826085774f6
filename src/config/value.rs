//! What single values look like: from the file's text, numbers and lists to the types that the gateway works with.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use jid::BareJid;
use toml::de::DeValue;
use url::Url;

use crate::model::{GroupNumber, QqNumber};

use super::sections::Server;

/// Real numbers of groups and people have five digits at least; eleven are more than any has today.
const QQ_NUMBERS: RangeInclusive<u64> = 10_000..=99_999_999_999;

/// Names longer than this are slips of the pen.
const LONGEST_NAME: usize = 200;

/// Why a value will not do, to be read behind the key's name, and what to write instead.
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) instead: String,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            instead: instead.into(),
        }
    }
}

/// The kind of a value, with its article.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn text_ref<'a>(value: &'a DeValue<'_>) -> Result<&'a str, Wrong> {
    value
        .as_str()
        .ok_or_else(|| Wrong::new(format!("must be text, not {}", kind(value)), "put it in double quotes"))
}

/// Any text.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, Wrong> {
    text_ref(value).map(str::to_owned)
}

/// The name of a file.
pub(super) fn path(value: &DeValue<'_>) -> Result<String, Wrong> {
    let text = text(value)?;
    if text.is_empty() || text.contains('\0') {
        return Err(Wrong::new(
            "is no name of a file",
            "write a path, relative to this file or absolute",
        ));
    }
    Ok(text)
}

/// A name for people, in one line.
pub(super) fn name(value: &DeValue<'_>) -> Result<String, Wrong> {
    let text = text_ref(value)?.trim();
    if text.is_empty() {
        return Err(Wrong::new("is empty", "write a name, or take the line out"));
    }
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST_NAME {
        let what = "holds a control character or is too long";
        return Err(Wrong::new(
            what,
            format!("write one line of at most {LONGEST_NAME} characters"),
        ));
    }
    Ok(text.to_owned())
}

/// Yes or no.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, Wrong> {
    value.as_bool().ok_or_else(|| {
        Wrong::new(
            format!("must be true or false, not {}", kind(value)),
            "write true or false, without quotes",
        )
    })
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &[(&str, T)]) -> impl Fn(&DeValue<'_>) -> Result<T, Wrong> {
    move |value| {
        let text = text_ref(value)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        Err(Wrong::new(
            format!("cannot be \"{text}\""),
            format!("write {}", all.join(" or ")),
        ))
    }
}

/// A span of time within limits, `"10m"` or `"1h 30m"`; the limits are in the same form.
pub(super) fn duration(least: &'static str, most: &'static str) -> impl Fn(&DeValue<'_>) -> Result<Duration, Wrong> {
    move |value| {
        let units = "write a number and a unit in quotes: \"500ms\", \"30s\", \"10m\", \"24h\" or \"90d\"";
        let Some(text) = value.as_str() else {
            return Err(Wrong::new(
                format!("must be a span of time, not {}", kind(value)),
                units,
            ));
        };
        let span = humantime::parse_duration(text)
            .map_err(|_| Wrong::new(format!("cannot be \"{text}\": that is no span of time"), units))?;
        let limit = |text| humantime::parse_duration(text).expect("limits are written in this program");
        if !(limit(least)..=limit(most)).contains(&span) {
            return Err(Wrong::new(
                format!("cannot be \"{text}\""),
                format!("write something from \"{least}\" to \"{most}\""),
            ));
        }
        Ok(span)
    }
}

/// The number of a QQ group.
pub(super) fn group(value: &DeValue<'_>) -> Result<GroupNumber, Wrong> {
    let Some(number) = value.as_integer() else {
        return Err(Wrong::new(
            format!("must be a group's number, not {}", kind(value)),
            "write the number as QQ shows it, without quotes",
        ));
    };
    number
        .as_str()
        .parse()
        .ok()
        .filter(|n| number.radix() == 10 && QQ_NUMBERS.contains(n))
        .map(GroupNumber)
        .ok_or_else(|| {
            let what = format!("cannot be {number}: that is no QQ group's number");
            Wrong::new(what, "write the number as QQ shows it: five to eleven digits")
        })
}

/// A number of things within limits.
pub(super) fn count(least: usize, most: usize) -> impl Fn(&DeValue<'_>) -> Result<usize, Wrong> {
    move |value| {
        let number = value.as_integer().ok_or_else(|| {
            let what = format!("must be a number, not {}", kind(value));
            Wrong::new(what, "write it without quotes")
        })?;
        let read = number.as_str().parse().ok().filter(|_| number.radix() == 10);
        read.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
            Wrong::new(
                format!("cannot be {number}"),
                format!("write a number from {least} to {most}"),
            )
        })
    }
}

/// The number of a person on QQ.
pub(super) fn qq(value: &DeValue<'_>) -> Result<QqNumber, Wrong> {
    let wrong = |what: String| Wrong::new(what, "write the number as QQ shows it, without quotes");
    let Some(number) = value.as_integer() else {
        return Err(wrong(format!("must be a QQ number, not {}", kind(value))));
    };
    let read = number.as_str().parse().ok().filter(|_| number.radix() == 10);
    read.filter(|n| QQ_NUMBERS.contains(n))
        .map(QqNumber)
        .ok_or_else(|| wrong(format!("cannot be {number}: that is no QQ number")))
}

/// A bare JID of somebody or of a room, with a local part.
pub(super) fn address(value: &DeValue<'_>) -> Result<BareJid, Wrong> {
    parse_address(text_ref(value)?)
}

/// As [`address`], from text.
pub(super) fn parse_address(text: &str) -> Result<BareJid, Wrong> {
    let wrong = |why: &str| {
        Wrong::new(
            format!("cannot be \"{text}\": {why}"),
            "write an address without a resource, like \"name@example.org\"",
        )
    };
    let jid = BareJid::new(text).map_err(|error| wrong(&format!("malformed JID, {error}")))?;
    if jid.node().is_none() {
        return Err(wrong("it has no local part"));
    }
    check_domain(jid.domain().as_str()).map_err(wrong)?;
    Ok(jid)
}

/// A domain.
pub(super) fn domain(value: &DeValue<'_>) -> Result<BareJid, Wrong> {
    parse_domain(text_ref(value)?)
}

/// As [`domain`], from text.
pub(super) fn parse_domain(text: &str) -> Result<BareJid, Wrong> {
    let wrong = |why: &str| {
        Wrong::new(
            format!("cannot be \"{text}\": {why}"),
            "write a domain alone, like \"qq.example.org\"",
        )
    };
    let jid = BareJid::new(text).map_err(|error| wrong(&format!("malformed domain, {error}")))?;
    if jid.node().is_some() {
        return Err(wrong("it is the address of somebody"));
    }
    check_domain(jid.domain().as_str()).map_err(wrong)?;
    Ok(jid)
}

/// The crate takes more for a domain than any server does.
fn check_domain(domain: &str) -> Result<(), &'static str> {
    let odd = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.' | '_');
    if domain.is_empty() || domain.contains(odd) || domain.split('.').any(str::is_empty) {
        return Err("malformed domain");
    }
    Ok(())
}

/// Where a server listens: a name or address and the port.
pub(super) fn server(value: &DeValue<'_>) -> Result<Server, Wrong> {
    let text = text_ref(value)?;
    let wrong = || {
        let what = format!("cannot be \"{text}\"");
        Wrong::new(
            what,
            "write name and port, or address and port, like \"127.0.0.1:5347\"",
        )
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | ':' | '[' | ']');
    let sound = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(odd),
    };
    if !sound {
        return Err(wrong());
    }
    Ok(Server {
        host: bracketed.unwrap_or(host).to_owned(),
        port,
    })
}

/// Where we listen.
pub(super) fn listen(value: &DeValue<'_>) -> Result<SocketAddr, Wrong> {
    let text = text_ref(value)?;
    text.parse().map_err(|_| {
        let what = format!("cannot be \"{text}\"");
        Wrong::new(
            what,
            "write address and port, like \"127.0.0.1:9680\" or \"[::1]:9680\"",
        )
    })
}

/// The address of an HTTP server: scheme, host and port, and nothing else.
pub(super) fn http_server(value: &DeValue<'_>) -> Result<Url, Wrong> {
    let text = text_ref(value)?;
    // The text stays out of the message: it might hold a password.
    let wrong = || {
        let what = "is no address of an HTTP server";
        Wrong::new(
            what,
            "write scheme, host and port alone, like \"http://127.0.0.1:8600\"",
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if !bare || !url.has_host() || !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    Ok(url)
}

/// The address of a WebSocket server, with its path.
pub(super) fn ws_server(value: &DeValue<'_>) -> Result<Url, Wrong> {
    let text = text_ref(value)?;
    // The text stays out of the message: it might hold a token.
    let wrong = |what: &str| Wrong::new(what, "write it like \"ws://127.0.0.1:3001\", or wss:// for TLS");
    let url = Url::parse(text).map_err(|_| wrong("is no address of a WebSocket server"))?;
    if !url.has_host() || !matches!(url.scheme(), "ws" | "wss") || url.fragment().is_some() {
        return Err(wrong("is no address of a WebSocket server"));
    }
    let token = url.query_pairs().any(|(key, _)| key == "access_token");
    if token || !url.username().is_empty() || url.password().is_some() {
        let instead = "write it into a line of its own: access_token = \"…\"";
        return Err(Wrong::new("holds a secret", instead));
    }
    Ok(url)
}
