//! Whose socket is it, when no header says so: every event names the account, and one may ask.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Role;
use crate::model::QqNumber;
use crate::qq::onebot::field;
use crate::qq::onebot::socket::{Frame, Outgoing, Socket};

const PATIENCE: Duration = Duration::from_secs(10);
/// Frames that may come before one tells the number.
const FRAMES_MAX: usize = 16;
const ECHO: &str = "whose";

/// The number of the account behind a socket, and the socket as if nothing had been read from it.
pub(super) async fn number(mut socket: Socket, role: Role) -> Option<(QqNumber, Socket)> {
    let mut read = VecDeque::new();
    let own = timeout(PATIENCE, ask(&mut socket, role, &mut read)).await.ok()??;
    if read.is_empty() {
        return Some((own, socket));
    }
    let Socket { out, mut frames } = socket;
    let (to, again) = mpsc::channel(1);
    tokio::spawn(async move {
        for frame in read {
            if to.send(frame).await.is_err() {
                return;
            }
        }
        while let Some(frame) = frames.recv().await {
            if to.send(frame).await.is_err() {
                return;
            }
        }
    });
    Some((own, Socket { out, frames: again }))
}

async fn ask(socket: &mut Socket, role: Role, read: &mut VecDeque<Frame>) -> Option<QqNumber> {
    if role != Role::Event {
        let call = json!({"action": "get_login_info", "params": {}, "echo": ECHO});
        let frame = Outgoing::text(call.to_string());
        socket.out.send(frame).await.ok()?;
    }
    while read.len() < FRAMES_MAX {
        let frame = socket.frames.recv().await?;
        let Frame::Json(value) = &frame else { return None };
        let answers = value["echo"] == ECHO;
        let own = if answers {
            field::user(&value["data"]["user_id"])
        } else {
            field::user(&value["self_id"])
        };
        if !answers {
            read.push_back(frame);
        }
        if let Some(own) = own {
            return Some(own);
        }
    }
    None
}
