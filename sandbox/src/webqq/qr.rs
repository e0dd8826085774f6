//! The QR code of the login: shown by ptqrshow, scanned by the phone (`/sandbox/qr/scan`), asked about with ptqrlogin.

use std::io::Cursor;

use qrcode::{Color, EcLevel, QrCode};
use serde::{Deserialize, Serialize};

use super::login::Login;
use super::{Answer, sign_in, token};
use crate::log::Fate;
use crate::net::{Reply, Request};
use crate::options::Era;
use crate::state::State;
use crate::store::StoreError;
use crate::world::Protocol;

/// How long a code lives, in seconds (webqq.md §3.2).
pub(crate) const CODE_LIFE: i64 = 120;
/// How many codes are remembered.
const CODES_KEPT: usize = 32;
/// Modules of white around the code, without which cameras do not find it.
const QUIET: usize = 4;

/// A code that was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code {
    pub(crate) id: i64,
    qrsig: String,
    /// What the picture says.
    pub(crate) text: String,
    /// Unix seconds.
    pub(crate) shown: i64,
    pub(crate) stage: Stage,
}

/// How far the phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// Nobody has scanned it.
    Shown,
    /// Scanned by the phone of that account; the client has not seen this yet.
    Scanned(i64),
    /// The client has seen the scan; the next question is answered with the login.
    Confirmed(i64),
}

impl Code {
    /// Whether it can still be scanned.
    pub(crate) fn waits(&self, now: i64) -> bool {
        self.stage == Stage::Shown && now - self.shown < CODE_LIFE
    }
}

/// What became of a scan.
pub(crate) enum Scan {
    /// The account logs in.
    Done(i64),
    /// There is nothing to scan.
    NoCode,
    /// There is nobody of that number who could log in so.
    NoAccount,
}

/// The phone of an account (of the first `WebQQ` account, if none is named) scans the newest code and confirms it.
pub(crate) fn scan(state: &mut State, qq: Option<i64>) -> Result<Scan, StoreError> {
    let account = match qq {
        Some(qq) => state
            .world
            .account(qq)
            .filter(|account| account.protocol == Protocol::Webqq),
        None => state.world.first(Protocol::Webqq),
    };
    let Some(account) = account.map(|account| account.qq) else {
        return Ok(Scan::NoAccount);
    };
    let now = state.clock.now();
    let Some(code) = state.webqq.codes.iter_mut().rev().find(|code| code.waits(now)) else {
        return Ok(Scan::NoCode);
    };
    code.stage = Stage::Scanned(account);
    let code = code.clone();
    state.store.put_doc("qr", code.id, 0, &code)?;
    state.wake();
    Ok(Scan::Done(account))
}

/// `ptqrshow`: a new code, as PNG; sets `qrsig`.
pub(super) fn show(state: &mut State, request: &Request) -> Result<Answer, StoreError> {
    let number = |name| request.param(name).and_then(|value| value.parse::<usize>().ok());
    let level = match request.param("l") {
        Some("L") => EcLevel::L,
        Some("Q") => EcLevel::Q,
        Some("H") => EcLevel::H,
        _ => EcLevel::M,
    };
    let text = format!("http://txz.qq.com/p?k={}&f=501004106", token::letters(32));
    let Some(picture) = png_of(&text, level, number("s").unwrap_or(3).clamp(1, 12)) else {
        return Ok(Answer::new(
            Reply::status(500),
            Fate::Refused,
            "the QR code could not be drawn",
        ));
    };
    // A client that shows a new code has taken the old one away.
    let before = request.cookie("qrsig");
    let old: Vec<i64> = state
        .webqq
        .codes
        .iter()
        .filter(|code| before.contains(&code.qrsig.as_str()))
        .map(|code| code.id)
        .collect();
    for id in old {
        forget(state, id)?;
    }
    let code = Code {
        id: state.next_number("last_qr")?,
        qrsig: token::qrsig(),
        text,
        shown: state.clock.now(),
        stage: Stage::Shown,
    };
    state.store.put_doc("qr", code.id, 0, &code)?;
    let cookie = request.set_cookie("qq.com", "qrsig", &code.qrsig);
    state.webqq.codes.push(code);
    while state.webqq.codes.len() > CODES_KEPT {
        forget(state, state.webqq.codes[0].id)?;
    }
    state.wake();
    let reply = Reply::new("image/png", picture).cookies([cookie]);
    Ok(Answer::new(reply, Fate::Answered, "a QR code is shown"))
}

/// `ptqrlogin`: how far the phone is.
pub(super) fn ask(state: &mut State, request: &Request) -> Result<Answer, StoreError> {
    let forbidden = |why: &str| Ok(Answer::new(Reply::status(403), Fate::Refused, why));
    let qrsigs = request.cookie("qrsig");
    let Some(last) = qrsigs.last() else {
        return forbidden("no cookie qrsig");
    };
    match request.param("ptqrtoken") {
        Some(given) if qrsigs.iter().any(|qrsig| given == token::hash33(qrsig).to_string()) => {}
        Some(_) => return forbidden("ptqrtoken is not the hash33 of qrsig"),
        // Until February 2017 nobody sent one (webqq.md §3.3).
        None if state.era == Era::Smart2015 => {}
        None => return forbidden("ptqrtoken is missing"),
    }
    let now = state.clock.now();
    let code = state
        .webqq
        .codes
        .iter()
        .rev()
        .find(|code| qrsigs.contains(&code.qrsig.as_str()))
        .cloned();
    let Some(mut code) = code else {
        return Ok(state_of(65, "二维码已失效。", "the code is used up or unknown", last));
    };
    match code.stage {
        Stage::Shown if state.faults.take("qr_expired", 0, |_| true).is_some() => {
            forget(state, code.id)?;
            Ok(state_of(65, "二维码已失效。", "expired by the fault qr_expired", last))
        }
        Stage::Shown if !code.waits(now) => {
            forget(state, code.id)?;
            Ok(state_of(65, "二维码已失效。", "the code has expired", last))
        }
        Stage::Shown => Ok(state_of(66, "二维码未失效。", "nobody has scanned the code yet", last)),
        Stage::Scanned(account) => {
            let withdrawn = state.faults.take("qr_withdrawn", account, |_| true).is_some();
            code.stage = if withdrawn {
                Stage::Shown
            } else {
                Stage::Confirmed(account)
            };
            state.store.put_doc("qr", code.id, 0, &code)?;
            let id = code.id;
            state
                .webqq
                .codes
                .iter_mut()
                .filter(|other| other.id == id)
                .for_each(|other| *other = code.clone());
            state.wake();
            Ok(state_of(67, "二维码认证中。", "the code is scanned", last))
        }
        Stage::Confirmed(account) => {
            forget(state, code.id)?;
            let gone = state.era == Era::Smart2018 && state.temper.ptwebqq_gone;
            let with_ptwebqq = !gone && !state.faults.has("empty_ptwebqq", account);
            let login = Login::new(state.next_number("last_login")?, account, now, with_ptwebqq);
            state.keep_login(login.clone())?;
            Ok(sign_in::welcome(state, request, &login))
        }
    }
}

fn state_of(code: u16, text: &str, detail: &str, qrsig: &str) -> Answer {
    let number = token::hash33(qrsig);
    Answer::script(
        &format!("ptuiCB('{code}','0','','0','{text}({number})', '');"),
        format!("{code}: {detail}"),
    )
}

fn forget(state: &mut State, id: i64) -> Result<(), StoreError> {
    state.webqq.codes.retain(|code| code.id != id);
    state.wake();
    state.store.delete_doc("qr", id)
}

/// Text as a QR code in a PNG, `scale` pixels per module.
pub(crate) fn png_of(text: &str, level: EcLevel, scale: usize) -> Option<Vec<u8>> {
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let side = (width + 2 * QUIET) * scale;
    let dark = |x: usize, y: usize| {
        let (x, y) = (x.checked_sub(QUIET)?, y.checked_sub(QUIET)?);
        (x < width && y < width && colors[y * width + x] == Color::Dark).then_some(())
    };
    let mut pixels = Vec::with_capacity(side * side);
    for y in 0..side {
        pixels.extend((0..side).map(|x| if dark(x / scale, y / scale).is_some() { 0 } else { 255 }));
    }
    gray_png(&pixels, side)
}

/// A square of grey pixels as PNG.
pub(crate) fn gray_png(pixels: &[u8], side: usize) -> Option<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    let side = u32::try_from(side).ok()?;
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(pixels).ok()?;
    writer.finish().ok()?;
    Some(file.into_inner())
}
