//! What visitors of a room cost its server, and what arrives at the component: a room of the server's own MUC is entered by a listener
//! and by 10, 100 and 500 puppets, as the gateway would; then one of them says something.
//!
//! `cargo bench --bench visitors` prints a table in Markdown. CPU is the server process's own, by `/proc/<pid>/stat`.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::load::log_in_component;
use lab::{Kind, Options, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const ROOM: &str = "cats@conference.localhost";
const COUNTS: [usize; 3] = [10, 100, 500];
/// Words said after everybody is in.
const WORDS: u32 = 20;
/// Nothing for so long, and everything has come.
const QUIET: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(300);

/// The component's side of the wire, and what came over it.
struct Component {
    wire: TcpStream,
    domain: String,
    bytes: usize,
    presences: usize,
    /// The end of what was read, in case a tag is cut.
    tail: Vec<u8>,
}

/// What a stage of the measurement cost.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    bytes: usize,
    presences: usize,
    cpu: f64,
}

impl Component {
    async fn connect(server: &Server) -> anyhow::Result<Self> {
        let domain = server.component_domain().to_owned();
        Ok(Self {
            wire: log_in_component(server, &domain).await?,
            domain,
            bytes: 0,
            presences: 0,
            tail: Vec::new(),
        })
    }

    async fn send(&mut self, xml: &str) -> anyhow::Result<()> {
        Ok(self.wire.write_all(xml.as_bytes()).await?)
    }

    async fn read(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut buffer = vec![0; 64 << 10];
        let n = timeout(LIMIT, self.wire.read(&mut buffer))
            .await
            .context("the server is silent")??;
        ensure!(n > 0, "the server closed the stream");
        buffer.truncate(n);
        Ok(buffer)
    }

    /// Reads what is still on its way: each entry is shown to those who were there behind the newcomer's own.
    async fn rest(&mut self) -> anyhow::Result<()> {
        while let Ok(read) = timeout(QUIET, self.until("<presence", 1)).await {
            read?;
        }
        Ok(())
    }

    /// Reads until a text came so often.
    async fn until(&mut self, text: &str, times: usize) -> anyhow::Result<()> {
        let mut seen = 0;
        while seen < times {
            let read = self.read().await?;
            self.bytes += read.len();
            let before = self.tail.len();
            let mut all = std::mem::take(&mut self.tail);
            all.extend(read);
            seen += count(&all, text.as_bytes(), before);
            self.presences += count(&all, b"<presence", before);
            let keep = all.len().min(64);
            self.tail = all.split_off(all.len() - keep);
        }
        Ok(())
    }

    async fn join(&mut self, local: &str, nick: &str) -> anyhow::Result<()> {
        let join = format!(
            "<presence from='{local}@{}/gw' to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'>\
             <history maxstanzas='0'/></x></presence>",
            self.domain
        );
        self.send(&join).await
    }
}

/// Occurrences of a text that end behind `before`: those in front were counted.
fn count(bytes: &[u8], text: &[u8], before: usize) -> usize {
    let windows = bytes.windows(text.len()).enumerate();
    windows
        .filter(|(at, window)| at + text.len() > before && *window == text)
        .count()
}

/// CPU time of a process so far, in seconds.
fn cpu(server: &Server) -> anyhow::Result<f64> {
    let pid = server.pid().context("the server runs")?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(')').context("stat")?.1.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

async fn measure(kind: Kind, puppets: usize) -> anyhow::Result<(Cost, Cost)> {
    let options = Options {
        muc_archive: false,
        ..Options::default()
    };
    let server = Server::start(kind, &options).await?;
    let mut component = Component::connect(&server).await?;
    component.join("bridge", "QQ").await?;
    component.until("110", 1).await?;
    let form = format!(
        "<iq type='set' id='u' from='bridge@{}/gw' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
         <x xmlns='jabber:x:data' type='submit'/></query></iq>",
        component.domain
    );
    component.send(&form).await?;
    component.until("<iq", 1).await?;
    let stage = |component: &Component, before: Cost, cpu: f64| Cost {
        bytes: component.bytes - before.bytes,
        presences: component.presences - before.presences,
        cpu: cpu - before.cpu,
    };
    let so_far = |component: &Component, cpu: f64| Cost {
        bytes: component.bytes,
        presences: component.presences,
        cpu,
    };
    // A server that does nothing takes time for it; waiting for the rest is nothing, too.
    let idle = cpu(&server)?;
    tokio::time::sleep(QUIET).await;
    let idle = cpu(&server)? - idle;
    let before = so_far(&component, cpu(&server)? + idle);
    for n in 0..puppets {
        component
            .join(&format!("{}", 720_000_000 + n), &format!("p{n:03}"))
            .await?;
        component.until("110", 1).await?;
    }
    component.rest().await?;
    let joined = stage(&component, before, cpu(&server)?);
    let before = so_far(&component, cpu(&server)?);
    for n in 0..WORDS {
        let say = format!(
            "<message type='groupchat' id='w{n}' from='720000000@{}/gw' to='{ROOM}'><body>喵喵喵 {n}</body></message>",
            component.domain
        );
        component.send(&say).await?;
        component.until("</message>", puppets + 1).await?;
    }
    let said = stage(&component, before, cpu(&server)?);
    Ok((joined, said))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    println!("| server | puppets | entering: presences | bytes | server CPU | one message: bytes | server CPU |");
    println!("|---|---|---|---|---|---|---|");
    for kind in [Kind::Prosody, Kind::Ejabberd] {
        if !lab::available(kind.name()) {
            continue;
        }
        for puppets in COUNTS {
            let (joined, said) = measure(kind, puppets).await?;
            println!(
                "| {} | {puppets} | {} | {} | {:.2} s | {} | {:.2} ms |",
                kind.name(),
                joined.presences,
                joined.bytes,
                joined.cpu,
                said.bytes / WORDS as usize,
                said.cpu * 1000.0 / f64::from(WORDS),
            );
        }
    }
    Ok(())
}
