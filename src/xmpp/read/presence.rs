//! What of a presence is passed on to others.

use xmpp_parsers::presence::Presence;

use super::message::{forged, neutral};
use crate::xmpp::payload::ns::HATS;
use crate::xmpp::render::children;

/// Longest payload that is kept and repeated; beyond it only show and status stay.
const MAX_PAYLOAD: usize = 8 * 1024;
/// Longest status text, in characters.
const MAX_STATUS: usize = 1024;

/// Show, status, capabilities, avatar hash, nick and what else a client tells, without what only a room may say.
pub fn payload(mut presence: Presence) -> String {
    presence.payloads.retain(|p| {
        let room = p.ns().starts_with("http://jabber.org/protocol/muc") || p.has_ns(HATS);
        !room && !forged(p)
    });
    neutral(&mut presence.statuses);
    for status in presence.statuses.values_mut() {
        if let Some((end, _)) = status.char_indices().nth(MAX_STATUS) {
            status.truncate(end);
        }
    }
    let text = children::of_presence(presence.clone());
    if text.len() <= MAX_PAYLOAD {
        return text;
    }
    presence.payloads.clear();
    let text = children::of_presence(presence.clone());
    if text.len() <= MAX_PAYLOAD {
        return text;
    }
    presence.statuses.clear();
    children::of_presence(presence)
}
