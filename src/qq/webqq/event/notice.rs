//! What concerns the account and no group, as values: requests, files, calls. Pure.

use serde_json::Value;

use super::change::{Who, real};
use crate::qq::text::clean_name;
use crate::qq::webqq::wire::{number, text};

/// What somebody did towards the account.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::qq::webqq) struct Notice {
    pub(in crate::qq::webqq) from: Who,
    pub(in crate::qq::webqq) deed: Deed,
}

/// The deeds.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::qq::webqq) enum Deed {
    /// Wants to be a friend; their words.
    WantsFriend(String),
    /// Added the account as a friend.
    Added,
    /// Agreed to be a friend.
    Agreed,
    /// Refused to be a friend; why.
    Refused(String),
    /// Shook the window.
    Shook,
    /// Wants to send a file: its name, and its size in bytes where told.
    File(String, Option<u64>),
    /// Left a file with the service.
    LeftFile(String, Option<u64>),
    /// Calls, by voice or video.
    Called,
}

/// Reads an event of this kind. Nothing when nobody has to hear of it.
pub(super) fn read(kind: &str, value: &Value) -> Option<Notice> {
    let words = || clean_name(text(&value["msg"]));
    let name = |key: &str| clean_name(text(&value[key]));
    let deed = match kind {
        "system_message" => match text(&value["type"]) {
            "verify_required" => Deed::WantsFriend(words()),
            "added_buddy_sig" => Deed::Added,
            "verify_pass" | "verify_pass_add" => Deed::Agreed,
            "verify_rejected" => Deed::Refused(words()),
            _ => return None,
        },
        "shake_message" => Deed::Shook,
        "file_message" if text(&value["mode"]) == "recv" => match number(&value["type"]) {
            Some(161) => Deed::Called,
            _ => Deed::File(name("name"), None),
        },
        "push_offfile" => Deed::LeftFile(name("name"), number(&value["size"])),
        // 2 is receiving, seen from here; its shape is known from programs only.
        "filesrv_transfer" if number(&value["operation"]) == Some(2) => {
            Deed::File(clean_name(text(&value["file_infos"][0]["file_name"])), None)
        }
        "av_request" => Deed::Called,
        _ => return None,
    };
    let from = Who {
        uin: number(&value["from_uin"]).unwrap_or(0),
        number: real(&value["account"]),
        name: String::new(),
    };
    Some(Notice { from, deed })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deed(kind: &str, value: &Value) -> Option<Deed> {
        read(kind, value).map(|notice| notice.deed)
    }

    #[test]
    fn requests() {
        let request = json!({"seq": 63433, "type": "verify_required", "uiuin": "", "from_uin": 3_570_340_001_u64,
            "account": 222_333_444, "msg": "hi", "allow": 1, "stat": 10, "client_type": 1});
        let notice = read("system_message", &request).expect("a request");
        assert_eq!(notice.from.number, Some(222_333_444));
        assert_eq!(notice.deed, Deed::WantsFriend("hi".into()));
        for (kind, deed) in [
            ("added_buddy_sig", Some(Deed::Added)),
            ("verify_pass", Some(Deed::Agreed)),
            ("verify_pass_add", Some(Deed::Agreed)),
            ("verify_rejected", Some(Deed::Refused(String::new()))),
            ("other", None),
        ] {
            assert_eq!(self::deed("system_message", &json!({"type": kind})), deed, "{kind}");
        }
    }

    #[test]
    fn files_calls_and_the_rest() {
        let file = json!({"msg_id": 13, "mode": "recv", "from_uin": 3_570_340_001_u64, "to_uin": 123_456_789, "msg_id2": 3755,
            "msg_type": 9, "reply_ip": 176_752_041, "type": 101, "name": "test.txt", "inet_ip": 0, "time": 1_365_934_781,
            "session_id": 19823});
        assert_eq!(deed("file_message", &file), Some(Deed::File("test.txt".into(), None)));
        let refused = json!({"msg_id": 14, "mode": "refuse", "from_uin": 1, "type": 101, "cancel_type": 1});
        assert_eq!(deed("file_message", &refused), None);
        let call = json!({"mode": "recv", "type": 161});
        assert_eq!(deed("file_message", &call), Some(Deed::Called));
        let left = json!({"msg_id": 15, "rkey": "ab", "ip": "183.60.0.1", "port": 80, "from_uin": 3_570_340_001_u64,
            "size": 235, "name": "a.txt", "expire_time": 1_366_539_581, "time": 1_365_934_781});
        assert_eq!(
            deed("push_offfile", &left),
            Some(Deed::LeftFile("a.txt".into(), Some(235)))
        );
        let transfer = |operation: u64| {
            json!({"from_uin": 1, "lc_id": 15021, "type": 0, "operation": operation, "file_count": 1,
            "file_infos": [{"file_name": "a.txt", "pro_id": 1, "file_status": 0}]})
        };
        assert_eq!(
            deed("filesrv_transfer", &transfer(2)),
            Some(Deed::File("a.txt".into(), None))
        );
        assert_eq!(deed("filesrv_transfer", &transfer(1)), None);
        assert_eq!(deed("shake_message", &json!({"from_uin": 1})), Some(Deed::Shook));
        assert_eq!(deed("av_request", &json!(null)), Some(Deed::Called));
        for kind in ["notify_offfile", "input_notify", "tips", "nick_change", "av_refuse", ""] {
            assert_eq!(deed(kind, &json!({})), None, "{kind}");
        }
    }
}
