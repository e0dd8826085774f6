//! What the configuration says about a hosted room, and who may enter it.

use jid::BareJid;

use crate::config::{Allow, Language, Occupants};
use crate::xmpp::payload::muc_user::{Affiliation, Role};

/// The configuration of a hosted room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its address.
    pub jid: BareJid,
    /// Its name.
    pub name: String,
    /// Its description; may be empty.
    pub description: String,
    /// Language of the gateway's texts.
    pub language: Language,
    /// Admins of the gateway: owners everywhere.
    pub admins: Vec<BareJid>,
    /// Owners of this room.
    pub owners: Vec<BareJid>,
    /// Who may enter besides admins and owners.
    pub allow: Vec<Allow>,
    /// Which QQ members are occupants.
    pub occupants: Occupants,
    /// Longest message, in bytes of its children as XML.
    pub max_stanza: usize,
}

impl Settings {
    /// May this person be here, and ask about the room?
    pub fn may_enter(&self, who: &BareJid) -> bool {
        self.is_owner(who) || self.allow.iter().any(|rule| rule.fits(who))
    }

    /// Admins of the gateway and owners of the room.
    pub fn is_owner(&self, who: &BareJid) -> bool {
        self.admins.contains(who) || self.owners.contains(who)
    }

    /// How a person on XMPP stands in the room.
    pub fn standing(&self, who: &BareJid) -> (Affiliation, Role) {
        if self.is_owner(who) {
            (Affiliation::Owner, Role::Moderator)
        } else {
            (Affiliation::None, Role::Participant)
        }
    }

    /// Everybody in `admins` and `owners`, once.
    pub fn all_owners(&self) -> Vec<&BareJid> {
        let mut all: Vec<_> = self.admins.iter().chain(&self.owners).collect();
        all.sort();
        all.dedup();
        all
    }
}
