//! `sys_g_msg`, the group events of 2013, as values. Pure.

use serde_json::Value;

use crate::qq::text::clean_name;
use crate::qq::webqq::wire::{number, text};

/// A change in a group.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::qq::webqq) struct Change {
    pub(in crate::qq::webqq) gid: u64,
    /// The group's real number, which these events alone tell.
    pub(in crate::qq::webqq) group: Option<u64>,
    pub(in crate::qq::webqq) what: What,
    /// The administrator who did it.
    pub(in crate::qq::webqq) by: Option<Who>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::qq::webqq) enum What {
    /// The account has a new group.
    Created,
    /// Somebody is new.
    Joined(Who),
    /// Somebody went, or was removed.
    Left { who: Who, kicked: bool },
    /// The group is no more.
    Dissolved,
    /// Somebody wants in; their words.
    Asked(Who, String),
    /// The account's own request was refused; why.
    Denied(String),
    /// Somebody became an administrator, or is none any more.
    Admin { who: Who, given: bool },
    /// A type that nobody wrote down.
    Unknown(String),
}

/// Somebody, as far as the event tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::qq::webqq) struct Who {
    pub(in crate::qq::webqq) uin: u64,
    /// The real number.
    pub(in crate::qq::webqq) number: Option<u64>,
    pub(in crate::qq::webqq) name: String,
}

pub(super) fn read(value: &Value) -> Option<Change> {
    let who = |uin: &str| {
        Some(Who {
            uin: number(&value[uin]).filter(|uin| *uin != 0)?,
            number: real(&value[&format!("t_{uin}")]),
            name: String::new(),
        })
    };
    let words = || clean_name(text(&value["msg"]));
    let kind = text(&value["type"]);
    let what = match (kind, number(&value["op_type"])) {
        ("group_create", _) => What::Created,
        ("group_join" | "group_request_join_agree", _) => What::Joined(who("new_member")?),
        // 2 and 3 are on record; 1 is what the numbering leaves for the owner's own way out.
        ("group_leave", Some(1)) => What::Dissolved,
        ("group_leave", op) => What::Left {
            who: who("old_member")?,
            kicked: op == Some(3),
        },
        ("group_request_join", _) => What::Asked(who("request_uin")?, words()),
        ("group_request_join_deny", _) => What::Denied(words()),
        ("group_admin_op", op) => What::Admin {
            who: who("uin")?,
            given: op == Some(1),
        },
        (other, _) if other.contains("dismiss") || other.contains("dissolve") => What::Dissolved,
        (other, _) => What::Unknown(clean_name(other).chars().take(60).collect()),
    };
    let by = who("admin_uin").map(|by| Who {
        name: clean_name(text(&value["admin_nick"])),
        ..by
    });
    Some(Change {
        gid: number(&value["from_uin"])?,
        group: real(&value["t_gcode"]),
        what,
        by,
    })
}

/// A real number; absent ones are empty texts or zeros.
pub(super) fn real(value: &Value) -> Option<u64> {
    number(value).filter(|n| *n != 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(own: &Value) -> Change {
        let mut value = json!({"msg_id": 20536, "from_uin": 2_559_000_001_u64, "to_uin": 123_456_789, "msg_id2": 200,
            "msg_type": 33, "reply_ip": 176_488_598, "gcode": 3_483_000_002_u64, "t_gcode": 346_000_003});
        let (all, own) = (value.as_object_mut().expect("an object"), own.as_object());
        all.extend(own.expect("an object").clone());
        read(&value).expect("a change")
    }

    fn who(uin: u64, number: Option<u64>) -> Who {
        Who {
            uin,
            number,
            name: String::new(),
        }
    }

    #[test]
    fn every_type() {
        let li = 2_440_000_005;
        let joined = of(
            &json!({"type": "group_join", "op_type": 3, "new_member": li, "t_new_member": "",
            "admin_uin": 3_570_340_001_u64, "admin_nick": "\u{521B}\u{5EFA}\u{8005}"}),
        );
        assert_eq!((joined.gid, joined.group), (2_559_000_001, Some(346_000_003)));
        assert_eq!(joined.what, What::Joined(who(li, None)));
        assert_eq!(joined.by.map(|by| by.name), Some("创建者".to_owned()));
        let left = |op: u64| {
            of(&json!({"type": "group_leave", "old_member": li, "t_old_member": "222333444", "op_type": op})).what
        };
        let gone = |kicked| What::Left {
            who: who(li, Some(222_333_444)),
            kicked,
        };
        assert_eq!([left(2), left(3), left(1)], [gone(false), gone(true), What::Dissolved]);
        for (own, what) in [
            (json!({"type": "group_create", "owner_uin": li}), What::Created),
            (
                json!({"type": "group_request_join", "request_uin": li, "t_request_uin": 5, "msg": "let &lt;me&gt; in"}),
                What::Asked(who(li, Some(5)), "let <me> in".into()),
            ),
            (
                json!({"type": "group_request_join_agree", "new_member": li, "admin_uin": 1, "msg": ""}),
                What::Joined(who(li, None)),
            ),
            (
                json!({"type": "group_request_join_deny", "admin_uin": 1, "msg": "no"}),
                What::Denied("no".into()),
            ),
            (
                json!({"type": "group_admin_op", "op_type": 1, "uin": li, "t_uin": "", "uin_flag": 1}),
                What::Admin {
                    who: who(li, None),
                    given: true,
                },
            ),
            (
                json!({"type": "group_admin_op", "op_type": 0, "uin": li}),
                What::Admin {
                    who: who(li, None),
                    given: false,
                },
            ),
            (json!({"type": "group_dismiss"}), What::Dissolved),
            (json!({"type": "new\u{1} thing"}), What::Unknown("new thing".into())),
            (json!({}), What::Unknown(String::new())),
        ] {
            assert_eq!(of(&own).what, what, "{own}");
        }
    }

    #[test]
    fn what_lacks_its_subject_is_nothing() {
        for value in [
            json!({"type": "group_join", "from_uin": 1}),
            json!({"type": "group_leave", "from_uin": 1, "old_member": []}),
            json!({"type": "group_create"}),
            json!(null),
            json!(5),
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
