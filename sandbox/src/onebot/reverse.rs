//! The program connects to the application, and again whenever the connection ends.
//!
//! One task per connection that is wanted: it ends when the target is taken away, or with the sandbox.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, HeaderName, USER_AGENT};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::sync::CancellationToken;

use super::Target;
use super::dialect::{Credential, Dialect};
use super::link::{self, Purpose};
use super::view::View;
use crate::log::{Entry, Fate};
use crate::state::{Shared, State};
use crate::store::StoreError;

/// How long the application may take for the handshake, as in `NapCat`.
const HANDSHAKE_TIME: Duration = Duration::from_secs(2);

/// What a connection is for, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientRole {
    Universal,
    Api,
    Event,
}

impl ClientRole {
    fn word(self) -> &'static str {
        match self {
            Self::Universal => "Universal",
            Self::Api => "API",
            Self::Event => "Event",
        }
    }
}

/// Connects the program of an account to an application, now and after a start of the sandbox. `Ok(false)`: it was already.
pub(crate) fn connect(shared: &Arc<Shared>, qq: i64, target: &Target) -> Result<bool, StoreError> {
    let begun = shared.run(|state| {
        let mut kept = state.onebot.kept(qq);
        if kept.reverse.contains(target) {
            return Ok(None);
        }
        kept.reverse.retain(|known| known.url != target.url);
        kept.reverse.push(target.clone());
        let store = &state.store;
        state.onebot.keep(store, kept)?;
        Ok(Some(token(state, shared, qq)))
    })?;
    let Some(stop) = begun else {
        return Ok(false);
    };
    begin(shared, qq, target, &stop);
    Ok(true)
}

/// Takes up the connections that were wanted before the sandbox was started.
pub(crate) fn take_up(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let wanted = shared.run(|state| {
        let kept: Vec<_> = state.onebot.kept.values().cloned().collect();
        Ok(kept
            .into_iter()
            .filter(|kept| !kept.reverse.is_empty())
            .map(|kept| (kept.qq, kept.reverse, token(state, shared, kept.qq)))
            .collect::<Vec<_>>())
    })?;
    for (qq, targets, stop) in wanted {
        for target in &targets {
            begin(shared, qq, target, &stop);
        }
    }
    Ok(())
}

/// Ends all such connections of an account. Says how many targets there were.
pub(crate) fn disconnect(state: &mut State, qq: i64) -> Result<usize, StoreError> {
    let mut kept = state.onebot.kept(qq);
    let had = std::mem::take(&mut kept.reverse).len();
    let store = &state.store;
    state.onebot.keep(store, kept)?;
    if let Some(token) = state.onebot.outgoing.remove(&qq) {
        token.cancel();
    }
    let outgoing = state.onebot.links.iter().filter(|link| link.qq == qq && link.outgoing);
    outgoing.for_each(link::Link::end);
    Ok(had)
}

fn token(state: &mut State, shared: &Arc<Shared>, qq: i64) -> CancellationToken {
    let token = state.onebot.outgoing.entry(qq);
    token.or_insert_with(|| shared.stop.child_token()).clone()
}

fn begin(shared: &Arc<Shared>, qq: i64, target: &Target, stop: &CancellationToken) {
    let roles: &[ClientRole] = if target.split {
        &[ClientRole::Api, ClientRole::Event]
    } else {
        &[ClientRole::Universal]
    };
    for role in roles {
        let (shared, target, stop) = (shared.clone(), target.clone(), stop.clone());
        let task = again_and_again(shared.clone(), qq, target, *role, stop);
        shared.tasks.spawn(task);
    }
}

async fn again_and_again(shared: Arc<Shared>, qq: i64, target: Target, role: ClientRole, stop: CancellationToken) {
    let mut said = String::new();
    while !stop.is_cancelled() {
        let asked = shared.run(|state| {
            let down = state.onebot.run(qq).down_until > state.clock.now_ms();
            Ok(View::of(state, qq).map(|view| (view.dialect, down)))
        });
        let Ok(Some((dialect, down))) = asked else {
            return;
        };
        let mut retry = dialect.retry;
        if down {
            retry = Duration::from_millis(200);
        } else {
            match open(qq, &target, role, dialect).await {
                Ok(socket) => {
                    said.clear();
                    let purpose = Purpose {
                        qq,
                        calls: role != ClientRole::Event,
                        events: role != ClientRole::Api,
                        outgoing: true,
                    };
                    link::serve(socket, &shared, purpose).await;
                }
                Err(error) if error != said => {
                    let detail = format!("cannot connect to {}: {error}", target.url);
                    let entry = Entry::aside("onebot", Some(qq), Fate::Refused, detail);
                    if shared.run(|state| state.log(entry)).is_err() {
                        return;
                    }
                    said = error;
                }
                Err(_) => {}
            }
        }
        let _ = timeout(retry, stop.cancelled()).await;
    }
}

async fn open(
    qq: i64,
    target: &Target,
    role: ClientRole,
    dialect: &Dialect,
) -> Result<WebSocketStream<TcpStream>, String> {
    let request = request(qq, target, role, dialect)?;
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(80);
    let work = async {
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(|error| error.to_string())?;
        let shaken = client_async_with_config(request, stream, Some(link::config())).await;
        shaken.map(|(socket, _)| socket).map_err(|error| error.to_string())
    };
    match timeout(HANDSHAKE_TIME, work).await {
        Ok(opened) => opened,
        Err(_) => Err("no handshake within two seconds".to_owned()),
    }
}

/// The upgrade request as the program writes it.
fn request(qq: i64, target: &Target, role: ClientRole, dialect: &Dialect) -> Result<Request, String> {
    let mut request = target
        .url
        .as_str()
        .into_client_request()
        .map_err(|error| error.to_string())?;
    let token = &target.access_token;
    let credential = match dialect.credential {
        Credential::AlwaysBearer => Some(format!("Bearer {token}")),
        Credential::Bearer if !token.is_empty() => Some(format!("Bearer {token}")),
        Credential::Token if !token.is_empty() => Some(format!("Token {token}")),
        Credential::Bearer | Credential::Token => None,
    };
    let mut fields = vec![
        (HeaderName::from_static("x-self-id"), qq.to_string()),
        (HeaderName::from_static("x-client-role"), role.word().to_owned()),
        (USER_AGENT, dialect.user_agent.to_owned()),
    ];
    fields.extend(credential.map(|credential| (AUTHORIZATION, credential)));
    for (name, value) in fields {
        let value = HeaderValue::from_str(&value).map_err(|_| "the token cannot stand in a header".to_owned())?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}
