//! The password login of 2013, from the check to the first poll.

use super::*;
use crate::config::Secret;
use crate::qq::webqq::hash::Variant;
use fake::password::{PASSWORD, SHOWN};

fn by_password(password: &str) -> impl FnOnce(&mut Settings) {
    let login = Login::Password {
        qq: QqNumber(OWN),
        password: Secret::new(password),
    };
    move |settings| {
        settings.login = login;
        settings.pace.password_again = Duration::from_millis(20);
    }
}

async fn start(fake: Fake, saved: Option<Vec<u8>>) -> Running {
    Running::start_as(fake, saved, None, by_password(PASSWORD)).await
}

fn captcha(state: &SessionState) -> Option<Vec<u8>> {
    match state {
        SessionState::NeedsOperator(Need::Captcha { picture }) => Some(picture.to_vec()),
        _ => None,
    }
}

#[tokio::test]
async fn logs_in_hears_speaks_and_resumes() {
    let mut running = start(Fake::default(), None).await;
    running.online().await;
    running.fake.script().polls.push_back(said(7, "hi"));
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "hi");
    assert_eq!(running.say("hello").await, Outcome::Sent(None));
    {
        let script = running.fake.script();
        let log = script.log.join("\n");
        let order = [
            "ui.ptlogin2.qq.com /cgi-bin/login",
            "ssl.ptlogin2.qq.com /check",
            "ssl.ptlogin2.qq.com /login",
            "ptlogin4.web2.qq.com /check_sig",
            "d.web2.qq.com /channel/login2",
            "s.web2.qq.com /api/get_group_name_list_mask2",
            "d.web2.qq.com /channel/get_online_buddies2",
            "d.web2.qq.com /channel/poll2",
        ];
        let places: Vec<_> = order.iter().map(|call| log.find(call)).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{log}");
        assert!(log.contains("web.qq.com /web2/get_msg_tip"));
        assert!(log.contains("s.web2.qq.com /api/get_friend_info2"));
        assert!(!log.contains("getvfwebqq") && !log.contains("ptqrshow") && !log.contains("d1.web2.qq.com"));
        // The page of 2013 told its own name as a text, and beside the JSON.
        let clientid = script.sends[0]["clientid"].as_str().expect("a text").to_owned();
        assert!(script.forms.iter().all(|form| form["clientid"] == clientid.as_str()));
        assert!(!log.contains(PASSWORD));
    }
    let saved = running.stop().await;
    assert!(!String::from_utf8_lossy(saved.as_deref().expect("a state")).contains(PASSWORD));

    let mut running = start(Fake::default(), saved.clone()).await;
    running.online().await;
    assert_eq!(running.fake.asked("/check") + running.fake.asked("login2"), 0);
    running.stop().await;

    // A login by QR code has no use for it.
    let mut running = Running::start(Fake::default(), saved, None).await;
    running.state(qr).await;
    running.stop().await;
}

#[tokio::test]
async fn a_captcha_is_shown_until_it_is_read_right() {
    let fake = Fake::default();
    fake.script().password.captchas = 1;
    let mut running = start(fake, None).await;
    running
        .commands
        .send(Command::Captcha("too early".into()))
        .await
        .expect("the session runs");
    assert_eq!(running.state(captcha).await, b"\xff\xd8\xff1");
    for wrong in ["  ", "a whole sentence of words", "wrng"] {
        let typed = Command::Captcha(wrong.into());
        running.commands.send(typed).await.expect("the session runs");
    }
    assert_eq!(running.state(captcha).await, b"\xff\xd8\xff2");
    assert_eq!(running.fake.asked("ptlogin2.qq.com /login"), 1);
    let typed = Command::Captcha(format!(" {} ", SHOWN.to_uppercase()));
    running.commands.send(typed).await.expect("the session runs");
    running.online().await;
    running.stop().await;
}

#[tokio::test]
async fn an_old_captcha_is_replaced_and_after_ten_it_waits_for_an_admin() {
    let fake = Fake::default();
    fake.script().password.captchas = 1;
    let mut running = Running::start_as(fake, None, None, |settings| {
        by_password(PASSWORD)(settings);
        settings.pace.captcha = Duration::from_millis(20);
    })
    .await;
    let why = running.state(attention).await;
    assert!(why.contains("captcha") && why.contains("login main"), "{why}");
    assert_eq!(running.fake.asked("getimage"), 10);
    assert_eq!(running.fake.asked("ptlogin2.qq.com /login"), 0);
    running.commands.send(Command::Login).await.expect("the session runs");
    running.state(captcha).await;
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let mut running = Running::start_as(Fake::default(), None, None, by_password("another")).await;
    let why = running.state(attention).await;
    assert!(why.contains("the password is wrong"), "{why}");
    assert_eq!(running.fake.asked("ptlogin2.qq.com /login"), 1);
    running.commands.send(Command::Login).await.expect("the session runs");
    running
        .state(|state| (*state == SessionState::Starting).then_some(()))
        .await;
    running.state(attention).await;
    assert_eq!(running.fake.asked("ptlogin2.qq.com /login"), 2);
    running.stop().await;
}

#[tokio::test]
async fn refusals_are_told_and_do_not_go_on_for_ever() {
    for (codes, word) in [
        (vec![19], "frozen"),
        (vec![2], "expired"),
        (vec![10005], "QR code"),
        (vec![7; 5], "code 7"),
        (vec![1, 5, 6, 71, 24], "code 24"),
        (vec![4; 5], "code"),
    ] {
        let fake = Fake::default();
        let times = codes.len();
        fake.script().password.codes = codes.into();
        let mut running = start(fake, None).await;
        let why = running.state(attention).await;
        assert!(why.contains(word), "{why}");
        assert_eq!(running.fake.asked("ptlogin2.qq.com /login"), times, "{why}");
        running.stop().await;
    }
    let fake = Fake::default();
    fake.script().password.codes = [8].into();
    let mut running = start(fake, None).await;
    let wait =
        |state: &SessionState| matches!(state, SessionState::Degraded(why) if why.contains("code 8")).then_some(());
    running.state(wait).await;
    running.commands.send(Command::Login).await.expect("the session runs");
    running.online().await;
    running.stop().await;
}

#[tokio::test]
async fn a_lost_login_is_made_anew_without_a_person_but_not_in_a_storm() {
    let mut running = Running::start_as(Fake::default(), None, None, |settings| {
        by_password(PASSWORD)(settings);
        settings.pace.settled = Duration::ZERO;
    })
    .await;
    running.online().await;
    let lost = json!({"retcode": 108, "errmsg": ""}).to_string();
    running
        .fake
        .script()
        .polls
        .extend([said(1, "one"), lost.clone(), said(2, "two")]);
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "one");
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "two");
    assert_eq!(running.fake.asked("ptlogin2.qq.com /login"), 2);
    running.stop().await;

    let fake = Fake::default();
    let idle = json!({"retcode": 102, "errmsg": ""}).to_string();
    for _ in 0..20 {
        fake.script().polls.extend([idle.clone(), lost.clone()]);
    }
    let mut running = start(fake, None).await;
    let why = running.state(attention).await;
    assert!(why.contains("soon after"), "{why}");
    assert!(running.fake.asked("ptlogin2.qq.com /login") <= 5);
    running.stop().await;
}

#[tokio::test]
async fn a_lost_link_is_opened_without_the_password() {
    let mut running = start(Fake::default(), None).await;
    running.online().await;
    running.fake.script().polls.extend([
        json!({"retcode": 116, "p": "renewed"}).to_string(),
        json!({"retcode": 121, "t": "0"}).to_string(),
        said(3, "again"),
    ]);
    assert_eq!(plain_text(&running.message().await.parts, Language::Zh), "again");
    assert_eq!(running.fake.asked("login2"), 2);
    assert_eq!(running.fake.asked("/check"), 1);
    let saved = running.stop().await;
    assert!(String::from_utf8_lossy(saved.as_deref().expect("a state")).contains("renewed"));

    let fake = Fake::default();
    let lost = json!({"retcode": 103});
    fake.script().instead.insert("get_online_buddies2", [lost].into());
    let mut running = start(fake, saved).await;
    running.online().await;
    assert_eq!(running.fake.asked("login2"), 1);
    assert_eq!(running.fake.asked("/check"), 0);
    running.stop().await;
}

#[tokio::test]
async fn the_hash_that_the_service_takes_is_found_and_remembered() {
    for variant in [Variant::O, Variant::Q, Variant::N, Variant::Absent] {
        let fake = Fake::default();
        fake.script().hash = Some(variant);
        let mut running = start(fake, None).await;
        assert_eq!(running.act().await, Act::Online { history: false });
        running.online().await;
        let saved = running.stop().await;

        let fake = Fake::default();
        fake.script().hash = Some(variant);
        let mut running = start(fake, saved).await;
        running.online().await;
        assert_eq!(running.fake.asked("get_user_friends2"), 1, "{variant:?}");
        assert_eq!(running.fake.asked("get_group_name_list_mask2"), 1, "{variant:?}");
        running.stop().await;
    }
}
