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
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::gate::{self, Stop, refuse};
use super::login::{Ending, Login};
use super::{Answer, event, fault, finish, later, system};
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
    /// How long it is held, when a fault says so.
    time: Option<Duration>,
}

/// What a look at a held poll found.
enum Look {
    Answer(Box<Answer>),
    /// Nothing; and when something that comes late is due.
    Wait(Option<Duration>),
}

impl From<Answer> for Look {
    fn from(answer: Answer) -> Self {
        Self::Answer(Box::new(answer))
    }
}

/// Answers `poll2`, sooner or later.
/// `keep`: the events stay in the queue, because the answer will not arrive.
pub(super) async fn serve(request: &Request, shared: &Arc<Shared>, keep: bool) -> Reply {
    let mut news = shared.news();
    let came = Instant::now();
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
    let deadline = came + held.time.unwrap_or(shared.hold);
    let mut watch = Watch {
        shared: shared.clone(),
        held: Some(held.clone()),
    };
    loop {
        news.borrow_and_update();
        let over = Instant::now() >= deadline;
        let looked = shared.run(|state| {
            let answer = match look(state, &held, (over, keep))? {
                Look::Answer(answer) => *answer,
                Look::Wait(next) => return Ok(Err(next)),
            };
            if state.webqq.polls.get(&held.login) == Some(&held.ticket) {
                state.webqq.polls.remove(&held.login);
            }
            let events = answer.events.clone();
            Ok(Ok((record(state, request, answer)?, events)))
        });
        let next = match looked {
            Ok(Err(next)) => next,
            Ok(Ok((reply, events))) => {
                watch.held = None;
                return if keep || events.is_empty() {
                    reply
                } else {
                    mourned(reply, shared, held.account, events)
                };
            }
            Err(error) => {
                watch.held = None;
                return error.into();
            }
        };
        let until = next.map_or(deadline, |next| deadline.min(Instant::now() + next));
        // A closed channel or a passed deadline both mean: look again.
        let _ = tokio::time::timeout_at(until, news.changed()).await;
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
    // A kicked session still gets its kick, and a lost one hears that it is.
    let special = login
        .session
        .as_ref()
        .is_some_and(|s| (s.kicked || s.unlinked.is_some()) && s.psessionid == psessionid && s.clientid == clientid);
    if !special {
        gate::session(state, request, &psessionid, &clientid)?;
    }
    if !login.session.as_ref().is_some_and(|session| session.registered) {
        return Err(refuse(103, "get_online_buddies2 was not called before the first poll")
            .of(&login)
            .into());
    }
    login.count("poll");
    let ordered = state.faults.find("hold", login.account);
    let time = ordered.map(|armed| fault::delay(armed, "time", Duration::from_secs(5)));
    state.webqq.last_poll += 1;
    let ticket = state.webqq.last_poll;
    let held = Held {
        login: login.id,
        account: login.account,
        psessionid,
        ticket,
        time,
    };
    state.webqq.polls.insert(login.id, ticket);
    state.keep_login(login)?;
    Ok(held)
}

/// Looks whether a held poll can be answered: `over`, its time is; `keep`, what it gives stays in the queue.
fn look(state: &mut State, held: &Held, (over, keep): (bool, bool)) -> Result<Look, StoreError> {
    let Some(login) = state.webqq.logins.get(&held.login).cloned() else {
        return Ok(refuse(103, "the login is forgotten").answer(state).into());
    };
    if let Some(why) = login.void(state.clock.now()) {
        let code = state.temper.expired_code;
        return Ok(refuse(code, why).of(&login).answer(state).into());
    }
    if login
        .session
        .as_ref()
        .is_none_or(|session| session.psessionid != held.psessionid)
    {
        return Ok(ended(state, &login, &held.psessionid).into());
    }
    if state.webqq.polls.get(&held.login) != Some(&held.ticket) {
        return Ok(idle(state, &login, "another poll took over").into());
    }
    if let Some(answer) = fault::of_poll(state, &login)? {
        return Ok(answer.into());
    }
    // The fault may have changed it.
    let login = state.webqq.logins.get(&held.login).cloned().unwrap_or(login);
    let kicked = login.session.as_ref().is_some_and(|session| session.kicked);
    let next = later::bring(state, &login)?;
    if !kicked && state.faults.has("zombie", login.account) {
        return Ok(if over {
            dead(state, &login)?.into()
        } else {
            Look::Wait(None)
        });
    }
    let size = state
        .faults
        .find("batch", login.account)
        .map(|armed| armed.number("size").unwrap_or(5));
    let waiting = u64::try_from(state.store.queue_length(login.id)?).unwrap_or(0);
    if !over && !kicked && size.is_some_and(|size| waiting < size) {
        return Ok(Look::Wait(next));
    }
    let (events, ids) = event::take(state, &login, MOST_EVENTS, keep)?;
    if !events.is_empty() {
        state.faults.take("batch", login.account, |_| true);
        let count = events.len();
        let answer = Answer::json(state, &json!({"retcode": 0, "result": events})).of(&login);
        if keep {
            return Ok(answer
                .saying(format!("events: {count}, which will be given again"))
                .into());
        }
        let answer = answer.saying(format!("events: {count}"));
        return Ok(Answer { events: ids, ..answer }.into());
    }
    Ok(if over {
        idle(state, &login, "no events").into()
    } else {
        Look::Wait(next)
    })
}

/// What a session gets of which the service has lost sight.
fn dead(state: &mut State, login: &Login) -> Result<Answer, StoreError> {
    let event = system::status(state, login)?.filter(|_| state.temper.pick(2) == 0);
    let Some(event) = event else {
        return Ok(idle(state, login, "by the fault zombie"));
    };
    let answer = Answer::json(state, &json!({"retcode": 0, "result": [event]}));
    Ok(answer.of(login).saying("a status only, by the fault zombie"))
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
    if let Some(answer) = fault::idle(state, login) {
        return answer.of(login).saying(format!("idle: {why}"));
    }
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
