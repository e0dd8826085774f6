//! Words and what belongs to them cross both ways in a hosted room, with each program that the sandbox plays: text, faces,
//! mentions, replies, recalls, reactions.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::jabber::Stanza as _;
use lab::sandbox::Message;
use lab::{Jabber, Kind};
use minidom::Element;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::Bridge;
use crate::support::onebot::{BOT, CATS, CATS_ROOM, CHEN, DMITRI, Far, Way, cats_are_shown, number, segment};

const REPLY: &str = "urn:xmpp:reply:0";
const RETRACT: &str = "urn:xmpp:message-retract:1";
const REACTIONS: &str = "urn:xmpp:reactions:0";
const MENTIONS: &str = "urn:xmpp:mentions:0";
const LIMIT: Duration = Duration::from_secs(20);
/// QQ's face for a thumb up (赞).
const THUMB: u32 = 76;

async fn talk(kind: Kind, flavour: &str, way: Way) -> anyhow::Result<()> {
    let Some(mut bridge) = Bridge::start_onebot(kind, &Far::of(flavour).by(way)).await? else {
        return Ok(());
    };
    bridge.sandbox.set_limit(LIMIT);
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(LIMIT);
    let join = alice.join(CATS_ROOM, "Alice W").await?;
    cats_are_shown(&mut alice, &join).await.with_context(|| bridge.log())?;
    to_xmpp(&bridge, &mut alice, flavour)
        .await
        .with_context(|| format!("{flavour} {way:?}, to XMPP\n{}", bridge.log()))?;
    to_qq(&bridge, &mut alice, flavour)
        .await
        .with_context(|| format!("{flavour} {way:?}, to QQ\n{}", bridge.log()))
}

async fn to_xmpp(bridge: &Bridge, alice: &mut Jabber, flavour: &str) -> anyhow::Result<()> {
    let sandbox = &bridge.sandbox;
    sandbox.say(CATS, DMITRI, "喵 [x] & <y>").await?;
    let first = alice.wait_body(CATS_ROOM, "喵 [x] & <y>").await?;
    assert_eq!(first.nick(), "Dmitri");
    let id = stanza_id(&first)?;

    let smile = json!([{"type": "face", "data": {"id": "14"}}, {"type": "text", "data": {"text": " hi"}}]);
    sandbox.say(CATS, CHEN, smile).await?;
    assert_eq!(alice.wait_body(CATS_ROOM, "🙂 hi").await?.nick(), "三花的妈");

    let at = json!([{"type": "at", "data": {"qq": DMITRI.to_string()}}, {"type": "text", "data": {"text": " 看"}}]);
    sandbox.say(CATS, CHEN, at).await?;
    let mention = alice.wait_body(CATS_ROOM, "@Dmitri 看").await?;
    assert!(mention.child("mention", MENTIONS).is_some(), "{}", mention.xml());

    let asked = sandbox.say(CATS, DMITRI, "who answers?").await?;
    let question = stanza_id(&alice.wait_body(CATS_ROOM, "who answers?").await?)?;
    let reply = json!([
        {"type": "reply", "data": {"id": asked.to_string()}},
        {"type": "text", "data": {"text": "the cat does"}},
    ]);
    sandbox.say(CATS, CHEN, reply).await?;
    let wanted = |el: &Element| el.body().is_some_and(|body| body.ends_with("the cat does"));
    let answer = alice.wait(wanted, "the answer").await?;
    let reply = answer.child("reply", REPLY).with_context(|| answer.xml())?;
    assert_eq!(reply.attr("id"), Some(question.as_str()), "{}", answer.xml());

    if has_reactions(flavour) {
        sandbox.react(CATS, asked, CHEN, THUMB, true).await?;
        let reactions = wait_reactions(alice, &question).await?;
        assert_eq!(reactions, ["👍"]);
        sandbox.react(CATS, asked, CHEN, THUMB, false).await?;
        assert!(wait_reactions(alice, &question).await?.is_empty());
    }

    sandbox.recall(CATS, asked).await?;
    let gone = |el: &Element| retracted(el).is_some_and(|id| id == question);
    let gone = alice.wait(gone, "the recall").await?;
    assert_eq!(gone.nick(), "Dmitri", "{}", gone.xml());
    ensure!(id != question, "two messages have one id");
    Ok(())
}

async fn to_qq(bridge: &Bridge, alice: &mut Jabber, flavour: &str) -> anyhow::Result<()> {
    let sandbox = &bridge.sandbox;
    let asked = sandbox.say(CATS, CHEN, "谁在?").await?;
    let question = alice.wait_body(CATS_ROOM, "谁在?").await?;
    let question_id = stanza_id(&question)?;

    alice.say(CATS_ROOM, "hello [CQ:face,id=1] & <b>").await?;
    let reflected = alice.wait_body(CATS_ROOM, "hello [CQ:face,id=1] & <b>").await?;
    let hello = sandbox
        .wait_text(CATS, asked, "Alice W: hello [CQ:face,id=1] & <b>")
        .await?;
    assert_eq!(hello.from, BOT);

    alice.say(CATS_ROOM, "🙂 from Alice").await?;
    let face = |m: &Message| segment(m, "face").is_some() && m.text().contains("from Alice");
    sandbox.wait_message(CATS, hello.id, face, "smile from Alice").await?;

    alice.say(CATS_ROOM, "@Dmitri look").await?;
    let at = |m: &Message| segment(m, "at").is_some_and(|at| number(&at["qq"]) == DMITRI.cast_signed());
    sandbox.wait_message(CATS, hello.id, at, "mention from Alice").await?;

    let quote = "> 谁在?\n";
    let reply = format!(
        "<reply xmlns='{REPLY}' to='{CATS_ROOM}/三花的妈' id='{question_id}'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='{REPLY}'><body start='0' end='{}'/></fallback>",
        quote.chars().count()
    );
    alice.say_with(CATS_ROOM, &format!("{quote}we are"), &reply).await?;
    let answer = |m: &Message| {
        let answers = segment(m, "reply").is_some_and(|reply| number(&reply["id"]) == asked);
        answers && m.text() == "Alice W: we are"
    };
    sandbox
        .wait_message(CATS, hello.id, answer, "answer from Alice")
        .await?;

    if has_reactions(flavour) {
        let reaction = format!("<reactions xmlns='{REACTIONS}' id='{question_id}'><reaction>👍</reaction></reactions>");
        send(alice, &reaction).await?;
        let call = |entry: &Value| {
            let entry = entry.to_string();
            entry.contains("set_msg_emoji_like") || entry.contains("set_group_reaction")
        };
        let entry = sandbox.wait_log(0, call, "reaction from Alice").await?;
        assert_ne!(entry["outcome"], "refused", "{entry}");
    }

    let taken_back = format!("<retract xmlns='{RETRACT}' id='{}'/>", stanza_id(&reflected)?);
    send(alice, &taken_back).await?;
    wait_until(LIMIT, "the recall on QQ", async || {
        let messages = sandbox.messages(CATS, 0, Duration::ZERO).await?;
        Ok(messages.iter().any(|m| m.id == hello.id && m.recalled))
    })
    .await
}

/// go-cqhttp is older than reactions in groups.
fn has_reactions(flavour: &str) -> bool {
    flavour != "gocq"
}

fn stanza_id(el: &Element) -> anyhow::Result<String> {
    Ok(el.stanza_id(CATS_ROOM).with_context(|| el.xml())?.to_owned())
}

/// What a message takes back (XEP-0424).
fn retracted(el: &Element) -> Option<&str> {
    el.child("retract", RETRACT)?.attr("id")
}

/// Waits for somebody's reactions to a message, and tells them (XEP-0444).
async fn wait_reactions(alice: &mut Jabber, to: &str) -> anyhow::Result<Vec<String>> {
    let wanted = |el: &Element| {
        let reactions = el.child("reactions", REACTIONS);
        reactions.is_some_and(|reactions| reactions.attr("id") == Some(to))
    };
    let message = alice.wait(wanted, "reactions").await?;
    let reactions = message.child("reactions", REACTIONS).context("just seen")?;
    Ok(reactions.children().map(Element::text).collect())
}

async fn send(alice: &mut Jabber, payload: &str) -> anyhow::Result<()> {
    let id = lab::jabber::fresh_id();
    alice
        .send(format!(
            "<message type='groupchat' to='{CATS_ROOM}' id='{id}'>{payload}</message>"
        ))
        .await
}

async fn wait_until(
    limit: Duration,
    what: &str,
    mut seen: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let end = Instant::now() + limit;
    while !seen().await? {
        ensure!(Instant::now() < end, "no {what} within {limit:?}");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn both_ways(kind: Kind, flavour: &str) -> anyhow::Result<()> {
    talk(kind, flavour, Way::Forward).await?;
    talk(kind, flavour, Way::Reverse).await
}

#[tokio::test(flavor = "multi_thread")]
async fn napcat_on_prosody() -> anyhow::Result<()> {
    both_ways(Kind::Prosody, "napcat").await
}

#[tokio::test(flavor = "multi_thread")]
async fn llbot_on_prosody() -> anyhow::Result<()> {
    both_ways(Kind::Prosody, "llbot").await
}

#[tokio::test(flavor = "multi_thread")]
async fn lagrange_on_prosody() -> anyhow::Result<()> {
    both_ways(Kind::Prosody, "lagrange").await
}

#[tokio::test(flavor = "multi_thread")]
async fn gocq_on_prosody() -> anyhow::Result<()> {
    both_ways(Kind::Prosody, "gocq").await
}

#[tokio::test(flavor = "multi_thread")]
async fn napcat_on_ejabberd() -> anyhow::Result<()> {
    both_ways(Kind::Ejabberd, "napcat").await
}

#[tokio::test(flavor = "multi_thread")]
async fn llbot_on_ejabberd() -> anyhow::Result<()> {
    both_ways(Kind::Ejabberd, "llbot").await
}

#[tokio::test(flavor = "multi_thread")]
async fn lagrange_on_ejabberd() -> anyhow::Result<()> {
    both_ways(Kind::Ejabberd, "lagrange").await
}

#[tokio::test(flavor = "multi_thread")]
async fn gocq_on_ejabberd() -> anyhow::Result<()> {
    both_ways(Kind::Ejabberd, "gocq").await
}
