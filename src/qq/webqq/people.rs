//! People outside of groups: friends, discussions and who speaks there. Only the admins hear of them, so a name is asked for when
//! it is wanted, and seldom.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::api::{Called, Of};
use super::contacts;
use super::numbers::Number;
use super::session::Session;
use crate::qq::strangers;

/// Longest wait for a name or number while other events wait.
pub(super) const LOOKUP: Duration = Duration::from_secs(10);
/// Discussions whose members are remembered.
const DISCUSSIONS_MAX: usize = 200;

impl Session {
    /// Reads friends and discussions when they are old, or at once. What fails or comes empty changes nothing.
    pub(super) async fn refresh_friends(&self, at_once: bool) {
        let pace = &self.settings.pace;
        {
            let mut roster = self.roster();
            let old = at_once || roster.friends_read.is_none_or(|at| at.elapsed() > pace.refresh);
            let lately = roster.friends_asked.is_some_and(|at| at.elapsed() < pace.retry);
            if !old || lately {
                return;
            }
            roster.friends_asked = Some(Instant::now());
        }
        let (friends, discussions) = tokio::join!(self.api.friends(), self.api.discussions());
        let mut roster = self.roster();
        if let Some((result, whole)) = told(friends) {
            let friends = contacts::friends(&result);
            if whole && !friends.is_empty() {
                roster.friends.clear();
            }
            roster.friends.extend(friends);
            roster.friends_read = Some(Instant::now());
        }
        if let Some((result, whole)) = told(discussions) {
            let discussions = contacts::discussions(&result);
            if whole && !discussions.is_empty() {
                roster.discussions.clear();
            }
            roster.discussions.extend(discussions);
        }
    }

    /// The list of friends changed.
    pub(super) fn friends_changed(&self) {
        self.roster().friends_read = None;
        self.look.notify_one();
    }

    /// Somebody who is alone with us: name and real number, as far as they can be had.
    pub(super) async fn name_friend(&self, uin: u64, number: Option<u64>) -> String {
        let known = || self.roster().friends.get(&uin).cloned();
        let mut name = known();
        if name.is_none() && number.is_none() {
            timeout(LOOKUP, self.refresh_friends(true)).await.ok();
            name = known();
        }
        let number = match number {
            Some(number) => Some(number),
            None => self.number_of_person(uin).await,
        };
        strangers::person(&name.unwrap_or_default(), number)
    }

    async fn number_of_person(&self, uin: u64) -> Option<u64> {
        match timeout(LOOKUP, self.real_number(uin, Of::Person, true)).await {
            Ok(Some(Number::Is(number))) => Some(number),
            Ok(Some(Number::Withheld) | None) | Err(_) => None,
        }
    }

    /// A discussion's name.
    pub(super) fn name_discussion(&self, did: u64) -> String {
        let name = self.roster().discussions.get(&did).cloned();
        let name = name.filter(|name| !name.is_empty());
        name.unwrap_or_else(|| "未命名讨论组".to_owned())
    }

    /// Somebody who speaks in a discussion.
    pub(super) async fn name_talker(&self, did: u64, uin: u64) -> String {
        let known = || {
            let roster = self.roster();
            let talkers = roster.talkers.get(&did)?;
            talkers.1.get(&uin).cloned()
        };
        let mut found = known();
        if found.is_none() && self.may_ask_talkers(did) {
            let asked = timeout(LOOKUP, self.api.discussion(did)).await;
            if let Some((result, _)) = asked.ok().and_then(told) {
                let talkers = contacts::discussion(&result);
                self.roster().talkers.insert(did, (Instant::now(), talkers));
            }
            found = known();
        }
        match found {
            Some((name, number)) => strangers::person(&name, number),
            None => self.name_friend(uin, None).await,
        }
    }

    fn may_ask_talkers(&self, did: u64) -> bool {
        let mut roster = self.roster();
        let retry = self.settings.pace.retry;
        if roster.talkers.get(&did).is_some_and(|(at, _)| at.elapsed() < retry) {
            return false;
        }
        if roster.talkers.len() >= DISCUSSIONS_MAX {
            roster.talkers.clear();
        }
        let talkers = roster.talkers.remove(&did).map(|(_, talkers)| talkers);
        roster
            .talkers
            .insert(did, (Instant::now(), talkers.unwrap_or_default()));
        true
    }
}

/// What a list call told, and whether it was all.
fn told(called: Called) -> Option<(serde_json::Value, bool)> {
    let answer = called.ok()?;
    match answer.retcode {
        Some(0) => Some((answer.result().clone(), true)),
        // An outage of the whole service: what it tells holds, what it does not tell means nothing.
        Some(100_003) => Some((answer.result().clone(), false)),
        _ => None,
    }
}
