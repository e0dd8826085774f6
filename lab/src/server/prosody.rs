//! How Prosody (0.12 or later) is told to be a test's server. `prosody.cfg.lua` is the configuration.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::site::{S2S_PORT, Site};
use super::{Muc, Options};
use crate::process::find_program;

const CONFIG: &str = include_str!("prosody.cfg.lua");
/// Added when there is a neighbour.
const S2S: &str = include_str!("prosody_s2s.cfg.lua");
/// Modules of our own; Debian's are found without being told where.
const MODULES: [(&str, &str); 2] = [
    ("mod_lab_muc_limits.lua", include_str!("mod_lab_muc_limits.lua")),
    ("mod_lab_neighbour.lua", include_str!("mod_lab_neighbour.lua")),
];

pub(crate) fn write_config(folder: &Path, site: &Site, options: &Options) -> anyhow::Result<()> {
    let uploaders = options
        .components()
        .fold(String::new(), |list, domain| format!("{list}, \"{domain}\""));
    let modules = if site.wire.is_some() {
        " \"dialback\", \"s2s_smacks_timeout\", \"lab_neighbour\","
    } else {
        ""
    };
    let mut config = CONFIG
        .replace("@MODULES@", modules)
        .replace("@S2S@", &s2s(site))
        .replace("@MUC_MODULES@", &muc_modules(options))
        .replace("@MUC_LIMITS@", &muc_limits(&options.muc)?)
        .replace(
            "@FOLDER@",
            folder.to_str().context("the temporary folder's name is not UTF-8")?,
        )
        .replace("@LEVEL@", if options.debug { "debug" } else { "info" })
        .replace("@ADDRESS@", &site.address.to_string())
        .replace("@WEB@", &site.web_host())
        .replace("@DOMAIN@", site.domain)
        .replace("@MUC@", site.muc_service)
        .replace("@UPLOAD@", site.upload_service)
        .replace("@C2S@", &site.ports.c2s.to_string())
        .replace("@COMPONENT@", &site.ports.component.to_string())
        .replace("@HTTP@", &site.ports.http.to_string())
        .replace("@UPLOADERS@", &uploaders)
        .replace("@EXTRA@", &options.extra_config);
    for domain in options.components() {
        let (secret, extra) = (&options.secret, &options.extra_component_config);
        writeln!(
            config,
            "\nComponent \"{domain}\"\n  component_secret = \"{secret}\"\n{extra}"
        )?;
    }
    for name in ["certs", "modules"] {
        fs::create_dir_all(folder.join(name))?;
    }
    fs::create_dir_all(accounts(folder, site))?;
    for (name, code) in MODULES {
        fs::write(folder.join("modules").join(name), code)?;
    }
    fs::write(folder.join("prosody.cfg.lua"), config)?;
    Ok(())
}

fn s2s(site: &Site) -> String {
    let Some(wire) = site.wire else {
        return "modules_disabled = { \"s2s\" }\n".to_owned();
    };
    S2S.replace("@HERE@", &wire.here.to_string())
        .replace("@THERE@", &wire.there.to_string())
        .replace("@S2S_PORT@", &S2S_PORT.to_string())
}

fn muc_modules(options: &Options) -> String {
    let limited = options.muc.limits.is_some() || options.muc.max_occupants.is_some();
    let modules = [
        (options.muc_archive, "\"muc_mam\""),
        (options.muc.moderation, "\"muc_moderation\""),
        (limited, "\"lab_muc_limits\""),
    ];
    let wanted: Vec<&str> = modules.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    wanted.join(", ")
}

fn muc_limits(muc: &Muc) -> anyhow::Result<String> {
    let mut lines = String::new();
    match muc.limits {
        None => writeln!(lines, "  muc_limits = false")?,
        Some(limits) => {
            writeln!(lines, "  muc_event_rate = {}", limits.event_rate)?;
            writeln!(lines, "  muc_burst_factor = {}", limits.burst_factor)?;
            writeln!(lines, "  muc_max_nick_length = {}", limits.max_nick_length)?;
            writeln!(lines, "  muc_max_line_count = {}", limits.max_lines)?;
        }
    }
    if let Some(max) = muc.max_occupants {
        writeln!(lines, "  muc_max_occupants = {max}")?;
    }
    Ok(lines)
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
pub(crate) fn register(folder: &Path, site: &Site, user: &str) -> anyhow::Result<()> {
    let file = accounts(folder, site).join(format!("{user}.dat"));
    fs::write(&file, format!("return {{ [\"password\"] = \"{user}\" }};\n"))
        .with_context(|| format!("cannot write the account {}", file.display()))
}

/// Prosody writes the dots of a domain as in an address of a page.
fn accounts(folder: &Path, site: &Site) -> PathBuf {
    folder
        .join("data")
        .join(site.domain.replace('.', "%2e"))
        .join("accounts")
}
