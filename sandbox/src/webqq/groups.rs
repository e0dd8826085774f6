//! Groups, their members, and discussion groups (webqq.md §9.2 to §9.4).

use serde_json::json;

use super::Answer;
use super::alias::Kind;
use super::buddies::check_hash;
use super::gate::{self, Stop, refuse};
use super::people::{escape, is_online, nick};
use crate::net::Request;
use crate::options::Era;
use crate::state::State;
use crate::world::Role;

/// How many bytes of a card the service gives out.
const CARD_BYTES: usize = 21;

/// Stands for the first byte of a character of which the rest is cut off.
const HALF: char = '\u{F8FF}';

/// `get_group_name_list_mask2`.
pub(super) fn list(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let r = gate::payload(request)?;
    let mut login = gate::login(state, request)?;
    gate::vfwebqq(&login, &gate::text(&r["vfwebqq"]))?;
    // Until 2014 the group list wanted no hash.
    if state.era != Era::Web2013 {
        check_hash(state, &login, &r)?;
    }
    let groups: Vec<_> = state
        .world
        .groups_of(login.account)
        .map(|group| (group.number, escape(&group.name)))
        .collect();
    let mut names = Vec::new();
    for (number, name) in groups {
        let gid = state.alias(login.id, Kind::Gid, number)?;
        let code = state.alias(login.id, Kind::Code, number)?;
        names.push(json!({"flag": 17_826_817, "name": name, "gid": gid, "code": code}));
    }
    login.count("groups");
    state.keep_login(login.clone())?;
    let result = json!({"gmasklist": [], "gnamelist": names, "gmarklist": []});
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}

/// `get_group_info_ext2`: one group's members, asked by `code`.
pub(super) fn info(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::login(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let code = request.param("gcode").and_then(|value| value.parse().ok()).unwrap_or(0);
    let group = state
        .real(login.id, Kind::Code, code)
        .and_then(|number| state.world.group(number))
        .cloned();
    let Some(group) = group.filter(|group| group.member(login.account).is_some()) else {
        return Err(refuse(6, format!("no group has the code {code} in this login"))
            .of(&login)
            .into());
    };
    let gid = state.alias(login.id, Kind::Gid, group.number)?;
    let (mut owner, base) = (0, [0, 20][state.temper.pick(2)]);
    let (mut on_line, mut minfo, mut members, mut cards, mut vip) = (vec![], vec![], vec![], vec![], vec![]);
    for member in &group.members {
        let uin = state.alias(login.id, Kind::Person, member.qq)?;
        if member.role == Role::Owner {
            owner = uin;
        }
        if is_online(member.qq) || member.qq == login.account {
            on_line.push(json!({"client_type": if uin == login.account { 41 } else { 1 }, "uin": uin, "stat": 10}));
        }
        let name = escape(&member.nickname);
        let gender = "male";
        minfo.push(json!({"nick": name, "province": "", "gender": gender, "uin": uin, "country": "中国", "city": ""}));
        members.push(json!({"muin": uin, "mflag": base + i64::from(member.role == Role::Admin)}));
        if !member.card.is_empty() {
            let card = cut(
                &member.card,
                state.temper.cards_cut_inside || state.faults.has("cut_cards", login.account),
            );
            cards.push(json!({"muin": uin, "card": card}));
        }
        vip.push(json!({"vip_level": 0, "u": uin, "is_vip": 0}));
    }
    let mut result = json!({
        "stats": on_line, "minfo": minfo, "vipinfo": vip,
        "ginfo": {
            "face": 0, "memo": "", "class": 25, "fingermemo": "", "code": code, "createtime": 1_360_000_000,
            "flag": 17_826_817, "level": 0, "name": escape(&group.name), "gid": gid, "owner": owner,
            "members": members, "option": 2,
        },
    });
    // Nobody has a card: then the list is absent, not empty.
    if !cards.is_empty() {
        result["cards"] = json!(cards);
    }
    login.count("members");
    state.keep_login(login.clone())?;
    let said = format!("the members of group {}", group.number);
    let answer = Answer::json(state, &json!({"retcode": 0, "result": result}));
    Ok(answer.of(&login).saying(said).replacing(HALF, b"\xE4"))
}

/// A card as far as the service gives it out. Cut inside a character it ends in [`HALF`].
fn cut(card: &str, inside: bool) -> String {
    let mut end = card.len().min(CARD_BYTES);
    while !card.is_char_boundary(end) {
        end -= 1;
    }
    let half = inside && card[end..].chars().next().is_some_and(|next| next.len_utf8() > 1);
    let mut shown = escape(&card[..end]);
    if half {
        shown.push(HALF);
    }
    shown
}

/// `get_discus_list`.
pub(super) fn discussions(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::session_of_query(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let found: Vec<_> = state
        .world
        .discussions_of(login.account)
        .map(|d| (d.id, escape(&d.name)))
        .collect();
    let (mut names, mut masks) = (Vec::new(), Vec::new());
    for (id, name) in found {
        let did = state.alias(login.id, Kind::Did, id)?;
        names.push(json!({"name": name, "did": did}));
        masks.push(json!({"did": did, "mask": 0}));
    }
    login.count("discussions");
    state.keep_login(login.clone())?;
    let body = json!({"retcode": 0, "result": {"dnamelist": names, "dmasklist": masks}});
    Ok(Answer::json(state, &body).of(&login))
}

/// `get_discu_info`: one discussion group's members.
pub(super) fn discussion(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let login = gate::session_of_query(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let did = request.param("did").and_then(|value| value.parse().ok()).unwrap_or(0);
    let id = state.real(login.id, Kind::Did, did);
    let found = state
        .world
        .discussions_of(login.account)
        .find(|discussion| Some(discussion.id) == id)
        .cloned();
    let Some(found) = found else {
        return Err(
            refuse(100_001, format!("no discussion group has the did {did} in this login"))
                .of(&login)
                .into(),
        );
    };
    let withheld = state.faults.has("withhold_numbers", login.account);
    let (mut list, mut status, mut info, mut owner) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (i, member) in found.members.iter().enumerate() {
        let uin = state.alias(login.id, Kind::Person, member.qq)?;
        if i == 0 {
            owner = uin;
        }
        let mut row = json!({"mem_uin": uin});
        if !withheld {
            row["ruin"] = json!(member.qq);
        }
        list.push(row);
        if is_online(member.qq) {
            status.push(json!({"uin": uin, "status": "online", "client_type": 1}));
        }
        info.push(json!({"uin": uin, "nick": nick(state, member.qq)}));
    }
    let head = json!({
        "did": did, "discu_owner": owner, "discu_name": escape(&found.name), "info_seq": list.len(), "mem_list": list,
    });
    let body = json!({"retcode": 0, "result": {"info": head, "mem_status": status, "mem_info": info}});
    Ok(Answer::json(state, &body).of(&login))
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn cards_are_cut() {
        assert_eq!(cut("一二三四五六七八", false), "一二三四五六七");
        assert_eq!(cut("a一二三四五六七八", false), "a一二三四五六");
        assert_eq!(cut("a一二三四五六七八", true), "a一二三四五六\u{F8FF}");
        assert_eq!(cut("short", true), "short");
    }
}
