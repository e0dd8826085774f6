//! What happens in the world besides words: what every protocol face is told, and tells its clients in its own way.

use super::{Chat, Group, Member, Message};

/// One thing that happened. `operator` is who did it; 0 when nobody says.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Somebody said something.
    Said(Message),
    /// A message was taken back.
    Recalled { message: Message, operator: i64 },
    /// Somebody put a face to a message or took it away; `total` have it now.
    Reacted {
        message: Message,
        by: i64,
        emoji: String,
        added: bool,
        total: i64,
    },
    /// Somebody poked somebody.
    Poked { chat: Chat, from: i64, target: i64 },
    /// Somebody is in the group now.
    Joined {
        group: i64,
        qq: i64,
        operator: i64,
        invited: bool,
    },
    /// Somebody is in the group no longer; with an operator who is another, they were removed. The group is as it was before.
    Left { group: Group, qq: i64, operator: i64 },
    /// The group is no more; it is as it was before.
    Dissolved { group: Group, operator: i64 },
    /// Somebody may not speak for so many seconds; 0: may again.
    Muted {
        group: i64,
        qq: i64,
        operator: i64,
        seconds: i64,
    },
    /// Only owner and admins may speak, or all may again.
    AllMuted { group: i64, operator: i64, on: bool },
    /// Somebody became admin, or is it no longer.
    AdminSet { group: i64, qq: i64, on: bool },
    /// Somebody's card is another.
    CardChanged { group: i64, old: Member, card: String },
    /// Somebody has a special title.
    TitleGiven { group: i64, qq: i64, title: String },
    /// The group's name is another.
    Renamed { group: i64, operator: i64, name: String },
}
