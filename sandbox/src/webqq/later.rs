//! How a message of the world gets into the queues; by way of a fault not at all, twice, late, altered, in pieces (webqq.md
//! §6.2, §12.4, §12.5).

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::delay;
use super::login::Login;
use super::queue::{enqueue, sessions};
use super::{render, system};
use crate::log::{Entry, Fate};
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;
use crate::world::{Chat, Message};

/// How much later what is late comes.
const USUAL_DELAY: Duration = Duration::from_secs(2);
/// The most that waits for its time; what would come on top comes at once.
const MOST_LATE: usize = 1000;

/// A message that a login gets later.
#[derive(Clone, Debug)]
pub(crate) struct Later {
    login: i64,
    message: i64,
    /// Unix milliseconds.
    due: i64,
}

fn postpone(state: &mut State, login: &Login, message: i64, by: Duration) -> Result<(), StoreError> {
    if by.is_zero() || state.webqq.later.len() >= MOST_LATE {
        return enqueue(state, login, Some(message), None);
    }
    let due = state
        .clock
        .now_ms()
        .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    state.webqq.later.push(Later {
        login: login.id,
        message,
        due,
    });
    state.wake();
    Ok(())
}

/// Puts into the queue of a login what has come to its time; says how long it is until the next.
pub(super) fn bring(state: &mut State, login: &Login) -> Result<Option<Duration>, StoreError> {
    let now = state.clock.now_ms();
    let (due, waiting): (Vec<Later>, Vec<Later>) = std::mem::take(&mut state.webqq.later)
        .into_iter()
        .partition(|later| later.login == login.id && later.due <= now);
    let next = waiting
        .iter()
        .filter(|later| later.login == login.id)
        .map(|later| later.due)
        .min();
    state.webqq.later = waiting;
    for later in due {
        enqueue(state, login, Some(later.message), None)?;
    }
    Ok(next.map(|due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0))))
}

fn note(state: &mut State, login: &Login, message: i64, fate: Fate, what: &str) -> Result<(), StoreError> {
    let detail = format!("message {message} {what}");
    state.log(Entry {
        message: Some(message),
        ..Entry::aside("webqq", Some(login.account), fate, detail)
    })
}

/// Puts a message of the world into the queue of every session that sees it, the sender's own included.
pub(crate) fn announce(state: &mut State, message: &Message) -> Result<(), StoreError> {
    // Temporary chats were closed to these clients at the end of 2015.
    let closed = state.era == Era::Smart2018
        && matches!(message.chat, Chat::Friend { account, friend } if !render::is_friend(state, account, friend));
    if closed {
        return Ok(());
    }
    for login in sessions(state, message.chat) {
        if state.webqq.sending != Some(login.id) {
            admit(state, &login, message)?;
        } else if comes_back(state, message.chat) {
            state.webqq.answer_waits = admit_own(state, &login, message)?;
        }
    }
    Ok(())
}

/// Whether what a session sends is told to itself. In 2013 friends' chats never were.
fn comes_back(state: &State, chat: Chat) -> bool {
    state.era != Era::Web2013 || (state.temper.own_echo && !matches!(chat, Chat::Friend { .. }))
}

/// Puts a message of somebody else, or of another device, into the queue of a login.
pub(super) fn admit(state: &mut State, login: &Login, message: &Message) -> Result<(), StoreError> {
    let account = login.account;
    if state
        .faults
        .find("zombie", account)
        .is_some_and(|armed| armed.truth("lose"))
    {
        return note(
            state,
            login,
            message.id,
            Fate::Dropped,
            "is never given, by the fault zombie",
        );
    }
    if state.faults.take("lost_message", account, |_| true).is_some() {
        return note(
            state,
            login,
            message.id,
            Fate::Dropped,
            "is never given, by the fault lost_message",
        );
    }
    if let Some(armed) = state.faults.take("extra_event", account, |_| true) {
        let extra = extra(state, login, message, armed.text("what").unwrap_or("unknown"))?;
        enqueue(state, login, None, Some(&extra))?;
    }
    enqueue(state, login, Some(message.id), None)?;
    if let Some(armed) = state.faults.take("double_message", account, |_| true) {
        note(
            state,
            login,
            message.id,
            Fate::Answered,
            "is given twice, by the fault double_message",
        )?;
        postpone(state, login, message.id, delay(&armed, "delay", Duration::ZERO))?;
    }
    Ok(())
}

/// Puts a login's own message into its queue; says how long its send must wait for the answer.
pub(super) fn admit_own(state: &mut State, login: &Login, message: &Message) -> Result<Duration, StoreError> {
    let Some(armed) = state.faults.take("echo", login.account, |_| true) else {
        enqueue(state, login, Some(message.id), None)?;
        return Ok(Duration::ZERO);
    };
    let how = armed.text("how").unwrap_or("none").to_owned();
    note(
        state,
        login,
        message.id,
        Fate::Answered,
        &format!("comes back \"{how}\", by the fault echo"),
    )?;
    let pause = delay(&armed, "delay", USUAL_DELAY);
    match how.as_str() {
        "altered" => {
            let mut event = render::of_message(state, login, message)?;
            let alter = armed.text("alter").unwrap_or("space");
            each_text(&mut event, |text| altered(text, alter));
            enqueue(state, login, Some(message.id), Some(&event))?;
        }
        "split" => {
            for (half, number) in [(0, 0), (1, 31)] {
                let mut event = render::of_message(state, login, message)?;
                each_text(&mut event, |text| halves(text)[half].to_owned());
                let first = event["value"]["msg_id"].as_i64().unwrap_or(0);
                event["value"]["msg_id"] = json!((first + number) % 65_536);
                enqueue(state, login, Some(message.id), Some(&event))?;
            }
        }
        "twice" => {
            enqueue(state, login, Some(message.id), None)?;
            enqueue(state, login, Some(message.id), None)?;
        }
        "late" => postpone(state, login, message.id, pause)?,
        "early" => {
            enqueue(state, login, Some(message.id), None)?;
            return Ok(pause);
        }
        _ => {}
    }
    Ok(Duration::ZERO)
}

fn each_text(event: &mut Value, change: impl Fn(&str) -> String) {
    let content = event["value"]["content"].as_array_mut();
    for piece in content.into_iter().flatten() {
        if let Value::String(text) = piece {
            *text = change(text);
        }
    }
}

fn altered(text: &str, how: &str) -> String {
    match how {
        "cut" => text
            .split(['<'])
            .next()
            .unwrap_or_default()
            .split("&lt;")
            .next()
            .unwrap_or_default()
            .to_owned(),
        "censor" => {
            let mut words: Vec<&str> = text.split(' ').collect();
            if let Some(longest) = words.iter_mut().max_by_key(|word| word.len()) {
                *longest = "***";
            }
            words.join(" ")
        }
        _ => format!("{} ", text.replace(' ', "\u{a0}").replace('\n', "\r")),
    }
}

/// A text in two pieces, at a line or a space near its middle.
fn halves(text: &str) -> [&str; 2] {
    let mut middle = text.len() / 2;
    while !text.is_char_boundary(middle) {
        middle -= 1;
    }
    let place = text[..middle]
        .rfind(['\n', '\r', ' '])
        .map_or(middle, |place| place + 1);
    let (first, second) = text.split_at(place);
    [first, second]
}

fn extra(state: &mut State, login: &Login, message: &Message, what: &str) -> Result<Value, StoreError> {
    let unknown = json!({"poll_type": "sandbox_unknown", "value": {"from_uin": 10_000, "what": [1, null, {"a": "b"}]}});
    Ok(match what {
        "junk" => {
            let mut event = render::of_message(state, login, message)?;
            event["value"]["msg_id"] = json!(1);
            let junk = json!(" \0\n\0\0\0\0\u{2}宋体\r");
            event["value"]["content"] = render::content(state, vec![junk]);
            event
        }
        "status" => system::status(state, login)?.unwrap_or(unknown),
        "input" => {
            let uin = system::status(state, login)?.map_or(json!(0), |event| event["value"]["uin"].clone());
            let value = render::with_head(state, login, 121, &json!({"from_uin": uin}))?;
            json!({"poll_type": "input_notify", "value": value})
        }
        "tips" => json!({"poll_type": "tips", "value": {"content": "您上次登录的地点是火星", "login_area": ""}}),
        _ => unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_altered_and_parted() {
        assert_eq!(altered("a b\nc", "space"), "a\u{a0}b\rc ");
        assert_eq!(altered("a &lt; b", "cut"), "a ");
        assert_eq!(altered("a long b", "censor"), "a *** b");
        assert_eq!(halves("one two three"), ["one ", "two three"]);
        assert_eq!(halves("一二三"), ["一", "二三"]);
    }
}
