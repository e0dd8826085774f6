//! Reads the contact lists. Pure. Names come escaped, with NBSP, cut inside characters; lists come without their parts.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::wire::{items, number, text};
use crate::model::Role;
use crate::qq::text::clean_name;

/// More members than any group of QQ has.
const MEMBERS_MAX: usize = 5000;
const LIST_MAX: usize = 10_000;
/// Stands for all groups in the list of masks.
const ALL_GROUPS: u64 = 1000;

/// A group of the account, under its temporary ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// What sends and events name it by.
    pub(super) gid: u64,
    /// What the lists name it by.
    pub(super) code: u64,
    pub(super) name: String,
    /// The account's own remark for it.
    pub(super) mark: String,
    /// The account's phone is set to block it: the service delivers nothing of it.
    pub(super) blocked: bool,
}

/// A member of a group, under the temporary id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) uin: u64,
    pub(super) nick: String,
    pub(super) card: String,
    pub(super) role: Role,
}

impl Person {
    /// What QQ shows: card, else nick.
    pub(super) fn shown(&self) -> &str {
        if self.card.is_empty() { &self.nick } else { &self.card }
    }
}

/// A group's name and members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupInfo {
    pub(super) name: String,
    pub(super) people: Vec<Person>,
}

/// `get_group_name_list_mask2`. Nothing when the answer holds no list.
pub(super) fn groups(result: &Value) -> Option<Vec<Group>> {
    let list = result["gnamelist"].as_array()?;
    let marks = names(&result["gmarklist"], "uin", "markname");
    let blocked = blocked(&result["gmasklist"]);
    let groups = list.iter().take(LIST_MAX).filter_map(|entry| {
        let gid = number(&entry["gid"])?;
        Some(Group {
            gid,
            code: number(&entry["code"])?,
            name: clean_name(text(&entry["name"])),
            mark: marks.get(&gid).cloned().unwrap_or_default(),
            blocked: blocked.contains(&gid) || blocked.contains(&ALL_GROUPS),
        })
    });
    Some(groups.collect())
}

/// The groups whose mask is 2; one of 1 is silent on the phone only.
fn blocked(masks: &Value) -> HashSet<u64> {
    let masks = items(masks).iter().take(LIST_MAX);
    masks
        .filter(|mask| number(&mask["mask"]) == Some(2))
        .filter_map(|mask| number(&mask["gid"]))
        .collect()
}

/// `get_user_friends2`: uin → shown name.
pub(super) fn friends(result: &Value) -> HashMap<u64, String> {
    let mut friends = names(&result["info"], "uin", "nick");
    let marks = names(&result["marknames"], "uin", "markname");
    friends.extend(marks.into_iter().filter(|(_, name)| !name.is_empty()));
    friends
}

/// `get_discus_list`: did → name.
pub(super) fn discussions(result: &Value) -> HashMap<u64, String> {
    names(&result["dnamelist"], "did", "name")
}

/// `get_discu_info`: the members' names, and their real numbers, by uin.
pub(super) fn discussion(result: &Value) -> HashMap<u64, (String, Option<u64>)> {
    let nicks = names(&result["mem_info"], "uin", "nick");
    let members = items(&result["info"]["mem_list"]).iter().take(MEMBERS_MAX);
    let numbers: HashMap<u64, u64> = members
        .filter_map(|entry| Some((number(&entry["mem_uin"])?, number(&entry["ruin"])?)))
        .collect();
    let known = nicks.keys().chain(numbers.keys()).copied();
    let of = |uin: u64| {
        let number = numbers.get(&uin).copied().filter(|n| *n != 0);
        (uin, (nicks.get(&uin).cloned().unwrap_or_default(), number))
    };
    known.map(of).collect()
}

/// `get_group_info_ext2`. Nothing when it holds no members: an empty list is a failed one.
pub(super) fn group_info(result: &Value) -> Option<GroupInfo> {
    let info = &result["ginfo"];
    let owner = number(&info["owner"]);
    let nicks = names(&result["minfo"], "uin", "nick");
    let cards = names(&result["cards"], "muin", "card");
    let people = items(&info["members"]).iter().take(MEMBERS_MAX).filter_map(|entry| {
        let uin = number(&entry["muin"])?;
        let administers = number(&entry["mflag"]).unwrap_or(0) & 1 == 1;
        let role = match () {
            () if Some(uin) == owner => Role::Owner,
            () if administers => Role::Admin,
            () => Role::Member,
        };
        Some(Person {
            uin,
            nick: nicks.get(&uin).cloned().unwrap_or_default(),
            card: cards.get(&uin).cloned().unwrap_or_default(),
            role,
        })
    });
    let people: Vec<_> = people.collect();
    (!people.is_empty()).then(|| GroupInfo {
        name: clean_name(text(&info["name"])),
        people,
    })
}

fn names(list: &Value, id: &str, name: &str) -> HashMap<u64, String> {
    let entries = items(list).iter().take(LIST_MAX);
    // The service escapes names, and at times the escape.
    let clean = |name: &str| clean_name(&name.replace("\\u0026", "&"));
    entries
        .filter_map(|entry| Some((number(&entry[id])?, clean(text(&entry[name])))))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn info() -> Value {
        json!({
            "stats": [{"client_type": 1, "uin": 2_440_000_005_u64, "stat": 10}],
            "minfo": [{"nick": "li", "uin": 2_440_000_005_u64}, {"nick": "a\u{a0}\\u0026lt;b&gt;\u{1}", "uin": "2440000006"}],
            "ginfo": {"code": 3_483_000_002_u64, "name": "测试&amp;群", "gid": 2_559_000_001_u64, "owner": 2_440_000_005_u64,
                "members": [{"muin": 2_440_000_005_u64, "mflag": 0}, {"muin": 2_440_000_006_u64, "mflag": 21}, {"muin": 7, "mflag": 20}]},
            "cards": [{"muin": 2_440_000_005_u64, "card": "李四\u{fffd}"}],
        })
    }

    #[test]
    fn members_with_cards_roles_and_without() {
        let info = group_info(&info()).expect("members");
        assert_eq!(info.name, "测试&群");
        let seen: Vec<_> = info.people.iter().map(|p| (p.shown(), p.role)).collect();
        assert_eq!(
            seen,
            [("李四", Role::Owner), ("a <b>", Role::Admin), ("", Role::Member)]
        );
    }

    #[test]
    fn parts_may_be_absent_and_empty_lists_are_failed_ones() {
        let mut bare = info();
        bare.as_object_mut().expect("an object").remove("cards");
        bare.as_object_mut().expect("an object").remove("minfo");
        assert_eq!(group_info(&bare).map(|i| i.people.len()), Some(3));
        for result in [json!(null), json!("ok"), json!({}), json!({"ginfo": {"members": []}})] {
            assert_eq!(group_info(&result), None, "{result}");
            assert_eq!(groups(&result), None, "{result}");
        }
    }

    #[test]
    fn a_discussion_tells_real_numbers() {
        let result = json!({"info": {"did": 2_006_000_004, "discu_owner": 5, "discu_name": "讨论", "info_seq": 3,
            "mem_list": [{"mem_uin": 5, "ruin": 555_666_777}, {"mem_uin": 6}]},
            "mem_status": [], "mem_info": [{"uin": 5, "nick": "li"}, {"uin": 7, "nick": "new"}]});
        let known = discussion(&result);
        assert_eq!(known[&5], ("li".to_owned(), Some(555_666_777)));
        assert_eq!(known[&7], ("new".to_owned(), None));
        assert!(!known.contains_key(&6));
        assert!(discussion(&json!("ok")).is_empty());
    }

    #[test]
    fn blocked_groups_are_known() {
        let of = |masks: Value| {
            let list = json!({"gmasklist": masks, "gnamelist": [{"name": "a", "gid": 5, "code": 6}]});
            groups(&list).expect("a list")[0].blocked
        };
        assert!(of(json!([{"gid": 5, "mask": 2}])));
        assert!(of(json!([{"gid": 1000, "mask": "2"}])));
        assert!(!of(json!([{"gid": 5, "mask": 1}, {"gid": 6, "mask": 2}])));
        assert!(!of(json!(null)));
    }

    #[test]
    fn groups_friends_discussions() {
        let list = json!({"gmasklist": [{"gid": 1000, "mask": 0}],
            "gnamelist": [{"flag": 1, "name": "测试群", "gid": 2_559_000_001_u64, "code": 3_483_000_002_u64}, {"name": "no ids"}],
            "gmarklist": [{"uin": 2_559_000_001_u64, "markname": "备注"}]});
        let list = groups(&list).expect("a list");
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].gid, list[0].code, list[0].mark.as_str()),
            (2_559_000_001, 3_483_000_002, "备注")
        );
        let people = json!({"info": [{"nick": "wang", "uin": 1}, {"nick": "x", "uin": 2}], "marknames": [{"uin": 1, "markname": "老王"}]});
        assert_eq!(friends(&people)[&1], "老王");
        assert_eq!(friends(&people)[&2], "x");
        assert_eq!(
            discussions(&json!({"dnamelist": [{"name": "讨论", "did": 5}]}))[&5],
            "讨论"
        );
    }
}
