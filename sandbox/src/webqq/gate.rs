//! The checks every call must pass (webqq.md §13), and the answer of one that did not.

use serde_json::{Value, json};

use super::login::Login;
use super::{Answer, HostKind};
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::state::State;
use crate::store::StoreError;

/// Why a call is not served.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A check failed.
    Refused(Refusal),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A failed check.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) why: String,
    pub(crate) account: Option<i64>,
}

/// A refusal with a code of the service.
pub(crate) fn refuse(code: i64, why: impl Into<String>) -> Refusal {
    Refusal {
        code,
        why: why.into(),
        account: None,
    }
}

impl Refusal {
    /// The same, about an account.
    pub(crate) fn of(self, login: &Login) -> Self {
        Self {
            account: Some(login.account),
            ..self
        }
    }

    /// The answer that the client sees.
    pub(crate) fn answer(self, state: &mut State) -> Answer {
        let errmsg = ["error", "error!!!", ""][state.temper.pick(3)];
        let body = match self.code {
            121 => json!({"retcode": 121, "t": "0"}),
            100 => json!({"retcode": 100, "errmsg": ""}),
            code => json!({"retcode": code, "errmsg": errmsg}),
        };
        let mut answer = Answer::json(state, &body);
        answer.fate = Fate::Refused;
        answer.retcode = Some(self.code);
        answer.account = self.account;
        answer.detail = self.why;
        answer
    }
}

/// A number that may have come as a JSON number or as text.
pub(crate) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A text that may have come as a JSON number or as text; null and absent are empty.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The JSON object in the form field `r`.
pub(crate) fn payload(request: &Request) -> Result<Value, Refusal> {
    let field = request
        .field("r")
        .ok_or_else(|| refuse(100_001, "the form field r is missing"))?;
    let value: Value =
        serde_json::from_str(&field).map_err(|error| refuse(100_001, format!("the field r is no JSON: {error}")))?;
    value
        .is_object()
        .then_some(value)
        .ok_or_else(|| refuse(100_001, "the field r is no JSON object"))
}

/// The login whose cookies the request carries, if it is still good and the Referer is what the service wanted.
pub(crate) fn login(state: &State, request: &Request) -> Result<Login, Refusal> {
    referer(request)?;
    let found = cookies(state, request)?;
    let old = |seconds: i64| {
        let since = found.session.as_ref().map_or(found.since, |session| session.since);
        found.by_password && state.clock.now() - since > seconds
    };
    let lists = request.host.as_deref().and_then(HostKind::of) == Some(HostKind::Lists);
    if lists && state.temper.lists_for.is_some_and(old) {
        return Err(refuse(100_000, "lists are not answered until a relink").of(&found));
    }
    Ok(found)
}

fn referer(request: &Request) -> Result<(), Refusal> {
    let proxy = |path: &str| path.starts_with("/proxy.html") || path.starts_with("/cfproxy.html");
    match request.referer() {
        Some((host, path)) if HostKind::of(&host).is_some_and(HostKind::is_web2) && proxy(&path) => Ok(()),
        Some((host, path)) => Err(refuse(
            103,
            format!("the Referer {host}{path} is not the proxy page of s.web2 or d1.web2"),
        )),
        None => Err(refuse(103, "no Referer with the proxy page of s.web2 or d1.web2")),
    }
}

/// The login whose cookies the request carries, if it is still good.
pub(crate) fn cookies(state: &State, request: &Request) -> Result<Login, Refusal> {
    if !request.has_user_agent() && !state.lax {
        return Err(refuse(100_101, "no User-Agent"));
    }
    if !request.has_cookies() {
        return Err(refuse(100_101, "no cookies at all"));
    }
    let p_skeys = request.cookie("p_skey");
    let skeys = request.cookie("skey");
    let logins = &state.webqq.logins;
    let by_p_skey = logins
        .values()
        .rev()
        .find(|login| login.checked && p_skeys.contains(&login.p_skey.as_str()));
    let by_skey = || logins.values().rev().find(|login| skeys.contains(&login.skey.as_str()));
    let found = match by_p_skey {
        Some(login) => login,
        None => match by_skey() {
            Some(login) if state.lax || login.bare => login,
            Some(login) if login.by_password => {
                let code = state.temper.unsigned_code;
                return Err(refuse(code, "the cookie p_skey of check_sig is missing").of(login));
            }
            Some(login) => return Err(refuse(100_001, "the cookie p_skey of check_sig is missing").of(login)),
            None => return Err(refuse(100_001, "the cookies are of no login")),
        },
    };
    match found.void(state.clock.now()) {
        Some(why) => Err(refuse(100_000, why).of(found)),
        None => Ok(found.clone()),
    }
}

/// The login whose `skey` the request carries, if it is still good: `p_skey` is a cookie of web2.qq.com only, so no client
/// shows it to other hosts.
pub(crate) fn by_skey(state: &State, request: &Request) -> Option<Login> {
    let skeys = request.cookie("skey");
    let known = |login: &&Login| skeys.contains(&login.skey.as_str()) && login.void(state.clock.now()).is_none();
    state.webqq.logins.values().rev().find(known).cloned()
}

/// The login, which must have this session.
pub(crate) fn session(state: &State, request: &Request, psessionid: &str, clientid: &str) -> Result<Login, Refusal> {
    let login = login(state, request)?;
    let Some(session) = &login.session else {
        return Err(refuse(103, "no session: login2 was not called, or the session is over").of(&login));
    };
    if session.psessionid != psessionid {
        let why = match login.past.iter().find(|past| past.psessionid == psessionid) {
            Some(past) => format!("this psessionid is over: {:?}", past.why).to_lowercase(),
            None => "the psessionid is not the session's".to_owned(),
        };
        return Err(refuse(103, why).of(&login));
    }
    if session.clientid != clientid {
        let why = format!("the clientid {clientid} is not the {} of login2", session.clientid);
        return Err(refuse(103, why).of(&login));
    }
    if session.unlinked.is_some() {
        return Err(refuse(103, "the link is lost: a relink is needed").of(&login));
    }
    if session.kicked {
        return Err(refuse(103, "the session was kicked").of(&login));
    }
    Ok(login)
}

/// The session named by the fields of the query.
pub(crate) fn session_of_query(state: &State, request: &Request) -> Result<Login, Refusal> {
    let field = |name| request.param(name).unwrap_or_default();
    session(state, request, field("psessionid"), field("clientid"))
}

/// The session named by the fields of `r`.
pub(crate) fn session_of(state: &State, request: &Request, r: &Value) -> Result<Login, Refusal> {
    session(state, request, &text(&r["psessionid"]), &text(&r["clientid"]))
}

/// The `vfwebqq` of getvfwebqq. After a relink its own one serves too: which of the two the service wanted is not known.
pub(crate) fn vfwebqq(login: &Login, given: &str) -> Result<(), Refusal> {
    // In 2013 it is login2's own.
    if given == login.vfwebqq && login.by_password && login.session.is_some() {
        return Ok(());
    }
    if given == login.vfwebqq && login.done.contains_key("getvfwebqq") {
        return Ok(());
    }
    if login
        .session
        .as_ref()
        .is_some_and(|session| session.relinked && session.tail() == given)
    {
        return Ok(());
    }
    Err(refuse(100_000, "the vfwebqq is not the one of getvfwebqq").of(login))
}

/// The method of a call.
pub(crate) fn wrong_method(request: &Request) -> Answer {
    Answer::new(
        Reply::status(405),
        Fate::Refused,
        format!("{} is the wrong method", request.method),
    )
}
