//! Mentions: explicit ones by occupant-id, and XEP-0372 References.

use xmpp_parsers::message::MessagePayload;
use xso::{AsXml, FromXml};

use super::ns;

/// A range of the body names an occupant. The range counts code points.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::MENTIONS, name = "mention")]
pub struct Mention {
    /// First code point.
    #[xml(attribute(default))]
    pub begin: Option<u32>,
    /// One past the last.
    #[xml(attribute(default))]
    pub end: Option<u32>,
    /// Who (XEP-0421).
    #[xml(attribute(default))]
    pub occupantid: Option<String>,
}

impl MessagePayload for Mention {}

/// A range of the body refers to something (XEP-0372).
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::REFERENCE, name = "reference")]
pub struct Reference {
    /// `mention` or `data`.
    #[xml(attribute = "type")]
    pub type_: String,
    /// What is referred to.
    #[xml(attribute(default))]
    pub uri: Option<String>,
    /// First code point.
    #[xml(attribute(default))]
    pub begin: Option<u32>,
    /// One past the last.
    #[xml(attribute(default))]
    pub end: Option<u32>,
}

impl MessagePayload for Reference {}
