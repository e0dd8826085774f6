//! One call: read, done, answered, as the armed faults will have it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::action::{self, Call};
use super::dialect::Errors;
use super::failure::{self, Failure};
use super::frame::Frame;
use super::params::Params;
use super::view::View;
use crate::clock::parse_duration;
use crate::faults::Armed;
use crate::log::{Entry, Fate};
use crate::state::{Shared, State};
use crate::store::StoreError;

/// When an answer is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// At once.
    Now,
    /// After that time.
    Later(Duration),
    /// In reverse order with others, when there are so many.
    Held(usize),
}

/// What is answered to a frame.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) frame: Option<(Frame, When)>,
    /// Whether the events that follow from the call are told before it is answered.
    pub(super) after_events: bool,
}

const SILENCE: Answered = Answered {
    frame: None,
    after_events: false,
};

/// Does what a frame asks for.
pub(super) fn answer(shared: &Arc<Shared>, qq: i64, link: u64, text: &str) -> Result<Answered, StoreError> {
    shared.run(|state| {
        let Some(dialect) = View::of(state, qq).map(|view| view.dialect) else {
            return Ok(SILENCE);
        };
        let asked: Value = serde_json::from_str(text).unwrap_or_default();
        let echo = asked.get("echo").filter(|echo| !echo.is_null());
        let Some(name) = asked["action"].as_str() else {
            log(state, qq, link, "?", Err(&Failure::NoCall), None, "no call")?;
            let frame = failure::failed(dialect, &Failure::NoCall, echo);
            return Ok(Answered {
                frame: Some((Frame::Text(frame.to_string()), When::Now)),
                ..SILENCE
            });
        };
        // Only go-cqhttp has these endings of the standard: the call is done, the answer says nothing of it.
        let (name, hurried) = match name
            .strip_suffix("_async")
            .or_else(|| name.strip_suffix("_rate_limited"))
        {
            Some(name) if dialect.errors == Errors::Gocq => (name, true),
            _ => (name, false),
        };
        let name: String = name.chars().take(100).collect();
        let fits = |armed: &Armed| armed.text("action").is_none_or(|action| action == name);
        if state.faults.take("drop_call", qq, fits).is_some() {
            let detail = "fault: neither done nor answered";
            state.log(entry(qq, link, &name, Fate::Dropped, detail))?;
            return Ok(SILENCE);
        }
        let result = done(state, qq, link, &name, Params::of(&asked["params"]), fits)?;
        let frame = match &result {
            Ok(_) if hurried => failure::hurried(dialect, echo),
            Ok(data) => failure::done(dialect, data, echo),
            Err(failure) => failure::failed(dialect, failure, echo),
        };
        state.onebot.run(qq).calls += 1;
        Ok(Answered {
            frame: temper(state, qq, frame.to_string(), fits),
            after_events: state.temper.echo_first,
        })
    })
}

/// Does a call and writes down what became of it.
fn done(
    state: &mut State,
    qq: i64,
    link: u64,
    name: &str,
    params: Params<'_>,
    fits: impl Fn(&Armed) -> bool + Copy,
) -> Result<Result<Value, Failure>, StoreError> {
    let sends = action::sends(name);
    let lost = sends && state.faults.take("timeout_lost", qq, fits).is_some();
    if lost || state.faults.take("fail_call", qq, fits).is_some() {
        log(state, qq, link, name, Err(&Failure::Timeout), None, "fault: not done")?;
        return Ok(Err(Failure::Timeout));
    }
    let mut call = Call {
        state,
        qq,
        said: None,
        note: String::new(),
    };
    let result = match action::run(&mut call, name, params) {
        Err(Failure::Store(error)) => return Err(error),
        result => result,
    };
    let (said, note) = (call.said, call.note);
    log(state, qq, link, name, result.as_ref().map(|_| ()), said, &note)?;
    if result.is_ok() && sends && state.faults.take("timeout_delivered", qq, fits).is_some() {
        state.log(entry(qq, link, name, Fate::Answered, "fault: answered as timed out"))?;
        return Ok(Err(Failure::Timeout));
    }
    Ok(result)
}

/// How an answer is given.
fn temper(state: &mut State, qq: i64, text: String, fits: impl Fn(&Armed) -> bool + Copy) -> Option<(Frame, When)> {
    if state.faults.take("drop_answer", qq, fits).is_some() {
        return None;
    }
    let cut = state
        .faults
        .take("cut_socket", qq, |armed| armed.text("on") == Some("answer"));
    if let Some(cut) = cut {
        let frame = if cut.truth("mid_frame") {
            Frame::Half(text)
        } else {
            Frame::Cut
        };
        return Some((frame, When::Now));
    }
    let frame = Frame::Text(text);
    if let Some(late) = state.faults.take("late_answer", qq, fits) {
        let delay = late
            .text("delay")
            .and_then(parse_duration)
            .unwrap_or(Duration::from_secs(3));
        return Some((frame, When::Later(delay)));
    }
    let run = state.onebot.run(qq);
    if run.holding == 0
        && let Some(fault) = state.faults.take("reorder_answers", qq, fits)
    {
        run.holding = fault
            .number("size")
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(3)
            .max(1);
    }
    if run.holding > 0 {
        let size = run.holding;
        run.held += 1;
        if run.held >= size {
            (run.held, run.holding) = (0, 0);
        }
        return Some((frame, When::Held(size)));
    }
    Some((frame, When::Now))
}

fn entry(qq: i64, link: u64, name: &str, fate: Fate, detail: impl Into<String>) -> Entry {
    Entry {
        method: "WS".to_owned(),
        host: format!("connection {link}"),
        path: name.to_owned(),
        ..Entry::aside("onebot", Some(qq), fate, detail)
    }
}

fn log(
    state: &mut State,
    qq: i64,
    link: u64,
    name: &str,
    result: Result<(), &Failure>,
    said: Option<i64>,
    note: &str,
) -> Result<(), StoreError> {
    let (fate, detail) = match (result, said) {
        (Ok(()), Some(_)) => (Fate::Delivered, note.to_owned()),
        (Ok(()), None) => (Fate::Answered, note.to_owned()),
        (Err(failure), _) => (Fate::Refused, format!("{failure:?} {note}").trim().to_owned()),
    };
    state.log(Entry {
        message: said,
        retcode: Some(i64::from(result.is_err())),
        ..entry(qq, link, name, fate, detail)
    })
}
