//! Saying, reading and taking back.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Fault, MOST_ROWS, Served, after, body, fault, no_group, optional_number, required_number, wait, wait_for};
use crate::net::{Reply, Request};
use crate::state::{Shared, State};
use crate::store::StoreError;
use crate::world::{Chat, Group, Message, Protocol, Role, Segment, parse_message};

fn shown(state: &State, message: &Message) -> Result<Value, StoreError> {
    let mut shown = json!({
        "id": message.id, "from": message.from, "time": message.time, "seq": message.seq, "message": message.segments,
    });
    if message.recalled {
        shown["recalled"] = json!(true);
    }
    let reactions = state.store.reactions(message.id)?;
    if !reactions.is_empty() {
        let one = |(emoji, qq): &(String, i64)| json!({"emoji": emoji, "from": qq});
        shown["reactions"] = reactions.iter().map(one).collect();
    }
    Ok(shown)
}

async fn read_chat(request: &Request, shared: &Arc<Shared>, chat: Chat) -> Served {
    let (after, wait) = (after(request)?, wait(request)?);
    let found = wait_for(shared, wait, |state| {
        let messages = state.store.messages(chat, after, MOST_ROWS)?;
        let rows = messages
            .iter()
            .map(|message| shown(state, message))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((!rows.is_empty()).then_some(rows))
    });
    Ok(Reply::json(&found.await?.unwrap_or_default()))
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

pub(super) fn known_group(state: &State, group: i64) -> Result<(), Fault> {
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
    // Who is in a group with a WebQQ account may talk to it in a temporary chat.
    let shares = |group: &Group| group.member(account.qq).is_some() && group.member(friend).is_some();
    let found = account.friends.iter().any(|known| known.qq == friend)
        || (account.protocol == Protocol::Webqq && state.world.groups.iter().any(shares));
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
    let silenced = state
        .world
        .group(group)
        .is_some_and(|group| group.muted && group.member(from).is_some_and(|member| member.role == Role::Member));
    if silenced {
        return Err(fault(
            403,
            format!("group {group} is muted: only owner and admins may speak"),
        ));
    }
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

/// The message of that number, when it is in the chat.
pub(super) fn message_in(state: &State, chat: Chat, id: i64) -> Result<Message, Fault> {
    let message = state.store.message(id)?.filter(|message| message.chat == chat);
    message.ok_or_else(|| fault(404, format!("there is no message {id} in {}", chat.key())))
}

/// `POST …/recall` `{"id", "operator"}`: a message is taken back, by its author when nobody else is named. The world remembers
/// it in any case.
pub(super) fn recall(state: &mut State, request: &Request, group: i64) -> Served {
    known_group(state, group)?;
    let body = body(request)?;
    let message = message_in(state, Chat::Group(group), required_number(&body, "id")?)?;
    let operator = optional_number(&body, "operator")?.unwrap_or(message.from);
    let id = message.id;
    state.recall(&message, operator)?;
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

/// The same between an account and a friend.
pub(super) fn recall_friend(state: &mut State, request: &Request, account: i64, friend: i64) -> Served {
    known_friend(state, account, friend)?;
    let body = body(request)?;
    let message = message_in(state, Chat::Friend { account, friend }, required_number(&body, "id")?)?;
    state.recall(&message, message.from)?;
    Ok(Reply::json(&json!({"id": message.id, "recalled": true})))
}

/// `POST …/poke` between an account and a friend: the friend pokes the account.
pub(super) fn poke_friend(state: &mut State, account: i64, friend: i64) -> Served {
    known_friend(state, account, friend)?;
    state.poke(Chat::Friend { account, friend }, friend, account)?;
    Ok(Reply::json(&json!({"from": friend, "target": account})))
}
