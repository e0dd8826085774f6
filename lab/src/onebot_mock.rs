//! A `OneBot` 11 implementation of other people: the mock server of the crate `onebot-api`, run by Deno, unchanged. It knows five
//! calls (`get_login_info`, `get_status`, `send_msg`, `send_private_msg`, `send_group_msg`) and answers 1404 to all others; it says
//! one canned line again and again, tells no lifecycle, keeps no history, repeats no message of its own account, and makes message
//! ids of the clock's milliseconds (beyond 32 bits). It echoes an `echo` only when that is a string.
//!
//! ```text
//!  forward:  client ──▶ mock (ws.ts)           one client at a time, path / alone, a wrong token is HTTP 403
//!  reverse:  mock (ws_reverse.ts) ──▶ client   no X-Self-ID and no role in its headers, the token in the address
//! ```
//!
//! What passes over its socket is read from its log, where `tests/interop/onebot_mock_trace.ts` prints it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::ports;
use crate::process::{Process, find_program, installed};

/// Deno starts in 0.1 s, and in some seconds the first time after it was installed.
const START_LIMIT: Duration = Duration::from_secs(30);
const LIMIT: Duration = Duration::from_secs(20);

/// What the mock plays, and the line that it says.
#[derive(Clone, Debug)]
pub struct Script {
    /// The account it plays.
    pub qq: u64,
    /// The group in which somebody talks.
    pub group: u64,
    /// Who talks there.
    pub sender: u64,
    /// What is said, every time.
    pub text: String,
    /// How often; the first time after so long.
    pub every: Duration,
    /// The token it demands (forward) or shows (reverse).
    pub access_token: String,
}

/// The running mock. Dropped, it ends and its folder goes.
#[derive(Debug)]
pub struct OneBotMock {
    // Before the folder: the fields are dropped in this order.
    process: Process,
    folder: TempDir,
    url: String,
}

impl OneBotMock {
    /// Starts it on a free port and waits until it listens.
    pub async fn forward(script: &Script) -> anyhow::Result<Self> {
        let [port] = ports::free()?;
        let host = Ipv4Addr::LOCALHOST.to_string();
        let own = ["--hostname".to_owned(), host, "--port".to_owned(), port.to_string()];
        Self::start("ws.ts", &own, script, format!("ws://127.0.0.1:{port}/"), "listening on").await
    }

    /// Starts it to connect there, and to try again twice a second. Nobody has to listen yet.
    pub async fn reverse(script: &Script, url: &str) -> anyhow::Result<Self> {
        let own = ["--url", url, "--reconnect-interval-ms", "500"].map(str::to_owned);
        Self::start("ws_reverse.ts", &own, script, url.to_owned(), "connecting to").await
    }

    async fn start(program: &str, own: &[String], script: &Script, url: String, started: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("lab-onebot-").tempdir()?;
        let home = home().context("the mock of onebot-api is not here; tests/interop/onebot_mock.sh fetches it")?;
        let mut command = Command::new(deno().context("deno not found; pip install deno")?);
        command
            // Whatever it would like to fetch or to ask for, it does not get.
            .args([
                "run",
                "--quiet",
                "--no-config",
                "--no-lock",
                "--no-remote",
                "--no-npm",
                "--no-prompt",
            ])
            .arg("--allow-net=127.0.0.1")
            .arg("--preload")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/interop/onebot_mock_trace.ts"))
            .arg(home.join("mock").join(program))
            .args(own)
            .args(["--self-id", &script.qq.to_string()])
            .args(["--group-id", &script.group.to_string()])
            .args(["--user-id", &script.sender.to_string()])
            .args(["--event", "group", "--message", &script.text])
            .args(["--interval-ms", &script.every.as_millis().to_string()])
            .args(["--access-token", &script.access_token])
            .env("DENO_DIR", folder.path().join("deno"))
            .env("DENO_NO_UPDATE_CHECK", "1")
            .env("NO_COLOR", "1")
            .current_dir(folder.path());
        let mut process = Process::spawn("onebot-mock", &command, &folder.path().join("log"))?;
        process.wait_line(started, START_LIMIT).await?;
        Ok(Self { process, folder, url })
    }

    /// Where it listens, or where it connects to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its temporary folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process, for its log and its signals.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it has received so far, each frame as JSON; a frame that is none as a string.
    pub fn received(&self) -> Vec<Value> {
        self.passed("received")
    }

    /// What it has sent so far, as [`received`](Self::received).
    pub fn sent(&self) -> Vec<Value> {
        self.passed("sent")
    }

    fn passed(&self, which: &str) -> Vec<Value> {
        let log = self.process.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter_map(|line| {
                let frame = line[which].as_str()?;
                Some(serde_json::from_str(frame).unwrap_or_else(|_| Value::from(frame)))
            })
            .collect()
    }

    /// Waits for a frame that `wanted` says yes to, from the first that it received on.
    pub async fn wait_received(&mut self, mut wanted: impl FnMut(&Value) -> bool, what: &str) -> anyhow::Result<Value> {
        let end = Instant::now() + LIMIT;
        loop {
            let running = self.process.is_running();
            if let Some(frame) = self.received().into_iter().find(|frame| wanted(frame)) {
                return Ok(frame);
            }
            if !running || Instant::now() >= end {
                bail!(
                    "the mock received no {what} within {LIMIT:?}\n{}",
                    self.process.tail(40)
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.process.terminate().await?;
        Ok(())
    }
}

/// Whether Deno and the mock are here.
pub(crate) fn is_here() -> bool {
    deno().is_some() && home().is_some()
}

/// Deno: beside the other programs of other people, else on the path.
fn deno() -> Option<PathBuf> {
    installed("bin/deno").or_else(|| find_program("deno"))
}

/// The folder `mock` of the crate, as `tests/interop/onebot_mock.sh` laid it down.
fn home() -> Option<PathBuf> {
    installed("onebot-mock/mock")
}
