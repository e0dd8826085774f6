//! What `check --online` says of an account.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, GROUP, OWN, Reply, said};
use super::running::{CATS, settings};
use crate::model::{GroupNumber, QqNumber, Timestamp};
use crate::qq::onebot::{Findings, Reach, Settings, probe};

async fn probed(fake: &Fake, token: Option<&str>, groups: &[GroupNumber]) -> Findings {
    let url = fake.listen().await.parse().expect("a url");
    looked_at(settings(Reach::Connect(url), token), groups, Duration::from_secs(5)).await
}

async fn looked_at(settings: Settings, groups: &[GroupNumber], patience: Duration) -> Findings {
    let mut found = probe(&[(settings, groups.to_vec())], patience).await;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Comes again and again, as programs do, until it is let in.
async fn come(fake: &Fake, listen: SocketAddr, headers: &[(&'static str, &str)]) {
    loop {
        if tokio::net::TcpStream::connect(listen).await.is_ok() && fake.connect(listen, headers).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn has(sentences: &[String], words: &str) -> bool {
    sentences.iter().any(|sentence| sentence.contains(words))
}

#[tokio::test]
async fn a_good_account_lacks_nothing() {
    let fake = Fake::new();
    fake.with(|state| state.history.insert(GROUP, vec![said(GROUP, 1, OWN, "mine")]));
    let found = probed(&fake, None, &[CATS]).await;
    assert_eq!(found.lacking, Vec::<String>::new());
    assert!(has(&found.hints, "reportSelfMessage"), "{found:?}");
    assert_eq!(fake.count("send_group_msg"), 0);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let fake = Fake::new();
    let hour = Timestamp::now().0 / 1000 + 3600;
    fake.with(|state| {
        state.members.get_mut(&GROUP).expect("members")[0]["shut_up_timestamp"] = hour.into();
        let mut text = said(GROUP, 1, OWN, "");
        text["message"] = "[CQ:face,id=1]".into();
        state.history.insert(GROUP, vec![text]);
    });
    fake.reply("get_status", [Reply::Data(json!({"online": false}))]);
    let found = probed(&fake, None, &[CATS, GroupNumber(5)]).await;
    assert!(has(&found.lacking, "logged out"), "{found:?}");
    assert!(has(&found.lacking, "not in group 5"), "{found:?}");
    assert!(has(&found.lacking, "may not speak"), "{found:?}");
    assert!(has(&found.hints, "messagePostFormat"), "{found:?}");
}

#[tokio::test]
async fn doors_that_do_not_open_say_why() {
    let fake = Fake::new();
    fake.with(|state| state.token = Some("right"));
    let found = probed(&fake, Some("wrong"), &[CATS]).await;
    assert!(has(&found.lacking, "access token"), "{found:?}");

    let fake = Fake::new();
    fake.reply("get_login_info", [Reply::Silence]);
    let nobody = settings(
        Reach::Connect(
            format!("ws://{}/", super::doors::free_address())
                .parse()
                .expect("a url"),
        ),
        None,
    );
    let found = looked_at(nobody, &[], Duration::from_secs(5)).await;
    assert!(has(&found.lacking, "nothing listens"), "{found:?}");

    let listen = super::doors::free_address();
    let listening = settings(Reach::Listen { listen, qq: None }, None);
    let found = looked_at(listening, &[], Duration::from_millis(100)).await;
    assert!(has(&found.lacking, "no OneBot program connected"), "{found:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_in_an_answer_is_named() {
    let fake = Fake::new();
    fake.reply("get_login_info", [Reply::Fail(1403, "token验证失败")]);
    let found = probed(&fake, None, &[CATS]).await;
    let sentence =
        "account main: the OneBot program refuses the access token: write the same `access_token` here and there";
    assert_eq!(found.lacking, [sentence]);
}

#[tokio::test]
async fn a_program_without_a_list_of_groups_lacks_nothing() {
    let fake = Fake::new();
    fake.reply("get_group_list", [Reply::Fail(1404, "unknown")]);
    let found = probed(&fake, None, &[CATS]).await;
    assert_eq!(found.lacking, Vec::<String>::new());
    assert!(has(&found.hints, "no list of groups"), "{found:?}");
    assert_eq!(fake.count("get_group_msg_history"), 1);
}

#[tokio::test]
async fn text_that_is_seen_twice_is_said_once() {
    let fake = Fake::new();
    let mut words = said(GROUP, 1, OWN, "");
    words["message"] = "[CQ:face,id=1]".into();
    fake.with(|state| state.history.insert(GROUP, vec![words.clone()]));
    // Until the words were heard, too.
    let late = Reply::Late(
        Duration::from_millis(200),
        json!([{"group_id": GROUP, "group_name": "cats"}]),
    );
    fake.reply("get_group_list", [late]);
    let speaking = async {
        loop {
            fake.tell(&words);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::select! {
        found = probed(&fake, None, &[CATS]) => found,
        () = speaking => unreachable!("it speaks without end"),
    };
    let said = found.hints.iter().filter(|hint| hint.contains("CQ text")).count();
    assert_eq!(said, 1, "{found:?}");
}

#[tokio::test]
async fn a_slow_program_holds_nobody_up() {
    let fake = Fake::new();
    fake.reply("get_group_member_info", [Reply::Silence]);
    fake.reply("get_group_msg_history", [Reply::Silence]);
    let url = fake.listen().await.parse().expect("a url");
    let groups = [CATS, GroupNumber(super::fake::OTHER)];
    let patience = Duration::from_millis(200);
    let looking = looked_at(settings(Reach::Connect(url), None), &groups, patience);
    let found = tokio::time::timeout(patience * 15, looking).await.expect("an end");
    assert_eq!(found.lacking, Vec::<String>::new());
    assert!(has(&found.hints, "2 of its groups were not looked at"), "{found:?}");
}

#[tokio::test]
async fn accounts_that_share_a_listener_are_looked_at_together() {
    let listen = super::doors::free_address();
    let numbers = [OWN, OWN + 100];
    let accounts = numbers.map(|number| {
        let qq = Some(QqNumber(number));
        (settings(Reach::Listen { listen, qq }, Some("s3")), vec![CATS])
    });
    let fakes = numbers.map(|number| {
        let mut fake = Fake::new();
        fake.own = number;
        fake
    });
    let own = numbers.map(|number| number.to_string());
    let headers = |n: usize| [("x-self-id", own[n].as_str()), ("authorization", "Bearer s3")];
    let (first, second) = (headers(0), headers(1));
    let (found, ..) = tokio::join!(
        probe(&accounts, Duration::from_secs(5)),
        come(&fakes[0], listen, &first),
        come(&fakes[1], listen, &second),
    );
    assert_eq!(found.len(), 2);
    for found in found {
        assert_eq!(found.lacking, Vec::<String>::new());
    }
}

#[tokio::test]
async fn who_came_instead_is_named() {
    let patience = Duration::from_millis(500);
    let own = OWN.to_string();
    let id = ("x-self-id", own.as_str());
    for (headers, words) in [
        (
            vec![id, ("authorization", "Bearer s3")],
            format!("QQ {OWN} connected, but `qq` says 5; change one of them"),
        ),
        (
            vec![
                ("x-self-id", "5"),
                ("authorization", "Bearer s3"),
                ("x-client-role", "API"),
            ],
            "only the API client of the OneBot program has connected: let it connect its Event client as well"
                .to_owned(),
        ),
        (
            vec![
                ("x-self-id", "5"),
                ("authorization", "Bearer s3"),
                ("x-client-role", "Event"),
            ],
            "let it connect its API client as well".to_owned(),
        ),
        (
            vec![("x-self-id", "5"), ("authorization", "Bearer s4")],
            "a wrong access token".to_owned(),
        ),
    ] {
        let listen = super::doors::free_address();
        let qq = Some(QqNumber(5));
        let looking = looked_at(settings(Reach::Listen { listen, qq }, Some("s3")), &[CATS], patience);
        let fake = Fake::new();
        let coming = async {
            come(&fake, listen, &headers).await;
            std::future::pending::<()>().await;
        };
        let found = tokio::select! {
            found = looking => found,
            () = coming => unreachable!("it stays"),
        };
        assert!(has(&found.lacking, &words), "{found:?}");
        assert_eq!(found.lacking.len(), 1, "{found:?}");
    }
}
