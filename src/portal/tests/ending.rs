//! Ends: by the gateway's stop, and by the removal of the row.

use super::*;

#[tokio::test]
async fn a_stop_finishes_everything_that_was_taken_from_both_sides() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    for n in 0..150 {
        lab.say(ANN, &format!("a{n}"), &format!("text {n}"));
    }
    for n in 0..150 {
        lab.said(GROUP, &format!("q{n}")).await;
    }
    lab.stop.cancel();
    while server.bodies(ANN).len() < 300 {
        server.next().await;
    }
    let store = lab.store.clone();
    let room = lab.room().await;
    assert_eq!(lab.ended().await, Ended::Stopped);
    let state = store.room_state(room).await.expect("a state");
    assert_eq!(state.confirmed, state.last);
    assert_eq!(state.sessions.len(), 1);
}

#[tokio::test]
async fn a_removed_row_tells_occupants_and_authors_also_when_the_connection_comes_later() {
    for connected in [true, false] {
        let lab = Lab::new();
        let mut server = lab.connect();
        lab.enter(ANN, "Ann");
        server.until_entered(ANN).await;
        lab.say(ANN, "a1", "one");
        server.until_body(ANN, "one").await;
        if !connected {
            lab.links.send_replace(None);
            drop(server);
            tokio::task::yield_now().await;
        }
        control(&lab, Control::Remove).await;
        if connected {
            continue;
        }
        let mut server = lab.connect();
        let left = server.until(ANN, |el| kind(el) == "unavailable").await;
        assert!(String::from(&left).contains("destroy"), "{left:?}");
        server
            .until(ANN, |el| is_error(el) && el.attr("id") == Some("a1"))
            .await;
        assert_eq!(lab.ended().await, Ended::Removed);
    }
}

#[tokio::test]
async fn an_event_of_a_group_that_a_reload_adds_waits_for_the_row() {
    let lab = Lab::new();
    let mut server = lab.connect();
    lab.enter(ANN, "Ann");
    server.until_entered(ANN).await;
    lab.said(OTHER, "early").await;
    lab.said(GROUP, "known").await;
    server.until_body(ANN, "known").await;
    let row = Settings {
        groups: vec![GROUP, OTHER],
        ..settings()
    };
    control(&lab, Control::Configure(Box::new(row))).await;
    server.until_body(ANN, "early").await;
}

#[tokio::test]
async fn the_operator_hears_which_group_is_not_there() {
    let lab = Lab::with(Settings {
        groups: vec![GROUP, OTHER],
        ..settings()
    });
    let mut health = lab.health.clone();
    let mut until = async |wanted: Health| {
        let seen = timeout(LIMIT, health.wait_for(|now| *now == wanted)).await;
        seen.expect("it is told").expect("the portal runs");
    };
    lab.act(OTHER, Act::Offline("not in it".into())).await;
    until(Health::NoGroup("not in it".into())).await;
    lab.act(GROUP, Act::Online { history: false }).await;
    lab.act(OTHER, Act::Online { history: false }).await;
    until(Health::Fine).await;
    lab.act(OTHER, Act::Offline("not in it".into())).await;
    until(Health::NoGroup("not in it".into())).await;
    // Without the row's second group nothing is missing.
    control(&lab, Control::Configure(Box::new(settings()))).await;
    until(Health::Fine).await;
}
