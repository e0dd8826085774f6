//! Misbehaviour on demand: what can be armed, what is, and the end of it.

use serde_json::json;

use super::{Served, body, fault};
use crate::faults::kinds;
use crate::net::{Reply, Request};
use crate::state::State;

/// `GET /sandbox/faults`.
pub(super) fn list(state: &State) -> Reply {
    Reply::json(&json!({"kinds": kinds(), "armed": state.faults.shown()}))
}

/// `POST /sandbox/faults` `{"kind", "count", "qq", …}`.
pub(super) fn arm(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let fields = body.as_object().cloned().unwrap_or_default();
    let armed = state.faults.arm(&fields).map_err(|sentence| fault(400, sentence))?;
    state.wake();
    Ok(Reply::json(&armed))
}

/// `DELETE /sandbox/faults`, with `?kind=` only those of a kind.
pub(super) fn clear(state: &mut State, request: &Request) -> Reply {
    state.faults.clear(request.param("kind"));
    state.wake();
    list(state)
}
