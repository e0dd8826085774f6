//! From poll events to portals: who it was, what it was, and where it belongs.

use std::collections::HashSet;

use serde_json::Value;
use tokio::time::Instant;

use super::content::{self, FaceNumbers};
use super::event::{self, Event, Place, Said, Seen};
use super::session::Session;
use crate::model::Language;
use crate::model::words::plain_text;
use crate::model::{EventId, GroupNumber, Message, Part};
use crate::qq::event::event_time;
use crate::qq::{AccountEvent, Act, Delivered, GroupEvent};

/// What admins read of one private message, in characters.
const PRIVATE_MAX: usize = 500;

/// The service ended the session; its words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kicked(pub(super) String);

impl Session {
    /// Brings an answer's events to their portals, in the order in which they happened.
    pub(super) async fn receive(&self, events: &[Value], seen: &mut Seen) -> Result<(), Kicked> {
        // Who did not take one event in time is not waited for again within this answer.
        let mut behind = HashSet::new();
        for event in event::read(events) {
            match event {
                Event::Kicked(reason) => return Err(Kicked(reason)),
                Event::Said(said) if !seen.is_new(&said, Instant::now()) => {}
                Event::Said(said) => self.hear(said, &mut behind).await,
            }
        }
        Ok(())
    }

    async fn hear(&self, said: Said, behind: &mut HashSet<GroupNumber>) {
        let numbers = if self.api.tokens().ptwebqq.is_empty() {
            FaceNumbers::AllZero
        } else {
            FaceNumbers::Own
        };
        let Some(parts) = content::read(&said.content, numbers) else {
            return;
        };
        match said.place {
            Place::Group(gid) => self.hear_group(gid, &said, parts, behind).await,
            Place::Discussion(did) => {
                let name = self.roster().discussions.get(&did).cloned().unwrap_or_default();
                let name = if name.is_empty() {
                    "未命名讨论组".to_owned()
                } else {
                    name
                };
                self.hear_private(&said, &format!("in the discussion «{name}»"), &parts)
                    .await;
            }
            Place::Friend(_) => self.hear_private(&said, "to the QQ account", &parts).await,
            Place::Session(_) => {
                self.hear_private(&said, "to the QQ account through a group", &parts)
                    .await;
            }
        }
    }

    async fn hear_group(&self, gid: u64, said: &Said, parts: Vec<Part>, behind: &mut HashSet<GroupNumber>) {
        let Some(group) = self.group_of(gid).await else {
            return;
        };
        let sender = self.sender(group, said.sender).await;
        let msg_id2 = said.msg_id2.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let id = format!("w:{}:{}:{msg_id2}:{}", sender.id, said.msg_id, said.time);
        let message = Message {
            id: EventId(id.into()),
            handle: None,
            own: said.sender == self.api.own(),
            sender,
            time: event_time(Some(said.time)),
            parts,
        };
        let act = Act::Said(message);
        if !behind.contains(&group) && self.announce(group).await {
            if self.bring(group, act).await == Delivered::Behind {
                behind.insert(group);
            }
            return;
        }
        behind.insert(group);
        if self.inbox.group(group).is_some() {
            let account = self.settings.name.clone();
            self.inbox.behind(&GroupEvent { account, group, act });
        }
    }

    /// The mapped group with this temporary id; of an unknown one the list is read again, at most once a minute.
    async fn group_of(&self, gid: u64) -> Option<GroupNumber> {
        {
            let roster = self.roster();
            let known = roster.number_of(gid);
            if known.is_some() || roster.groups.iter().any(|group| group.gid == gid) {
                return known;
            }
        }
        if !self.may_reread_groups() {
            return None;
        }
        if let Err(why) = self.read_groups().await {
            tracing::warn!(account = %self.settings.name, why, "a message came from a group that is not in the list");
        }
        self.match_groups().await;
        self.roster().number_of(gid)
    }

    async fn hear_private(&self, said: &Said, place: &str, parts: &[Part]) {
        // Our own words at another device, to whom is not told.
        if said.sender == 0 || said.sender == self.api.own() {
            return;
        }
        let name = self
            .roster()
            .friends
            .get(&said.sender)
            .cloned()
            .filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| "somebody".to_owned());
        let mut text: String = plain_text(parts, Language::En).chars().take(PRIVATE_MAX + 1).collect();
        if text.chars().count() > PRIVATE_MAX {
            text.pop();
            text.push('…');
        }
        self.tell(AccountEvent::ForAdmins(format!("{name} wrote {place}: {text}")))
            .await;
    }
}
