//! The long poll (webqq.md §5).
//!
//! ```text
//! poll2 ─checks─► held ─┬ events wait ──────► taken and answered, newest first; never given again
//!                       ├ 60 s are over ────► idle, in one of the forms that were seen
//!                       ├ another poll ─────► idle
//!                       ├ session over ─────► 121 (cookies used anew) or 103
//!                       ├ login expired ────► 100000 or the like
//!                       └ client went away ─► nothing is taken
//! ```
//!
//! An event is gone from the queue with the commit that precedes the answer. Whether the answer then reaches the client
//! nobody knows, as with the real service; when it could not even be written the log says that its events are gone.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::gate::{self, Stop, refuse};
use super::login::{Ending, Login};
use super::{Answer, event, finish};
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::options::Era;
use crate::state::{Shared, State};
use crate::store::StoreError;

/// The most events of one answer.
const MOST_EVENTS: i64 = 30;

/// A poll that passed the checks.
#[derive(Clone)]
struct Held {
    login: i64,
    account: i64,
    psessionid: String,
    ticket: u64,
}

/// Answers `poll2`, sooner or later.
pub(super) async fn serve(request: &Request, shared: &Arc<Shared>) -> Reply {
    let mut news = shared.news();
    let deadline = Instant::now() + shared.hold;
    let begun = shared.run(|state| match begin(state, request) {
        Ok(held) => Ok(Ok(held)),
        Err(stop) => {
            let answer = finish(state, |_| Err(stop))?;
            Ok(Err(record(state, request, answer)?))
        }
    });
    let held = match begun {
        Ok(Ok(held)) => held,
        Ok(Err(reply)) => return reply,
        Err(error) => return error.into(),
    };
    let mut watch = Watch {
        shared: shared.clone(),
        held: Some(held.clone()),
    };
    loop {
        news.borrow_and_update();
        let over = Instant::now() >= deadline;
        let looked = shared.run(|state| {
            let Some(answer) = look(state, &held, over)? else {
                return Ok(None);
            };
            if state.webqq.polls.get(&held.login) == Some(&held.ticket) {
                state.webqq.polls.remove(&held.login);
            }
            let events = answer.events.clone();
            Ok(Some((record(state, request, answer)?, events)))
        });
        match looked {
            Ok(None) => {}
            Ok(Some((reply, events))) => {
                watch.held = None;
                return if events.is_empty() {
                    reply
                } else {
                    mourned(reply, shared, held.account, events)
                };
            }
            Err(error) => {
                watch.held = None;
                return error.into();
            }
        }
        // A closed channel or a passed deadline both mean: look again.
        let _ = tokio::time::timeout_at(deadline, news.changed()).await;
    }
}

fn record(state: &mut State, request: &Request, answer: Answer) -> Result<Reply, StoreError> {
    state.log(answer.entry(request))?;
    Ok(answer.reply)
}

fn begin(state: &mut State, request: &Request) -> Result<Held, Stop> {
    let r = gate::payload(request)?;
    let (psessionid, clientid) = (gate::text(&r["psessionid"]), gate::text(&r["clientid"]));
    let mut login = gate::login(state, request).map_err(|refusal| match refusal.code {
        100_000 => gate::Refusal {
            code: state.temper.expired_code,
            ..refusal
        },
        _ => refusal,
    })?;
    let replaced = login
        .past
        .iter()
        .any(|past| past.psessionid == psessionid && past.why == Ending::Replaced);
    if replaced {
        return Err(refuse(121, "the cookies were used for another login2")
            .of(&login)
            .into());
    }
    // A kicked session still gets its kick.
    let kicked = login
        .session
        .as_ref()
        .is_some_and(|s| s.kicked && s.psessionid == psessionid && s.clientid == clientid);
    if !kicked {
        gate::session(state, request, &psessionid, &clientid)?;
    }
    if !login.session.as_ref().is_some_and(|session| session.registered) {
        return Err(refuse(103, "get_online_buddies2 was not called before the first poll")
            .of(&login)
            .into());
    }
    login.count("poll");
    state.webqq.last_poll += 1;
    let ticket = state.webqq.last_poll;
    let held = Held {
        login: login.id,
        account: login.account,
        psessionid,
        ticket,
    };
    state.webqq.polls.insert(login.id, ticket);
    state.keep_login(login)?;
    Ok(held)
}

/// Looks whether a held poll can be answered.
fn look(state: &mut State, held: &Held, over: bool) -> Result<Option<Answer>, StoreError> {
    let Some(login) = state.webqq.logins.get(&held.login).cloned() else {
        return Ok(Some(refuse(103, "the login is forgotten").answer(state)));
    };
    if let Some(why) = login.void(state.clock.now()) {
        let code = state.temper.expired_code;
        return Ok(Some(refuse(code, why).of(&login).answer(state)));
    }
    if login
        .session
        .as_ref()
        .is_none_or(|session| session.psessionid != held.psessionid)
    {
        return Ok(Some(ended(state, &login, &held.psessionid)));
    }
    if state.webqq.polls.get(&held.login) != Some(&held.ticket) {
        return Ok(Some(idle(state, &login, "another poll took over")));
    }
    let (events, ids) = event::take(state, &login, MOST_EVENTS)?;
    if !events.is_empty() {
        let count = events.len();
        let answer = Answer::json(state, &json!({"retcode": 0, "result": events})).of(&login);
        return Ok(Some(Answer {
            events: ids,
            ..answer.saying(format!("events: {count}"))
        }));
    }
    Ok(over.then(|| idle(state, &login, "no events")))
}

fn ended(state: &mut State, login: &Login, psessionid: &str) -> Answer {
    match login
        .past
        .iter()
        .find(|past| past.psessionid == psessionid)
        .map(|past| past.why)
    {
        Some(Ending::Relinked) => idle(state, login, "relinked meanwhile"),
        Some(Ending::Replaced) => refuse(121, "the cookies were used for another login2")
            .of(login)
            .answer(state),
        _ => refuse(103, "the session is over").of(login).answer(state),
    }
}

/// The idle answers that were seen.
fn idle(state: &mut State, login: &Login, why: &str) -> Answer {
    let forms: [Value; 4] = [
        json!({"errmsg": "error!!!", "retcode": 0}),
        json!({"errmsg": "error", "retcode": 0}),
        json!({"errmsg": ""}),
        json!({"retcode": 0, "result": "ok"}),
    ];
    let body = match state.era {
        Era::Web2013 => json!({"retcode": 102, "errmsg": ""}),
        Era::Smart2015 => forms[state.temper.pick(4)].clone(),
        Era::Smart2018 => json!({"retcode": 0, "retmsg": "ok", "errmsg": "error"}),
    };
    Answer::json(state, &body).of(login).saying(format!("idle: {why}"))
}

/// The answer, with a log entry in case that it cannot be written.
fn mourned(reply: Reply, shared: &Arc<Shared>, account: i64, events: Vec<i64>) -> Reply {
    let shared = shared.clone();
    reply.or_else(move || {
        let told = shared.run(|state| {
            let detail =
                format!("the connection was closed before the answer was written: messages {events:?} are gone");
            state.log_aside(account, Fate::Gone, detail)
        });
        if let Err(error) = told {
            tracing::debug!(%error, "a lost answer could not be logged");
        }
    })
}

/// Notes that the client went away while its poll was held.
struct Watch {
    shared: Arc<Shared>,
    held: Option<Held>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else {
            return;
        };
        let told = self.shared.run(|state| {
            if state.webqq.polls.get(&held.login) == Some(&held.ticket) {
                state.webqq.polls.remove(&held.login);
            }
            state.log_aside(
                held.account,
                Fate::Answered,
                "the client closed its poll; nothing was taken".to_owned(),
            )
        });
        if let Err(error) = told {
            tracing::debug!(%error, "a closed poll could not be logged");
        }
    }
}
