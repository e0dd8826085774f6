//! Questions about groups and who is in them.

use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::params::Params;
use super::super::view::View;
use super::Call;
use crate::store::End;
use crate::world::{Chat, Flavour, Group, Member, Role};

fn shown(view: &View<'_>, group: &Group) -> Value {
    let mut shown = json!({
        "group_id": group.number, "group_name": group.name, "member_count": group.members.len(), "max_member_count": 200,
    });
    let shut = if group.muted { -1 } else { 0 };
    match view.dialect.flavour {
        Flavour::Napcat => {
            shown["group_remark"] = json!("");
            shown["group_all_shut"] = json!(shut);
        }
        Flavour::Llbot => {
            let owner = group.members.iter().find(|member| member.role == Role::Owner);
            shown["group_memo"] = json!("");
            shown["group_create_time"] = json!(1_300_000_000);
            shown["remark_name"] = json!("");
            shown["owner_id"] = json!(owner.map_or(0, |owner| owner.qq));
            shown["is_top"] = json!(false);
            shown["shut_up_all_timestamp"] = json!(if group.muted { i64::from(u32::MAX) } else { 0 });
            shown["shut_up_me_timestamp"] = json!(group.member(view.qq()).map_or(0, |member| member.muted_until));
        }
        Flavour::Lagrange => {}
        Flavour::Gocq => {
            shown["group_memo"] = json!("");
            shown["group_create_time"] = json!(0);
            shown["group_level"] = json!(0);
        }
    }
    shown
}

pub(super) fn list(call: &mut Call<'_>, _: Params<'_>) -> Result<Value, Failure> {
    let view = call.view()?;
    Ok(view
        .state
        .world
        .groups_of(call.qq)
        .map(|group| shown(&view, group))
        .collect())
}

pub(super) fn info(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let number = params.need_number("group_id")?;
    let view = call.view()?;
    let group = match view.dialect.flavour {
        // Of groups that the account is not in it asks QQ.
        Flavour::Napcat => view.state.world.group(number),
        _ => view.group(number),
    };
    Ok(shown(&view, group.ok_or(Failure::NotInGroup(number))?))
}

fn shown_member(view: &View<'_>, group: &Group, member: &Member, last_sent: i64) -> Value {
    let mut shown = json!({
        "group_id": group.number, "user_id": member.qq, "nickname": member.nickname, "card": member.card, "sex": "unknown",
        "age": 0, "area": "", "level": level(member), "join_time": 1_500_000_000, "last_sent_time": last_sent,
        "role": member.role, "unfriendly": false, "title": member.title, "title_expire_time": 0, "card_changeable": true,
        "shut_up_timestamp": member.muted_until,
    });
    if matches!(view.dialect.flavour, Flavour::Napcat | Flavour::Llbot) {
        shown["qq_level"] = json!(0);
        shown["is_robot"] = json!(false);
    }
    if view.dialect.flavour == Flavour::Llbot {
        shown["card_or_nickname"] = json!(member.called());
        shown["qage"] = json!(0);
    }
    shown
}

fn level(member: &Member) -> String {
    (member.qq % 99 + 1).to_string()
}

pub(super) fn members(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let number = call.need_group(params)?.number;
    call.need_line()?;
    let lazy = call.dialect()?.lazy_members;
    let run = call.state.onebot.run(call.qq);
    if lazy && !std::mem::replace(&mut run.members_ready, true) {
        return Err(Failure::NoMembersYet(number));
    }
    let view = call.view()?;
    let group = view.group(number).ok_or(Failure::NotInGroup(number))?;
    Ok(group
        .members
        .iter()
        .map(|member| shown_member(&view, group, member, 0))
        .collect())
}

pub(super) fn member(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let number = call.need_group(params)?.number;
    let qq = params.need_number("user_id")?;
    let view = call.view()?;
    let group = view.group(number).ok_or(Failure::NotInGroup(number))?;
    let member = group.member(qq).ok_or(Failure::NoMember(qq))?;
    let recent = view
        .state
        .store
        .stretch(Chat::Group(number), (0, i64::MAX), (100, End::Newest), None)?;
    let last = recent
        .iter()
        .rev()
        .find(|message| message.from == qq)
        .map_or(0, |message| message.time);
    Ok(shown_member(&view, group, member, last))
}

pub(super) fn muted(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let now = call.state.clock.now();
    let group = call.need_group(params)?;
    let muted = group.members.iter().filter(|member| member.muted_until > now);
    let row = |member: &Member| json!({"uin": member.qq.to_string(), "nick": member.nickname, "cardName": member.card, "shutUpTime": member.muted_until});
    Ok(muted.map(row).collect())
}

pub(super) fn at_all(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let group = call.need_group(params)?;
    let can = group.member(call.qq).is_some_and(|member| member.role > Role::Member);
    let (mine, all) = if can { (10, 20) } else { (0, 0) };
    Ok(json!({
        "can_at_all": can, "remain_at_all_count_for_group": all, "remain_at_all_count_for_uin": mine,
    }))
}
