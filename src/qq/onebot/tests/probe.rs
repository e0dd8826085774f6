//! What `check --online` says of an account.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, GROUP, OWN, Reply, said};
use super::running::{CATS, settings};
use crate::model::{GroupNumber, Timestamp};
use crate::qq::onebot::{Findings, Reach, probe};

async fn probed(fake: &Fake, token: Option<&str>, groups: &[GroupNumber]) -> Findings {
    let url = fake.listen().await.parse().expect("a url");
    let settings = settings(Reach::Connect(url), token);
    probe(&settings, &Arc::default(), groups, Duration::from_secs(5)).await
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
    let found = probe(&nobody, &Arc::default(), &[], Duration::from_secs(5)).await;
    assert!(has(&found.lacking, "nothing listens"), "{found:?}");

    let listen = super::doors::free_address();
    let listening = settings(Reach::Listen { listen, qq: None }, None);
    let found = probe(&listening, &Arc::default(), &[], Duration::from_millis(100)).await;
    assert!(has(&found.lacking, "no OneBot program connected"), "{found:?}");
}
