//! The way in, in each of the three ways, and what ends a login.

use serde_json::json;

use crate::client::{CHANNEL, GROUP, Qq, Way, control, say};
use crate::{sandbox, sandbox_with};

async fn logs_in_and_talks(way: Way) {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, way).await;
    assert_eq!(qq.uin, 123_456_789);
    let (gid, code) = qq.group().await;
    assert_ne!(gid, code);
    assert_eq!(qq.real_number(code, 4).await["result"]["account"], GROUP);
    say(sandbox.address, 222_333_444, "你好").await;
    let event = &qq.poll().await["result"][0];
    assert_eq!(event["poll_type"], "group_message");
    assert_eq!(event["value"]["from_uin"], gid);
    assert_eq!(event["value"]["content"][1], "你好");
    let sender = event["value"]["send_uin"].as_i64().unwrap();
    assert_eq!(qq.real_number(sender, 1).await["result"]["account"], 222_333_444);
    assert_eq!(
        qq.send(gid, &crate::client::content("hello")).await,
        json!({"errCode": 0, "msg": "send ok"})
    );
}

#[tokio::test]
async fn by_host_header() {
    logs_in_and_talks(Way::Host).await;
}

#[tokio::test]
async fn as_proxy() {
    logs_in_and_talks(Way::Proxy).await;
}

#[tokio::test]
async fn by_path() {
    logs_in_and_talks(Way::Path).await;
}

#[tokio::test]
async fn addresses_and_cookies_have_the_form_of_the_way() {
    let sandbox = sandbox().await;
    for way in [Way::Host, Way::Proxy, Way::Path] {
        let qq = Qq::new(sandbox.address, way);
        qq.show_qr().await;
        control(sandbox.address, "POST", "qr/scan", &json!({})).await;
        qq.ask_qr().await;
        let url = qq.ask_qr().await[2].clone();
        let (start, place) = match way {
            Way::Path => (
                format!("http://{}/ptlogin4.web2.qq.com/check_sig?", sandbox.address),
                "s_url=http%3A%2F%2F127.0.0.1",
            ),
            _ => (
                "http://ptlogin4.web2.qq.com/check_sig?".to_owned(),
                "s_url=http%3A%2F%2Fw.qq.com%2F",
            ),
        };
        assert!(url.starts_with(&start) && url.contains(place), "{way:?}: {url}");
        let checked = qq.http.get(&url).send().await.unwrap();
        let cookies: Vec<_> = checked
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|line| line.to_str().unwrap())
            .collect();
        assert!(cookies.iter().any(|line| line.starts_with("p_skey=")), "{cookies:?}");
        for cookie in cookies {
            assert!(!cookie.to_lowercase().contains("secure"), "{cookie}");
            assert_eq!(cookie.contains("Domain="), way != Way::Path, "{cookie}");
        }
        let location = checked.headers()["location"].to_str().unwrap();
        let home = if way == Way::Path {
            format!("http://{}/w.qq.com/", sandbox.address)
        } else {
            "http://w.qq.com/".to_owned()
        };
        assert!(location.starts_with(&home), "{location}");
    }
}

#[tokio::test]
async fn the_code_is_a_picture_and_expires() {
    let sandbox = sandbox().await;
    assert_eq!(control(sandbox.address, "POST", "qr/scan", &json!({})).await.0, 409);
    let qq = Qq::new(sandbox.address, Way::Path);
    let picture = qq.show_qr().await;
    let reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
    assert!(reader.info().width >= 100 && reader.info().width == reader.info().height);
    assert_eq!(qq.ask_qr().await[0], "66");
    control(sandbox.address, "POST", "clock", &json!({"advance": "125s"})).await;
    assert_eq!(qq.ask_qr().await[0], "65");
    assert_eq!(control(sandbox.address, "POST", "qr/scan", &json!({})).await.0, 409);
    qq.show_qr().await;
    assert_eq!(qq.ask_qr().await[0], "66");
}

#[tokio::test]
async fn temporary_numbers_change_with_the_login() {
    let sandbox = sandbox().await;
    let first = Qq::log_in(sandbox.address, Way::Path).await;
    let (gid, code) = first.group().await;
    assert_eq!(first.group().await, (gid, code), "the same within a login");
    let second = Qq::log_in(sandbox.address, Way::Path).await;
    let (other_gid, other_code) = second.group().await;
    assert!(other_gid != gid && other_code != code);
    // The first client was thrown out by the second.
    assert_eq!(first.poll().await["result"][0]["poll_type"], "kick_message");
    assert_eq!(first.poll().await["retcode"], 103);
}

#[tokio::test]
async fn a_login_ends_after_47_hours() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    control(sandbox.address, "POST", "clock", &json!({"advance": "46h"})).await;
    assert_eq!(qq.groups().await["retcode"], 0);
    let held = tokio::spawn({
        let qq = qq.clone();
        async move { qq.poll().await }
    });
    wait_until_polling(&qq).await;
    control(sandbox.address, "POST", "clock", &json!({"advance": "1h"})).await;
    assert_eq!(held.await.unwrap()["retcode"], 100_000);
    assert_eq!(qq.poll().await["retcode"], 100_000);
    assert_eq!(qq.groups().await["retcode"], 100_000);
    assert_eq!(qq.online_buddies().await["retcode"], 100_000);
    assert_eq!(qq.login2().await["retcode"], 103);
}

pub(crate) async fn wait_until_polling(qq: &Qq) {
    let polling = async {
        loop {
            let state = control(qq.address, "GET", "state", &json!({})).await.1;
            if state["sessions"]
                .as_array()
                .unwrap()
                .iter()
                .any(|session| session["polling"] == true)
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), polling)
        .await
        .unwrap();
}

#[tokio::test]
async fn relink_goes_on_without_a_scan() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    say(sandbox.address, 222_333_444, "before").await;
    let r = json!({"ptwebqq": qq.ptwebqq, "clientid": 53_999_199, "psessionid": qq.psessionid, "key": "", "state": "online"});
    let answer = qq.post("d1.web2.qq.com/channel/login2", CHANNEL, &r).await;
    assert_eq!(answer["retcode"], 0);
    let old = std::mem::replace(
        &mut qq.psessionid,
        answer["result"]["psessionid"].as_str().unwrap().to_owned(),
    );
    assert_ne!(old, qq.psessionid);
    assert_eq!(qq.poll().await["result"][0]["value"]["content"][1], "before");
    let again = qq.post("d1.web2.qq.com/channel/login2", CHANNEL, &r).await;
    assert_eq!(again["retcode"], 103, "the old psessionid is no good any more");
    qq.psessionid = old;
    assert_eq!(qq.poll().await["retcode"], 103);
}

#[tokio::test]
async fn saved_cookies_are_enough() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let old = qq.psessionid.clone();
    assert_eq!(qq.login2().await["retcode"], 0);
    assert_eq!(qq.getvfwebqq().await["retcode"], 0);
    assert_eq!(qq.poll().await["retcode"], 103, "a new session is registered anew");
    assert_eq!(qq.online_buddies().await["retcode"], 0);
    say(sandbox.address, 222_333_444, "hi").await;
    assert_eq!(qq.poll().await["result"][0]["value"]["content"][1], "hi");
    qq.psessionid = old;
    assert_eq!(qq.poll().await["retcode"], 121);
}

#[tokio::test]
async fn supertoken_logs_in_without_a_scan() {
    let sandbox = sandbox().await;
    let mut qq = Qq::log_in(sandbox.address, Way::Host).await;
    let token = qq.cookie("ssl.ptlogin2.qq.com", "supertoken").unwrap();
    let time33 = token
        .bytes()
        .fold(0_u32, |e, c| e.wrapping_mul(33).wrapping_add(u32::from(c)));
    let path = format!("ssl.ptlogin2.qq.com/pt4_auth?daid=164&appid=501004106&auth_token={time33}");
    let answer = qq.get(&path, "").await.text().await.unwrap();
    let parts: Vec<_> = answer.split('\'').collect();
    assert_eq!((parts[0], parts[1]), ("ptui_auth_CB(", "0"), "{answer}");
    assert_eq!(qq.http.get(parts[3]).send().await.unwrap().status(), 302);
    assert_eq!(qq.getvfwebqq().await["retcode"], 0);
    assert_eq!(qq.login2().await["retcode"], 0);
    let wrong = qq
        .get("ssl.ptlogin2.qq.com/pt4_auth?auth_token=1", "")
        .await
        .text()
        .await
        .unwrap();
    assert!(wrong.starts_with("ptui_auth_CB('-1'"), "{wrong}");
}

#[tokio::test]
async fn kick_and_logout() {
    let sandbox = sandbox().await;
    assert_eq!(control(sandbox.address, "POST", "kick", &json!({})).await.0, 409);
    let qq = Qq::log_in(sandbox.address, Way::Path).await;
    say(sandbox.address, 222_333_444, "last words").await;
    assert_eq!(control(sandbox.address, "POST", "kick", &json!({})).await.0, 200);
    let answer = qq.poll().await;
    assert_eq!(answer["result"][0]["poll_type"], "kick_message");
    assert_eq!(answer["result"][1]["value"]["content"][1], "last words");
    assert_eq!(qq.poll().await["retcode"], 103);

    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    let time33 = |text: &str| {
        text.bytes()
            .fold(0_u32, |e, c| e.wrapping_mul(33).wrapping_add(u32::from(c)))
    };
    let (token, skey) = (
        qq.cookie("w.qq.com", "pt4_token").unwrap(),
        qq.cookie("w.qq.com", "skey").unwrap(),
    );
    let path = format!(
        "ptlogin2.qq.com/logout?pt4_token={token}&pt4_hkey={}&deep_logout=1",
        time33(&skey)
    );
    assert_eq!(qq.get(&path, "").await.status(), 200);
    assert_eq!(qq.groups().await["retcode"], 100_000);
    assert_eq!(qq.login2().await["retcode"], 103);
}

#[tokio::test]
async fn in_the_last_year_some_logins_have_no_ptwebqq() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..8 {
        let sandbox = sandbox_with(|options| {
            options.era = qq_sandbox::Era::Smart2018;
            options.seed = seed;
        })
        .await;
        let qq = Qq::log_in(sandbox.address, Way::Path).await;
        assert_eq!(qq.groups().await["retcode"], 0);
        lengths.insert(qq.ptwebqq.len());
    }
    assert!(lengths.into_iter().eq([0, 64]));
}

#[tokio::test]
async fn the_last_year_is_different() {
    let sandbox = sandbox_with(|options| options.era = qq_sandbox::Era::Smart2018).await;
    let mut qq = Qq::log_in(sandbox.address, Way::Path).await;
    assert_eq!(qq.ptwebqq.len(), 64);
    let (gid, code) = qq.group().await;
    qq.ptwebqq.clear();
    assert_eq!(qq.groups().await["retcode"], 0, "it may be left empty");
    assert_eq!(qq.getvfwebqq().await["retcode"], 0);
    let path = format!(
        "s.web2.qq.com/api/get_friend_uin2?tuin={code}&type=4&vfwebqq={}",
        qq.vfwebqq
    );
    assert_eq!(qq.get(&path, crate::client::LISTS).await.status(), 404);
    let body = json!({"from": 222_333_444, "message": [{"type": "face", "data": {"id": "14"}}]});
    control(sandbox.address, "POST", &format!("groups/{GROUP}/messages"), &body).await;
    let answer = qq.poll().await;
    assert_eq!(answer["result"][0]["value"]["content"][1], json!(["face", 0]));
    assert_eq!(answer["result"][0]["value"]["msg_type"], 4);
    let sent = qq.send(gid, &crate::client::content("hi")).await;
    assert_eq!(sent["retcode"], 0, "{sent}");
    assert_eq!(qq.poll().await["result"][0]["value"]["send_uin"], qq.uin);
}
