//! Friends: the list, who is on line, recent chats (webqq.md §9.1, §9.6).

use serde_json::{Value, json};

use super::alias::Kind;
use super::entry::ptwebqq_optional;
use super::event;
use super::gate::{self, Stop, refuse};
use super::login::Login;
use super::people::{escape, is_online};
use super::system;
use super::{Answer, hash};
use crate::net::Request;
use crate::options::Era;
use crate::state::State;
use crate::world::Friend;

/// The `hash` of a list call.
pub(super) fn check_hash(state: &State, login: &Login, r: &Value) -> Result<(), Stop> {
    let usual = if state.era == Era::Web2013 {
        state.temper.list_hash
    } else {
        'P'
    };
    let armed = state.faults.find("hash_variant", login.account);
    let armed = armed.map(|armed| {
        armed
            .text("variant")
            .and_then(|word| word.chars().next())
            .unwrap_or('O')
    });
    let variant = armed.unwrap_or(usual);
    let given = gate::text(&r["hash"]);
    let fits = |variant, ptwebqq: &str| given == hash::list(variant, login.account, ptwebqq);
    let right = match variant {
        '-' => true,
        '*' => {
            given.is_empty()
                || ['P', 'O', 'Q', 'N']
                    .into_iter()
                    .any(|known| fits(known, &login.ptwebqq))
        }
        _ => fits(variant, &login.ptwebqq) || (ptwebqq_optional(state, login) && fits(variant, "")),
    };
    if right {
        return Ok(());
    }
    let wanted = if variant == '*' {
        "any known variant".to_owned()
    } else {
        format!("variant {variant}")
    };
    let why = format!("the hash is not {wanted} of own number and ptwebqq");
    Err(refuse(50, why).of(login).into())
}

fn friends_of(state: &State, account: i64) -> Vec<Friend> {
    state
        .world
        .account(account)
        .map(|account| account.friends.clone())
        .unwrap_or_default()
}

/// `get_user_friends2`.
pub(super) fn friends(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let r = gate::payload(request)?;
    let mut login = gate::login(state, request)?;
    gate::vfwebqq(&login, &gate::text(&r["vfwebqq"]))?;
    check_hash(state, &login, &r)?;
    let (mut friends, mut marks, mut vip, mut info) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for friend in friends_of(state, login.account) {
        let uin = state.alias(login.id, Kind::Person, friend.qq)?;
        friends.push(json!({"flag": 0, "uin": uin, "categories": 0}));
        if !friend.markname.is_empty() {
            marks.push(json!({"uin": uin, "markname": escape(&friend.markname), "type": 0}));
        }
        vip.push(json!({"vip_level": 0, "u": uin, "is_vip": 0}));
        info.push(json!({"face": 0, "flag": 8_389_126, "nick": escape(&friend.nickname), "uin": uin}));
    }
    let mut categories = vec![json!({"index": 1, "sort": 1, "name": "同事"})];
    if state.temper.category_zero {
        categories.insert(0, json!({"index": 0, "sort": 0, "name": "我的好友"}));
    }
    login.count("friends");
    state.keep_login(login.clone())?;
    let result =
        json!({"friends": friends, "marknames": marks, "categories": categories, "vipinfo": vip, "info": info});
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}

/// `get_online_buddies2`: who is on line; registers the session (webqq.md §3.7).
pub(super) fn online(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::session_of_query(state, request)?;
    // Clients of WebQQ left it out, and were answered.
    if !(login.by_password && request.param("vfwebqq").is_none()) {
        gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    }
    let mut result = Vec::new();
    for friend in friends_of(state, login.account)
        .into_iter()
        .filter(|friend| is_online(friend.qq))
    {
        let uin = state.alias(login.id, Kind::Person, friend.qq)?;
        result.push(json!({"uin": uin, "status": "online", "client_type": 1}));
    }
    let fresh = login
        .session
        .as_mut()
        .is_some_and(|session| !std::mem::replace(&mut session.registered, true));
    state.keep_login(login.clone())?;
    if fresh && state.faults.take("rival", login.account, |_| true).is_some() {
        event::kick_login(state, login.id)?;
        login = state.webqq.logins.get(&login.id).cloned().unwrap_or(login);
    }
    if fresh && state.seed != 0 {
        system::announce_status(state, &login)?;
    }
    login.count("online");
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}

/// `get_recent_list2`.
pub(super) fn recent(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let r = gate::payload(request)?;
    let mut login = gate::session_of(state, request, &r)?;
    gate::vfwebqq(&login, &gate::text(&r["vfwebqq"]))?;
    let mut result = Vec::new();
    for friend in friends_of(state, login.account) {
        result.push(json!({"uin": state.alias(login.id, Kind::Person, friend.qq)?, "type": 0}));
    }
    let groups: Vec<i64> = state.world.groups_of(login.account).map(|group| group.number).collect();
    for number in groups {
        result.push(json!({"uin": state.alias(login.id, Kind::Gid, number)?, "type": 1}));
    }
    login.count("recent");
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}
