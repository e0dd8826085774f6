//! What only `WebQQ` accounts have: captchas to read, and events as they stand.

use serde_json::json;

use super::{Served, body, fault, optional_number};
use crate::net::{Reply, Request};
use crate::state::State;
use crate::webqq;

/// `GET /sandbox/captcha`: what the newest picture says, for who plays the person that reads it; `?qq=` for one account.
pub(super) fn captcha(state: &State, request: &Request) -> Served {
    let qq: Option<i64> = request.param("qq").and_then(|qq| qq.parse().ok());
    let now = state.clock.now();
    let challenges = state.webqq.challenges.iter().rev();
    let mut shown = challenges.filter_map(|challenge| Some((challenge.shown(now)?, &challenge.code)));
    let found = shown.find(|(account, _)| qq.is_none_or(|qq| qq == *account));
    let (account, code) = found.ok_or_else(|| fault(404, "no captcha is shown: no client has fetched getimage"))?;
    Ok(Reply::json(&json!({"qq": account, "code": code})))
}

/// `POST /sandbox/webqq/event` `{"qq", "event"}`: the sessions of an account get an event as it stands; in its value
/// `{"person": n}`, `{"gid": n}`, `{"code": n}` and `{"did": n}` become the temporary numbers of that login.
pub(super) fn event(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let qq = optional_number(&body, "qq")?;
    if !body["event"].is_object() {
        return Err(fault(
            400,
            "\"event\" must be an object with \"poll_type\" and \"value\"",
        ));
    }
    match webqq::give(state, qq, &body["event"])? {
        0 => Err(fault(409, "nobody is logged in who could be told")),
        told => Ok(Reply::json(&json!({"told": told}))),
    }
}
