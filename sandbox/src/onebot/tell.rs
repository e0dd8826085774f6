//! From what happens in the world to the frames that leave.

use serde_json::{Value, json};

use super::dialect::Dialect;
use super::event;
use super::frame::Frame;
use super::view::View;
use crate::log::{Entry, Fate};
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Happening, Message, Protocol};

/// The padding of a huge frame, and its bounds.
const USUAL_PADDING: u64 = 8 * 1024 * 1024;
const LARGEST_PADDING: u64 = 128 * 1024 * 1024;

/// Tells every `OneBot` account that sees it what happened.
pub(crate) fn tell(state: &mut State, happening: &Happening) -> Result<(), StoreError> {
    for qq in audience(state, happening) {
        tell_one(state, qq, happening)?;
    }
    Ok(())
}

fn audience(state: &State, happening: &Happening) -> Vec<i64> {
    if let Some(chat) = event::place(happening) {
        return state.audience(chat, Protocol::Onebot);
    }
    let (Happening::Left { group, .. } | Happening::Dissolved { group, .. }) = happening else {
        return Vec::new();
    };
    let accounts = state.world.accounts.iter();
    let accounts = accounts.filter(|account| account.protocol == Protocol::Onebot);
    accounts
        .map(|account| account.qq)
        .filter(|qq| group.member(*qq).is_some())
        .collect()
}

/// Whether QQ reaches the program of an account now.
pub(super) fn is_reached(state: &State, qq: i64) -> bool {
    let down = state
        .onebot
        .runs
        .get(&qq)
        .is_some_and(|run| run.down_until > state.clock.now_ms());
    !down && !state.onebot.kept(qq).offline && !state.faults.has("silent_offline", qq)
}

fn tell_one(state: &mut State, qq: i64, happening: &Happening) -> Result<(), StoreError> {
    if !is_reached(state, qq) {
        if let Happening::Said(message) = happening {
            state.store.miss(qq, message.id)?;
        }
        return Ok(());
    }
    if let Happening::Said(message) = happening {
        learn(state, qq, message)?;
        if !state.onebot.is_heard(qq) {
            let detail = format!(
                "nobody is connected: message {} of {} is not told",
                message.id,
                message.chat.key()
            );
            state.log(Entry::aside("onebot", Some(qq), Fate::Gone, detail))?;
        }
    }
    let Some(view) = View::of(state, qq) else {
        return Ok(());
    };
    let events = event::of(&view, happening)?;
    for event in events {
        emit(state, qq, event)?;
    }
    Ok(())
}

/// Makes a message known to the program of an account: from now on its id can be asked about.
pub(super) fn learn(state: &mut State, qq: i64, message: &Message) -> Result<(), StoreError> {
    let Some(view) = View::of(state, qq) else {
        return Ok(());
    };
    let (handle, remembers) = (view.handle(message), view.dialect.remembers);
    state.store.learn(qq, handle, message.id)?;
    if let Some(most) = remembers {
        state.onebot.run(qq).see(message.id, most);
    }
    Ok(())
}

/// Tells the newest of what an account missed, as far as its program does that.
pub(super) fn tell_missed(state: &mut State, qq: i64, dialect: &Dialect) -> Result<(), StoreError> {
    for message in state.store.catch_up(qq, dialect.catches_up)? {
        tell_one(state, qq, &Happening::Said(message))?;
    }
    Ok(())
}

/// Writes an event down for the connections of an account, as the armed faults will have it.
fn emit(state: &mut State, qq: i64, mut event: Value) -> Result<(), StoreError> {
    if !state.onebot.is_heard(qq) {
        return Ok(());
    }
    let post_type = event["post_type"].as_str().unwrap_or_default().to_owned();
    let fits = |armed: &crate::faults::Armed| armed.text("post_type").unwrap_or("message") == post_type;
    if state.faults.take("lost_event", qq, fits).is_some() {
        let detail = format!("fault: the event {} is lost", short(&event));
        return state.log(Entry::aside("onebot", Some(qq), Fate::Dropped, detail));
    }
    let mut frames = Vec::new();
    if state.faults.take("garbage_frame", qq, |_| true).is_some() {
        frames.push(garbage(state.faults.garbage));
        state.faults.garbage += 1;
    }
    let twice = state.faults.take("duplicate_event", qq, fits).is_some();
    if let Some(fault) = state.faults.take("huge_frame", qq, |_| true) {
        let size = fault.number("size").unwrap_or(USUAL_PADDING).min(LARGEST_PADDING);
        event["raw"] = json!("x".repeat(usize::try_from(size).unwrap_or(0)));
    }
    let cut = state
        .faults
        .take("cut_socket", qq, |armed| armed.text("on").unwrap_or("event") == "event");
    let text = event.to_string();
    match cut {
        Some(cut) if cut.truth("mid_frame") => frames.push(Frame::Half(text)),
        Some(_) => frames.push(Frame::Cut),
        None if twice => frames.extend([Frame::Text(text.clone()), Frame::Text(text)]),
        None => frames.push(Frame::Text(text)),
    }
    state.onebot.pending.extend(frames.into_iter().map(|frame| (qq, frame)));
    Ok(())
}

fn short(event: &Value) -> String {
    event.to_string().chars().take(200).collect()
}

/// Frames that are none, in turns.
fn garbage(turn: usize) -> Frame {
    let texts = [
        "",
        "not json",
        "{\"post_type\":\"message\",\"message_type\":\"gro",
        "null",
        "[]",
        "17",
        "{}",
        "{\"post_type\":\"message\",\"message_type\":\"group\",\"group_id\":{},\"message\":7,\"time\":\"soon\"}",
        "{\"post_type\":\"notice\",\"notice_type\":\"group_recall\",\"group_id\":null,\"message_id\":\"x\"}",
        "{\"status\":\"ok\",\"retcode\":0,\"data\":null,\"echo\":{\"never\":[\"asked\"]}}",
        "{\"post_type\":\"no_such_type\",\"self_id\":-1e308}",
    ];
    match turn % (texts.len() + 1) {
        0 => Frame::Binary(vec![0xFF, 0x00, 0xFE, 0x7B]),
        place => Frame::Text(texts[place - 1].to_owned()),
    }
}

/// Tells an account's connections an event as it was given, with time and number when they are missing.
pub(crate) fn raw_event(state: &mut State, qq: i64, mut event: Value) -> Result<(), StoreError> {
    let now = state.clock.now();
    for (name, value) in [("time", json!(now)), ("self_id", json!(qq))] {
        if event.get(name).is_none() {
            event[name] = value;
        }
    }
    emit(state, qq, event)
}

/// Tells an account's connections an event of its program.
pub(super) fn meta_event(state: &mut State, qq: i64, event: Value) -> Result<(), StoreError> {
    emit(state, qq, event)
}
