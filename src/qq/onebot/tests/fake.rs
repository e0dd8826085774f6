//! A small `OneBot` program for tests: answers calls by a table that a test may override, and tells what the test wants told.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, connect_async};

pub(super) const OWN: u64 = 2_000_000_001;
pub(super) const ALICE: u64 = 3_000_000_001;
pub(super) const GROUP: u64 = 700_000_001;
pub(super) const OTHER: u64 = 700_000_002;

/// What a call is answered with instead of the table.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Data(Value),
    Fail(i64, &'static str),
    /// Never.
    Silence,
    /// The data, so much later.
    Late(Duration, Value),
    /// The connection ends.
    Hangup,
}

/// What it knows and was asked.
#[derive(Default)]
pub(super) struct State {
    pub(super) app: String,
    pub(super) groups: Vec<Value>,
    pub(super) members: HashMap<u64, Vec<Value>>,
    pub(super) history: HashMap<u64, Vec<Value>>,
    pub(super) token: Option<&'static str>,
    /// Answers of an action, in turn; the last one stays.
    pub(super) replies: HashMap<&'static str, VecDeque<Reply>>,
    pub(super) calls: Vec<(String, Value)>,
    next_id: i64,
}

#[derive(Clone)]
pub(super) struct Fake {
    pub(super) own: u64,
    state: Arc<Mutex<State>>,
    frames: broadcast::Sender<Message>,
    /// Sockets of an earlier generation end.
    generation: watch::Sender<u64>,
}

pub(super) fn member(number: u64, name: &str, role: &str) -> Value {
    json!({"user_id": number, "nickname": name, "card": "", "role": role, "shut_up_timestamp": 0})
}

/// A message as `NapCat` tells it.
pub(super) fn said(group: u64, seq: u64, user: u64, text: &str) -> Value {
    let message = json!([{"type": "text", "data": {"text": text}}]);
    spoken(group, seq, user, &message)
}

pub(super) fn spoken(group: u64, seq: u64, user: u64, message: &Value) -> Value {
    let name = match user {
        OWN => "bot",
        ALICE => "alice",
        _ => "bob",
    };
    json!({"post_type": "message", "message_type": "group", "sub_type": "normal", "self_id": OWN, "group_id": group, "user_id": user,
        "message_id": seq + 5_000_000, "message_seq": seq + 5_000_000, "real_seq": seq.to_string(),
        "time": 1_776_000_000 + seq, "sender": {"user_id": user, "nickname": name, "card": ""}, "message": message})
}

pub(super) fn notice(kind: &str, mut with: Value) -> Value {
    with["post_type"] = "notice".into();
    with["notice_type"] = kind.into();
    with["self_id"] = OWN.into();
    with["time"] = 1_776_000_000.into();
    with
}

impl Fake {
    pub(super) fn new() -> Self {
        let state = State {
            app: "NapCat.Onebot".into(),
            groups: vec![
                json!({"group_id": GROUP, "group_name": "cats"}),
                json!({"group_id": OTHER, "group_name": "dogs"}),
            ],
            members: [GROUP, OTHER]
                .map(|group| {
                    let members = [
                        member(OWN, "bot", "member"),
                        member(ALICE, "alice", "owner"),
                        member(ALICE + 1, "bob", "member"),
                    ];
                    (group, members.to_vec())
                })
                .into(),
            ..State::default()
        };
        Self {
            own: OWN,
            state: Arc::new(Mutex::new(state)),
            frames: broadcast::Sender::new(512),
            generation: watch::Sender::new(0),
        }
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn reply(&self, action: &'static str, replies: impl IntoIterator<Item = Reply>) {
        self.with(|state| state.replies.insert(action, replies.into_iter().collect()));
    }

    pub(super) fn as_table(&self, action: &'static str) {
        self.with(|state| state.replies.remove(action));
    }

    /// How often an action was called.
    pub(super) fn count(&self, action: &str) -> usize {
        self.with(|state| state.calls.iter().filter(|(called, _)| called == action).count())
    }

    pub(super) fn tell(&self, event: &Value) {
        self.frame(Message::text(event.to_string()));
    }

    pub(super) fn frame(&self, frame: Message) {
        self.frames.send(frame).ok();
    }

    /// All sockets end.
    pub(super) fn hang_up(&self) {
        self.generation.send_modify(|n| *n += 1);
    }

    /// Waits for connections, as a WebSocket server.
    pub(super) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let fake = self.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(fake.clone().accept(stream));
            }
        });
        format!("ws://{address}/")
    }

    #[expect(clippy::result_large_err, reason = "the WebSocket crate's callback")]
    async fn accept(self, stream: TcpStream) {
        let mut path = String::new();
        let mut given = None;
        let callback = |request: &Request, response: Response| {
            request.uri().path().clone_into(&mut path);
            let header = request.headers().get("authorization");
            given = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
            Ok(response)
        };
        let Ok(mut ws) = accept_hdr_async(stream, callback).await else {
            return;
        };
        let right = self
            .with(|state| state.token)
            .is_none_or(|token| given == Some(format!("Bearer {token}")));
        if !right {
            let refusal =
                json!({"status": "failed", "retcode": 1403, "data": null, "message": "token验证失败", "echo": null});
            ws.send(Message::text(refusal.to_string())).await.ok();
            return;
        }
        self.serve(ws, path != "/api").await;
    }

    /// Connects, as a WebSocket client; gives the HTTP status when it is refused.
    pub(super) async fn connect(&self, to: SocketAddr, headers: &[(&'static str, &str)]) -> Result<(), u16> {
        let mut request = format!("ws://{to}/").into_client_request().expect("a request");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header");
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        match connect_async(request).await {
            Ok((ws, _)) => {
                let events = !headers.contains(&("x-client-role", "API"));
                tokio::spawn(self.clone().serve(ws, events));
                Ok(())
            }
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(self, mut ws: WebSocketStream<S>, events: bool) {
        let mut frames = self.frames.subscribe();
        let mut generation = self.generation.subscribe();
        let (late, mut latecomers) = mpsc::channel::<Value>(16);
        loop {
            let frame = tokio::select! {
                frame = ws.next() => match frame {
                    Some(Ok(Message::Text(text))) => match self.answer(&text, &late) {
                        Ok(Some(answer)) => Message::text(answer.to_string()),
                        Ok(None) => continue,
                        Err(()) => return,
                    },
                    Some(Ok(_)) => continue,
                    _ => return,
                },
                Ok(frame) = frames.recv(), if events => frame,
                Some(answer) = latecomers.recv() => Message::text(answer.to_string()),
                _ = generation.changed() => return,
            };
            if ws.send(frame).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, text: &str, late: &mpsc::Sender<Value>) -> Result<Option<Value>, ()> {
        let call: Value = serde_json::from_str(text).expect("JSON");
        let action = call["action"].as_str().expect("an action").to_owned();
        let echo = call["echo"].as_str().expect("a text").to_owned();
        let scripted = self.with(|state| {
            state.calls.push((action.clone(), call["params"].clone()));
            let replies = state.replies.get_mut(action.as_str())?;
            if replies.len() > 1 {
                replies.pop_front()
            } else {
                replies.front().cloned()
            }
        });
        let ok = |data: Value| json!({"status": "ok", "retcode": 0, "data": data, "echo": echo});
        let fail = |code: i64, text: &str| json!({"status": "failed", "retcode": code, "message": text, "data": null, "echo": echo});
        Ok(Some(match scripted {
            Some(Reply::Data(data)) => ok(data),
            Some(Reply::Fail(code, text)) => fail(code, text),
            Some(Reply::Silence) => return Ok(None),
            Some(Reply::Hangup) => return Err(()),
            Some(Reply::Late(after, data)) => {
                let (late, answer) = (late.clone(), ok(data));
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    late.send(answer).await.ok();
                });
                return Ok(None);
            }
            None => match self.table(&action, &call["params"]) {
                Some(data) => ok(data),
                None => fail(1404, "unknown action"),
            },
        }))
    }

    fn table(&self, action: &str, params: &Value) -> Option<Value> {
        let group = params["group_id"].as_u64().unwrap_or(0);
        self.with(|state| {
            Some(match action {
                "get_login_info" => json!({"user_id": self.own, "nickname": "bot"}),
                "get_version_info" => json!({"app_name": state.app, "app_version": "1", "protocol_version": "v11"}),
                "get_status" => json!({"online": true, "good": true}),
                "get_group_list" => json!(state.groups),
                "get_group_member_list" => json!(state.members.get(&group)?),
                "get_group_member_info" => {
                    let members = state.members.get(&group)?;
                    members
                        .iter()
                        .find(|member| member["user_id"] == params["user_id"])?
                        .clone()
                }
                "get_group_msg_history" => {
                    let all = state.history.get(&group).cloned().unwrap_or_default();
                    let end = all
                        .iter()
                        .position(|message| message["message_id"] == params["message_seq"]);
                    let end = end.map_or(all.len(), |at| at + 1);
                    let count = usize::try_from(params["count"].as_u64()?).ok()?;
                    json!({"messages": all[end.saturating_sub(count)..end]})
                }
                "send_group_msg" => {
                    state.next_id += 1;
                    json!({"message_id": state.next_id})
                }
                "delete_msg" | "set_msg_emoji_like" => Value::Null,
                _ => return None,
            })
        })
    }
}
