//! Programs that connect to us.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::fake::{ALICE, Fake, GROUP, OWN, said};
use super::running::{Running, settings, text};
use crate::config::Reach;
use crate::model::QqNumber;
use crate::qq::onebot::Doors;
use crate::qq::{AccountEvent, SessionState};

/// An address that was free a moment ago.
pub(super) fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

fn own() -> String {
    OWN.to_string()
}

async fn listening(token: Option<&str>, doors: &Arc<Doors>, listen: SocketAddr, qq: Option<u64>) -> Running {
    let qq = qq.map(QqNumber);
    let running = Running::with(Fake::new(), settings(Reach::Listen { listen, qq }, token), doors);
    let open = async {
        while tokio::net::TcpStream::connect(listen).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::running::PATIENCE, open)
        .await
        .expect("the door opens");
    running
}

#[tokio::test]
async fn one_socket_for_all_and_a_newer_one_replaces_it() {
    let listen = free_address();
    let mut running = listening(None, &Arc::default(), listen, None).await;
    let fake = running.fake.clone();
    fake.connect(listen, &[("x-self-id", &own())]).await.expect("let in");
    running.ready().await;
    fake.tell(&said(GROUP, 1, ALICE, "one"));
    assert_eq!(text(&running.message().await), "one");
    fake.connect(listen, &[("x-self-id", &own()), ("x-client-role", "Universal")])
        .await
        .expect("let in");
    // The gap between the two is asked for.
    running.back().await;
    fake.tell(&said(GROUP, 2, ALICE, "two"));
    assert_eq!(text(&running.message().await), "two");
    running.stop().await;
}

#[tokio::test]
async fn calls_and_events_in_two_sockets_are_one_session() {
    let listen = free_address();
    let mut running = listening(None, &Arc::default(), listen, Some(OWN)).await;
    let fake = running.fake.clone();
    fake.connect(listen, &[("x-self-id", &own()), ("x-client-role", "Event")])
        .await
        .expect("let in");
    fake.connect(listen, &[("x-self-id", &own()), ("x-client-role", "API")])
        .await
        .expect("let in");
    running.ready().await;
    fake.tell(&said(GROUP, 1, ALICE, "one"));
    assert_eq!(text(&running.message().await), "one");
    // Half of it anew.
    fake.connect(listen, &[("x-self-id", &own()), ("x-client-role", "API")])
        .await
        .expect("let in");
    running.back().await;
    fake.tell(&said(GROUP, 2, ALICE, "two"));
    assert_eq!(text(&running.message().await), "two");
    running.stop().await;
}

#[tokio::test]
async fn tokens_are_judged_before_the_upgrade() {
    let listen = free_address();
    let mut running = listening(Some("s3"), &Arc::default(), listen, Some(OWN)).await;
    let fake = running.fake.clone();
    let own = own();
    let id = ("x-self-id", own.as_str());
    assert_eq!(fake.connect(listen, &[id]).await, Err(401));
    assert_eq!(
        fake.connect(listen, &[id, ("authorization", "Bearer s4")]).await,
        Err(403)
    );
    let stranger = [("x-self-id", "77"), ("authorization", "Bearer s3")];
    assert_eq!(fake.connect(listen, &stranger).await, Err(403));
    fake.connect(listen, &[id, ("authorization", "Token s3")])
        .await
        .expect("let in");
    running.ready().await;
    running.stop().await;
}

#[tokio::test]
async fn two_accounts_share_a_door_and_the_last_one_closes_it() {
    let (doors, listen) = (Arc::default(), free_address());
    let mut first = listening(None, &doors, listen, Some(OWN)).await;
    let mut second = listening(None, &doors, listen, Some(OWN + 100)).await;
    let mut other = second.fake.clone();
    other.own = OWN + 100;
    // The second does not say who it is: its answer does.
    other.connect(listen, &[]).await.expect("let in");
    let online = AccountEvent::State(SessionState::Online(QqNumber(OWN + 100)));
    second.account(|event| (*event == online).then_some(())).await;
    first
        .fake
        .connect(listen, &[("x-self-id", &own())])
        .await
        .expect("let in");
    first.ready().await;
    first.stop().await;
    assert!(tokio::net::TcpStream::connect(listen).await.is_ok());
    second.stop().await;
    let closed = async {
        while tokio::net::TcpStream::connect(listen).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::running::PATIENCE, closed)
        .await
        .expect("the door closes");
}

#[tokio::test]
async fn a_door_opens_again_at_once() {
    let (doors, listen) = (Arc::<Doors>::default(), free_address());
    for _ in 0..5 {
        let place = || doors.place(listen, None, None, Duration::from_secs(20));
        // Two at a time: one opens, the other joins.
        let (one, other) = tokio::join!(place(), place());
        drop(one.expect("the address is free"));
        drop(other.expect("the door is open"));
    }
}

#[tokio::test]
async fn a_number_that_is_not_expected_is_named() {
    let listen = free_address();
    let mut running = listening(Some("s3"), &Arc::default(), listen, Some(OWN)).await;
    let stranger = [("x-self-id", "77"), ("authorization", "Bearer s3")];
    assert_eq!(running.fake.connect(listen, &stranger).await, Err(403));
    let expected = format!("QQ 77 connected, but `qq` says {OWN}; change one of them");
    assert_eq!(running.needs().await, expected);
    let own = own();
    let headers = [("x-self-id", own.as_str()), ("authorization", "Bearer s3")];
    running.fake.clone().connect(listen, &headers).await.expect("let in");
    running.ready().await;
    running.stop().await;
}

#[tokio::test]
async fn the_half_that_is_missing_is_named() {
    for (came, missing) in [("API", "Event"), ("Event", "API")] {
        let listen = free_address();
        let mut running = listening(None, &Arc::default(), listen, None).await;
        let fake = running.fake.clone();
        let own = own();
        fake.connect(listen, &[("x-self-id", &own), ("x-client-role", came)])
            .await
            .expect("let in");
        let words = format!("let it connect its {missing} client as well");
        while !running.degraded().await.contains(&words) {}
        running.stop().await;
    }
}

#[tokio::test]
async fn the_wrong_account_is_for_a_person() {
    let listen = free_address();
    let mut running = listening(None, &Arc::default(), listen, Some(OWN + 1)).await;
    let fake = running.fake.clone();
    // Its header lies.
    fake.connect(listen, &[("x-self-id", &(OWN + 1).to_string())])
        .await
        .expect("let in");
    assert!(running.needs().await.contains("change one of them"));
    running.stop().await;
}
