//! Who comes, goes, takes another name or is put out, of the members and of the listener.

use std::time::Duration;

use anyhow::Context as _;
use lab::jabber::{RoomConfig, Stanza as _, Whom};
use lab::{Jabber, Kind, Options};
use minidom::Element;
use serde_json::json;
use tokio::time::sleep;

use super::{LUNA, OSKAR, QQ, YUKI, assemble, group, lines_until, person, room, row, wait_in, wait_out, wait_word};
use crate::support::Bridge;
use crate::support::onebot::{CHEN, DMITRI};

/// The listener looks again after ten seconds where that is right.
const NOT_AT_ONCE: Duration = Duration::from_secs(12);

async fn motion(kind: Kind) -> anyhow::Result<()> {
    let rows = [row(0, "lively", ""), row(1, "kicked", ""), row(2, "destroyed", "")].concat();
    let Some((mut bridge, mut alice)) = assemble(kind, Options::default(), 3, &rows).await? else {
        return Ok(());
    };
    for name in ["lively", "kicked", "destroyed"] {
        alice
            .create_room(&room(name), "Alice W", &RoomConfig::default())
            .await?;
    }
    bridge.start_gateway().await?;
    for name in ["lively", "kicked", "destroyed"] {
        wait_in(&mut alice, &room(name), QQ).await?;
    }
    first_words(&bridge, &mut alice).await.with_context(|| bridge.log())?;
    names_and_leaves(&bridge, &mut alice)
        .await
        .with_context(|| bridge.log())?;
    put_out(&bridge, &mut alice).await.with_context(|| bridge.log())?;
    listener_put_out(&bridge, &mut alice)
        .await
        .with_context(|| bridge.log())
}

/// Members who were never in the room all speak at once.
async fn first_words(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let people = [
        (DMITRI, "Dmitri"),
        (CHEN, "三花的妈"),
        (LUNA, "Luna"),
        (OSKAR, "Oskar"),
        (YUKI, "Yuki"),
    ];
    let mut said = Vec::new();
    for (n, (qq, nick)) in people.into_iter().cycle().take(15).enumerate() {
        let text = format!("burst {n}");
        bridge.sandbox.say(group(0), qq, text.as_str()).await?;
        said.push((nick.to_owned(), text));
    }
    let shown = lines_until(alice, &room("lively"), "burst 14").await?;
    assert_eq!(shown, said);
    Ok(())
}

async fn names_and_leaves(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    bridge
        .sandbox
        .change_member(group(0), LUNA, &json!({"card": "露娜"}))
        .await?;
    let renamed = wait_out(alice, &room("lively"), "Luna").await?;
    assert!(renamed.has_status(303), "{}", renamed.xml());
    assert_eq!(renamed.item().and_then(|item| item.attr("nick")), Some("露娜"));
    wait_in(alice, &room("lively"), "露娜").await?;
    bridge.sandbox.say(group(0), LUNA, "renamed").await?;
    assert_eq!(alice.wait_body(&room("lively"), "renamed").await?.nick(), "露娜");

    bridge.sandbox.remove_member(group(0), OSKAR).await?;
    let gone = wait_out(alice, &room("lively"), "Oskar").await?;
    assert!(!gone.has_status(303) && !gone.has_status(307), "{}", gone.xml());
    Ok(())
}

/// A moderator removes a member: nothing of theirs is shown, the others go on, the admin hears of it.
async fn put_out(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let lively = room("lively");
    alice.kick(&lively, "Dmitri", "enough").await?;
    let word = wait_word(alice, &lively, "Dmitri (700100201) was put out").await?;
    assert!(word.contains("enough"), "{word}");

    let chen = wait_in(alice, &lively, "三花的妈").await?;
    let (address, _) = chen.real_jid().split_once('/').with_context(|| chen.xml())?;
    alice.ban(&lively, Whom::Jid(address), "spam").await?;
    wait_word(alice, &lively, "三花的妈 (700100200) was banned").await?;

    bridge.sandbox.say(group(0), DMITRI, "of the kicked").await?;
    bridge.sandbox.say(group(0), CHEN, "of the banned").await?;
    bridge.sandbox.say(group(0), YUKI, "of somebody else").await?;
    let shown = lines_until(alice, &lively, "of somebody else").await?;
    assert_eq!(shown, [("Yuki".to_owned(), "of somebody else".to_owned())]);
    let back = |el: &Element| {
        el.name() == "presence"
            && el.bare_from() == lively
            && el.kind().is_empty()
            && matches!(el.nick(), "Dmitri" | "三花的妈")
    };
    // The presences of their first entries; one of them was asked for above.
    let entered = alice.take_all().iter().filter(|el| back(el)).count();
    assert_eq!(entered, 1, "somebody came back");
    alice.say(&lively, "who is left?").await?;
    bridge
        .sandbox
        .wait_text(group(0), 0, "Alice W: who is left?")
        .await
        .map(drop)
}

/// A moderator removes the listener, an owner the whole room: it stays away, and the admin hears of it.
async fn listener_put_out(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let mut bob = person(bridge, "bob").await?;
    bob.join(&room("kicked"), "Bob").await?;
    alice.kick(&room("kicked"), QQ, "no robots").await?;
    alice
        .destroy_room(&room("destroyed"), Some(&room("lively")), "we moved")
        .await?;
    let word = wait_word(alice, &room("kicked"), "the listener was put out").await?;
    assert!(word.contains("no robots"), "{word}");
    let word = wait_word(alice, &room("destroyed"), "the room was destroyed").await?;
    assert!(word.contains(&room("lively")), "{word}");

    wait_out(&mut bob, &room("kicked"), QQ).await?;
    bridge.sandbox.say(group(1), DMITRI, "into the void").await?;
    sleep(NOT_AT_ONCE).await;
    bob.sync(&room("kicked")).await?;
    let seen = bob.take_all();
    let came = |el: &&Element| el.bare_from() == room("kicked") && el.kind().is_empty() && el.nick() != "Bob";
    assert_eq!(
        seen.iter()
            .filter(|el| el.name() != "iq")
            .filter(came)
            .map(lab::jabber::Stanza::xml)
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    // Whoever entered the room now would make it.
    let made = bob.join(&room("destroyed"), "Bob").await?;
    assert!(made.self_presence.has_status(201), "{made:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn motion_on_prosody() -> anyhow::Result<()> {
    motion(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn motion_on_ejabberd() -> anyhow::Result<()> {
    motion(Kind::Ejabberd).await
}
