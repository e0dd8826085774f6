//! Codes in the place of answers, and what a session must do about them.

use serde_json::json;

use super::{arm, clear, messages, relink, texts};
use crate::client::{CHANNEL, LISTS, Qq, Way, content, control, list_hash, say};
use crate::login::wait_until_polling;
use crate::{sandbox, sandbox_with};

#[tokio::test]
async fn every_code_of_the_poll() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    for code in [
        100, 103, 108, 109, 110, 112, 114, 122, 1202, 100_000, 100_001, 100_002, 100_003, 100_006, 100_012, 100_100,
        100_101,
    ] {
        arm(at, json!({"kind": "retcode", "retcode": code})).await;
        assert_eq!(qq.poll().await["retcode"], code);
    }
    arm(at, json!({"kind": "retcode", "retcode": 121})).await;
    assert_eq!(qq.poll().await, json!({"retcode": 121, "t": "0"}));
    arm(at, json!({"kind": "retcode", "until": "get_online_buddies2"})).await;
    for _ in 0..3 {
        assert_eq!(qq.poll().await["retcode"], 103);
    }
    qq.online_buddies().await;
    say(at, 222_333_444, "again").await;
    assert_eq!(texts(&qq).await, ["again"]);
}

#[tokio::test]
async fn a_held_poll_hears_at_once() {
    let sandbox = sandbox_with(|options| options.hold = std::time::Duration::from_secs(60)).await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let held = tokio::spawn({
        let qq = qq.clone();
        async move { qq.poll().await }
    });
    wait_until_polling(&qq).await;
    arm(sandbox.address, json!({"kind": "retcode", "retcode": 108})).await;
    assert_eq!(held.await.unwrap()["retcode"], 108);
}

#[tokio::test]
async fn a_new_ptwebqq_goes_into_the_cookie_too() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let mut qq = Qq::log_in(at, Way::Path).await;
    arm(at, json!({"kind": "new_ptwebqq", "length": 48})).await;
    let answer = qq.poll().await;
    assert_eq!(answer["retcode"], 116);
    assert_eq!(qq.groups().await["retcode"], 50, "the hash is of the old one");
    qq.ptwebqq = answer["p"].as_str().unwrap().to_owned();
    assert_eq!(qq.ptwebqq.len(), 48);
    assert_eq!(qq.groups().await["retcode"], 0);
    assert_ne!(relink(&mut qq).await["retcode"], 0, "the cookie is the old one");
    let cookie = format!("ptwebqq={}; Path=/", qq.ptwebqq);
    qq.jar.add_cookie_str(&cookie, &qq.url("").parse().unwrap());
    assert_eq!(relink(&mut qq).await["retcode"], 0);
}

#[tokio::test]
async fn a_lost_link_wants_a_relink() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let mut qq = Qq::log_in(at, Way::Path).await;
    let before = qq.group().await;
    for code in [121, 120] {
        arm(at, json!({"kind": "lost_link", "code": code})).await;
        arm(at, json!({"kind": "retcode", "call": "relink", "retcode": 112})).await;
        arm(at, json!({"kind": "new_uins", "count": 0})).await;
        assert_eq!(qq.poll().await["retcode"], code);
        assert_eq!(qq.send(before.0, &content("no link")).await["retcode"], 103);
        assert_eq!(qq.poll().await["retcode"], code, "until the relink");
        say(at, 222_333_444, "meanwhile").await;
        assert_eq!(relink(&mut qq).await["retcode"], 112);
        assert_eq!(relink(&mut qq).await["retcode"], 0);
        assert_eq!(texts(&qq).await, ["meanwhile"]);
        assert_ne!(qq.group().await, before, "new_uins");
        clear(at).await;
    }
    assert_eq!(messages(at).await, 2);
}

#[tokio::test]
async fn logins_end_kicked_rivalled_and_expired() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    arm(at, json!({"kind": "kick_session"})).await;
    assert_eq!(qq.poll().await["result"][0]["poll_type"], "kick_message");
    assert_eq!(qq.poll().await["retcode"], 103);
    arm(at, json!({"kind": "rival", "count": 1})).await;
    let qq = Qq::log_in(at, Way::Path).await;
    assert_eq!(qq.poll().await["result"][0]["poll_type"], "kick_message");
    let qq = Qq::log_in(at, Way::Path).await;
    arm(at, json!({"kind": "expire_login", "code": 100_012})).await;
    assert_eq!(qq.poll().await["retcode"], 100_012);
    assert_eq!(qq.groups().await["retcode"], 100_000);
    let qq = Qq::log_in(at, Way::Path).await;
    control(at, "POST", "clock", &json!({"advance": "46h"})).await;
    assert_eq!(qq.groups().await["retcode"], 0);
    control(at, "POST", "clock", &json!({"advance": "1h"})).await;
    assert_eq!(qq.poll().await["retcode"], 100_000);
}

#[tokio::test]
async fn a_zombie_gives_statuses_only_until_a_relink() {
    for lose in [false, true] {
        let sandbox = sandbox_with(|options| options.hold = std::time::Duration::from_millis(50)).await;
        let at = sandbox.address;
        let mut qq = Qq::log_in(at, Way::Path).await;
        arm(at, json!({"kind": "zombie", "lose": lose})).await;
        say(at, 222_333_444, "unheard").await;
        let mut statuses = 0;
        for _ in 0..20 {
            let answer = qq.poll().await;
            assert!([json!(0), json!(null)].contains(&answer["retcode"]), "{answer}");
            let kind = answer["result"][0]["poll_type"].as_str().unwrap_or("none").to_owned();
            assert!(kind == "none" || kind == "buddies_status_change", "{answer}");
            statuses += usize::from(kind != "none");
        }
        assert!(statuses > 0);
        let (gid, _) = qq.group().await;
        assert_eq!(qq.send(gid, &content("said")).await["errCode"], 0, "sending works");
        assert_eq!(relink(&mut qq).await["retcode"], 0);
        say(at, 222_333_444, "heard").await;
        let expected: &[&str] = if lose {
            &["heard", "said"]
        } else {
            &["heard", "said", "unheard"]
        };
        assert_eq!(texts(&qq).await, expected);
    }
}

#[tokio::test]
async fn lists_fail_are_empty_and_half() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    let (_, code) = qq.group().await;
    arm(
        at,
        json!({"kind": "retcode", "call": "get_group_name_list_mask2", "retcode": 13}),
    )
    .await;
    assert_eq!(qq.groups().await["retcode"], 13);
    arm(at, json!({"kind": "empty_list", "call": "get_group_name_list_mask2"})).await;
    assert_eq!(qq.members(code).await["retcode"], 0, "another list");
    let empty = qq.groups().await;
    assert_eq!(
        (&empty["retcode"], &empty["result"]["gnamelist"]),
        (&json!(0), &json!([]))
    );
    arm(at, json!({"kind": "partial_list"})).await;
    let half = qq.members(code).await;
    assert_eq!(
        (&half["retcode"], half["result"]["minfo"].as_array().unwrap().len()),
        (&json!(100_003), 3)
    );
    arm(at, json!({"kind": "thin_members", "without": "minfo", "count": 1})).await;
    assert!(qq.members(code).await["result"].get("minfo").is_none());
    arm(at, json!({"kind": "outage"})).await;
    assert_eq!(qq.groups().await, json!({"retcode": 100_003, "result": {}}));
    assert_eq!(qq.poll().await["retcode"], 100_003);
    clear(at).await;
    arm(
        at,
        json!({"kind": "retcode", "call": "lists", "retcode": 100_000, "until": "relink"}),
    )
    .await;
    let mut qq = qq;
    assert_eq!(qq.groups().await["retcode"], 100_000);
    assert_eq!(qq.members(code).await["retcode"], 100_000);
    assert_eq!(relink(&mut qq).await["retcode"], 0);
    assert_eq!(qq.groups().await["retcode"], 0);
}

#[tokio::test]
async fn numbers_cards_and_hashes_are_as_ordered() {
    let sandbox = sandbox().await;
    let at = sandbox.address;
    let qq = Qq::log_in(at, Way::Path).await;
    let (_, code) = qq.group().await;
    arm(at, json!({"kind": "withhold_numbers"})).await;
    let path = format!(
        "s.web2.qq.com/api/get_friend_uin2?tuin={code}&type=4&vfwebqq={}&t=1",
        qq.vfwebqq
    );
    assert_eq!(qq.get(&path, LISTS).await.status(), 404);
    arm(at, json!({"kind": "hash_variant", "variant": "N"})).await;
    assert_eq!(qq.groups().await["retcode"], 50);
    clear(at).await;
    let card = json!({"card": "一二三四五六七八九"});
    control(at, "PATCH", "groups/346000003/members/222333444", &card).await;
    arm(at, json!({"kind": "cut_cards"})).await;
    let path = format!(
        "s.web2.qq.com/api/get_group_info_ext2?gcode={code}&vfwebqq={}&t=1",
        qq.vfwebqq
    );
    let body = qq.get(&path, CHANNEL).await.bytes().await.unwrap();
    assert!(std::str::from_utf8(&body).is_err());
    assert!(String::from_utf8_lossy(&body).contains("一二三四五六七\u{fffd}\""));
    let r = json!({"vfwebqq": qq.vfwebqq, "hash": list_hash(qq.uin, &qq.ptwebqq)});
    assert_eq!(
        qq.post("s.web2.qq.com/api/get_user_friends2", LISTS, &r).await["retcode"],
        0
    );
}
