//! XEP-0461 Message Replies.

use xmpp_parsers::message::MessagePayload;
use xso::{AsXml, FromXml};

use super::ns;

/// This message answers another.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::REPLY, name = "reply")]
pub struct Reply {
    /// The author of that message; text, since clients write what they like here.
    #[xml(attribute(default))]
    pub to: Option<String>,
    /// In a MUC the stanza-id of that message.
    #[xml(attribute)]
    pub id: String,
}

impl MessagePayload for Reply {}
