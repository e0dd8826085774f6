//! The way in of 2013: `check`, perhaps a captcha, and `login` with the hashed password (webqq.md §2.1 to §2.4).
//!
//! ```text
//! check ──0──────────────────────────────► login ─0─► (check_sig ─►) login2
//!   └─1─► getimage ─► a person reads it ──► login ─4─► check
//! ```
//!
//! What `check` asked is used up by the next `login`, whatever becomes of it. It is kept in memory only: who was between the two
//! when the sandbox ended begins anew.

use std::fmt::Write as _;

use super::login::Login;
use super::{Answer, captcha, hash, sign_in, token};
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;
use crate::world::Protocol;

/// The application number of `WebQQ`.
const APPID: &str = "1003903";
/// For how many seconds a code is good (webqq.md §2.2).
const CODE_LIFE: i64 = 15 * 60;
/// How many questions are remembered.
const CHALLENGES_KEPT: usize = 64;

/// What a `login` must bring back.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    account: i64,
    /// The default code, or what the picture says; empty while the picture was not fetched.
    pub(crate) code: String,
    /// The value of the cookie `ptvfsession` or `verifysession`.
    session: String,
    made: i64,
    captcha: bool,
}

impl Challenge {
    /// Whether a picture waits to be read, and whose it is.
    pub(crate) fn shown(&self, now: i64) -> Option<i64> {
        (self.captcha && !self.code.is_empty() && now - self.made <= CODE_LIFE).then_some(self.account)
    }
}

fn refused(answer: Answer) -> Answer {
    Answer {
        fate: Fate::Refused,
        ..answer
    }
}

fn keep(state: &mut State, challenge: Challenge) {
    state.webqq.challenges.push(challenge);
    if state.webqq.challenges.len() > CHALLENGES_KEPT {
        state.webqq.challenges.remove(0);
    }
    state.wake();
}

/// `check`: whether a captcha is wanted.
pub(super) fn check(state: &mut State, request: &Request) -> Answer {
    let account: Option<i64> = request.param("uin").and_then(|uin| uin.parse().ok());
    let Some(account) = account.filter(|uin| *uin > 0) else {
        return refused(Answer::script("ptui_checkVC('2','','');", "the uin is no number"));
    };
    if state.era == Era::Web2013 && request.param("appid") != Some(APPID) && !state.lax {
        return refused(Answer::script(
            "ptui_checkVC('2','','');",
            format!("the appid is not {APPID}"),
        ));
    }
    let escaped = hash::uin8(account).iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
        text
    });
    let wanted = state.world.account(account).is_some_and(|known| known.captcha)
        || state.faults.take("captcha", account, |_| true).is_some();
    state.webqq.challenges.retain(|challenge| challenge.account != account);
    let made = state.clock.now();
    if wanted {
        keep(
            state,
            Challenge {
                account,
                code: String::new(),
                session: String::new(),
                made,
                captcha: true,
            },
        );
        let id = token::hex(48);
        return Answer::script(
            &format!("ptui_checkVC('1','{id}','{escaped}');"),
            "1: a captcha is wanted",
        );
    }
    let code = format!("!{}", token::capitals(3));
    let session = token::hex(64);
    let cookie = request.set_cookie("qq.com", "ptvfsession", &session);
    let answer = Answer::script(
        &format!("ptui_checkVC('0','{code}','{escaped}');"),
        "0: no captcha is wanted",
    );
    keep(
        state,
        Challenge {
            account,
            code,
            session,
            made,
            captcha: false,
        },
    );
    Answer {
        reply: answer.reply.cookies([cookie]),
        ..answer
    }
}

/// `getimage`: a picture of four letters, as JPEG; sets `verifysession`.
pub(super) fn image(state: &mut State, request: &Request) -> Answer {
    let account: i64 = request.param("uin").and_then(|uin| uin.parse().ok()).unwrap_or(0);
    state.webqq.challenges.retain(|challenge| challenge.account != account);
    let (code, session) = (captcha::code(), token::hex(120));
    let reply = Reply::new("image/jpeg", captcha::picture(&code));
    let cookie = request.set_cookie("qq.com", "verifysession", &session);
    let made = state.clock.now();
    keep(
        state,
        Challenge {
            account,
            code,
            session,
            made,
            captcha: true,
        },
    );
    let answer = Answer::new(reply.cookies([cookie]), Fate::Answered, "a captcha is shown");
    Answer {
        account: Some(account),
        ..answer
    }
}

/// What the service says to a login that it does not take.
fn no(request: &Request, code: i64, sub: i64, why: impl Into<String>) -> Answer {
    let message = match code {
        1 => "系统繁忙，请稍后重试。",
        2 => "您输入的QQ号已过期。",
        3 => "您输入的帐号或密码不正确，请重新输入。",
        4 if sub == 2 => "页面过期，请重试。",
        4 => "您输入的验证码不正确，请重新输入。",
        5 => "验证失败，请重试。",
        6 | 71 => "您的登录过于频繁，请稍后再试。",
        8 => "您的IP登录次数过多，请稍后再试。",
        19 => "您的帐号暂时无法登录，请<a href=\"http://aq.qq.com/007\">点击这里</a>恢复正常使用。",
        10_005 => "为了您的帐号安全，请使用手机QQ扫码登录。",
        _ => "网络异常，请稍后重试。",
    };
    let account = request.param("u").and_then(|uin| uin.parse().ok());
    let answer = Answer::script(
        &format!("ptuiCB('{code}','{sub}','','0','{message}', '');"),
        format!("{code}: {}", why.into()),
    );
    refused(Answer {
        account,
        retcode: Some(code),
        ..answer
    })
}

/// `login`: number, hashed password and code.
pub(super) fn login(state: &mut State, request: &Request) -> Result<Answer, StoreError> {
    let field = |name| request.param(name).unwrap_or_default();
    if state.era != Era::Web2013 {
        return Ok(no(request, 10_005, 0, "in these years only the QR code lets in"));
    }
    let account: i64 = field("u").parse().unwrap_or(0);
    if let Some(fault) = state.faults.take("login_code", account, |_| true) {
        let number = |name| fault.number(name).and_then(|n| i64::try_from(n).ok());
        let (code, sub) = (number("code").unwrap_or(3), number("sub").unwrap_or(0));
        return Ok(no(request, code, sub, "by the fault login_code"));
    }
    if field("u").is_empty() || field("p").is_empty() || field("verifycode").is_empty() {
        return Ok(no(request, 7, 0, "u, p or verifycode is missing"));
    }
    if !state.lax && (field("aid") != APPID || field("fp").is_empty()) {
        return Ok(no(request, 7, 0, format!("aid is not {APPID}, or fp is missing")));
    }
    let sessions = [request.cookie("ptvfsession"), request.cookie("verifysession")].concat();
    if sessions.is_empty() {
        return Ok(no(request, 24, 0, "neither the cookie ptvfsession nor verifysession"));
    }
    let place = state
        .webqq
        .challenges
        .iter()
        .position(|challenge| challenge.account == account && sessions.contains(&challenge.session.as_str()));
    let Some(place) = place else {
        return Ok(no(
            request,
            4,
            2,
            "no check, or no getimage, of this number and these cookies",
        ));
    };
    let challenge = state.webqq.challenges.remove(place);
    state.wake();
    let now = state.clock.now();
    if now - challenge.made > CODE_LIFE {
        return Ok(no(request, 4, 2, "the code is older than 15 minutes"));
    }
    let from_page = request.referer().is_some_and(|(host, _)| host.contains("ptlogin2"));
    if challenge.captcha && !from_page && !state.lax {
        return Ok(no(request, 5, 0, "after a captcha the Referer must be the login page"));
    }
    if !field("verifycode").eq_ignore_ascii_case(&challenge.code) {
        return Ok(no(request, 4, 0, "the code is wrong"));
    }
    let known = state
        .world
        .account(account)
        .filter(|known| known.protocol == Protocol::Webqq);
    let password = known.and_then(|known| known.password.clone());
    let right = password.is_some_and(|words| hash::password(account, &words, &challenge.code) == field("p"));
    if !right {
        return Ok(no(request, 3, 0, "no such account, or not the hash of its password"));
    }
    if let Some(fault) = state.faults.take("frozen", account, |_| true) {
        if fault.text("as") != Some("link") {
            return Ok(no(request, 19, 0, "by the fault frozen"));
        }
        let url = request.url("aq.qq.com", "/cn2/login_limit/index");
        return Ok(no(request, 0, 0, "frozen, told by a link, by the fault frozen")
            .with_script(&format!("ptuiCB('0','0','{url}','0','登录成功！', '');")));
    }
    let with_ptwebqq = !state.faults.has("empty_ptwebqq", account);
    let login = Login {
        by_password: true,
        // Until the summer of 2013 nobody named a daid, and there was no check_sig.
        bare: field("daid").is_empty(),
        ..Login::new(state.next_number("last_login")?, account, now, with_ptwebqq)
    };
    state.keep_login(login.clone())?;
    Ok(sign_in::welcome(state, request, &login))
}
