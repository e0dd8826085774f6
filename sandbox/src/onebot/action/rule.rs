//! Ruling a group, and poking.

use serde_json::Value;

use super::super::dialect::Errors;
use super::super::failure::Failure;
use super::super::params::Params;
use super::Call;
use super::say::either;
use crate::world::{Chat, Role};

/// The longest mute: thirty days.
const LONGEST: i64 = 30 * 86_400;

pub(super) fn ban(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let qq = params.need_number("user_id")?;
    let group = call.need_power(params, qq)?;
    let usual = if call.dialect()?.errors == Errors::NapCat {
        0
    } else {
        1800
    };
    let seconds = params.number("duration").unwrap_or(usual).clamp(0, LONGEST);
    let operator = call.qq;
    call.state.mute(group, qq, operator, seconds)?;
    Ok(Value::Null)
}

pub(super) fn ban_all(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let group = call.need_admin(params)?;
    let operator = call.qq;
    call.state
        .mute_all(group, operator, params.truth("enable").unwrap_or(true))?;
    Ok(Value::Null)
}

pub(super) fn kick(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let qq = params.need_number("user_id")?;
    let group = call.need_power(params, qq)?;
    let operator = call.qq;
    call.state.leave(group, qq, operator)?;
    Ok(Value::Null)
}

pub(super) fn card(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let qq = params.need_number("user_id")?;
    let group = if qq == call.qq {
        call.need_group(params)?.number
    } else {
        call.need_power(params, qq)?
    };
    let card = params.text("card").unwrap_or_default();
    call.state.set_card(group, qq, card)?;
    Ok(Value::Null)
}

pub(super) fn name(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let group = call.need_admin(params)?;
    let name = params.need_text("group_name")?;
    let operator = call.qq;
    call.state.rename(group, operator, name)?;
    Ok(Value::Null)
}

fn need_owner(call: &Call<'_>, params: Params<'_>) -> Result<i64, Failure> {
    let group = call.need_group(params)?;
    let owner = group.member(call.qq).is_some_and(|member| member.role == Role::Owner);
    owner.then_some(group.number).ok_or(Failure::NoRight)
}

pub(super) fn admin(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let group = need_owner(call, params)?;
    let qq = params.need_number("user_id")?;
    let role = if params.truth("enable").unwrap_or(true) {
        Role::Admin
    } else {
        Role::Member
    };
    call.state.set_role(group, qq, role)?;
    Ok(Value::Null)
}

pub(super) fn title(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let group = need_owner(call, params)?;
    let qq = params.need_number("user_id")?;
    call.state
        .set_title(group, qq, params.text("special_title").unwrap_or_default())?;
    Ok(Value::Null)
}

pub(super) fn leave(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let group = call.need_group(params)?;
    let number = group.number;
    let owner = group.member(call.qq).is_some_and(|member| member.role == Role::Owner);
    let qq = call.qq;
    match (owner, params.truth("is_dismiss").unwrap_or(false)) {
        (true, true) => call.state.dissolve(number, qq)?.map(|_| ()),
        (true, false) => return Err(Failure::NoRight),
        (false, _) => call.state.leave(number, qq, qq)?.map(|_| ()),
    };
    Ok(Value::Null)
}

pub(super) fn poke_in_group(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = Chat::Group(call.need_group(params)?.number);
    poke_in(call, chat, params)
}

pub(super) fn poke_friend(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let qq = params.need_number("user_id")?;
    let chat = Chat::Friend {
        account: call.qq,
        friend: qq,
    };
    poke_in(call, chat, params)
}

pub(super) fn poke(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    if params.number("group_id").is_some() {
        return poke_in_group(call, params);
    }
    let chat = either(call, params)?;
    poke_in(call, chat, params)
}

fn poke_in(call: &mut Call<'_>, chat: Chat, params: Params<'_>) -> Result<Value, Failure> {
    call.need_line()?;
    let target = params
        .number("target_id")
        .or_else(|| params.number("user_id"))
        .ok_or(Failure::BadParam("user_id"))?;
    if let Chat::Group(_) = chat
        && call.view()?.member(chat, target).is_none()
    {
        return Err(Failure::NoMember(target));
    }
    let from = call.qq;
    call.state.poke(chat, from, target)?;
    Ok(Value::Null)
}
