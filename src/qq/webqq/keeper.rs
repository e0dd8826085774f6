//! Keeps what the session knows of groups and members fresh, and portals told, while the session is on line.
//! Runs beside the poll, in the session's task.

use std::collections::HashSet;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::api::Of;
use super::roster::Told;
use super::session::Session;
use crate::model::{GroupNumber, Member, MemberId, QqNumber};
use crate::qq::event::deliver;
use crate::qq::{Act, Delivered, GroupEvent};

impl Session {
    /// The keeper's loop; never ends by itself.
    pub(super) async fn keep(&self) {
        let pace = &self.settings.pace;
        loop {
            if self.groups_are_due()
                && let Err(why) = self.read_groups().await
            {
                tracing::warn!(account = %self.settings.name, why, "the group list was not read");
            }
            self.match_groups().await;
            self.tell_of_blocks().await;
            let mapped: Vec<_> = self.roster().mapped.keys().copied().collect();
            for group in mapped {
                self.announce(group).await;
                self.refresh(group).await;
            }
            self.refresh_friends(false).await;
            tokio::select! {
                () = sleep(pace.look_every) => {}
                () = self.look.notified() => {}
            }
        }
    }

    fn groups_are_due(&self) -> bool {
        let pace = &self.settings.pace;
        let roster = self.roster();
        if roster.groups_asked.is_some_and(|at| at.elapsed() < pace.retry) {
            return false;
        }
        let missing = roster.mapped.values().any(|m| m.group.is_none());
        missing || roster.groups_read.is_none_or(|at| at.elapsed() > pace.refresh)
    }

    /// A group that the account's owner blocks on the phone delivers nothing, and nobody would know why.
    async fn tell_of_blocks(&self) {
        let blocked: Vec<GroupNumber> = {
            let mut roster = self.roster();
            let mut blocked = Vec::new();
            for (number, mapped) in &mut roster.mapped {
                let is = mapped.group.as_ref().is_some_and(|group| group.blocked);
                if is && !mapped.block_told {
                    blocked.push(*number);
                }
                mapped.block_told = is;
            }
            blocked
        };
        for group in blocked {
            self.tell_admins(&format!(
                "group {group} is blocked (屏蔽) in the account's QQ: nothing of it is delivered; set it to be received"
            ))
            .await;
        }
    }

    /// Tells a portal what it has to know before anything else, as far as that is news to it: whether the session hears and speaks
    /// in its group, and what it missed. False when it did not listen.
    pub(super) async fn announce(&self, group: GroupNumber) -> bool {
        self.announce_state(group).await && self.announce_missed(group).await
    }

    async fn announce_missed(&self, group: GroupNumber) -> bool {
        let lost = || self.roster().mapped.get(&group).map_or(0, |mapped| mapped.lost);
        if lost() == 0 {
            return true;
        }
        let _turn = self.telling.lock().await;
        let now = lost();
        if now == 0 {
            return true;
        }
        if self.bring(group, Act::Missed(Some(now))).await != Delivered::Taken {
            return false;
        }
        if let Some(mapped) = self.roster().mapped.get_mut(&group) {
            mapped.lost = mapped.lost.saturating_sub(now);
        }
        true
    }

    async fn announce_state(&self, group: GroupNumber) -> bool {
        let Some(mailbox) = self.inbox.group(group) else {
            return false;
        };
        let state = {
            let roster = self.roster();
            let Some(mapped) = roster.mapped.get(&group) else {
                return false;
            };
            let state = if mapped.group.is_some() {
                Ok(())
            } else {
                Err(mapped.absent.clone())
            };
            if mapped
                .told
                .as_ref()
                .is_some_and(|told| told.mailbox.same_channel(&mailbox) && told.state == state)
            {
                return true;
            }
            state
        };
        self.tell_group(group, mailbox, state).await
    }

    async fn tell_group(
        &self,
        group: GroupNumber,
        mailbox: mpsc::Sender<GroupEvent>,
        state: Result<(), String>,
    ) -> bool {
        let act = match &state {
            Ok(()) => Act::Online { history: false },
            Err(why) => Act::Offline(why.clone()),
        };
        let taken = self.bring(group, act).await == Delivered::Taken;
        if let Some(mapped) = self.roster().mapped.get_mut(&group).filter(|_| taken) {
            mapped.told = Some(Told { mailbox, state });
            mapped.shown = None;
        }
        taken
    }

    /// Tells all portals that the session is gone.
    pub(super) async fn announce_loss(&self, why: &str) {
        let told: Vec<_> = {
            let roster = self.roster();
            let online = roster
                .mapped
                .iter()
                .filter(|(_, m)| m.told.as_ref().is_some_and(|told| told.state.is_ok()));
            online.map(|(group, _)| *group).collect()
        };
        for group in told {
            if let Some(mailbox) = self.inbox.group(group) {
                self.tell_group(group, mailbox, Err(why.to_owned())).await;
            }
        }
    }

    /// Brings an event to a group's portal.
    pub(super) async fn bring(&self, group: GroupNumber, act: Act) -> Delivered {
        let account = self.settings.name.clone();
        deliver(&*self.inbox, GroupEvent { account, group, act }).await
    }

    /// Reads a group's members when it is time, and shows them to the portal when they changed.
    async fn refresh(&self, group: GroupNumber) {
        let pace = &self.settings.pace;
        let due = {
            let roster = self.roster();
            let Some(mapped) = roster.mapped.get(&group).filter(|m| m.group.is_some()) else {
                return;
            };
            let old = mapped.stale || mapped.read.is_none_or(|at| at.elapsed() > pace.refresh);
            old && mapped.asked.is_none_or(|at| at.elapsed() > pace.retry)
        };
        if due {
            let _turn = self.reading.lock().await;
            self.read_people(group).await;
        }
        self.show(group).await;
    }

    /// Shows a group to its portal, if it changed since the last time and every number is known that can be.
    async fn show(&self, group: GroupNumber) {
        let (people, version) = {
            let roster = self.roster();
            let Some(mapped) = roster.mapped.get(&group) else {
                return;
            };
            let waits = mapped.snapshot_after.is_some_and(|at| Instant::now() < at);
            let online = mapped.told.as_ref().is_some_and(|told| told.state.is_ok());
            let renamed = match (&mapped.shown, &mapped.group) {
                (Some((name, _)), Some(group)) => *name != group.name,
                _ => true,
            };
            if waits || !online || mapped.people.is_empty() || (!renamed && mapped.shown_version == mapped.version) {
                return;
            }
            (mapped.people.clone(), mapped.version)
        };
        let mut members: Vec<Member> = Vec::with_capacity(people.len());
        for person in &people {
            let number = self.real_number(person.uin, Of::Person, false).await;
            if number.is_none() {
                // A member that is a name now and a number in a moment would leave and join.
                if let Some(mapped) = self.roster().mapped.get_mut(&group) {
                    mapped.snapshot_after = Some(Instant::now() + self.settings.pace.retry / 6);
                }
                return;
            }
            members.push(person.member(number));
        }
        let mut ids = HashSet::new();
        members.retain(|member| ids.insert(member.id.clone()));
        let name = {
            let roster = self.roster();
            let group = roster.mapped.get(&group).and_then(|m| m.group.as_ref());
            let Some(group) = group else { return };
            group.name.clone()
        };
        let shown = (name, members);
        let known = self
            .roster()
            .mapped
            .get(&group)
            .is_some_and(|m| m.shown.as_ref() == Some(&shown));
        if !known {
            let act = Act::Snapshot {
                name: shown.0.clone(),
                members: shown.1.clone(),
                own: MemberId::Number(QqNumber(self.api.own())),
            };
            if self.bring(group, act).await != Delivered::Taken {
                return;
            }
        }
        if let Some(mapped) = self.roster().mapped.get_mut(&group) {
            mapped.shown = Some(shown);
            mapped.shown_version = version;
        }
    }
}
