//! The control API below `/sandbox`: tests and the page work the world with it and look at what the clients did.
//!
//! Answers are JSON; an error is `{"error": "a sentence"}`. Works on the state in the connection's task; the two calls
//! with `wait` wait without the lock.

mod faults;
mod members;
mod messages;
mod run;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde_json::Value;
use tokio::time::Instant;

use crate::net::{Reply, Request};
use crate::state::{Shared, State};
use crate::store::StoreError;

/// The longest `wait`, in seconds.
const LONGEST_WAIT: f64 = 60.0;
/// The most rows of one answer.
const MOST_ROWS: i64 = 1000;

/// Why a call is not served.
pub(crate) enum Fault {
    /// Status and sentence.
    Told(u16, String),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn fault(status: u16, sentence: impl Into<String>) -> Fault {
    Fault::Told(status, sentence.into())
}

type Served = Result<Reply, Fault>;

/// Answers a request to `/sandbox/…`.
pub(crate) async fn serve(request: &Request, shared: &Arc<Shared>) -> Reply {
    let served = route(request, shared).await;
    served.unwrap_or_else(|fault| match fault {
        Fault::Told(status, sentence) => Reply::error(status, sentence),
        Fault::Store(error) => error.into(),
    })
}

async fn route(request: &Request, shared: &Arc<Shared>) -> Served {
    let path: Vec<&str> = request
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .skip(1)
        .collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["groups", group, "messages"]) => messages::read(request, shared, number(group)?).await,
        ("POST", ["groups", group, "messages"]) => work(shared, |state| messages::say(state, request, number(group)?)),
        ("POST", ["groups", group, "recall"]) => work(shared, |state| messages::recall(state, request, number(group)?)),
        ("GET", ["friends", account, friend, "messages"]) => {
            messages::read_friend(request, shared, number(account)?, number(friend)?).await
        }
        ("POST", ["friends", account, friend, "messages"]) => work(shared, |state| {
            messages::say_friend(state, request, number(account)?, number(friend)?)
        }),
        ("POST", ["groups", group, "members"]) => work(shared, |state| members::add(state, request, number(group)?)),
        ("PATCH", ["groups", group, "members", qq]) => work(shared, |state| {
            members::change(state, request, number(group)?, number(qq)?)
        }),
        ("DELETE", ["groups", group, "members", qq]) => {
            work(shared, |state| members::remove(state, number(group)?, number(qq)?))
        }
        ("POST", ["groups", group, "members", qq, "mute"]) => work(shared, |state| {
            members::mute(state, request, number(group)?, number(qq)?)
        }),
        ("GET", ["log"]) => view::log(request, shared).await,
        ("GET", ["state"]) => work(shared, view::state),
        ("GET" | "DELETE", ["faults"]) => Ok(faults::list()),
        ("POST", ["faults"]) => faults::arm(request),
        ("GET", ["qr"]) => work(shared, run::picture),
        ("POST", ["qr", "scan"]) => work(shared, |state| run::scan(state, request)),
        ("POST", ["kick"]) => work(shared, |state| run::kick(state, request)),
        ("POST", ["clock"]) => work(shared, |state| run::clock(state, request)),
        ("POST", ["reset"]) => work(shared, |state| run::reset(state, request)),
        _ => Err(nothing(&request.method, &request.path, &path)),
    }
}

fn nothing(method: &Method, path: &str, parts: &[&str]) -> Fault {
    const CALLS: &str = "GET and POST /sandbox/groups/{group}/messages, POST …/members, PATCH and DELETE …/members/{qq}, \
        POST …/members/{qq}/mute, POST …/recall, GET and POST /sandbox/friends/{account}/{friend}/messages, \
        GET /sandbox/log, GET, POST and DELETE /sandbox/faults, GET /sandbox/qr, POST /sandbox/qr/scan, \
        POST /sandbox/kick, /sandbox/clock, /sandbox/reset, GET /sandbox/state";
    let known = [
        "groups", "friends", "log", "state", "faults", "qr", "kick", "clock", "reset",
    ];
    let status = if parts.first().is_some_and(|first| known.contains(first)) {
        405
    } else {
        404
    };
    fault(status, format!("{method} {path} is not served; there are: {CALLS}"))
}

fn work(shared: &Arc<Shared>, work: impl FnOnce(&mut State) -> Served) -> Served {
    // What a call did before it was refused remains: a recall that cannot be shown is remembered.
    shared.run(|state| match work(state) {
        Err(Fault::Store(error)) => Err(error),
        served => Ok(served),
    })?
}

/// Looks again and again until there is something or the time is over.
async fn wait_for<R>(
    shared: &Arc<Shared>,
    wait: Duration,
    mut look: impl FnMut(&mut State) -> Result<Option<R>, StoreError>,
) -> Result<Option<R>, Fault> {
    let mut news = shared.news();
    let deadline = Instant::now() + wait;
    loop {
        news.borrow_and_update();
        let found = shared.run(&mut look)?;
        if found.is_some() || Instant::now() >= deadline {
            return Ok(found);
        }
        tokio::select! {
            () = shared.stop.cancelled() => return Ok(None),
            _ = tokio::time::timeout_at(deadline, news.changed()) => {}
        }
    }
}

fn number(text: &str) -> Result<i64, Fault> {
    text.parse()
        .map_err(|_| fault(400, format!("\"{text}\" in the path must be a number")))
}

fn after(request: &Request) -> Result<i64, Fault> {
    let value = request.param("after").unwrap_or("0");
    value
        .parse()
        .map_err(|_| fault(400, "\"after\" must be the number of the last one you know"))
}

fn wait(request: &Request) -> Result<Duration, Fault> {
    let seconds = request
        .param("wait")
        .unwrap_or("0")
        .trim_end_matches('s')
        .parse::<f64>();
    match seconds {
        Ok(seconds) if seconds >= 0.0 => Ok(Duration::from_secs_f64(seconds.min(LONGEST_WAIT))),
        _ => Err(fault(
            400,
            format!("\"wait\" must be a number of seconds up to {LONGEST_WAIT}"),
        )),
    }
}

/// The JSON object in the body; an empty body is an empty object.
fn body(request: &Request) -> Result<Value, Fault> {
    if request.body.trim_ascii().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = serde_json::from_slice(&request.body)
        .map_err(|error| fault(400, format!("the body must be a JSON object: {error}")))?;
    value
        .is_object()
        .then_some(value)
        .ok_or_else(|| fault(400, "the body must be a JSON object"))
}

/// A number in the body, as number or text; `None` when it is absent.
fn optional_number(body: &Value, name: &str) -> Result<Option<i64>, Fault> {
    let found = match &body[name] {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    found
        .map(Some)
        .ok_or_else(|| fault(400, format!("\"{name}\" must be a number")))
}

fn required_number(body: &Value, name: &str) -> Result<i64, Fault> {
    optional_number(body, name)?.ok_or_else(|| fault(400, format!("\"{name}\" is missing")))
}

/// A text in the body; `None` when it is absent.
fn optional_text(body: &Value, name: &str) -> Result<Option<String>, Fault> {
    match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(fault(400, format!("\"{name}\" must be text"))),
    }
}

fn no_group(state: &State, group: i64) -> Fault {
    let known: Vec<_> = state
        .world
        .groups
        .iter()
        .map(|group| format!("{} ({})", group.number, group.name))
        .collect();
    fault(
        404,
        format!(
            "there is no group {group} in this world; there are: {}",
            known.join(", ")
        ),
    )
}
