//! The application connects to the program: `/onebot/v11`, `/onebot/v11/<qq>`, and `/api` and `/event` below either.

use std::sync::Arc;

use axum::http::header::{
    AUTHORIZATION, CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use futures_util::SinkExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::dialect::{Paths, Refusal};
use super::failure;
use super::frame::{self, Frame};
use super::link::{self, Purpose};
use super::view::View;
use crate::log::{Entry, Fate};
use crate::net::Reply;
use crate::state::{Shared, State};
use crate::store::StoreError;
use crate::world::Protocol;

const ROOT: &str = "/onebot/v11";

/// Whether a path is below ours.
pub(crate) fn is_ours(path: &str) -> bool {
    path.strip_prefix(ROOT)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is done with somebody who wants to connect.
enum Verdict {
    /// Served.
    Open(Purpose),
    /// Taken, told that the token is wrong, and closed.
    Rejected(Option<u16>),
    /// Not taken.
    Refused(u16, &'static str),
}

/// Answers a request below our path: an upgrade to WebSocket, or a sentence why not.
pub(crate) fn upgrade(mut request: Request<Incoming>, shared: &Arc<Shared>) -> Reply {
    let header = |name: HeaderName| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let is_socket = header(UPGRADE).eq_ignore_ascii_case("websocket") && header(SEC_WEBSOCKET_VERSION) == "13";
    let key = header(SEC_WEBSOCKET_KEY);
    if !is_socket || key.is_empty() {
        return Reply::error(426, "OneBot is served as WebSocket here: connect with ws://").with(UPGRADE, "websocket");
    }
    let query = request.uri().query().unwrap_or_default();
    let in_query = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "access_token")
        .map(|(_, value)| value.into_owned());
    let in_header = header(AUTHORIZATION);
    let in_header = ["Bearer ", "Token ", "bearer ", "token "]
        .iter()
        .find_map(|kind| in_header.strip_prefix(kind))
        .map(|token| token.trim().to_owned());
    let path = request.uri().path().to_owned();
    let judged = shared.run(|state| judge(state, &path, in_header, in_query));
    let verdict = match judged {
        Ok(verdict) => verdict,
        Err(error) => return error.into(),
    };
    if let Verdict::Refused(status, sentence) = verdict {
        return Reply::error(status, sentence);
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let task = shared.clone();
    shared.tasks.spawn(async move {
        let upgraded = tokio::select! {
            () = task.stop.cancelled() => return,
            upgraded = upgraded => upgraded,
        };
        let Ok(upgraded) = upgraded else {
            return;
        };
        let stream = TokioIo::new(upgraded);
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(link::config())).await;
        match verdict {
            Verdict::Open(purpose) => link::serve(socket, &task, purpose).await,
            Verdict::Rejected(code) => {
                let told = socket.send(Message::text(failure::bad_token().to_string())).await;
                if told.is_ok() {
                    let _ = frame::write(&mut socket, Frame::Close(code), false).await;
                }
            }
            Verdict::Refused(..) => {}
        }
    });
    Reply::status(101)
        .with(CONNECTION, "Upgrade")
        .with(UPGRADE, "websocket")
        .with(SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes()))
}

fn judge(
    state: &mut State,
    path: &str,
    in_header: Option<String>,
    in_query: Option<String>,
) -> Result<Verdict, StoreError> {
    let mut parts: Vec<&str> = path[ROOT.len()..].split('/').filter(|part| !part.is_empty()).collect();
    let qq = match parts.first().and_then(|first| first.parse::<i64>().ok()) {
        Some(qq) => {
            parts.remove(0);
            Some(qq)
        }
        None => state.world.first(Protocol::Onebot).map(|account| account.qq),
    };
    let Some(view) = qq.and_then(|qq| View::of(state, qq)) else {
        return Ok(Verdict::Refused(
            404,
            "there is no such account with protocol onebot in this world",
        ));
    };
    let (qq, dialect) = (view.qq(), view.dialect);
    let wanted = view.account.access_token.clone().filter(|token| !token.is_empty());
    let shown = if dialect.query_first {
        in_query.or(in_header)
    } else {
        in_header.or(in_query)
    };
    let right = wanted.is_none() || shown == wanted;
    let verdict = if let Some(fault) = state.faults.take("refuse_socket", qq, |_| true) {
        let status = fault
            .number("status")
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(503);
        Verdict::Refused(status, "fault: the connection is refused")
    } else if state.onebot.run(qq).down_until > state.clock.now_ms() {
        Verdict::Refused(503, "the program is down")
    } else if right {
        of_path(dialect.paths, qq, &parts)
    } else {
        match dialect.refusal {
            Refusal::Frame(code) => Verdict::Rejected(code),
            Refusal::Status if shown.is_none() => Verdict::Refused(401, "no access token"),
            Refusal::Status => Verdict::Refused(403, "wrong access token"),
        }
    };
    let why = match &verdict {
        Verdict::Open(_) => return Ok(verdict),
        Verdict::Rejected(_) => "wrong access token: told so and closed",
        Verdict::Refused(_, why) => why,
    };
    state.log(Entry {
        method: "GET".to_owned(),
        path: path.chars().take(200).collect(),
        ..Entry::aside("onebot", Some(qq), Fate::Refused, why)
    })?;
    Ok(verdict)
}

fn of_path(paths: Paths, qq: i64, rest: &[&str]) -> Verdict {
    let open = |calls, events| {
        Verdict::Open(Purpose {
            qq,
            calls,
            events,
            outgoing: false,
        })
    };
    match (paths, rest) {
        (_, ["api"]) => open(true, false),
        (Paths::Loose, _) | (_, []) => open(true, true),
        (_, ["event"]) => open(false, true),
        (Paths::Exact, _) => open(false, false),
        (Paths::Only, _) => Verdict::Refused(404, "no such path"),
    }
}
