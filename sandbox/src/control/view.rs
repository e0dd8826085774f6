//! Looking: the log and the state.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{MOST_ROWS, Served, after, onebot, wait, wait_for};
use crate::net::{Reply, Request};
use crate::onebot::Link;
use crate::state::{Shared, State};
use crate::store::StoreError;
use crate::webqq::LoginView;
use crate::world::Protocol;

/// `GET /sandbox/log?after=&wait=`: every request of a client with what became of it.
pub(super) async fn log(request: &Request, shared: &Arc<Shared>) -> Served {
    let (after, wait) = (after(request)?, wait(request)?);
    let found = wait_for(shared, wait, |state| {
        let entries = state.store.log(after, MOST_ROWS)?;
        Ok((!entries.is_empty()).then_some(entries))
    });
    Ok(Reply::json(&found.await?.unwrap_or_default()))
}

/// `GET /sandbox/state`: accounts, groups, codes and sessions.
pub(super) fn state(state: &mut State) -> Served {
    let accounts: Vec<Value> = state
        .world
        .accounts
        .iter()
        .map(|account| {
            let groups: Vec<i64> = state.world.groups_of(account.qq).map(|group| group.number).collect();
            let mut shown = json!({
                "qq": account.qq, "nickname": account.nickname, "protocol": account.protocol, "groups": groups,
                "friends": account.friends,
            });
            if account.protocol == Protocol::Onebot {
                shown["onebot"] = onebot::shown(state, account);
            }
            shown
        })
        .collect();
    let views = state.webqq.views(state.clock.now());
    let mut sessions = views
        .iter()
        .map(|view| session(state, view))
        .collect::<Result<Vec<_>, _>>()?;
    sessions.extend(state.onebot.links().iter().map(|link| connection(state, link)));
    Ok(Reply::json(&json!({
        "era": state.era.word(), "seed": state.seed, "lax": state.lax, "flavour": state.flavour, "time": state.clock.now(),
        "accounts": accounts, "groups": state.world.groups, "qr": state.webqq.code_views(state.clock.now()),
        "sessions": sessions, "faults": state.faults.shown(),
    })))
}

fn connection(state: &State, link: &Link) -> Value {
    let online = !state.onebot.kept(link.qq).offline;
    json!({
        "account": link.qq, "protocol": "onebot", "connection": link.id, "since": link.since,
        "state": if online { "online" } else { "offline" }, "polling": link.events && !link.silent,
        "calls": link.calls, "events": link.events, "silent": link.silent,
        "direction": if link.outgoing { "reverse" } else { "forward" }, "waiting_events": 0,
    })
}

fn session(state: &State, view: &LoginView) -> Result<Value, StoreError> {
    Ok(json!({
        "account": view.account, "protocol": "webqq", "state": view.state, "login": view.login, "since": view.since,
        "expires": view.expires, "status": view.status, "polling": view.polling, "done": view.done,
        "waiting_events": state.store.queue_length(view.login)?,
    }))
}
