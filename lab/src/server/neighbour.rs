//! Another server on another network, with rooms of its own: what a gateway meets when the rooms that it joins are not its server's.
//!
//! ```text
//!  gateway ─▶ Server, localhost ════ wire: s2s, dialback, no TLS ════ Neighbour, neighbour.test ◀─ clients, by a way of their own
//! ```
//!
//! The wire can be [`cut`](Neighbour::cut): packets vanish in both directions and no connection is told. The kernel sends again
//! what was not acknowledged, so after a short cut everything arrives late and nothing is lost. Neither server notices by
//! itself: with dialback Prosody has no acknowledgements (XEP-0198) on a connection to another server, ejabberd never has, and the
//! kernel gives up after a quarter of an hour. [`reset`](Neighbour::reset) is that end, at once: what was on its way is lost
//! without a bounce, and what is sent next bounces after the 3 s that a connection may take to come about (`remote-server-not-found`
//! from Prosody, `remote-server-timeout` from ejabberd, which for some seconds then bounces all more without trying). A room
//! puts out with status 333 whom it could not reach, and cannot tell them; after [`heal`](Neighbour::heal) they hear nothing, and
//! what they say is refused (`not-acceptable`). Clients of the neighbour do not use the wire.

use tempfile::TempDir;

use super::namespace::Namespace;
use super::{Kind, Options, Server, Site, Wire};

/// The other server (Prosody). Dropped, it ends, and its network goes.
#[derive(Debug)]
pub struct Neighbour {
    // The fields are dropped in this order.
    server: Server,
    namespace: Namespace,
    _folder: TempDir,
}

impl Neighbour {
    /// Starts it. `options` are its own: accounts, limits of rooms; its component is `qq.neighbour.test`. It needs root or the rights of root over networks; whether
    /// this process has them tells [`available`](crate::available) with `"namespaces"`.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("lab-neighbour-").tempdir()?;
        let namespace = Namespace::new(folder.path())?;
        let site = Site::neighbour(namespace.watch_address(), namespace.wire().reversed(), namespace.pid());
        // The domain of the first server's component must not be one of its own.
        let options = Options {
            component_domain: "qq.neighbour.test".to_owned(),
            ..options.clone()
        };
        let server = Server::start_at(Kind::Prosody, &options, site).await?;
        Ok(Self {
            server,
            namespace,
            _folder: folder,
        })
    }

    /// For [`Options::neighbour`] of the server that is to be next to it.
    pub fn wire(&self) -> Wire {
        self.namespace.wire()
    }

    /// The server: `neighbour.test`, its rooms on `rooms.neighbour.test`.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The server, to stop it, kill it, start it again.
    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    /// Cuts the wire between the servers.
    pub fn cut(&mut self) -> anyhow::Result<()> {
        self.namespace.cut()
    }

    /// Ends the connections over the wire, so that both servers know at once. After [`cut`](Self::cut) they cannot make new ones.
    pub fn reset(&mut self) -> anyhow::Result<()> {
        self.namespace.reset()
    }

    /// Mends the wire between the servers.
    pub fn heal(&mut self) -> anyhow::Result<()> {
        self.namespace.heal()
    }
}
