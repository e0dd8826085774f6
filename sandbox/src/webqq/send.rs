//! Sending (webqq.md §8): the double encoding, the font block, and the service's temper towards the hasty.

use std::time::Duration;

use serde_json::{Value, json};

use super::alias::Kind;
use super::fault::Call;
use super::gate::{self, Refusal, Stop, refuse};
use super::login::Login;
use super::{Answer, hash, render};
use crate::faults::Armed;
use crate::log::Fate;
use crate::net::Request;
use crate::options::Era;
use crate::state::State;
use crate::world::{Chat, Segment, plain_text};

/// More messages than this within [`HASTY_MS`] are too many.
const HASTY: usize = 10;
const HASTY_MS: i64 = 2000;
/// The longest text in bytes. The real limit is not proven.
const LONGEST: usize = 4500;
/// How many message numbers of a client are remembered.
const MSG_IDS_KEPT: usize = 64;

/// `send_qun_msg2`.
pub(super) fn to_group(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    send(state, request, |state, login, r| {
        let gid = gate::number(&r["group_uin"]).unwrap_or(0);
        let number = match state.meaning(login.id, gid) {
            Some((Kind::Gid, number)) => number,
            Some((Kind::Code, _)) => return Err(refuse(100_001, format!("group_uin {gid} is a code, not a gid"))),
            _ => return Err(refuse(100_001, format!("no group has the gid {gid} in this login"))),
        };
        let group = state.world.group(number).and_then(|group| group.member(login.account));
        group
            .map(|_| Chat::Group(number))
            .ok_or_else(|| refuse(100_001, format!("not a member of group {number}")))
    })
}

/// `send_buddy_msg2`.
pub(super) fn to_buddy(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    send(state, request, |state, login, r| {
        let uin = gate::number(&r["to"]).unwrap_or(0);
        let qq = state.real(login.id, Kind::Person, uin);
        let account = state.world.account(login.account);
        let friend = account.and_then(|account| account.friends.iter().find(|friend| Some(friend.qq) == qq));
        let friend = friend.ok_or_else(|| refuse(100_001, format!("no friend has the uin {uin} in this login")))?;
        Ok(Chat::Friend {
            account: login.account,
            friend: friend.qq,
        })
    })
}

/// `send_sess_msg2`: to somebody who shares a group, with the signature of `get_c2cmsg_sig2`.
pub(super) fn to_stranger(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    send(state, request, |state, login, r| {
        let uin = gate::number(&r["to"]).unwrap_or(0);
        let qq = state.real(login.id, Kind::Person, uin);
        let shared = qq.filter(|qq| render::shared_group(state, login.account, *qq).is_some());
        let friend = shared.ok_or_else(|| refuse(100_001, format!("nobody of a shared group has the uin {uin}")))?;
        if gate::text(&r["group_sig"]) != stranger_sig(login, friend) {
            return Err(refuse(100_001, "group_sig is not the value of get_c2cmsg_sig2"));
        }
        let account = login.account;
        Ok(Chat::Friend { account, friend })
    })
}

fn stranger_sig(login: &Login, qq: i64) -> String {
    hash::name(&format!("{} {qq}", login.skey))
}

/// `get_c2cmsg_sig2`: the signature for a temporary chat.
pub(super) fn sig(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let login = gate::session_of_query(state, request)?;
    let uin = request.param("to_uin").and_then(|uin| uin.parse().ok()).unwrap_or(0);
    let Some(qq) = state.real(login.id, Kind::Person, uin) else {
        return Err(refuse(100_001, format!("nobody has the uin {uin} in this login"))
            .of(&login)
            .into());
    };
    let result = json!({"type": 0, "value": stranger_sig(&login, qq), "flags": {"text": 1, "pic": 1, "file": 1}});
    Ok(Answer::json(state, &json!({"retcode": 0, "result": result})).of(&login))
}

/// `send_discu_msg2`.
pub(super) fn to_discussion(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    send(state, request, |state, login, r| {
        let did = gate::number(&r["did"]).unwrap_or(0);
        let id = state.real(login.id, Kind::Did, did);
        let found = state
            .world
            .discussions_of(login.account)
            .find(|discussion| Some(discussion.id) == id);
        found
            .map(|discussion| Chat::Discussion(discussion.id))
            .ok_or_else(|| refuse(100_001, format!("no discussion group has the did {did} in this login")))
    })
}

fn send(
    state: &mut State,
    request: &Request,
    target: impl FnOnce(&State, &Login, &Value) -> Result<Chat, Refusal>,
) -> Result<Answer, Stop> {
    let r = gate::payload(request)?;
    let mut login = gate::session_of(state, request, &r)?;
    let of_login = |refusal: Refusal| {
        Stop::from(Refusal {
            account: Some(login.account),
            ..refusal
        })
    };
    if !login.session.as_ref().is_some_and(|session| session.registered) {
        return Err(of_login(refuse(
            100_001,
            "get_online_buddies2 was not called before the first message",
        )));
    }
    let chat = target(state, &login, &r).map_err(of_login)?;
    let fontless = state.lax || state.era == Era::Web2013;
    let segments = read_content(&r["content"], state.lax, fontless).map_err(of_login)?;
    let msg_id = gate::number(&r["msg_id"]).ok_or_else(|| of_login(refuse(100_001, "msg_id is no number")))?;
    login.count("send");
    let text = plain_text(&segments);
    let verdict = judge(state, &mut login, chat, &text, msg_id);
    state.keep_login(login.clone())?;
    let shown: String = text.chars().take(100).collect();
    let muted = is_muted(state, chat, login.account);
    let ordered = Call::of(state, request)
        .take(state, "send_answer", "send")
        .map(|armed| Ordered::of(&armed));
    let (fate, why) = match (&verdict, &ordered) {
        _ if muted => (Fate::Dropped, "the account is muted in this group"),
        (_, Some(ordered)) => ordered.fate(),
        (Verdict::Dropped(why), None) => (Fate::Dropped, *why),
        (Verdict::Hasty { dropped: true }, None) => (Fate::Dropped, "too fast, answered with 1202"),
        (Verdict::Hasty { dropped: false }, None) => {
            (Fate::Delivered, "too fast, answered with 1202, delivered all the same")
        }
        (Verdict::Fine, None) => (Fate::Delivered, "delivered"),
    };
    let (mut message, mut wait) = (None, Duration::ZERO);
    if fate == Fate::Delivered {
        state.webqq.sending = Some(login.id);
        let posted = state.post(chat, login.account, segments);
        state.webqq.sending = None;
        message = Some(posted?.id);
        wait = std::mem::take(&mut state.webqq.answer_waits);
    }
    let body = match (ordered, verdict) {
        (Some(ordered), _) => ordered.body,
        (None, Verdict::Hasty { .. }) => json!({"errmsg": "error!!!", "retcode": 1202}),
        _ => sent(state),
    };
    let answer = Answer::json(state, &body)
        .of(&login)
        .saying(format!("{} to {}: {shown}", why, chat.key()));
    Ok(Answer {
        fate,
        message,
        wait,
        ..answer
    })
}

/// What a fault wants a send to be answered.
struct Ordered {
    body: Value,
    delivered: bool,
    /// Whether the answer says that it was not sent.
    denied: bool,
}

impl Ordered {
    fn of(armed: &Armed) -> Self {
        let code = armed.number("answer").and_then(|code| i64::try_from(code).ok());
        let word = armed.text("answer").unwrap_or_default();
        let code = code.or_else(|| word.parse().ok()).unwrap_or(1202);
        let (body, sent, denied) = match (word, code) {
            ("ok", _) => (json!({"retcode": 0, "result": "ok"}), true, false),
            ("send_ok", _) => (json!({"errCode": 0, "msg": "send ok"}), true, false),
            ("zero", _) => (json!({"retcode": 0}), true, false),
            ("ERROR", _) => (json!({"errCode": -1, "errMsg": "ERROR"}), false, true),
            (_, 100_100) => (json!({"retcode": 100_100, "errmsg": "error"}), true, false),
            (_, code) => (json!({"retcode": code, "errmsg": "error!!!"}), false, code != 1202),
        };
        let delivered = armed.flag("delivered").unwrap_or(sent);
        Self {
            body,
            delivered,
            denied,
        }
    }

    fn fate(&self) -> (Fate, &'static str) {
        match (self.delivered, self.denied) {
            (true, false) => (Fate::Delivered, "delivered, answered by the fault send_answer"),
            (true, true) => (
                Fate::Delivered,
                "denied by the fault send_answer, delivered all the same",
            ),
            (false, false) => (Fate::Dropped, "dropped by the fault send_answer"),
            (false, true) => (Fate::Refused, "refused by the fault send_answer"),
        }
    }
}

/// The answers that mean: sent.
fn sent(state: &mut State) -> Value {
    let forms = [
        json!({"errCode": 0, "msg": "send ok"}),
        json!({"retcode": 0, "result": "ok"}),
        json!({"retcode": 100_100, "errmsg": "error"}),
    ];
    let form = match state.era {
        Era::Web2013 => 1,
        Era::Smart2015 if state.seed == 0 => 0,
        Era::Smart2015 => usize::from(state.temper.pick(4) == 0),
        Era::Smart2018 if state.seed == 0 => 1,
        Era::Smart2018 => 1 + state.temper.pick(2),
    };
    forms[form].clone()
}

enum Verdict {
    Fine,
    /// Answered as if it were sent.
    Dropped(&'static str),
    /// Answered with 1202.
    Hasty {
        dropped: bool,
    },
}

/// How the service takes a message, by what the session sent before.
fn judge(state: &State, login: &mut Login, chat: Chat, text: &str, msg_id: i64) -> Verdict {
    let (now, now_ms) = (state.clock.now(), state.clock.now_ms());
    let Some(session) = &mut login.session else {
        return Verdict::Fine;
    };
    session.sent_ms.retain(|sent| now_ms - sent < HASTY_MS);
    session.sent_ms.push(now_ms);
    if session.sent_ms.len() > HASTY {
        // What comes on top does not prolong the punishment.
        session.sent_ms.pop();
        return Verdict::Hasty {
            dropped: state.temper.hasty_dropped,
        };
    }
    let repeated = session.msg_ids.contains(&msg_id);
    session.msg_ids.push(msg_id);
    if session.msg_ids.len() > MSG_IDS_KEPT {
        session.msg_ids.remove(0);
    }
    let before = session.last_sent.insert(chat.key(), (text.to_owned(), now));
    if repeated && state.temper.msg_id_once {
        return Verdict::Dropped("a msg_id that was used before");
    }
    let equal = before
        .is_some_and(|(before, at)| before == text && state.temper.equal_for.is_none_or(|seconds| now - at < seconds));
    if equal {
        Verdict::Dropped("equal to the text before")
    } else {
        Verdict::Fine
    }
}

fn is_muted(state: &State, chat: Chat, account: i64) -> bool {
    let Chat::Group(number) = chat else {
        return false;
    };
    let member = state.world.group(number).and_then(|group| group.member(account));
    member.is_some_and(|member| member.muted_until > state.clock.now())
}

/// Reads `content`: a JSON text within the JSON, words and faces, the font block last; `fontless` when there may be none.
fn read_content(content: &Value, lax: bool, fontless: bool) -> Result<Vec<Segment>, Refusal> {
    let wrong = |why: &str| refuse(100_001, format!("content: {why}"));
    let inner = content
        .as_str()
        .ok_or_else(|| wrong("must be a JSON text inside the JSON (double encoding)"))?;
    let pieces: Value = serde_json::from_str(inner).map_err(|error| wrong(&format!("is no JSON text: {error}")))?;
    let pieces = pieces.as_array().ok_or_else(|| wrong("is no JSON array"))?;
    let is_font = |piece: &Value| piece[0] == "font";
    let pieces = match pieces.split_last() {
        Some((last, rest)) if is_font(last) => {
            check_font(&last[1]).map_err(wrong)?;
            rest
        }
        // A client of WebQQ sent an empty block, or none, and was heard.
        Some((last, rest)) if fontless && last.as_array().is_some_and(Vec::is_empty) => rest,
        Some(_) if fontless => pieces,
        _ => return Err(wrong("the font block is not the last element")),
    };
    let mut segments: Vec<Segment> = Vec::new();
    let mut words = false;
    for piece in pieces {
        match piece {
            Value::String(text) => {
                words = true;
                if let Some(Segment::Text { text: before }) = segments.last_mut() {
                    before.push_str(text);
                } else if !text.is_empty() {
                    segments.push(Segment::Text { text: text.clone() });
                }
            }
            Value::Array(face) if face.len() == 2 && face[0] == "face" => {
                let id = gate::number(&face[1]).filter(|id| (0..=1000).contains(id));
                let id = id.ok_or_else(|| wrong("a face without a number"))?.to_string();
                segments.push(Segment::Face { id });
            }
            piece if is_font(piece) => return Err(wrong("a font block that is not the last element")),
            _ => return Err(wrong("an element that is neither text nor a face")),
        }
    }
    if !words && !lax {
        return Err(wrong("at least one text is needed"));
    }
    if plain_text(&segments).trim().is_empty() {
        return Err(wrong("is empty"));
    }
    if plain_text(&segments).len() > LONGEST && !lax {
        return Err(wrong("is too long"));
    }
    Ok(segments)
}

fn check_font(font: &Value) -> Result<(), &'static str> {
    let color = font["color"].as_str().unwrap_or_default();
    let fine = font["name"].is_string()
        && gate::number(&font["size"]).is_some()
        && font["style"].as_array().is_some_and(|style| style.len() == 3)
        && color.len() == 6
        && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    fine.then_some(())
        .ok_or("the font block needs name, size, style of three, and color of six hex digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FONT: &str = r#"["font",{"name":"宋体","size":10,"style":[0,0,0],"color":"000000"}]"#;

    fn read(inner: &str) -> Result<Vec<Segment>, String> {
        read_content(&json!(inner), false, false).map_err(|refusal| refusal.why)
    }

    #[test]
    fn the_example_of_the_notes_is_read() {
        let segments = read(&format!(r#"["hello \"q\" \\ 中\n",["face",14],{FONT}]"#)).unwrap();
        let words = Segment::Text {
            text: "hello \"q\" \\ 中\n".to_owned(),
        };
        assert_eq!(segments, [words, Segment::Face { id: "14".to_owned() }]);
    }

    #[test]
    fn wrong_contents_are_refused() {
        let plain = json!(["hi", ["font", {}]]);
        assert!(read_content(&plain, false, false).is_err(), "not encoded twice");
        for wrong in [
            "hi".to_owned(),
            r#"["hi"]"#.to_owned(),
            format!(r#"[{FONT},"hi"]"#),
            format!(r#"["hi",{FONT},{FONT}]"#),
            format!("[{FONT}]"),
            format!(r#"[["face",14],{FONT}]"#),
            format!(r#"["hi",["cface","group","x"],{FONT}]"#),
            r#"["hi",["font",{"size":10}]]"#.to_owned(),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn clients_of_webqq_may_leave_the_font_out() {
        for inner in [r#"["hi"]"#, r#"["hi",[]]"#] {
            assert!(read_content(&json!(inner), false, true).is_ok(), "{inner}");
        }
        let early = format!(r#"[{FONT},"hi"]"#);
        assert!(read_content(&json!(early), false, true).is_err());
    }
}
