//! Faults of single calls: which are meant, and what is answered in their place (webqq.md §5.2, §5.3, §9). How an answer
//! travels is [`passage`](super::passage)'s affair.

use std::time::Duration;

use serde_json::{Value, json};

use super::event;
use super::gate::refuse;
use super::login::{LOGIN_LIFE, Login};
use super::{Answer, token};
use crate::clock::parse_duration;
use crate::faults::Armed;
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::state::State;
use crate::store::StoreError;

/// What the client says its number is in calls without cookies.
const NAMES: [&str; 2] = ["u", "uin"];
const LISTS: [&str; 9] = [
    "get_user_friends2",
    "get_group_name_list_mask2",
    "get_group_info_ext2",
    "get_discus_list",
    "get_discu_info",
    "get_discu_list_new2",
    "get_self_info2",
    "get_friend_info2",
    "get_friend_uin2",
];
const LOGIN: [&str; 8] = [
    "check",
    "getimage",
    "login",
    "ptqrshow",
    "ptqrlogin",
    "check_sig",
    "getvfwebqq",
    "login2",
];

/// A call, as faults name it.
pub(super) struct Call {
    word: String,
    relink: bool,
    /// The account it is about, as far as that can be seen before anything is checked; else 0.
    pub(super) account: i64,
}

impl Call {
    pub(super) fn of(state: &State, request: &Request) -> Self {
        let word = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        let psessionid = || {
            let r: Value = serde_json::from_str(&request.field("r")?).ok()?;
            Some(r["psessionid"].as_str()?.to_owned())
        };
        let relink = word == "login2" && psessionid().is_some_and(|psessionid| !psessionid.is_empty());
        let skeys = request.cookie("skey");
        let mut logins = state.webqq.logins.values().rev();
        let login = logins.find(|login| skeys.contains(&login.skey.as_str()));
        let named = || NAMES.iter().find_map(|name| request.param(name)?.parse().ok());
        let account = login.map(|login| login.account).or_else(named).unwrap_or(0);
        Self { word, relink, account }
    }

    /// Whether a fault's name of a call is this one's.
    fn is(&self, name: &str) -> bool {
        match name {
            "any" => true,
            "poll" => self.word == "poll2",
            "send" => self.word.starts_with("send_"),
            "lists" => LISTS.contains(&self.word.as_str()),
            "relink" => self.relink,
            // The call and the family have one name.
            "login" => LOGIN.contains(&self.word.as_str()),
            name => self.word == name,
        }
    }

    pub(super) fn is_poll(&self) -> bool {
        self.word == "poll2"
    }

    /// Takes a fault that is armed for this call.
    pub(super) fn take(&self, state: &mut State, kind: &str, usual: &str) -> Option<Armed> {
        let fits = |armed: &Armed| self.is(armed.text("call").unwrap_or(usual));
        state.faults.take(kind, self.account, fits)
    }
}

/// A duration of a fault.
pub(super) fn delay(armed: &Armed, name: &str, usual: Duration) -> Duration {
    let seconds = armed.number(name).map(Duration::from_secs);
    seconds.or_else(|| parse_duration(armed.text(name)?)).unwrap_or(usual)
}

fn signed(armed: &Armed, name: &str, usual: i64) -> i64 {
    armed.number(name).and_then(|n| i64::try_from(n).ok()).unwrap_or(usual)
}

/// The answer of a code, with the text that was seen with it.
fn coded(state: &mut State, armed: &Armed, code: i64, word: &str) -> Answer {
    let seen = match code {
        103 | 1202 => "error",
        108 | 102 | 100_000 => "",
        122 => "wrong web client3",
        _ => "error!!!",
    };
    let body = match code {
        120 | 121 => json!({"retcode": code, "t": "0"}),
        code => json!({"retcode": code, "errmsg": armed.text("errmsg").unwrap_or(seen)}),
    };
    let answer = Answer::json(state, &body);
    Answer {
        fate: Fate::Refused,
        ..answer.saying(format!("{code} to {word} by the fault retcode"))
    }
}

/// What a call other than a poll is answered instead of being carried out.
pub(super) fn instead(state: &mut State, call: &Call) -> Option<Answer> {
    if call.is_poll() {
        return None;
    }
    let account = (call.account != 0).then_some(call.account);
    if state.faults.has("outage", call.account) && call.is("lists") {
        let body = json!({"retcode": 100_003, "result": {}});
        let answer = Answer::json(state, &body).saying("nothing by the fault outage");
        return Some(Answer { account, ..answer });
    }
    if call.word == "ptqrlogin"
        && let Some(armed) = state.faults.take("qr_code", call.account, |_| true)
    {
        let code = signed(&armed, "code", 10_005);
        let text = format!("ptuiCB('{code}','0','','0','登录失败，请稍后再试。', '');");
        return Some(Answer::script(&text, format!("{code}: by the fault qr_code")));
    }
    if call.word == "pt4_auth" && state.faults.has("no_quick_login", call.account) {
        let answer = Answer::script("ptui_auth_CB('-1','');", "by the fault no_quick_login");
        return Some(Answer {
            fate: Fate::Refused,
            account,
            ..answer
        });
    }
    let armed = call.take(state, "retcode", "poll2")?;
    let answer = coded(state, &armed, signed(&armed, "retcode", 103), &call.word);
    Some(Answer { account, ..answer })
}

/// What became of a call's answer: lists may be thinned, and what a call ends is ended.
pub(super) fn after(state: &mut State, call: &Call, answer: Answer) -> Answer {
    if answer.retcode != Some(0) || answer.fate != Fate::Answered {
        return answer;
    }
    state.faults.end_until(call.account, |name| call.is(name));
    if !call.is("lists") && call.word != "get_online_buddies2" && call.word != "get_recent_list2" {
        return answer;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(answer.reply.body()) else {
        return answer;
    };
    let why = if call.take(state, "empty_list", "lists").is_some() {
        shorten(&mut body["result"], |_| 0);
        "empty_list"
    } else if call.take(state, "partial_list", "lists").is_some() {
        shorten(&mut body["result"], |length| length.div_ceil(2));
        body["retcode"] = json!(100_003);
        "partial_list"
    } else if call.word == "get_group_info_ext2"
        && let Some(armed) = state.faults.take("thin_members", call.account, |_| true)
    {
        if let Some(result) = body["result"].as_object_mut() {
            result.remove(armed.text("without").unwrap_or("cards"));
        }
        "thin_members"
    } else {
        return answer;
    };
    let changed = Answer::json(state, &body);
    Answer {
        account: answer.account,
        ..changed.saying(format!("{} (by the fault {why})", answer.detail))
    }
}

/// Cuts every list in a result.
fn shorten(value: &mut Value, length: impl Fn(usize) -> usize + Copy) {
    match value {
        Value::Array(list) => list.truncate(length(list.len())),
        Value::Object(fields) => fields.values_mut().for_each(|field| shorten(field, length)),
        _ => {}
    }
}

/// What a poll is answered at once, before it is looked what waits.
pub(super) fn of_poll(state: &mut State, login: &Login) -> Result<Option<Answer>, StoreError> {
    let account = login.account;
    if state.faults.take("kick_session", account, |_| true).is_some() {
        event::kick_login(state, login.id)?;
        return Ok(None);
    }
    if let Some(armed) = state.faults.take("expire_login", account, |_| true) {
        let code = signed(&armed, "code", state.temper.expired_code);
        let mut login = login.clone();
        login.since = state.clock.now() - LOGIN_LIFE;
        state.keep_login(login.clone())?;
        return Ok(Some(
            refuse(code, "the login ends by the fault expire_login")
                .of(&login)
                .answer(state),
        ));
    }
    if let Some(armed) = state.faults.take("new_ptwebqq", account, |_| true) {
        let length = usize::try_from(signed(&armed, "length", 64)).unwrap_or(64).min(200);
        let mut login = login.clone();
        login.ptwebqq = token::hex(length);
        login.count("new_ptwebqq");
        let body = json!({"retcode": 116, "p": login.ptwebqq});
        state.keep_login(login.clone())?;
        state.faults.end_zombie(account);
        return Ok(Some(Answer::json(state, &body).of(&login).saying("a new ptwebqq")));
    }
    if let Some(armed) = state.faults.take("lost_link", account, |_| true) {
        let code = signed(&armed, "code", 121);
        let mut login = login.clone();
        if let Some(session) = &mut login.session {
            session.unlinked = Some(code);
        }
        state.keep_login(login)?;
    }
    if let Some(code) = state
        .webqq
        .logins
        .get(&login.id)
        .and_then(|login| login.session.as_ref()?.unlinked)
    {
        return Ok(Some(
            refuse(code, "the link is lost: a relink is needed")
                .of(login)
                .answer(state),
        ));
    }
    if state.faults.has("outage", account) {
        return Ok(Some(refuse(100_003, "by the fault outage").of(login).answer(state)));
    }
    let call = Call {
        word: "poll2".to_owned(),
        relink: false,
        account,
    };
    let Some(armed) = call.take(state, "retcode", "poll2") else {
        return Ok(None);
    };
    Ok(Some(
        coded(state, &armed, signed(&armed, "retcode", 103), "poll2").of(login),
    ))
}

/// How an idle poll is answered by a fault.
pub(super) fn idle(state: &mut State, login: &Login) -> Option<Answer> {
    let armed = state.faults.take("idle_form", login.account, |_| true)?;
    let body = match signed(&armed, "form", 3) {
        1 => json!({"errmsg": "error!!!", "retcode": 0}),
        2 => json!({"errmsg": "error", "retcode": 0}),
        4 => json!({"retcode": 0, "result": "ok"}),
        5 => json!({"retcode": 0, "retmsg": "ok", "errmsg": "error"}),
        6 => json!({"retcode": 102, "errmsg": ""}),
        7 => {
            return Some(Answer::new(
                Reply::new("text/plain", ""),
                Fate::Answered,
                "idle: no body",
            ));
        }
        _ => json!({"errmsg": ""}),
    };
    Some(Answer::json(state, &body))
}
