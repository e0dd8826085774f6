//! Calls of 2013 that change nothing in the world and are only noted (webqq.md §2.8, §9.7, §10.3, §10.5).

use serde_json::json;

use super::Answer;
use super::gate::{self, Stop};
use super::login::Login;
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::state::State;

fn noted(state: &mut State, request: &Request, mut login: Login) -> Result<Answer, Stop> {
    let call = request.path.rsplit('/').next().unwrap_or_default().to_owned();
    login.count(&call);
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": "ok"}))
        .of(&login)
        .saying(format!("{call} is noted")))
}

/// Answers to friend requests, the own signature.
pub(super) fn of_lists(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let r = gate::payload(request)?;
    let login = gate::login(state, request)?;
    gate::vfwebqq(&login, &gate::text(&r["vfwebqq"]))?;
    noted(state, request, login)
}

/// Typing notices, pokes, answers to files and to those who want to join.
pub(super) fn of_channel(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let login = gate::session_of_query(state, request)?;
    noted(state, request, login)
}

/// `get_msg_tip`: the heartbeat of the page, once a minute. Whose it is the cookies say; nobody reads the answer.
pub(super) fn heartbeat(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let reply = Reply::new("text/html; charset=utf-8", "{\"retcode\":0}");
    let answer = Answer::new(reply, Fate::Answered, "a heartbeat");
    let Some(mut login) = gate::by_skey(state, request) else {
        return Ok(answer.saying("a heartbeat of nobody who is logged in"));
    };
    login.count("heartbeat");
    state.keep_login(login.clone())?;
    Ok(answer.of(&login))
}
