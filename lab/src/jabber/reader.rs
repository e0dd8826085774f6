//! The reader task of a client: bytes in, stanzas out, pings answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use minidom::Element;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::LIMIT;
use super::stanza::{Stanza as _, escape, ns};
use super::stream::{Piece, Splitter};

/// What the reader task hands over; after `End` comes nothing.
pub(super) enum Arrival {
    Stanza(Box<Element>),
    End(String),
}

/// Owned by the reader task.
pub(super) struct Reader {
    pub(super) read: OwnedReadHalf,
    pub(super) splitter: Splitter,
    pub(super) rest: Vec<u8>,
    pub(super) sender: mpsc::Sender<Arrival>,
    pub(super) writer: Arc<Mutex<OwnedWriteHalf>>,
    pub(super) answers_pings: Arc<AtomicBool>,
}

impl Reader {
    pub(super) async fn run(mut self) {
        let how = match self.read_stanzas().await {
            Ok(how) => how,
            Err(error) => format!("{error:#}"),
        };
        let _ = self.sender.send(Arrival::End(how)).await;
    }

    /// Until the stream ends; says how it did.
    async fn read_stanzas(&mut self) -> anyhow::Result<String> {
        loop {
            let bytes = std::mem::take(&mut self.rest);
            let mut left = bytes.as_slice();
            while let Some(piece) = self.splitter.next(&mut left)? {
                match piece {
                    Piece::Opened => {}
                    Piece::Closed => return Ok("the server closed the stream".to_owned()),
                    Piece::Stanza(stanza) if stanza.is("error", ns::STREAM) => {
                        return Ok(format!("stream error {}", stanza.xml()));
                    }
                    Piece::Stanza(stanza) => self.hand_over(stanza).await?,
                }
            }
            self.rest = bytes;
            self.rest.clear();
            if self
                .read
                .read_buf(&mut self.rest)
                .await
                .context("the connection broke")?
                == 0
            {
                return Ok("the server closed the connection".to_owned());
            }
        }
    }

    async fn hand_over(&mut self, stanza: Element) -> anyhow::Result<()> {
        let is_ping = stanza.name() == "iq" && stanza.kind() == "get" && stanza.child("ping", ns::PING).is_some();
        if is_ping && self.answers_pings.load(Ordering::Relaxed) {
            let pong = format!(
                "<iq type='result' id='{}' to='{}'/>",
                escape(stanza.id()),
                escape(stanza.from())
            );
            timeout(LIMIT, async {
                self.writer.lock().await.write_all(pong.as_bytes()).await
            })
            .await
            .context("the server did not take the answer to a ping")??;
        }
        self.sender
            .send(Arrival::Stanza(Box::new(stanza)))
            .await
            .context("nobody reads any more")
    }
}
