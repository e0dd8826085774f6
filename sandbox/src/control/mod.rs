//! The control API below `/sandbox`: tests and the page work the world with it and look at what the clients did.
//!
//! Answers are JSON; an error is `{"error": "a sentence"}`. Works on the state in the connection's task; the two calls
//! with `wait` wait without the lock.

mod faults;
mod flood;
mod groups;
mod members;
mod messages;
mod onebot;
mod run;
mod view;
mod webqq;

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
        ("GET", ["friends", account, friend, "messages"]) => {
            messages::read_friend(request, shared, number(account)?, number(friend)?).await
        }
        ("GET", ["log"]) => view::log(request, shared).await,
        ("POST", ["onebot", "connect"]) => onebot::connect(request, shared),
        (method, path) => work(shared, |state| at_once(state, request, method, path)),
    }
}

/// The calls that neither wait nor begin something that goes on.
fn at_once(state: &mut State, request: &Request, method: &str, path: &[&str]) -> Served {
    match (method, path) {
        (method, ["groups", group, rest @ ..]) => of_group(state, request, number(group)?, (method, rest)),
        ("POST", ["friends", account, friend, "messages"]) => {
            messages::say_friend(state, request, number(account)?, number(friend)?)
        }
        ("POST", ["friends", account, friend, "recall"]) => {
            messages::recall_friend(state, request, number(account)?, number(friend)?)
        }
        ("POST", ["friends", account, friend, "poke"]) => {
            messages::poke_friend(state, number(account)?, number(friend)?)
        }
        ("GET", ["state"]) => view::state(state),
        ("GET", ["faults"]) => Ok(faults::list(state)),
        ("POST", ["faults"]) => faults::arm(state, request),
        ("DELETE", ["faults"]) => Ok(faults::clear(state, request)),
        ("DELETE", ["onebot", "connect"]) => onebot::disconnect(state, request),
        ("POST", ["onebot", "settings"]) => onebot::settings(state, request),
        ("POST", ["onebot", "restart"]) => onebot::restart(state, request),
        ("POST", ["onebot", "offline"]) => onebot::offline(state, request),
        ("POST", ["onebot", "online"]) => onebot::online(state, request),
        ("POST", ["onebot", "cut"]) => onebot::cut(state, request),
        ("POST", ["onebot", "event"]) => onebot::event(state, request),
        ("GET", ["captcha"]) => webqq::captcha(state, request),
        ("POST", ["webqq", "event"]) => webqq::event(state, request),
        ("GET", ["qr"]) => run::picture(state),
        ("POST", ["qr", "scan"]) => run::scan(state, request),
        ("POST", ["kick"]) => run::kick(state, request),
        ("POST", ["clock"]) => run::clock(state, request),
        ("POST", ["reset"]) => run::reset(state, request),
        _ => Err(nothing(&request.method, &request.path, path)),
    }
}

fn of_group(state: &mut State, request: &Request, group: i64, call: (&str, &[&str])) -> Served {
    match call {
        ("PATCH", []) => groups::rename(state, request, group),
        ("DELETE", []) => groups::dissolve(state, request, group),
        ("POST", ["messages"]) => messages::say(state, request, group),
        ("POST", ["recall"]) => messages::recall(state, request, group),
        ("POST", ["react"]) => groups::react(state, request, group),
        ("POST", ["poke"]) => groups::poke(state, request, group),
        ("POST", ["files"]) => groups::upload(state, request, group),
        ("POST", ["flood"]) => flood::flood(state, request, group),
        ("POST", ["history"]) => groups::add_past(state, request, group),
        ("POST", ["mute"]) => groups::mute(state, request, group),
        ("POST", ["members"]) => members::add(state, request, group),
        ("PATCH", ["members", qq]) => members::change(state, request, group, number(qq)?),
        ("DELETE", ["members", qq]) => members::remove(state, request, group, number(qq)?),
        ("POST", ["members", qq, "mute"]) => members::mute(state, request, group, number(qq)?),
        _ => Err(nothing(&request.method, &request.path, &["groups"])),
    }
}

fn nothing(method: &Method, path: &str, parts: &[&str]) -> Fault {
    const CALLS: &str = "GET and POST /sandbox/groups/{group}/messages, POST …/recall, …/react, …/poke, …/files, …/history, \
        …/flood, …/mute, …/members, PATCH and DELETE …/members/{qq}, POST …/members/{qq}/mute, PATCH and DELETE \
        /sandbox/groups/{group}, GET and POST /sandbox/friends/{account}/{friend}/messages, POST …/recall, …/poke, \
        POST /sandbox/onebot/settings, …/connect (and DELETE), …/offline, …/online, …/restart, …/cut, …/event, \
        GET /sandbox/log, GET, POST and DELETE /sandbox/faults, GET /sandbox/qr, POST /sandbox/qr/scan, \
        GET /sandbox/captcha, POST /sandbox/webqq/event, \
        POST /sandbox/kick, /sandbox/clock, /sandbox/reset, GET /sandbox/state";
    let known = [
        "groups", "friends", "onebot", "webqq", "captcha", "log", "state", "faults", "qr", "kick", "clock", "reset",
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
