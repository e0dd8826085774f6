//! A TCP proxy between two programs that know nothing of it, which misbehaves as wires do: it stalls, cuts, half-closes, delays
//! and refuses. It looks into nothing.
//!
//! ```text
//!  near (who connects) ──▶ proxy ──▶ far (who listens)
//!        ◀──────────────────────────
//!
//!  passing ⇄ stalled (one way, or both) ⇄ delayed ⇄ refusing        cut, half_close: what is open now, once
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::ports;

/// What is read at once. Of a stalled connection, so much is in the proxy; the rest waits in the sockets.
const BUFFER: usize = 16 * 1024;
/// Between two attempts to listen again after a refusal.
const AGAIN: Duration = Duration::from_millis(20);

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From who connected to who listens.
    Forth,
    /// The answers.
    Back,
}

/// What the wire does with bytes and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// They pass.
    Pass,
    /// Connections stay open, and nothing passes in that direction, or in none.
    Stall(Option<Way>),
    /// Each bunch of bytes comes later.
    Delay(Duration),
    /// Open connections stay, new ones are refused.
    Refuse,
}

#[derive(Clone, Copy, Debug)]
struct Orders {
    wire: Wire,
    /// Counted up: connections that have seen another number end with an RST.
    cut: u64,
    /// Counted up: that direction of the open connections ends, the other stays.
    half: (u64, Way),
}

/// A running proxy. Dropped, its connections end.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of the loopback and passes on to `target`, which need not listen yet.
    pub async fn open(target: SocketAddr) -> anyhow::Result<Self> {
        let [port] = ports::free()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.context("no port for a proxy")?;
        let (orders, heard) = watch::channel(Orders {
            wire: Wire::Pass,
            cut: 0,
            half: (0, Way::Forth),
        });
        let task = tokio::spawn(listen(listener, address, target, heard));
        Ok(Self { address, orders, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what becomes of bytes and connections, of those that are open, too.
    pub fn set(&self, wire: Wire) {
        self.orders.send_modify(|orders| orders.wire = wire);
    }

    /// Breaks what is open, on both sides with an RST.
    pub fn cut(&self) {
        self.orders.send_modify(|orders| orders.cut += 1);
    }

    /// Ends one direction of what is open as if the sender had finished (FIN); what it still says is lost. The other goes on.
    pub fn half_close(&self, way: Way) {
        self.orders.send_modify(|orders| orders.half = (orders.half.0 + 1, way));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(first: TcpListener, address: SocketAddr, target: SocketAddr, mut orders: watch::Receiver<Orders>) {
    let mut listener = Some(first);
    // Dropped with the task: then they end.
    let mut connections = JoinSet::new();
    loop {
        let refusing = orders.borrow_and_update().wire == Wire::Refuse;
        if refusing {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        while connections.try_join_next().is_some() {}
        let Some(open) = &listener else {
            tokio::select! {
                changed = orders.changed() => if changed.is_err() { return },
                () = sleep(AGAIN), if !refusing => {}
            }
            continue;
        };
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { return },
            accepted = open.accept() => if let Ok((near, _)) = accepted {
                connections.spawn(connection(near, target, orders.clone()));
            },
        }
    }
}

/// Until the orders are so; never, when nobody gives any more.
async fn until(orders: &mut watch::Receiver<Orders>, so: impl Fn(&Orders) -> bool) {
    if orders.wait_for(so).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn connection(mut near: TcpStream, target: SocketAddr, mut orders: watch::Receiver<Orders>) {
    let begun = *orders.borrow_and_update();
    let Ok(mut far) = TcpStream::connect(target).await else {
        // As the target would have done.
        let _ = near.set_zero_linger();
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let cut = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let forth = pump(near_read, far_write, Way::Forth, begun, orders.clone());
        let back = pump(far_read, near_write, Way::Back, begun, orders.clone());
        tokio::select! {
            // A broken side is told to the other as a break, an ended one as an end.
            whole = async { let (forth, back) = tokio::join!(forth, back); forth && back } => !whole,
            () = until(&mut orders, |orders| orders.cut != begun.cut) => true,
        }
    };
    if cut {
        let _ = (near.set_zero_linger(), far.set_zero_linger());
    }
}

/// Carries one direction until it ends. Says whether it ended in order.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    way: Way,
    begun: Orders,
    mut orders: watch::Receiver<Orders>,
) -> bool {
    let mut buffer = vec![0; BUFFER];
    let mut ended = false;
    loop {
        let halved = move |orders: &Orders| orders.half.0 != begun.half.0 && orders.half.1 == way;
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = until(&mut orders, halved), if !ended => {
                ended = true;
                let _ = to.shutdown().await;
                continue;
            }
        };
        let Ok(read) = read else { return false };
        if read == 0 {
            return ended || to.shutdown().await.is_ok();
        }
        let wire = orders.borrow().wire;
        if let Wire::Delay(time) = wire {
            sleep(time).await;
        }
        let passes =
            move |orders: &Orders| !matches!(orders.wire, Wire::Stall(None)) && orders.wire != Wire::Stall(Some(way));
        until(&mut orders, passes).await;
        if !ended && to.write_all(&buffer[..read]).await.is_err() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);
    const NOT_YET: Duration = Duration::from_millis(150);

    /// A proxy before somebody who sends back what comes.
    async fn echo() -> anyhow::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let proxy = Proxy::open(listener.local_addr()?).await?;
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = socket.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        Ok(proxy)
    }

    async fn said(socket: &mut TcpStream, word: &[u8]) -> anyhow::Result<()> {
        socket.write_all(word).await?;
        let mut back = vec![0; word.len()];
        timeout(SOON, socket.read_exact(&mut back)).await??;
        anyhow::ensure!(back == word, "{back:?}");
        Ok(())
    }

    #[tokio::test]
    async fn what_is_stalled_comes_later() -> anyhow::Result<()> {
        let proxy = echo().await?;
        let mut socket = TcpStream::connect(proxy.address()).await?;
        said(&mut socket, b"one").await?;
        for way in [None, Some(Way::Forth), Some(Way::Back)] {
            proxy.set(Wire::Stall(way));
            socket.write_all(b"two").await?;
            let mut back = [0; 3];
            assert!(timeout(NOT_YET, socket.read_exact(&mut back)).await.is_err(), "{way:?}");
            proxy.set(Wire::Pass);
            timeout(SOON, socket.read_exact(&mut back)).await??;
            assert_eq!(&back, b"two");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_cut_is_a_reset_and_a_new_connection_passes() -> anyhow::Result<()> {
        let proxy = echo().await?;
        let mut socket = TcpStream::connect(proxy.address()).await?;
        said(&mut socket, b"one").await?;
        proxy.cut();
        let mut byte = [0];
        let error = timeout(SOON, socket.read(&mut byte)).await?.expect_err("a reset");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        said(&mut TcpStream::connect(proxy.address()).await?, b"two").await
    }

    #[tokio::test]
    async fn half_of_a_connection_ends() -> anyhow::Result<()> {
        let proxy = echo().await?;
        let mut socket = TcpStream::connect(proxy.address()).await?;
        said(&mut socket, b"one").await?;
        proxy.half_close(Way::Back);
        let mut byte = [0];
        assert_eq!(timeout(SOON, socket.read(&mut byte)).await??, 0);
        // The other half is open still.
        socket.write_all(b"nobody hears the answer").await?;
        Ok(())
    }

    #[tokio::test]
    async fn refuses_for_a_while() -> anyhow::Result<()> {
        let proxy = echo().await?;
        proxy.set(Wire::Refuse);
        let refused = async {
            while TcpStream::connect(proxy.address()).await.is_ok() {
                sleep(AGAIN).await;
            }
        };
        timeout(SOON, refused).await?;
        proxy.set(Wire::Pass);
        let passes = async {
            loop {
                if let Ok(mut socket) = TcpStream::connect(proxy.address()).await {
                    return said(&mut socket, b"one").await;
                }
                sleep(AGAIN).await;
            }
        };
        timeout(SOON, passes).await?
    }
}
