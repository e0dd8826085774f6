//! `[[mapping]]` as values: which QQ groups and which room belong together.

use std::time::Duration;

use jid::BareJid;

use crate::model::{AccountName, GroupNumber};

use super::allow::Allow;
use super::secret::Secret;

/// One row: QQ groups and the room that they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The account that is in the groups.
    pub account: AccountName,
    /// The groups, at least one, in the order of the file: what members are called is taken from the first that has them.
    pub groups: Vec<Group>,
    /// The room, with a local part. Its domain says of which kind it is.
    pub room: BareJid,
    /// Which way words go.
    pub relay: Direction,
    /// Who hosts the room, and the keys that only rooms of this kind have.
    pub kind: RoomKind,
}

/// Who hosts a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomKind {
    /// The gateway: the room is one of the component's domain.
    Hosted(Hosted),
    /// Another service, where the gateway is a client.
    Joined(Joined),
}

impl RoomKind {
    /// The keys of a hosted room.
    pub fn hosted(&self) -> Option<&Hosted> {
        match self {
            Self::Hosted(hosted) => Some(hosted),
            Self::Joined(_) => None,
        }
    }

    /// The keys of a joined room.
    pub fn joined(&self) -> Option<&Joined> {
        match self {
            Self::Hosted(_) => None,
            Self::Joined(joined) => Some(joined),
        }
    }
}

/// The keys of a hosted room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosted {
    /// The room's name for people; nothing: the first group's name.
    pub name: Option<String>,
    /// Owners of the room besides the admins.
    pub owners: Vec<BareJid>,
    /// Who may join: the row's own rules, else those of `[xmpp]`.
    pub allow: Vec<Allow>,
    /// Which members of the groups are shown in the room.
    pub occupants: Occupants,
}

/// The keys of a joined room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The nick of the listener, in the form that [`prepare`](crate::model::nick::prepare) leaves as it is.
    pub nick: String,
    /// What the room asks of whoever enters.
    pub password: Option<Secret>,
    /// Who speaks in the room for the members of the groups.
    pub puppets: Puppets,
    /// Most puppets in the room at a time, 1 to 1000.
    pub puppets_max: usize,
    /// A puppet whose member said nothing for so long leaves.
    pub puppets_idle: Duration,
}

impl Default for Joined {
    fn default() -> Self {
        Self {
            nick: "QQ".to_owned(),
            password: None,
            puppets: Puppets::default(),
            puppets_max: 100,
            puppets_idle: Duration::from_secs(24 * 3600),
        }
    }
}

/// Who speaks in a joined room for the members of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Puppets {
    /// An occupant for each member who speaks.
    #[default]
    Speakers,
    /// The listener alone.
    Off,
}

/// A QQ group of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its real number.
    pub number: GroupNumber,
    /// Its name, by which an era of `webqq` that tells no numbers finds it.
    pub name: Option<String>,
}

/// Which way words go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// From QQ to XMPP alone.
    ToXmpp,
    /// From XMPP to QQ alone.
    ToQq,
}

impl Direction {
    /// Whether what is said on QQ is shown on XMPP.
    pub fn to_xmpp(self) -> bool {
        self != Self::ToQq
    }

    /// Whether what is said on XMPP is sent to QQ.
    pub fn to_qq(self) -> bool {
        self != Self::ToXmpp
    }
}

/// Which members of the groups are shown as occupants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Occupants {
    /// All of them.
    All,
    /// Those who spoke lately.
    Active,
    /// All, or the active ones of a large group.
    #[default]
    Auto,
}
