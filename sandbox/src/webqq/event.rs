//! Events on their way to the clients: what a poll takes, kicks, and events as they stand (webqq.md §5, §6).

use serde_json::{Value, json};

use super::alias::Kind;
use super::login::{Ending, Login};
use super::queue::{enqueue, of_accounts};
use super::render;
use crate::log::Fate;
use crate::state::State;
use crate::store::StoreError;

/// Gives the sessions of an account, or of all, an event as it stands. Says how many got it.
pub(crate) fn give(state: &mut State, qq: Option<i64>, event: &Value) -> Result<usize, StoreError> {
    let accounts = state.world.accounts.iter().map(|account| account.qq);
    let wanted: Vec<i64> = accounts.filter(|account| qq.is_none_or(|qq| qq == *account)).collect();
    let logins = of_accounts(state, &wanted);
    for login in &logins {
        let mut event = event.clone();
        name_people(state, login.id, &mut event)?;
        enqueue(state, login, None, Some(&event))?;
    }
    Ok(logins.len())
}

/// Puts temporary numbers of a login where an event says `{"person": n}` and the like.
fn name_people(state: &mut State, login: i64, value: &mut Value) -> Result<(), StoreError> {
    let kinds = [
        ("person", Kind::Person),
        ("gid", Kind::Gid),
        ("code", Kind::Code),
        ("did", Kind::Did),
    ];
    match value {
        Value::Object(fields) => {
            let named = kinds
                .iter()
                .find_map(|(word, kind)| Some((*kind, fields.get(*word)?.as_i64()?)));
            if let (1, Some((kind, number))) = (fields.len(), named) {
                *value = json!(state.alias(login, kind, number)?);
                return Ok(());
            }
            fields
                .values_mut()
                .try_for_each(|field| name_people(state, login, field))
        }
        Value::Array(list) => list.iter_mut().try_for_each(|item| name_people(state, login, item)),
        _ => Ok(()),
    }
}

/// Throws out the session of an account, or of all. Says how many.
pub(crate) fn kick(state: &mut State, qq: Option<i64>) -> Result<usize, StoreError> {
    let wanted = |login: &&Login| {
        let lives = login.session.as_ref().is_some_and(|session| !session.kicked);
        lives && qq.is_none_or(|qq| login.account == qq)
    };
    let ids: Vec<i64> = state
        .webqq
        .logins
        .values()
        .filter(wanted)
        .map(|login| login.id)
        .collect();
    ids.iter().try_for_each(|id| kick_login(state, *id))?;
    Ok(ids.len())
}

/// Throws out one session: its next poll gets a `kick_message`, everything else 103.
pub(super) fn kick_login(state: &mut State, id: i64) -> Result<(), StoreError> {
    let Some(mut login) = state.webqq.logins.get(&id).cloned() else {
        return Ok(());
    };
    let Some(session) = &mut login.session else {
        return Ok(());
    };
    session.kicked = true;
    let reason = "您的帐号在另一地点登录，您已被迫下线。";
    let value = if login.by_password {
        render::with_head(
            state,
            &login,
            48,
            &json!({"from_uin": 10_000, "show_reason": 1, "reason": reason}),
        )?
    } else {
        json!({"way": "poll", "show_reason": 1, "reason": reason})
    };
    enqueue(
        state,
        &login,
        None,
        Some(&json!({"poll_type": "kick_message", "value": value})),
    )?;
    state.log_aside(login.account, Fate::Answered, "the session is kicked".to_owned())?;
    state.keep_login(login)
}

/// What a poll may take now: the events, newest first, and the numbers of the messages among them. `keep`: they stay in the
/// queue.
pub(super) fn take(
    state: &mut State,
    login: &Login,
    most: i64,
    keep: bool,
) -> Result<(Vec<Value>, Vec<i64>), StoreError> {
    let queued = state.store.queue(login.id, most)?;
    let Some(last) = queued.last().map(|event| event.n) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let (mut events, mut ids) = (Vec::new(), Vec::new());
    for event in queued {
        let stored = event.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let message = event.message.map(|id| state.store.message(id)).transpose()?.flatten();
        if let Some(message) = &message {
            ids.push(message.id);
        }
        match (stored, message) {
            (Some(stored), _) => events.push(stored),
            (None, Some(message)) => events.push(render::of_message(state, login, &message)?),
            (None, None) => {}
        }
    }
    arrange(state, login, &mut events);
    if keep {
        return Ok((events, ids));
    }
    state.store.dequeue(login.id, last)?;
    if login.session.as_ref().is_some_and(|session| session.kicked) && state.store.queue_length(login.id)? == 0 {
        let mut login = login.clone();
        login.end(Ending::Kicked);
        state.keep_login(login)?;
    }
    Ok((events, ids))
}

/// Puts the events of an answer into the order in which the service gave them: newest first.
fn arrange(state: &mut State, login: &Login, events: &mut [Value]) {
    if events.len() < 2 {
        return;
    }
    match state.faults.take("order", login.account, |_| true) {
        None => events.reverse(),
        Some(armed) if armed.text("order") == Some("mixed") => {
            events.reverse();
            events.chunks_mut(2).for_each(<[Value]>::reverse);
        }
        Some(_) => {}
    }
}
