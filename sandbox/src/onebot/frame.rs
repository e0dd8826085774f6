//! What leaves over a connection.

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use futures_util::SinkExt as _;

/// One thing to write.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// JSON, or what passes for it.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// The first half of a frame with that text, then the end.
    Half(String),
    /// The end, without a word.
    Cut,
    /// A close frame, with or without a code.
    Close(Option<u16>),
}

/// Writes a frame. `Ok(false)`: it was the last one. `masked`: we are the client of the connection.
pub(super) async fn write<S>(socket: &mut WebSocketStream<S>, frame: Frame, masked: bool) -> Result<bool, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match frame {
        Frame::Text(text) => socket.send(Message::text(text)).await?,
        Frame::Binary(bytes) => socket.send(Message::binary(bytes)).await?,
        Frame::Cut => return Ok(false),
        Frame::Half(text) => {
            socket.flush().await?;
            let stream = socket.get_mut();
            stream.write_all(&half(&text, masked)).await?;
            stream.flush().await?;
            return Ok(false);
        }
        Frame::Close(code) => {
            let frame = code.map(|code| CloseFrame {
                code: CloseCode::from(code),
                reason: "".into(),
            });
            socket.close(frame).await?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// The head of a text frame (RFC 6455, section 5.2) and the first half of what it promises.
fn half(text: &str, masked: bool) -> Vec<u8> {
    let mut bytes = vec![0x81];
    let mask = if masked { 0x80 } else { 0 };
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length), _) if length < 126 => bytes.push(mask | length),
        (_, Ok(length)) => {
            bytes.push(mask | 0x7E);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(mask | 0x7F);
            bytes.extend((text.len() as u64).to_be_bytes());
        }
    }
    if masked {
        // A key of zeros: the text remains as it is.
        bytes.extend([0; 4]);
    }
    bytes.extend(&text.as_bytes()[..text.len() / 2]);
    bytes
}
