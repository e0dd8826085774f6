//! Misbehaviour on demand: the kinds and what is armed.

use serde_json::{Value, json};

use super::{Served, body, fault, optional_text};
use crate::net::{Reply, Request};

/// The kinds that can be armed.
const KINDS: [&str; 0] = [];

/// `GET /sandbox/faults`.
pub(super) fn list() -> Reply {
    let armed: [Value; 0] = [];
    Reply::json(&json!({"kinds": KINDS, "armed": armed}))
}

/// `POST /sandbox/faults`.
pub(super) fn arm(request: &Request) -> Served {
    let kind = optional_text(&body(request)?, "kind")?.ok_or_else(|| fault(400, "\"kind\" is missing"))?;
    let known = if KINDS.is_empty() {
        "none yet".to_owned()
    } else {
        KINDS.join(", ")
    };
    Err(fault(
        400,
        format!("unknown fault kind \"{kind}\"; known kinds: {known}"),
    ))
}
