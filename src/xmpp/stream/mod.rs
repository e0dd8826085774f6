//! The component's stream (XEP-0114): bytes of a TCP connection on one side, stanzas on the other, in two halves.
//!
//! Used by the reader and the writer task of the component. Knows no rooms, and of addresses only that the copies which puppets get
//! are skimmed off before they are parsed. It does not sit on tokio-xmpp's `XmppStream`, whose parser runs over the whole stream
//! with fixed limits: an attribute of 9 000 bytes from any stranger ends it, and its depth is not bounded. Stanzas are read and
//! written with the same crates (xso, xmpp-parsers) as there.

mod connect;
mod encode;
mod frame;
mod parse;
mod skim;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use xmpp_parsers::stream_error::DefinedCondition;

pub use connect::ConnectError;
pub(crate) use connect::connect;
pub(crate) use encode::{hex, push, push_escaped, stanza as encode};
use frame::{Frame, Framer};
use parse::Parser;
pub(crate) use parse::{Incoming, Malformed};

/// Longer silence than this is the end: a ping goes out each minute, and has 15 s to come back.
pub(crate) const SILENCE: Duration = Duration::from_secs(75);
/// A write that the server does not take for so long is the end.
const STALLED: Duration = Duration::from_secs(15);

/// Why a stream is over.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(std::io::Error),
    /// The server closed it.
    #[error("the XMPP server closed the stream")]
    Closed,
    /// The server gave a reason.
    #[error("the XMPP server ended the stream: {}", .0.as_ref().map_or_else(|| "no known reason".to_owned(), ToString::to_string))]
    StreamError(Option<DefinedCondition>),
    /// Nothing came for 75 s though we pinged.
    #[error("the XMPP server has fallen silent")]
    Silent,
    /// The server takes nothing more.
    #[error("the XMPP server takes nothing more")]
    Stalled,
    /// A barrier did not come back within 10 s.
    #[error("a ping to ourselves did not come back; does another connection answer for the domain?")]
    BarrierLost,
    /// What arrives is no XMPP stream.
    #[error("what the XMPP server sends is no stream")]
    NotAStream,
}

/// The receiving half.
pub(crate) struct Reader {
    io: OwnedReadHalf,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    framer: Framer,
    parser: Parser,
}

impl Reader {
    /// Reads the server's stream header; gives the stream's id too.
    async fn open(io: OwnedReadHalf) -> Result<(Self, Option<String>), Lost> {
        let mut framer = Framer::new();
        let mut buffer = vec![0; 16 << 10].into_boxed_slice();
        let mut io = io;
        loop {
            let end = read(&mut io, &mut buffer).await?;
            let mut rest = &buffer[..end];
            match framer.next(&mut rest).map_err(|_| Lost::NotAStream)? {
                None => {}
                Some(Frame::Header(header)) => {
                    let start = end - rest.len();
                    let (parser, id) = Parser::new(header).map_err(|_| Lost::NotAStream)?;
                    let reader = Self {
                        io,
                        buffer,
                        start,
                        end,
                        framer,
                        parser,
                    };
                    return Ok((reader, id));
                }
                Some(_) => return Err(Lost::NotAStream),
            }
        }
    }

    /// The next element. A bad one is no error; errors end the stream.
    pub(crate) async fn next(&mut self) -> Result<Incoming, Lost> {
        loop {
            let mut rest = &self.buffer[self.start..self.end];
            let frame = self.framer.next(&mut rest).map_err(|_| Lost::NotAStream)?;
            self.start = self.end - rest.len();
            match frame {
                Some(Frame::Element { bytes, head, excessive }) if skim::is_copy(&bytes, head, excessive) => {
                    return Ok(Incoming::Copy);
                }
                Some(Frame::Element { bytes, head, excessive }) => {
                    return Ok(self.parser.element(&bytes, head, excessive));
                }
                Some(Frame::Footer) => return Err(Lost::Closed),
                Some(Frame::Header(_)) => return Err(Lost::NotAStream),
                None => {
                    self.start = 0;
                    self.end = 0;
                    self.end = read(&mut self.io, &mut self.buffer).await?;
                }
            }
        }
    }
}

async fn read(io: &mut OwnedReadHalf, buffer: &mut [u8]) -> Result<usize, Lost> {
    match timeout(SILENCE, io.read(buffer)).await {
        Err(_) => Err(Lost::Silent),
        Ok(Err(error)) => Err(Lost::Io(error)),
        Ok(Ok(0)) => Err(Lost::Closed),
        Ok(Ok(n)) => {
            // Servers leave Nagle's algorithm on: what they write next waits until this is acknowledged, and that would be with our
            // next bytes or after 40 ms. Holds for once (tcp(7)).
            #[cfg(target_os = "linux")]
            io.as_ref().set_quickack(true).map_err(Lost::Io)?;
            Ok(n)
        }
    }
}

/// The sending half.
pub(crate) struct Writer {
    io: OwnedWriteHalf,
}

impl Writer {
    fn new(io: OwnedWriteHalf) -> Self {
        Self { io }
    }

    /// Hands bytes to the kernel, waiting for a slow server within a limit.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        match timeout(STALLED, self.io.write_all(bytes)).await {
            Err(_) => Err(Lost::Stalled),
            Ok(written) => written.map_err(Lost::Io),
        }
    }

    /// Ends the stream in good order; what was written before arrives.
    pub(crate) async fn close(mut self) -> Result<(), Lost> {
        self.write(b"</stream:stream>").await?;
        self.io.shutdown().await.map_err(Lost::Io)
    }

    /// Makes the connection vanish when both halves are dropped, so that no half-open rest of it holds the domain.
    pub(crate) fn abort(&self) {
        let _ = self.io.as_ref().set_zero_linger();
    }
}
