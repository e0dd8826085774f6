//! Turning the wheels: QR scans, kicks, the clock, a new beginning.

use qrcode::EcLevel;
use serde_json::{Value, json};

use super::{Served, body, fault, optional_number};
use crate::clock::parse_duration;
use crate::net::{Reply, Request};
use crate::onebot::{self, View};
use crate::state::State;
use crate::webqq::{self, Scan};

/// `GET /sandbox/qr`: the picture of the code that would be scanned now.
pub(super) fn picture(state: &mut State) -> Served {
    let now = state.clock.now();
    let code = state.webqq.codes.iter().rev().find(|code| code.waits(now));
    let code = code.ok_or_else(|| fault(404, "no QR code is shown: no client is at the login"))?;
    let picture = webqq::png_of(&code.text, EcLevel::M, 6).ok_or_else(|| fault(500, "the code could not be drawn"))?;
    Ok(Reply::new("image/png", picture))
}

/// `POST /sandbox/qr/scan`: the phone scans and confirms; `{"qq": …}` says whose phone.
pub(super) fn scan(state: &mut State, request: &Request) -> Served {
    let qq = optional_number(&body(request)?, "qq")?;
    match webqq::scan(state, qq)? {
        Scan::Done(account) => Ok(Reply::json(&json!({"qq": account, "scanned": true}))),
        Scan::NoCode => {
            let sentence = "no QR code is shown now: a client must fetch ptqrshow first, and a code lives two minutes";
            Err(fault(409, sentence))
        }
        Scan::NoAccount => Err(fault(400, "there is no such account with protocol webqq in this world")),
    }
}

/// `POST /sandbox/kick`: ends the session of `{"qq": …}`, or of everybody on `WebQQ`.
pub(super) fn kick(state: &mut State, request: &Request) -> Served {
    let qq = optional_number(&body(request)?, "qq")?;
    if let Some(qq) = qq
        && View::of(state, qq).is_some()
    {
        onebot::offline(state, qq, "下线通知", "您的帐号在另一地点登录，您已被迫下线。")?;
        return Ok(Reply::json(&json!({"kicked": 1})));
    }
    match webqq::kick(state, qq)? {
        0 => Err(fault(409, "nobody is logged in who could be kicked")),
        kicked => Ok(Reply::json(&json!({"kicked": kicked}))),
    }
}

/// `POST /sandbox/clock`: `{"advance": "47h"}`.
pub(super) fn clock(state: &mut State, request: &Request) -> Served {
    let body = body(request)?;
    let by = match &body["advance"] {
        Value::String(text) => parse_duration(text),
        Value::Number(number) => number.as_u64().and_then(|seconds| parse_duration(&seconds.to_string())),
        _ => None,
    };
    let by = by.ok_or_else(|| fault(400, "\"advance\" must be a duration like \"47h\", \"90s\" or \"1d12h\""))?;
    state.advance(by)?;
    Ok(Reply::json(&json!({"time": state.clock.now()})))
}

/// `POST /sandbox/reset`: the world as it was in the beginning; `{"seed": N}` for another temper.
pub(super) fn reset(state: &mut State, request: &Request) -> Served {
    let seed = optional_number(&body(request)?, "seed")?;
    let seed = seed
        .map(u64::try_from)
        .transpose()
        .map_err(|_| fault(400, "\"seed\" must not be below 0"))?;
    state.reset(seed)?;
    Ok(Reply::json(&json!({"seed": state.seed})))
}
