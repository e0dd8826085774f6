//! XEP-0045 `muc#user`. That of xmpp-parsers drops `role='none'` and `affiliation='none'` on the way out, and refuses
//! status codes that it does not know.

use std::borrow::Cow;

use jid::Jid;
use xmpp_parsers::message::MessagePayload;
use xmpp_parsers::ns::MUC_USER;
use xmpp_parsers::presence::PresencePayload;
use xso::error::Error;
use xso::{AsXml, AsXmlText, FromXml, FromXmlText};

/// The long-term standing of a person in a room (§5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Affiliation {
    /// owner
    Owner,
    /// admin
    Admin,
    /// member
    Member,
    /// none
    None,
    /// outcast: banned
    Outcast,
}

/// The standing of an occupant during a visit (§5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// moderator
    Moderator,
    /// participant
    Participant,
    /// visitor: may not speak
    Visitor,
    /// none: not in the room
    None,
}

impl Affiliation {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::None => "none",
            Self::Outcast => "outcast",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Member, Self::None, Self::Outcast]
            .into_iter()
            .find(|a| a.as_str() == text)
    }
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::Participant => "participant",
            Self::Visitor => "visitor",
            Self::None => "none",
        }
    }

    /// Reads the word on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Moderator, Self::Participant, Self::Visitor, Self::None]
            .into_iter()
            .find(|r| r.as_str() == text)
    }
}

impl FromXmlText for Affiliation {
    fn from_xml_text(text: String) -> Result<Self, Error> {
        Self::parse(&text).ok_or(Error::Other("unknown affiliation"))
    }
}

impl AsXmlText for Affiliation {
    fn as_xml_text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(Cow::Borrowed(self.as_str()))
    }
}

impl FromXmlText for Role {
    fn from_xml_text(text: String) -> Result<Self, Error> {
        Self::parse(&text).ok_or(Error::Other("unknown role"))
    }
}

impl AsXmlText for Role {
    fn as_xml_text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(Cow::Borrowed(self.as_str()))
    }
}

/// `<x xmlns='http://jabber.org/protocol/muc#user'/>`.
#[derive(FromXml, AsXml, Debug, Clone, Default, PartialEq)]
#[xml(namespace = MUC_USER, name = "x")]
pub struct MucUser {
    /// Who the presence is about.
    #[xml(child(n = ..))]
    pub items: Vec<Item>,
    /// What happened (§15.6.2).
    #[xml(extract(n = .., name = "status", fields(attribute(name = "code", type_ = u16))))]
    pub statuses: Vec<u16>,
    /// The room is no more.
    #[xml(child(default))]
    pub destroy: Option<Destroy>,
    /// Mediated invitations.
    #[xml(child(n = ..))]
    pub invites: Vec<Invite>,
    /// A mediated invitation that was declined.
    #[xml(child(default))]
    pub decline: Option<Decline>,
}

impl MessagePayload for MucUser {}
impl PresencePayload for MucUser {}

/// Standing, address and, in a change of nick, the new nick.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MUC_USER, name = "item")]
pub struct Item {
    /// The long-term standing.
    #[xml(attribute(default))]
    pub affiliation: Option<Affiliation>,
    /// The standing of this visit.
    #[xml(attribute(default))]
    pub role: Option<Role>,
    /// The real JID, for those who may see it.
    #[xml(attribute(default))]
    pub jid: Option<Jid>,
    /// The new nick.
    #[xml(attribute(default))]
    pub nick: Option<String>,
    /// Who removed them.
    #[xml(child(default))]
    pub actor: Option<Actor>,
    /// For people to read.
    #[xml(extract(default, fields(text(type_ = String))))]
    pub reason: Option<String>,
}

/// `<actor/>`: who did it (§8.2).
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MUC_USER, name = "actor")]
pub struct Actor {
    /// Under which nick.
    #[xml(attribute(default))]
    pub nick: Option<String>,
    /// By their real JID.
    #[xml(attribute(default))]
    pub jid: Option<Jid>,
}

impl Item {
    /// An item of these standings.
    pub fn new(affiliation: Affiliation, role: Role) -> Self {
        Self {
            affiliation: Some(affiliation),
            role: Some(role),
            jid: None,
            nick: None,
            actor: None,
            reason: None,
        }
    }
}

/// `<destroy/>`.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MUC_USER, name = "destroy")]
pub struct Destroy {
    /// Where to go instead.
    #[xml(attribute(default))]
    pub jid: Option<Jid>,
    /// For people to read.
    #[xml(extract(default, fields(text(type_ = String))))]
    pub reason: Option<String>,
}

/// `<invite/>`: `to` on the way to the room, `from` on the way to the invited person.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MUC_USER, name = "invite")]
pub struct Invite {
    /// Who invites.
    #[xml(attribute(default))]
    pub from: Option<Jid>,
    /// Who is invited.
    #[xml(attribute(default))]
    pub to: Option<Jid>,
    /// For people to read.
    #[xml(extract(default, fields(text(type_ = String))))]
    pub reason: Option<String>,
}

/// `<decline/>`: the same the other way round.
#[derive(FromXml, AsXml, Debug, Clone, PartialEq)]
#[xml(namespace = MUC_USER, name = "decline")]
pub struct Decline {
    /// Who declines.
    #[xml(attribute(default))]
    pub from: Option<Jid>,
    /// Who had invited.
    #[xml(attribute(default))]
    pub to: Option<Jid>,
    /// For people to read.
    #[xml(extract(default, fields(text(type_ = String))))]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(xml: &str) -> String {
        let x: MucUser = xso::from_bytes(xml.as_bytes()).expect("parses");
        String::from_utf8(xso::to_vec(&x).expect("serialises")).expect("UTF-8")
    }

    #[test]
    fn none_survives_and_unknown_codes_pass() {
        let out = round(
            "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/><status code='999'/></x>",
        );
        assert!(out.contains("none") && out.contains("999"), "{out}");
        assert_eq!(out.matches("none").count(), 2, "{out}");
    }
}
