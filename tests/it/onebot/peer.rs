//! A `OneBot` implementation of other people: what it says is shown, what is said to it arrives. It knows five calls, tells no
//! lifecycle and no members, and its message ids do not fit 32 bits.

use std::time::Duration;

use lab::Kind;
use lab::jabber::Stanza as _;
use serde_json::Value;

use crate::support::Bridge;
use crate::support::onebot::{CATS, CATS_ROOM, DMITRI, Way};

/// What a call says to the group.
fn said(frame: &Value) -> Option<String> {
    let to_group = frame["action"] == "send_group_msg"
        || frame["action"] == "send_msg" && frame["params"]["message_type"] == "group";
    if !to_group || frame["params"]["group_id"] != CATS {
        return None;
    }
    let segments = frame["params"]["message"].as_array()?.iter();
    let texts = segments.filter_map(|segment| segment["data"]["text"].as_str());
    Some(texts.collect())
}

async fn a_line_each_way(kind: Kind, way: Way) -> anyhow::Result<()> {
    let line = "喵 [猫] & <mock>";
    let Some((mut bridge, mut mock)) = Bridge::start_mock(kind, way, line).await? else {
        return Ok(());
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(Duration::from_secs(20));
    alice.join(CATS_ROOM, "Alice W").await?;
    // It says the same again and again: each is a message of its own.
    let first = alice.wait_body(CATS_ROOM, line).await?;
    let second = alice.wait_body(CATS_ROOM, line).await?;
    assert_ne!(first.stanza_id(CATS_ROOM), second.stanza_id(CATS_ROOM));
    // It tells nothing of the sender but the number.
    assert_eq!(first.nick(), DMITRI.to_string());

    let words = "hello, mock & <friends>";
    let id = alice.say(CATS_ROOM, words).await?;
    alice.wait_body(CATS_ROOM, words).await?;
    let expected = format!("Alice W: {words}");
    let call = mock
        .wait_received(|frame| said(frame).as_ref() == Some(&expected), "line from XMPP")
        .await?;
    assert!(call["echo"].is_string(), "other echoes do not come back: {call}");

    // The next line goes out behind the first, so that the first was settled, and nobody was told of a failure.
    alice.say(CATS_ROOM, "and one more").await?;
    let more = |frame: &Value| said(frame).as_deref() == Some("Alice W: and one more");
    mock.wait_received(more, "second line").await?;
    let times = mock
        .received()
        .iter()
        .filter(|frame| said(frame).as_ref() == Some(&expected))
        .count();
    assert_eq!(times, 1);
    let told = alice.take_all();
    let told = told.iter().find(|el| el.kind() == "error" && el.id() == id);
    assert!(told.is_none(), "{told:?}");

    // The gateway dies and comes back: it connects again, or the mock does.
    bridge.kill_gateway().await?;
    bridge.start_gateway().await?;
    alice.say(CATS_ROOM, "after the kill").await?;
    let after = |frame: &Value| said(frame).as_deref() == Some("Alice W: after the kill");
    mock.wait_received(after, "line after the kill").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn forward_on_prosody() -> anyhow::Result<()> {
    a_line_each_way(Kind::Prosody, Way::Forward).await
}

#[tokio::test(flavor = "multi_thread")]
async fn reverse_on_prosody() -> anyhow::Result<()> {
    a_line_each_way(Kind::Prosody, Way::Reverse).await
}

#[tokio::test(flavor = "multi_thread")]
async fn forward_on_ejabberd() -> anyhow::Result<()> {
    a_line_each_way(Kind::Ejabberd, Way::Forward).await
}

#[tokio::test(flavor = "multi_thread")]
async fn reverse_on_ejabberd() -> anyhow::Result<()> {
    a_line_each_way(Kind::Ejabberd, Way::Reverse).await
}
