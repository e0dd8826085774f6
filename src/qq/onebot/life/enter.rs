//! From a fresh link to a session that knows itself: who, with which program, in which groups.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::End;
use crate::config::Reach;
use crate::model::QqNumber;
use crate::qq::onebot::call::CallError;
use crate::qq::onebot::connect;
use crate::qq::onebot::dialect::{self, Paging};
use crate::qq::onebot::roster::{Group, Presence};
use crate::qq::onebot::session::Session;
use crate::qq::onebot::{door, field};

/// A program that has just started answers some calls with errors for a moment.
const TRIES: u32 = 3;

impl Session {
    /// Asks the first questions.
    pub(super) async fn enter(self: &Arc<Self>) -> Result<(), End> {
        let login = self.insist("get_login_info").await.map_err(|error| {
            if connect::refuses_token(&error) {
                End::Token
            } else {
                End::Lost(format!("the OneBot program does not say who it is: {error}"))
            }
        })?;
        let own = field::user(&login["user_id"])
            .ok_or_else(|| End::Lost("the OneBot program has no QQ account: log in at its own interface".to_owned()))?;
        if let Reach::Listen { qq: Some(expected), .. } = self.settings.reach
            && expected != own
        {
            return Err(End::Person(door::wrong_number(own, expected)));
        }
        let version = match self.insist("get_version_info").await {
            Ok(version) => Some(version),
            Err(error) => {
                tracing::warn!(account = %self.settings.name, %error, "the OneBot program does not say what it is");
                None
            }
        };
        self.know(own, version.as_ref());
        if let Err(why) = self.read_groups().await {
            tracing::warn!(account = %self.settings.name, why, "the group list was not read");
        }
        self.try_history().await;
        Ok(())
    }

    /// Takes who the account is, and the program's dialect; without an answer the one of the last link holds.
    fn know(&self, own: QqNumber, version: Option<&Value>) {
        let mut roster = self.roster();
        if roster.own != own {
            roster.own = own;
            for group in roster.groups.values_mut() {
                *group = Group::default();
            }
        }
        if let Some(version) = version {
            let app = dialect::app_name(version);
            roster.dialect = dialect::of(&app);
            tracing::info!(
                account = %self.settings.name, %own, app,
                version = field::line(&field::scalar(&version["app_version"]), 60),
                dialect = roster.dialect.name, "connected to a OneBot program"
            );
        }
        roster.history = roster.dialect.paging != Paging::NewestOnly;
        roster.groups_read = None;
        for group in roster.groups.values_mut() {
            // What happened meanwhile is not known.
            group.read = None;
            group.asked = None;
        }
    }

    /// Programs that nobody knows may have a history or not.
    async fn try_history(&self) {
        let group = {
            let roster = self.roster();
            if roster.history {
                return;
            }
            let present = roster.groups.iter().find(|(_, group)| group.presence == Presence::In);
            present.map(|(number, _)| *number)
        };
        let Some(group) = group else { return };
        let params = json!({"group_id": group.0, "count": 1});
        let answer = self.ask("get_group_msg_history", params).await;
        self.roster().history = answer.is_ok_and(|data| data["messages"].is_array());
    }

    /// Reads the list of groups. An empty one says nothing.
    pub(super) async fn read_groups(self: &Arc<Self>) -> Result<(), String> {
        self.follow_mapping();
        self.roster().groups_read = Some(Instant::now());
        let list = match self.ask("get_group_list", json!({"no_cache": true})).await {
            Ok(list) => list,
            Err(error) => {
                if error.is_unknown_action() {
                    self.roster().believe_mapping();
                }
                return Err(error.to_string());
            }
        };
        let (taken, absent) = {
            let mut roster = self.roster();
            let before = roster.absent();
            let taken = roster.take_groups(&list);
            let absent: Vec<_> = roster
                .absent()
                .into_iter()
                .filter(|why| !before.contains(why))
                .collect();
            (taken, absent)
        };
        for why in absent {
            tracing::warn!(account = %self.settings.name, why, "a mapped group is not there");
            self.alert(why);
        }
        if !taken {
            return Err("the list of the account's groups is empty".to_owned());
        }
        Ok(())
    }

    /// Knows and serves the groups that are mapped now, and no others.
    pub(super) fn follow_mapping(self: &Arc<Self>) {
        let mapped = self.inbox.mapped(&self.settings.name);
        let mapped: Vec<_> = mapped.into_iter().map(|(group, _)| group).collect();
        {
            let mut roster = self.roster();
            roster.groups.retain(|group, _| mapped.contains(group));
            for group in &mapped {
                if !roster.groups.contains_key(group) {
                    roster.groups.entry(*group).or_default();
                    // Whether the account is in it is not known.
                    roster.groups_read = None;
                }
            }
        }
        self.set_lanes(&mapped);
    }

    async fn insist(&self, action: &str) -> Result<Value, CallError> {
        let mut tries = 1;
        loop {
            match self.ask(action, json!({})).await {
                Err(error @ CallError::Refused { .. }) if tries < TRIES && !connect::refuses_token(&error) => {
                    tracing::debug!(account = %self.settings.name, action, %error, "asked again");
                    tries += 1;
                    sleep(self.settings.pace.retry_first).await;
                }
                answer => return answer,
            }
        }
    }
}
