//! XEP-0334 Message Processing Hints.

use xmpp_parsers::message::MessagePayload;
use xso::{AsXml, FromXml};

use super::ns;

/// What a server is asked to do with a message.
#[derive(FromXml, AsXml, Debug, Clone, Copy, PartialEq, Eq)]
#[xml(namespace = ns::HINTS)]
pub enum Hint {
    /// Not into an archive.
    #[xml(name = "no-permanent-store")]
    NoPermanentStore,
    /// Nowhere.
    #[xml(name = "no-store")]
    NoStore,
    /// Not to other clients.
    #[xml(name = "no-copy")]
    NoCopy,
    /// Into the archive, though it has no body.
    #[xml(name = "store")]
    Store,
}

impl MessagePayload for Hint {}
