//! What the operator wants of one joined room.

use std::time::Duration;

use jid::{BareJid, FullJid, ResourcePart};

use crate::config::Secret;
use crate::model::{GroupNumber, Language, MemberId};
use crate::xmpp::Addresses;

/// The resource of every puppet.
const RESOURCE: &str = "gw";

/// The room and how it is to be visited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The room, on somebody else's domain.
    pub jid: BareJid,
    /// Gives members and the listener their addresses.
    pub addresses: Addresses,
    /// The listener's nick.
    pub nick: String,
    /// The room's password.
    pub password: Option<Secret>,
    /// Members who speak enter the room; else the listener speaks for all.
    pub puppets: bool,
    /// At most so many at once.
    pub puppets_max: usize,
    /// Who said nothing for so long leaves.
    pub puppets_idle: Duration,
    /// Of the gateway's own words.
    pub language: Language,
    /// What people said is passed on to QQ when it is no older than this.
    pub to_qq_within: Duration,
    /// What members said is still said in the room when it is no older than this.
    pub to_room_within: Duration,
}

impl Settings {
    /// The listener: one address for all rooms, one resource for each.
    pub(super) fn listener(&self) -> FullJid {
        let bridge = self.addresses.bridge();
        let room = ResourcePart::new(self.jid.as_str());
        // A bare JID may be longer than a resource: then any name will do that is this room's.
        let resource = room.unwrap_or_else(|_| ResourcePart::new(RESOURCE).expect("`gw` is a resource"));
        bridge.with_resource(&resource)
    }

    /// The puppet of a member.
    pub(super) fn puppet(&self, group: GroupNumber, member: &MemberId) -> FullJid {
        let resource = ResourcePart::new(RESOURCE).expect("`gw` is a resource");
        self.addresses.joined(group, member).with_resource(&resource)
    }

    /// An occupant of the room; `None` when the nick is no resource.
    pub(super) fn at(&self, nick: &str) -> Option<FullJid> {
        self.jid.with_resource_str(nick).ok()
    }
}
