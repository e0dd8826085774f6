//! The account goes off the line and comes back; its program is started again or becomes another.

use std::time::Duration;

use super::event;
use super::run::Run;
use super::tell;
use super::view::View;
use crate::log::{Entry, Fate};
use crate::state::State;
use crate::store::StoreError;
use crate::world::Account;

/// Messages per group that QQ's kernel still gets when it was away.
const KERNEL_CATCHES_UP: i64 = 30;

/// Why nothing was switched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PowerError {
    /// No such account.
    #[error("there is no account {0} with protocol onebot in this world")]
    NoAccount(i64),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// QQ throws the account off the line; its program knows and says so.
pub(crate) fn offline(state: &mut State, qq: i64, tag: &str, text: &str) -> Result<(), PowerError> {
    let view = View::of(state, qq).ok_or(PowerError::NoAccount(qq))?;
    let event = event::bot_offline(&view, tag, text);
    let mut kept = state.onebot.kept(qq);
    if !kept.offline {
        if let Some(event) = event {
            tell::meta_event(state, qq, event)?;
        }
        kept.offline = true;
        state.onebot.keep(&state.store, kept)?;
        state.wake();
    }
    Ok(())
}

/// The account is on line again. What it missed comes as far as its program gets it.
pub(crate) fn online(state: &mut State, qq: i64) -> Result<(), PowerError> {
    let dialect = View::of(state, qq).ok_or(PowerError::NoAccount(qq))?.dialect;
    let mut kept = state.onebot.kept(qq);
    if kept.offline {
        kept.offline = false;
        state.onebot.keep(&state.store, kept)?;
        tell::tell_missed(state, qq, dialect)?;
        state.wake();
    }
    Ok(())
}

/// The program of an account ends, and is there again after that time, with an empty memory.
pub(crate) fn restart(state: &mut State, qq: i64, down: Duration) -> Result<(), PowerError> {
    View::of(state, qq).ok_or(PowerError::NoAccount(qq))?;
    let down_ms = i64::try_from(down.as_millis()).unwrap_or(0);
    let run = Run {
        down_until: state.clock.now_ms() + down_ms,
        ..Run::default()
    };
    state.onebot.runs.insert(qq, run);
    state.onebot.hang_up(Some(qq));
    let detail = format!("the program is started again and is down for {down:?}");
    state.log(Entry::aside("onebot", Some(qq), Fate::Answered, detail))?;
    Ok(())
}

/// A program that was down is there again: the newest of what was said meanwhile is in its database, and it tells nothing of
/// that, since it is older than its start.
pub(super) fn come_back(state: &mut State, qq: i64) -> Result<(), StoreError> {
    let now = state.clock.now_ms();
    let run = state.onebot.run(qq);
    if run.down_until > 0 && run.down_until <= now {
        run.down_until = 0;
        state.store.catch_up(qq, KERNEL_CATCHES_UP)?;
    }
    Ok(())
}

/// Changes how an account's program behaves; connections that do not fit any more are ended.
pub(crate) fn change_settings(
    state: &mut State,
    qq: i64,
    change: impl FnOnce(&mut Account),
) -> Result<Account, PowerError> {
    let before = View::of(state, qq).ok_or(PowerError::NoAccount(qq))?.account.clone();
    let mut after = before.clone();
    change(&mut after);
    let place = state.world.accounts.iter().position(|account| account.qq == qq);
    let place = place.ok_or(PowerError::NoAccount(qq))?;
    state.store.put_doc("account", qq, place, &after)?;
    state.world.accounts[place] = after.clone();
    if before.flavour != after.flavour
        || before.heartbeat != after.heartbeat
        || before.access_token != after.access_token
    {
        if before.flavour != after.flavour {
            state.onebot.runs.remove(&qq);
        }
        state.onebot.hang_up(Some(qq));
    }
    state.wake();
    Ok(after)
}
