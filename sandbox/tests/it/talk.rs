//! Polling and sending.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{CHANNEL, GROUP, Qq, Way, content, control, log, say};
use crate::login::wait_until_polling;
use crate::{sandbox, sandbox_with};

#[tokio::test]
async fn a_poll_is_held_until_something_happens() {
    let sandbox = sandbox_with(|options| options.hold = Duration::from_secs(60)).await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let held = tokio::spawn({
        let qq = qq.clone();
        async move { qq.poll().await }
    });
    wait_until_polling(&qq).await;
    let id = say(sandbox.address, 333_444_555, "<b>hi & bye</b>").await;
    let answer = held.await.unwrap();
    let value = &answer["result"][0]["value"];
    assert_eq!(value["content"][0][0], "font");
    assert_eq!(value["content"][1], "&lt;b&gt;hi &amp; bye&lt;/b&gt;");
    assert_eq!(value["group_code"], value["from_uin"], "in these years");
    assert_eq!(value["to_uin"], qq.uin);
    assert!(value.get("msg_id2").is_none() && value.get("seq").is_none());
    let log = log(sandbox.address).await;
    assert_eq!(log.last().unwrap()["events"], json!([id]));
}

#[tokio::test]
async fn an_idle_poll_ends_without_events_and_a_second_one_ends_the_first() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let begun = Instant::now();
    for _ in 0..3 {
        let idle = qq.poll().await;
        assert!(
            !idle["result"].is_array() && [json!(null), json!(0)].contains(&idle["retcode"]),
            "{idle}"
        );
    }
    assert!(begun.elapsed() >= Duration::from_secs(3));

    let first = tokio::spawn({
        let qq = qq.clone();
        async move { qq.poll().await }
    });
    wait_until_polling(&qq).await;
    let second = tokio::spawn({
        let qq = qq.clone();
        async move { qq.poll().await }
    });
    assert!(!first.await.unwrap()["result"].is_array());
    say(sandbox.address, 222_333_444, "for the second").await;
    assert_eq!(
        second.await.unwrap()["result"][0]["value"]["content"][1],
        "for the second"
    );
}

#[tokio::test]
async fn batches_are_newest_first_and_given_once() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    for text in ["one", "two", "three"] {
        say(sandbox.address, 222_333_444, text).await;
    }
    let answer = qq.poll().await;
    let texts: Vec<_> = answer["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["value"]["content"][1])
        .collect();
    assert_eq!(texts, ["three", "two", "one"]);
    assert!(!qq.poll().await["result"].is_array(), "never again");
}

#[tokio::test]
async fn what_a_client_sends_is_in_the_world_and_comes_back() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, _) = qq.group().await;
    let font = json!(["font", {"name": "宋体", "size": 10, "style": [0, 0, 0], "color": "000000"}]);
    let sent = json!(["a \"q\" \\ <中>\n🐱", ["face", 14], "z", font]).to_string();
    assert_eq!(qq.send(gid, &sent).await["errCode"], 0);
    let messages = control(
        sandbox.address,
        "GET",
        &format!("groups/{GROUP}/messages?after=0&wait=5"),
        &json!({}),
    )
    .await
    .1;
    assert_eq!(messages[0]["from"], 123_456_789);
    let segments = json!([
        {"type": "text", "data": {"text": "a \"q\" \\ <中>\n🐱"}},
        {"type": "face", "data": {"id": "14"}},
        {"type": "text", "data": {"text": "z"}},
    ]);
    assert_eq!(messages[0]["message"], segments);
    let echo = &qq.poll().await["result"][0]["value"];
    assert_eq!(echo["send_uin"], qq.uin);
    assert_eq!(echo["content"][1], "a &quot;q&quot; \\ &lt;中&gt;\n🐱");
    assert_eq!(echo["content"][2], json!(["face", 14]));
}

#[tokio::test]
async fn equal_and_hasty_messages_are_lost() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, _) = qq.group().await;
    for _ in 0..2 {
        assert_eq!(qq.send(gid, &content("same")).await["errCode"], 0, "both look sent");
    }
    let mut hasty = 0;
    for i in 0..12 {
        let answer = qq.send(gid, &content(&format!("number {i}"))).await;
        hasty += usize::from(answer["retcode"] == 1202);
    }
    let outcomes: Vec<_> = log(sandbox.address)
        .await
        .into_iter()
        .filter(|entry| entry["path"] == "/channel/send_qun_msg2")
        .map(|entry| entry["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes[..2], ["delivered", "dropped"]);
    let messages = control(sandbox.address, "GET", &format!("groups/{GROUP}/messages"), &json!({}))
        .await
        .1;
    let delivered = outcomes.iter().filter(|outcome| *outcome == "delivered").count();
    assert_eq!(messages.as_array().unwrap().len(), delivered);
    assert_eq!(delivered + hasty + 1, 14);
    assert!(hasty > 0, "{outcomes:?}");
}

#[tokio::test]
async fn members_have_their_names() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, code) = qq.group().await;
    let info = qq.members(code).await["result"].clone();
    assert_eq!(info["ginfo"]["gid"], gid);
    for number in [gid, code] {
        assert_eq!(qq.real_number(number, 4).await["result"]["account"], GROUP);
    }
    assert_eq!(info["ginfo"]["members"].as_array().unwrap().len(), 6);
    let name_of = |list: &str, key: &str, name: &str, uin: &serde_json::Value| {
        let found = info[list].as_array().unwrap().iter().find(|entry| &entry[key] == uin);
        found.map(|entry| entry[name].as_str().unwrap().to_owned())
    };
    let mut seen = Vec::new();
    for member in info["ginfo"]["members"].as_array().unwrap() {
        let uin = &member["muin"];
        let number = qq.real_number(uin.as_i64().unwrap(), 1).await["result"]["account"]
            .as_i64()
            .unwrap();
        let admin = member["mflag"].as_i64().unwrap() & 1 == 1;
        seen.push((
            number,
            name_of("minfo", "uin", "nick", uin).unwrap(),
            name_of("cards", "muin", "card", uin),
            admin,
        ));
        assert_eq!(*uin == info["ginfo"]["owner"], number == 222_333_444);
    }
    let expect =
        |number, nick: &str, card: Option<&str>, admin| (number, nick.to_owned(), card.map(str::to_owned), admin);
    assert_eq!(seen[0], expect(222_333_444, "王建国", Some("老王"), false));
    assert_eq!(seen[1], expect(333_444_555, "alice", None, true));
    assert_eq!(
        seen[3],
        expect(
            555_666_777,
            "&lt;b&gt;Tom &amp; &quot;Jerry&quot;&lt;/b&gt;",
            None,
            false
        )
    );
    // Without any card the list is absent.
    for member in [222_333_444, 666_777_888] {
        control(
            sandbox.address,
            "PATCH",
            &format!("groups/{GROUP}/members/{member}"),
            &json!({"card": ""}),
        )
        .await;
    }
    assert!(qq.members(code).await["result"].get("cards").is_none());
}

#[tokio::test]
async fn friends_talk_too() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let r = json!({"vfwebqq": qq.vfwebqq, "hash": crate::client::list_hash(qq.uin, &qq.ptwebqq)});
    let list = qq
        .post("s.web2.qq.com/api/get_user_friends2", crate::client::LISTS, &r)
        .await["result"]
        .clone();
    assert_eq!(list["marknames"][0]["markname"], "老王");
    let uin = list["friends"][0]["uin"].as_i64().unwrap();
    assert_eq!(qq.real_number(uin, 1).await["result"]["account"], 222_333_444);
    let path = "friends/123456789/222333444/messages";
    assert_eq!(
        control(sandbox.address, "POST", path, &json!({"message": "psst"}))
            .await
            .0,
        200
    );
    let event = qq.poll().await["result"][0].clone();
    assert_eq!(event["poll_type"], "message");
    assert_eq!(event["value"]["from_uin"], uin);
    let r = json!({
        "to": uin, "content": content("yes?"), "face": 522, "clientid": 53_999_199, "msg_id": 5,
        "psessionid": qq.psessionid,
    });
    assert_eq!(
        qq.post("d1.web2.qq.com/channel/send_buddy_msg2", CHANNEL, &r).await["errCode"],
        0
    );
    let messages = control(sandbox.address, "GET", path, &json!({})).await.1;
    assert_eq!(messages[1]["message"][0]["data"]["text"], "yes?");
    assert_eq!(messages[1]["from"], 123_456_789);
}

#[tokio::test]
async fn discussions_work() {
    let world = r#"
        [[account]]
        qq = 123456789
        protocol = "webqq"
        [[discussion]]
        id = 7
        name = "讨论 <7>"
        members = [{ qq = 555666777, nickname = "li" }, { qq = 123456789, nickname = "me" }]
    "#;
    let sandbox = sandbox_with(|options| options.world = Some(qq_sandbox::parse_world(world).unwrap())).await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let session = format!(
        "clientid=53999199&psessionid={}&vfwebqq={}&t=1",
        qq.psessionid, qq.vfwebqq
    );
    let list = qq
        .get_json(
            &format!("s.web2.qq.com/api/get_discus_list?{session}"),
            crate::client::LISTS,
        )
        .await;
    assert_eq!(list["result"]["dnamelist"][0]["name"], "讨论 &lt;7&gt;");
    let did = list["result"]["dnamelist"][0]["did"].as_i64().unwrap();
    let info = qq
        .get_json(
            &format!("d1.web2.qq.com/channel/get_discu_info?did={did}&{session}"),
            CHANNEL,
        )
        .await;
    assert_eq!(info["result"]["info"]["mem_list"][0]["ruin"], 555_666_777);
    let r = json!({
        "did": did.to_string(), "content": content("all"), "face": 522, "clientid": 53_999_199, "msg_id": 5,
        "psessionid": qq.psessionid,
    });
    assert_eq!(
        qq.post("d1.web2.qq.com/channel/send_discu_msg2", CHANNEL, &r).await["errCode"],
        0
    );
    let event = qq.poll().await["result"][0].clone();
    assert_eq!(event["poll_type"], "discu_message");
    assert_eq!(event["value"]["did"], did);
}

#[tokio::test]
async fn mutes_are_told_and_heeded() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let path = format!("groups/{GROUP}/members/333444555/mute");
    assert_eq!(
        control(sandbox.address, "POST", &path, &json!({"duration": "10m"}))
            .await
            .0,
        200
    );
    let told = qq.poll().await["result"][0]["value"]["content"][1].clone();
    assert_eq!(told, "alice(333444555) 被管理员禁言10分钟 ");
    let body = json!({"from": 333_444_555, "message": "mmm"});
    let (status, answer) = control(sandbox.address, "POST", &format!("groups/{GROUP}/messages"), &body).await;
    assert_eq!(status, 403, "{answer}");
    control(sandbox.address, "POST", &path, &json!({"duration": 0})).await;
    say(sandbox.address, 333_444_555, "free").await;
}

#[tokio::test]
async fn two_accounts_see_the_same_message_under_numbers_of_their_own() {
    let world = r#"
        [[account]]
        qq = 11111
        protocol = "webqq"
        [[account]]
        qq = 22222
        protocol = "webqq"
        [[group]]
        number = 346000003
        name = "both"
        members = [
            { qq = 11111, nickname = "a" }, { qq = 22222, nickname = "b" }, { qq = 222333444, nickname = "c" },
        ]
    "#;
    let sandbox = sandbox_with(|options| options.world = Some(qq_sandbox::parse_world(world).unwrap())).await;
    let mut first = Qq::log_in(sandbox.address, Way::Host).await;
    let mut second = Qq::new(sandbox.address, Way::Path);
    second.show_qr().await;
    let scanned = control(sandbox.address, "POST", "qr/scan", &json!({"qq": 22222})).await;
    assert_eq!(scanned.1["qq"], 22222);
    second.ask_qr().await;
    let answer = second.ask_qr().await;
    second.http.get(&answer[2]).send().await.unwrap();
    second.ptwebqq = second.cookie("w.qq.com", "ptwebqq").unwrap();
    second.getvfwebqq().await;
    second.login2().await;
    second.online_buddies().await;
    assert_eq!((first.uin, second.uin), (11111, 22222));
    let (gid, _) = first.group().await;
    first.send(gid, &content("to all")).await;
    let mine = first.poll().await["result"][0]["value"].clone();
    let theirs = second.poll().await["result"][0]["value"].clone();
    assert_eq!(mine["send_uin"], 11111);
    assert_ne!(theirs["send_uin"], 11111, "others see a temporary number");
    assert_ne!(mine["from_uin"], theirs["from_uin"]);
    assert_eq!((&mine["msg_id"], &mine["time"]), (&theirs["msg_id"], &theirs["time"]));
    assert_eq!(
        second.real_number(theirs["send_uin"].as_i64().unwrap(), 1).await["result"]["account"],
        11111
    );
    assert_eq!(
        first.poll().await["result"].as_array(),
        None,
        "the first is not thrown out by another account"
    );
}
