//! What stands on this machine during a run, and what can be done to each: server, sandbox, gateway, and the wires between them.
//!
//! ```text
//!  persons ──▶ server ◀──wire── gateway ──wire (one for each account)──▶ sandbox ◀── people on QQ
//!     └─wire─────┘                 │ store, on a small disk of its own where we are root
//! ```

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lab::jabber::RoomConfig;
use lab::process::{Signal, workspace_binary};
use lab::{Jabber, Kind, Options, Process, Proxy, Sandbox, Server, http, ports};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::disk::Disk;
use crate::journal::Book;
use crate::rooms::{self, Host, Room, Ways};

/// From a start until everything is on line.
pub(crate) const READY: Duration = Duration::from_secs(60);
/// A gateway that ended by itself is started again after so long, as service managers do.
const RESTART: Duration = Duration::from_secs(2);
const LOG_LINES: usize = 40;

/// The wires of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Line {
    Component,
    WebQq,
    OneBot,
    /// Of one of the persons.
    Client,
}

impl Line {
    pub(crate) const ALL: [Self; 4] = [Self::Component, Self::WebQq, Self::OneBot, Self::Client];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::WebQq => "webqq",
            Self::OneBot => "onebot",
            Self::Client => "client",
        }
    }
}

/// See the module. Dropped, it ends in the order of its fields.
pub(crate) struct Stage {
    gateway: Option<Process>,
    /// When it ended although nobody had ended it.
    fell: Option<Instant>,
    pub(crate) sandbox: Sandbox,
    pub(crate) server: Server,
    wires: [Proxy; 4],
    http: SocketAddr,
    asks: reqwest::Client,
    pub(crate) disk: Option<Disk>,
    book: Book,
    pub(crate) folder: TempDir,
}

impl Stage {
    /// Starts all but the gateway. The rooms of the server's own MUC are there.
    pub(crate) async fn start(
        kind: Kind,
        rooms: &Arc<Vec<Room>>,
        users: &[String],
        book: Book,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("qqxmpp-chaos-").tempdir()?;
        let options = Options {
            users: users.to_vec(),
            ..Options::default()
        };
        let server = Server::start(kind, &options).await?;
        create_rooms(&server, rooms).await?;
        let world = folder.path().join("world.toml");
        fs::write(&world, rooms::world(rooms))?;
        let (world, state) = (utf8(&world)?, utf8(&folder.path().join("sandbox"))?);
        let sandbox = Sandbox::start(&["--world", &world, "--state", &state]).await?;
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let wires = [
            Proxy::open(loopback(server.component_port())).await?,
            Proxy::open(sandbox.address()).await?,
            Proxy::open(sandbox.address()).await?,
            Proxy::open(loopback(server.c2s_port())).await?,
        ];
        let [port] = ports::free()?;
        let disk = Disk::mount(&folder.path().join("disk"))?;
        let store = disk.as_ref().map_or(folder.path(), Disk::path).join("qqxmpp.db");
        let ways = Ways {
            component: wires[0].address(),
            secret: server.secret().to_owned(),
            webqq: wires[1].address(),
            onebot: wires[2].address(),
            http: loopback(port),
            store: utf8(&store)?,
        };
        fs::write(folder.path().join("bridge.toml"), rooms::bridge(rooms, &ways))?;
        Ok(Self {
            gateway: None,
            fell: None,
            sandbox,
            server,
            wires,
            http: loopback(port),
            asks: http::client(Duration::from_secs(3))?,
            disk,
            book,
            folder,
        })
    }

    pub(crate) fn wire(&self, line: Line) -> &Proxy {
        &self.wires[line as usize]
    }

    /// Starts the gateway without waiting.
    pub(crate) fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(workspace_binary("qqxmpp")?);
        command
            .arg("run")
            .arg("--config")
            .arg(self.folder.path().join("bridge.toml"))
            .current_dir(self.folder.path())
            .env("RUST_LOG", "info,qqxmpp=debug")
            .env_remove("QQXMPP_XMPP_SECRET");
        self.gateway = Some(Process::spawn("qqxmpp", &command, &self.gateway_log())?);
        self.fell = None;
        Ok(())
    }

    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.fell = None;
        if let Some(mut gateway) = self.gateway.take() {
            gateway.kill().await?;
        }
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.fell = None;
        if let Some(mut gateway) = self.gateway.take() {
            let status = gateway.wait_exit_after(Signal::TERM, Duration::from_secs(20)).await?;
            if !status.success() {
                self.book
                    .deed("gateway", format!("an orderly stop ended with {status}"), false);
            }
        }
        Ok(())
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        let Some(gateway) = &mut self.gateway else {
            return Ok(());
        };
        gateway.signal(signal)
    }

    /// Notes a gateway that ended by itself, and starts it again.
    pub(crate) fn supervise(&mut self) -> anyhow::Result<()> {
        let Some(gateway) = &mut self.gateway else {
            return Ok(());
        };
        let Some(status) = gateway.exited()? else { return Ok(()) };
        match self.fell {
            None => {
                self.fell = Some(Instant::now());
                self.book
                    .deed("gateway", format!("it ended by itself with {status}"), false);
            }
            Some(fell) if fell.elapsed() >= RESTART => {
                self.launch()?;
                self.book
                    .deed("gateway", "started again after it had ended by itself", true);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Whether the gateway says that every part is on line, and what it says.
    pub(crate) async fn ready(&self) -> anyhow::Result<(bool, String)> {
        let answer = self.asks.get(format!("http://{}/readyz", self.http)).send().await?;
        Ok((answer.status().is_success(), answer.text().await?))
    }

    /// Waits until every part is on line.
    pub(crate) async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + READY;
        let mut said = "it did not answer /readyz".to_owned();
        while Instant::now() < end {
            if let Ok((ready, told)) = self.ready().await {
                if ready {
                    return Ok(());
                }
                said = told;
            }
            self.supervise()?;
            sleep(Duration::from_millis(50)).await;
        }
        let log = self
            .gateway
            .as_ref()
            .map(|gateway| gateway.tail(LOG_LINES))
            .unwrap_or_default();
        bail!("the gateway is not ready after {READY:?}\n{said}\n{log}");
    }

    /// The log of all the gateways of the run.
    pub(crate) fn gateway_log(&self) -> PathBuf {
        self.folder.path().join("gateway.log")
    }

    /// Ends everything. The logs are in the folder then.
    pub(crate) async fn end(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        let output = self.server.folder().join("output");
        self.server.stop().await?;
        self.sandbox.stop().await?;
        let _ = fs::copy(output, self.folder.path().join("server.log"));
        if let Some(disk) = self.disk.take() {
            let _ = fs::copy(disk.path().join("qqxmpp.db"), self.folder.path().join("qqxmpp.db"));
            let _ = fs::copy(
                disk.path().join("qqxmpp.db-wal"),
                self.folder.path().join("qqxmpp.db-wal"),
            );
        }
        Ok(())
    }
}

/// The rooms of the server's own MUC are somebody's: carol makes them and goes again.
async fn create_rooms(server: &Server, rooms: &[Room]) -> anyhow::Result<()> {
    let mut carol = Jabber::connect(server, "carol", "desk").await?;
    let persistent = RoomConfig {
        persistent: Some(true),
        ..RoomConfig::default()
    };
    for room in rooms.iter().filter(|room| room.host == Host::Server) {
        let made = carol.create_room(&room.jid, "Carol", &persistent).await;
        made.with_context(|| format!("cannot make the room {}", room.jid))?;
    }
    carol.close().await
}

fn utf8(path: &Path) -> anyhow::Result<String> {
    Ok(path
        .to_str()
        .context("the temporary folder's name is not UTF-8")?
        .to_owned())
}
