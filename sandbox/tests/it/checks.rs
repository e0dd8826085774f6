//! Each check of the service, violated once.

use serde_json::{Value, json};

use crate::client::{CHANNEL, LISTS, Qq, Way, content, list_hash, log};
use crate::sandbox;

#[tokio::test]
async fn the_referer_must_be_a_proxy_page() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let r = json!({"vfwebqq": qq.vfwebqq, "hash": list_hash(qq.uin, &qq.ptwebqq)});
    let path = "s.web2.qq.com/api/get_group_name_list_mask2";
    for wrong in [
        "",
        "http://w.qq.com/",
        "http://example.org/proxy.html",
        "http://s.web2.qq.com/other.html",
    ] {
        assert_eq!(qq.post(path, wrong, &r).await["retcode"], 103, "{wrong}");
    }
    let here = format!("http://{}/d1.web2.qq.com/proxy.html?v=1", sandbox.address);
    for right in [LISTS, CHANNEL, "https://s.web2.qq.com/proxy.html?v=1", &here] {
        assert_eq!(qq.post(path, right, &r).await["retcode"], 0, "{right}");
    }
    let refused = log(sandbox.address)
        .await
        .iter()
        .filter(|entry| entry["outcome"] == "refused")
        .count();
    assert_eq!(refused, 4);
}

#[tokio::test]
async fn lists_want_hash_and_vfwebqq() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    for path in [
        "s.web2.qq.com/api/get_user_friends2",
        "s.web2.qq.com/api/get_group_name_list_mask2",
    ] {
        let wrong_hash = json!({"vfwebqq": qq.vfwebqq, "hash": "0057007700190033"});
        assert_eq!(qq.post(path, LISTS, &wrong_hash).await["retcode"], 50);
        let no_hash = json!({"vfwebqq": qq.vfwebqq});
        assert_eq!(qq.post(path, LISTS, &no_hash).await["retcode"], 50);
    }
    let (_, code) = qq.group().await;
    let right = std::mem::replace(&mut qq.vfwebqq, "0".repeat(80));
    assert_eq!(qq.groups().await["retcode"], 100_000);
    assert_eq!(qq.members(code).await["retcode"], 100_000);
    assert_eq!(qq.real_number(code, 4).await["retcode"], 100_000);
    assert_eq!(qq.online_buddies().await["retcode"], 100_000);
    qq.vfwebqq = right;
    assert_eq!(qq.members(code).await["retcode"], 0);
}

#[tokio::test]
async fn gid_and_code_are_not_the_same() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, code) = qq.group().await;
    assert_eq!(qq.members(gid).await["retcode"], 6);
    assert_eq!(qq.real_number(gid, 1).await["retcode"], 6);
    assert_eq!(qq.real_number(code, 1).await["retcode"], 6);
    assert_eq!(qq.send(code, &content("hi")).await["retcode"], 100_001);
    assert_eq!(qq.send(12_345, &content("hi")).await["retcode"], 100_001);
}

#[tokio::test]
async fn the_channel_wants_its_session() {
    let sandbox = sandbox().await;
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    let path = "d1.web2.qq.com/channel/poll2";
    let mut wrong = qq.poll_fields();
    wrong["clientid"] = json!(1);
    assert_eq!(qq.post(path, CHANNEL, &wrong).await["retcode"], 103);
    wrong = qq.poll_fields();
    wrong["psessionid"] = json!("00");
    assert_eq!(qq.post(path, CHANNEL, &wrong).await["retcode"], 103);
    let status = format!(
        "d1.web2.qq.com/channel/change_status2?newstatus=away&clientid=53999199&psessionid={}",
        qq.psessionid
    );
    assert_eq!(
        qq.get_json(&status, CHANNEL).await,
        json!({"retcode": 0, "result": "ok"})
    );
    let status = "d1.web2.qq.com/channel/change_status2?newstatus=away&clientid=53999199&psessionid=x";
    assert_eq!(qq.get_json(status, CHANNEL).await["retcode"], 103);
    let mut as_text = qq.poll_fields();
    as_text["clientid"] = json!("53999199");
    assert_ne!(
        qq.post(path, CHANNEL, &as_text).await["retcode"],
        103,
        "numbers may come as text"
    );
}

#[tokio::test]
async fn check_sig_must_be_fetched() {
    let sandbox = sandbox().await;
    let mut qq = Qq::new(sandbox.address, Way::Path);
    qq.show_qr().await;
    crate::client::control(sandbox.address, "POST", "qr/scan", &json!({})).await;
    qq.ask_qr().await;
    let url = qq.ask_qr().await[2].clone();
    qq.ptwebqq = qq.cookie("w.qq.com", "ptwebqq").unwrap_or_default();
    assert_eq!(qq.getvfwebqq().await["retcode"], 100_001);
    assert_eq!(qq.login2().await["retcode"], 100_001);
    let forged = url.replace("ptsigx=", "ptsigx=0");
    assert_eq!(qq.http.get(forged).send().await.unwrap().status(), 403);
    qq.http.get(url).send().await.unwrap();
    assert_eq!(qq.login2().await["retcode"], 0);
}

#[tokio::test]
async fn online_buddies_registers_the_session() {
    let sandbox = sandbox().await;
    let mut qq = Qq::new(sandbox.address, Way::Path);
    qq.scan_in().await;
    qq.getvfwebqq().await;
    qq.login2().await;
    let (gid, _) = qq.group().await;
    assert_eq!(qq.poll().await["retcode"], 103);
    assert_eq!(qq.send(gid, &content("hi")).await["retcode"], 100_001);
    assert_eq!(qq.online_buddies().await["retcode"], 0);
    assert_eq!(qq.send(gid, &content("hi")).await["errCode"], 0);
    assert_eq!(qq.poll().await["result"][0]["value"]["content"][1], "hi");
}

#[tokio::test]
async fn a_wrong_ptqrtoken_is_forbidden() {
    let sandbox = sandbox().await;
    let qq = Qq::new(sandbox.address, Way::Path);
    let none = qq.get("ssl.ptlogin2.qq.com/ptqrlogin?ptqrtoken=0", "").await;
    assert_eq!(none.status(), 403, "no qrsig");
    qq.show_qr().await;
    let wrong = qq.get("ssl.ptlogin2.qq.com/ptqrlogin?ptqrtoken=12345", "").await;
    assert_eq!(wrong.status(), 403);
    assert_eq!(wrong.text().await.unwrap(), "");
}

#[tokio::test]
async fn content_is_encoded_twice_and_ends_with_the_font() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, _) = qq.group().await;
    let font = json!(["font", {"name": "宋体", "size": "10", "style": [0, 0, 0], "color": "000000"}]);
    for wrong in [
        json!(["no font"]),
        json!([font, "font first"]),
        json!([font]),
        json!("words only"),
    ] {
        assert_eq!(qq.send(gid, &wrong.to_string()).await["retcode"], 100_001, "{wrong}");
    }
    assert_eq!(qq.send(gid, "not json").await["retcode"], 100_001);
    let once = json!({
        "group_uin": gid, "content": ["hi", font], "face": 591, "clientid": 53_999_199, "msg_id": 1,
        "psessionid": qq.psessionid,
    });
    assert_eq!(
        qq.post("d1.web2.qq.com/channel/send_qun_msg2", CHANNEL, &once).await["retcode"],
        100_001
    );
    let as_text = json!({
        "group_uin": gid.to_string(), "content": json!(["hi", font]).to_string(), "face": "591",
        "clientid": "53999199", "msg_id": "1", "psessionid": qq.psessionid,
    });
    let sent: Value = qq.post("d1.web2.qq.com/channel/send_qun_msg2", CHANNEL, &as_text).await;
    assert_eq!(sent["errCode"], 0, "numbers may come as text");
}
