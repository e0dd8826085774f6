//! The programs that hold the `OneBot` accounts: their settings, their connections, their line.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Served, body, fault, optional_number, optional_text};
use crate::clock::parse_duration;
use crate::net::{Reply, Request};
use crate::onebot::{self, PowerError, Target, View};
use crate::state::{Shared, State};
use crate::world::{Account, Flavour, MessageFormat, Protocol};

impl From<PowerError> for Fault {
    fn from(error: PowerError) -> Self {
        match error {
            PowerError::NoAccount(_) => fault(404, error.to_string()),
            PowerError::Store(error) => Self::Store(error),
        }
    }
}

/// The account that is meant: the one of `qq`, or the world's first.
fn account(state: &State, body: &Value) -> Result<i64, Fault> {
    let first = state.world.first(Protocol::Onebot).map(|account| account.qq);
    let qq = optional_number(body, "qq")?.or(first);
    let qq = qq.ok_or_else(|| fault(404, "there is no account with protocol onebot in this world"))?;
    View::of(state, qq)
        .map(|_| qq)
        .ok_or_else(|| PowerError::NoAccount(qq).into())
}

/// `POST /sandbox/onebot/settings` `{"qq", "flavour", "report_self", "message_format", "heartbeat", "access_token"}`: what is
/// not named remains; null goes back to what the flavour does.
pub(super) fn settings(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let qq = account(state, &body)?;
    let given = body.as_object().cloned().unwrap_or_default();
    let known = [
        "qq",
        "flavour",
        "report_self",
        "message_format",
        "heartbeat",
        "access_token",
    ];
    if let Some(other) = given.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(fault(
            400,
            format!("there is no setting \"{other}\"; there are: {}", known[1..].join(", ")),
        ));
    }
    let flavour = word(&body, "flavour", Flavour::from_word, "napcat, llbot, lagrange or gocq")?;
    let format = word(&body, "message_format", of_word, "array or string")?;
    let report_self = body["report_self"].as_bool();
    let heartbeat = optional_number(&body, "heartbeat")?.and_then(|ms| u64::try_from(ms).ok());
    let token = optional_text(&body, "access_token")?;
    let account = onebot::change_settings(state, qq, |account| {
        let named = |name: &str| given.contains_key(name);
        if named("flavour") {
            account.flavour = flavour;
        }
        if named("message_format") {
            account.message_format = format;
        }
        if named("report_self") {
            account.report_self = report_self;
        }
        if named("heartbeat") {
            account.heartbeat = heartbeat;
        }
        if named("access_token") {
            account.access_token = token;
        }
    })?;
    Ok(Reply::json(&shown(state, &account)))
}

fn of_word(word: &str) -> Option<MessageFormat> {
    match word {
        "array" => Some(MessageFormat::Array),
        "string" => Some(MessageFormat::String),
        _ => None,
    }
}

fn word<T>(body: &Value, name: &str, read: impl Fn(&str) -> Option<T>, words: &str) -> Result<Option<T>, Fault> {
    match optional_text(body, name)? {
        None => Ok(None),
        Some(word) => read(&word)
            .map(Some)
            .ok_or_else(|| fault(400, format!("\"{name}\" must be {words}"))),
    }
}

/// The `OneBot` side of an account, for people.
pub(super) fn shown(state: &State, account: &Account) -> Value {
    let Some(view) = View::of(state, account.qq) else {
        return Value::Null;
    };
    let kept = state.onebot.kept(account.qq);
    json!({
        "qq": account.qq, "flavour": view.dialect.flavour, "report_self": view.reports_self(), "message_format": view.format(),
        "online": !kept.offline, "needs_token": account.access_token.is_some(),
        "connects_to": kept.reverse.iter().map(|target| target.url.as_str()).collect::<Vec<_>>(),
    })
}

/// `POST /sandbox/onebot/connect` `{"qq", "url", "access_token", "split"}`: the program connects to the application, and again
/// whenever the connection ends.
pub(super) fn connect(request: &Request, shared: &Arc<Shared>) -> Served {
    let body = body(request)?;
    let url = optional_text(&body, "url")?.ok_or_else(|| fault(400, "\"url\" is missing"))?;
    if !url.starts_with("ws://") {
        return Err(fault(400, "\"url\" must begin with ws://: the sandbox speaks no TLS"));
    }
    let target = Target {
        url,
        access_token: optional_text(&body, "access_token")?.unwrap_or_default(),
        split: body["split"].as_bool().unwrap_or(false),
    };
    let mut qq = Err(fault(500, "no account"));
    super::work(shared, |state| {
        qq = account(state, &body);
        Ok(Reply::status(200))
    })?;
    let qq = qq?;
    let new = onebot::connect(shared, qq, &target)?;
    Ok(Reply::json(&json!({"qq": qq, "url": target.url, "new": new})))
}

/// `DELETE /sandbox/onebot/connect` `{"qq"}`: no more of that.
pub(super) fn disconnect(state: &mut State, request: &Request) -> Served {
    let qq = account(state, &body(request)?)?;
    let ended = onebot::disconnect(state, qq)?;
    Ok(Reply::json(&json!({"qq": qq, "ended": ended})))
}

/// `POST /sandbox/onebot/offline` `{"qq", "tag", "message"}`: QQ throws the account off the line.
pub(super) fn offline(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let qq = account(state, &body)?;
    let tag = optional_text(&body, "tag")?.unwrap_or_else(|| "下线通知".to_owned());
    let text = optional_text(&body, "message")?;
    let text = text.unwrap_or_else(|| "你的帐号当前登录已失效，请重新登录。".to_owned());
    onebot::offline(state, qq, &tag, &text)?;
    Ok(Reply::json(&json!({"qq": qq, "online": false})))
}

/// `POST /sandbox/onebot/online` `{"qq"}`: it is on line again.
pub(super) fn online(state: &mut State, request: &Request) -> Served {
    let qq = account(state, &body(request)?)?;
    onebot::online(state, qq)?;
    Ok(Reply::json(&json!({"qq": qq, "online": true})))
}

/// `POST /sandbox/onebot/restart` `{"qq", "down": "5s"}`: the program ends and is there again after that time.
pub(super) fn restart(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let qq = account(state, &body)?;
    let down = match &body["down"] {
        Value::Null => Some(Duration::ZERO),
        Value::String(text) => parse_duration(text),
        other => other.as_u64().map(Duration::from_secs),
    };
    let down = down.ok_or_else(|| fault(400, "\"down\" must be like \"5s\" or seconds"))?;
    onebot::restart(state, qq, down)?;
    Ok(Reply::json(&json!({"qq": qq, "down": down.as_secs_f64()})))
}

/// `POST /sandbox/onebot/cut` `{"qq"}`: the account's connections are closed now.
pub(super) fn cut(state: &mut State, request: &Request) -> Served {
    let qq = account(state, &body(request)?)?;
    let ended = state.onebot.hang_up(Some(qq));
    Ok(Reply::json(&json!({"qq": qq, "ended": ended})))
}

/// `POST /sandbox/onebot/event` `{"qq", "event": {…}}`: an event as it stands, with `time` and `self_id` when they are missing.
pub(super) fn event(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let qq = account(state, &body)?;
    if !body["event"].is_object() {
        return Err(fault(400, "\"event\" must be a JSON object"));
    }
    onebot::raw_event(state, qq, body["event"].clone())?;
    Ok(Reply::json(&json!({"qq": qq})))
}
