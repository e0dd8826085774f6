//! XEP-0045 §9 `muc#admin`: lists of roles and affiliations.

use jid::Jid;
use xmpp_parsers::iq::{IqGetPayload, IqResultPayload, IqSetPayload};
use xso::{AsXml, FromXml};

use super::muc_user::{Affiliation, Role};
use super::ns;

/// A list, or a question for one.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::MUC_ADMIN, name = "query")]
pub struct MucAdmin {
    /// The entries; a question has one without JID and nick.
    #[xml(child(n = ..))]
    pub items: Vec<AdminItem>,
}

/// One entry.
#[derive(FromXml, AsXml, Debug, Clone, Default, PartialEq)]
#[xml(namespace = ns::MUC_ADMIN, name = "item")]
pub struct AdminItem {
    /// The long-term standing.
    #[xml(attribute(default))]
    pub affiliation: Option<Affiliation>,
    /// The standing of this visit.
    #[xml(attribute(default))]
    pub role: Option<Role>,
    /// Whose.
    #[xml(attribute(default))]
    pub jid: Option<Jid>,
    /// The nick in the room.
    #[xml(attribute(default))]
    pub nick: Option<String>,
}

impl IqGetPayload for MucAdmin {}
impl IqSetPayload for MucAdmin {}
impl IqResultPayload for MucAdmin {}
