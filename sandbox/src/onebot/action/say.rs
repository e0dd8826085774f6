//! Saying something.

use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::params::Params;
use super::super::segment::{read, write};
use super::Call;
use crate::world::{Chat, Flavour, Role, Segment, plain_text};

pub(super) fn to_group(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = Chat::Group(params.need_number("group_id")?);
    say(call, chat, params)
}

pub(super) fn to_friend(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = friend(call, params)?;
    say(call, chat, params)
}

pub(super) fn to_either(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = either(call, params)?;
    say(call, chat, params)
}

fn friend(call: &Call<'_>, params: Params<'_>) -> Result<Chat, Failure> {
    let qq = params.need_number("user_id")?;
    let view = call.view()?;
    let mine = view.account.friends.iter().any(|friend| friend.qq == qq);
    let theirs = view
        .state
        .world
        .account(qq)
        .is_some_and(|other| other.friends.iter().any(|f| f.qq == call.qq));
    match (mine, theirs) {
        (true, _) => Ok(Chat::Friend {
            account: call.qq,
            friend: qq,
        }),
        (false, true) => Ok(Chat::Friend {
            account: qq,
            friend: call.qq,
        }),
        (false, false) => Err(Failure::NoFriend(qq)),
    }
}

/// The chat that `message_type` names, or else the number that is there.
pub(super) fn either(call: &Call<'_>, params: Params<'_>) -> Result<Chat, Failure> {
    let kind = params.text("message_type").unwrap_or_default();
    match params.number("group_id") {
        Some(group) if kind != "private" => Ok(Chat::Group(group)),
        _ => friend(call, params),
    }
}

fn say(call: &mut Call<'_>, chat: Chat, params: Params<'_>) -> Result<Value, Failure> {
    may_speak(call, chat)?;
    let escape = params.truth("auto_escape").unwrap_or(false);
    let read = read::message(&call.view()?, chat, params.value("message"), escape)?;
    if !read.dropped.is_empty() {
        call.note = format!("dropped: {}; ", read.dropped.join(", "));
    }
    post(call, chat, read.segments)
}

/// Whether QQ takes words of the account for a chat.
fn may_speak(call: &Call<'_>, chat: Chat) -> Result<(), Failure> {
    if let Chat::Group(number) = chat {
        let group = call.state.world.group(number).ok_or(Failure::NotInGroup(number))?;
        let me = group.member(call.qq).ok_or(Failure::NotInGroup(number))?;
        if me.muted_until > call.state.clock.now() {
            return Err(Failure::Muted);
        }
        if group.muted && me.role == Role::Member {
            return Err(Failure::AllMuted);
        }
    }
    call.need_line()
}

pub(super) fn post(call: &mut Call<'_>, chat: Chat, segments: Vec<Segment>) -> Result<Value, Failure> {
    let text: String = plain_text(&segments).chars().take(100).collect();
    call.note = format!("{}delivered to {}: {text}", call.note, chat.key());
    let message = call.state.post(chat, call.qq, segments)?;
    call.said = Some(message.id);
    let view = call.view()?;
    let mut data = json!({"message_id": view.handle(&message)});
    let forward = message
        .segments
        .iter()
        .any(|segment| matches!(segment, Segment::Other { kind, .. } if kind == "forward"));
    if forward {
        let id = write::forward_id(&view, &message, &[0]);
        match view.dialect.flavour {
            Flavour::Napcat => {
                data["res_id"] = json!(id);
                data["forward_id"] = json!(id);
            }
            _ => data["forward_id"] = json!(id),
        }
    }
    Ok(data)
}

fn forward(call: &mut Call<'_>, chat: Chat, params: Params<'_>) -> Result<Value, Failure> {
    may_speak(call, chat)?;
    let nodes = params
        .value("messages")
        .as_array()
        .or_else(|| params.value("message").as_array());
    let nodes = nodes.ok_or(Failure::BadParam("messages"))?;
    let record = read::record(&call.view()?, chat, nodes)?;
    post(call, chat, vec![record])
}

pub(super) fn forward_to_group(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = Chat::Group(params.need_number("group_id")?);
    forward(call, chat, params)
}

pub(super) fn forward_to_friend(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = friend(call, params)?;
    forward(call, chat, params)
}

pub(super) fn forward_to_either(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = either(call, params)?;
    forward(call, chat, params)
}

/// Says another's message once more.
pub(super) fn single_to_group(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = Chat::Group(params.need_number("group_id")?);
    may_speak(call, chat)?;
    let message = call
        .view()?
        .recognise(params.need_number("message_id")?)?
        .ok_or(Failure::NoMessage)?;
    post(call, chat, message.segments)?;
    Ok(Value::Null)
}
