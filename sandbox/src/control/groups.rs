//! Groups as a whole: their name, their silence, their end; faces, pokes, files, and a past that never was.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::members::owner;
use super::messages::{known_group, message_in};
use super::{Fault, Served, body, fault, no_group, optional_number, optional_text, required_number};
use crate::clock::parse_duration;
use crate::net::{Reply, Request};
use crate::state::State;
use crate::world::{Chat, Segment, parse_message};

/// The most messages of a past that is made at once.
const LONGEST_PAST: i64 = 20_000;
/// The largest file that is made.
const LARGEST_FILE: usize = 10 * 1024 * 1024;

fn operator(state: &State, body: &Value, group: i64) -> Result<i64, Fault> {
    Ok(optional_number(body, "operator")?.unwrap_or_else(|| owner(state, group)))
}

/// `PATCH …/{group}` `{"name", "operator"}`.
pub(super) fn rename(state: &mut State, request: &Request, group: i64) -> Served {
    let body = body(request)?;
    let name = optional_text(&body, "name")?.ok_or_else(|| fault(400, "\"name\" is missing"))?;
    let operator = operator(state, &body, group)?;
    let renamed = state.rename(group, operator, name.clone())?;
    renamed.ok_or_else(|| no_group(state, group))?;
    Ok(Reply::json(&json!({"number": group, "name": name})))
}

/// `DELETE …/{group}` `{"operator"}`: the group is no more.
pub(super) fn dissolve(state: &mut State, request: &Request, group: i64) -> Served {
    let operator = operator(state, &body(request)?, group)?;
    let dissolved = state.dissolve(group, operator)?;
    dissolved.ok_or_else(|| no_group(state, group))?;
    Ok(Reply::json(&json!({"number": group, "dissolved": true})))
}

/// `POST …/mute` `{"on", "operator"}`: only owner and admins may speak, or everybody again.
pub(super) fn mute(state: &mut State, request: &Request, group: i64) -> Served {
    let body = body(request)?;
    let on = body["on"].as_bool().unwrap_or(true);
    let operator = operator(state, &body, group)?;
    let muted = state.mute_all(group, operator, on)?;
    muted.ok_or_else(|| no_group(state, group))?;
    Ok(Reply::json(&json!({"number": group, "muted": on})))
}

/// `POST …/react` `{"id", "from", "emoji", "remove"}`.
pub(super) fn react(state: &mut State, request: &Request, group: i64) -> Served {
    let body = body(request)?;
    let message = message_in(state, Chat::Group(group), required_number(&body, "id")?)?;
    let from = required_number(&body, "from")?;
    member(state, group, "from", from)?;
    let emoji = match &body["emoji"] {
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.parse::<u32>().is_ok() => text.clone(),
        _ => {
            return Err(fault(
                400,
                "\"emoji\" must be the number of a face or of a character, as 76 or 128077",
            ));
        }
    };
    let add = !body["remove"].as_bool().unwrap_or(false);
    let changed = state.react(&message, from, &emoji, add)?;
    Ok(Reply::json(
        &json!({"id": message.id, "emoji": emoji, "changed": changed}),
    ))
}

fn member(state: &State, group: i64, name: &str, qq: i64) -> Result<(), Fault> {
    known_group(state, group)?;
    let there = state.world.group(group).is_some_and(|group| group.member(qq).is_some());
    there
        .then_some(())
        .ok_or_else(|| fault(400, format!("\"{name}\": {qq} is not a member of group {group}")))
}

/// `POST …/poke` `{"from", "target"}`.
pub(super) fn poke(state: &mut State, request: &Request, group: i64) -> Served {
    let body = body(request)?;
    let (from, target) = (required_number(&body, "from")?, required_number(&body, "target")?);
    member(state, group, "from", from)?;
    member(state, group, "target", target)?;
    state.poke(Chat::Group(group), from, target)?;
    Ok(Reply::json(&json!({"from": from, "target": target})))
}

/// `POST …/files` `{"from", "name", "size" | "content"}`: a member uploads a file; `content` is base64.
pub(super) fn upload(state: &mut State, request: &Request, group: i64) -> Served {
    let body = body(request)?;
    let from = required_number(&body, "from")?;
    member(state, group, "from", from)?;
    let name = optional_text(&body, "name")?.unwrap_or_else(|| "file.bin".to_owned());
    let content = if let Some(content) = optional_text(&body, "content")? {
        content
    } else {
        let size = optional_number(&body, "size")?.unwrap_or(1024);
        let size = usize::try_from(size).ok().filter(|size| *size <= LARGEST_FILE);
        let size = size.ok_or_else(|| fault(400, format!("\"size\" must be a number up to {LARGEST_FILE}")))?;
        STANDARD.encode(vec![b'A'; size])
    };
    let file = Segment::other(
        "file",
        [("file", json!(format!("base64://{content}"))), ("name", json!(name))],
    );
    let message = state.post(Chat::Group(group), from, vec![file])?;
    Ok(Reply::json(
        &json!({"id": message.id, "seq": message.seq, "time": message.time}),
    ))
}

/// `POST …/history` `{"count", "text", "from", "every"}`: a past is added at once, and nobody is told. `{n}` in the text is
/// the number of the message from 1 on; `from` is one member or a list of them, who speak in turns; `every`: the time
/// between two messages, the last of which is said now.
pub(super) fn add_past(state: &mut State, request: &Request, group: i64) -> Served {
    known_group(state, group)?;
    let body = body(request)?;
    let count = optional_number(&body, "count")?.unwrap_or(100);
    if !(1..=LONGEST_PAST).contains(&count) {
        return Err(fault(400, format!("\"count\" must be from 1 to {LONGEST_PAST}")));
    }
    let text = optional_text(&body, "text")?.unwrap_or_else(|| "message {n}".to_owned());
    let every = match &body["every"] {
        Value::Null => Some(Duration::from_secs(1)),
        Value::String(text) => parse_duration(text),
        other => other.as_u64().map(Duration::from_secs),
    };
    let every = every.ok_or_else(|| fault(400, "\"every\" must be like \"10s\" or seconds"))?;
    let every = i64::try_from(every.as_secs()).unwrap_or(0);
    let from = speakers(state, &body["from"], group)?;
    let now = state.clock.now();
    let (mut first, mut last) = (0, 0);
    for (n, from) in (1..=count).zip(from.iter().cycle()) {
        let words = json!(text.replace("{n}", &n.to_string()));
        let segments = parse_message(&words).map_err(|sentence| fault(400, sentence))?;
        let time = now.saturating_sub(every.saturating_mul(count - n)).max(0);
        let message = state.store.add_message(Chat::Group(group), *from, time, segments)?;
        first = if n == 1 { message.id } else { first };
        last = message.id;
    }
    state.wake();
    Ok(Reply::json(&json!({"count": count, "first": first, "last": last})))
}

/// Who speaks in turns: one member, a list of them, or everybody who is no account.
pub(super) fn speakers(state: &State, from: &Value, group: i64) -> Result<Vec<i64>, Fault> {
    let speakers: Option<Vec<i64>> = match from {
        Value::Null => {
            let members = state
                .world
                .group(group)
                .map(|group| group.members.as_slice())
                .unwrap_or_default();
            let people = members.iter().map(|member| member.qq);
            Some(people.filter(|qq| state.world.account(*qq).is_none()).collect())
        }
        Value::Array(list) => list.iter().map(Value::as_i64).collect(),
        other => other.as_i64().map(|qq| vec![qq]),
    };
    let speakers = speakers.filter(|speakers| !speakers.is_empty());
    let speakers = speakers.ok_or_else(|| fault(400, "\"from\" must be the number of a member, or a list of them"))?;
    speakers.iter().try_for_each(|qq| member(state, group, "from", *qq))?;
    Ok(speakers)
}
