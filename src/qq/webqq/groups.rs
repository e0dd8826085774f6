//! Which of the account's groups are the mapped ones: by number, or by name where the service withholds numbers.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::api::Of;
use super::contacts::{self, Group};
use super::hash::Variant;
use super::numbers::{Number, Numbers};
use super::session::Session;
use crate::model::GroupNumber;
use crate::qq::text::clean_name;

impl Session {
    /// Reads the group list, trying the variants of the hash in turn.
    pub(super) async fn read_groups(&self) -> Result<(), String> {
        const WRONG_HASH: i64 = 50;
        self.roster().groups_asked = Some(Instant::now());
        for _ in 0..Variant::COUNT {
            let answer = self.api.groups().await.map_err(|error| error.to_string())?;
            let code = answer.retcode.unwrap_or(-1);
            if code == WRONG_HASH {
                let mut tokens = self.api.tokens();
                tokens.variant = tokens.variant.next();
                continue;
            }
            self.judge_list(code);
            if !matches!(code, 0 | 100_003) {
                return Err(format!("QQ refused the group list (code {code})"));
            }
            let Some(groups) = contacts::groups(answer.result()) else {
                // An account without groups gets no list at all.
                return Ok(());
            };
            let mut roster = self.roster();
            let told = code == 0 && !groups.is_empty();
            roster.take_groups(groups, code != 0);
            // What came empty or in part is asked for again soon.
            roster.groups_read = told.then(Instant::now).or(roster.groups_read);
            return Ok(());
        }
        Err("QQ refused the group list (code 50)".to_owned())
    }

    /// Heeds how a list was answered: lists that are refused one after the other speak against the session, whatever its poll says.
    pub(super) fn judge_list(&self, code: i64) {
        const REFUSALS: u32 = 3;
        let mut roster = self.roster();
        if !matches!(code, 100 | 103 | 108 | 100_000 | 100_001 | 100_012) {
            roster.refusals = 0;
            return;
        }
        roster.refusals += 1;
        if roster.refusals == REFUSALS {
            roster.refusals = 0;
            self.doubt.notify_one();
        }
    }

    /// Whether the group list may be read again because of a message from an unknown group: at most once a minute.
    pub(super) fn may_reread_groups(&self) -> bool {
        let mut roster = self.roster();
        let may = roster.reread.is_none_or(|at| at.elapsed() > self.settings.pace.retry);
        if may {
            roster.reread = Some(Instant::now());
        }
        may
    }

    /// Finds out which of the account's groups are the mapped ones: by their numbers, asking for as few as needed; where the
    /// service withholds numbers, by the names in the mapping.
    pub(super) async fn match_groups(&self) {
        let wanted = self.inbox.mapped(&self.settings.name);
        {
            let mut roster = self.roster();
            let retry = self.settings.pace.retry;
            let retry = if roster.unanswered { retry / 12 } else { retry };
            let missing = roster.mapped.values().any(|m| m.group.is_none());
            let fresh = roster
                .matched
                .as_ref()
                .is_some_and(|(at, mapping)| *mapping == wanted && (!missing || at.elapsed() < retry));
            if fresh {
                return;
            }
            roster.matched = Some((Instant::now(), wanted.clone()));
            roster
                .mapped
                .retain(|number, _| wanted.iter().any(|(n, _)| n == number));
            for (number, _) in &wanted {
                roster.mapped.entry(*number).or_default();
            }
        }
        let unanswered = self.ask_group_numbers(&wanted).await;
        let mut absent = Vec::new();
        {
            let mut roster = self.roster();
            roster.unanswered = unanswered;
            let groups = roster.groups.clone();
            for (number, name) in &wanted {
                let found = self::find(&groups, *number, name.as_deref(), |code| {
                    roster.numbers.get(code, Of::Group)
                });
                let Some(mapped) = roster.mapped.get_mut(number) else {
                    continue;
                };
                mapped.group = None;
                match found {
                    Ok(group) => mapped.group = Some(group),
                    Err(_) if unanswered => {
                        mapped.absent =
                            format!("QQ does not say which group is {number}; it is asked again in a moment");
                    }
                    Err(why) => {
                        if mapped.absent != why {
                            absent.push(why.clone());
                        }
                        mapped.absent = why;
                    }
                }
            }
        }
        for why in absent {
            tracing::warn!(account = %self.settings.name, why, "a mapped group is not there");
            self.tell_admins(&why).await;
        }
    }

    /// The same within a limit; what takes longer is done anew by the keeper.
    pub(super) async fn match_groups_within(&self, limit: Duration) {
        if timeout(limit, self.match_groups()).await.is_err() {
            self.roster().matched = None;
        }
    }

    /// Asks for groups' numbers until all wanted ones are found. True when the service left a question open.
    async fn ask_group_numbers(&self, wanted: &[(GroupNumber, Option<String>)]) -> bool {
        let mut groups = self.roster().groups.clone();
        // Those of the right name first: often no other has to be asked for.
        groups.sort_by_key(|group| {
            !wanted
                .iter()
                .any(|(_, name)| name.as_deref().is_some_and(|n| is_called(group, n)))
        });
        let mut left: Vec<u64> = wanted.iter().map(|(number, _)| number.0).collect();
        // What is unanswered is asked again at once: until it is known whether numbers are told, no group is heard.
        for _ in 0..Numbers::WITHHELD {
            let mut unanswered = Vec::new();
            for group in groups {
                if left.is_empty() {
                    return false;
                }
                match self.real_number(group.code, Of::Group, false).await {
                    Some(Number::Is(number)) => left.retain(|n| *n != number),
                    Some(Number::Withheld) => {}
                    None => unanswered.push(group),
                }
            }
            groups = unanswered;
        }
        !groups.is_empty() && !left.is_empty() && !self.roster().numbers.withheld()
    }
}

fn is_called(group: &Group, name: &str) -> bool {
    let name = clean_name(name);
    !name.is_empty() && (group.name == name || group.mark == name)
}

/// Names to choose from, for people: the first few.
fn choice(groups: &[&Group]) -> String {
    const SHOWN: usize = 10;
    let names = groups.iter().take(SHOWN).map(|group| format!("«{}»", group.name));
    let more = if groups.len() > SHOWN { ", …" } else { "" };
    names.collect::<Vec<_>>().join(", ") + more
}

/// The group with this number; or, among those whose number is withheld, the only one of this name. Else why none, for people.
fn find(
    groups: &[Group],
    wanted: GroupNumber,
    name: Option<&str>,
    number: impl Fn(u64) -> Option<Number>,
) -> Result<Group, String> {
    if let Some(group) = groups
        .iter()
        .find(|group| number(group.code) == Some(Number::Is(wanted.0)))
    {
        return Ok(group.clone());
    }
    if groups.is_empty() {
        return Err("QQ tells of no group of the account".to_owned());
    }
    let nameless: Vec<_> = groups
        .iter()
        .filter(|group| number(group.code) == Some(Number::Withheld))
        .collect();
    if nameless.is_empty() {
        return Err(format!("the QQ account is not in group {wanted}"));
    }
    let Some(name) = name else {
        let names = choice(&nameless);
        return Err(format!(
            "this QQ does not tell group numbers: set group_name for group {wanted} in the mapping to one of {names}"
        ));
    };
    let names = choice(&nameless);
    let mut called = nameless.into_iter().filter(|group| is_called(group, name));
    match (called.next(), called.next()) {
        (Some(group), None) => Ok(group.clone()),
        (None, _) => Err(format!(
            "the QQ account is in no group called «{name}»; set group_name to one of {names}"
        )),
        (Some(_), Some(_)) => Err(format!(
            "the QQ account is in several groups called «{name}»: give one of them another remark (备注) on the phone"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(code: u64, name: &str) -> Group {
        Group {
            gid: code + 1000,
            code,
            name: name.into(),
            mark: String::new(),
            blocked: false,
        }
    }

    #[test]
    fn by_number_else_by_the_only_name() {
        let groups = [group(1, "a"), group(2, "b"), group(3, "b"), group(4, "c")];
        let wanted = GroupNumber(500);
        let told = |code| Some(Number::Is(code * 100 + 100));
        assert_eq!(find(&groups, wanted, Some("a"), told).map(|g| g.code), Ok(4));
        let withheld = |_| Some(Number::Withheld);
        assert_eq!(find(&groups, wanted, Some("c"), withheld).map(|g| g.code), Ok(4));
        for name in [None, Some("b"), Some("d")] {
            assert!(find(&groups, wanted, name, withheld).is_err(), "{name:?}");
        }
        assert!(find(&groups, GroupNumber(7), Some("a"), told).is_err());
        assert_eq!(find(&groups, wanted, Some(" a\u{a0}"), withheld).map(|g| g.code), Ok(1));
        let why = find(&groups, wanted, None, withheld).expect_err("nothing to go by");
        assert!(why.ends_with("one of «a», «b», «b», «c»"), "{why}");
        let why = find(&[], wanted, Some("a"), withheld).expect_err("nothing read");
        assert!(why.contains("no group"), "{why}");
    }
}
