//! Presence of occupants (XEP-0045 §7.1, §7.6, §7.14).

use jid::Jid;
use xmpp_parsers::nick::Nick;
use xmpp_parsers::occupant_id::OccupantId;
use xmpp_parsers::presence::{Presence, Type};

use super::children;
use super::text::legal;
use crate::xmpp::payload::muc_user::{Actor, Affiliation, Destroy, Item, MucUser, Role};

/// An occupant as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// The nick.
    pub nick: String,
    /// The occupant JID, made of it: preparing a resource costs more than the rest of a presence.
    pub address: Jid,
    /// The long-term standing.
    pub affiliation: Affiliation,
    /// The standing of this visit.
    pub role: Role,
    /// The real JID; goes to moderators and to the person alone.
    pub jid: Option<Jid>,
    /// The untouched name (XEP-0172), where the nick is not it.
    pub name: Option<String>,
    /// The occupant-id.
    pub occupant_id: String,
    /// Show, status, capabilities and the like, as [`children`] keeps them.
    pub payload: String,
}

/// What is said about the occupant besides the face.
#[derive(Debug, Clone, Default)]
pub struct About<'a> {
    /// Status codes.
    pub statuses: &'a [u16],
    /// With the real JID.
    pub with_jid: bool,
    /// The id of the stanza.
    pub id: Option<&'a str>,
    /// In a change of nick the new one.
    pub new_nick: Option<&'a str>,
    /// The nick of who removed them.
    pub actor: Option<&'a str>,
    /// The room is no more.
    pub destroyed: bool,
}

/// Somebody is here.
pub fn available(face: &Face, about: &About<'_>) -> Presence {
    let presence = children::to_presence(Type::None, &face.payload);
    finish(face, face.role, about, presence)
}

/// Somebody is gone, or goes by another nick from now on. `payload` is that of their last presence.
pub fn unavailable(face: &Face, payload: &str, about: &About<'_>) -> Presence {
    let presence = children::to_presence(Type::Unavailable, payload);
    let role = if about.new_nick.is_some() {
        face.role
    } else {
        Role::None
    };
    finish(face, role, about, presence)
}

fn finish(face: &Face, role: Role, about: &About<'_>, mut presence: Presence) -> Presence {
    presence.from = Some(face.address.clone());
    presence.id = about.id.map(ToOwned::to_owned);
    if presence.type_ == Type::None
        && let Some(name) = &face.name
    {
        presence.payloads.push(Nick(legal(name)).into());
    }
    let mut item = Item::new(face.affiliation, role);
    if about.destroyed {
        item.affiliation = Some(Affiliation::None);
    }
    if about.with_jid {
        item.jid.clone_from(&face.jid);
    }
    item.nick = about.new_nick.map(ToOwned::to_owned);
    item.actor = about.actor.map(|nick| Actor {
        nick: Some(nick.to_owned()),
        jid: None,
    });
    let user = MucUser {
        items: vec![item],
        statuses: about.statuses.to_vec(),
        destroy: about.destroyed.then_some(Destroy {
            jid: None,
            reason: None,
        }),
        ..MucUser::default()
    };
    presence.with_payload(user).with_payload(OccupantId {
        id: face.occupant_id.clone(),
    })
}
