//! How a message of the world looks in an answer of the poll (webqq.md §6, §7), in the forms of the years.

use serde_json::{Value, json};

use super::alias::Kind;
use super::login::Login;
use super::people::{escape, tells_numbers};
use super::picture;
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Chat, Message, Segment, text_of};

/// What a session of 2013 may do in a temporary chat.
const FLAGS: [&str; 5] = ["text", "pic", "file", "audio", "video"];

/// `content`: the font, then the pieces.
pub(super) fn content(state: &State, pieces: Vec<Value>) -> Value {
    let name = if state.era == Era::Web2013 {
        "宋体"
    } else {
        "微软雅黑"
    };
    let font = json!(["font", {"color": "000000", "name": name, "size": 10, "style": [0, 0, 0]}]);
    Value::Array([vec![font], pieces].concat())
}

/// Adds the fields that every event of 2013 has to its own ones, which must have `from_uin`.
pub(super) fn with_head(state: &State, login: &Login, msg_type: i64, own: &Value) -> Result<Value, StoreError> {
    let number = state.next_number("last_notice")?;
    let mut value = json!({
        "msg_id": number % 65_536, "to_uin": login.account, "msg_id2": number * 7919 % 1_000_000, "msg_type": msg_type,
        "reply_ip": 176_488_602,
    });
    for (name, field) in own.as_object().into_iter().flatten() {
        value[name] = field.clone();
    }
    Ok(value)
}

/// A message of the world as an event of a login.
pub(super) fn of_message(state: &mut State, login: &Login, message: &Message) -> Result<Value, StoreError> {
    let sender = state.alias(login.id, Kind::Person, message.from)?;
    let msg_id = (message.id + state.temper.first_msg_id) % 65_536;
    let mut value = json!({
        "from_uin": sender, "msg_id": msg_id, "msg_type": 0, "time": message.time, "to_uin": login.account,
    });
    let (mut kind, mut types) = ("message", [9, 1]);
    match message.chat {
        Chat::Group(number) => {
            let gid = state.alias(login.id, Kind::Gid, number)?;
            value["from_uin"] = json!(gid);
            value["group_code"] = json!(gid);
            value["send_uin"] = json!(sender);
            (kind, types) = ("group_message", [43, 4]);
        }
        Chat::Discussion(id) => {
            let did = state.alias(login.id, Kind::Did, id)?;
            value["from_uin"] = json!(did);
            value["did"] = json!(did);
            value["send_uin"] = json!(sender);
            (kind, types) = ("discu_message", [42, 5]);
        }
        Chat::Friend { friend, .. } if !is_friend(state, login.account, friend) => {
            if let Some(shared) = shared_group(state, login.account, friend) {
                value["id"] = json!(state.alias(login.id, Kind::Gid, shared)?);
                value["service_type"] = json!(0);
            }
            if tells_numbers(state, login) {
                value["ruin"] = json!(message.from);
            }
            value["flags"] = FLAGS.iter().map(|flag| ((*flag).to_owned(), json!(1))).collect();
            (kind, types) = ("sess_message", [140, 1]);
        }
        Chat::Friend { .. } => {}
    }
    match state.era {
        Era::Web2013 => {
            value["msg_type"] = json!(types[0]);
            if let Some(other) = as_of_2013(state, login, message, &mut value)? {
                return Ok(json!({"poll_type": other, "value": value}));
            }
        }
        Era::Smart2015 => {}
        Era::Smart2018 => value["msg_type"] = json!(types[1]),
    }
    let pieces = pieces(state, login, message);
    value["content"] = content(state, pieces);
    Ok(json!({"poll_type": kind, "value": value}))
}

/// The fields that only 2013 had; and the event's other kind, when the message is none of words and pictures.
fn as_of_2013(
    state: &mut State,
    login: &Login,
    message: &Message,
    value: &mut Value,
) -> Result<Option<&'static str>, StoreError> {
    value["msg_id2"] = json!(message.id * 7919 % 1_000_000);
    value["reply_ip"] = json!(176_488_602);
    let only = match message.segments.as_slice() {
        [Segment::Other { kind, data }] => Some((kind.as_str(), data)),
        _ => None,
    };
    match message.chat {
        Chat::Group(number) => {
            let code = state.alias(login.id, Kind::Code, number)?;
            value["group_code"] = json!(code);
            let told = tells_numbers(state, login);
            if let Some(("file", data)) = only {
                let name = escape(&text_of(data, "name"));
                let head = if told { message.from } else { 0 };
                value["msg_type"] = json!(45);
                value["group_type"] = json!(1);
                value["ver"] = json!(1);
                value["xml"] = json!(format!(
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><d><n t=\"h\" u=\"{head}\"/><n t=\"t\" s=\"共享文件\"/>\
                     <n t=\"b\"/><n t=\"t\" s=\"{name}\"/></d>"
                ));
                return Ok(Some("group_web_message"));
            }
            value["seq"] = json!(message.seq);
            if told {
                value["info_seq"] = json!(number);
            }
            if let Some(("mface", _)) = only {
                value["msg_type"] = json!(32);
                value["content"] = json!([""]);
                if told {
                    value["t_gcode"] = json!(number);
                }
                return Ok(Some("group_message"));
            }
        }
        Chat::Discussion(_) => {
            value["from_uin"] = json!(10_000);
            value["seq"] = json!(message.seq);
            value["info_seq"] = json!(3);
        }
        Chat::Friend { .. } => {
            if let Some(("file", data)) = only {
                let size: i64 = text_of(data, "file_size").parse().unwrap_or(0);
                *value = json!({
                    "msg_id": value["msg_id"], "rkey": super::hash::name(&message.id.to_string()), "ip": "183.60.0.1",
                    "port": 80, "from_uin": value["from_uin"], "size": size, "name": text_of(data, "name"),
                    "expire_time": message.time + 604_800, "time": message.time,
                });
                return Ok(Some("push_offfile"));
            }
        }
    }
    Ok(None)
}

/// Whether somebody is a friend of an account, or the account itself.
pub(super) fn is_friend(state: &State, account: i64, qq: i64) -> bool {
    let account = state.world.account(account);
    account.is_some_and(|account| account.qq == qq || account.friends.iter().any(|friend| friend.qq == qq))
}

/// A group that both are in.
pub(super) fn shared_group(state: &State, account: i64, other: i64) -> Option<i64> {
    let mut groups = state.world.groups_of(account);
    groups
        .find(|group| group.member(other).is_some())
        .map(|group| group.number)
}

fn pieces(state: &State, login: &Login, message: &Message) -> Vec<Value> {
    let old = state.era == Era::Web2013;
    // PCs part lines by CR, phones by LF; a person has one of the two.
    let pc = message.from != login.account && message.from % 2 == 0;
    let written = |text: &str| if old { text.to_owned() } else { escape(text) };
    let words = |text: &str| written(&if pc { text.replace('\n', "\r") } else { text.to_owned() });
    // From April 2018 every face arrives as face 0.
    let faceless = state.era == Era::Smart2018 || state.faults.has("faces_zero", login.account);
    let mut pieces = Vec::new();
    let mut pictures = 0;
    for segment in &message.segments {
        match segment {
            Segment::Text { text } => pieces.push(json!(words(text))),
            Segment::Face { .. } if faceless => pieces.push(json!(["face", 0])),
            Segment::Face { id } => pieces.push(json!(["face", id.parse::<i64>().unwrap_or(0)])),
            Segment::At { qq } if qq == "all" => pieces.push(json!("@全体成员 ")),
            Segment::At { qq } => {
                let name = qq.parse().map(|qq| called(state, message.chat, qq)).unwrap_or_default();
                pieces.push(json!(format!("@{} ", written(&name))));
            }
            Segment::Other { kind, .. } if old && kind == "image" => {
                pieces.push(picture::piece(state, message, pictures));
                pictures += 1;
            }
            // Since 2015 neither pictures nor replies reach these clients.
            Segment::Reply { .. } | Segment::Other { .. } => {}
        }
    }
    if old {
        match pieces.last_mut() {
            Some(Value::String(text)) => text.push(' '),
            _ => pieces.push(json!(" ")),
        }
    }
    pieces
}

/// The name under which a chat knows somebody: card, else own name.
fn called(state: &State, chat: Chat, qq: i64) -> String {
    let nickname = || state.world.nickname(qq).unwrap_or_default().to_owned();
    let Chat::Group(number) = chat else {
        return nickname();
    };
    let member = state.world.group(number).and_then(|group| group.member(qq));
    member.map_or_else(nickname, |member| member.called().to_owned())
}
