//! Poll events as an enemy would write them: those of both ages, with fields gone, of other types, or giant. For tests.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Some events of an answer's `result`.
pub(super) fn batch() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(event(), 0..12)
}

fn event() -> impl Strategy<Value = Value> {
    let samples = samples();
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), junk()), 0..5);
    (0..samples.len(), changes).prop_map(move |(at, changes)| {
        let mut event = samples[at].clone();
        for (place, junk) in changes {
            let mut paths = Vec::new();
            walk(&event, &mut String::new(), &mut paths);
            let path = &paths[place.index(paths.len())];
            if let Some(value) = event.pointer_mut(path) {
                *value = junk;
            }
        }
        event
    })
}

/// The paths of everything in it, itself included.
fn walk(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    paths.push(path.clone());
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(at, v)| (at.to_string(), v)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, v)| (key.clone(), v)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let length = path.len();
        path.push('/');
        path.push_str(&key);
        walk(child, path, paths);
        path.truncate(length);
    }
}

fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        Just(json!([[[[["font"]]]]])),
        Just(json!(-1)),
        Just(json!(1.5e300)),
        Just(json!(u64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!("猫".repeat(20_000))),
        Just(json!("&lt;n t=\"t\" s=\"\u{0}\u{202e}]]>")),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ]
}

fn samples() -> Vec<Value> {
    let font = json!(["font", {"size": 10, "color": "000000", "style": [0, 0, 0], "name": "宋体"}]);
    let picture =
        json!(["cface", {"name": "{GUID}.jpg", "file_id": 2_059_500_001_u64, "key": " ", "server": "183.60.0.2:8000"}]);
    let said = |kind: &str, content: Value| {
        json!({"poll_type": kind, "value": {"msg_id": 29125, "from_uin": 2_559_000_001_u64, "to_uin": 123_456_789,
            "msg_id2": 208_007, "msg_type": 43, "group_code": 3_483_000_002_u64, "did": 2_006_000_004, "id": 2_559_000_001_u64,
            "ruin": 555_666_777, "send_uin": 2_440_000_005_u64, "seq": 1071, "time": 1_365_934_781, "info_seq": 346_000_003,
            "content": content}})
    };
    let content = json!([font, "大家好", ["face", 14], picture, ["offpic", {"success": 1, "file_path": "/f3"}], " "]);
    let mut samples: Vec<Value> = ["group_message", "discu_message", "message", "sess_message"]
        .into_iter()
        .map(|kind| said(kind, content.clone()))
        .collect();
    samples.push(said(
        "group_message",
        json!([font, "李四(222333444) 被管理员禁言10分钟 "]),
    ));
    samples.push(
        json!({"poll_type": "group_web_message", "value": {"msg_id": 12, "from_uin": 2_559_000_001_u64, "send_uin": 1,
        "xml": "<?xml version=\"1.0\"?><d><n t=\"h\" u=\"5\"/><n t=\"t\" s=\"共享文件\"/></d>"}}),
    );
    for kind in [
        "group_join",
        "group_leave",
        "group_request_join",
        "group_admin_op",
        "group_create",
        "x",
    ] {
        samples.push(json!({"poll_type": "sys_g_msg", "value": {"msg_id": 20536, "from_uin": 2_559_000_001_u64, "type": kind,
            "gcode": 3_483_000_002_u64, "t_gcode": 346_000_003, "op_type": 3, "new_member": 2_440_000_005_u64, "old_member": 7,
            "request_uin": 7, "uin": 7, "t_new_member": "", "admin_uin": 3_570_340_001_u64, "admin_nick": "创建者", "msg": "m"}}));
    }
    for kind in [
        "system_message",
        "file_message",
        "push_offfile",
        "filesrv_transfer",
        "kick_message",
        "other",
    ] {
        samples.push(json!({"poll_type": kind, "value": {"type": "verify_required", "from_uin": 3_570_340_001_u64, "account": 5,
            "msg": "hi", "mode": "recv", "name": "a.txt", "size": 235, "operation": 2, "file_infos": [{"file_name": "a"}],
            "reason": "r", "show_reason": 1}}));
    }
    samples
}
