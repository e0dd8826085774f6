//! Starting and stopping: what the program and the tests hold in their hands.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::net;
use crate::onebot;
use crate::options::Options;
use crate::state::{Shared, State};
use crate::store::StoreError;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// A running sandbox. It stops when it is dropped, as suddenly as a killed process; what was answered is kept.
#[derive(Debug)]
pub struct Sandbox {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Opens the state, binds the port and serves it on the current tokio runtime.
    ///
    /// # Errors
    /// The port is taken, the state directory cannot be used, or another sandbox uses it.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if let Some(dir) = &options.state {
            let made = tokio::fs::create_dir_all(dir).await;
            made.map_err(|error| StartError(format!("cannot make the state directory {}: {error}", dir.display())))?;
        }
        let mut state = State::open(&options)?;
        let listener = bind(options.listen).await;
        let listener = listener.map_err(|error| StartError(format!("cannot listen on {}: {error}", options.listen)))?;
        let address = listener.local_addr().map_err(|error| StartError(error.to_string()))?;
        state.base = format!("http://{}", reachable(address));
        let shared = Arc::new(Shared::new(state, options.hold));
        onebot::take_up(&shared)?;
        let task = tokio::spawn(net::serve(listener, shared.clone()));
        Ok(Self {
            address,
            shared,
            task: Some(task),
        })
    }

    /// Where it listens, as `http://address:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops: open connections are closed, what was answered is kept. Returns when the port is free.
    pub async fn stop(mut self) {
        self.shared.close();
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "the sandbox's listener ended badly");
        }
    }
}

/// The address for ourselves, when we listen on all of them.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Binds the port; waits a second for one that is just being left, as after the drop of another sandbox.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    for _ in 0..20 {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            bound => return bound,
        }
    }
    TcpListener::bind(address).await
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
