//! How Prosody (0.12 or later) is told to be a test's server. `prosody.cfg.lua` is the configuration.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::{Options, Ports};
use crate::process::find_program;

const CONFIG: &str = include_str!("prosody.cfg.lua");
const ACCOUNTS: &str = "data/localhost/accounts";

pub(crate) fn write_config(folder: &Path, ports: Ports, options: &Options) -> anyhow::Result<()> {
    let uploaders = options
        .components()
        .fold(String::new(), |list, domain| format!("{list}, \"{domain}\""));
    let mut config = CONFIG
        .replace(
            "@FOLDER@",
            folder.to_str().context("the temporary folder's name is not UTF-8")?,
        )
        .replace("@LEVEL@", if options.debug { "debug" } else { "info" })
        .replace("@C2S@", &ports.c2s.to_string())
        .replace("@COMPONENT@", &ports.component.to_string())
        .replace("@HTTP@", &ports.http.to_string())
        .replace("@MUC_MODULES@", if options.muc_archive { "\"muc_mam\"" } else { "" })
        .replace("@UPLOADERS@", &uploaders)
        .replace("@EXTRA@", &options.extra_config);
    for domain in options.components() {
        let (secret, extra) = (&options.secret, &options.extra_component_config);
        writeln!(
            config,
            "\nComponent \"{domain}\"\n  component_secret = \"{secret}\"\n{extra}"
        )?;
    }
    fs::create_dir_all(folder.join(ACCOUNTS))?;
    fs::create_dir_all(folder.join("certs"))?;
    fs::write(folder.join("prosody.cfg.lua"), config)?;
    Ok(())
}

pub(crate) fn command(folder: &Path) -> anyhow::Result<Command> {
    let program = find_program("prosody").context("prosody not found; apt-get install prosody")?;
    let mut command = Command::new(program);
    command
        .arg("-F")
        .arg("--config")
        .arg(folder.join("prosody.cfg.lua"))
        .current_dir(folder);
    Ok(command)
}

/// Writes the account's file; Prosody reads it when somebody logs in.
pub(crate) fn register(folder: &Path, user: &str) -> anyhow::Result<()> {
    let file = folder.join(ACCOUNTS).join(format!("{user}.dat"));
    fs::write(&file, format!("return {{ [\"password\"] = \"{user}\" }};\n"))
        .with_context(|| format!("cannot write the account {}", file.display()))
}
