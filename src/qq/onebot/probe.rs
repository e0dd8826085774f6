//! `check --online` for one account: connects as the session would, looks around without sending anything, and says in sentences
//! what is wrong with the other side's settings and what to switch there.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::call::{CallError, Calls};
use super::connect::{NoLink, Pair};
use super::dialect::{self, Dialect};
use super::door::{Doors, Place, Role};
use super::roster::{Roster, member};
use super::{Settings, connect, event, field, history};
use crate::config::Reach;
use crate::model::{GroupNumber, QqNumber};

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

/// Looks at an account that must not be running here: its `groups`, within `patience` for the link to come.
///
/// Programs that connect to us try again every three to five seconds: less `patience` than ten finds none.
pub async fn probe(settings: &Settings, doors: &Arc<Doors>, groups: &[GroupNumber], patience: Duration) -> Findings {
    let mut probe = Probe {
        name: format!("account {}", settings.name),
        found: Findings::default(),
        dialect: dialect::unknown(),
    };
    match link(settings, doors, patience).await {
        Ok((mut pair, _place)) => probe.look_around(&mut pair, settings, groups).await,
        Err(why) => probe.lack(&why),
    }
    probe.found
}

async fn link(settings: &Settings, doors: &Arc<Doors>, patience: Duration) -> Result<(Pair, Option<Place>), String> {
    let ping_every = settings.pace.ping_every;
    let token = settings.access_token.as_ref();
    match &settings.reach {
        Reach::Connect(url) => match timeout(patience, connect::connect(url, token, ping_every)).await {
            Ok(Ok(pair)) => Ok((pair, None)),
            Ok(Err(no_link)) => Err(no_link.to_string()),
            Err(_) => Err(format!("{} does not answer in time", connect::Shown(url))),
        },
        Reach::Listen { listen, qq } => {
            let mut place = doors
                .place(*listen, *qq, token.cloned(), ping_every)
                .await
                .map_err(|error| format!("cannot listen at {listen} ({error}); is the gateway running?"))?;
            match timeout(patience, arrive(&mut place)).await {
                Ok(Some(pair)) => Ok((pair, Some(place))),
                _ => Err(place.turned_away().unwrap_or_else(|| format!(
                    "no OneBot program connected to ws://{listen} within {} s: switch its WebSocket client (reverse) on, \
                     with this address",
                    patience.as_secs()
                ))),
            }
        }
    }
}

async fn arrive(place: &mut Place) -> Option<Pair> {
    let (mut api, mut event) = (None, None);
    loop {
        let arrival = place.arrivals.recv().await?;
        match arrival.role {
            Role::Universal => {
                return Some(Pair {
                    api: arrival.socket,
                    event: None,
                });
            }
            Role::Api => api = Some(arrival.socket),
            Role::Event => event = Some(arrival.socket),
        }
        if let (Some(_), Some(_)) = (&api, &event) {
            return Some(Pair {
                api: api.take()?,
                event: event.take(),
            });
        }
    }
}

struct Probe {
    name: String,
    found: Findings,
    dialect: &'static Dialect,
}

impl Probe {
    fn lack(&mut self, what: &str) {
        self.found.lacking.push(format!("{}: {what}", self.name));
    }

    fn hint(&mut self, what: &str) {
        self.found.hints.push(format!("{}: {what}", self.name));
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
            let switch = self.dialect.format_switch;
            self.hint(&format!(
                "it reports messages as CQ text, which loses details: set {switch}"
            ));
        }
    }

    async fn ask(&mut self, calls: &Calls, settings: &Settings, groups: &[GroupNumber]) {
        let login = match calls.call("get_login_info", json!({}), PATIENCE).await {
            Ok(login) => login,
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
            self.lack(&format!("QQ {own} is logged in there, but `qq` says {expected}"));
        }
        match calls.call("get_version_info", json!({}), PATIENCE).await {
            Ok(version) => self.dialect = dialect::of(&dialect::app_name(&version)),
            Err(error) => self.hint(&format!(
                "it does not say which program it is ({error}); the plain standard is assumed"
            )),
        }
        if let Ok(status) = calls.call("get_status", json!({}), PATIENCE).await
            && field::flag(&status["online"]) == Some(false)
        {
            self.lack(&format!(
                "QQ {own} is logged out: log in again at the program's own interface"
            ));
        }
        self.ask_for_groups(calls, own, groups).await;
    }

    async fn ask_for_groups(&mut self, calls: &Calls, own: QqNumber, groups: &[GroupNumber]) {
        let list = match calls.call("get_group_list", json!({}), PATIENCE).await {
            Ok(list) => list,
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
        if !roster.take_groups(&list) && !groups.is_empty() {
            return self.lack(&format!("QQ {own} is in no group, or the list is not there yet"));
        }
        let mut own_message = false;
        for group in groups {
            if let Err(why) = roster.state(*group) {
                self.lack(&format!("{why}: let it join, or change the mapping"));
                continue;
            }
            let params = json!({"group_id": group.0, "user_id": own.0, "no_cache": true});
            let info = calls.call("get_group_member_info", params, PATIENCE).await;
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
            own_message |= self.look_at_history(calls, own, *group).await;
        }
        self.hint_at_own_messages(own_message);
    }

    /// Reads a little history. Whether an own message is in it.
    async fn look_at_history(&mut self, calls: &Calls, own: QqNumber, group: GroupNumber) -> bool {
        let params = json!({"group_id": group.0, "count": COUNT});
        match calls.call("get_group_msg_history", params, PATIENCE).await {
            Ok(data) => {
                if text_items(&data) {
                    let switch = self.dialect.format_switch;
                    let sentence = format!("it reports messages as CQ text, which loses details: set {switch}");
                    if !self.found.hints.iter().any(|hint| hint.ends_with(&sentence)) {
                        self.hint(&sentence);
                    }
                }
                history::read(&data, own, group).iter().any(|heard| heard.own)
            }
            // NapCat's words for a history with nothing in it.
            Err(CallError::Refused { text, .. }) if text.contains("不存在") => false,
            Err(error) => {
                self.hint(&format!(
                    "group {group}: no history can be read ({error}); what is said during an outage will be missing"
                ));
                false
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

/// What came unasked meanwhile.
#[derive(Debug, Default)]
struct Heard {
    as_text: bool,
}

impl Heard {
    /// Reads until the link ends, and says why.
    async fn listen(&mut self, pair: &mut Pair, calls: &Calls) -> String {
        use super::call::Sorted;
        use super::socket::{Ended, Frame};
        let begun = Instant::now();
        loop {
            let frame = tokio::select! {
                frame = pair.api.frames.recv() => frame,
                frame = async {
                    match &mut pair.event {
                        Some(socket) => socket.frames.recv().await,
                        None => std::future::pending().await,
                    }
                } => frame,
            };
            match frame {
                Some(Frame::Json(value)) => match calls.sort(value) {
                    Sorted::Answer => {}
                    Sorted::BadToken => return NoLink::Token.to_string(),
                    Sorted::Event(frame) => {
                        let message = matches!(event::read(&frame), event::Event::Heard(_));
                        self.as_text |= message && frame["message"].is_string();
                    }
                },
                Some(Frame::Ended(Ended::Policy)) => return NoLink::Token.to_string(),
                Some(Frame::Ended(ended)) => return format!("{ended} after {} s", begun.elapsed().as_secs()),
                None => return Ended::Closed.to_string(),
            }
        }
    }
}
