//! What the system tells in its own name: mutes in words, statuses, and in 2013 who comes and goes (webqq.md §6.2, §6.5, §6.8).

use serde_json::{Value, json};

use super::alias::Kind;
use super::login::Login;
use super::people::{escape, nick, tells_numbers};
use super::queue::{enqueue, of_accounts, sessions};
use super::render;
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Chat, Happening, Protocol};

/// The system's own number, in whose name it speaks.
const SYSTEM: i64 = 10_000;

/// Tells every session of a group something in the words of the system, such as who was muted.
pub(crate) fn announce_notice(state: &mut State, group: i64, text: &str) -> Result<(), StoreError> {
    for login in sessions(state, Chat::Group(group)) {
        let gid = state.alias(login.id, Kind::Gid, group)?;
        // Such a text has no seq: the group's own count goes on behind it.
        let value = if state.era == Era::Web2013 {
            let code = state.alias(login.id, Kind::Code, group)?;
            let content = render::content(state, vec![json!(text)]);
            let own = json!({
                "from_uin": gid, "group_code": code, "send_uin": SYSTEM, "time": state.clock.now(), "content": content,
            });
            render::with_head(state, &login, 43, &own)?
        } else {
            let number = state.next_number("last_notice")?;
            json!({
                "content": render::content(state, vec![json!(escape(text))]), "from_uin": gid, "group_code": gid,
                "msg_id": number % 65_536, "msg_type": 0, "send_uin": SYSTEM, "time": state.clock.now(),
                "to_uin": login.account,
            })
        };
        enqueue(
            state,
            &login,
            None,
            Some(&json!({"poll_type": "group_message", "value": value})),
        )?;
    }
    Ok(())
}

/// A friend's status, as it comes all the time on most days (webqq.md §6.5).
pub(super) fn announce_status(state: &mut State, login: &Login) -> Result<(), StoreError> {
    if let Some(event) = status(state, login)? {
        enqueue(state, login, None, Some(&event))?;
    }
    Ok(())
}

/// The event that a friend is on line, when there is a friend.
pub(super) fn status(state: &mut State, login: &Login) -> Result<Option<Value>, StoreError> {
    let account = state.world.account(login.account);
    let Some(friend) = account
        .and_then(|account| account.friends.first())
        .map(|friend| friend.qq)
    else {
        return Ok(None);
    };
    let uin = state.alias(login.id, Kind::Person, friend)?;
    let value = json!({"uin": uin, "status": "online", "client_type": 1});
    Ok(Some(json!({"poll_type": "buddies_status_change", "value": value})))
}

/// Tells the sessions of 2013 who came, left and became admin; later clients were told nothing of it.
pub(crate) fn tell(state: &mut State, happening: &Happening) -> Result<(), StoreError> {
    if state.era != Era::Web2013 {
        return Ok(());
    }
    let (group, logins) = match happening {
        Happening::Joined { group, .. } | Happening::AdminSet { group, .. } => {
            (*group, sessions(state, Chat::Group(*group)))
        }
        Happening::Left { group, .. } => {
            let accounts = state.world.accounts.iter();
            let accounts = accounts
                .filter(|account| account.protocol == Protocol::Webqq)
                .map(|account| account.qq);
            let members: Vec<i64> = accounts.filter(|qq| group.member(*qq).is_some()).collect();
            (group.number, of_accounts(state, &members))
        }
        Happening::Poked {
            chat: chat @ Chat::Friend { .. },
            from,
            ..
        } => return shake(state, *chat, *from),
        _ => return Ok(()),
    };
    for login in logins {
        let gid = state.alias(login.id, Kind::Gid, group)?;
        let code = state.alias(login.id, Kind::Code, group)?;
        let (msg_type, mut own) = own_fields(state, &login, happening)?;
        own["from_uin"] = json!(gid);
        own["gcode"] = json!(code);
        if tells_numbers(state, &login) {
            own["t_gcode"] = json!(group);
        }
        let value = render::with_head(state, &login, msg_type, &own)?;
        enqueue(
            state,
            &login,
            None,
            Some(&json!({"poll_type": "sys_g_msg", "value": value})),
        )?;
    }
    Ok(())
}

/// The number and the fields of a group's event.
fn own_fields(state: &mut State, login: &Login, happening: &Happening) -> Result<(i64, Value), StoreError> {
    let mut person = |qq: i64| state.alias(login.id, Kind::Person, qq);
    match happening {
        Happening::Joined { qq, operator, .. } => {
            let (member, admin) = (person(*qq)?, person(*operator)?);
            Ok((
                33,
                json!({
                    "type": "group_join", "op_type": 3, "new_member": member, "t_new_member": "",
                    "admin_uin": if *operator == 0 { 0 } else { admin }, "admin_nick": nick(state, *operator),
                }),
            ))
        }
        Happening::Left { qq, operator, .. } => {
            let removed = *operator != 0 && operator != qq;
            let (member, admin) = (person(*qq)?, person(*operator)?);
            Ok((
                34,
                json!({
                    "type": "group_leave", "op_type": if removed { 3 } else { 2 }, "old_member": member, "t_old_member": "",
                    "admin_uin": if removed { admin } else { 0 }, "admin_nick": if removed { nick(state, *operator) } else { String::new() },
                }),
            ))
        }
        Happening::AdminSet { qq, on, .. } => Ok((
            44,
            json!({
                "type": "group_admin_op", "op_type": i64::from(*on), "uin": person(*qq)?, "t_uin": "", "uin_flag": i64::from(*on),
            }),
        )),
        _ => Ok((0, json!({}))),
    }
}

fn shake(state: &mut State, chat: Chat, from: i64) -> Result<(), StoreError> {
    for login in sessions(state, chat).into_iter().filter(|login| login.account != from) {
        let uin = state.alias(login.id, Kind::Person, from)?;
        let value = render::with_head(state, &login, 9, &json!({"from_uin": uin}))?;
        enqueue(
            state,
            &login,
            None,
            Some(&json!({"poll_type": "shake_message", "value": value})),
        )?;
    }
    Ok(())
}
