//! Words cross both ways, each member under a nick of their own.

use lab::Kind;
use lab::jabber::Stanza as _;

use super::{ROOM, ROW, start};
use crate::support::onebot::{BOT, CATS, CHEN, DMITRI};

async fn talk(kind: Kind) -> anyhow::Result<()> {
    let Some((bridge, mut alice, _)) = start(kind, ROW).await? else {
        return Ok(());
    };
    bridge.sandbox.say(CATS, DMITRI, "早").await?;
    let seen = alice.wait_body(ROOM, "早").await?;
    let dmitri = seen.from().to_owned();
    assert!(
        dmitri.starts_with(&format!("{ROOM}/")) && !dmitri.ends_with("/QQ"),
        "{}",
        seen.xml()
    );
    bridge.sandbox.say(CATS, CHEN, "喵").await?;
    let other = alice.wait_body(ROOM, "喵").await?;
    assert_ne!(other.from(), dmitri);

    alice.say(ROOM, "hello from Jabber").await?;
    let arrived = bridge.sandbox.wait_text(CATS, 0, "Alice W: hello from Jabber").await?;
    assert_eq!(arrived.from, BOT);
    alice.say(ROOM, "/me purrs").await?;
    bridge.sandbox.wait_text(CATS, arrived.id, "* Alice W purrs").await?;

    // Nothing of ours comes back to QQ, and nothing is shown twice.
    bridge.sandbox.say(CATS, DMITRI, "the last").await?;
    alice.wait_body(ROOM, "the last").await?;
    let said = bridge.sandbox.messages(CATS, 0, std::time::Duration::ZERO).await?;
    let by_bot: Vec<String> = said
        .iter()
        .filter(|m| m.from == BOT)
        .map(lab::sandbox::Message::text)
        .collect();
    assert_eq!(by_bot, ["Alice W: hello from Jabber", "* Alice W purrs"]);

    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn talk_on_prosody() -> anyhow::Result<()> {
    talk(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn talk_on_ejabberd() -> anyhow::Result<()> {
    talk(Kind::Ejabberd).await
}
