//! Faces put to messages.

use serde_json::{Value, json};

use super::super::dialect::Errors;
use super::super::failure::Failure;
use super::super::params::Params;
use super::Call;
use super::message::named;
use crate::world::Chat;

fn put(call: &mut Call<'_>, params: Params<'_>, name: &'static str, add: bool) -> Result<Value, Failure> {
    let message = named(call, params)?;
    call.need_line()?;
    let emoji = params.need_text(name)?;
    if !matches!(message.chat, Chat::Group(_)) || emoji.parse::<u32>().is_err() {
        return Err(Failure::BadParam(name));
    }
    let by = call.qq;
    call.state.react(&message, by, &emoji, add)?;
    Ok(match call.dialect()?.errors {
        Errors::NapCat => json!({"result": 0, "errMsg": ""}),
        _ => Value::Null,
    })
}

pub(super) fn set(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    put(call, params, "emoji_id", params.truth("set").unwrap_or(true))
}

pub(super) fn unset(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    put(call, params, "emoji_id", false)
}

pub(super) fn reaction(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    put(call, params, "code", params.truth("is_add").unwrap_or(true))
}

fn people(call: &Call<'_>, params: Params<'_>, name: &'static str) -> Result<Vec<(i64, String)>, Failure> {
    let message = named(call, params)?;
    let emoji = params
        .text(name)
        .or_else(|| params.text("emojiId"))
        .ok_or(Failure::BadParam(name))?;
    let all = call.state.store.reactions(message.id)?;
    let view = call.view()?;
    let people = all.into_iter().filter(|(of, _)| *of == emoji);
    Ok(people.map(|(_, qq)| (qq, view.nickname(qq).to_owned())).collect())
}

pub(super) fn fetch(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let people = people(call, params, "emojiId")?;
    let list: Vec<Value> = people
        .into_iter()
        .map(|(qq, name)| json!({"tinyId": qq.to_string(), "nickName": name, "headUrl": ""}))
        .collect();
    Ok(
        json!({"emojiLikesList": list, "cookie": "", "isLastPage": true, "isFirstPage": true, "result": 0, "errMsg": ""}),
    )
}

pub(super) fn get(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let people = people(call, params, "emoji_id")?;
    let list: Vec<Value> = people
        .into_iter()
        .map(|(qq, name)| json!({"user_id": qq.to_string(), "nick_name": name}))
        .collect();
    Ok(json!({ "emoji_like_list": list }))
}
