//! Stanza-ids and occupant-ids of one room.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jid::{BareJid, FullJid, Jid};
use sha2::Sha256;

use crate::model::{Author, MemberId, Seq};

/// What is called how in a room: by the room's own names, or by those of somebody else's service.
pub trait Names {
    /// The address of an occupant.
    fn address(&self, nick: &str) -> Jid;

    /// The stanza-id of a row, where it has one.
    fn stanza_id(&self, row: Seq) -> Option<String>;

    /// The occupant-id of a QQ member, where it is known.
    fn occupant_id(&self, member: &MemberId) -> Option<String>;
}

impl Names for Ids {
    fn address(&self, nick: &str) -> Jid {
        Self::address(self, nick)
    }

    fn stanza_id(&self, row: Seq) -> Option<String> {
        Some(Self::stanza_id(self, row))
    }

    fn occupant_id(&self, member: &MemberId) -> Option<String> {
        Some(self.of_member(member))
    }
}

/// Makes and reads the ids of one room. Cheap to clone: archive answers are rendered beside the room.
#[derive(Debug, Clone)]
pub struct Ids {
    room: BareJid,
    epoch: Arc<str>,
    salt: [u8; 32],
}

impl Ids {
    /// `salt` must stay secret and the same for ever: occupant-ids are made of it. `epoch` tells this store from an earlier one.
    pub fn new(room: BareJid, epoch: &str, salt: [u8; 32]) -> Self {
        Self {
            room,
            epoch: epoch.into(),
            salt,
        }
    }

    /// The room.
    pub fn room(&self) -> &BareJid {
        &self.room
    }

    /// The full JID of an occupant; `None` when the nick is no resource, which no nick of ours is.
    pub fn occupant(&self, nick: &str) -> Option<FullJid> {
        self.room.with_resource_str(nick).ok()
    }

    /// The address of an occupant: [`occupant`](Self::occupant), or the room's own for what is no nick.
    pub fn address(&self, nick: &str) -> Jid {
        self.occupant(nick).map_or_else(|| self.room.clone().into(), Jid::from)
    }

    /// The stanza-id of a row (XEP-0359): the same live, in history and in the archive.
    pub fn stanza_id(&self, seq: Seq) -> String {
        format!("{}-{seq}", self.epoch)
    }

    /// Reads a stanza-id of this room. Anything else, an id of another epoch too, is nothing.
    pub fn seq(&self, id: &str) -> Option<Seq> {
        let digits = id.strip_prefix(&*self.epoch)?.strip_prefix('-')?;
        let seq: i64 = digits.parse().ok()?;
        (seq > 0 && digits == seq.to_string()).then_some(Seq(seq))
    }

    /// The occupant-id (XEP-0421) of a person on XMPP.
    pub fn of_person(&self, who: &BareJid) -> String {
        self.digest("x", who.as_str())
    }

    /// The occupant-id of a QQ member.
    pub fn of_member(&self, id: &MemberId) -> String {
        self.digest("q", &id.to_string())
    }

    /// The occupant-id of an author; the room itself has none, nor has a guest.
    pub fn of_author(&self, author: &Author) -> Option<String> {
        match author {
            Author::Member { id, .. } => Some(self.of_member(id)),
            Author::Occupant(who) => Some(self.of_person(who)),
            // Their ids are another service's to make.
            Author::Guest(_) | Author::Room => None,
        }
    }

    /// A short token that only this room can make of `text`.
    pub fn token(&self, kind: &str, text: &str) -> String {
        let mut token = self.digest(kind, text);
        token.truncate(22);
        token
    }

    fn digest(&self, kind: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.salt).expect("HMAC takes keys of any length");
        for part in [self.room.as_str(), kind, text] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_its_own_ids() {
        let room = BareJid::new("r@qq.example").expect("a JID");
        let ids = Ids::new(room, "ab1", [7; 32]);
        assert_eq!(ids.seq(&ids.stanza_id(Seq(42))), Some(Seq(42)));
        for other in [
            "",
            "42",
            "ab2-42",
            "ab1-",
            "ab1-+42",
            "ab1-042",
            "ab1-0",
            "ab1--1",
            "ab1-99999999999999999999",
        ] {
            assert_eq!(ids.seq(other), None, "{other}");
        }
    }
}
