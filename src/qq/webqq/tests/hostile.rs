//! Mangled poll answers through everything that hears them, with a far side that answers nothing.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tokio::sync::mpsc;

use super::fake::{CODE, GID, LI, OWN};
use super::{Boxes, GROUP, Login, Pace, Settings};
use crate::config::Secret;
use crate::model::words::plain_text;
use crate::model::{AccountName, Language, QqNumber, Role};
use crate::qq::text::is_legal;
use crate::qq::webqq::api::{Api, Of};
use crate::qq::webqq::contacts::{Group, Person};
use crate::qq::webqq::era::Era;
use crate::qq::webqq::event::Seen;
use crate::qq::webqq::http::Http;
use crate::qq::webqq::session::Session;
use crate::qq::webqq::{endpoint, mangled};
use crate::qq::{AccountEvent, Act, GroupEvent};

const BATCHES: usize = 200;

fn session(group: mpsc::Sender<GroupEvent>, account: mpsc::Sender<AccountEvent>) -> Session {
    rustls::crypto::ring::default_provider().install_default().ok();
    let server: url::Url = "http://127.0.0.1:1".parse().expect("a URL");
    let http = Http::new(endpoint::Endpoint::new(server.clone()).expect("an endpoint"), Era::W13).expect("clients");
    let login = Login::Password {
        qq: QqNumber(OWN),
        password: Secret::new("secret"),
    };
    let settings = Settings {
        name: AccountName("main".into()),
        server,
        login: login.clone(),
        send_every: Settings::send_every(&login),
        pace: Pace::default(),
    };
    let inbox = Arc::new(Boxes {
        name: None,
        slow: Arc::default(),
        group,
        account,
    });
    let session = Session::new(settings, Api::new(http), inbox);
    session.api.tokens().uin = OWN;
    known(&session);
    session
}

/// What the session would know after a login.
fn known(session: &Session) {
    let group = Group {
        gid: GID,
        code: CODE,
        name: "Rust".into(),
        mark: String::new(),
        blocked: false,
    };
    let li = Person {
        uin: LI,
        nick: "li".into(),
        card: "李四".into(),
        role: Role::Member,
    };
    let mut roster = session.roster();
    roster.groups = vec![group.clone()];
    roster.numbers.tell(LI, Of::Person, 222_333_444);
    roster.numbers.tell(CODE, Of::Group, GROUP.0);
    let mapped = roster.mapped.entry(GROUP).or_default();
    mapped.group = Some(group);
    mapped.take_people(vec![li], false);
}

fn is_fit(text: &str) -> bool {
    text.chars().all(is_legal) && !text.is_empty()
}

#[tokio::test]
async fn mangled_answers_never_end_it_and_never_get_through_as_they_are() {
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(20_130_415),
        failure_persistence: None,
        ..Config::default()
    });
    let (to_group, mut group) = mpsc::channel(1000);
    let (to_account, mut account) = mpsc::channel(1000);
    let session = session(to_group, to_account);
    let (mut said, mut told, mut count) = (0, 0, 5000_u64);
    for _ in 0..BATCHES {
        let mut batch = mangled::batch().new_tree(&mut runner).expect("a batch").current();
        for event in &mut batch {
            // Else most would be repetitions of the first.
            if let Some(seq) = event.pointer_mut("/value/seq").filter(|seq| seq.as_u64() == Some(1071)) {
                count += 1;
                *seq = count.into();
            }
        }
        session.receive(&batch, &mut Seen::default()).await.ok();
        while let Ok(event) = group.try_recv() {
            assert_eq!(event.group, GROUP);
            let Act::Said(message) = event.act else { continue };
            let text = plain_text(&message.parts, Language::En);
            assert!(is_fit(&text) && text.len() < 100_000, "{text:.100}");
            assert!(is_fit(&message.id.to_string()) && is_fit(&message.sender.shown_name()));
            said += 1;
        }
        while let Ok(event) = account.try_recv() {
            let AccountEvent::ForAdmins(sentence) = event else {
                continue;
            };
            assert!(is_fit(&sentence) && sentence.chars().count() < 2500, "{sentence:.100}");
            told += 1;
        }
        if session.roster().mapped[&GROUP].group.is_none() {
            known(&session);
        }
    }
    assert!(said > 20 && told > 10, "{said} {told}");
}
