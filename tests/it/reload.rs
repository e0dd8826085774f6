//! A row added, changed, removed, and a broken file, each by SIGHUP under traffic: the other rooms notice nothing.

use std::time::Duration;

use lab::Kind;
use lab::jabber::Stanza as _;

use crate::support::{Bridge, GROUP, ROOM, ROW, people};

const OTHER: &str = "other@qq.localhost";

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_change_and_go_while_others_talk() -> anyhow::Result<()> {
    let Some(mut bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(());
    };
    let people = people(&bridge).await?;
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.join(ROOM, "Alice W").await?;
    let other_row = "[[mapping]]\ngroup = 346000099\nroom = \"other@qq.localhost\"\nname = \"Other\"\n";

    bridge.reload(&format!("{ROW}\n{other_row}"))?;
    alice
        .wait(
            |el| {
                el.body()
                    .is_some_and(|body| body.contains("room other@qq.localhost added"))
            },
            "word of the reload",
        )
        .await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    bob.join(OTHER, "Bob B").await?;

    bridge.reload(&format!("{ROW}\n{}", other_row.replace("\"Other\"", "\"Another\"")))?;
    bob.wait(|el| el.bare_from() == OTHER && el.has_status(104), "status 104")
        .await?;
    let info = bob
        .iq(OTHER, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
        .await?;
    assert!(info.xml().contains("Another"), "{}", info.xml());

    bridge.reload("[[mapping]]\ngroup = \"many\"\nroom = \"a b\"\n")?;
    let word = alice
        .wait(
            |el| el.body().is_some_and(|body| body.contains("nothing was changed")),
            "the problems",
        )
        .await?;
    assert!(
        word.body().is_some_and(|body| body.contains("bridge.toml:")),
        "{}",
        word.xml()
    );

    bridge.reload(ROW)?;
    let gone = bob
        .wait(
            |el| el.name() == "presence" && el.bare_from() == OTHER && el.kind() == "unavailable",
            "the room's end",
        )
        .await?;
    assert!(gone.xml().contains("destroy"), "{}", gone.xml());

    // The room that stayed: nobody saw Alice leave, and both ways still work.
    bridge.sandbox.say(GROUP, people[0], "still connected").await?;
    alice.wait_body(ROOM, "still connected").await?;
    alice.say(ROOM, "as am I").await?;
    bridge.sandbox.set_limit(Duration::from_secs(20));
    bridge.sandbox.wait_text(GROUP, 0, "Alice W: as am I").await?;
    assert!(
        !alice
            .take_all()
            .iter()
            .any(|el| el.name() == "presence" && el.kind() == "unavailable")
    );
    Ok(())
}
