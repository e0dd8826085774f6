//! XEP-0249 Direct MUC Invitations.

use jid::BareJid;
use xmpp_parsers::message::MessagePayload;
use xso::{AsXml, FromXml};

use super::ns;

/// Come to this room.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::X_CONFERENCE, name = "x")]
pub struct DirectInvite {
    /// The room.
    #[xml(attribute)]
    pub jid: BareJid,
    /// Why.
    #[xml(attribute(default))]
    pub reason: Option<String>,
}

impl MessagePayload for DirectInvite {}
