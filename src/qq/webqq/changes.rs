//! What happens to groups without words, as 2013 told it: who came, went, rose and fell. The rest of the gateway hears of it by
//! acts, the admins of what they have to decide; lists are read anew afterwards, since these events come as they please.

use std::collections::HashSet;

use super::api::Of;
use super::event::{Change, What, Who};
use super::numbers::Number;
use super::roster::is_nobody;
use super::session::Session;
use crate::model::{GroupNumber, Member, MemberId, QqNumber};
use crate::qq::Act;
use crate::qq::strangers::{cut, person};

impl Session {
    /// Takes a change of a group.
    pub(super) async fn change(&self, change: Change, behind: &mut HashSet<GroupNumber>) {
        self.learn_number(&change);
        let own = self.api.own();
        let known = self.roster().number_of(change.gid);
        let group = known.or_else(|| self.wanted(change.group));
        let place = self.name_group(&change);
        match change.what {
            What::Created => {
                self.groups_changed();
                self.tell_admins(&format!("the QQ account has a new group, {place}"))
                    .await;
            }
            What::Joined(who) if who.uin == own => {
                self.groups_changed();
                self.tell_admins(&format!("the QQ account was let into {place}")).await;
            }
            What::Joined(who) => {
                let Some(group) = group else { return };
                self.people_changed(group);
                let member = self.person_of(group, &who).await;
                if !is_nobody(&member) {
                    self.tell_portal(group, Act::Member(member), behind).await;
                }
            }
            What::Dissolved => {
                self.lose_group(change.gid, group, &format!("{place} was dissolved"))
                    .await;
            }
            What::Left { who, kicked } if who.uin == own => {
                let what = if kicked { "was removed from" } else { "left" };
                self.lose_group(change.gid, group, &format!("the QQ account {what} {place}"))
                    .await;
            }
            What::Left { who, kicked } => {
                let Some(group) = group else { return };
                let by = change.by.as_ref().filter(|by| kicked && by.uin != who.uin);
                let by = by.and_then(|by| self.known_id(group, by));
                let member = match self.known_id(group, &who) {
                    Some(member) => member,
                    None => self.person_of(group, &who).await.id,
                };
                if let Some(mapped) = self.roster().mapped.get_mut(&group) {
                    mapped.forget(who.uin);
                }
                self.people_changed(group);
                self.tell_portal(group, Act::Left { member, kicked, by }, behind).await;
            }
            What::Asked(who, words) => {
                let who = self.name_friend(who.uin, who.number).await;
                let words = match cut(&words) {
                    words if words.is_empty() => words,
                    words => format!(" and says: {words}"),
                };
                self.tell_admins(&format!("{who} wants to join {place}{words}; answer in QQ"))
                    .await;
            }
            What::Denied(words) => {
                self.tell_admins(&format!("{place} refused to let the QQ account in: {}", cut(&words)))
                    .await;
            }
            What::Admin { who, given } => {
                let Some(group) = group else { return };
                if let Some(mapped) = self.roster().mapped.get_mut(&group) {
                    mapped.set_admin(who.uin, given);
                }
                let member = self.person_of(group, &who).await;
                if !is_nobody(&member) {
                    self.tell_portal(group, Act::Member(member), behind).await;
                }
            }
            What::Unknown(kind) => {
                tracing::info!(account = %self.settings.name, kind, "a group event of an unknown type; its lists are read again");
                self.groups_changed();
                if let Some(group) = group {
                    self.people_changed(group);
                }
            }
        }
    }

    /// These events tell a group's real number for nothing.
    fn learn_number(&self, change: &Change) {
        let mut roster = self.roster();
        let Some(number) = change.group else { return };
        let group = roster.groups.iter().find(|group| group.gid == change.gid);
        let Some(code) = group.map(|group| group.code) else {
            return;
        };
        if !matches!(roster.numbers.get(code, Of::Group), Some(Number::Is(_))) {
            roster.numbers.tell(code, Of::Group, number);
            roster.matched = None;
        }
    }

    fn wanted(&self, number: Option<u64>) -> Option<GroupNumber> {
        let number = GroupNumber(number?);
        self.roster().mapped.contains_key(&number).then_some(number)
    }

    /// The group for people.
    fn name_group(&self, change: &Change) -> String {
        let roster = self.roster();
        let group = roster.groups.iter().find(|group| group.gid == change.gid);
        let name = group.map(|group| group.name.clone()).unwrap_or_default();
        match (change.group, name.is_empty()) {
            (None, true) => "a group".to_owned(),
            (number, _) => format!("group {}", person(&name, number).trim_start_matches("QQ ")),
        }
    }

    /// The list of groups is to be read.
    pub(super) fn groups_changed(&self) {
        self.roster().groups_read = None;
        self.look.notify_one();
    }

    /// A group's members are to be read.
    pub(super) fn people_changed(&self, group: GroupNumber) {
        if let Some(mapped) = self.roster().mapped.get_mut(&group) {
            mapped.stale = true;
        }
        self.look.notify_one();
    }

    async fn lose_group(&self, gid: u64, group: Option<GroupNumber>, why: &str) {
        {
            let mut roster = self.roster();
            roster.groups.retain(|group| group.gid != gid);
            if let Some(mapped) = group.and_then(|group| roster.mapped.get_mut(&group)) {
                mapped.group = None;
                why.clone_into(&mut mapped.absent);
            }
        }
        self.tell_admins(why).await;
        if let Some(group) = group {
            self.announce(group).await;
        }
    }

    /// Who somebody is, without asking.
    fn known_id(&self, group: GroupNumber, who: &Who) -> Option<MemberId> {
        if who.uin == self.api.own() {
            return Some(MemberId::Number(QqNumber(who.uin)));
        }
        let roster = self.roster();
        let number = roster.numbers.get(who.uin, Of::Person);
        match (number, who.number) {
            (Some(Number::Is(number)), _) => Some(MemberId::Number(QqNumber(number))),
            (Some(Number::Withheld), _) => {
                let person = roster.mapped.get(&group)?.person(who.uin)?;
                Some(person.member(Some(Number::Withheld)).id)
            }
            (None, number) => Some(MemberId::Number(QqNumber(number?))),
        }
    }

    /// Who somebody is, with what the event tells of them.
    async fn person_of(&self, group: GroupNumber, who: &Who) -> Member {
        if let Some(number) = who.number {
            let mut roster = self.roster();
            if roster.numbers.get(who.uin, Of::Person).is_none() {
                roster.numbers.tell(who.uin, Of::Person, number);
            }
        }
        self.sender(group, who.uin).await
    }
}
