//! XEP-0313 answers. Those of xmpp-parsers forward messages of the component's namespace alone, and write times with `+00:00`.

use minidom::Element;
use xmpp_parsers::iq::IqResultPayload;
use xmpp_parsers::message::MessagePayload;
use xmpp_parsers::ns::MAM;
use xso::{AsXml, FromXml};

/// `<result/>`: one message of the archive.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MAM, name = "result")]
pub struct Found {
    /// The stanza-id.
    #[xml(attribute)]
    pub id: String,
    /// The asker's name for the query.
    #[xml(attribute(default))]
    pub queryid: Option<String>,
    /// `<forwarded/>` (XEP-0297).
    #[xml(element)]
    pub forwarded: Element,
}

impl MessagePayload for Found {}

/// `<metadata/>`: the ends of the archive.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MAM, name = "metadata")]
pub struct Metadata {
    /// The oldest message.
    #[xml(child(default))]
    pub start: Option<Start>,
    /// The newest message.
    #[xml(child(default))]
    pub end: Option<End>,
}

impl IqResultPayload for Metadata {}

/// The oldest message.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MAM, name = "start")]
pub struct Start {
    /// The stanza-id.
    #[xml(attribute)]
    pub id: String,
    /// When it was said.
    #[xml(attribute)]
    pub timestamp: String,
}

/// The newest message.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MAM, name = "end")]
pub struct End {
    /// The stanza-id.
    #[xml(attribute)]
    pub id: String,
    /// When it was said.
    #[xml(attribute)]
    pub timestamp: String,
}
