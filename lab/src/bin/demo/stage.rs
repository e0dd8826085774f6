//! What stands on this machine while the demonstration runs, in the order in which it ends: gateway, sandbox, server, folder.
//!
//! ```text
//!  Prosody ──▶ sandbox ──▶ gateway ──▶ the phone scans the code ──▶ /readyz says 200
//! ```

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lab::jabber::RoomConfig;
use lab::process::workspace_binary;
use lab::{Jabber, Kind, Options, Process, Sandbox, Server, http};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A group of the sandbox's world, and the room that is paired with it.
pub(crate) struct Pair {
    /// The group's number.
    pub(crate) group: u64,
    /// The room.
    pub(crate) room: &'static str,
    /// The group's owner, and the card that the others see.
    pub(crate) owner: u64,
    pub(crate) card: &'static str,
    /// How the gateway's account in it is reached.
    pub(crate) protocol: &'static str,
    /// Who hosts the room.
    pub(crate) host: Host,
}

/// Who hosts a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// The gateway: everybody of the group is there.
    Gateway,
    /// The server's own MUC: the gateway visits, and who speaks on QQ enters.
    Server,
}

/// One of each protocol, and of each kind of room.
pub(crate) const PAIRS: [Pair; 2] = [
    Pair {
        group: 346_000_003,
        room: "rust@qq.localhost",
        owner: 222_333_444,
        card: "老王",
        protocol: "SmartQQ",
        host: Host::Gateway,
    },
    Pair {
        group: 346_000_004,
        room: "cats@conference.localhost",
        owner: 700_100_200,
        card: "三花的妈",
        protocol: "OneBot 11",
        host: Host::Server,
    },
];
/// What alice is called in the room; `alice` alone is the name of somebody in the group.
pub(crate) const NICK: &str = "Alice W";

const CONFIG: &str = include_str!("../../../demo/bridge.toml");
/// From the gateway's start until it is ready; a second is usual.
const READY_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);
const LOG_LINES: usize = 20;

/// Everything that runs. Dropped, it ends in the order of its fields.
pub(crate) struct Stage {
    gateway: Process,
    pub(crate) sandbox: Sandbox,
    pub(crate) server: Server,
    health: SocketAddr,
    http: reqwest::Client,
    folder: TempDir,
}

impl Stage {
    /// Starts everything, lets the QQ account log in, and waits until the gateway says that it is ready.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        println!("starting Prosody");
        let server = Server::start(Kind::Prosody, &Options::default()).await?;
        create_rooms(&server).await?;
        println!("starting the QQ sandbox");
        let sandbox = Sandbox::start(&[]).await?;
        println!("starting the gateway");
        let folder = tempfile::Builder::new().prefix("qqxmpp-demo-").tempdir()?;
        let health = free_address().context("no free port for the gateway")?;
        let config = folder.path().join("bridge.toml");
        std::fs::write(&config, configuration(&server, &sandbox, health))?;
        let mut command = Command::new(workspace_binary("qqxmpp")?);
        command
            .arg("run")
            .arg("--config")
            .arg(&config)
            .current_dir(folder.path());
        // One from the environment would be a second secret beside the file's.
        command.env_remove("QQXMPP_XMPP_SECRET");
        let gateway = Process::spawn("qqxmpp", &command, &folder.path().join("qqxmpp.log"))?;
        let mut stage = Self {
            gateway,
            sandbox,
            server,
            health,
            http: http::client(Duration::from_secs(5))?,
            folder,
        };
        stage.become_ready().await?;
        Ok(stage)
    }

    /// Plays the phone until the gateway is ready.
    async fn become_ready(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + READY_LIMIT;
        let mut parts = String::from("it did not answer /readyz");
        loop {
            self.all_run()?;
            // Refused while no code is shown: the gateway has not come so far, or needs none any more.
            if self.sandbox.scan_qr().await.is_ok() {
                println!("the phone scanned the QR code");
            }
            if let Ok((ready, told)) = self.ask_ready().await {
                if ready {
                    println!("the gateway is ready");
                    return Ok(());
                }
                parts = told;
            }
            if Instant::now() >= end {
                let words = self.last_words();
                bail!(
                    "the gateway is not ready after {READY_LIMIT:?}:\n{}\n{words}",
                    parts.trim_end()
                );
            }
            sleep(POLL).await;
        }
    }

    async fn ask_ready(&self) -> anyhow::Result<(bool, String)> {
        let answer = self.http.get(format!("http://{}/readyz", self.health)).send().await?;
        Ok((answer.status().is_success(), answer.text().await?))
    }

    /// An error when something has ended, with its last words.
    pub(crate) fn all_run(&mut self) -> anyhow::Result<()> {
        let children = [Some(&mut self.gateway), self.sandbox.process(), self.server.process()];
        for child in children.into_iter().flatten() {
            if let Some(status) = child.exited()? {
                bail!("{} ended with {status}\n{}", child.name(), child.tail(LOG_LINES));
            }
        }
        Ok(())
    }

    /// The end of the gateway's log.
    pub(crate) fn last_words(&self) -> String {
        self.gateway.tail(LOG_LINES)
    }

    /// Ends everything in order; the gateway first, so that it can still say goodbye to both sides.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let status = self.gateway.terminate().await?;
        if !status.success() {
            bail!("the gateway did not stop in order: {status}\n{}", self.last_words());
        }
        self.sandbox.stop().await?;
        self.server.stop().await?;
        Ok(())
    }

    /// What the page of Converse.js has to know.
    pub(crate) fn page_values(&self) -> [(&'static str, String); 3] {
        [
            ("@WEBSOCKET@", self.server.websocket_url()),
            ("@ROOM@", PAIRS[0].room.to_owned()),
            ("@NICK@", NICK.to_owned()),
        ]
    }

    /// Where a person looks now.
    pub(crate) fn where_to_look(&self, page: Option<SocketAddr>) -> String {
        let mut text = String::from("\nLook here; all of it is on this machine only, and gone after Ctrl-C.\n\n");
        let mut line = |name: &str, what: &str| {
            let _ = writeln!(text, "  {name:<12} {what}");
        };
        line(
            "QQ side",
            &format!("http://{}/  be a member of the group and talk", self.sandbox.address()),
        );
        match page {
            Some(page) => line(
                "Jabber side",
                &format!("http://{page}/  Converse.js, already in the room as alice"),
            ),
            None => line(
                "Jabber side",
                "no page: Converse.js is not installed (see above); any client will do:",
            ),
        }
        line(
            "any client",
            &format!("server 127.0.0.1, port {}, without TLS", self.server.c2s_port()),
        );
        line(
            "",
            "bob@localhost with password bob, or alice@localhost with password alice",
        );
        for pair in &PAIRS {
            let host = match pair.host {
                Host::Gateway => "hosted by the gateway",
                Host::Server => "on Prosody's own MUC",
            };
            line(
                "",
                &format!("then join the room {} ({}, {host})", pair.room, pair.protocol),
            );
        }
        line(
            "gateway",
            &format!("http://{0}/readyz  http://{0}/metrics", self.health),
        );
        line("its files", &self.folder.path().display().to_string());
        text
    }
}

/// The rooms of the server's own MUC are somebody's: carol makes them and goes again.
async fn create_rooms(server: &Server) -> anyhow::Result<()> {
    let mut carol = Jabber::connect(server, "carol", "desk").await?;
    let persistent = RoomConfig {
        persistent: Some(true),
        ..RoomConfig::default()
    };
    for pair in PAIRS.iter().filter(|pair| pair.host == Host::Server) {
        let made = carol.create_room(pair.room, "Carol", &persistent).await;
        made.with_context(|| format!("cannot make the room {}", pair.room))?;
    }
    carol.close().await
}

fn configuration(server: &Server, sandbox: &Sandbox, health: SocketAddr) -> String {
    [
        ("@DOMAIN@", server.component_domain().to_owned()),
        ("@COMPONENT@", server.component_port().to_string()),
        ("@SECRET@", server.secret().to_owned()),
        ("@HEALTH@", health.to_string()),
        ("@SANDBOX@", sandbox.address().to_string()),
    ]
    .iter()
    .fold(CONFIG.to_owned(), |config, (name, value)| config.replace(name, value))
}

/// An address that nobody listens on now.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
