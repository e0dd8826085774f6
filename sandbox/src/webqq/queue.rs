//! The queue of every login: what waits for its next poll (webqq.md §5).

use serde_json::Value;

use super::login::Login;
use crate::log::Fate;
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Chat, Protocol};

/// The most events that wait for a client; then the oldest goes.
const QUEUE: i64 = 2000;

/// The logins with a living session whose account sees a chat.
pub(super) fn sessions(state: &State, chat: Chat) -> Vec<Login> {
    of_accounts(state, &state.audience(chat, Protocol::Webqq))
}

/// The logins with a living session of these accounts.
pub(super) fn of_accounts(state: &State, audience: &[i64]) -> Vec<Login> {
    let now = state.clock.now();
    let living = |login: &&Login| {
        let session = login.session.as_ref().is_some_and(|session| !session.kicked);
        session && audience.contains(&login.account) && login.void(now).is_none()
    };
    state.webqq.logins.values().filter(living).cloned().collect()
}

pub(super) fn enqueue(
    state: &mut State,
    login: &Login,
    message: Option<i64>,
    body: Option<&Value>,
) -> Result<(), StoreError> {
    state
        .store
        .enqueue(login.id, message, body.map(Value::to_string).as_deref())?;
    if state.store.queue_length(login.id)? > QUEUE
        && let Some(oldest) = state.store.queue(login.id, 1)?.pop()
    {
        state.store.dequeue(login.id, oldest.n)?;
        let what = oldest
            .message
            .map_or_else(|| "an event".to_owned(), |id| format!("message {id}"));
        let detail = format!("more than {QUEUE} events wait: {what} was thrown away");
        state.log_aside(login.account, Fate::Gone, detail)?;
    }
    state.wake();
    Ok(())
}

/// Throws away what waits for a login, and says so.
pub(super) fn forget_queue(state: &mut State, login: &Login, why: &str) -> Result<(), StoreError> {
    let waiting = state.store.queue_length(login.id)?;
    if waiting == 0 {
        return Ok(());
    }
    state.store.dequeue(login.id, i64::MAX)?;
    state.log_aside(
        login.account,
        Fate::Gone,
        format!("{why}: {waiting} events that waited are thrown away"),
    )
}
