//! Histories: each program pages in its own way.

use serde_json::{Value, json};

use super::super::dialect::Paging;
use super::super::event::{described, message_event};
use super::super::failure::Failure;
use super::super::params::Params;
use super::super::tell;
use super::Call;
use super::say::either;
use crate::store::End;
use crate::world::{Chat, Message};

/// How many messages are given when nobody says, and at most.
const USUAL: i64 = 20;
const MOST: i64 = 1000;

pub(super) fn of_group(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    let chat = Chat::Group(call.need_group(params)?.number);
    history(call, chat, params)
}

pub(super) fn of_friend(call: &mut Call<'_>, params: Params<'_>) -> Result<Value, Failure> {
    params.need_number("user_id")?;
    let chat = either(call, params)?;
    history(call, chat, params)
}

fn history(call: &mut Call<'_>, chat: Chat, params: Params<'_>) -> Result<Value, Failure> {
    let count = params.number("count").unwrap_or(USUAL).clamp(1, MOST);
    let dialect = call.dialect()?;
    // QQ's servers are asked by all but the one that has a database of its own.
    if dialect.paging != Paging::LocalById {
        call.need_line()?;
    }
    let mut backwards = false;
    let mut messages = match dialect.paging {
        Paging::LocalById => {
            let older = params
                .truth("reverse_order")
                .or_else(|| params.truth("reverseOrder"))
                .unwrap_or(false);
            backwards = older && call.state.temper.history_backwards;
            local(call, chat, params, (count, older))?
        }
        Paging::EndingAtSeq => ending(call, chat, at_seq(call, chat, params)?, count)?,
        Paging::TwentyEndingAtSeq => ending(call, chat, at_seq(call, chat, params)?, USUAL)?,
        Paging::EndingAtId => {
            let last = match params.number("message_id").filter(|id| *id != 0) {
                Some(_) => super::message::named(call, params)?.id,
                None => i64::MAX,
            };
            ending(call, chat, last, count)?
        }
    };
    shorten(call, chat, &mut messages)?;
    for message in &messages {
        tell::learn(call.state, call.qq, message)?;
    }
    let mut shown = Vec::new();
    let view = call.view()?;
    for message in &messages {
        let event = if message.recalled {
            dialect.shows_recalled.then(|| described(&view, message, &[]))
        } else {
            message_event(&view, message)?
        };
        shown.extend(event);
    }
    if backwards {
        shown.reverse();
    }
    if shown.is_empty() && dialect.paging == Paging::LocalById {
        return Err(Failure::NoMessage);
    }
    call.note = format!("{} messages of {}", shown.len(), chat.key());
    Ok(json!({ "messages": shown }))
}

/// From the message that is named on, to the newer or the older.
fn local(
    call: &Call<'_>,
    chat: Chat,
    params: Params<'_>,
    (count, older): (i64, bool),
) -> Result<Vec<Message>, Failure> {
    let anchor = params
        .number("message_seq")
        .or_else(|| params.number("message_id"))
        .filter(|id| *id != 0);
    let (bounds, end) = match anchor {
        None => ((0, i64::MAX), End::Newest),
        Some(handle) => {
            let message = call.view()?.recognise(handle)?.filter(|message| message.chat == chat);
            let id = message.ok_or(Failure::NoMessage)?.id;
            if older {
                ((0, id), End::Newest)
            } else {
                ((id, i64::MAX), End::Oldest)
            }
        }
    };
    Ok(call.state.store.stretch(chat, bounds, (count, end), Some(call.qq))?)
}

fn at_seq(call: &Call<'_>, chat: Chat, params: Params<'_>) -> Result<i64, Failure> {
    match params.number("message_seq").filter(|seq| *seq > 0) {
        Some(seq) => Ok(call.state.store.at_seq(chat, seq)?.unwrap_or(0)),
        None => Ok(i64::MAX),
    }
}

fn ending(call: &Call<'_>, chat: Chat, last: i64, count: i64) -> Result<Vec<Message>, Failure> {
    Ok(call.state.store.stretch(chat, (0, last), (count, End::Newest), None)?)
}

/// A history that is shorter than it should be.
fn shorten(call: &mut Call<'_>, chat: Chat, messages: &mut Vec<Message>) -> Result<(), Failure> {
    let Some(fault) = call.state.faults.take("short_history", call.qq, |_| true) else {
        return Ok(());
    };
    let most = fault
        .number("messages")
        .and_then(|most| i64::try_from(most).ok())
        .unwrap_or(0);
    let newest = call
        .state
        .store
        .stretch(chat, (0, i64::MAX), (most, End::Newest), None)?;
    let first = newest.first().map_or(i64::MAX, |message| message.id);
    messages.retain(|message| message.id >= first);
    Ok(())
}
