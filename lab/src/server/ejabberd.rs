//! How ejabberd (23.01 or later) is told to be a test's server. `ejabberd.yml` is the configuration. It runs as a plain `erl`:
//! `ejabberdctl` would change the user and start a port mapper that outlives the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::{Options, Ports};
use crate::http;
use crate::process::find_program;

const CONFIG: &str = include_str!("ejabberd.yml");

pub(crate) fn write_config(folder: &Path, ports: Ports, options: &Options) -> anyhow::Result<()> {
    let quoted = |domain| format!("\"{domain}\"");
    let secret = |domain| format!("\"{domain}\": {{ password: \"{}\" }}", options.secret);
    let config = CONFIG
        .replace(
            "@FOLDER@",
            folder.to_str().context("the temporary folder's name is not UTF-8")?,
        )
        .replace("@LEVEL@", if options.debug { "debug" } else { "info" })
        .replace("@C2S@", &ports.c2s.to_string())
        .replace("@COMPONENT@", &ports.component.to_string())
        .replace("@HTTP@", &ports.http.to_string())
        .replace(
            "@DOMAINS@",
            &options.components().map(quoted).collect::<Vec<_>>().join(", "),
        )
        .replace(
            "@SECRETS@",
            &options.components().map(secret).collect::<Vec<_>>().join(", "),
        )
        .replace("@MUC_ARCHIVE@", if options.muc_archive { "true" } else { "false" })
        .replace("@EXTRA@", &options.extra_config);
    for name in ["db", "upload", "log"] {
        fs::create_dir_all(folder.join(name))?;
    }
    fs::write(folder.join("ejabberd.yml"), config)?;
    Ok(())
}

pub(crate) fn command(folder: &Path) -> anyhow::Result<Command> {
    let program = find_program("erl").context("erl not found; apt-get install ejabberd")?;
    let code = code_path().context("no ejabberd in /usr/lib; apt-get install ejabberd")?;
    // Erlang reads these values as Erlang terms: a string needs its quotes.
    let term = |name: &str| format!("\"{}\"", folder.join(name).display());
    let mut command = Command::new(program);
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
