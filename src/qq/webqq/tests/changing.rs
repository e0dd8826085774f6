//! Changes of groups and their members, told by events and by lists.

use super::fake::{CODE, GID, LI};
use super::hearing::{counted, running, text};
use super::*;
use crate::model::{Member, Role};

const NEW: u64 = 2_440_000_099;

pub(super) fn change(own: &Value) -> Value {
    let mut value = json!({"msg_id": 20536, "from_uin": GID, "to_uin": OWN, "msg_id2": 200, "msg_type": 33, "reply_ip": 1,
        "gcode": CODE, "t_gcode": GROUP.0, "admin_uin": LI, "admin_nick": "创建者"});
    let own = own.as_object().expect("an object").clone();
    value.as_object_mut().expect("an object").extend(own);
    json!({"poll_type": "sys_g_msg", "value": value})
}

fn grown() -> Value {
    json!({"retcode": 0, "result": {
        "ginfo": {"name": "Rust &amp; 群", "owner": LI, "members": [{"muin": LI, "mflag": 0}, {"muin": OWN, "mflag": 0},
            {"muin": NEW, "mflag": 0}]},
        "minfo": [{"uin": LI, "nick": "li"}, {"uin": OWN, "nick": "me"}, {"uin": NEW, "nick": "new&#39;"}]}})
}

#[tokio::test]
async fn who_comes_rises_and_goes_is_told() {
    let mut running = running().await;
    running
        .fake
        .script()
        .instead
        .insert("get_group_info_ext2", vec![grown(); 20].into());
    tokio::time::sleep(Duration::from_millis(20)).await;
    running.hears(&[change(
        &json!({"type": "group_join", "op_type": 3, "new_member": NEW, "t_new_member": ""}),
    )]);
    let member = |role| {
        Act::Member(Member {
            id: MemberId::Number(QqNumber(10_099)),
            nickname: "new'".into(),
            card: String::new(),
            role,
        })
    };
    assert_eq!(running.deed().await, member(Role::Member));
    running.hears(&[change(
        &json!({"type": "group_admin_op", "op_type": 1, "uin": NEW, "msg_id": 2}),
    )]);
    assert_eq!(running.deed().await, member(Role::Admin));
    running.hears(&[change(
        &json!({"type": "group_leave", "op_type": 3, "old_member": NEW, "msg_id": 3}),
    )]);
    assert_eq!(
        running.deed().await,
        Act::Left {
            member: MemberId::Number(QqNumber(10_099)),
            kicked: true,
            by: Some(MemberId::Number(QqNumber(222_333_444))),
        }
    );
    running.stop().await;
}

#[tokio::test]
async fn a_newcomer_who_speaks_has_a_name() {
    let mut running = running().await;
    running
        .fake
        .script()
        .instead
        .insert("get_group_info_ext2", vec![grown(); 20].into());
    tokio::time::sleep(Duration::from_millis(150)).await;
    running.hears(&[counted(1, NEW, "hello")]);
    let Act::Said(message) = running.deed().await else {
        panic!("words")
    };
    assert_eq!(message.sender.shown_name(), "new'");
    assert!(matches!(running.act().await, Act::Snapshot { members, .. } if members.len() == 3));
    running.stop().await;
}

#[tokio::test]
async fn losing_the_group_is_told_to_all() {
    for (own, why) in [
        (
            json!({"type": "group_leave", "op_type": 3, "old_member": OWN}),
            "was removed from group Rust & 群 (346000003)",
        ),
        (json!({"type": "group_leave", "op_type": 1}), "was dissolved"),
    ] {
        let mut running = running().await;
        // The lists know of it as well.
        let others =
            json!({"retcode": 0, "result": {"gnamelist": [{"gid": GID + 7, "code": CODE + 7, "name": "别的"}]}});
        running
            .fake
            .script()
            .instead
            .insert("get_group_name_list_mask2", vec![others; 20].into());
        running.hears(&[change(&own)]);
        assert!(
            matches!(running.deed().await, Act::Offline(told) if told.contains(why)),
            "{why}"
        );
        let told = running.told().await;
        assert!(told.contains(why), "{told}");
        assert!(matches!(running.say("hi").await, Outcome::NotSent(NotSent::Later(_))));
        running.stop().await;
    }
}

#[tokio::test]
async fn an_outage_takes_nobody_away() {
    let mut running = running().await;
    let part = json!({"retcode": 100_003, "result": {"ginfo": {"members": [{"muin": LI, "mflag": 0}], "owner": LI}}});
    {
        let mut script = running.fake.script();
        script.instead.insert("get_group_info_ext2", vec![part; 20].into());
        let empty = json!({"retcode": 100_003, "result": {"gnamelist": []}});
        script
            .instead
            .insert("get_group_name_list_mask2", vec![empty; 20].into());
    }
    running.hears(&[
        change(&json!({"type": "group_create", "owner_uin": LI})),
        change(&json!({"type": "other", "msg_id": 9})),
    ]);
    assert!(running.told().await.contains("has a new group"));
    while running.fake.asked("get_group_info_ext2") < 2 || running.fake.asked("get_group_name_list_mask2") < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.hears(&[counted(1, LI, "still here")]);
    assert_eq!(text(&running.act().await), "still here");
    running.stop().await;
}

#[tokio::test]
async fn a_blocked_group_is_told_of() {
    let fake = Fake::default();
    let list = json!({"retcode": 0, "result": {"gmasklist": [{"gid": GID, "mask": 2}],
        "gnamelist": [{"gid": GID, "code": CODE, "name": "Rust &amp; 群"}]}});
    fake.script()
        .instead
        .insert("get_group_name_list_mask2", vec![list; 5].into());
    let mut running = Running::start(fake, None, None).await;
    let told = running.told().await;
    assert!(told.contains("346000003") && told.contains("屏蔽"), "{told}");
    running.stop().await;
}
