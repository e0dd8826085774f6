//! XEP-0424 Message Retraction and XEP-0425 Moderated Message Retraction, as the room says them. 0425 comes in two forms: inside a
//! retraction since version 0.3, before it fastened to the message (XEP-0422).

use xmpp_parsers::message::MessagePayload;
use xmpp_parsers::occupant_id::OccupantId;
use xso::{AsXml, FromXml};

use super::ns;

/// A message is taken back (XEP-0424 §3).
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::RETRACT, name = "retract")]
pub struct Retract {
    /// The stanza-id of that message.
    #[xml(attribute)]
    pub id: String,
    /// By whom, when it was not the author.
    #[xml(child(default))]
    pub moderated: Option<Moderated>,
    /// Why, in the moderator's words.
    #[xml(extract(default, fields(text(type_ = String))))]
    pub reason: Option<String>,
}

impl MessagePayload for Retract {}

/// What stands in an archive in place of the words of a message that was taken back (XEP-0424 §4).
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::RETRACT, name = "retracted")]
pub struct Retracted {
    /// The id of the message that took it back.
    #[xml(attribute)]
    pub id: String,
    /// When that was (XEP-0082).
    #[xml(attribute(default))]
    pub stamp: Option<String>,
    /// By whom, when it was not the author.
    #[xml(child(default))]
    pub moderated: Option<Moderated>,
}

impl MessagePayload for Retracted {}

/// A moderator did it.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::MODERATE, name = "moderated")]
pub struct Moderated {
    /// The moderator's address in the room, or the room's.
    #[xml(attribute(default))]
    pub by: Option<String>,
    /// The moderator (XEP-0421).
    #[xml(child(default))]
    pub occupant_id: Option<OccupantId>,
}

/// The carrier of the older form.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::FASTEN, name = "apply-to")]
pub struct ApplyTo {
    /// The stanza-id of the message that is meant.
    #[xml(attribute)]
    pub id: String,
    /// What was done.
    #[xml(child)]
    pub moderated: OldModerated,
}

impl MessagePayload for ApplyTo {}

/// A moderator did it, in the older form.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::MODERATE_0, name = "moderated")]
pub struct OldModerated {
    /// The moderator's address in the room, or the room's.
    #[xml(attribute)]
    pub by: String,
    /// Take the message away.
    #[xml(child(default))]
    pub retract: Option<OldRetract>,
    /// In a tombstone: it was taken away.
    #[xml(child(default))]
    pub retracted: Option<OldRetracted>,
    /// Why, in the moderator's words.
    #[xml(extract(default, fields(text(type_ = String))))]
    pub reason: Option<String>,
}

impl MessagePayload for OldModerated {}

/// Take the message away, in the older form.
#[derive(FromXml, AsXml, Debug, Clone, Copy, PartialEq)]
#[xml(namespace = ns::RETRACT_0, name = "retract")]
pub struct OldRetract;

/// The message was taken away, in the older form.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = ns::RETRACT_0, name = "retracted")]
pub struct OldRetracted {
    /// When that was (XEP-0082).
    #[xml(attribute(default))]
    pub stamp: Option<String>,
}
