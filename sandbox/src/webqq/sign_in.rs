//! The hosts of the way in besides the QR code: login page, the answer of a confirmed scan, `check_sig`, quick login with
//! `supertoken`, logout (webqq.md §3.1, §3.3, §3.4, §3.8 c, §10.2).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::login::{Ending, Login};
use super::{Answer, token};
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;

const FIELD: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PROXY_PAGE: &str = "/proxy.html?login2qq=1&webqq_type=10";

/// The login page; sets `pt_login_sig`.
pub(super) fn login_page(state: &State, request: &Request) -> Answer {
    let aid = if state.era == Era::Web2013 {
        "1003903"
    } else {
        "501004106"
    };
    let signature = token::letters(64);
    let html = format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>QQ登录</title></head><body><script>\
         var g_login_sig=encodeURIComponent(\"{signature}\");var g_pt_version=encodeURIComponent(\"10143\");\
         var g_mibao_css=encodeURIComponent(\"m_webqq\");</script>\
         <form><input type=\"hidden\" name=\"aid\" value=\"{aid}\"></form></body></html>"
    );
    let reply = Reply::new("text/html; charset=utf-8", html);
    let cookies = [
        request.set_cookie("ptlogin2.qq.com", "pt_login_sig", &signature),
        request.set_cookie("ptlogin2.qq.com", "pt_clientip", "7f0000017f000001"),
    ];
    Answer::new(reply.cookies(cookies), Fate::Answered, "the login page")
}

/// The pages that the client's browser would load: proxy pages and the start page.
pub(super) fn page(request: &Request) -> Answer {
    let html = "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>WebQQ</title></head><body></body></html>";
    Answer::new(
        Reply::new("text/html; charset=utf-8", html),
        Fate::Answered,
        format!("the page {}", request.path),
    )
}

/// Where a login leads.
fn home(request: &Request, login: &Login) -> String {
    match (login.bare, login.by_password) {
        (true, _) => request.url("www.qq.com", "/"),
        (_, true) => request.url("web2.qq.com", "/loginproxy.html?login2qq=1&webqq_type=10"),
        _ => request.url("w.qq.com", PROXY_PAGE),
    }
}

/// The address of `check_sig` for a login.
fn check_sig_url(request: &Request, login: &Login) -> String {
    let back = home(request, login);
    let (service, aid) = if login.by_password {
        ("login", "1003903")
    } else {
        ("ptqrlogin", "501004106")
    };
    let path = format!(
        "/check_sig?pttype=1&uin={}&service={service}&nodirect=0&ptsigx={}&s_url={}&f_url=&ptlang=2052&ptredirect=100\
         &aid={aid}&daid=164&j_later=0&low_login_hour=0&regmaster=0&pt_login_type=3&pt_aid=0&pt_aaid=16&pt_light=0\
         &pt_3rd_aid=0",
        login.account,
        login.ptsigx,
        utf8_percent_encode(&back, FIELD),
    );
    request.url("ptlogin4.web2.qq.com", &path)
}

/// The answer to a confirmed scan or a right password, with the cookies of `.qq.com`.
pub(super) fn welcome(state: &mut State, request: &Request, login: &Login) -> Answer {
    let name = state.world.nickname(login.account).unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|c| !c.is_control() && *c != '\'' && *c != '\\')
        .collect();
    let url = if login.bare {
        home(request, login)
    } else {
        check_sig_url(request, login)
    };
    let padded = format!("o{:010}", login.account);
    let early = (login.by_password || state.temper.ptwebqq_early) && !login.ptwebqq.is_empty();
    let cookies = [
        ("uin", padded.as_str()),
        ("superuin", &padded),
        ("ptisp", "ctc"),
        ("skey", &login.skey),
        ("RK", &token::letters(10)),
        ("ptcz", &token::hex(64)),
        ("supertoken", &login.supertoken),
        ("superkey", &format!("{}_", token::letters(43))),
        ("ptwebqq", if early { &login.ptwebqq } else { "" }),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| request.set_cookie("qq.com", key, value))
    .collect::<Vec<_>>();
    let five = login.bare && state.temper.five_arguments;
    let name = if five { String::new() } else { format!(", '{name}'") };
    let answer = Answer::script(
        &format!("ptuiCB('0','0','{url}','0','登录成功！'{name});"),
        if login.bare {
            "0: logged in"
        } else {
            "0: logged in, check_sig comes next"
        },
    );
    Answer {
        reply: answer.reply.cookies(cookies),
        ..answer
    }
    .of(login)
}

/// `check_sig`: sets the cookies of the web hosts and sends the client on.
pub(super) fn check_sig(state: &mut State, request: &Request) -> Result<Answer, StoreError> {
    let (ptsigx, uin) = (
        request.param("ptsigx").unwrap_or_default(),
        request.param("uin").unwrap_or_default(),
    );
    let now = state.clock.now();
    let known =
        |login: &&Login| login.ptsigx == ptsigx && login.account.to_string() == uin && login.void(now).is_none();
    let Some(mut login) = state.webqq.logins.values().find(known).cloned() else {
        return Ok(Answer::new(
            Reply::status(403),
            Fate::Refused,
            "check_sig with a ptsigx of no login",
        ));
    };
    login.checked = true;
    login.count("check_sig");
    let padded = format!("o{:010}", login.account);
    let cookies = [
        request.set_cookie("web2.qq.com", "p_uin", &padded),
        request.set_cookie("web2.qq.com", "p_skey", &login.p_skey),
        request.set_cookie("web2.qq.com", "pt4_token", &login.pt4_token),
        request.set_cookie("qq.com", "uin", &padded),
        request.set_cookie("qq.com", "skey", &login.skey),
        request.set_cookie("qq.com", "pt2gguin", &padded),
        // In the last year it may be there, but empty.
        request.set_cookie("qq.com", "ptwebqq", &login.ptwebqq),
    ];
    state.keep_login(login.clone())?;
    let reply = Reply::redirect(&home(request, &login)).cookies(cookies);
    // A client of 2014 looked for this body.
    let reply = if login.by_password { reply.saying("0") } else { reply };
    Ok(Answer::new(reply, Fate::Answered, "the cookies of the web hosts are set").of(&login))
}

/// `pt4_auth`: a login from the cookies `superuin` and `supertoken`, without a scan.
pub(super) fn pt4_auth(state: &mut State, request: &Request) -> Result<Answer, StoreError> {
    let (tokens, uins) = (request.cookie("supertoken"), request.cookie("superuin"));
    let now = state.clock.now();
    let known = |login: &&Login| {
        let uin = |uin: &&str| uin.trim_start_matches(['o', '0']) == login.account.to_string();
        tokens.contains(&login.supertoken.as_str()) && uins.iter().any(uin) && login.void(now).is_none()
    };
    let Some(mut login) = state.webqq.logins.values().rev().find(known).cloned() else {
        let answer = Answer::script("ptui_auth_CB('-1','');", "no login has this superuin and supertoken");
        return Ok(Answer {
            fate: Fate::Refused,
            ..answer
        });
    };
    if request.param("auth_token") != Some(token::time33(&login.supertoken).to_string().as_str()) {
        let answer = Answer::script("ptui_auth_CB('-1','');", "auth_token is not the time33 of supertoken").of(&login);
        return Ok(Answer {
            fate: Fate::Refused,
            ..answer
        });
    }
    login.ptsigx = token::hex(160);
    login.count("pt4_auth");
    let url = check_sig_url(request, &login);
    state.keep_login(login.clone())?;
    Ok(Answer::script(
        &format!("ptui_auth_CB('0','{url}');"),
        "quick login: check_sig comes next",
    )
    .of(&login))
}

/// `logout`: makes the cookies worthless.
pub(super) fn logout(state: &mut State, request: &Request) -> Result<Answer, StoreError> {
    let tokens = [
        request.cookie("pt4_token"),
        request.param("pt4_token").into_iter().collect(),
    ]
    .concat();
    let keys = request.cookie("skey");
    let key = request.param("pt4_hkey").unwrap_or_default();
    let known = |login: &&Login| {
        let token = tokens.contains(&login.pt4_token.as_str()) && keys.contains(&login.skey.as_str());
        token && token::time33(&login.skey).to_string() == key
    };
    let Some(mut login) = state.webqq.logins.values().find(known).cloned() else {
        return Ok(Answer::new(
            Reply::status(403),
            Fate::Refused,
            "pt4_token and pt4_hkey are of no login",
        ));
    };
    login.end(Ending::Left);
    login.logged_out = true;
    state.keep_login(login.clone())?;
    Ok(Answer::new(Reply::new("text/html; charset=utf-8", ""), Fate::Answered, "logged out").of(&login))
}
