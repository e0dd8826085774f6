//! A real XMPP server for a test: one type for Prosody and ejabberd, in a temporary folder of its own, on free ports of the
//! loopback, without TLS, and without other servers but a [`Neighbour`]. `prosody.rs` and `ejabberd.rs` know how each is told all
//! this.
//!
//! ```text
//!  start ──▶ running ──stop / kill──▶ down ──start_again──▶ running      (same ports, same data)
//! ```

mod ejabberd;
mod namespace;
mod neighbour;
mod options;
mod prosody;
mod site;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::process::{Process, Signal};
pub(crate) use ejabberd::code_path as ejabberd_code_path;
pub(crate) use namespace::allowed as namespaces_allowed;
pub use neighbour::Neighbour;
pub use options::{Kind, Muc, MucLimits, Options, USERS};
pub use site::Wire;
use site::{Ports, Site};

/// Prosody takes 0.2 s, ejabberd 2 s, on a quiet machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A server, running or down. Dropped, it ends and its folder goes.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    options: Options,
    site: Site,
    // Before the folder: the fields are dropped in this order.
    process: Option<Process>,
    folder: TempDir,
}

impl Server {
    /// Starts a server with fresh data and waits until its ports accept and its accounts are there.
    pub async fn start(kind: Kind, options: &Options) -> anyhow::Result<Self> {
        match Self::start_at(kind, options, Site::here(options.neighbour)?).await {
            // Somebody else took one of the ports between our look and the server's.
            Err(error) if is_address_in_use(&format!("{error:#}")) => {
                Self::start_at(kind, options, Site::here(options.neighbour)?).await
            }
            result => result,
        }
    }

    async fn start_at(kind: Kind, options: &Options, site: Site) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(&format!("lab-{}-", kind.name()))
            .tempdir()?;
        let mut server = Self {
            kind,
            options: options.clone(),
            site,
            process: None,
            folder,
        };
        match kind {
            Kind::Prosody => prosody::write_config(server.folder.path(), &server.site, options)?,
            Kind::Ejabberd => ejabberd::write_config(server.folder.path(), &server.site, options)?,
        }
        server.launch().await?;
        for user in options.accounts() {
            server.register(user).await?;
        }
        Ok(server)
    }

    async fn launch(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let command = match self.kind {
            Kind::Prosody => prosody::command(folder)?,
            Kind::Ejabberd => ejabberd::command(folder, &self.site)?,
        };
        let command = match self.site.inside {
            Some(pid) => namespace::inside(pid, &command),
            None => command,
        };
        let mut process = Process::spawn(self.kind.name(), &command, &folder.join("output"))?;
        let end = Instant::now() + START_LIMIT;
        let Ports { c2s, component, http } = self.site.ports;
        for port in [component, c2s, http] {
            while TcpStream::connect((self.site.address, port)).await.is_err() {
                if !process.is_running() {
                    bail!("{} ended while it started\n{}", self.kind.name(), process.tail(30));
                }
                if Instant::now() >= end {
                    bail!(
                        "{} does not accept on port {port} after {START_LIMIT:?}\n{}",
                        self.kind.name(),
                        process.tail(30)
                    );
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        // A server that could not bind says so and goes on; what accepted was then somebody else.
        if is_address_in_use(&process.log()) {
            bail!(
                "{} could not bind: address in use\n{}",
                self.kind.name(),
                process.tail(30)
            );
        }
        self.process = Some(process);
        Ok(())
    }

    /// Adds an account with the name as its password. The server must run.
    pub async fn register(&self, user: &str) -> anyhow::Result<()> {
        match self.kind {
            Kind::Prosody => prosody::register(self.folder.path(), &self.site, user),
            Kind::Ejabberd => ejabberd::register(self.site.ports.http, user).await,
        }
    }

    /// An orderly stop: SIGTERM, after five seconds SIGKILL. Nothing happens to a server that is down.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.terminate().await?;
        }
        Ok(())
    }

    /// SIGKILL. Nothing happens to a server that is down.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Starts a server that is down again, on the same ports with the same data.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        if self.process.is_some() {
            bail!("{} is running; stop it first", self.kind.name());
        }
        let end = Instant::now() + START_LIMIT;
        loop {
            match self.launch().await {
                Err(error) if is_address_in_use(&format!("{error:#}")) && Instant::now() < end => {
                    sleep(Duration::from_millis(200)).await;
                }
                result => return result,
            }
        }
    }

    /// [`stop`](Self::stop), then [`start_again`](Self::start_again).
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    /// Freezes it: connections stay, nothing is answered.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        self.process
            .as_mut()
            .context("the server is down")?
            .signal(Signal::STOP)
    }

    /// Undoes [`freeze`](Self::freeze).
    pub fn thaw(&mut self) -> anyhow::Result<()> {
        self.process
            .as_mut()
            .context("the server is down")?
            .signal(Signal::CONT)
    }

    /// Which server it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The address of all its ports: the loopback's, or for a neighbour the one that is reached from here.
    pub fn address(&self) -> Ipv4Addr {
        self.site.address
    }

    /// The port for clients (RFC 6120, plain TCP).
    pub fn c2s_port(&self) -> u16 {
        self.site.ports.c2s
    }

    /// The port for components (XEP-0114).
    pub fn component_port(&self) -> u16 {
        self.site.ports.component
    }

    /// Where the server waits for one of its components.
    pub fn component_address(&self, domain: &str) -> SocketAddr {
        let place = self.options.components().position(|component| component == domain);
        let address = match (self.kind, place) {
            (Kind::Ejabberd, Some(n @ 1..)) => ejabberd::component_address(n),
            _ => self.site.address,
        };
        (address, self.site.ports.component).into()
    }

    /// The port for HTTP: uploads, websocket, BOSH, and with ejabberd its API.
    pub fn http_port(&self) -> u16 {
        self.site.ports.http
    }

    /// The address of the websocket for browsers (RFC 7395).
    pub fn websocket_url(&self) -> String {
        let path = match self.kind {
            Kind::Prosody => "xmpp-websocket",
            Kind::Ejabberd => "ws",
        };
        format!("ws://{}:{}/{path}", self.site.web_host(), self.site.ports.http)
    }

    /// The domain of the accounts.
    pub fn domain(&self) -> &'static str {
        self.site.domain
    }

    /// The domain of the server's own rooms (XEP-0045).
    pub fn muc_service(&self) -> &'static str {
        self.site.muc_service
    }

    /// The domain of the upload service (XEP-0363).
    pub fn upload_service(&self) -> &'static str {
        self.site.upload_service
    }

    /// The component's domain.
    pub fn component_domain(&self) -> &str {
        &self.options.component_domain
    }

    /// The secret of the components.
    pub fn secret(&self) -> &str {
        &self.options.secret
    }

    /// The process id, when it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// The running process, for its log.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// Its temporary folder: configuration, data, log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn is_address_in_use(text: &str) -> bool {
    [
        "address in use",
        "Address already in use",
        "Failed to open server port",
        "eaddrinuse",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
