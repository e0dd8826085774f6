//! A room on another server: the way there breaks, and what was said on both sides of the break arrives once it is mended.

use anyhow::Context as _;
use lab::jabber::RoomConfig;
use lab::{Jabber, Kind, Neighbour, Options};

use super::{LIMIT, QQ, archive, assemble, group, line, said_by_bot, wait_in, wait_out};
use crate::support::Bridge;
use crate::support::onebot::{CHEN, DMITRI};

const ROOM: &str = "cats@rooms.neighbour.test";

async fn neighbour(kind: Kind) -> anyhow::Result<()> {
    let wanted = ["prosody", kind.name(), "prosody-modules", "namespaces"];
    if !wanted.into_iter().all(lab::available) {
        return Ok(());
    }
    let mut neighbour = Neighbour::start(&Options::default()).await?;
    let options = Options {
        neighbour: Some(neighbour.wire()),
        ..Options::default()
    };
    let row = format!("[[mapping]]\ngroup = {}\nroom = \"{ROOM}\"\n", group(0));
    let Some((mut bridge, _admin)) = assemble(kind, options, 1, &row).await? else {
        return Ok(());
    };
    let mut nora = Jabber::connect(neighbour.server(), "carol", "desk").await?;
    nora.set_limit(LIMIT * 2);
    let persistent = RoomConfig {
        persistent: Some(true),
        ..RoomConfig::default()
    };
    nora.create_room(ROOM, "Nora", &persistent).await?;
    bridge.start_gateway().await?;
    let crossed = cross(&mut neighbour, &bridge, &mut nora).await;
    crossed.with_context(|| bridge.log())
}

async fn cross(neighbour: &mut Neighbour, bridge: &Bridge, nora: &mut Jabber) -> anyhow::Result<()> {
    wait_in(nora, ROOM, QQ).await?;
    bridge.sandbox.say(group(0), DMITRI, "far away").await?;
    nora.wait_body(ROOM, "far away").await?;
    nora.say(ROOM, "and near").await?;
    bridge.sandbox.wait_text(group(0), 0, "Nora: and near").await?;

    neighbour.cut()?;
    neighbour.reset()?;
    bridge.sandbox.say(group(0), DMITRI, "into the void").await?;
    bridge.sandbox.say(group(0), CHEN, "again").await?;
    nora.say(ROOM, "does nobody").await?;
    nora.say(ROOM, "hear me").await?;
    // The room could not reach the listener, and puts it out.
    wait_out(nora, ROOM, QQ).await?;
    neighbour.heal()?;

    wait_in(nora, ROOM, QQ).await?;
    nora.wait_body(ROOM, "again").await?;
    bridge.sandbox.wait_text(group(0), 0, "Nora: hear me").await?;
    bridge.sandbox.say(group(0), DMITRI, "the end").await?;
    nora.wait_body(ROOM, "the end").await?;
    let mut shown = archive(nora, ROOM).await?;
    shown.retain(|(nick, _)| nick != "Nora");
    let expected = [
        line("Dmitri", "far away"),
        line("Dmitri", "into the void"),
        line("三花的妈", "again"),
        line("Dmitri", "the end"),
    ];
    assert_eq!(shown, expected);
    let on_qq = said_by_bot(bridge, group(0)).await?;
    assert_eq!(on_qq, ["Nora: and near", "Nora: does nobody", "Nora: hear me"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbour_of_prosody() -> anyhow::Result<()> {
    neighbour(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbour_of_ejabberd() -> anyhow::Result<()> {
    neighbour(Kind::Ejabberd).await
}
