//! Pictures of 2013: how a message names them, and where their bytes are fetched (webqq.md §7, §10.4).
//!
//! A name says which picture of which message it is, with a hash that nobody guesses; nothing is kept for it.

use serde_json::{Value, json};

use super::alias::Kind;
use super::gate::{self, Stop, refuse};
use super::login::Login;
use super::{Answer, hash, qr};
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Chat, Message, Segment, text_of};

/// Where `file_id`s begin.
const FIRST_FILE: i64 = 2_000_000_000;
/// How many pictures of a message can be told apart.
const PER_MESSAGE: i64 = 16;
/// The side of a picture whose bytes nobody has.
const SIDE: usize = 64;

fn key(message: i64, index: i64) -> String {
    hash::name(&format!("picture {message} {index}"))
}

fn guid(message: i64, index: i64) -> String {
    let key = key(message, index);
    format!(
        "{{{}-{}-{}-{}-{}}}.jpg",
        &key[..8],
        &key[8..12],
        &key[12..16],
        &key[16..20],
        &key[20..]
    )
}

fn offpic(message: i64, index: i64) -> String {
    let key = key(message, index).to_lowercase();
    format!(
        "/{message:08x}-{index:04x}-{}-{}-{}",
        &key[..4],
        &key[4..8],
        &key[8..20]
    )
}

fn cface(message: i64, index: i64) -> String {
    format!("{message:08X}{index:02X}{}.jPg", &key(message, index)[..22])
}

/// The element of `content` for the picture of that place in a message.
pub(super) fn piece(state: &State, message: &Message, index: i64) -> Value {
    match message.chat {
        Chat::Friend { .. } if state.temper.friend_cface => json!(["cface", cface(message.id, index), ""]),
        Chat::Friend { .. } => json!(["offpic", {"success": 1, "file_path": offpic(message.id, index)}]),
        _ => json!(["cface", {
            "name": guid(message.id, index), "file_id": FIRST_FILE + message.id * PER_MESSAGE + index % PER_MESSAGE,
            "key": "          ", "server": "183.60.0.2:8000",
        }]),
    }
}

fn missing(why: &str) -> Answer {
    Answer::new(Reply::status(404), Fate::Refused, why)
}

/// `get_group_pic`: sends the client on to the picture of a group or a discussion.
pub(super) fn of_group(state: &mut State, request: &Request) -> Result<Answer, Stop> {
    let login = gate::cookies(state, request)?;
    gate::vfwebqq(&login, request.param("vfwebqq").unwrap_or_default())?;
    let number = |name: &str| {
        request
            .param(name)
            .and_then(|value| value.parse::<i64>().ok())
            .unwrap_or(0)
    };
    let place = number("fid") - FIRST_FILE;
    let (id, index) = (place / PER_MESSAGE, place % PER_MESSAGE);
    let found = state
        .store
        .message(id)?
        .filter(|_| request.param("pic") == Some(guid(id, index).as_str()));
    let Some(message) = found else {
        return Ok(missing("fid and pic are of no picture").of(&login));
    };
    let there = match message.chat {
        Chat::Group(group) => state.real(login.id, Kind::Code, number("gid")) == Some(group) && number("type") == 0,
        Chat::Discussion(id) => state.real(login.id, Kind::Did, number("gid")) == Some(id) && number("type") == 1,
        Chat::Friend { .. } => false,
    };
    if !there || state.real(login.id, Kind::Person, number("uin")) != Some(message.from) {
        return Ok(missing("the picture is not of this type, gid (the group's code, or the did) and uin").of(&login));
    }
    let path = format!("/gchatpic/{id}-{index}-{}/0", key(id, index));
    let reply = Reply::redirect(&request.url("gchat.qpic.cn", &path));
    Ok(Answer::new(reply, Fate::Answered, format!("picture {index} of message {id}")).of(&login))
}

/// The picture itself; whoever has the address gets it.
pub(super) fn bytes(state: &mut State, path: &str) -> Result<Answer, StoreError> {
    let name = path.strip_prefix("/gchatpic/").and_then(|rest| rest.split('/').next());
    let mut parts = name.unwrap_or_default().split('-');
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok()).unwrap_or(-1);
    let (id, index) = (number(), number());
    if parts.next() != Some(key(id, index).as_str()) {
        return Ok(missing("no picture has this address"));
    }
    shown(state, id, index, None)
}

/// `get_offpic2`, `get_cface2`: the picture of a friend, named in `file_path` or `guid`.
pub(super) fn of_friend(state: &mut State, request: &Request, field: &str) -> Result<Answer, Stop> {
    let login = gate::cookies(state, request)?;
    let session = login.session.as_ref().map(|session| session.psessionid.as_str());
    if session.is_none() || request.param("psessionid") != session {
        return Err(refuse(103, "the psessionid is not the session's").of(&login).into());
    }
    let name = request.param(field).unwrap_or_default();
    let hex = |from: usize, to: usize| name.get(from..to).and_then(|part| i64::from_str_radix(part, 16).ok());
    let place = if field == "guid" {
        (hex(0, 8), hex(8, 10))
    } else {
        (hex(1, 9), hex(10, 14))
    };
    let (id, index) = (place.0.unwrap_or(-1), place.1.unwrap_or(-1));
    if name != cface(id, index) && name != offpic(id, index) {
        return Ok(missing("no picture has this name").of(&login));
    }
    Ok(shown(state, id, index, Some(&login))?)
}

fn shown(state: &mut State, id: i64, index: i64, login: Option<&Login>) -> Result<Answer, StoreError> {
    let message = state.store.message(id)?;
    let message = message.filter(|message| match (login, message.chat) {
        (Some(login), Chat::Friend { account, .. }) => account == login.account,
        (login, _) => login.is_none(),
    });
    let mut images = message
        .iter()
        .flat_map(|message| &message.segments)
        .filter_map(|segment| match segment {
            Segment::Other { kind, data } if kind == "image" => Some(data),
            _ => None,
        });
    let place = usize::try_from(index).unwrap_or(usize::MAX);
    let Some(data) = images.nth(place) else {
        return Ok(missing("there is no such picture"));
    };
    let kept = state.store.media(&text_of(data, "file"))?;
    let body = kept
        .or_else(|| qr::gray_png(&vec![0x80; SIDE * SIDE], SIDE))
        .unwrap_or_default();
    let kind = match body.as_slice() {
        [0x89, b'P', ..] => "image/png",
        [b'G', b'I', b'F', ..] => "image/gif",
        _ => "image/jpeg",
    };
    let answer = Answer::new(
        Reply::new(kind, body),
        Fate::Answered,
        format!("picture {index} of message {id}"),
    );
    Ok(match login {
        Some(login) => answer.of(login),
        None => answer,
    })
}
