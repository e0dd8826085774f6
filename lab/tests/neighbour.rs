//! Rooms of another server, over a wire that is cut and mended.

use std::time::{Duration, Instant};

use lab::jabber::{RoomConfig, Stanza};
use lab::{Jabber, Kind, Neighbour, Options, Server};
use tokio::time::sleep;

/// Longer than the servers take to notice, to give up and to try again.
const LIMIT: Duration = Duration::from_secs(30);

async fn start(kind: Kind) -> anyhow::Result<Option<(Neighbour, Server)>> {
    let wanted = ["prosody", kind.name(), "prosody-modules", "namespaces"];
    if !wanted.into_iter().all(lab::available) {
        return Ok(None);
    }
    let neighbour = Neighbour::start(&Options::default()).await?;
    let options = Options {
        neighbour: Some(neighbour.wire()),
        ..Options::default()
    };
    let server = Server::start(kind, &options).await?;
    Ok(Some((neighbour, server)))
}

/// What a server says when no connection comes about.
fn unreachable(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Prosody => ("cancel", "remote-server-not-found"),
        Kind::Ejabberd => ("wait", "remote-server-timeout"),
    }
}

async fn people_meet(kind: Kind) -> anyhow::Result<()> {
    let Some((mut neighbour, server)) = start(kind).await? else {
        return Ok(());
    };
    let room = format!("lab@{}", neighbour.server().muc_service());
    let mut nora = Jabber::connect(neighbour.server(), "carol", "one").await?;
    let mut alice = Jabber::connect(&server, "alice", "one").await?;
    for person in [&mut nora, &mut alice] {
        person.set_limit(LIMIT);
    }
    assert_eq!(
        (nora.bare_jid(), room.as_str()),
        ("carol@neighbour.test", "lab@rooms.neighbour.test")
    );
    nora.create_room(&room, "Nora", &RoomConfig::default()).await?;
    alice.join(&room, "Alice").await?;
    alice.say(&room, "hello over there").await?;
    nora.wait_body(&room, "hello over there").await?;
    alice.wait_body(&room, "hello over there").await?;

    // Silence for a while: nothing is lost.
    neighbour.cut()?;
    alice.say(&room, "is anybody there").await?;
    nora.say(&room, "it is quiet").await?;
    nora.wait_body(&room, "it is quiet").await?;
    let early = nora
        .take_all()
        .iter()
        .any(|el| el.body().as_deref() == Some("is anybody there"));
    assert!(!early, "the wire was not cut");
    neighbour.heal()?;
    nora.wait_body(&room, "is anybody there").await?;
    alice.wait_body(&room, "it is quiet").await?;

    // Both servers know that the other one is gone, and the room puts out whom it cannot reach.
    neighbour.cut()?;
    neighbour.reset()?;
    let lost = alice.say(&room, "and now").await?;
    let bounce = alice
        .wait(|el| el.kind() == "error" && el.id() == lost, "bounce")
        .await?;
    let (kind, condition) = unreachable(kind);
    assert_eq!(
        (bounce.error_type(), bounce.error_condition()),
        (Some(kind), Some(condition))
    );
    nora.say(&room, "nobody").await?;
    let is_out = |el: &_| Stanza::nick(el) == "Alice" && Stanza::kind(el) == "unavailable";
    assert!(nora.wait(is_out, "end of Alice").await?.has_status(333));
    neighbour.heal()?;
    // What goes over a connection that the other side does not know any more is lost: like every client, she tries again.
    let begun = Instant::now();
    alice.set_limit(LIMIT / 6);
    while let Err(refused) = alice.join(&room, "Alice").await {
        assert!(begun.elapsed() < LIMIT * 2, "{refused:#}");
        sleep(Duration::from_millis(200)).await;
    }
    alice.set_limit(LIMIT);
    alice.say(&room, "here I am again").await?;
    nora.wait_body(&room, "here I am again").await?;
    alice.wait_body(&room, "here I am again").await?;
    Ok(())
}

/// Each has its own addresses, devices and processes.
#[tokio::test]
async fn two_neighbours_do_not_meet() -> anyhow::Result<()> {
    if !["prosody", "namespaces"].into_iter().all(lab::available) {
        return Ok(());
    }
    let options = Options::default();
    let (mut one, other) = tokio::try_join!(Neighbour::start(&options), Neighbour::start(&options))?;
    assert_ne!(one.server().address(), other.server().address());
    one.cut()?;
    for neighbour in [&one, &other] {
        Jabber::connect(neighbour.server(), "alice", "one")
            .await?
            .sync("neighbour.test")
            .await?;
    }
    one.server_mut().restart().await?;
    Jabber::connect(one.server(), "bob", "one")
        .await?
        .sync("neighbour.test")
        .await
}

#[tokio::test]
async fn people_meet_in_a_room_of_prosody_s_neighbour() -> anyhow::Result<()> {
    people_meet(Kind::Prosody).await
}

#[tokio::test]
async fn people_meet_in_a_room_of_ejabberd_s_neighbour() -> anyhow::Result<()> {
    people_meet(Kind::Ejabberd).await
}
