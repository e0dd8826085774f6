//! What the tests, the demonstration and the benchmarks of qqxmpp need around the gateway: real XMPP servers, a raw Jabber
//! client, the programs of the workspace as child processes, and the control side of the QQ sandbox.
//!
//! - [`server`]: Prosody and ejabberd, each in a temporary folder on free loopback ports; and a neighbour on another network
//! - [`jabber`]: a client that sends what it is told and hands out whole stanzas
//! - [`ports`]: free ports for programs that are told theirs
//! - [`proxy`]: a wire between two programs that misbehaves
//! - [`process`]: a child process with its log, its signals and its end
//! - [`load`]: a component and clients that cost so little that they do not limit what is measured
//! - [`http`]: a plain HTTP client for what listens on the loopback
//! - [`sandbox`]: the QQ sandbox's control API
//! - [`onebot_mock`]: a `OneBot` implementation of other people
//! - [`disk`]: a disk that can be full
//! - [`tls`]: TLS before a program that speaks none
//!
//! It knows nothing of the gateway's code: it sees what a server, a client or an operator sees. Every wait has a limit, and a
//! wait that fails says what was seen instead.

pub mod disk;
pub mod http;
pub mod jabber;
pub mod load;
pub mod onebot_mock;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod sandbox;
pub mod server;
pub mod tls;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

pub use disk::SmallDisk;
pub use jabber::Jabber;
pub use onebot_mock::OneBotMock;
pub use process::Process;
pub use proxy::Proxy;
pub use sandbox::Sandbox;
pub use server::{Kind, Neighbour, Options, Server};
pub use tls::TlsDoor;

/// Whether a foreign program is installed: `"prosody"`, `"prosody-modules"`, `"ejabberd"`, `"slixmpp"`, `"nonebot"`, `"onebot-mock"`, or any program on
/// the path; and whether this process may have a network namespace, `"namespaces"`, for a [`Neighbour`], or a mount, `"mounts"`, for a
/// [`SmallDisk`].
///
/// When it is not, a line on stderr (past the test harness's capture) says how to get it, and the test should return.
///
/// # Panics
/// When the program is missing and the environment says `CI=true`: there a silent skip would hide a broken install step. A network
/// namespace and a mount are root's alone, and missed in silence by others.
pub fn available(program: &str) -> bool {
    let (found, remedy) = match program {
        "prosody" => (process::find_program("prosody").is_some(), "apt-get install prosody"),
        "prosody-modules" => (
            Path::new("/usr/lib/prosody/modules/mod_muc_moderation").is_dir(),
            "apt-get install prosody-modules",
        ),
        "ejabberd" => (
            process::find_program("erl").is_some() && server::ejabberd_code_path().is_some(),
            "apt-get install ejabberd",
        ),
        "slixmpp" => (python_has("slixmpp"), "pip install -r tests/interop/requirements.txt"),
        "nonebot" => (
            python_has("nonebot.adapters.onebot.v11"),
            "pip install -r tests/interop/requirements.txt",
        ),
        "onebot-mock" => (onebot_mock::is_here(), "make test installs Deno and fetches it"),
        "namespaces" => (
            server::namespaces_allowed(),
            "a second network needs root and iproute2: apt-get install iproute2, and run as root",
        ),
        "mounts" => (disk::mounts_allowed(), "a disk of its own needs a mount: run as root"),
        _ => (
            process::find_program(program).is_some(),
            "install it and put it on the PATH",
        ),
    };
    if found {
        return true;
    }
    let line = format!("SKIP: {program} not found; {remedy}");
    let may_be_missing = ["namespaces", "mounts"].contains(&program) && !rustix::process::geteuid().is_root();
    assert!(may_be_missing || std::env::var("CI").as_deref() != Ok("true"), "{line}");
    // Not eprintln: the harness would show the line of a passing test to nobody.
    let _ = writeln!(std::io::stderr(), "{line}");
    false
}

/// The Python interpreter for the programs of other people: `$PYTHON`, else the one that `make test` set up, else `python3`.
pub fn python() -> String {
    let set_up = || Some(process::installed("bin/python")?.to_str()?.to_owned());
    let chosen = std::env::var("PYTHON").ok().or_else(set_up);
    chosen.unwrap_or_else(|| "python3".to_owned())
}

fn python_has(module: &str) -> bool {
    Command::new(python())
        .args(["-c", &format!("import {module}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
