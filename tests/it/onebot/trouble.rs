//! The account may not speak, is removed, or the group is no more: the author of a message is told, and QQ is not asked again
//! and again.

use std::time::Duration;

use anyhow::Context as _;
use lab::jabber::Stanza as _;
use lab::{Jabber, Kind};
use minidom::Element;
use serde_json::{Value, json};

use crate::support::Bridge;
use crate::support::onebot::{BOT, CATS, CATS_ROOM, CATS_ROW, CHEN, DMITRI, FLAVOURS, Far};

/// What cannot be sent is given up after so long, so that the test sees it.
const GIVE_UP: &str = "\n[relay]\ngive_up = \"10s\"\n";
/// Attempts at one message within [`GIVE_UP`]; a loop would make hundreds.
const FEW: usize = 20;
/// A member without any office: `ＡＢＣ` in QQ.
const ABC: u64 = 700_100_204;
const LIMIT: Duration = Duration::from_secs(60);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Muted,
    Kicked,
    Dissolved,
}

async fn start(flavour: &str) -> anyhow::Result<Option<(Bridge, Jabber)>> {
    let rows = format!("{CATS_ROW}{GIVE_UP}");
    let far = Far {
        rows: &rows,
        ..Far::of(flavour)
    };
    let Some(mut bridge) = Bridge::start_onebot(Kind::Prosody, &far).await? else {
        return Ok(None);
    };
    bridge.sandbox.set_limit(LIMIT);
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(LIMIT);
    alice.join(CATS_ROOM, "Alice W").await?;
    alice.say(CATS_ROOM, "all is well").await?;
    bridge.sandbox.wait_text(CATS, 0, "Alice W: all is well").await?;
    Ok(Some((bridge, alice)))
}

async fn told(flavour: &str, trouble: Trouble) -> anyhow::Result<()> {
    let Some((mut bridge, mut alice)) = start(flavour).await? else {
        return Ok(());
    };
    match trouble {
        Trouble::Muted => bridge.sandbox.mute_member(CATS, BOT, &json!({"duration": 600})).await?,
        Trouble::Kicked => bridge.sandbox.remove_member(CATS, BOT).await?,
        Trouble::Dissolved => bridge.sandbox.dissolve(CATS).await?,
    };
    let id = alice.say(CATS_ROOM, "does anybody hear?").await?;
    let error = |el: &Element| el.name() == "message" && el.kind() == "error" && el.id() == id;
    let error = alice
        .wait(error, "word that it did not arrive")
        .await
        .with_context(|| format!("{flavour} {trouble:?}\n{}", bridge.log()))?;
    let text = error.error_text().with_context(|| error.xml())?;
    assert!(text.contains("did not reach QQ"), "{text}");

    let log = bridge.sandbox.log(0, Duration::ZERO).await?;
    let attempts = log.iter().filter(|entry| is_attempt(entry)).count();
    assert!(attempts <= FEW, "{attempts} attempts at one message");
    if trouble == Trouble::Dissolved {
        return Ok(());
    }

    // When it is over, words cross again without anybody's help.
    if trouble == Trouble::Muted {
        bridge.sandbox.mute_member(CATS, BOT, &json!({"duration": 0})).await?;
    } else {
        let back = json!({"qq": BOT, "nickname": "猫管家", "card": "", "role": "member"});
        bridge.sandbox.add_member(CATS, &back).await?;
    }
    bridge.wait_ready().await?;
    bridge.sandbox.say(CATS, DMITRI, "back?").await?;
    alice
        .wait_body(CATS_ROOM, "back?")
        .await
        .with_context(|| bridge.log())?;
    alice.say(CATS_ROOM, "back").await?;
    bridge
        .sandbox
        .wait_text(CATS, 0, "Alice W: back")
        .await
        .with_context(|| bridge.log())?;
    Ok(())
}

fn is_attempt(entry: &Value) -> bool {
    entry.to_string().contains("does anybody hear?")
}

async fn in_all(trouble: Trouble) -> anyhow::Result<()> {
    for flavour in FLAVOURS {
        told(flavour, trouble).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_account() -> anyhow::Result<()> {
    in_all(Trouble::Muted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_account() -> anyhow::Result<()> {
    in_all(Trouble::Kicked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dissolved_group() -> anyhow::Result<()> {
    in_all(Trouble::Dissolved).await
}

/// A member who is muted has no voice in the room, and has it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_muted_member_has_no_voice() -> anyhow::Result<()> {
    let Some((bridge, mut alice)) = start(FLAVOURS[0]).await? else {
        return Ok(());
    };
    for (duration, role) in [(600, "visitor"), (0, "participant")] {
        bridge
            .sandbox
            .mute_member(CATS, ABC, &json!({"duration": duration}))
            .await?;
        let wanted = |el: &Element| el.name() == "presence" && el.nick() == "ABC" && el.role() == role;
        alice.wait(wanted, role).await.with_context(|| bridge.log())?;
    }
    bridge.sandbox.say(CATS, CHEN, "喵").await?;
    alice.wait_body(CATS_ROOM, "喵").await?;
    Ok(())
}
