//! What the session knows of people and groups in this login: temporary ids, real numbers, what portals were told.
//! Plain data behind one lock; [`super::keeper`] fills it.

use std::collections::{HashMap, HashSet};

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::contacts::{Group, Person};
use super::counter::Counter;
use super::echo::Echoes;
use super::numbers::{Number, Numbers};
use crate::model::{GroupNumber, Member, MemberId, QqNumber, Role};
use crate::qq::GroupEvent;
use crate::qq::strangers::Quota;

/// Stands for a member whose name is not known either.
const NOBODY: &str = "未知成员";
/// The uin that the service itself speaks as, and the name it gets.
const SERVICE: (u64, &str) = (10_000, "系统消息");

/// The mapping as the gateway gives it: numbers, and names for eras that tell no numbers.
pub(super) type Mapping = Vec<(GroupNumber, Option<String>)>;

/// The members of a discussion: names and real numbers, by uin.
pub(super) type Talkers = HashMap<u64, (String, Option<u64>)>;

/// Everything known of people and groups.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// What the admins were told lately.
    pub(super) quota: Quota,
    /// Our own nickname.
    pub(super) nick: String,
    /// uin → shown name.
    pub(super) friends: HashMap<u64, String>,
    /// did → name.
    pub(super) discussions: HashMap<u64, String>,
    /// did → its members' names and real numbers, with the time of asking.
    pub(super) talkers: HashMap<u64, (Instant, Talkers)>,
    /// When friends and discussions were last asked for, and last told.
    pub(super) friends_asked: Option<Instant>,
    pub(super) friends_read: Option<Instant>,
    /// The account's groups as last read, and when.
    pub(super) groups: Vec<Group>,
    pub(super) groups_read: Option<Instant>,
    pub(super) groups_asked: Option<Instant>,
    /// Lists refused in a row in a way that speaks against the session.
    pub(super) refusals: u32,
    pub(super) numbers: Numbers,
    /// The mapped groups.
    pub(super) mapped: HashMap<GroupNumber, Mapped>,
    /// For which mapping the groups were last looked for, and when.
    pub(super) matched: Option<(Instant, Mapping)>,
    /// That look left questions open: the next comes sooner.
    pub(super) unanswered: bool,
    /// Words of the poll's answer that is being read wait so long for names and numbers.
    pub(super) lookups_until: Option<Instant>,
    /// When the group list was last read because of a message from an unknown group.
    pub(super) reread: Option<Instant>,
    /// Groups of which the admins know that nobody knows them, by gid.
    pub(super) unlisted: HashSet<u64>,
    /// Counts events that nothing is done about, by kind.
    pub(super) others: HashMap<String, u64>,
    /// Counts messages that came without id and time.
    pub(super) nameless: u64,
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
    /// Something happened since that changes them.
    pub(super) stale: bool,
    /// The version that the portal was shown, and what that was.
    pub(super) shown_version: u64,
    pub(super) shown: Option<(String, Vec<Member>)>,
    /// No snapshot is tried before.
    pub(super) snapshot_after: Option<Instant>,
    pub(super) told: Option<Told>,
    /// Our own words, to know them again.
    pub(super) echoes: Echoes,
    /// The count of messages (2013).
    pub(super) counter: Counter,
    /// Changes with the list of members, perhaps (2013).
    pub(super) info_seq: Option<u64>,
    /// The admins know that the group is blocked.
    pub(super) block_told: bool,
    /// Messages that the portal did not take in time; it does not know of them yet.
    pub(super) lost: u64,
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

    /// Forgets a member who went.
    pub(super) fn forget(&mut self, uin: u64) {
        let before = self.people.len();
        self.people.retain(|person| person.uin != uin);
        if self.people.len() != before {
            self.version += 1;
        }
    }

    /// Gives or takes the rank of an administrator. The owner is above that.
    pub(super) fn set_admin(&mut self, uin: u64, given: bool) {
        let role = if given { Role::Admin } else { Role::Member };
        let person = self.people.iter_mut().find(|person| person.uin == uin);
        if let Some(person) = person.filter(|p| p.role != Role::Owner && p.role != role) {
            person.role = role;
            self.version += 1;
        }
    }

    /// Whether words of this uin may be the system's: of nobody in the group, or of somebody who can do what it tells.
    pub(super) fn may_speak_for_qq(&self, uin: u64) -> bool {
        is_service(uin)
            || (!self.people.is_empty() && self.person(uin).is_none_or(|person| person.role != Role::Member))
    }

    /// Takes newly read people; with `keep`, who and what is missing stays. Nicknames that were not told this time stay.
    pub(super) fn take_people(&mut self, mut people: Vec<Person>, keep: bool) {
        for person in &mut people {
            let Some(known) = self.people.iter().find(|known| known.uin == person.uin) else {
                continue;
            };
            if person.nick.is_empty() {
                person.nick.clone_from(&known.nick);
            }
            if keep && person.card.is_empty() {
                person.card.clone_from(&known.card);
            }
            if keep {
                person.role = person.role.max(known.role);
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
        self.groups_read = None;
        self.friends.clear();
        self.friends_read = None;
        self.discussions.clear();
        self.talkers.clear();
        self.unlisted.clear();
        self.refusals = 0;
        self.numbers = Numbers::default();
        self.matched = None;
        for mapped in self.mapped.values_mut() {
            mapped.group = None;
            mapped.people.clear();
            mapped.version = 0;
            mapped.shown_version = 0;
            mapped.asked = None;
            mapped.read = None;
            mapped.info_seq = None;
        }
    }
}

/// Whether the service itself speaks as this uin.
pub(super) fn is_service(uin: u64) -> bool {
    uin == 0 || uin == SERVICE.0
}

/// The service as a member of any group.
pub(super) fn service() -> Member {
    Member {
        id: MemberId::Named(SERVICE.1.into()),
        nickname: SERVICE.1.to_owned(),
        card: String::new(),
        role: Role::Member,
    }
}

/// Whether nothing but their being there is known of a member.
pub(super) fn is_nobody(member: &Member) -> bool {
    matches!(&member.id, MemberId::Named(name) if &**name == NOBODY)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qq::webqq::api::Of;

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
            blocked: false,
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
    fn only_those_who_could_speak_for_the_system() {
        let mut mapped = Mapped::default();
        assert!(mapped.may_speak_for_qq(10_000));
        // Nobody is known yet: it may be anybody.
        assert!(!mapped.may_speak_for_qq(5));
        mapped.take_people(vec![person(1, "a"), person(2, "b")], false);
        mapped.set_admin(2, true);
        assert_eq!([1, 2, 3].map(|uin| mapped.may_speak_for_qq(uin)), [false, true, true]);
        mapped.forget(2);
        mapped.forget(9);
        assert_eq!((mapped.people.len(), mapped.version), (1, 3));
    }
}
