//! Small calls of the channel: status and logout (webqq.md §10.1, §10.2).

use serde_json::json;

use super::Answer;
use super::gate::{self, Stop, refuse};
use super::login::Ending;
use super::queue;
use crate::net::Request;
use crate::state::State;

const STATUSES: [&str; 7] = ["online", "offline", "away", "hidden", "busy", "callme", "silent"];

/// `change_status2`.
pub(super) fn change_status(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::session_of_query(state, request)?;
    let status = request.param("newstatus").unwrap_or_default();
    if !STATUSES.contains(&status) {
        return Err(refuse(100_001, "newstatus is none of the seven words")
            .of(&login)
            .into());
    }
    if let Some(session) = &mut login.session {
        status.clone_into(&mut session.status);
    }
    login.count("status");
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": "ok"}))
        .of(&login)
        .saying(format!("now {status}")))
}

/// `logout2`: ends the session; the cookies stay good.
pub(super) fn logout(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::session_of_query(state, request)?;
    login.end(Ending::Left);
    queue::forget_queue(state, &login, "logout")?;
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": "ok"}))
        .of(&login)
        .saying("the session is over"))
}
