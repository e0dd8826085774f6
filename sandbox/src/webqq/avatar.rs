//! Avatars: a grey square per number.

use super::{Answer, qr};
use crate::log::Fate;
use crate::net::{Reply, Request};

const SIDE: usize = 40;

/// `getface`: a small PNG, always the same for the same number.
pub(super) fn show(request: &Request) -> Answer {
    let uin: u64 = request.param("uin").and_then(|value| value.parse().ok()).unwrap_or(0);
    let shade = u8::try_from(64 + uin % 128).unwrap_or(128);
    match qr::gray_png(&vec![shade; SIDE * SIDE], SIDE) {
        Some(picture) => Answer::new(Reply::new("image/png", picture), Fate::Answered, "an avatar"),
        None => Answer::new(Reply::status(404), Fate::Refused, "no avatar"),
    }
}
