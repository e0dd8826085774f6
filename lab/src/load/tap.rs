//! A door in front of a server's component port that remembers what a component writes, so that somebody else can write the same.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::Server;

/// The door. Dropped, it closes.
pub struct Tap {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Tap {
    /// Opens a door to the component port of a server.
    pub async fn open(server: &Server) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let target = SocketAddr::from((server.address(), server.component_port()));
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let ears = heard.clone();
        let task = tokio::spawn(async move {
            while let Ok((component, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(target).await {
                    tokio::spawn(pass(component, server, ears.clone()));
                }
            }
        });
        Ok(Self { port, heard, task })
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The whole stanza of that name with that text in it, as the component wrote it.
    pub fn stanza_with(&self, name: &str, text: &str) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = String::from_utf8_lossy(&heard);
        let place = heard.find(text)?;
        let start = heard[..place].rfind(&format!("<{name} "))?;
        let close = format!("</{name}>");
        let end = place + heard[place..].find(&close)? + close.len();
        Some(heard[start..end].to_owned())
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(component: TcpStream, server: TcpStream, heard: Arc<Mutex<Vec<u8>>>) {
    let (mut from_component, mut to_component) = component.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let out = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(n @ 1..) = from_component.read(&mut buffer).await {
            let bytes = &buffer[..n];
            heard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(bytes);
            if to_server.write_all(bytes).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = out => {}
        _ = tokio::io::copy(&mut from_server, &mut to_component) => {}
    }
}
