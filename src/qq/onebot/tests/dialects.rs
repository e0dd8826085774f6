//! Programs that are not `NapCat`.

use serde_json::json;
use tokio::sync::oneshot;

use super::fake::{ALICE, Fake, GROUP, Reply, notice, said};
use super::running::{CATS, Running, settings, text};
use crate::config::Reach;
use crate::model::Handle;
use crate::qq::{Act, Command, Outcome};

async fn started(app: &str) -> Running {
    let fake = Fake::new();
    fake.with(|state| app.clone_into(&mut state.app));
    Running::start(fake).await
}

#[tokio::test]
async fn lagrange_tells_files_once_and_reacts_in_its_own_way() {
    let mut running = started("Lagrange.OneBot").await;
    running.ready().await;
    let file = json!({"id": "/x", "name": "a.zip", "size": 10, "busid": 104, "url": "http://127.0.0.1/x"});
    let upload = json!({"group_id": GROUP, "user_id": ALICE, "file": file});
    running.fake.tell(&notice("group_upload", upload));
    assert!(text(&running.message().await).contains("a.zip"));
    running.fake.tell(&said(GROUP, 5, ALICE, "no number"));
    assert_eq!(running.message().await.id.0.as_ref(), "id:5000005:1776000005");
    running.fake.reply("set_group_reaction", [Reply::Data(json!(null))]);
    let (reply, outcome) = oneshot::channel();
    let react = Command::React {
        group: CATS,
        handle: Handle("5".into()),
        emoji: "👍".into(),
        added: true,
        reply,
    };
    assert_eq!(running.wish(react, outcome).await, Outcome::Sent(None));
    let (_, params) = running.fake.with(|state| state.calls.last().cloned()).expect("a call");
    assert_eq!(params["code"], "128077");
    running.stop().await;
}

#[tokio::test]
async fn a_program_without_history_says_so() {
    let fake = Fake::new();
    fake.with(|state| "euler".clone_into(&mut state.app));
    fake.reply("get_group_msg_history", [Reply::Fail(1404, "unknown")]);
    let mut running = Running::start(fake).await;
    let history = running.find(|act| match act {
        Act::Online { history } => Some(*history),
        _ => None,
    });
    assert!(!history.await);
    running.stop().await;
}

#[tokio::test]
async fn half_an_address_opens_both_sockets() {
    let fake = Fake::new();
    let url = format!("{}event", fake.listen().await).parse().expect("a url");
    let mut running = Running::with(fake, settings(Reach::Connect(url), None), &std::sync::Arc::default());
    running.ready().await;
    running.fake.tell(&said(GROUP, 5, ALICE, "heard"));
    assert_eq!(text(&running.message().await), "heard");
    running.stop().await;
}
