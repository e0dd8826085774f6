//! Asking for one message, taking one back.

use serde_json::{Value, json};

use super::super::event::described;
use super::super::failure::Failure;
use super::super::params::Params;
use super::super::segment::write;
use super::Call;
use crate::world::{Chat, Flavour, Message, Role};

/// How long an own message can be taken back, in seconds.
const RECALL_TIME: i64 = 120;

/// The message that `message_id` names.
pub(super) fn named(call: &Call<'_>, params: Params<'_>) -> Result<Message, Failure> {
    let handle = params.need_number("message_id")?;
    call.view()?.recognise(handle)?.ok_or(Failure::NoMessage)
}

pub(super) fn get(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let message = named(call, params)?;
    let view = call.view()?;
    let flavour = view.dialect.flavour;
    if message.recalled && flavour != Flavour::Llbot {
        return Err(Failure::NoMessage);
    }
    let segments = write::segments(&view, &message)?;
    let mut shown = described(&view, &message, &segments);
    shown["real_id"] = match flavour {
        Flavour::Gocq => json!(message.seq),
        _ => json!(view.handle(&message)),
    };
    match flavour {
        Flavour::Napcat => {
            let mut likes: Vec<(String, i64)> = Vec::new();
            for (emoji, _) in view.state.store.reactions(message.id)? {
                match likes.last_mut() {
                    Some((last, count)) if *last == emoji => *count += 1,
                    _ => likes.push((emoji, 1)),
                }
            }
            let like = |(emoji, count): &(String, i64)| {
                let kind = if emoji.len() > 3 { "2" } else { "1" };
                json!({"emoji_id": emoji, "emoji_type": kind, "likes_cnt": count.to_string()})
            };
            shown["emoji_likes_list"] = likes.iter().map(like).collect();
        }
        Flavour::Llbot => shown["status"] = json!(if message.recalled { "deleted" } else { "normal" }),
        Flavour::Lagrange | Flavour::Gocq => {}
    }
    Ok(shown)
}

pub(super) fn delete(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let message = named(call, params)?;
    call.need_line()?;
    let role = |qq: i64| match message.chat {
        Chat::Group(number) => {
            let member = call.state.world.group(number).and_then(|group| group.member(qq));
            member.map(|member| member.role)
        }
        _ => None,
    };
    let mine = role(call.qq).unwrap_or_default();
    let admin = mine > Role::Member;
    if message.from == call.qq {
        let age = call.state.clock.now() - message.time;
        if age > RECALL_TIME && !admin {
            return Err(Failure::TooLate);
        }
    } else if !admin || role(message.from).is_some_and(|theirs| theirs >= mine) {
        return Err(Failure::NoRight);
    }
    if message.recalled {
        return Err(Failure::NoMessage);
    }
    call.note = format!("message {} is taken back", message.id);
    let operator = call.qq;
    call.state.recall(&message, operator)?;
    Ok(Value::Null)
}

/// Into the group's list of good messages, or out of it; nobody sees that list here.
pub(super) fn essence(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    named(call, params).map(|_| Value::Null)
}
