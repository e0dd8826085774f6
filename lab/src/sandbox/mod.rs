//! The control side of the QQ sandbox: what a test does as a person on QQ, as the phone, as the operator of the sandbox, and
//! what it asks about the bridge. Plain JSON over HTTP; the sandbox's own types are not known here.

mod onebot;
mod webqq;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::process::{Process, workspace_binary};
use crate::{http, ports};
pub use world::Message;

const LIMIT: Duration = Duration::from_secs(10);
/// How long one question for news stays open; many of them make a wait.
const POLL: Duration = Duration::from_secs(5);
const START_LIMIT: Duration = Duration::from_secs(10);

/// A sandbox: one of our own as a child process, or one that listens somewhere already.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    http: reqwest::Client,
    limit: Duration,
    child: Option<Running>,
}

/// Dropped in this order: the process ends before its folder goes.
#[derive(Debug)]
struct Running {
    process: Option<Process>,
    arguments: Vec<String>,
    folder: TempDir,
}

impl Sandbox {
    /// Starts `qq-sandbox` on a free port with these arguments besides `--listen`, and waits until it accepts.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let [port] = ports::free()?;
        let mut sandbox = Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        sandbox.child = Some(Running {
            process: None,
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            folder: tempfile::Builder::new().prefix("lab-sandbox-").tempdir()?,
        });
        sandbox.start_again().await?;
        Ok(sandbox)
    }

    /// A sandbox that somebody else started.
    pub fn at(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self {
            address,
            http: http::client(POLL + LIMIT)?,
            limit: LIMIT,
            child: None,
        })
    }

    /// Starts the child again after [`stop`](Self::stop) or [`kill`](Self::kill), on the same port with the same arguments.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let running = self.child.as_mut().context("this sandbox is not ours to start")?;
        if running.process.is_some() {
            bail!("the sandbox is running; stop it first");
        }
        let mut command = Command::new(workspace_binary("qq-sandbox")?);
        command
            .arg("--listen")
            .arg(self.address.to_string())
            .args(&running.arguments);
        let mut process = Process::spawn("qq-sandbox", &command, &running.folder.path().join("log"))?;
        let end = Instant::now() + START_LIMIT;
        while TcpStream::connect(self.address).await.is_err() {
            if !process.is_running() || Instant::now() >= end {
                bail!("qq-sandbox does not accept at {}\n{}", self.address, process.tail(20));
            }
            sleep(Duration::from_millis(10)).await;
        }
        running.process = Some(process);
        Ok(())
    }

    /// SIGTERM to the child, then SIGKILL.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.child.as_mut().and_then(|running| running.process.take()) {
            process.terminate().await?;
        }
        Ok(())
    }

    /// SIGKILL to the child.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.child.as_mut().and_then(|running| running.process.take()) {
            process.kill().await?;
        }
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The temporary folder of the child, free for `--state` and the like in later starts.
    pub fn folder(&self) -> Option<&Path> {
        self.child.as_ref().map(|running| running.folder.path())
    }

    /// The running child, for its log and its signals.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.child.as_mut().and_then(|running| running.process.as_mut())
    }

    /// Changes how long [`wait_message`](Self::wait_message) takes at most (at first ten seconds).
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Any GET below `/sandbox/`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await
    }

    /// Any POST below `/sandbox/`.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let url = format!("http://{}/sandbox/{path}", self.address);
        let mut request = self.http.request(method.clone(), &url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("{method} {url} got no answer"))?;
        let status = response.status();
        let text = response
            .text()
            .await
            .with_context(|| format!("{method} {url} got half an answer"))?;
        if !status.is_success() {
            bail!("{method} {url} was answered {status}: {text}");
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {url} was answered no JSON: {text}"))
    }
}
