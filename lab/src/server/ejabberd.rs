//! How ejabberd (23.01 or later) is told to be a test's server. `ejabberd.yml` is the configuration. It runs as a plain `erl`:
//! `ejabberdctl` would change the user and start a port mapper that outlives the test.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::site::{NEIGHBOURS, S2S_PORT, Site, Wire};
use super::{Muc, Options};
use crate::http;
use crate::process::find_program;

const CONFIG: &str = include_str!("ejabberd.yml");
/// Added when there is a neighbour.
const S2S: &str = include_str!("ejabberd_s2s.yml");
/// Tells Erlang that there is no DNS.
const INETRC: &str = "{resolv_conf, \"\"}.\n{lookup, [native]}.\n";
/// Runs the rest of the line where `/etc/hosts` is the file that is named first.
const WITH_HOSTS: &str = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";

pub(crate) fn write_config(folder: &Path, site: &Site, options: &Options) -> anyhow::Result<()> {
    let quoted = |domain| format!("\"{domain}\"");
    let limits = Limits::of(&options.muc);
    let config = CONFIG
        .replace(
            "@FOLDER@",
            folder.to_str().context("the temporary folder's name is not UTF-8")?,
        )
        .replace("@LEVEL@", if options.debug { "debug" } else { "info" })
        .replace("@C2S@", &site.ports.c2s.to_string())
        .replace("@HTTP@", &site.ports.http.to_string())
        .replace(
            "@DOMAINS@",
            &options.components().map(quoted).collect::<Vec<_>>().join(", "),
        )
        .replace("@COMPONENTS@", &component_listeners(site, options))
        .replace("@S2S@", &s2s(site))
        .replace(
            "@S2S_MODULES@",
            if site.wire.is_some() {
                "  mod_s2s_dialback: {}\n"
            } else {
                ""
            },
        )
        .replace("@MUC_LIMITS@", &limits.service)
        .replace("@ROOM_LIMITS@", &limits.room)
        .replace("@MUC_ARCHIVE@", if options.muc_archive { "true" } else { "false" })
        .replace("@EXTRA@", &options.extra_config);
    for name in ["db", "upload", "log"] {
        fs::create_dir_all(folder.join(name))?;
    }
    fs::write(folder.join("ejabberd.yml"), config)?;
    if let Some(wire) = site.wire {
        fs::write(folder.join("inetrc"), INETRC)?;
        fs::write(folder.join("hosts"), hosts(wire))?;
    }
    Ok(())
}

/// A listener for each component: who logs in at one answers for all the hosts that stand there, and gets a share of their traffic.
/// The port is the same, on one address of the loopback after the other.
fn component_listeners(site: &Site, options: &Options) -> String {
    let listener = |(n, domain)| {
        let (ip, port, secret) = (component_address(n), site.ports.component, &options.secret);
        format!(
            "  - {{ port: {port}, ip: \"{ip}\", module: ejabberd_service, access: all, shaper: none, backlog: 1024, \
             max_stanza_size: 1048576, hosts: {{ \"{domain}\": {{ password: \"{secret}\" }} }} }}\n"
        )
    };
    options.components().enumerate().map(listener).collect()
}

/// Where the n-th component is listened for.
pub(crate) fn component_address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(n + 1).unwrap_or(u8::MAX))
}

fn s2s(site: &Site) -> String {
    let Some(wire) = site.wire else {
        return String::new();
    };
    S2S.replace("@HERE@", &wire.here.to_string())
        .replace("@S2S_PORT@", &S2S_PORT.to_string())
}

/// A file of hosts as the system reads it: ejabberd asks DNS for the server's SRV record (and here nobody answers), then the system.
fn hosts(wire: Wire) -> String {
    let names = NEIGHBOURS.join(" ");
    format!("127.0.0.1 localhost\n{} {names}\n", wire.there)
}

/// The limits on rooms as the configuration has them: of the service, and of a room that nobody has configured.
struct Limits {
    service: String,
    room: String,
}

impl Limits {
    fn of(muc: &Muc) -> Self {
        let (max, others) = match (muc.max_occupants, muc.own_defaults) {
            (Some(max), true) => (Some(max), ""),
            (None, true) => (None, ""),
            (max, false) => (
                max.or(Some(5000)),
                "    max_user_conferences: 10000\n    history_size: 50\n",
            ),
        };
        let Some(max) = max else {
            return Self {
                service: String::new(),
                room: String::new(),
            };
        };
        Self {
            service: format!("    max_users: {max}\n{others}"),
            room: format!(" max_users: {max},"),
        }
    }
}

pub(crate) fn command(folder: &Path, site: &Site) -> anyhow::Result<Command> {
    let program = find_program("erl").context("erl not found; apt-get install ejabberd")?;
    let code = code_path().context("no ejabberd in /usr/lib; apt-get install ejabberd")?;
    // Erlang reads these values as Erlang terms: a string needs its quotes.
    let term = |name: &str| format!("\"{}\"", folder.join(name).display());
    let mut command = Command::new("unshare");
    if site.wire.is_some() {
        command
            .args(["--mount", "--", "sh", "-c", WITH_HOSTS])
            .arg(folder.join("hosts"))
            .arg(program);
        command.env("ERL_INETRC", folder.join("inetrc"));
    } else {
        command = Command::new(program);
    }
    command
        .args(["-noinput", "+K", "true", "+P", "250000", "+sbwt", "none", "-pa"])
        .arg(code)
        .args(["-mnesia", "dir", &term("db")])
        .args([
            "-ejabberd",
            "config",
            &term("ejabberd.yml"),
            "log_path",
            &term("log/ejabberd.log"),
        ])
        .args(["-s", "ejabberd"])
        .env("HOME", folder)
        .env("ERL_CRASH_DUMP", folder.join("erl_crash.dump"))
        .current_dir(folder);
    Ok(command)
}

/// The folder of ejabberd's compiled code, as Debian installs it: `/usr/lib/<architecture>/ejabberd-<version>/ebin`.
pub(crate) fn code_path() -> Option<PathBuf> {
    let below = |folder: &Path| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
    };
    let is_ejabberd = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("ejabberd-"))
    };
    below(Path::new("/usr/lib"))
        .flat_map(|folder| below(&folder).filter(is_ejabberd).collect::<Vec<_>>())
        .map(|folder| folder.join("ebin"))
        .filter(|folder| folder.join("ejabberd.app").is_file())
        .max()
}

/// Adds an account over ejabberd's API (`mod_http_api`, command `register`).
pub(crate) async fn register(http_port: u16, user: &str) -> anyhow::Result<()> {
    let response = http::client(Duration::from_secs(10))?
        .post(format!("http://127.0.0.1:{http_port}/api/register"))
        .json(&json!({ "user": user, "host": "localhost", "password": user }))
        .send()
        .await
        .with_context(|| format!("cannot register {user}"))?;
    if !response.status().is_success() {
        bail!(
            "cannot register {user}: {} {}",
            response.status(),
            response.text().await.unwrap_or_default()
        );
    }
    Ok(())
}
