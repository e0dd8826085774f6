//! What the session knows of groups and members. Pure data; filled by the keeper from lists and by the lanes from notices.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::dialect::{self, Dialect};
use super::{event, field};
use crate::model::{GroupNumber, Member, MemberId, QqNumber, Role, Timestamp};

/// Stands for "no end was told": no mute of QQ lasts longer than a month.
const FOREVER: Duration = Duration::from_secs(400 * 86_400);
/// No group of QQ is bigger.
const MEMBERS_MAX: usize = 10_000;

/// What a session knows.
#[derive(Debug)]
pub(super) struct Roster {
    /// The account's number; 0 before it is known.
    pub(super) own: QqNumber,
    pub(super) dialect: &'static Dialect,
    /// Whether the account as a whole hears and speaks; else why not.
    pub(super) standing: Result<(), String>,
    /// Whether history can be asked for.
    pub(super) history: bool,
    /// The mapped groups.
    pub(super) groups: HashMap<GroupNumber, Group>,
    /// When the list of groups was read; nothing: it is to be read at once.
    pub(super) groups_read: Option<Instant>,
}

/// One mapped group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Empty before it is known.
    pub(super) name: String,
    /// Whether the account is in it.
    pub(super) presence: Presence,
    pub(super) members: BTreeMap<QqNumber, Member>,
    /// Who may not speak, until when. None: the whole group.
    pub(super) mutes: HashMap<Option<QqNumber>, Instant>,
    /// Counts the lists that told something new.
    pub(super) version: u64,
    pub(super) read: Option<Instant>,
    pub(super) asked: Option<Instant>,
}

/// Whether the account is in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nobody said so yet.
    #[default]
    Unknown,
    In,
    /// And why.
    Out(String),
}

impl Default for Roster {
    fn default() -> Self {
        Self {
            own: QqNumber(0),
            dialect: dialect::unknown(),
            standing: Err("the QQ session is starting".to_owned()),
            history: false,
            groups: HashMap::new(),
            groups_read: None,
        }
    }
}

impl Roster {
    /// Whether a group can be heard and spoken to; else why not.
    pub(super) fn state(&self, group: GroupNumber) -> Result<(), String> {
        self.standing.clone()?;
        match self.groups.get(&group) {
            Some(group) => match &group.presence {
                Presence::In => Ok(()),
                Presence::Unknown => Err("the list of the account's groups was not read yet".to_owned()),
                Presence::Out(why) => Err(why.clone()),
            },
            None => Err(format!("group {group} is not mapped")),
        }
    }

    /// Why the account may not speak in a group now, if it may not.
    pub(super) fn muted(&self, group: GroupNumber) -> Option<String> {
        let group = self.groups.get(&group)?;
        let now = Instant::now();
        let left = |whom: Option<QqNumber>| {
            group
                .mutes
                .get(&whom)
                .map(|until| *until - now)
                .filter(|d| !d.is_zero())
        };
        if let Some(left) = left(Some(self.own)) {
            return Some(format!(
                "the QQ account may not speak in the group{}",
                for_how_long(left)
            ));
        }
        let role = group.members.get(&self.own).map_or(Role::Member, |own| own.role);
        left(None)
            .filter(|_| role == Role::Member)
            .map(|left| format!("nobody may speak in the QQ group{}", for_how_long(left)))
    }

    /// The account may not speak in a group for some time, as a refusal says.
    pub(super) fn learn_mute(&mut self, group: GroupNumber, duration: Duration) {
        let own = self.own;
        if let Some(group) = self.groups.get_mut(&group) {
            group.mute(Some(own), duration);
        }
    }

    /// Takes the list of all groups: names, who is gone, mutes of the whole group. An empty list says nothing.
    pub(super) fn take_groups(&mut self, list: &Value) -> bool {
        let known: HashMap<GroupNumber, &Value> = field::items(list)
            .iter()
            .filter_map(|item| Some((field::group(&item["group_id"])?, item)))
            .collect();
        if known.is_empty() {
            return false;
        }
        let own = self.own;
        for (number, group) in &mut self.groups {
            let Some(item) = known.get(number) else {
                group.presence = Presence::Out(format!("the QQ account {own} is not in group {number}"));
                continue;
            };
            group.presence = Presence::In;
            let name = field::name(&item["group_name"]);
            if !name.is_empty() {
                group.name = name;
            }
            group.take_whole_mute(item);
        }
        true
    }

    /// Why groups that are mapped cannot be heard: the account is not in them.
    pub(super) fn absent(&self) -> Vec<String> {
        let out = |group: &Group| match &group.presence {
            Presence::Out(why) => Some(why.clone()),
            Presence::In | Presence::Unknown => None,
        };
        self.groups.values().filter_map(out).collect()
    }

    /// The program has no list of groups: the operator, who mapped them, is believed until a notice says otherwise.
    pub(super) fn believe_mapping(&mut self) {
        let unknown = |group: &&mut Group| group.presence == Presence::Unknown;
        for group in self.groups.values_mut().filter(unknown) {
            group.presence = Presence::In;
        }
    }
}

fn for_how_long(left: Duration) -> String {
    let minutes = left.as_secs().div_ceil(60);
    match minutes {
        0..=1 => " for a minute".to_owned(),
        2..=120 => format!(" for {minutes} minutes"),
        121..=100_000 => format!(" for {} hours", minutes.div_ceil(60)),
        _ => String::new(),
    }
}

impl Group {
    /// `group_all_shut` (`NapCat`: -1 or 1), `shut_up_all_timestamp` (`LLBot`).
    fn take_whole_mute(&mut self, item: &Value) {
        let shut = field::signed(&item["group_all_shut"]);
        let until = field::signed(&item["shut_up_all_timestamp"]);
        let shut = match (shut, until) {
            (None, None) => return,
            (Some(shut), _) => shut != 0,
            (_, Some(until)) => until > Timestamp::now().0 / 1000,
        };
        if shut {
            self.mute(None, Duration::MAX);
        } else {
            self.mutes.remove(&None);
        }
    }

    /// Somebody, or everybody, may not speak for so long; zero lifts it.
    pub(super) fn mute(&mut self, whom: Option<QqNumber>, duration: Duration) {
        if duration.is_zero() {
            self.mutes.remove(&whom);
        } else {
            self.mutes.insert(whom, Instant::now() + duration.min(FOREVER));
        }
    }

    /// The mutes that last, as they would be told now.
    pub(super) fn lasting_mutes(&self) -> Vec<(Option<QqNumber>, Duration)> {
        let now = Instant::now();
        let mutes = self.mutes.iter().map(|(whom, until)| (*whom, *until - now));
        let mut lasting: Vec<_> = mutes
            .filter(|(_, left)| !left.is_zero())
            .map(|(whom, left)| (whom, if left > FOREVER / 2 { Duration::MAX } else { left }))
            .collect();
        lasting.sort_unstable_by_key(|(whom, _)| *whom);
        lasting
    }

    /// Takes the list of members. An empty one says nothing.
    pub(super) fn take_members(&mut self, list: &Value) -> bool {
        let items = field::items(list).iter().take(MEMBERS_MAX);
        let read: Vec<(Member, QqNumber, Option<Duration>)> = items.filter_map(member).collect();
        if read.is_empty() {
            return false;
        }
        for (_, number, mute) in &read {
            if let Some(mute) = mute {
                self.mute(Some(*number), *mute);
            }
        }
        let members = read.into_iter().map(|(member, number, _)| (number, member)).collect();
        if self.members != members {
            self.members = members;
            self.version += 1;
        }
        let (members, now) = (&self.members, Instant::now());
        self.mutes
            .retain(|whom, until| *until > now && whom.is_none_or(|whom| members.contains_key(&whom)));
        true
    }

    /// Takes one member. False when nothing is new.
    pub(super) fn put(&mut self, member: &Member) -> bool {
        let Some(number) = member.id.number() else { return false };
        if self.members.get(&number) == Some(member) || self.members.len() >= MEMBERS_MAX {
            return false;
        }
        self.members.insert(number, member.clone());
        true
    }
}

/// Reads a member of a list or of `get_group_member_info`, with what is left of a mute where that is told.
pub(super) fn member(item: &Value) -> Option<(Member, QqNumber, Option<Duration>)> {
    let number = field::user(&item["user_id"])?;
    let member = Member {
        id: MemberId::Number(number),
        nickname: field::name(&item["nickname"]),
        card: field::name(&item["card"]),
        role: event::role(&item["role"]),
    };
    let until = field::signed(&item["shut_up_timestamp"]).map(Timestamp::from_secs);
    Some((member, number, until.map(|until| until.since(Timestamp::now()))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GROUP: GroupNumber = GroupNumber(7);
    const OWN: QqNumber = QqNumber(1);

    fn roster() -> Roster {
        Roster {
            own: OWN,
            standing: Ok(()),
            groups: HashMap::from([(GROUP, Group::default())]),
            ..Roster::default()
        }
    }

    #[test]
    fn an_empty_list_changes_nothing() {
        let mut roster = roster();
        assert!(roster.take_groups(&json!([{"group_id": "7", "group_name": "a"}])));
        assert_eq!(roster.state(GROUP), Ok(()));
        assert!(!roster.take_groups(&json!([])));
        assert_eq!(roster.state(GROUP), Ok(()));
        assert!(roster.take_groups(&json!([{"group_id": 8}])));
        assert!(roster.state(GROUP).is_err());
        let group = roster.groups.get_mut(&GROUP).expect("mapped");
        assert!(group.take_members(&json!([{"user_id": 2, "nickname": "b", "card": null}])));
        assert!(!group.take_members(&json!({"a": 1})));
        assert_eq!((group.members.len(), group.version), (1, 1));
        assert!(group.take_members(&json!([{"user_id": "2", "nickname": "b", "role": "member"}])));
        assert_eq!(group.version, 1);
    }

    #[test]
    fn mutes_end_and_admins_speak_on() {
        let mut roster = roster();
        let soon = Timestamp::now().0 / 1000 + 3600;
        let members = json!([{"user_id": 1, "role": "member", "shut_up_timestamp": soon}, {"user_id": 2, "shut_up_timestamp": 5}]);
        let group = roster.groups.get_mut(&GROUP).expect("mapped");
        group.take_members(&members);
        assert_eq!(group.lasting_mutes().len(), 1);
        let why = roster.muted(GROUP).expect("muted");
        assert!(why.contains("60 minutes"), "{why}");
        let group = roster.groups.get_mut(&GROUP).expect("mapped");
        group.mute(Some(OWN), Duration::ZERO);
        group.mute(None, Duration::MAX);
        assert_eq!(group.lasting_mutes(), [(None, Duration::MAX)]);
        assert!(roster.muted(GROUP).is_some());
        let group = roster.groups.get_mut(&GROUP).expect("mapped");
        group.members.get_mut(&OWN).expect("a member").role = Role::Admin;
        assert_eq!(roster.muted(GROUP), None);
    }
}
