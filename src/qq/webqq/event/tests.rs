use serde_json::json;

use super::*;

fn group(msg_id: u64, time: i64) -> Value {
    json!({"poll_type": "group_message", "value": {"msg_id": msg_id, "from_uin": 2_559_000_001_u64, "to_uin": 123_456_789,
        "group_code": 2_559_000_001_u64, "msg_type": 4, "send_uin": 2_440_000_005_u64, "time": time, "content": [["font", {}], "大家好"]}})
}

fn counted(msg_id: u64, seq: u64, gid: u64) -> Value {
    let mut event = group(msg_id, 10);
    event["value"]["seq"] = seq.into();
    event["value"]["from_uin"] = gid.into();
    event
}

fn ids(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.mark.msg_id).collect()
}

/// The one event of a raw text, as the service wrote it.
fn one(raw: &str) -> Event {
    let value: Value = serde_json::from_str(raw).expect("JSON");
    let mut events = read(&[value]);
    assert_eq!(events.len(), 1, "{raw}");
    events.remove(0)
}

fn said_of(event: &Event) -> &Said {
    match &event.kind {
        Kind::Said(said) => said,
        other => panic!("{other:?}"),
    }
}

#[test]
fn newest_first_becomes_oldest_first_and_equal_times_keep_their_order() {
    assert_eq!(
        ids(&read(&[group(4, 30), group(3, 20), group(2, 20), group(1, 10)])),
        [1, 2, 3, 4]
    );
    // Also when the service mixes them.
    assert_eq!(ids(&read(&[group(1, 10), group(3, 20), group(2, 20)])), [1, 2, 3]);
}

#[test]
fn within_a_second_the_counter_decides() {
    let events = [
        counted(3, 73, 1),
        counted(9, 8, 2),
        counted(1, 71, 1),
        counted(2, 72, 1),
        counted(8, 7, 2),
    ];
    assert_eq!(ids(&read(&events)), [8, 1, 2, 9, 3]);
}

#[test]
fn a_kick_stays_behind_what_came_before_it() {
    let kick = json!({"poll_type": "kick_message", "value": {"way": "poll", "show_reason": 1, "reason": "您的帐号在另一地点登录"}});
    let events = read(&[kick, group(2, 20), group(1, 10)]);
    assert_eq!(ids(&events), [1, 2, 0]);
    assert_eq!(events[2].kind, Kind::Kicked("您的帐号在另一地点登录".into()));
    let silent = r#"{"poll_type":"kick_message","value":{"msg_id":31,"show_reason":0,"reason":"secret"}}"#;
    assert_eq!(one(silent).kind, Kind::Kicked(String::new()));
}

#[test]
fn messages_of_2013() {
    let group = one(
        r#"{"poll_type":"group_message","value":{"msg_id":29125,"from_uin":2559000001,"to_uin":123456789,"msg_id2":208007,"msg_type":43,"reply_ip":176488602,"group_code":3483000002,"send_uin":2440000005,"seq":1071,"time":1365934781,"info_seq":346000003,"content":[["font",{"size":10,"color":"000000","style":[0,0,0],"name":"\u5B8B\u4F53"}],"大家好",["face",14]," "]}}"#,
    );
    assert_eq!(group.place, Place::Group(2_559_000_001));
    let mark = Mark {
        sender: 2_440_000_005,
        msg_id: 29125,
        msg_id2: Some(208_007),
        time: 1_365_934_781,
    };
    assert_eq!(group.mark, mark);
    let said = said_of(&group);
    assert_eq!(
        (said.code, said.seq, said.info_seq),
        (Some(3_483_000_002), Some(1071), Some(346_000_003))
    );
    let friend = one(
        r#"{"poll_type":"message","value":{"msg_id":5244,"from_uin":3570340001,"to_uin":123456789,"msg_id2":395911,"msg_type":9,"reply_ip":176752041,"time":1365934781,"content":[["font",{"size":10,"color":"000000","style":[0,0,0],"name":"\u5B8B\u4F53"}],"hello "]}}"#,
    );
    assert_eq!(
        (friend.place, friend.mark.sender),
        (Place::Friend(3_570_340_001), 3_570_340_001)
    );
    let discussion = one(
        r#"{"poll_type":"discu_message","value":{"msg_id":6,"from_uin":10000,"to_uin":123456789,"msg_id2":985341,"msg_type":42,"reply_ip":176752037,"did":2006000004,"send_uin":2440000005,"seq":12,"time":1365934781,"info_seq":3,"content":[["font",{"size":10,"color":"000000","style":[0,0,0],"name":"\u5B8B\u4F53"}],"hi "]}}"#,
    );
    assert_eq!(
        (discussion.place, discussion.mark.sender),
        (Place::Discussion(2_006_000_004), 2_440_000_005)
    );
    let session = one(
        r#"{"poll_type":"sess_message","value":{"msg_id":25057,"from_uin":2440000005,"to_uin":123456789,"msg_id2":345000,"msg_type":140,"reply_ip":180061927,"time":1365934781,"id":2559000001,"ruin":555666777,"service_type":0,"flags":{"text":1,"pic":1,"file":1,"audio":1,"video":1},"content":[["font",{"size":10,"color":"000000","style":[0,0,0],"name":"\u5B8B\u4F53"}],"hi "]}}"#,
    );
    assert_eq!(session.place, Place::Session(2_440_000_005));
    assert_eq!(said_of(&session).through, Some(2_559_000_001));
    assert_eq!(said_of(&session).number, Some(555_666_777));
}

#[test]
fn messages_of_2015() {
    let group = one(
        r#"{"poll_type":"group_message","value":{"content":[["font",{"color":"000000","name":"微软雅黑","size":10,"style":[0,0,0]}],"大家好"],"from_uin":2559000001,"group_code":2559000001,"msg_id":29125,"msg_type":0,"send_uin":2440000005,"time":1450687625,"to_uin":123456789}}"#,
    );
    assert_eq!(group.place, Place::Group(2_559_000_001));
    assert_eq!(group.mark.msg_id2, None);
    assert_eq!(said_of(&group).seq, None);
    let friend = one(
        r#"{"poll_type":"message","value":{"content":[["font",{"color":"000000","name":"微软雅黑","size":10,"style":[0,0,0]}],"好啊"],"from_uin":3570340001,"msg_id":25477,"msg_type":0,"time":1450687625,"to_uin":123456789}}"#,
    );
    assert_eq!(friend.place, Place::Friend(3_570_340_001));
    let discussion = one(
        r#"{"poll_type":"discu_message","value":{"content":[["font",{"color":"000000","name":"微软雅黑","size":10,"style":[0,0,0]}],"hi"],"did":2006000004,"from_uin":2006000004,"msg_id":6,"msg_type":0,"send_uin":2440000005,"time":1450687625,"to_uin":123456789}}"#,
    );
    assert_eq!(discussion.place, Place::Discussion(2_006_000_004));
}

#[test]
fn the_other_kinds() {
    let page = one(
        r#"{"poll_type":"group_web_message","value":{"msg_id":12,"from_uin":2559000001,"to_uin":123456789,"msg_id2":3754,"msg_type":45,"reply_ip":176752041,"group_code":3483000002,"group_type":1,"ver":1,"send_uin":2440000005,"xml":"<?xml version=\"1.0\" encoding=\"utf-8\"?><d><n t=\"h\" u=\"555666777\"/><n t=\"t\" s=\"共享文件\"/><n t=\"b\"/><n t=\"t\" s=\"IMG.jpg\"/></d>"}}"#,
    );
    assert_eq!(
        (page.place, page.mark.sender),
        (Place::Page(2_559_000_001), 2_440_000_005)
    );
    assert!(matches!(&said_of(&page).content, Content::Page(xml) if xml.contains("IMG.jpg")));
    let change = one(
        r#"{"poll_type":"sys_g_msg","value":{"msg_id":20536,"from_uin":2559000001,"to_uin":123456789,"msg_id2":200,"msg_type":33,"reply_ip":176488598,"type":"group_join","gcode":3483000002,"t_gcode":346000003,"op_type":3,"new_member":2440000005,"t_new_member":"","admin_uin":3570340001,"admin_nick":"\u521B\u5EFA\u8005"}}"#,
    );
    assert_eq!(
        (change.place, change.mark.sender),
        (Place::Change(2_559_000_001), 2_440_000_005)
    );
    let shaken = one(
        r#"{"poll_type":"shake_message","value":{"msg_id":11,"from_uin":3570340001,"to_uin":123456789,"msg_id2":3753,"msg_type":9,"reply_ip":176752041}}"#,
    );
    assert!(
        matches!(shaken.kind, Kind::Noticed(notice) if notice.deed == Deed::Shook && notice.from.uin == 3_570_340_001)
    );
    let friends = one(
        r#"{"poll_type":"buddylist_change","value":{"added_friends":[{"groupid":0,"uin":3570340001}],"removed_friends":[]}}"#,
    );
    assert_eq!(friends.kind, Kind::Friends);
    for (raw, kind) in [
        (
            r#"{"poll_type":"buddies_status_change","value":{"uin":3570340001,"status":"online","client_type":1}}"#,
            "buddies_status_change",
        ),
        (
            r#"{"poll_type":"input_notify","value":{"msg_id":10,"from_uin":3570340001,"to_uin":123456789,"msg_id2":3752,"msg_type":121,"reply_ip":4294967295}}"#,
            "input_notify",
        ),
        (
            r#"{"poll_type":"notify_offfile","value":{"msg_id":16,"from_uin":3570340001,"to_uin":123456789,"action":1,"filename":"a.txt","filesize":235}}"#,
            "notify_offfile",
        ),
        (r#"{"poll_type":"tips","value":{}}"#, "tips"),
        (r#"{"poll_type":"no such\u0001 thing","value":5}"#, "no such thing"),
        (r#"{"poll_type":"group_message"}"#, "group_message"),
        (
            r#"{"poll_type":"sys_g_msg","value":{"type":"group_join"}}"#,
            "sys_g_msg",
        ),
    ] {
        assert_eq!(one(raw).kind, Kind::Other(kind.into()), "{raw}");
    }
    for nothing in [json!({"poll_type": 5}), json!(null), json!([]), json!("x")] {
        assert_eq!(read(std::slice::from_ref(&nothing)), [], "{nothing}");
    }
}

#[test]
fn a_message_without_its_sender_is_still_one() {
    let event = one(r#"{"poll_type":"group_message","value":{"from_uin":"2559000001","content":[""]}}"#);
    assert_eq!((event.place, event.mark.sender), (Place::Group(2_559_000_001), 0));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(2013), ..Default::default() })]
    #[test]
    fn mangled_answers_never_panic(mangled in super::super::mangled::batch()) {
        let events = read(&mangled);
        proptest::prop_assert!(events.len() <= mangled.len());
    }
}
