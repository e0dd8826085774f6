//! XEP-0203 Delayed Delivery, with the stamp as text: that of xmpp-parsers writes `+00:00` where clients are used to `Z`.

use jid::Jid;
use xmpp_parsers::message::MessagePayload;
use xmpp_parsers::ns::DELAY;
use xso::{AsXml, FromXml};

/// When a stanza was first sent.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = DELAY, name = "delay")]
pub struct Delay {
    /// Who says so.
    #[xml(attribute(default))]
    pub from: Option<Jid>,
    /// The time (XEP-0082).
    #[xml(attribute)]
    pub stamp: String,
}

impl MessagePayload for Delay {}
