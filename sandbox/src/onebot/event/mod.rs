//! What happens in the world, as the events of an account's program.

mod message;
mod meta;
mod notice;

use serde_json::Value;

use super::view::View;
use crate::store::StoreError;
use crate::world::{Chat, Happening};

pub(crate) use message::{described, event as message_event};
pub(crate) use meta::{heartbeat, lifecycle};
pub(crate) use notice::bot_offline;

/// The events that tell an account of a happening, in the order in which they come.
pub(super) fn of(view: &View<'_>, happening: &Happening) -> Result<Vec<Value>, StoreError> {
    let Happening::Said(said) = happening else {
        return notice::of(view, happening);
    };
    if said.from == view.qq() && !view.reports_self() {
        return Ok(Vec::new());
    }
    let mut events: Vec<Value> = message_event(view, said)?.into_iter().collect();
    events.extend(notice::upload(view, said));
    Ok(events)
}

/// Where a happening is seen.
pub(super) fn place(happening: &Happening) -> Option<Chat> {
    match happening {
        Happening::Said(message) | Happening::Recalled { message, .. } | Happening::Reacted { message, .. } => {
            Some(message.chat)
        }
        Happening::Poked { chat, .. } => Some(*chat),
        Happening::Joined { group, .. }
        | Happening::Muted { group, .. }
        | Happening::AllMuted { group, .. }
        | Happening::AdminSet { group, .. }
        | Happening::CardChanged { group, .. }
        | Happening::TitleGiven { group, .. }
        | Happening::Renamed { group, .. } => Some(Chat::Group(*group)),
        Happening::Left { .. } | Happening::Dissolved { .. } => None,
    }
}
