//! Many messages at once, for measurements: as fast as the clients take them.

use serde_json::{Value, json};

use super::groups::speakers;
use super::messages::known_group;
use super::{Served, body, fault, optional_number, optional_text};
use crate::net::{Reply, Request};
use crate::state::State;
use crate::world::{Chat, parse_message};

/// The most messages of one flood: fewer than wait for an application that does not read.
const LARGEST: i64 = 10_000;

/// `POST …/flood` `{"count", "text", "from", "first"}`: messages are said and told, all in one go. `{n}` in the text is the number
/// of the message from `first` (1) on; `from` is one member or a list of them, who speak in turns.
pub(super) fn flood(state: &mut State, request: &Request, group: i64) -> Served {
    known_group(state, group)?;
    let body = body(request)?;
    let count = optional_number(&body, "count")?.unwrap_or(100);
    if !(1..=LARGEST).contains(&count) {
        return Err(fault(400, format!("\"count\" must be from 1 to {LARGEST}")));
    }
    let first = optional_number(&body, "first")?.unwrap_or(1);
    let text = optional_text(&body, "text")?.unwrap_or_else(|| "message {n}".to_owned());
    let from = speakers(state, &body["from"], group)?;
    let mut ids = (0, 0);
    for (n, from) in (0..count).zip(from.iter().cycle()) {
        let words = Value::String(text.replace("{n}", &first.saturating_add(n).to_string()));
        let segments = parse_message(&words).map_err(|sentence| fault(400, sentence))?;
        let message = state.post(Chat::Group(group), *from, segments)?;
        ids = (if n == 0 { message.id } else { ids.0 }, message.id);
    }
    Ok(Reply::json(&json!({"count": count, "first": ids.0, "last": ids.1})))
}
