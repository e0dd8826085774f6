//! `[[mapping]]` as values: which QQ groups and which room belong together.

use jid::BareJid;

use crate::model::{AccountName, GroupNumber};

use super::allow::Allow;

/// One row: QQ groups and the hosted room that they share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The account that is in the groups.
    pub account: AccountName,
    /// The groups, at least one, in the order of the file: what members are called is taken from the first that has them.
    pub groups: Vec<Group>,
    /// The room: local part and the component's domain.
    pub room: BareJid,
    /// The room's name for people; nothing: the first group's name.
    pub name: Option<String>,
    /// Owners of the room besides the admins.
    pub owners: Vec<BareJid>,
    /// Who may join: the row's own rules, else those of `[xmpp]`.
    pub allow: Vec<Allow>,
    /// Which way words go.
    pub relay: Direction,
    /// Which members of the groups are shown in the room.
    pub occupants: Occupants,
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
