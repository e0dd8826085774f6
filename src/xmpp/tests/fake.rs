//! A server that says what the test tells it to.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;

pub(super) struct Fake {
    listener: TcpListener,
    pub(super) address: String,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { listener, address }
    }

    /// The next connection, up to our stream header.
    pub(super) async fn connection(&self) -> Peer {
        let (socket, _) = timeout(PATIENCE, self.listener.accept())
            .await
            .expect("a connection in time")
            .unwrap();
        let mut peer = Peer {
            socket,
            buffer: String::new(),
        };
        peer.read_to("to='qq.ex'>").await;
        peer
    }

    /// The next connection, behind a good handshake and the first round of pings.
    pub(super) async fn component(&self) -> Peer {
        let mut peer = self.connection().await;
        peer.say(HEADER).await;
        let proof = peer.read_to("</handshake>").await;
        // The SHA-1 of "123456".
        assert!(
            proof.ends_with("<handshake>7c4a8d09ca3762af61e59520943dc26494f8941b</handshake>"),
            "{proof}"
        );
        peer.say("<handshake/>").await;
        for _ in 0..8 {
            let ping = peer.element().await;
            assert!(ping.contains("urn:xmpp:ping"), "{ping}");
            peer.say(&ping).await;
        }
        peer
    }
}

pub(super) const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
     xmlns:stream='http://etherx.jabber.org/streams' id='123' from='qq.ex' xml:lang='en'>";

pub(super) struct Peer {
    socket: TcpStream,
    buffer: String,
}

impl Peer {
    pub(super) async fn say(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    /// Everything up to and with `end`.
    pub(super) async fn read_to(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.buffer.find(end) {
                let rest = self.buffer.split_off(at + end.len());
                return std::mem::replace(&mut self.buffer, rest);
            }
            assert!(self.read().await, "the end, before {end}, after {}", self.buffer);
        }
    }

    /// The next stanza.
    pub(super) async fn element(&mut self) -> String {
        while !self.buffer.contains(' ') {
            assert!(self.read().await, "the end, after {}", self.buffer);
        }
        let name = self.buffer[1..].split(' ').next().unwrap().to_owned();
        self.read_to(&format!("</{name}>")).await
    }

    /// True when the other side has closed, whatever it said before.
    pub(super) async fn closed(mut self) -> String {
        while self.read().await {}
        self.buffer
    }

    async fn read(&mut self) -> bool {
        let mut chunk = [0; 4096];
        match timeout(PATIENCE, self.socket.read(&mut chunk))
            .await
            .expect("bytes in time")
        {
            Ok(0) | Err(_) => false,
            Ok(n) => {
                self.buffer.push_str(std::str::from_utf8(&chunk[..n]).unwrap());
                true
            }
        }
    }
}
