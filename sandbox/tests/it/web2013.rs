//! `WebQQ` of 2013: a client with a password, written from the notes on the service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::client::{GROUP, LISTS, Qq, Way, control, list_hash, log, say};
use crate::old::{Old, SELF, hashed, old_sandbox};

#[tokio::test]
async fn a_password_lets_in_and_messages_have_the_form_of_the_years() {
    let sandbox = old_sandbox(|_| ()).await;
    let mut old = Old::log_in(sandbox.address).await;
    let (gid, code) = old.0.group().await;
    assert_eq!(old.0.real_number(code, 4).await["result"]["account"], GROUP);
    let idle = old.poll().await;
    assert_eq!((&idle["retcode"], &idle["result"]), (&json!(102), &Value::Null));
    let message = json!([{"type": "text", "data": {"text": "<大家>好"}}, {"type": "face", "data": {"id": 14}}]);
    let body = json!({"from": 222_333_444, "message": message});
    control(sandbox.address, "POST", &format!("groups/{GROUP}/messages"), &body).await;
    let value = old.event("group_message").await;
    assert_eq!((&value["from_uin"], &value["group_code"]), (&json!(gid), &json!(code)));
    assert_eq!((&value["msg_type"], &value["info_seq"]), (&json!(43), &json!(GROUP)));
    assert!(value["msg_id2"].is_i64() && value["reply_ip"].is_i64());
    assert_eq!(value["content"][0][1]["name"], "宋体");
    assert_eq!(
        value["content"].as_array().unwrap()[1..],
        [json!("<大家>好"), json!(["face", 14]), json!(" ")]
    );
    assert_eq!(old.send(gid, "hello").await, json!({"retcode": 0, "result": "ok"}));
    let echo = old.event("group_message").await;
    assert_eq!(
        (&echo["send_uin"], &echo["content"][1]),
        (&json!(SELF), &json!("hello "))
    );
    assert_eq!(echo["seq"].as_i64().unwrap(), value["seq"].as_i64().unwrap() + 1);
    let beat = old
        .0
        .get("web.qq.com/web2/get_msg_tip?uin=&tp=1&id=0&retype=1&rc=1&lv=2&t=1", "")
        .await;
    assert_eq!(beat.status(), 200);
    let state = control(sandbox.address, "GET", "state", &json!({})).await.1;
    assert_eq!(
        (&state["era"], &state["sessions"][0]["done"]["heartbeat"]),
        (&json!("2013"), &json!(1))
    );
}

#[tokio::test]
async fn heartbeats_show_only_the_cookies_of_their_host() {
    let sandbox = old_sandbox(|_| ()).await;
    let old = Old(Qq::new(sandbox.address, Way::Proxy)).enter().await;
    assert_eq!(old.0.cookie("web.qq.com", "p_skey"), None);
    old.0.get("web.qq.com/web2/get_msg_tip?rc=1&lv=3&t=1", "").await;
    let state = control(sandbox.address, "GET", "state", &json!({})).await.1;
    assert_eq!(state["sessions"][0]["done"]["heartbeat"], 1);
}

#[tokio::test]
async fn the_spring_of_2013_had_no_check_sig() {
    let sandbox = old_sandbox(|_| ()).await;
    let mut old = Old::new(sandbox.address);
    let code = old.check().await;
    assert_eq!(
        (code[0].as_str(), code[2].as_str()),
        ("0", r"\x00\x00\x00\x00\x07\x5b\xcd\x15")
    );
    assert_eq!(old.login("sandbox", &code[1], "").await[0], "0");
    assert_eq!(old.login2(&Value::Null).await["retcode"], 0);
    let mut old = Old::new(sandbox.address);
    let code = old.check().await[1].clone();
    assert_eq!(old.login("sandbox", &code, "&daid=164").await[0], "0");
    assert_eq!(
        old.login2(&Value::Null).await["retcode"],
        103,
        "check_sig was not fetched"
    );
}

#[tokio::test]
async fn wrong_logins_are_told_why() {
    let sandbox = old_sandbox(|_| ()).await;
    let old = Old::new(sandbox.address);
    assert_eq!(old.login("sandbox", "!ABC", "").await[0], "24", "no cookies");
    let code = old.check().await[1].clone();
    assert_eq!(old.login("wrong", &code, "").await[0], "3");
    assert_eq!(old.login("sandbox", &code, "").await[0], "4", "used up");
    old.check().await;
    assert_eq!(old.login("sandbox", "!AB1", "").await[0], "4");
    for (fault, code) in [
        (json!({"kind": "login_code", "code": 7}), "7"),
        (json!({"kind": "frozen", "count": 1}), "19"),
    ] {
        control(sandbox.address, "POST", "faults", &fault).await;
        let check = old.check().await[1].clone();
        assert_eq!(old.login("sandbox", &check, "").await[0], code);
    }
    control(
        sandbox.address,
        "POST",
        "faults",
        &json!({"kind": "frozen", "as": "link"}),
    )
    .await;
    let check = old.check().await[1].clone();
    let link = old.login("sandbox", &check, "").await;
    assert!(link[0] == "0" && link[2].contains("aq.qq.com"), "{link:?}");
    let texts: String = log(sandbox.address).await.iter().map(Value::to_string).collect();
    assert!(!texts.contains(&hashed("sandbox", &check)), "no secret in the log");
    let smart = crate::sandbox().await;
    assert_eq!(Old::new(smart.address).login("sandbox", "!ABC", "").await[0], "10005");
}

#[tokio::test]
async fn a_captcha_is_a_picture_that_a_person_reads() {
    let sandbox = old_sandbox(|_| ()).await;
    control(
        sandbox.address,
        "POST",
        "faults",
        &json!({"kind": "captcha", "count": 2}),
    )
    .await;
    let mut old = Old::new(sandbox.address);
    for right in [false, true] {
        let check = old.check().await;
        assert_eq!((check[0].as_str(), check[1].len()), ("1", 48));
        let path = format!("ssl.captcha.qq.com/getimage?aid=1003903&r=0.1&uin={SELF}");
        let shown = old.0.get(&path, "").await;
        assert_eq!(shown.headers()["content-type"], "image/jpeg");
        assert!(shown.bytes().await.unwrap().starts_with(&[0xFF, 0xD8]));
        let read = control(sandbox.address, "GET", "captcha", &json!({})).await.1["code"]
            .as_str()
            .unwrap()
            .to_lowercase();
        let typed = if right { read } else { "nope".to_owned() };
        let expected = if right { "0" } else { "4" };
        assert_eq!(old.login("sandbox", &typed, "").await[0], expected);
    }
    assert_eq!(old.login2(&Value::Null).await["retcode"], 0);
    assert_eq!(old.check().await[0], "0", "the fault is used up");
}

#[tokio::test]
async fn the_world_can_want_captchas_and_early_answers_have_five_arguments() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..8 {
        let sandbox = old_sandbox(|options| options.seed = seed).await;
        let old = Old::new(sandbox.address);
        let code = old.check().await[1].clone();
        lengths.insert(old.login("sandbox", &code, "").await.len());
    }
    assert!(lengths.into_iter().eq([5, 6]));
    let mut world = qq_sandbox::default_world();
    world.accounts[0].captcha = true;
    let sandbox = old_sandbox(|options| options.world = Some(world)).await;
    assert_eq!(Old::new(sandbox.address).check().await[0], "1");
}

#[tokio::test]
async fn lists_want_the_vfwebqq_of_login2_and_the_hash_of_the_seed() {
    let sandbox = old_sandbox(|_| ()).await;
    let mut old = Old::log_in(sandbox.address).await;
    let hash = list_hash(SELF, &old.0.ptwebqq);
    // What the page of spring and summer asked for: the digits of the number over the token and two words.
    let older: String = format!("{}password error", old.0.ptwebqq)
        .bytes()
        .zip(SELF.to_string().bytes().cycle())
        .map(|(a, d)| format!("{:02X}", a ^ d))
        .collect();
    for (hash, retcode) in [("0057007700190033", 50), (&hash, 0), (&older, 0), ("", 0)] {
        let r = json!({"h": "hello", "hash": hash, "vfwebqq": old.0.vfwebqq});
        assert_eq!(
            old.0.post("s.web2.qq.com/api/get_user_friends2", LISTS, &r).await["retcode"],
            retcode
        );
    }
    let before = old.0.vfwebqq.clone();
    let psessionid = json!(old.0.psessionid);
    assert_eq!(old.login2(&psessionid).await["retcode"], 0, "a relink");
    let r = json!({"vfwebqq": before});
    let groups = "s.web2.qq.com/api/get_group_name_list_mask2";
    assert_eq!(old.0.post(groups, LISTS, &r).await["retcode"], 100_000);
    let r = json!({"vfwebqq": old.0.vfwebqq});
    assert_eq!(
        old.0.post(groups, LISTS, &r).await["retcode"],
        0,
        "the group list needs no hash"
    );
}

#[tokio::test]
async fn a_login2_of_the_same_cookies_keeps_the_numbers() {
    let sandbox = old_sandbox(|_| ()).await;
    let mut old = Old::log_in(sandbox.address).await;
    let before = old.0.group().await;
    assert_eq!(old.login2(&Value::Null).await["retcode"], 0);
    assert_eq!(old.0.group().await, before, "its lists are still right");
    control(sandbox.address, "POST", "faults", &json!({"kind": "new_uins"})).await;
    assert_eq!(old.login2(&Value::Null).await["retcode"], 0);
    assert_ne!(old.0.group().await, before);
}

#[tokio::test]
async fn pictures_are_fetched_by_their_names() {
    let sandbox = old_sandbox(|_| ()).await;
    let old = Old::log_in(sandbox.address).await;
    let (_, code) = old.0.group().await;
    let picture = [b"\x89PNG picture".as_slice(), b" of nobody"].concat();
    let image = json!({"type": "image", "data": {"file": format!("base64://{}", STANDARD.encode(&picture))}});
    let body = json!({"from": 222_333_444, "message": [image]});
    control(sandbox.address, "POST", &format!("groups/{GROUP}/messages"), &body).await;
    let value = old.event("group_message").await;
    let cface = &value["content"][1];
    assert_eq!((&cface[0], &cface[1]["key"]), (&json!("cface"), &json!("          ")));
    let name = cface[1]["name"]
        .as_str()
        .unwrap()
        .replace('{', "%7B")
        .replace('}', "%7D");
    let path = format!(
        "web2.qq.com/cgi-bin/get_group_pic?type=0&gid={code}&uin={}&rip=183.60.0.2&rport=8000&fid={}&pic={name}&vfwebqq={}&t=1",
        value["send_uin"], cface[1]["file_id"], old.0.vfwebqq
    );
    let sent_on = old.0.get(&path, "http://web2.qq.com/webqq.html").await;
    assert_eq!(sent_on.status(), 302);
    let place = sent_on.headers()["location"].to_str().unwrap().to_owned();
    assert!(
        place.contains("/gchat.qpic.cn/gchatpic/") && place.ends_with("/0"),
        "{place}"
    );
    assert_eq!(
        old.0.http.get(&place).send().await.unwrap().bytes().await.unwrap(),
        picture
    );
    let wrong = path.replace(&format!("gid={code}"), "gid=5");
    assert_eq!(old.0.get(&wrong, "http://web2.qq.com/webqq.html").await.status(), 404);

    control(sandbox.address, "POST", "friends/123456789/222333444/messages", &body).await;
    let value = old.event("message").await;
    assert_eq!(value["msg_type"], 9);
    let path = format!(
        "d.web2.qq.com/channel/get_offpic2?file_path={}&f_uin={}&clientid=73937875&psessionid={}",
        value["content"][1][1]["file_path"].as_str().unwrap(),
        value["from_uin"],
        old.0.psessionid
    );
    assert_eq!(
        old.0
            .get(&path, "http://web2.qq.com/webqq.html")
            .await
            .bytes()
            .await
            .unwrap(),
        picture
    );
}

#[tokio::test]
async fn who_comes_and_goes_is_told() {
    let sandbox = old_sandbox(|_| ()).await;
    let old = Old::log_in(sandbox.address).await;
    let (gid, code) = old.0.group().await;
    let at = sandbox.address;
    let members = format!("groups/{GROUP}/members");
    control(at, "POST", &members, &json!({"qq": 999_000_111, "nickname": "new"})).await;
    let joined = old.event("sys_g_msg").await;
    assert_eq!(
        (&joined["type"], &joined["msg_type"]),
        (&json!("group_join"), &json!(33))
    );
    assert_eq!(
        (&joined["from_uin"], &joined["gcode"], &joined["t_gcode"]),
        (&json!(gid), &json!(code), &json!(GROUP))
    );
    let uin = joined["new_member"].as_i64().unwrap();
    assert_eq!(old.0.real_number(uin, 1).await["result"]["account"], 999_000_111);
    control(at, "PATCH", &format!("{members}/999000111"), &json!({"role": "admin"})).await;
    let made = old.event("sys_g_msg").await;
    assert_eq!((&made["type"], &made["op_type"]), (&json!("group_admin_op"), &json!(1)));
    control(
        at,
        "DELETE",
        &format!("{members}/999000111"),
        &json!({"operator": 222_333_444}),
    )
    .await;
    let left = old.event("sys_g_msg").await;
    assert_eq!(
        (&left["type"], &left["op_type"], &left["old_member"]),
        (&json!("group_leave"), &json!(3), &json!(uin))
    );
    control(
        at,
        "POST",
        &format!("groups/{GROUP}/files"),
        &json!({"from": 333_444_555, "name": "a.zip"}),
    )
    .await;
    assert!(
        old.event("group_web_message").await["xml"]
            .as_str()
            .unwrap()
            .contains("a.zip")
    );
    let friend = json!({"poll_type": "input_notify", "value": {"from_uin": {"person": 222_333_444}, "msg_type": 121}});
    control(at, "POST", "webqq/event", &json!({"event": friend})).await;
    assert!(old.event("input_notify").await["from_uin"].as_i64().unwrap() > 1_000_000_000);
    control(
        at,
        "POST",
        "friends/123456789/555666777/messages",
        &json!({"message": "psst"}),
    )
    .await;
    let stranger = old.event("sess_message").await;
    assert_eq!((&stranger["id"], &stranger["ruin"]), (&json!(gid), &json!(555_666_777)));
}

#[tokio::test]
async fn a_second_web_login_kicks_the_first() {
    let sandbox = old_sandbox(|_| ()).await;
    let first = Old::log_in(sandbox.address).await;
    let second = Old::log_in(sandbox.address).await;
    let kicked = first.event("kick_message").await;
    assert_eq!((&kicked["msg_type"], &kicked["show_reason"]), (&json!(48), &json!(1)));
    assert_eq!(first.poll().await["retcode"], 103);
    say(sandbox.address, 222_333_444, "for the second").await;
    assert_eq!(second.event("group_message").await["content"][1], "for the second ");
}

#[tokio::test]
async fn every_seed_has_its_own_2013() {
    for seed in 1..=6 {
        let sandbox = old_sandbox(|options| options.seed = seed).await;
        let mut old = Old::log_in(sandbox.address).await;
        let (gid, _) = old.0.group().await;
        assert_eq!(old.send(gid, "hello").await["retcode"], 0, "seed {seed}");
    }
}

#[tokio::test]
async fn messages_without_a_font_are_taken() {
    let sandbox = old_sandbox(|_| ()).await;
    let mut old = Old::log_in(sandbox.address).await;
    let (gid, _) = old.0.group().await;
    for content in [json!(["no font"]), json!(["an empty one", []])] {
        let sent = old
            .0
            .send_as("d.web2.qq.com", "73937875", gid, &content.to_string())
            .await;
        assert_eq!(sent["retcode"], 0, "{sent}");
    }
}
