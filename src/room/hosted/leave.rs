//! Unavailable presence (XEP-0045 §7.14): whatever nick it names, it ends the client session that sent it.

use jid::FullJid;
use xmpp_parsers::presence::Presence;

use super::HostedRoom;
use crate::model::Timestamp;
use crate::room::{Admitted, Change, Effect, Leaving};
use crate::xmpp::read;

impl HostedRoom {
    pub(super) fn admit_leave(&mut self, session: &FullJid, presence: Presence, now: Timestamp) -> Admitted {
        if self.book.leave(session, now).is_none() {
            return Admitted::default();
        }
        let id = presence.id.clone();
        Admitted::effect(Effect::Change(Change::Leave {
            session: session.clone(),
            why: Leaving::Itself {
                presence: read::presence::payload(presence),
                id,
            },
        }))
    }
}
