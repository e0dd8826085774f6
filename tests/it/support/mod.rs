//! A whole bridge for a test: a real server, the sandbox, and the gateway as the program that people install.

pub(crate) mod onebot;
pub(crate) mod webqq;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lab::jabber::{Join, Stanza as _};
use lab::process::{Process, Signal, workspace_binary};
use lab::{Jabber, Kind, Options, Sandbox, Server, ports};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The `WebQQ` group of the sandbox's default world.
pub(crate) const GROUP: u64 = 346_000_003;
/// The room that is paired with it.
pub(crate) const ROOM: &str = "rust@qq.localhost";
/// The bridging account.
pub(crate) const ACCOUNT: u64 = 123_456_789;

/// How long a gateway may take from its start until everything is on line.
const READY: Duration = Duration::from_secs(45);

/// All three, and the folder of the gateway's file and store.
pub(crate) struct Bridge {
    pub(crate) server: Server,
    pub(crate) sandbox: Sandbox,
    pub(crate) gateway: Option<Process>,
    pub(crate) folder: TempDir,
    http: u16,
    /// Where the store is; beside `bridge.toml` unless it says otherwise.
    pub(crate) store: PathBuf,
    /// A file with the certificates that the gateway trusts, instead of the system's.
    trusted: Option<PathBuf>,
    /// The middle of `bridge.toml`: the account.
    account: String,
    /// The end of `bridge.toml`: the mapping rows.
    pub(crate) rows: String,
}

/// One row: the sandbox's `WebQQ` group with its room.
pub(crate) const ROW: &str = "[[mapping]]\ngroup = 346000003\nroom = \"rust@qq.localhost\"\n";

impl Bridge {
    /// Starts everything and waits until it is on line; `None` when the server is not installed here.
    pub(crate) async fn start(kind: Kind) -> anyhow::Result<Option<Self>> {
        Self::start_with(kind, &Options::default(), ROW).await
    }

    /// As [`Bridge::start`], with options of the server and other rows.
    pub(crate) async fn start_with(kind: Kind, options: &Options, rows: &str) -> anyhow::Result<Option<Self>> {
        Self::start_in_world(kind, options, rows, &[]).await
    }

    /// As [`Bridge::start_with`], with more arguments for the sandbox.
    pub(crate) async fn start_in_world(
        kind: Kind,
        options: &Options,
        rows: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Option<Self>> {
        if !lab::available(kind.name()) {
            return Ok(None);
        }
        let account = "login = \"qr\"\n";
        let mut bridge = Self::assemble_web(kind, options, account, rows, arguments).await?;
        bridge.start_gateway().await?;
        Ok(Some(bridge))
    }

    /// Server and sandbox run, with a `WebQQ` account that logs in as `login` says; the gateway was not started.
    pub(crate) async fn assemble_web(
        kind: Kind,
        options: &Options,
        login: &str,
        rows: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let server = Server::start(kind, options).await?;
        let folder = tempfile::tempdir()?;
        let state = folder.path().join("sandbox").display().to_string();
        let arguments: Vec<&str> = ["--state", &state]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let sandbox = Sandbox::start(&arguments).await?;
        let account = format!(
            "[[account]]\nname = \"classic\"\nprotocol = \"webqq\"\nserver = \"http://{}\"\n{login}\
             send_every = \"200ms\"\n",
            sandbox.address(),
        );
        Self::assembled(server, sandbox, folder, account, rows)
    }

    /// All but the gateway, which is not started yet.
    fn assembled(
        server: Server,
        sandbox: Sandbox,
        folder: TempDir,
        account: String,
        rows: &str,
    ) -> anyhow::Result<Self> {
        let [http] = ports::free()?;
        let bridge = Self {
            server,
            sandbox,
            gateway: None,
            folder,
            http,
            store: PathBuf::from("qqxmpp.db"),
            trusted: None,
            account,
            rows: rows.to_owned(),
        };
        bridge.write_config()?;
        Ok(bridge)
    }

    /// Writes `bridge.toml` from the account and the rows.
    pub(crate) fn write_config(&self) -> anyhow::Result<()> {
        let text = format!(
            "[xmpp]\ndomain = \"{domain}\"\nserver = \"127.0.0.1:{port}\"\nsecret = \"{secret}\"\n\
             admins = [\"alice@localhost\"]\n\n[store]\npath = \"{store}\"\n\n[http]\nlisten = \"127.0.0.1:{http}\"\n\n\
             {account}\n{rows}",
            domain = self.server.component_domain(),
            port = self.server.component_port(),
            secret = self.server.secret(),
            store = self.store.display(),
            http = self.http,
            account = self.account,
            rows = self.rows,
        );
        Ok(std::fs::write(self.config(), text)?)
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("bridge.toml")
    }

    /// Starts the gateway and waits until everything is on line, scanning QR codes as they come.
    pub(crate) async fn start_gateway(&mut self) -> anyhow::Result<()> {
        self.launch_gateway()?;
        self.wait_ready().await
    }

    /// Starts the gateway without waiting.
    pub(crate) fn launch_gateway(&mut self) -> anyhow::Result<()> {
        let mut command = self.program("run")?;
        command.env("RUST_LOG", "info,qqxmpp=debug");
        self.gateway = Some(Process::spawn("qqxmpp", &command, &self.folder.path().join("log"))?);
        Ok(())
    }

    /// The gateway's program with its configuration, for a command of its command line.
    pub(crate) fn program(&self, word: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(workspace_binary("qqxmpp")?);
        command.arg(word).arg("--config").arg(self.config());
        if let Some(trusted) = &self.trusted {
            command.env("SSL_CERT_FILE", trusted);
        }
        Ok(command)
    }

    /// Waits until `/readyz` says yes, being the phone that scans.
    pub(crate) async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let http = lab::http::client(Duration::from_secs(5))?;
        let url = format!("http://127.0.0.1:{}/readyz", self.http);
        let end = Instant::now() + READY;
        let mut last = String::new();
        while Instant::now() < end {
            let gateway = self.gateway.as_mut().context("the gateway was not started")?;
            if !gateway.is_running() {
                bail!("the gateway ended\n{}", gateway.tail(30));
            }
            if let Ok(answer) = http.get(&url).send().await {
                if answer.status().is_success() {
                    return Ok(());
                }
                last = answer.text().await.unwrap_or_default();
            }
            // Nothing to scan is the usual answer.
            self.sandbox.scan_qr().await.ok();
            sleep(Duration::from_millis(100)).await;
        }
        let log = self
            .gateway
            .as_ref()
            .map(|gateway| gateway.tail(40))
            .unwrap_or_default();
        bail!("not everything is on line after {READY:?}\n{last}\n{log}");
    }

    /// What `/readyz` says: whether everything is on line, and a line for each part.
    pub(crate) async fn readyz(&self) -> anyhow::Result<(bool, String)> {
        let http = lab::http::client(Duration::from_secs(5))?;
        let answer = http
            .get(format!("http://127.0.0.1:{}/readyz", self.http))
            .send()
            .await?;
        Ok((answer.status().is_success(), answer.text().await?))
    }

    /// SIGKILL, as a power cut would.
    pub(crate) async fn kill_gateway(&mut self) -> anyhow::Result<()> {
        self.gateway.take().context("the gateway runs")?.kill().await?;
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub(crate) async fn stop_gateway(&mut self) -> anyhow::Result<()> {
        let status = self.gateway.take().context("the gateway runs")?.terminate().await?;
        anyhow::ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }

    /// Writes other rows and sends SIGHUP.
    pub(crate) fn reload(&mut self, rows: &str) -> anyhow::Result<()> {
        rows.clone_into(&mut self.rows);
        self.write_config()?;
        self.gateway.as_mut().context("the gateway runs")?.signal(Signal::HUP)
    }

    /// A Jabber client of one of the server's accounts, on line.
    pub(crate) async fn jabber(&self, user: &str, resource: &str) -> anyhow::Result<Jabber> {
        let mut client = Jabber::connect(&self.server, user, resource).await?;
        client.come_online().await?;
        Ok(client)
    }

    /// The gateway's log, for a failing assertion.
    pub(crate) fn log(&self) -> String {
        self.gateway
            .as_ref()
            .map(|gateway| gateway.tail(60))
            .unwrap_or_default()
    }
}

/// The resident memory of a process.
pub(crate) fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let mut lines = status.lines();
    let size = lines.find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = size
        .context("a process has resident memory")?
        .trim()
        .trim_end_matches("kB");
    Ok(kib.trim_end().parse()?)
}

/// Three members of the group who are not the bridging account.
pub(crate) async fn people(bridge: &Bridge) -> anyhow::Result<[u64; 3]> {
    let state = bridge.sandbox.state().await?;
    let groups = state["groups"].as_array().context("the sandbox tells its groups")?;
    let group = groups
        .iter()
        .find(|group| group["number"] == GROUP)
        .context("the group is in the world")?;
    let members = group["members"].as_array().context("the group has members")?;
    let mut people = members
        .iter()
        .filter_map(|member| member["qq"].as_u64())
        .filter(|qq| *qq != ACCOUNT);
    let mut next = || people.next().context("the group has three people");
    Ok([next()?, next()?, next()?])
}

/// Waits until so many members of the group are occupants: the session reads their list after it came on line.
pub(crate) async fn people_are_shown(client: &mut Jabber, join: &Join, count: usize) -> anyhow::Result<()> {
    let mut shown: HashSet<String> = join.nicks().into_iter().map(str::to_owned).collect();
    while shown.len() < count {
        let here = |el: &minidom::Element| el.name() == "presence" && el.bare_from() == ROOM && el.kind().is_empty();
        let presence = client.wait(here, "presence of a member").await?;
        shown.insert(presence.nick().to_owned());
    }
    Ok(())
}
