//! Keeps what the session knows of groups and members fresh, and the portals told, while the link is up.

use std::sync::Arc;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::model::GroupNumber;
use crate::qq::onebot::roster::Presence;
use crate::qq::onebot::session::Session;

impl Session {
    /// The keeper's loop; ends with the link.
    pub(super) async fn keep_lists(self: &Arc<Self>) {
        let pace = &self.settings.pace;
        loop {
            self.follow_mapping();
            let mut wait = pace.look_every;
            if self.roster().standing.is_ok() {
                self.refresh_groups().await;
                if let Some(group) = self.unread_group() {
                    self.read_members(group).await;
                    wait = pace.between_lists;
                }
            }
            self.look_all();
            tokio::select! {
                () = sleep(wait) => {}
                () = self.look.notified() => {}
            }
        }
    }

    /// Reads the list of groups when it is time.
    async fn refresh_groups(self: &Arc<Self>) {
        let pace = &self.settings.pace;
        let due = {
            let roster = self.roster();
            let missing = roster.groups.values().any(|group| group.presence != Presence::In);
            let every = match (missing, roster.dialect.tells_names) {
                (true, _) => pace.retry_list,
                (false, false) => pace.refresh_names,
                (false, true) => pace.refresh,
            };
            roster.groups_read.is_none_or(|at| at.elapsed() >= every)
        };
        if due && let Err(why) = self.read_groups().await {
            tracing::warn!(account = %self.settings.name, why, "the group list was not read");
        }
    }

    /// A group whose members are to be read: one that was not asked for the longest time.
    fn unread_group(&self) -> Option<GroupNumber> {
        let pace = &self.settings.pace;
        let roster = self.roster();
        let due = roster.groups.iter().filter(|(_, group)| {
            let old = group.read.is_none_or(|at| at.elapsed() >= pace.refresh);
            let may = group.asked.is_none_or(|at| at.elapsed() >= pace.retry_list);
            group.presence == Presence::In && old && may
        });
        let oldest = due.min_by_key(|(number, group)| (group.asked, **number));
        oldest.map(|(number, _)| *number)
    }

    async fn read_members(&self, group: GroupNumber) {
        if let Some(group) = self.roster().groups.get_mut(&group) {
            group.asked = Some(Instant::now());
        }
        let params = json!({"group_id": group.0, "no_cache": true});
        let list = self
            .call("get_group_member_list", params, self.settings.pace.call * 2)
            .await;
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!(account = %self.settings.name, %group, %error, "the members were not read");
                return;
            }
        };
        let mut roster = self.roster();
        let Some(known) = roster.groups.get_mut(&group) else {
            return;
        };
        if known.take_members(&list) {
            known.read = Some(Instant::now());
        } else {
            tracing::warn!(account = %self.settings.name, %group, "the list of members is empty");
        }
    }
}
