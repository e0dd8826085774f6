//! Members: who joins, changes, leaves, is muted.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Served, body, fault, no_group, optional_number, optional_text, required_number};
use crate::clock::parse_duration;
use crate::net::{Reply, Request};
use crate::state::State;
use crate::world::{Member, Role};

/// The longest mute: thirty days, as in QQ.
const LONGEST_MUTE: Duration = Duration::from_secs(30 * 86_400);
/// How long a mute lasts when nobody says.
const USUAL_MUTE: Duration = Duration::from_secs(600);

fn role(body: &Value) -> Result<Option<Role>, Fault> {
    let Some(word) = optional_text(body, "role")? else {
        return Ok(None);
    };
    match word.as_str() {
        "owner" => Ok(Some(Role::Owner)),
        "admin" => Ok(Some(Role::Admin)),
        "member" => Ok(Some(Role::Member)),
        _ => Err(fault(400, "\"role\" must be \"owner\", \"admin\" or \"member\"")),
    }
}

fn no_member(group: i64, qq: i64) -> Fault {
    fault(404, format!("{qq} is not a member of group {group}"))
}

/// `POST …/members`: somebody joins.
pub(super) fn add(state: &mut State, request: &Request, group: i64) -> Served {
    let body = body(request)?;
    let qq = required_number(&body, "qq")?;
    if qq < 1 {
        return Err(fault(400, "\"qq\" must be a number above 0"));
    }
    let nickname = optional_text(&body, "nickname")?;
    let nickname = nickname
        .or_else(|| state.world.nickname(qq).map(str::to_owned))
        .unwrap_or_else(|| qq.to_string());
    let card = optional_text(&body, "card")?.unwrap_or_default();
    let member = Member {
        qq,
        nickname,
        card,
        role: role(&body)?.unwrap_or_default(),
        title: String::new(),
        muted_until: 0,
    };
    let shown = json!(member);
    let operator = optional_number(&body, "operator")?.unwrap_or(0);
    let added = state.join(group, member, operator)?;
    match added {
        None => Err(no_group(state, group)),
        Some(false) => Err(fault(
            409,
            format!("{qq} is already a member of group {group}: change them with PATCH"),
        )),
        Some(true) => Ok(Reply::json(&shown)),
    }
}

/// `PATCH …/members/{qq}`: nickname, card or role changes.
pub(super) fn change(state: &mut State, request: &Request, group: i64, qq: i64) -> Served {
    let body = body(request)?;
    let (nickname, card, role) = (
        optional_text(&body, "nickname")?,
        optional_text(&body, "card")?,
        role(&body)?,
    );
    let title = optional_text(&body, "title")?;
    if nickname.is_none() && card.is_none() && role.is_none() && title.is_none() {
        return Err(fault(
            400,
            "nothing to change: give \"nickname\", \"card\", \"role\" or \"title\"",
        ));
    }
    if state.world.group(group).is_none() {
        return Err(no_group(state, group));
    }
    let changed = state.change_group(group, |group| {
        let member = group.members.iter_mut().find(|member| member.qq == qq)?;
        member.nickname = nickname.unwrap_or_else(|| member.nickname.clone());
        Some(())
    })?;
    changed.flatten().ok_or_else(|| no_member(group, qq))?;
    if let Some(card) = card {
        state.set_card(group, qq, card)?;
    }
    if let Some(role) = role {
        state.set_role(group, qq, role)?;
    }
    if let Some(title) = title {
        state.set_title(group, qq, title)?;
    }
    let member = state.world.group(group).and_then(|group| group.member(qq));
    Ok(Reply::json(&json!(member)))
}

/// `DELETE …/members/{qq}`: somebody leaves; with `{"operator": …}` they are removed by that one.
pub(super) fn remove(state: &mut State, request: &Request, group: i64, qq: i64) -> Served {
    let operator = optional_number(&body(request)?, "operator")?.unwrap_or(0);
    let removed = state.leave(group, qq, operator)?;
    match removed {
        None => Err(no_group(state, group)),
        Some(false) => Err(no_member(group, qq)),
        Some(true) => Ok(Reply::json(&json!({"qq": qq, "removed": true}))),
    }
}

/// `POST …/members/{qq}/mute`: somebody may not speak for a while; `{"duration": "10m"}` or seconds, 0 ends it.
pub(super) fn mute(state: &mut State, request: &Request, group: i64, qq: i64) -> Served {
    let body = body(request)?;
    let length = match &body["duration"] {
        Value::String(text) => parse_duration(text),
        _ => match optional_number(&body, "duration")? {
            Some(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            None => Some(USUAL_MUTE),
        },
    };
    let length = length.filter(|length| *length <= LONGEST_MUTE);
    let length = length.ok_or_else(|| fault(400, "\"duration\" must be like \"10m\" or seconds, at most 30 days"))?;
    let seconds = i64::try_from(length.as_secs()).unwrap_or(0);
    let operator = optional_number(&body, "operator")?.unwrap_or_else(|| owner(state, group));
    if state.world.group(group).is_none() {
        return Err(no_group(state, group));
    }
    let until = state.mute(group, qq, operator, seconds)?;
    let until = until.ok_or_else(|| no_member(group, qq))?;
    Ok(Reply::json(&json!({"qq": qq, "muted_until": until})))
}

/// Who owns a group, and does there what nobody else is said to do; 0 when nobody does.
pub(super) fn owner(state: &State, group: i64) -> i64 {
    let members = state.world.group(group).map(|group| group.members.as_slice());
    let owner = members
        .unwrap_or_default()
        .iter()
        .find(|member| member.role == Role::Owner);
    owner.map_or(0, |owner| owner.qq)
}
