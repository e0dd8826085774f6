//! What was said while the gateway was dead, or the server was down, crosses when they are back: once, in order, unless it is too
//! old by then.

use std::time::Duration;

use anyhow::Context as _;
use lab::jabber::{RoomConfig, Stanza as _};
use lab::{Jabber, Kind, Options};
use minidom::Element;
use tokio::time::sleep;

use super::{QQ, archive, assemble, group, line, lines_until, person, room, row, said_by_bot, wait_in};
use crate::support::Bridge;
use crate::support::onebot::{CHEN, DMITRI};

const CATS: &str = "cats";
/// What is older is not passed on to QQ.
const GIVE_UP: Duration = Duration::from_secs(12);

async fn start(kind: Kind, options: Options, more: &str) -> anyhow::Result<Option<(Bridge, Jabber)>> {
    let rows = format!("{}{more}", row(0, CATS, ""));
    let Some((mut bridge, mut alice)) = assemble(kind, options, 1, &rows).await? else {
        return Ok(None);
    };
    let config = RoomConfig {
        persistent: Some(true),
        ..RoomConfig::default()
    };
    alice.create_room(&room(CATS), "Alice W", &config).await?;
    bridge.start_gateway().await?;
    wait_in(&mut alice, &room(CATS), QQ).await?;
    Ok(Some((bridge, alice)))
}

/// The gateway dies three times: unnoticed, for a moment, and for longer than words may wait.
async fn killed(kind: Kind, muc_archive: bool) -> anyhow::Result<()> {
    let options = Options {
        muc_archive,
        ..Options::default()
    };
    let relay = format!("[relay]\ngive_up = \"{}s\"\n", GIVE_UP.as_secs());
    let Some((mut bridge, mut alice)) = start(kind, options, &relay).await? else {
        return Ok(());
    };
    let mut bob = person(&bridge, "bob").await?;
    bob.join(&room(CATS), "Bob").await?;
    quietly(&mut bridge, &mut alice).await.with_context(|| bridge.log())?;
    for_a_moment(&mut bridge, &mut alice, &mut bob)
        .await
        .with_context(|| bridge.log())?;
    for_longer(&mut bridge, &mut alice).await.with_context(|| bridge.log())
}

async fn for_a_moment(bridge: &mut Bridge, alice: &mut Jabber, bob: &mut Jabber) -> anyhow::Result<()> {
    let cats = room(CATS);
    bridge.sandbox.say(group(0), DMITRI, "before").await?;
    assert_eq!(alice.wait_body(&cats, "before").await?.nick(), "Dmitri");
    alice.say(&cats, "before too").await?;
    bridge.sandbox.wait_text(group(0), 0, "Alice W: before too").await?;

    bridge.kill_gateway().await?;
    alice.take_all();
    let mut expected = vec!["Alice W: before too".to_owned()];
    for n in 0..3 {
        let said = format!("alone {n}");
        alice.say(&cats, &said).await?;
        bob.wait_body(&cats, &said).await?;
        expected.push(format!("Alice W: {said}"));
        let said = format!("indeed {n}");
        bob.say(&cats, &said).await?;
        alice.wait_body(&cats, &said).await?;
        expected.push(format!("Bob: {said}"));
    }
    bridge.sandbox.say(group(0), DMITRI, "missed").await?;
    bridge.start_gateway().await?;
    alice.say(&cats, "back again").await?;
    expected.push("Alice W: back again".to_owned());
    bridge.sandbox.say(group(0), CHEN, "the end").await?;
    let lines = lines_until(alice, &cats, "the end").await?;
    bridge.sandbox.wait_text(group(0), 0, "Alice W: back again").await?;
    assert_eq!(said_by_bot(bridge, group(0)).await?, expected);

    // What was missed is said by puppets: once, and nothing again.
    let by_qq: Vec<_> = lines
        .into_iter()
        .filter(|(nick, _)| nick != "Alice W" && nick != "Bob")
        .collect();
    assert_eq!(by_qq, [line("Dmitri", "missed"), line("三花的妈", "the end")]);
    Ok(())
}

/// While nobody says anything, the server does not notice: the puppet is still there, and is taken over.
async fn quietly(bridge: &mut Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let cats = room(CATS);
    bridge.sandbox.say(group(0), DMITRI, "here").await?;
    alice.wait_body(&cats, "here").await?;
    alice.take_all();
    bridge.kill_gateway().await?;
    bridge.start_gateway().await?;
    bridge.sandbox.say(group(0), DMITRI, "still here").await?;
    assert_eq!(alice.wait_body(&cats, "still here").await?.nick(), "Dmitri");
    let seen = alice.take_all();
    let left = |el: &&Element| el.name() == "presence" && el.kind() == "unavailable" && el.nick() == "Dmitri";
    assert_eq!(
        seen.iter().find(left).map(lab::jabber::Stanza::xml),
        None,
        "the puppet left"
    );
    Ok(())
}

async fn for_longer(bridge: &mut Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let cats = room(CATS);
    let before = said_by_bot(bridge, group(0)).await?.len();
    bridge.kill_gateway().await?;
    // A history knows whole seconds; what was said in the same second as the last that was heard counts as heard.
    sleep(Duration::from_millis(1100)).await;
    for old in ["old", "as old"] {
        alice.say(&cats, old).await?;
        alice.wait_body(&cats, old).await?;
    }
    sleep(GIVE_UP).await;
    alice.say(&cats, "young").await?;
    alice.wait_body(&cats, "young").await?;
    bridge.start_gateway().await?;
    bridge.sandbox.wait_text(group(0), 0, "Alice W: young").await?;
    let line = |el: &Element| el.nick() == QQ && el.body().is_some_and(|body| body.contains("not passed on to QQ"));
    let told = alice.wait(line, "a line about what is too old").await?;
    let told = told.body().unwrap_or_default();
    assert!(told.starts_with("2 messages were not passed on"), "{told}");
    let count = "（桥接曾中断，有 2 条较早的消息未转发到 QQ）";
    bridge.sandbox.wait_text(group(0), 0, count).await?;
    let mut said = said_by_bot(bridge, group(0)).await?.split_off(before);
    said.sort();
    assert_eq!(said, ["Alice W: young", count]);
    Ok(())
}

/// The server is stopped, and started again.
async fn server_down(kind: Kind) -> anyhow::Result<()> {
    let Some((mut bridge, alice)) = start(kind, Options::default(), "").await? else {
        return Ok(());
    };
    restarted(&mut bridge, alice).await.with_context(|| bridge.log())
}

async fn restarted(bridge: &mut Bridge, mut alice: Jabber) -> anyhow::Result<()> {
    let cats = room(CATS);
    bridge.sandbox.say(group(0), DMITRI, "before").await?;
    alice.wait_body(&cats, "before").await?;
    alice.say(&cats, "before too").await?;
    bridge.sandbox.wait_text(group(0), 0, "Alice W: before too").await?;

    bridge.server.stop().await?;
    drop(alice);
    let mut expected = vec![line("Dmitri", "before"), line("Alice W", "before too")];
    for n in 0..3 {
        for (qq, nick) in [(DMITRI, "Dmitri"), (CHEN, "三花的妈")] {
            let text = format!("down {n}");
            bridge.sandbox.say(group(0), qq, text.as_str()).await?;
            expected.push(line(nick, &text));
        }
    }
    bridge.server.start_again().await?;
    let mut alice = person(bridge, "alice").await?;
    alice.join(&cats, "Alice W").await?;
    // Perhaps before the listener is back.
    alice.say(&cats, "early").await?;
    bridge.sandbox.wait_text(group(0), 0, "Alice W: early").await?;
    alice.say(&cats, "later").await?;
    bridge.sandbox.wait_text(group(0), 0, "Alice W: later").await?;
    bridge.sandbox.say(group(0), DMITRI, "the end").await?;
    alice.wait_body(&cats, "the end").await?;
    let by_bot = said_by_bot(bridge, group(0)).await?;
    assert_eq!(by_bot, ["Alice W: before too", "Alice W: early", "Alice W: later"]);

    // Everything once, and what came from QQ in its order; she may have spoken in between.
    let mut said = archive(&mut alice, &cats).await?;
    said.retain(|(nick, body)| nick != "Alice W" || body == "before too");
    expected.push(line("Dmitri", "the end"));
    assert_eq!(said, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_beside_an_archive_of_prosody() -> anyhow::Result<()> {
    killed(Kind::Prosody, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_beside_an_archive_of_ejabberd() -> anyhow::Result<()> {
    killed(Kind::Ejabberd, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_beside_a_history_of_prosody() -> anyhow::Result<()> {
    killed(Kind::Prosody, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_beside_a_history_of_ejabberd() -> anyhow::Result<()> {
    killed(Kind::Ejabberd, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_of_prosody() -> anyhow::Result<()> {
    server_down(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_of_ejabberd() -> anyhow::Result<()> {
    server_down(Kind::Ejabberd).await
}
