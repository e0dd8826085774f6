//! Words cross both ways in a hosted room: two Jabber clients, three QQ members.

use lab::Kind;
use lab::jabber::Stanza as _;
use serde_json::json;

use crate::support::{ACCOUNT, Bridge, GROUP, ROOM, people, people_are_shown};

async fn talk(kind: Kind) -> anyhow::Result<()> {
    let Some(bridge) = Bridge::start(kind).await? else {
        return Ok(());
    };
    let people = people(&bridge).await?;
    let mut alice = bridge.jabber("alice", "phone").await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    let join = alice.join(ROOM, "Alice W").await?;
    people_are_shown(&mut alice, &join, people.len()).await?;
    bob.join(ROOM, "Bob B").await?;

    for (n, person) in people.iter().enumerate() {
        let text = format!("早 {n}");
        bridge.sandbox.say(GROUP, *person, text.as_str()).await?;
        let seen = alice.wait_body(ROOM, &text).await?;
        assert!(seen.stanza_id(ROOM).is_some(), "{}", seen.xml());
        let other = bob.wait_body(ROOM, &text).await?;
        assert_eq!(seen.stanza_id(ROOM), other.stanza_id(ROOM));
        assert_eq!(seen.from(), other.from());
    }
    let smile = json!([{"type": "face", "data": {"id": "14"}}, {"type": "text", "data": {"text": " hi"}}]);
    bridge.sandbox.say(GROUP, people[0], smile).await?;
    alice.wait_body(ROOM, "🙂 hi").await?;

    alice.say(ROOM, "hello from Jabber").await?;
    alice.wait_body(ROOM, "hello from Jabber").await?;
    bob.wait_body(ROOM, "hello from Jabber").await?;
    let arrived = bridge.sandbox.wait_text(GROUP, 0, "Alice W: hello from Jabber").await?;
    assert_eq!(arrived.from, ACCOUNT);
    bob.say(ROOM, "🙂 from Bob").await?;
    let face = |m: &lab::sandbox::Message| {
        m.message
            .iter()
            .any(|s| s["type"] == "face" && m.text().contains("from Bob"))
    };
    bridge
        .sandbox
        .wait_message(GROUP, arrived.id, face, "smile from Bob")
        .await?;
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
