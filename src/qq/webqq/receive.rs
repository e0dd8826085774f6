//! From poll events to portals: each once, in order, to where it belongs.

use std::collections::HashSet;

use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::admins;
use super::counter::Counted;
use super::event::{self, Event, Kind, Mark, Said, Seen};
use super::people::LOOKUP;
use super::session::Session;
use crate::model::GroupNumber;
use crate::qq::{Act, Delivered, GroupEvent};

/// Kinds that are counted by name, and groups that are called unknown; more are made up.
const KINDS_MAX: usize = 100;

/// The service ended the session; its words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kicked(pub(super) String);

impl Session {
    /// Brings an answer's events to their portals, in the order in which they happened.
    pub(super) async fn receive(&self, events: &[Value], seen: &mut Seen) -> Result<(), Kicked> {
        self.roster().lookups_until = Some(Instant::now() + LOOKUP);
        // Who did not take one event in time is not waited for again within this answer.
        let mut behind = HashSet::new();
        let mut kicked = None;
        for event in event::read(events) {
            let Event { place, mark, kind } = event;
            let repeats = matches!(kind, Kind::Said(_) | Kind::Changed(_) | Kind::Noticed(_));
            if repeats && !seen.is_new(place, mark, Instant::now()) {
                continue;
            }
            match kind {
                // What the answer holds beside it was said all the same.
                Kind::Kicked(reason) => kicked = Some(Kicked(reason)),
                Kind::Said(said) => self.hear(place, mark, said, &mut behind).await,
                Kind::Changed(change) => self.change(change, &mut behind).await,
                Kind::Noticed(notice) => {
                    let who = self.name_friend(notice.from.uin, notice.from.number).await;
                    self.tell_admins(&admins::noticed(&who, &notice.deed)).await;
                }
                Kind::Friends => self.friends_changed(),
                Kind::Other(kind) => self.count(kind),
            }
        }
        kicked.map_or(Ok(()), Err)
    }

    /// Heeds what 2013 counts. False when the message came before.
    pub(super) async fn count_message(
        &self,
        group: GroupNumber,
        mark: Mark,
        said: &Said,
        behind: &mut HashSet<GroupNumber>,
    ) -> bool {
        let missed = {
            let mut roster = self.roster();
            let Some(mapped) = roster.mapped.get_mut(&group) else {
                return true;
            };
            // As some read it, it changes with the list of members.
            if let Some(now) = said.info_seq {
                mapped.stale |= mapped.info_seq.replace(now).is_some_and(|before| before != now);
            }
            match said.seq.map(|seq| mapped.counter.take(seq, mark.sender, mark.time)) {
                Some(Counted::Repeated) => return false,
                // Our own messages are counted, and not always told.
                Some(Counted::Behind(n)) => n - mapped.echoes.silent(n),
                Some(Counted::Next) | None => 0,
            }
        };
        if missed > 0 {
            tracing::warn!(account = %self.settings.name, %group, missed, "QQ counts messages that it did not deliver");
            self.tell_portal(group, Act::Missed(Some(missed)), behind).await;
        }
        true
    }

    /// Brings an act to a portal, behind what it has to know first.
    pub(super) async fn tell_portal(&self, group: GroupNumber, act: Act, behind: &mut HashSet<GroupNumber>) {
        let words = match act {
            Act::Said(_) => 1,
            Act::Missed(Some(n)) => n,
            _ => 0,
        };
        let delivered = if !behind.contains(&group) && self.announce(group).await {
            self.bring(group, act).await
        } else if self.inbox.group(group).is_some() {
            let account = self.settings.name.clone();
            self.inbox.behind(&GroupEvent { account, group, act });
            Delivered::Behind
        } else {
            Delivered::Unmapped
        };
        if delivered == Delivered::Taken {
            return;
        }
        behind.insert(group);
        // There is no history that would bring them: people are told, once the portal listens again.
        if delivered == Delivered::Behind
            && let Some(mapped) = self.roster().mapped.get_mut(&group)
        {
            mapped.lost += words;
        }
    }

    /// The mapped group with this temporary id; of an unknown one the list is read again, seldom.
    pub(super) async fn group_of(&self, gid: u64) -> Option<GroupNumber> {
        let known = || {
            let roster = self.roster();
            let number = roster.number_of(gid);
            (number.is_some() || roster.groups.iter().any(|group| group.gid == gid)).then_some(number)
        };
        if let Some(number) = known() {
            return number;
        }
        if self.may_reread_groups() {
            match timeout(2 * LOOKUP, self.read_groups()).await {
                Ok(Ok(())) => self.match_groups_within(LOOKUP).await,
                Ok(Err(why)) => {
                    tracing::warn!(account = %self.settings.name, why, "a message came from a group that is not in the list");
                }
                Err(_) => tracing::warn!(account = %self.settings.name, "the group list came too slowly"),
            }
        }
        if let Some(number) = known() {
            return number;
        }
        let news = {
            let mut roster = self.roster();
            roster.unlisted.len() < KINDS_MAX && roster.unlisted.insert(gid)
        };
        if news {
            self.tell_admins("a message came from a QQ group that is not in the account's list; it cannot be shown")
                .await;
        }
        None
    }

    /// Counts an event that nothing is done about. The first of each kind is told in the log.
    fn count(&self, kind: String) {
        let mut roster = self.roster();
        if !roster.others.contains_key(&kind) {
            if roster.others.len() >= KINDS_MAX {
                return;
            }
            tracing::info!(account = %self.settings.name, kind, "QQ tells of a kind of event that is not passed on");
        }
        *roster.others.entry(kind).or_default() += 1;
    }
}
