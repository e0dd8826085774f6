//! The `OneBot` half, seen by a plain WebSocket client.

mod call;
mod connect;
mod event;
mod fault;
mod forward;
mod history;
mod media;
mod power;
mod private;
mod reverse;
mod robust;
mod segment;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use qq_sandbox::{Flavour, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::client::control;
use crate::sandbox_with;

const CATS: i64 = 346_000_004;
const BOT: i64 = 123_456_790;
const OWNER: i64 = 700_100_200;
const DMITRI: i64 = 700_100_201;
const MEMBER: i64 = 700_100_202;
const LIMIT: Duration = Duration::from_secs(10);

async fn sandbox_of(flavour: Flavour) -> Sandbox {
    sandbox_with(|options| options.flavour = flavour).await
}

/// An application: one socket, and the events that came while it waited for something else.
struct App<S = TcpStream> {
    socket: WebSocketStream<S>,
    events: VecDeque<Value>,
    echo: u64,
}

type Opened = Result<WebSocketStream<TcpStream>, Error>;

/// Opens a socket with an `Authorization` header, unless that is empty.
async fn open(at: SocketAddr, path: &str, authorization: &str) -> Opened {
    let mut request = format!("ws://{at}{path}").into_client_request().unwrap();
    if !authorization.is_empty() {
        request
            .headers_mut()
            .insert("authorization", authorization.parse().unwrap());
    }
    let stream = TcpStream::connect(at).await.unwrap();
    let config = WebSocketConfig::default()
        .max_message_size(Some(64 << 20))
        .max_frame_size(Some(64 << 20));
    Ok(client_async_with_config(request, stream, Some(config)).await?.0)
}

impl App {
    /// Connects and takes the first frame, which must be the lifecycle.
    async fn connect(at: SocketAddr) -> Self {
        let mut app = Self::of(open(at, "/onebot/v11", "").await.unwrap());
        let hello = app.frame().await.unwrap();
        assert_eq!(hello["meta_event_type"], "lifecycle", "{hello}");
        assert_eq!(hello["sub_type"], "connect");
        assert_eq!(hello["self_id"], BOT);
        app
    }
}

impl<S> App<S>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    fn of(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            events: VecDeque::new(),
            echo: 0,
        }
    }

    /// The next frame; `None` when the connection is over.
    async fn frame(&mut self) -> Option<Value> {
        loop {
            match timeout(LIMIT, self.socket.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).unwrap_or_else(|_| json!(text.as_str())));
                }
                Some(Ok(Message::Binary(bytes))) => return Some(json!({ "binary": bytes.len() })),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next event that is no meta event.
    async fn event(&mut self) -> Value {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        loop {
            let frame = self.frame().await.expect("an event");
            if frame["post_type"].is_string() && frame["post_type"] != "meta_event" {
                return frame;
            }
        }
    }

    /// Whether nothing was told before the answer to a call that changes nothing.
    async fn quiet(&mut self) -> bool {
        self.call("can_send_image", json!({})).await;
        self.events.is_empty()
    }

    async fn ask(&mut self, action: &str, params: Value) -> String {
        self.echo += 1;
        let echo = format!("e{}", self.echo);
        let call = json!({"action": action, "params": params, "echo": echo});
        self.socket.send(Message::text(call.to_string())).await.unwrap();
        echo
    }

    /// The next answer, whatever it answers; `None` when the connection is over.
    async fn answer(&mut self) -> Option<Value> {
        loop {
            let frame = self.frame().await?;
            if frame["status"].is_string() {
                return Some(frame);
            }
            if frame["post_type"].is_string() && frame["post_type"] != "meta_event" {
                self.events.push_back(frame);
            }
        }
    }

    /// A call and its answer.
    async fn call(&mut self, action: &str, params: Value) -> Value {
        let echo = self.ask(action, params).await;
        let answer = self.answer().await.expect("an answer");
        assert_eq!(answer["echo"], echo, "{answer}");
        answer
    }

    /// The data of a call that is done.
    async fn done(&mut self, action: &str, params: Value) -> Value {
        let answer = self.call(action, params).await;
        assert_eq!(
            (&answer["status"], &answer["retcode"]),
            (&json!("ok"), &json!(0)),
            "{action}: {answer}"
        );
        answer["data"].clone()
    }

    /// A call that is not done: its answer.
    async fn failed(&mut self, action: &str, params: Value, retcode: i64) -> Value {
        let answer = self.call(action, params).await;
        assert_eq!(
            (&answer["status"], &answer["retcode"], &answer["data"]),
            (&json!("failed"), &json!(retcode), &Value::Null),
            "{action}: {answer}"
        );
        answer
    }

    /// Says something in the group of cats; gives what the account calls it.
    async fn say(&mut self, message: impl Into<Value>) -> i64 {
        let params = json!({"group_id": CATS, "message": message.into()});
        self.done("send_group_msg", params).await["message_id"]
            .as_i64()
            .unwrap()
    }
}

/// A call of the control API that works.
async fn work(at: SocketAddr, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = control(at, method, path, &body).await;
    assert_eq!(status, 200, "{method} {path} {body}: {answer}");
    answer
}

/// A person says something in the group of cats; gives the world's number.
async fn person(at: SocketAddr, from: i64, message: impl Into<Value>) -> i64 {
    let body = json!({"from": from, "message": message.into()});
    work(at, "POST", &format!("groups/{CATS}/messages"), body).await["id"]
        .as_i64()
        .unwrap()
}

/// The messages of the group of cats.
async fn messages(at: SocketAddr) -> Vec<Value> {
    let messages = work(at, "GET", &format!("groups/{CATS}/messages"), json!({})).await;
    messages.as_array().unwrap().clone()
}

async fn settings(at: SocketAddr, settings: Value) -> Value {
    work(at, "POST", "onebot/settings", settings).await
}

async fn arm(at: SocketAddr, fault: Value) {
    work(at, "POST", "faults", fault).await;
}

fn text(words: &str) -> Value {
    json!([{"type": "text", "data": {"text": words}}])
}
