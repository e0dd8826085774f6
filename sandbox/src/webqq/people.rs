//! Who somebody is: self, friends, signatures, real numbers (webqq.md §9.5, §9.6).

use serde_json::{Value, json};

use super::alias::Kind;
use super::gate::{self, Stop, refuse};
use super::login::Login;
use super::{Answer, nothing};
use crate::net::Request;
use crate::options::Era;
use crate::state::State;

/// Text as the service writes it in names and, in these years, in messages (webqq.md §1).
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether the service tells this login real numbers (webqq.md §9.5).
pub(super) fn tells_numbers(state: &State, login: &Login) -> bool {
    state.era != Era::Smart2018 && !state.faults.has("withhold_numbers", login.account)
}

/// The own name of somebody, as the service writes it.
pub(super) fn nick(state: &State, qq: i64) -> String {
    escape(state.world.nickname(qq).unwrap_or_default())
}

/// Whether somebody is on line. Nobody ever changes it.
pub(super) fn is_online(qq: i64) -> bool {
    qq % 5 != 0
}

fn card(state: &State, login: &Login, qq: i64, uin: i64) -> Value {
    json!({
        "birthday": {"month": 1, "year": 1990, "day": 1}, "face": 555, "phone": "", "occupation": "", "allow": 1,
        "college": "", "uin": uin, "blood": 0, "constel": 1, "lnick": "", "vfwebqq": login.vfwebqq, "homepage": "",
        "vip_info": 0, "city": "", "country": "中国", "personal": "", "shengxiao": 0, "nick": nick(state, qq),
        "email": "", "province": "", "gender": "unknown", "mobile": "",
    })
}

/// `get_self_info2`.
pub(super) fn self_info(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::login(state, request)?;
    let mut result = card(state, &login, login.account, login.account);
    result["account"] = json!(login.account);
    login.count("self");
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}

/// The person behind the field `tuin`.
fn person(state: &State, request: &Request, login: &Login) -> Result<(i64, i64), Stop> {
    let uin = request.param("tuin").and_then(|value| value.parse().ok()).unwrap_or(0);
    let qq = state.real(login.id, Kind::Person, uin);
    Ok((
        uin,
        qq.ok_or_else(|| refuse(100_001, format!("no person has the uin {uin} in this login")).of(login))?,
    ))
}

/// `get_friend_info2`.
pub(super) fn friend_info(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let login = gate::login(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let (uin, qq) = person(state, request, &login)?;
    let mut result = card(state, &login, qq, uin);
    result["stat"] = json!(if is_online(qq) { 10 } else { 20 });
    result["client_type"] = json!(1);
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}

/// `get_single_long_nick2`: the signature.
pub(super) fn long_nick(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let login = gate::login(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let (uin, _) = person(state, request, &login)?;
    Ok(Answer::json(state, &json!({"retcode": 0, "result": [{"uin": uin, "lnick": ""}]})).of(&login))
}

/// `get_friend_uin2`: the real number behind a uin (type 1) or a group's code or gid (type 4). Gone in the last year.
pub(super) fn real_number(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let withheld = gate::cookies(state, request).is_ok_and(|login| !tells_numbers(state, &login));
    if state.era == Era::Smart2018 || withheld {
        return Ok(nothing(request).saying("real numbers are not told any more since April 2017"));
    }
    let mut login = gate::login(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let tuin = request.param("tuin").and_then(|value| value.parse().ok()).unwrap_or(0);
    let account = match (request.param("type"), state.meaning(login.id, tuin)) {
        (Some("1"), Some((Kind::Person, number))) | (Some("4"), Some((Kind::Code, number))) => number,
        // Clients of SmartQQ asked with the gid.
        (Some("4"), Some((Kind::Gid, number))) if state.era != Era::Web2013 => number,
        (kind, meaning) => {
            let what = meaning.map_or_else(|| "nobody's".to_owned(), |(kind, _)| format!("a {kind:?}"));
            let why = format!(
                "tuin {tuin} is {what}, which type {} does not ask about",
                kind.unwrap_or("(none)")
            );
            return Err(refuse(6, why).of(&login).into());
        }
    };
    login.count("uin2");
    state.keep_login(login.clone())?;
    let body = json!({"retcode": 0, "result": {"uiuin": "", "account": account, "uin": tuin}});
    Ok(Answer::json(state, &body).of(&login))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_escaped() {
        assert_eq!(
            super::escape("<b>Tom & \"J\"'s"),
            "&lt;b&gt;Tom &amp; &quot;J&quot;&#39;s"
        );
    }
}
