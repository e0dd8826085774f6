//! The last steps of the way in: `getvfwebqq` and `login2`, new or as relink (webqq.md §3.5, §3.6, §11.1).

use serde_json::{Value, json};

use super::gate::{self, Stop, refuse};
use super::login::{Ending, Login, Session};
use super::{Answer, event, queue, token};
use crate::net::Request;
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;

/// `getvfwebqq`: the token of the lists.
pub(super) fn getvfwebqq(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let mut login = gate::login(state, request)?;
    same_ptwebqq(state, &login, request.param("ptwebqq").unwrap_or_default())?;
    login.count("getvfwebqq");
    let body = json!({"retcode": 0, "result": {"vfwebqq": login.vfwebqq}});
    state.keep_login(login.clone())?;
    Ok(Answer::json(state, &body).of(&login))
}

/// Whether a client may leave `ptwebqq` empty wherever it would name it, as clients of 2018 did, until it is renewed.
pub(super) fn ptwebqq_optional(state: &State, login: &Login) -> bool {
    state.era == Era::Smart2018 && !login.done.contains_key("new_ptwebqq")
}

/// The cookie, too, must have a `ptwebqq` that was renewed.
fn same_cookie(state: &State, request: &Request, login: &Login) -> Result<(), Stop> {
    let given = request.cookie("ptwebqq");
    let renewed = login.done.contains_key("new_ptwebqq");
    if !renewed || state.lax || given.is_empty() || given.contains(&login.ptwebqq.as_str()) {
        return Ok(());
    }
    let why = "the cookie ptwebqq is not the renewed one";
    Err(refuse(100_000, why).of(login).into())
}

fn same_ptwebqq(state: &State, login: &Login, given: &str) -> Result<(), Stop> {
    if given == login.ptwebqq || (given.is_empty() && ptwebqq_optional(state, login)) {
        return Ok(());
    }
    Err(refuse(100_000, "the ptwebqq is not the one of the cookie")
        .of(login)
        .into())
}

/// `login2`: opens the channel.
pub(super) fn login2(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let r = gate::payload(request)?;
    let mut login = gate::login(state, request).map_err(|refusal| match refusal.code {
        // To a relink of a dead login the service says that nobody is logged in (§11.1).
        100_000 => gate::Refusal { code: 103, ..refusal },
        _ => refusal,
    })?;
    same_ptwebqq(state, &login, &gate::text(&r["ptwebqq"]))?;
    same_cookie(state, request, &login)?;
    let clientid = gate::text(&r["clientid"]);
    if clientid.is_empty() {
        return Err(refuse(100_001, "no clientid").of(&login).into());
    }
    let status = [&r["status"], &r["state"]]
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or("online")
        .to_owned();
    let psessionid = gate::text(&r["psessionid"]);
    let said = if psessionid.is_empty() {
        login = open(state, login, clientid, status)?;
        "a session begins"
    } else {
        login = relink(state, login, &psessionid, clientid, status)?;
        "relinked: a new psessionid"
    };
    login.count("login2");
    let session = login.session.clone().ok_or_else(|| refuse(103, "no session"))?;
    state.keep_login(login.clone())?;
    let body = json!({"retcode": 0, "result": {
        "uin": login.account, "cip": 23_600_812, "index": 1075, "port": 47_450, "status": session.status,
        "vfwebqq": session.tail(), "psessionid": session.psessionid, "user_state": 0, "f": 0,
    }});
    Ok(Answer::json(state, &body).of(&login).saying(said))
}

/// A new session of these cookies: their old one is over, and so are the sessions of other logins of the account.
fn open(state: &mut State, mut login: Login, clientid: String, status: String) -> Result<Login, Stop> {
    let again = login.session.is_some();
    if again {
        login.end(Ending::Replaced);
        queue::forget_queue(state, &login, "another login2 of the same cookies")?;
    }
    // New numbers at every login; the lists are read after it. But clients of 2013 relinked in this way, too, without
    // psessionid, and went on polling with the lists they had.
    let relinks = again && login.by_password;
    if !relinks || renews(state, &login) {
        state.renew_aliases(login.id)?;
    }
    kick_others(state, &login)?;
    let mut session = Session::new(clientid, state.clock.now(), status);
    // What everybody must call since 2015 was not wanted by every server before.
    session.registered = login.by_password && (state.lax || !state.temper.registers);
    begin(&mut login, session);
    Ok(login)
}

fn begin(login: &mut Login, session: Session) {
    if login.by_password {
        session.tail().clone_into(&mut login.vfwebqq);
    }
    login.session = Some(session);
}

fn kick_others(state: &mut State, login: &Login) -> Result<(), StoreError> {
    let others: Vec<i64> = state
        .webqq
        .logins
        .values()
        .filter(|other| other.account == login.account && other.id != login.id)
        .filter(|other| other.session.as_ref().is_some_and(|session| !session.kicked))
        .map(|other| other.id)
        .collect();
    others.into_iter().try_for_each(|id| event::kick_login(state, id))
}

/// Whether a relink gives new temporary numbers.
fn renews(state: &State, login: &Login) -> bool {
    state.temper.relink_renews || state.faults.has("new_uins", login.account)
}

/// The same session under a new `psessionid`; its queue and its registration go on.
fn relink(
    state: &mut State,
    mut login: Login,
    psessionid: &str,
    clientid: String,
    status: String,
) -> Result<Login, Stop> {
    let Some(session) = login
        .session
        .clone()
        .filter(|session| session.psessionid == psessionid && !session.kicked)
    else {
        return Err(refuse(103, "relink: the psessionid is not the session's")
            .of(&login)
            .into());
    };
    if renews(state, &login) {
        state.renew_aliases(login.id)?;
    }
    login.end(Ending::Relinked);
    let fresh = Session::new(clientid, state.clock.now(), status);
    let relinked = Session {
        psessionid: fresh.psessionid,
        clientid: fresh.clientid,
        since: fresh.since,
        relinked: true,
        unlinked: None,
        ..session
    };
    begin(&mut login, relinked);
    login.ptsigx = token::hex(160);
    Ok(login)
}
