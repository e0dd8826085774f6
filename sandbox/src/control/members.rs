//! Members: who joins, changes, leaves, is muted.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Served, body, fault, no_group, optional_number, optional_text, required_number};
use crate::clock::parse_duration;
use crate::net::{Reply, Request};
use crate::state::State;
use crate::webqq;
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
        muted_until: 0,
    };
    let shown = json!(member);
    let added = state.change_group(group, |group| {
        let free = group.member(qq).is_none();
        if free {
            group.members.push(member);
        }
        free
    })?;
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
    if nickname.is_none() && card.is_none() && role.is_none() {
        return Err(fault(400, "nothing to change: give \"nickname\", \"card\" or \"role\""));
    }
    let changed = state.change_group(group, |group| {
        let member = group.members.iter_mut().find(|member| member.qq == qq)?;
        member.nickname = nickname.unwrap_or_else(|| member.nickname.clone());
        member.card = card.unwrap_or_else(|| member.card.clone());
        member.role = role.unwrap_or(member.role);
        Some(json!(member))
    })?;
    match changed {
        None => Err(no_group(state, group)),
        Some(None) => Err(no_member(group, qq)),
        Some(Some(shown)) => Ok(Reply::json(&shown)),
    }
}

/// `DELETE …/members/{qq}`: somebody leaves or is removed.
pub(super) fn remove(state: &mut State, group: i64, qq: i64) -> Served {
    let removed = state.change_group(group, |group| {
        let before = group.members.len();
        group.members.retain(|member| member.qq != qq);
        group.members.len() < before
    })?;
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
    let until = if seconds == 0 { 0 } else { state.clock.now() + seconds };
    let muted = state.change_group(group, |group| {
        let member = group.members.iter_mut().find(|member| member.qq == qq)?;
        member.muted_until = until;
        Some(if member.card.is_empty() {
            member.nickname.clone()
        } else {
            member.card.clone()
        })
    })?;
    let name = match muted {
        None => return Err(no_group(state, group)),
        Some(None) => return Err(no_member(group, qq)),
        Some(Some(name)) => name,
    };
    let what = if seconds == 0 {
        "解除禁言".to_owned()
    } else {
        format!("禁言{}", in_words(seconds))
    };
    webqq::announce_notice(state, group, &format!("{name}({qq}) 被管理员{what} "))?;
    Ok(Reply::json(&json!({"qq": qq, "muted_until": until})))
}

/// A duration as QQ writes it: `10分钟`.
fn in_words(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds}秒"),
        60..3600 => format!("{}分钟", seconds / 60),
        3600..86_400 => format!("{}小时", seconds / 3600),
        _ => format!("{}天", seconds / 86_400),
    }
}
