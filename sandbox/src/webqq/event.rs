//! Events on their way to the clients: queues, and how a message of the world looks in an answer of the poll
//! (webqq.md §6, §7).

use serde_json::{Value, json};

use super::alias::Kind;
use super::login::{Ending, Login};
use super::people::{escape, nick};
use crate::log::Fate;
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Chat, Message, Protocol, Segment};

/// The most events that wait for a client; then the oldest goes.
const QUEUE: i64 = 2000;
/// The system's own number, in whose name it speaks.
const SYSTEM: i64 = 10_000;

/// Puts a message of the world into the queue of every session that sees it, the sender's own included.
pub(crate) fn announce(state: &mut State, message: &Message) -> Result<(), StoreError> {
    for login in sessions(state, message.chat) {
        enqueue(state, &login, Some(message.id), None)?;
    }
    Ok(())
}

/// Tells every session of a group something in the words of the system, such as who was muted.
pub(crate) fn announce_notice(state: &mut State, group: i64, text: &str) -> Result<(), StoreError> {
    for login in sessions(state, Chat::Group(group)) {
        let gid = state.alias(login.id, Kind::Gid, group)?;
        let number = state.next_number("last_notice")?;
        let value = json!({
            "content": content(vec![json!(escape(text))]), "from_uin": gid, "group_code": gid,
            "msg_id": number % 65_536, "msg_type": 0, "send_uin": SYSTEM, "time": state.clock.now(), "to_uin": login.account,
        });
        enqueue(
            state,
            &login,
            None,
            Some(&json!({"poll_type": "group_message", "value": value})),
        )?;
    }
    Ok(())
}

/// A friend's status, as it comes all the time on most days (webqq.md §6.5).
pub(super) fn announce_status(state: &mut State, login: &Login) -> Result<(), StoreError> {
    let friends = state
        .world
        .account(login.account)
        .map(|account| account.friends.as_slice())
        .unwrap_or_default();
    let Some(friend) = friends.first().map(|friend| friend.qq) else {
        return Ok(());
    };
    let uin = state.alias(login.id, Kind::Person, friend)?;
    let value = json!({"uin": uin, "status": "online", "client_type": 1});
    enqueue(
        state,
        login,
        None,
        Some(&json!({"poll_type": "buddies_status_change", "value": value})),
    )
}

/// The logins with a living session whose account sees a chat.
fn sessions(state: &State, chat: Chat) -> Vec<Login> {
    let audience = state.audience(chat, Protocol::Webqq);
    let now = state.clock.now();
    let living = |login: &&Login| {
        let session = login.session.as_ref().is_some_and(|session| !session.kicked);
        session && audience.contains(&login.account) && login.void(now).is_none()
    };
    state.webqq.logins.values().filter(living).cloned().collect()
}

fn enqueue(state: &mut State, login: &Login, message: Option<i64>, body: Option<&Value>) -> Result<(), StoreError> {
    state
        .store
        .enqueue(login.id, message, body.map(Value::to_string).as_deref())?;
    if state.store.queue_length(login.id)? > QUEUE
        && let Some(oldest) = state.store.queue(login.id, 1)?.pop()
    {
        state.store.dequeue(login.id, oldest.n)?;
        let what = oldest
            .message
            .map_or_else(|| "an event".to_owned(), |id| format!("message {id}"));
        let detail = format!("more than {QUEUE} events wait: {what} was thrown away");
        state.log_aside(login.account, Fate::Gone, detail)?;
    }
    state.wake();
    Ok(())
}

/// Throws away what waits for a login, and says so.
pub(super) fn forget_queue(state: &mut State, login: &Login, why: &str) -> Result<(), StoreError> {
    let waiting = state.store.queue_length(login.id)?;
    if waiting == 0 {
        return Ok(());
    }
    state.store.dequeue(login.id, i64::MAX)?;
    state.log_aside(
        login.account,
        Fate::Gone,
        format!("{why}: {waiting} events that waited are thrown away"),
    )
}

/// Throws out the session of an account, or of all. Says how many.
pub(crate) fn kick(state: &mut State, qq: Option<i64>) -> Result<usize, StoreError> {
    let wanted = |login: &&Login| {
        let lives = login.session.as_ref().is_some_and(|session| !session.kicked);
        lives && qq.is_none_or(|qq| login.account == qq)
    };
    let ids: Vec<i64> = state
        .webqq
        .logins
        .values()
        .filter(wanted)
        .map(|login| login.id)
        .collect();
    ids.iter().try_for_each(|id| kick_login(state, *id))?;
    Ok(ids.len())
}

/// Throws out one session: its next poll gets a `kick_message`, everything else 103.
pub(super) fn kick_login(state: &mut State, id: i64) -> Result<(), StoreError> {
    let Some(mut login) = state.webqq.logins.get(&id).cloned() else {
        return Ok(());
    };
    let Some(session) = &mut login.session else {
        return Ok(());
    };
    session.kicked = true;
    let reason = "您的帐号在另一地点登录，您已被迫下线。";
    let body = json!({"poll_type": "kick_message", "value": {"way": "poll", "show_reason": 1, "reason": reason}});
    enqueue(state, &login, None, Some(&body))?;
    state.log_aside(login.account, Fate::Answered, "the session is kicked".to_owned())?;
    state.keep_login(login)
}

/// What a poll may take now: the events, newest first, and the numbers of the messages among them.
pub(super) fn take(state: &mut State, login: &Login, most: i64) -> Result<(Vec<Value>, Vec<i64>), StoreError> {
    let queued = state.store.queue(login.id, most)?;
    let Some(last) = queued.last().map(|event| event.n) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let (mut events, mut ids) = (Vec::new(), Vec::new());
    for event in queued {
        let stored = event.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let message = event.message.map(|id| state.store.message(id)).transpose()?.flatten();
        if let Some(message) = message {
            events.push(of_message(state, login, &message)?);
            ids.push(message.id);
        } else if let Some(stored) = stored {
            events.push(stored);
        }
    }
    state.store.dequeue(login.id, last)?;
    events.reverse();
    if login.session.as_ref().is_some_and(|session| session.kicked) && state.store.queue_length(login.id)? == 0 {
        let mut login = login.clone();
        login.end(Ending::Kicked);
        state.keep_login(login)?;
    }
    Ok((events, ids))
}

/// `content`: the font, then the pieces.
fn content(pieces: Vec<Value>) -> Value {
    let font = json!(["font", {"color": "000000", "name": "微软雅黑", "size": 10, "style": [0, 0, 0]}]);
    Value::Array([vec![font], pieces].concat())
}

/// A message of the world as an event of a login.
fn of_message(state: &mut State, login: &Login, message: &Message) -> Result<Value, StoreError> {
    let sender = state.alias(login.id, Kind::Person, message.from)?;
    let late = state.era == Era::Smart2018;
    let msg_id = (message.id + state.temper.first_msg_id) % 65_536;
    let pieces = pieces(state, login, message);
    let mut value = json!({
        "content": content(pieces), "from_uin": sender, "msg_id": msg_id, "msg_type": 0, "time": message.time,
        "to_uin": login.account,
    });
    let (kind, msg_type) = match message.chat {
        Chat::Group(number) => {
            let gid = state.alias(login.id, Kind::Gid, number)?;
            value["from_uin"] = json!(gid);
            value["group_code"] = json!(gid);
            value["send_uin"] = json!(sender);
            ("group_message", 4)
        }
        Chat::Discussion(id) => {
            let did = state.alias(login.id, Kind::Did, id)?;
            value["from_uin"] = json!(did);
            value["did"] = json!(did);
            value["send_uin"] = json!(sender);
            ("discu_message", 5)
        }
        Chat::Friend { .. } => ("message", 1),
    };
    if late {
        value["msg_type"] = json!(msg_type);
    }
    Ok(json!({"poll_type": kind, "value": value}))
}

fn pieces(state: &State, login: &Login, message: &Message) -> Vec<Value> {
    // PCs part lines by CR, phones by LF; a person has one of the two.
    let pc = message.from != login.account && message.from % 2 == 0;
    let words = |text: &str| escape(&if pc { text.replace('\n', "\r") } else { text.to_owned() });
    let mut pieces = Vec::new();
    for segment in &message.segments {
        match segment {
            Segment::Text { text } => pieces.push(json!(words(text))),
            // From April 2018 every face arrives as face 0.
            Segment::Face { .. } if state.era == Era::Smart2018 => pieces.push(json!(["face", 0])),
            Segment::Face { id } => pieces.push(json!(["face", id.parse::<i64>().unwrap_or(0)])),
            Segment::At { qq } if qq == "all" => pieces.push(json!("@全体成员 ")),
            Segment::At { qq } => {
                let name = qq.parse().map(|qq| called(state, message.chat, qq)).unwrap_or_default();
                pieces.push(json!(format!("@{name} ")));
            }
            // Neither pictures nor replies reach these clients.
            Segment::Reply { .. } | Segment::Other { .. } => {}
        }
    }
    pieces
}

/// The name under which a chat knows somebody: card, else own name.
fn called(state: &State, chat: Chat, qq: i64) -> String {
    let Chat::Group(number) = chat else {
        return nick(state, qq);
    };
    let card = state
        .world
        .group(number)
        .and_then(|group| group.member(qq))
        .map(|member| member.card.as_str());
    card.filter(|card| !card.is_empty())
        .map_or_else(|| nick(state, qq), escape)
}
