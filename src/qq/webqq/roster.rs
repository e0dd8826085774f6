//! What the session knows of people and groups in this login: temporary ids, real numbers, what portals were told.
//! Plain data behind one lock; [`super::keeper`] fills it.

use std::collections::HashMap;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::api::Of;
use super::contacts::{Group, Person};
use crate::model::{GroupNumber, Member, MemberId, QqNumber};
use crate::qq::GroupEvent;

/// Stands for a member whose name is not known either.
const NOBODY: &str = "未知成员";

/// The mapping as the gateway gives it: numbers, and names for eras that tell no numbers.
pub(super) type Mapping = Vec<(GroupNumber, Option<String>)>;

/// Everything known of people and groups.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Our own nickname.
    pub(super) nick: String,
    /// uin → shown name.
    pub(super) friends: HashMap<u64, String>,
    /// did → name.
    pub(super) discussions: HashMap<u64, String>,
    /// The account's groups as last read.
    pub(super) groups: Vec<Group>,
    pub(super) numbers: Numbers,
    /// The mapped groups.
    pub(super) mapped: HashMap<GroupNumber, Mapped>,
    /// For which mapping the groups were last looked for, and when.
    pub(super) matched: Option<(Instant, Mapping)>,
    /// When the group list was last read because of a message from an unknown group.
    pub(super) reread: Option<Instant>,
}

/// A group of the mapping.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    /// Which of the account's groups it is; or why none, for people.
    pub(super) group: Option<Group>,
    pub(super) absent: String,
    pub(super) people: Vec<Person>,
    /// Grows with every change of `people`.
    pub(super) version: u64,
    /// When the members were last asked for, and last read.
    pub(super) asked: Option<Instant>,
    pub(super) read: Option<Instant>,
    /// The version that the portal was shown, and what that was.
    pub(super) shown_version: u64,
    pub(super) shown: Option<(String, Vec<Member>)>,
    /// No snapshot is tried before.
    pub(super) snapshot_after: Option<Instant>,
    pub(super) told: Option<Told>,
}

/// What a portal was told, and which portal: one that was restarted was told nothing.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) mailbox: mpsc::Sender<GroupEvent>,
    /// On line, or why not.
    pub(super) state: Result<(), String>,
}

impl Mapped {
    /// The member with this temporary id.
    pub(super) fn person(&self, uin: u64) -> Option<&Person> {
        self.people.iter().find(|person| person.uin == uin)
    }

    /// Takes newly read people; with `keep`, those who are missing stay. Nicknames that were not told this time stay.
    pub(super) fn take_people(&mut self, mut people: Vec<Person>, keep: bool) {
        for person in &mut people {
            if person.nick.is_empty()
                && let Some(known) = self.person(person.uin)
            {
                person.nick.clone_from(&known.nick);
            }
        }
        if keep {
            let missing = self
                .people
                .iter()
                .filter(|old| people.iter().all(|new| new.uin != old.uin));
            let missing: Vec<_> = missing.cloned().collect();
            people.extend(missing);
        }
        if self.people != people || self.version == 0 {
            self.people = people;
            self.version += 1;
        }
    }
}

impl Roster {
    /// The mapped group with this temporary id.
    pub(super) fn number_of(&self, gid: u64) -> Option<GroupNumber> {
        let mut mapped = self.mapped.iter();
        mapped.find_map(|(number, m)| (m.group.as_ref()?.gid == gid).then_some(*number))
    }

    /// Takes the group list; with `keep`, groups that are missing stay. An empty list is a failed one.
    pub(super) fn take_groups(&mut self, mut groups: Vec<Group>, keep: bool) {
        if groups.is_empty() {
            return;
        }
        // Other temporary ids: another login, as far as the service is concerned.
        let same_login = self.groups.is_empty()
            || groups
                .iter()
                .any(|new| self.groups.iter().any(|old| old.gid == new.gid));
        if !same_login {
            self.forget_ids();
        } else if keep {
            let missing = self
                .groups
                .iter()
                .filter(|old| groups.iter().all(|new| new.gid != old.gid));
            let missing: Vec<_> = missing.cloned().collect();
            groups.extend(missing);
        }
        if self.groups != groups {
            self.groups = groups;
            self.matched = None;
        }
    }

    /// Drops everything that hangs on temporary ids. What portals were told stays.
    pub(super) fn forget_ids(&mut self) {
        self.groups.clear();
        self.numbers = Numbers::default();
        self.matched = None;
        for mapped in self.mapped.values_mut() {
            mapped.group = None;
            mapped.people.clear();
            mapped.version = 0;
            mapped.shown_version = 0;
            mapped.asked = None;
            mapped.read = None;
        }
    }
}

impl Person {
    /// The person as the rest of the gateway knows them.
    pub(super) fn member(&self, number: Option<Number>) -> Member {
        let id = match number {
            Some(Number::Is(number)) => MemberId::Number(QqNumber(number)),
            _ if self.shown().is_empty() => MemberId::Named(NOBODY.into()),
            _ => MemberId::Named(self.shown().into()),
        };
        Member {
            id,
            nickname: self.nick.clone(),
            card: self.card.clone(),
            role: self.role,
        }
    }
}

/// What the service says of a real number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Is(u64),
    /// There is none to be had.
    Withheld,
}

/// Real numbers, as far as the service tells them: it stopped in 2017.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    people: HashMap<u64, Number>,
    groups: HashMap<u64, Number>,
    told: u32,
    refused: u32,
}

impl Numbers {
    /// So many refusals and never a number: the era does not tell them.
    const WITHHELD: u32 = 3;

    fn of(&self, of: Of) -> &HashMap<u64, Number> {
        match of {
            Of::Person => &self.people,
            Of::Group => &self.groups,
        }
    }

    /// What is known of one; nothing when it has to be asked.
    pub(super) fn get(&self, id: u64, of: Of) -> Option<Number> {
        let known = self.of(of).get(&id).copied();
        known.or_else(|| self.withheld().then_some(Number::Withheld))
    }

    /// Whether the era tells no numbers at all.
    pub(super) fn withheld(&self) -> bool {
        self.told == 0 && self.refused >= Self::WITHHELD
    }

    /// The service told a number.
    pub(super) fn tell(&mut self, id: u64, of: Of, number: u64) {
        self.told += 1;
        self.remember(id, of, Number::Is(number));
    }

    /// The service has no number for this one.
    pub(super) fn refuse(&mut self, id: u64, of: Of) {
        self.refused += 1;
        self.remember(id, of, Number::Withheld);
    }

    /// The service gave no answer that says anything about this one.
    pub(super) fn fail(&mut self) {
        self.refused += 1;
    }

    fn remember(&mut self, id: u64, of: Of, number: Number) {
        match of {
            Of::Person => self.people.insert(id, number),
            Of::Group => self.groups.insert(id, number),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    fn person(uin: u64, nick: &str) -> Person {
        Person {
            uin,
            nick: nick.into(),
            card: String::new(),
            role: Role::Member,
        }
    }

    fn group(gid: u64) -> Group {
        Group {
            gid,
            code: gid + 1,
            name: "测试群".into(),
            mark: String::new(),
        }
    }

    #[test]
    fn partial_lists_delete_nothing_and_known_nicks_stay() {
        let mut mapped = Mapped::default();
        mapped.take_people(vec![person(1, "a"), person(2, "b")], false);
        mapped.take_people(vec![person(1, "")], true);
        assert_eq!(mapped.people, [person(1, "a"), person(2, "b")]);
        assert_eq!(mapped.version, 1);
        mapped.take_people(vec![person(1, "")], false);
        assert_eq!(mapped.people, [person(1, "a")]);
        assert_eq!(mapped.version, 2);
    }

    #[test]
    fn an_empty_group_list_changes_nothing_and_new_ids_change_all() {
        let mut roster = Roster::default();
        roster.take_groups(vec![group(10), group(20)], false);
        roster.numbers.tell(11, Of::Group, 346_000_003);
        roster.take_groups(Vec::new(), false);
        roster.take_groups(vec![group(10)], true);
        assert_eq!(roster.groups.len(), 2);
        assert_eq!(roster.numbers.get(11, Of::Group), Some(Number::Is(346_000_003)));
        roster.take_groups(vec![group(30)], false);
        assert_eq!(roster.groups, [group(30)]);
        assert_eq!(roster.numbers.get(11, Of::Group), None);
    }

    #[test]
    fn numbers_are_withheld_after_refusals_alone() {
        let mut numbers = Numbers::default();
        for id in 0..3 {
            assert_eq!(numbers.get(99, Of::Person), None);
            numbers.refuse(id, Of::Person);
        }
        assert_eq!(numbers.get(99, Of::Person), Some(Number::Withheld));
        let mut numbers = Numbers::default();
        numbers.tell(1, Of::Group, 5);
        (2..9).for_each(|id| numbers.refuse(id, Of::Person));
        assert_eq!(numbers.get(99, Of::Person), None);
        assert_eq!(numbers.get(2, Of::Person), Some(Number::Withheld));
    }
}
