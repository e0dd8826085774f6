//! `check --online` for accounts: connects as the session would, looks around without sending anything, and says in sentences
//! what is wrong with the other side's settings and what to switch there.

mod heard;
mod link;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::call::{CallError, Calls};
use super::connect::{self, NoLink, Pair};
use super::dialect::{self, Dialect};
use super::roster::{Roster, member};
use super::{Settings, door, field, history};
use crate::config::Reach;
use crate::model::{GroupNumber, QqNumber};
use heard::Heard;
use link::{Link, Way};

/// One question.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages of a group that are looked through for own ones.
const COUNT: u32 = 20;

/// What was found, a sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Without these the account does not work.
    pub lacking: Vec<String>,
    /// Without these something of it does not.
    pub hints: Vec<String>,
}

/// Looks at accounts that must not be running here, with their groups, all at the same time; findings in their order.
///
/// Each gets `patience` for its link to come, and three times that for all questions. Programs that connect to us try again
/// every three to five seconds: less than ten finds none.
pub async fn probe(accounts: &[(Settings, Vec<GroupNumber>)], patience: Duration) -> Vec<Findings> {
    let doors = Arc::default();
    // All before the first is looked at: who comes early for another account is not to be sent away.
    let mut ways = Vec::new();
    for (settings, _) in accounts {
        ways.push(link::way(settings, &doors).await);
    }
    let looks = accounts
        .iter()
        .zip(ways)
        .map(|((settings, groups), way)| look(settings, way, groups, patience));
    join_all(looks).await.into_iter().map(|(found, _)| found).collect()
}

/// Looks at one account; its link, too, is given back.
async fn look(
    settings: &Settings,
    way: Result<Way<'_>, String>,
    groups: &[GroupNumber],
    patience: Duration,
) -> (Findings, Option<Link>) {
    let link = match way {
        Ok(way) => link::link(settings, way, patience).await,
        Err(why) => Err(why),
    };
    let mut probe = Probe {
        name: format!("account {}", settings.name),
        found: Findings::default(),
        dialect: dialect::unknown(),
        until: Instant::now() + patience * 3,
    };
    match link {
        Ok(mut link) => {
            probe.look_around(&mut link.pair, settings, groups).await;
            (probe.found, Some(link))
        }
        Err(why) => {
            probe.lack(&why);
            (probe.found, None)
        }
    }
}

struct Probe {
    name: String,
    found: Findings,
    dialect: &'static Dialect,
    /// No question lasts longer.
    until: Instant,
}

impl Probe {
    fn lack(&mut self, what: &str) {
        self.found.lacking.push(format!("{}: {what}", self.name));
    }

    /// Once, however often it is seen.
    fn hint(&mut self, what: &str) {
        let sentence = format!("{}: {what}", self.name);
        if !self.found.hints.contains(&sentence) {
            self.found.hints.push(sentence);
        }
    }

    fn hint_at_text(&mut self) {
        let switch = self.dialect.format_switch;
        self.hint(&format!(
            "it reports messages as CQ text, which loses details: set {switch}"
        ));
    }

    async fn question(&self, calls: &Calls, action: &str, params: Value) -> Result<Value, CallError> {
        let left = self.until.saturating_duration_since(Instant::now());
        calls.call(action, params, PATIENCE.min(left)).await
    }

    /// Asks, while the socket is read.
    async fn look_around(&mut self, pair: &mut Pair, settings: &Settings, groups: &[GroupNumber]) {
        let calls = Calls::new(pair.api.out.clone());
        let mut heard = Heard::default();
        let ended = tokio::select! {
            ended = heard.listen(pair, &calls) => Some(ended),
            () = self.ask(&calls, settings, groups) => None,
        };
        if let Some(why) = ended {
            self.lack(&why);
        }
        if heard.as_text {
            self.hint_at_text();
        }
    }

    async fn ask(&mut self, calls: &Calls, settings: &Settings, groups: &[GroupNumber]) {
        let login = match self.question(calls, "get_login_info", json!({})).await {
            Ok(login) => login,
            Err(error) if connect::refuses_token(&error) => return self.lack(&NoLink::Token.to_string()),
            Err(CallError::Unanswered(_)) => {
                return self.lack(
                    "it takes the connection but answers no call: is this a OneBot 11 WebSocket, and the path for calls?",
                );
            }
            Err(error) => return self.lack(&format!("it does not say which account it holds: {error}")),
        };
        let Some(own) = field::user(&login["user_id"]) else {
            return self.lack("no QQ account is logged in there: log in at the program's own interface");
        };
        if let Reach::Listen { qq: Some(expected), .. } = settings.reach
            && expected != own
        {
            self.lack(&door::wrong_number(own, expected));
        }
        match self.question(calls, "get_version_info", json!({})).await {
            Ok(version) => self.dialect = dialect::of(&dialect::app_name(&version)),
            Err(error) => self.hint(&format!(
                "it does not say which program it is ({error}); the plain standard is assumed"
            )),
        }
        if let Ok(status) = self.question(calls, "get_status", json!({})).await
            && field::flag(&status["online"]) == Some(false)
        {
            self.lack(&format!(
                "QQ {own} is logged out: log in again at the program's own interface"
            ));
        }
        self.ask_for_groups(calls, own, groups).await;
    }

    async fn ask_for_groups(&mut self, calls: &Calls, own: QqNumber, groups: &[GroupNumber]) {
        let list = match self.question(calls, "get_group_list", json!({})).await {
            Ok(list) => Some(list),
            Err(error) if error.is_unknown_action() => None,
            Err(error) => return self.lack(&format!("the list of its groups cannot be read: {error}")),
        };
        let mut roster = Roster {
            own,
            dialect: self.dialect,
            standing: Ok(()),
            ..Roster::default()
        };
        roster.groups = groups
            .iter()
            .map(|group| (*group, super::roster::Group::default()))
            .collect();
        match list {
            // As the session does.
            None => {
                roster.believe_mapping();
                self.hint("it has no list of groups: whether the account is in those of the mapping was not seen");
            }
            Some(list) if !roster.take_groups(&list) && !groups.is_empty() => {
                return self.lack(&format!("QQ {own} is in no group, or the list is not there yet"));
            }
            Some(_) => {}
        }
        let mut own_message = false;
        for (done, group) in groups.iter().enumerate() {
            if let Err(why) = roster.state(*group) {
                self.lack(&format!("{why}: let it join, or change the mapping"));
                continue;
            }
            let params = json!({"group_id": group.0, "user_id": own.0, "no_cache": true});
            let info = self.question(calls, "get_group_member_info", params).await;
            if let Ok(info) = info
                && let Some((member, _, mute)) = member(&info)
                && let Some(known) = roster.groups.get_mut(group)
            {
                known.mute(Some(own), mute.unwrap_or_default());
                known.members.insert(own, member);
            }
            if let Some(why) = roster.muted(*group) {
                self.lack(&format!("group {group}: {why}"));
            }
            let Some(own_there) = self.look_at_history(calls, own, *group).await else {
                let left = groups.len() - done;
                self.hint(&format!(
                    "it answers so slowly that {left} of its groups were not looked at"
                ));
                break;
            };
            own_message |= own_there;
        }
        self.hint_at_own_messages(own_message);
    }

    /// Reads a little history. Whether an own message is in it; nothing when the time was over before that was known.
    async fn look_at_history(&mut self, calls: &Calls, own: QqNumber, group: GroupNumber) -> Option<bool> {
        let params = json!({"group_id": group.0, "count": COUNT});
        match self.question(calls, "get_group_msg_history", params).await {
            Ok(data) => {
                if text_items(&data) {
                    self.hint_at_text();
                }
                Some(history::read(&data, own, group).iter().any(|heard| heard.own))
            }
            Err(error) if history::says_empty(&error) => Some(false),
            Err(_) if Instant::now() >= self.until => None,
            Err(error) => {
                self.hint(&format!(
                    "group {group}: no history can be read ({error}); what is said during an outage will be missing"
                ));
                Some(false)
            }
        }
    }

    /// The switch cannot be read, and the echo of a message cannot be waited for without sending one: this is what can be said
    /// honestly.
    fn hint_at_own_messages(&mut self, seen: bool) {
        if self.dialect.own_by_default {
            return;
        }
        let (name, switch) = (self.dialect.name, self.dialect.own_switch);
        let seen = if seen {
            "; there are such messages in its history"
        } else {
            ""
        };
        self.hint(&format!(
            "{name} does not report what the account itself says unless told to{seen}: switch {switch} on, so that words of its \
             owner reach the room and sends are confirmed (this cannot be seen from here without sending)"
        ));
    }
}

fn text_items(data: &Value) -> bool {
    field::items(&data["messages"])
        .iter()
        .any(|item| item["message"].is_string())
}
