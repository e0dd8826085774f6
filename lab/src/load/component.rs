//! A component (XEP-0114) without an XML library: what it is told to write goes out as it is, what comes in is counted.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Marks;
use crate::Server;

const LIMIT: Duration = Duration::from_secs(10);

/// Opens a stream for a domain of the server and says the secret (XEP-0114, section 3).
pub async fn log_in_component(server: &Server, domain: &str) -> anyhow::Result<TcpStream> {
    let mut wire = TcpStream::connect(server.component_address(domain)).await?;
    wire.set_nodelay(true)?;
    let open = format!(
        "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"
    );
    wire.write_all(open.as_bytes()).await?;
    let header = until(&mut wire, |text| text.contains(" id=") && text.ends_with('>')).await?;
    let id = header
        .split_once(" id=")
        .and_then(|(_, rest)| rest.get(1..)?.split(['\'', '"']).next())
        .context("the stream has no id")?;
    let digest = Sha1::digest(format!("{id}{}", server.secret()));
    let digest = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    wire.write_all(format!("<handshake>{digest}</handshake>").as_bytes())
        .await?;
    let answer = until(&mut wire, |text| text.ends_with('>')).await?;
    if !answer.contains("handshake") {
        bail!("the server refused the component {domain}: {answer}");
    }
    Ok(wire)
}

async fn until(wire: &mut TcpStream, done: impl Fn(&str) -> bool) -> anyhow::Result<String> {
    let mut read = Vec::new();
    loop {
        let n = timeout(LIMIT, wire.read_buf(&mut read))
            .await
            .context("the server is silent")??;
        let text = String::from_utf8_lossy(&read);
        if n == 0 {
            bail!("the server closed the stream of a component: {text}");
        }
        if done(&text) {
            return Ok(text.into_owned());
        }
    }
}

/// A component at work. Dropped, its connection ends.
pub struct RawComponent {
    writer: Arc<Mutex<OwnedWriteHalf>>,
    reader: Option<OwnedReadHalf>,
    reflecting: Option<JoinHandle<()>>,
}

impl RawComponent {
    /// Logs in as a domain of the server.
    pub async fn connect(server: &Server, domain: &str) -> anyhow::Result<Self> {
        let (reader, writer) = log_in_component(server, domain).await?.into_split();
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            reader: Some(reader),
            reflecting: None,
        })
    }

    /// Writes XML as it is.
    pub async fn write(&self, xml: &[u8]) -> anyhow::Result<()> {
        let written = self.writer.lock().await.write_all(xml).await;
        written.context("the server takes nothing")
    }

    /// From now on each message that comes is answered: `answer` appends the bytes for the n-th. Said once.
    pub fn reflect(&mut self, mut answer: impl FnMut(u64, &mut Vec<u8>) + Send + 'static) {
        let Some(mut reader) = self.reader.take() else { return };
        let writer = self.writer.clone();
        self.reflecting = Some(tokio::spawn(async move {
            let mut marks = Marks::new("</message>");
            let (mut buffer, mut out, mut n) = (vec![0; 64 << 10], Vec::new(), 0);
            while let Ok(read @ 1..) = reader.read(&mut buffer).await {
                for _ in 0..marks.count(&buffer[..read]) {
                    n += 1;
                    answer(n, &mut out);
                }
                if writer.lock().await.write_all(&out).await.is_err() {
                    return;
                }
                out.clear();
            }
        }));
    }
}

impl Drop for RawComponent {
    fn drop(&mut self) {
        if let Some(task) = &self.reflecting {
            task.abort();
        }
    }
}
