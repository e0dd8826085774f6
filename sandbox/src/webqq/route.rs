//! Which call of which host is served by what; a call that its years did not have is not served.

use axum::http::Method;

use super::gate::{self, Stop};
use super::{
    Answer, HostKind, avatar, buddies, channel, entry, groups, nothing, password, people, picture, qr, send, sign_in,
    small,
};
use crate::net::Request;
use crate::options::Era;
use crate::state::State;

pub(super) fn route(state: &mut State, request: &Request, kind: Option<HostKind>) -> Result<Answer, Stop> {
    let get = request.method == Method::GET || request.method == Method::HEAD;
    match (kind, request.path.as_str()) {
        (Some(HostKind::Ptlogin), path) if get => ptlogin(state, request, path),
        (Some(HostKind::Captcha), "/getimage") if get => Ok(password::image(state, request)),
        (Some(HostKind::Lists), path) if path.starts_with("/api/") => lists(state, request, (get, &path[5..])),
        (Some(HostKind::Channel), path) if path.starts_with("/channel/") => channel(state, request, (get, &path[9..])),
        (Some(HostKind::Face), "/cgi/svr/face/getface") if get => Ok(avatar::show(request)),
        (Some(HostKind::Page), path) if get && state.era == Era::Web2013 => match path {
            "/web2/get_msg_tip" => small::heartbeat(state, request),
            "/cgi-bin/get_group_pic" => picture::of_group(state, request),
            path => Ok(page(request, path)),
        },
        (Some(HostKind::Pictures), path) if get => Ok(picture::bytes(state, path)?),
        (Some(_), path) if get => Ok(page(request, path)),
        _ => Ok(nothing(request)),
    }
}

fn page(request: &Request, path: &str) -> Answer {
    match path {
        "/" | "/proxy.html" | "/cfproxy.html" | "/loginproxy.html" | "/webqq.html" => sign_in::page(request),
        _ => nothing(request),
    }
}

fn ptlogin(state: &mut State, request: &Request, path: &str) -> Result<Answer, Stop> {
    let by_qr = state.era != Era::Web2013;
    match path {
        "/cgi-bin/login" | "/cgi-bin/xlogin" => Ok(sign_in::login_page(state, request)),
        "/check" => Ok(password::check(state, request)),
        "/login" => Ok(password::login(state, request)?),
        "/ptqrshow" if by_qr => Ok(qr::show(state, request)?),
        "/ptqrlogin" if by_qr => Ok(qr::ask(state, request)?),
        "/check_sig" => Ok(sign_in::check_sig(state, request)?),
        "/pt4_auth" => Ok(sign_in::pt4_auth(state, request)?),
        "/logout" => Ok(sign_in::logout(state, request)?),
        path => Ok(page(request, path)),
    }
}

fn lists(state: &mut State, request: &Request, call: (bool, &str)) -> Result<Answer, Stop> {
    let old = state.era == Era::Web2013;
    match call {
        (true, "getvfwebqq") if !old => entry::getvfwebqq(state, request),
        (true, "get_self_info2") => people::self_info(state, request),
        (true, "get_friend_info2") => people::friend_info(state, request),
        (true, "get_single_long_nick2") => people::long_nick(state, request),
        (true, "get_friend_uin2") => people::real_number(state, request),
        (true, "get_group_info_ext2") => groups::info(state, request),
        (true, "get_discus_list") => groups::discussions(state, request),
        (false, "get_user_friends2") => buddies::friends(state, request),
        (false, "get_group_name_list_mask2") => groups::list(state, request),
        (false, "allow_and_add2" | "allow_added_request2" | "deny_added_request2" | "set_long_nick2") if old => {
            small::of_lists(state, request)
        }
        _ => Ok(nothing(request)),
    }
}

fn channel(state: &mut State, request: &Request, call: (bool, &str)) -> Result<Answer, Stop> {
    let old = state.era == Era::Web2013;
    match call {
        (false, "login2") => entry::login2(state, request),
        (true, "get_online_buddies2") => buddies::online(state, request),
        (false, "get_recent_list2") => buddies::recent(state, request),
        (true, "get_discu_info") => groups::discussion(state, request),
        (true, "change_status2") => channel::change_status(state, request),
        (true, "logout2") => channel::logout(state, request),
        (false, "send_qun_msg2") => send::to_group(state, request),
        (false, "send_buddy_msg2") => send::to_buddy(state, request),
        (false, "send_discu_msg2") => send::to_discussion(state, request),
        (false, "send_sess_msg2") if state.era != Era::Smart2018 => send::to_stranger(state, request),
        (true, "get_c2cmsg_sig2") if state.era != Era::Smart2018 => send::sig(state, request),
        (true, "poll2") => Ok(gate::wrong_method(request)),
        (true, "get_discu_list_new2") if old => groups::discussions(state, request),
        (true, "get_offpic2") if old => picture::of_friend(state, request, "file_path"),
        (true, "get_cface2") if old => picture::of_friend(state, request, "guid"),
        (true, "input_notify2" | "shake2" | "op_group_join_req" | "refuse_file2" | "notify_offfile2") if old => {
            small::of_channel(state, request)
        }
        _ => Ok(nothing(request)),
    }
}
