//! What stands while the benchmark runs: one server, the sandbox, the gateway as a release binary with its store on the disk that
//! the target folder lies on.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lab::jabber::Stanza as _;
use lab::process::workspace_binary;
use lab::{Jabber, Kind, Options, Process, Sandbox, Server, http, ports};
use minidom::Element;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::world::{self, BOT};

/// The domain of the gateway, and one of the same length for the raw component.
pub(crate) const GATEWAY: &str = "qq.localhost";
pub(crate) const RAW: &str = "rq.localhost";
const READY: Duration = Duration::from_secs(180);

/// See the module. Dropped in this order.
pub(crate) struct Stage {
    gateway: Option<Process>,
    pub(crate) sandbox: Sandbox,
    pub(crate) server: Server,
    http: u16,
    folder: TempDir,
}

/// The names of so many accounts.
pub(crate) fn users(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}")).collect()
}

/// A folder beside the gateway's program: where people's temporary files lie in memory, a store in them would be too fast.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    let program = workspace_binary("qqxmpp")?;
    let beside = program.parent().context("the gateway's program lies in a folder")?;
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(beside)?)
}

impl Stage {
    /// Server and sandbox run; the gateway was not started.
    pub(crate) async fn set(kind: Kind, accounts: usize, (groups, people): (u64, u64)) -> anyhow::Result<Self> {
        let options = Options {
            users: users(accounts),
            more_components: vec![RAW.to_owned()],
            muc_archive: false,
            ..Options::default()
        };
        let server = Server::start(kind, &options).await?;
        let [http] = ports::free()?;
        let folder = self::folder()?;
        let file = folder.path().join("world.toml");
        std::fs::write(&file, world::world(groups, people))?;
        let file = file.display().to_string();
        // Its first question for members is not refused, as NapCat's is.
        let sandbox = Sandbox::start(&["--world", &file, "--flavour", "llbot"]).await?;
        Ok(Self {
            gateway: None,
            sandbox,
            server,
            http,
            folder,
        })
    }

    /// Where the gateway's file and store lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the gateway with these rows and waits until all is on line. `port`: of the component, instead of the server's own.
    pub(crate) async fn start_gateway(&mut self, rows: &str, port: Option<u16>) -> anyhow::Result<()> {
        let text = format!(
            "[xmpp]\ndomain = \"{GATEWAY}\"\nserver = \"127.0.0.1:{port}\"\nsecret = \"{secret}\"\n\
             admins = [\"alice@localhost\"]\n\n[store]\npath = \"qqxmpp.db\"\n\n[http]\nlisten = \"127.0.0.1:{http}\"\n\n\
             [relay]\nbackfill = {{ count = 0, age = \"1h\" }}\n\n\
             [[account]]\nname = \"main\"\nprotocol = \"onebot\"\nurl = \"ws://{sandbox}/onebot/v11/{BOT}\"\n\
             send_every = \"0s\"\n\n{rows}",
            port = port.unwrap_or_else(|| self.server.component_port()),
            secret = self.server.secret(),
            http = self.http,
            sandbox = self.sandbox.address(),
        );
        let config = self.folder().join("bridge.toml");
        std::fs::write(&config, text)?;
        let mut command = Command::new(workspace_binary("qqxmpp")?);
        command.arg("run").arg("--config").arg(&config);
        self.gateway = Some(Process::spawn("qqxmpp", &command, &self.folder().join("log"))?);
        self.wait_ready().await
    }

    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let client = http::client(Duration::from_secs(5))?;
        let url = format!("http://127.0.0.1:{}/readyz", self.http);
        let end = Instant::now() + READY;
        loop {
            let gateway = self.gateway.as_mut().context("the gateway was not started")?;
            if !gateway.is_running() {
                bail!("the gateway ended\n{}", gateway.tail(30));
            }
            if let Ok(answer) = client.get(&url).send().await
                && answer.status().is_success()
            {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("the gateway is not ready within {READY:?}\n{}", gateway.tail(30));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until so many members of the group are occupants of a room: the session reads their list after it came on line, and
    /// what that changes is told to those who are there.
    pub(crate) async fn members_shown(&self, room: &str, count: usize) -> anyhow::Result<()> {
        let mut alice = Jabber::connect(&self.server, "alice", "members").await?;
        alice.set_limit(READY);
        let join = alice.join_with(room, "Alice", "<history maxstanzas='0'/>").await?;
        let mut shown: HashSet<String> = join.nicks().into_iter().map(str::to_owned).collect();
        while shown.len() < count {
            let here = |el: &Element| el.name() == "presence" && el.bare_from() == room && el.kind().is_empty();
            shown.insert(alice.wait(here, "presence of a member").await?.nick().to_owned());
        }
        alice.leave(room, "Alice").await?;
        alice.close().await
    }

    /// The gateway ends in order, and forgets everything.
    pub(crate) async fn end_gateway(&mut self) -> anyhow::Result<()> {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.terminate().await?;
        }
        for name in ["qqxmpp.db", "qqxmpp.db-wal", "qqxmpp.db-shm", "qqxmpp.db.lock"] {
            std::fs::remove_file(self.folder().join(name)).ok();
        }
        Ok(())
    }

    /// The gateway's process.
    pub(crate) fn gateway(&self) -> anyhow::Result<u32> {
        Ok(self.gateway.as_ref().context("the gateway runs")?.pid())
    }

    /// The end of the gateway's log.
    pub(crate) fn log(&self) -> String {
        self.gateway
            .as_ref()
            .map(|gateway| gateway.tail(20))
            .unwrap_or_default()
    }
}
