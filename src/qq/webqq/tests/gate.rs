//! A wire that breaks on demand, between a session and its far side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It reaches the far side.
    Pass,
    /// Taken and closed without a byte.
    Close,
    /// The request is read, and the connection closed without a byte.
    CloseAfterRequest,
    /// The answer ends in its middle.
    Cut,
    /// A gateway on the way says that it has none.
    Status(u16),
    /// The answer never ends.
    Drip,
}

/// The wire.
pub(super) struct Gate {
    pub(super) url: Url,
    mode: watch::Sender<Mode>,
    taken: Arc<AtomicUsize>,
}

impl Gate {
    pub(super) async fn before(far: Option<&Url>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let far = far.map(|url| ("127.0.0.1", url.port().expect("a port")));
        let (mode, modes) = watch::channel(Mode::Pass);
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let mut modes = modes.clone();
                let mode = *modes.borrow_and_update();
                tokio::spawn(async move {
                    // What is open when the wire changes breaks.
                    tokio::select! {
                        () = serve(stream, mode, far) => {}
                        _ = modes.changed() => {}
                    }
                });
            }
        });
        let url = Url::parse(&format!("http://{address}")).expect("a URL");
        Self { url, mode, taken }
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Connections so far.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Waits for so many connections.
    pub(super) async fn until(&self, taken: usize) {
        let all = async {
            while self.taken() < taken {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let limit = Duration::from_secs(180);
        tokio::time::timeout(limit, all).await.expect("the connections come");
    }
}

async fn serve(mut stream: TcpStream, mode: Mode, far: Option<(&str, u16)>) {
    match mode {
        Mode::Pass => {
            let Some(far) = far else { return };
            if let Ok(mut far) = TcpStream::connect(far).await {
                copy_bidirectional(&mut stream, &mut far).await.ok();
            }
        }
        Mode::Close => {}
        Mode::CloseAfterRequest => {
            request(&mut stream).await;
        }
        Mode::Cut => {
            request(&mut stream).await;
            let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"retcode\":103";
            stream.write_all(half).await.ok();
        }
        Mode::Status(status) => {
            while request(&mut stream).await {
                let page =
                    format!("HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
                if stream.write_all(page.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
        Mode::Drip => {
            request(&mut stream).await;
            let mut next: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
            while stream.write_all(next).await.is_ok() {
                next = b" ";
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Reads a request, or what there is of it. False at the end.
async fn request(stream: &mut TcpStream) -> bool {
    let mut bytes = vec![0; 4 << 10];
    stream.read(&mut bytes).await.is_ok_and(|read| read > 0)
}
