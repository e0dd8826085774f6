//! The QQ groups of one room, merged into the room's members.
//!
//! A person in two groups is one occupant, with the card and role of the group that stands first in the row.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::gap::Gap;
use crate::model::{GroupNumber, Member, MemberId, Timestamp};
use crate::room::RoomMember;
use crate::store::GroupState;

/// All groups of the row, in its order.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<Group>);

/// One group as the account sees it.
#[derive(Debug)]
pub(super) struct Group {
    /// Its number.
    pub(super) number: GroupNumber,
    /// Its name, once known.
    pub(super) name: Option<String>,
    /// The account hears and speaks here; `Err` says why not.
    pub(super) online: Result<(), String>,
    /// What may be missing, and what waits until it is there.
    pub(super) gap: Option<Gap>,
    /// When this portal first heard of it that its session listens.
    pub(super) began: Option<Timestamp>,
    members: HashMap<MemberId, Member>,
    muted_until: HashMap<MemberId, Timestamp>,
    spoke: HashMap<MemberId, Timestamp>,
}

impl Groups {
    /// The groups of the row, with what the store knows of each.
    pub(super) fn new(known: impl IntoIterator<Item = (GroupNumber, GroupState)>) -> Self {
        Self(
            known
                .into_iter()
                .map(|(number, state)| Group::new(number, state))
                .collect(),
        )
    }

    /// The groups of a changed row. What is known of a group that stays is kept: who is muted, who spoke, whether it is on line.
    pub(super) fn rearrange(&mut self, known: impl IntoIterator<Item = (GroupNumber, GroupState)>) {
        let mut old = std::mem::take(&mut self.0);
        for (number, state) in known {
            let stays = old.iter().position(|group| group.number == number);
            self.0
                .push(stays.map_or_else(|| Group::new(number, state), |at| old.swap_remove(at)));
        }
    }

    /// Counts members as having spoken of whom nobody knows when they did: for those who were shown before a restart.
    pub(super) fn assume_spoke(&mut self, was_shown: impl Fn(&MemberId) -> bool, now: Timestamp) {
        for group in &mut self.0 {
            let spoke = &mut group.spoke;
            let silent = group
                .members
                .keys()
                .filter(|id| !spoke.contains_key(*id) && was_shown(id));
            let silent: Vec<MemberId> = silent.cloned().collect();
            spoke.extend(silent.into_iter().map(|id| (id, now)));
        }
    }

    /// One of them.
    pub(super) fn get_mut(&mut self, number: GroupNumber) -> Option<&mut Group> {
        self.0.iter_mut().find(|group| group.number == number)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter()
    }

    /// All of them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.0.iter_mut()
    }

    /// When the next wait for a gap to be closed ends.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(|group| group.gap.as_ref()?.deadline()).min()
    }

    /// The name of the first group that has one.
    pub(super) fn name(&self) -> Option<&str> {
        self.0
            .iter()
            .find_map(|group| group.name.as_deref())
            .filter(|name| !name.trim().is_empty())
    }

    /// Forgets mutes that are over; true when there were some.
    pub(super) fn unmute(&mut self, now: Timestamp) -> bool {
        // Not any(): every group forgets its own.
        self.0
            .iter_mut()
            .filter_map(|group| group.unmute(now).then_some(()))
            .count()
            > 0
    }

    /// Everybody, once.
    pub(super) fn merged(&self, now: Timestamp) -> Vec<RoomMember> {
        let mut seen = HashSet::new();
        let mut merged = Vec::new();
        for group in &self.0 {
            for member in group.members.values() {
                if seen.insert(&member.id) {
                    merged.push(RoomMember {
                        member: member.clone(),
                        muted: group.muted_until.get(&member.id).is_some_and(|until| *until > now),
                        spoke: self.0.iter().filter_map(|g| g.spoke.get(&member.id)).max().copied(),
                    });
                }
            }
        }
        merged
    }
}

impl Group {
    fn new(number: GroupNumber, state: GroupState) -> Self {
        Self {
            number,
            name: state.name,
            online: Ok(()),
            gap: None,
            began: None,
            members: state
                .members
                .into_iter()
                .map(|member| (member.id.clone(), member))
                .collect(),
            muted_until: HashMap::new(),
            spoke: HashMap::new(),
        }
    }

    /// Replaces everything known of the group; true when anything is other than before.
    pub(super) fn replace(&mut self, name: &str, members: &[Member]) -> bool {
        let members: HashMap<_, _> = members.iter().map(|m| (m.id.clone(), m.clone())).collect();
        let same = self.name.as_deref() == Some(name) && self.members == members;
        self.name = Some(name.to_owned());
        self.members = members;
        !same
    }

    /// A member as now known; true when new or changed.
    pub(super) fn put(&mut self, member: &Member) -> bool {
        self.members.insert(member.id.clone(), member.clone()).as_ref() != Some(member)
    }

    /// A member as the sender of a message shows them: a message says less than the list, so nothing known is made poorer.
    pub(super) fn heard(&mut self, sender: &Member, at: Timestamp) -> bool {
        let spoke = self.spoke.entry(sender.id.clone()).or_insert(at);
        *spoke = at.max(*spoke);
        match self.members.get(&sender.id) {
            None => self.put(sender),
            Some(known) => {
                let mut better = known.clone();
                if !sender.nickname.is_empty() {
                    better.nickname.clone_from(&sender.nickname);
                }
                if !sender.card.is_empty() {
                    better.card.clone_from(&sender.card);
                }
                self.put(&better)
            }
        }
    }

    /// A member said something then; who is none stays none.
    pub(super) fn spoke(&mut self, id: &MemberId, at: Timestamp) {
        if self.members.contains_key(id) {
            let spoke = self.spoke.entry(id.clone()).or_insert(at);
            *spoke = at.max(*spoke);
        }
    }

    /// What is known of a member.
    pub(super) fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    /// A member is gone; true when they were there.
    pub(super) fn remove(&mut self, id: &MemberId) -> bool {
        self.muted_until.remove(id);
        self.members.remove(id).is_some()
    }

    /// A member may not speak for so long; zero lifts it.
    pub(super) fn mute(&mut self, id: &MemberId, duration: Duration, now: Timestamp) {
        if duration.is_zero() {
            self.muted_until.remove(id);
        } else {
            self.muted_until.insert(id.clone(), now.plus(duration));
        }
    }

    /// Forgets mutes that are over; true when there were some.
    fn unmute(&mut self, now: Timestamp) -> bool {
        let before = self.muted_until.len();
        self.muted_until.retain(|_, until| *until > now);
        self.muted_until.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{QqNumber, Role};

    fn member(number: u64, card: &str) -> Member {
        Member {
            id: MemberId::Number(QqNumber(number)),
            nickname: "nick".into(),
            card: card.into(),
            role: Role::Member,
        }
    }

    fn groups() -> Groups {
        let state = |members: Vec<Member>| GroupState {
            name: Some("n".into()),
            members,
        };
        Groups::new([
            (GroupNumber(1), state(vec![member(10, "first")])),
            (GroupNumber(2), state(vec![member(10, "second"), member(11, "")])),
        ])
    }

    #[test]
    fn a_member_of_two_groups_is_one_occupant_with_the_first_card() {
        let merged = groups().merged(Timestamp(0));
        assert_eq!(merged.len(), 2);
        assert!(merged.iter().any(|m| m.member == member(10, "first")));
    }

    #[test]
    fn a_message_makes_nothing_known_poorer() {
        let mut groups = groups();
        let group = groups.get_mut(GroupNumber(1)).expect("the group");
        let mut bare = member(10, "");
        bare.nickname.clear();
        assert!(!group.heard(&bare, Timestamp(5)));
        assert_eq!(group.member(&bare.id), Some(&member(10, "first")));
    }

    #[test]
    fn a_mute_ends_by_itself() {
        let mut groups = groups();
        let group = groups.get_mut(GroupNumber(1)).expect("the group");
        group.mute(&member(10, "").id, Duration::from_secs(1), Timestamp(0));
        assert!(groups.merged(Timestamp(999)).iter().any(|m| m.muted));
        assert!(groups.unmute(Timestamp(1000)));
        assert!(!groups.merged(Timestamp(1000)).iter().any(|m| m.muted));
    }
}
