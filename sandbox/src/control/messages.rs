//! Saying, reading and taking back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Fault, MOST_ROWS, Served, after, body, fault, no_group, optional_number, required_number, wait, wait_for};
use crate::net::{Reply, Request};
use crate::state::{Shared, State};
use crate::world::{Chat, Message, Protocol, Segment, parse_message};

fn shown(message: &Message) -> Value {
    let mut shown = json!({
        "id": message.id, "from": message.from, "time": message.time, "seq": message.seq, "message": message.segments,
    });
    if message.recalled {
        shown["recalled"] = json!(true);
    }
    shown
}

async fn read_chat(request: &Request, shared: &Arc<Shared>, chat: Chat) -> Served {
    let (after, wait) = (after(request)?, wait(request)?);
    let found = wait_for(shared, wait, |state| {
        let messages = state.store.messages(chat, after, MOST_ROWS)?;
        Ok((!messages.is_empty()).then_some(messages))
    });
    let messages = found.await?.unwrap_or_default();
    Ok(Reply::json(&messages.iter().map(shown).collect::<Vec<_>>()))
}

/// `GET …/messages?after=&wait=`: what was said in a group, by people and by clients.
pub(super) async fn read(request: &Request, shared: &Arc<Shared>, group: i64) -> Served {
    super::work(shared, |state| known_group(state, group).map(|()| Reply::status(200)))?;
    read_chat(request, shared, Chat::Group(group)).await
}

/// The same of a friend's chat.
pub(super) async fn read_friend(request: &Request, shared: &Arc<Shared>, account: i64, friend: i64) -> Served {
    super::work(shared, |state| {
        known_friend(state, account, friend).map(|()| Reply::status(200))
    })?;
    read_chat(request, shared, Chat::Friend { account, friend }).await
}

fn known_group(state: &State, group: i64) -> Result<(), Fault> {
    state
        .world
        .group(group)
        .map(|_| ())
        .ok_or_else(|| no_group(state, group))
}

fn known_friend(state: &State, account: i64, friend: i64) -> Result<(), Fault> {
    let account = state
        .world
        .account(account)
        .ok_or_else(|| fault(404, format!("there is no account {account}")))?;
    let found = account.friends.iter().any(|known| known.qq == friend);
    found.then_some(()).ok_or_else(|| {
        let known: Vec<_> = account.friends.iter().map(|friend| friend.qq.to_string()).collect();
        fault(
            404,
            format!(
                "{friend} is no friend of {}; friends are: {}",
                account.qq,
                known.join(", ")
            ),
        )
    })
}

fn message_of(body: &Value) -> Result<Vec<Segment>, Fault> {
    if body["message"].is_null() {
        return Err(fault(
            400,
            "\"message\" is missing: text, or an array of OneBot segments",
        ));
    }
    parse_message(&body["message"]).map_err(|sentence| fault(400, sentence))
}

/// `POST …/messages`: a member says something.
pub(super) fn say(state: &mut State, request: &Request, group: i64) -> Served {
    known_group(state, group)?;
    let body = body(request)?;
    let from = required_number(&body, "from")?;
    let member = state
        .world
        .group(group)
        .and_then(|group| group.member(from))
        .map(|member| member.muted_until);
    match member {
        None => return Err(fault(400, format!("\"from\": {from} is not a member of group {group}"))),
        Some(until) if until > state.clock.now() => {
            return Err(fault(
                403,
                format!("{from} is muted for {} more seconds", until - state.clock.now()),
            ));
        }
        Some(_) => {}
    }
    let message = state.post(Chat::Group(group), from, message_of(&body)?)?;
    Ok(Reply::json(
        &json!({"id": message.id, "seq": message.seq, "time": message.time}),
    ))
}

/// The same in a friend's chat: the friend speaks, or with `from` the account's other device.
pub(super) fn say_friend(state: &mut State, request: &Request, account: i64, friend: i64) -> Served {
    known_friend(state, account, friend)?;
    let body = body(request)?;
    let from = optional_number(&body, "from")?.unwrap_or(friend);
    if from != friend && from != account {
        return Err(fault(400, format!("\"from\" must be {friend} or {account}")));
    }
    let message = state.post(Chat::Friend { account, friend }, from, message_of(&body)?)?;
    Ok(Reply::json(&json!({"id": message.id, "time": message.time})))
}

/// `POST …/recall`: a message is taken back. The world remembers it in any case.
pub(super) fn recall(state: &mut State, request: &Request, group: i64) -> Served {
    known_group(state, group)?;
    let id = required_number(&body(request)?, "id")?;
    let message = state
        .store
        .message(id)?
        .filter(|message| message.chat == Chat::Group(group));
    if message.is_none() {
        return Err(fault(404, format!("there is no message {id} in group {group}")));
    }
    state.store.recall(id)?;
    state.wake();
    let (web, bots) = (
        state.audience(Chat::Group(group), Protocol::Webqq),
        state.audience(Chat::Group(group), Protocol::Onebot),
    );
    if !web.is_empty() && bots.is_empty() {
        let sentence = format!(
            "message {id} is marked as recalled in the world, but WebQQ has no event that tells it: account {} will not notice",
            web[0]
        );
        return Err(fault(400, sentence));
    }
    Ok(Reply::json(&json!({"id": id, "recalled": true})))
}
