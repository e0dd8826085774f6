//! One socket, against a raw WebSocket at the other end of a pipe.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::running::PATIENCE;
use crate::qq::onebot::socket::{Ended, Frame, Socket};

#[tokio::test]
async fn a_close_is_answered() {
    for (ours, theirs) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
        for (code, expected) in [(CloseCode::Normal, Ended::Closed), (CloseCode::Policy, Ended::Policy)] {
            let (near, far) = tokio::io::duplex(4096);
            let config = Some(WebSocketConfig::default());
            let near = WebSocketStream::from_raw_socket(near, ours, config).await;
            let mut far = WebSocketStream::from_raw_socket(far, theirs, config).await;
            let mut socket = Socket::start(near, Duration::from_secs(20));
            let reason = CloseFrame {
                code,
                reason: "".into(),
            };
            far.send(Message::Close(Some(reason))).await.expect("an open socket");
            let ended = socket.frames.recv().await;
            assert!(matches!(ended, Some(Frame::Ended(ended)) if ended == expected));
            // The session drops it at once.
            drop(socket);
            let answer = tokio::time::timeout(PATIENCE, far.next()).await.expect("an end");
            assert!(matches!(answer, Some(Ok(Message::Close(_)))), "{answer:?}");
        }
    }
}
