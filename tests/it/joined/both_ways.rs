//! What belongs to words crosses both ways: replies, recalls, reactions, corrections, mentions; and nothing comes back.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::jabber::{Moderation, RoomConfig, Stanza as _, fresh_id};
use lab::sandbox::Message;
use lab::server::Muc;
use lab::{Jabber, Kind, Options};
use minidom::Element;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{LIMIT, LUNA, QQ, assemble, group, line, lines_until, person, room, row, said_by_bot, wait_in};
use crate::support::Bridge;
use crate::support::onebot::{BOT, CHEN, DMITRI, number, segment};

const REPLY: &str = "urn:xmpp:reply:0";
const RETRACT: &str = "urn:xmpp:message-retract:1";
const REACTIONS: &str = "urn:xmpp:reactions:0";
/// QQ's face for a thumb up (赞).
const THUMB: u32 = 76;
const CATS: &str = "cats";

async fn both_ways(kind: Kind) -> anyhow::Result<()> {
    if kind == Kind::Prosody && !lab::available("prosody-modules") {
        return Ok(());
    }
    let options = Options {
        muc: Muc {
            moderation: kind == Kind::Prosody,
            ..Muc::default()
        },
        ..Options::default()
    };
    let rows = [row(0, CATS, ""), row(1, "loop", "")].concat();
    let Some((mut bridge, mut alice)) = assemble(kind, options, 2, &rows).await? else {
        return Ok(());
    };
    for name in [CATS, "loop"] {
        alice
            .create_room(&room(name), "Alice W", &RoomConfig::default())
            .await?;
    }
    bridge.start_gateway().await?;
    for name in [CATS, "loop"] {
        wait_in(&mut alice, &room(name), QQ).await?;
    }
    members_are_read(&bridge).await.with_context(|| bridge.log())?;
    to_room(&bridge, &mut alice).await.with_context(|| bridge.log())?;
    to_qq(&bridge, &mut alice).await.with_context(|| bridge.log())?;
    in_private(&mut alice).await.with_context(|| bridge.log())?;
    if kind == Kind::Prosody {
        moderated(&bridge, &mut alice).await.with_context(|| bridge.log())?;
    }
    no_loop(&bridge, &mut alice).await.with_context(|| bridge.log())?;
    let seen = alice.take_all();
    let more = seen
        .iter()
        .find(|el| el.kind() == "chat" && el.bare_from() == room(CATS));
    assert_eq!(more.map(lab::jabber::Stanza::xml), None, "one answer to private words");
    Ok(())
}

/// The program refuses the first list of members, and until there is one the gateway does not know which reactions are its own.
async fn members_are_read(bridge: &Bridge) -> anyhow::Result<()> {
    let read = |entry: &Value| entry["path"] == "get_group_member_list" && entry["outcome"] == "answered";
    let mut last = 0;
    for _ in 0..2 {
        let entry = bridge.sandbox.wait_log(last, read, "list of members").await?;
        last = entry["n"].as_i64().context("an entry has a number")?;
    }
    Ok(())
}

async fn to_room(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let (sandbox, cats) = (&bridge.sandbox, room(CATS));
    let asked = sandbox.say(group(0), DMITRI, "who answers?").await?;
    let question = alice.wait_body(&cats, "who answers?").await?;
    assert_eq!(question.nick(), "Dmitri");
    let question = stanza_id(&question)?;
    let reply = json!([
        {"type": "reply", "data": {"id": asked.to_string()}},
        {"type": "text", "data": {"text": "the cat does"}},
    ]);
    sandbox.say(group(0), CHEN, reply).await?;
    let answers = |el: &Element| el.body().is_some_and(|body| body.ends_with("the cat does"));
    let answer = alice.wait(answers, "the answer").await?;
    let reply = answer.child("reply", REPLY).with_context(|| answer.xml())?;
    assert_eq!(reply.attr("id"), Some(question.as_str()), "{}", answer.xml());
    assert_eq!(answer.nick(), "三花的妈");

    sandbox.react(group(0), asked, CHEN, THUMB, true).await?;
    let reactions = wait_reactions(alice, &question).await?;
    assert_eq!(reactions, ("三花的妈".to_owned(), vec!["👍".to_owned()]));
    sandbox.react(group(0), asked, CHEN, THUMB, false).await?;
    assert_eq!(wait_reactions(alice, &question).await?.1, Vec::<String>::new());

    sandbox.recall(group(0), asked).await?;
    let gone = |el: &Element| retracted(el).is_some_and(|id| id == question);
    let gone = alice.wait(gone, "the recall").await?;
    assert_eq!(gone.nick(), "Dmitri", "{}", gone.xml());
    Ok(())
}

async fn to_qq(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let (sandbox, cats) = (&bridge.sandbox, room(CATS));
    let asked = sandbox.say(group(0), CHEN, "谁在?").await?;
    let question = stanza_id(&alice.wait_body(&cats, "谁在?").await?)?;

    let quote = "> 谁在?\n";
    let reply = format!(
        "<reply xmlns='{REPLY}' to='{cats}/三花的妈' id='{question}'/>\
         <fallback xmlns='urn:xmpp:fallback:0' for='{REPLY}'><body start='0' end='{}'/></fallback>",
        quote.chars().count()
    );
    alice.say_with(&cats, &format!("{quote}we are"), &reply).await?;
    let answers = |m: &Message| {
        let answers = segment(m, "reply").is_some_and(|reply| number(&reply["id"]) == asked);
        answers && m.text() == "Alice W: we are"
    };
    sandbox
        .wait_message(group(0), asked, answers, "answer from Alice")
        .await?;

    alice.say(&cats, "@Dmitri look").await?;
    let at = |m: &Message| segment(m, "at").is_some_and(|at| number(&at["qq"]) == DMITRI.cast_signed());
    sandbox.wait_message(group(0), asked, at, "mention from Alice").await?;

    send(
        alice,
        &format!("<reactions xmlns='{REACTIONS}' id='{question}'><reaction>👍</reaction></reactions>"),
    )
    .await?;
    let call = |entry: &Value| entry.to_string().contains("set_msg_emoji_like");
    let entry = sandbox.wait_log(0, call, "reaction from Alice").await?;
    assert_ne!(entry["outcome"], "refused", "{entry}");

    alice.say(&cats, "/me purrs").await?;
    sandbox.wait_text(group(0), asked, "* Alice W purrs").await?;

    let typo = alice.say(&cats, "helo").await?;
    let first = sandbox.wait_text(group(0), asked, "Alice W: helo").await?;
    let replaces = format!("<replace xmlns='urn:xmpp:message-correct:0' id='{typo}'/>");
    alice.say_with(&cats, "hello", &replaces).await?;
    let second = sandbox.wait_text(group(0), asked, "Alice W: * hello").await?;

    // Both versions are one message, to people.
    let corrected = stanza_id(&alice.wait_body(&cats, "hello").await?)?;
    send(alice, &format!("<retract xmlns='{RETRACT}' id='{corrected}'/>")).await?;
    for id in [first.id, second.id] {
        wait_recalled(bridge, id).await?;
    }
    Ok(())
}

/// Words for a member alone go no further, and whoever says them hears so: once.
async fn in_private(alice: &mut Jabber) -> anyhow::Result<()> {
    let cats = room(CATS);
    for n in 0..3 {
        alice
            .send(format!(
                "<message type='chat' id='pm{n}' to='{cats}/三花的妈'><body>psst {n}</body>\
                 <x xmlns='http://jabber.org/protocol/muc#user'/></message>"
            ))
            .await?;
    }
    let answer = |el: &Element| el.name() == "message" && el.kind() == "chat" && el.bare_from() == cats;
    let said = alice.wait(answer, "answer").await?;
    assert_eq!(said.nick(), QQ, "{}", said.xml());
    let text = said.body().unwrap_or_default();
    assert!(text.contains("Say it in the room"), "{text}");
    Ok(())
}

/// A moderator of the room takes words back: a member's, and a person's.
async fn moderated(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let (sandbox, cats) = (&bridge.sandbox, room(CATS));
    let spam = sandbox.say(group(0), LUNA, "buy now").await?;
    let id = stanza_id(&alice.wait_body(&cats, "buy now").await?)?;
    alice.moderate(&cats, &id, "spam", Moderation::Fastened).await?;
    wait_recalled(bridge, spam).await?;

    let mut bob = person(bridge, "bob").await?;
    bob.join(&cats, "Bob").await?;
    bob.say(&cats, "rude words").await?;
    let rude = sandbox.wait_text(group(0), spam, "Bob: rude words").await?;
    let id = stanza_id(&alice.wait_body(&cats, "rude words").await?)?;
    alice.moderate(&cats, &id, "", Moderation::Fastened).await?;
    wait_recalled(bridge, rude.id).await?;
    bob.leave(&cats, "Bob").await.map(drop)
}

/// Somebody says again whatever is said, as a bridge would that takes us for people. What came from QQ does not go back there.
async fn no_loop(bridge: &Bridge, alice: &mut Jabber) -> anyhow::Result<()> {
    let place = room("loop");
    let mut echo = person(bridge, "carol").await?;
    echo.join(&place, "Echo").await?;
    let before = bridge.sandbox.say(group(1), DMITRI, "one").await?;
    alice.say(&place, "two").await?;
    // Under the same id, as careless bridges do.
    for _ in 0..2 {
        let theirs = |el: &Element| el.bare_from() == place && el.body().is_some() && el.nick() != "Echo";
        let heard = echo.wait(theirs, "words").await?;
        let body = format!("<{}> {}", heard.nick(), heard.body().unwrap_or_default());
        let body = lab::jabber::escape(&body);
        echo.send(format!(
            "<message type='groupchat' to='{place}' id='{id}'><body>{body}</body>\
             <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>",
            id = heard.id()
        ))
        .await?;
    }
    let said = |text: &'static str| bridge.sandbox.wait_text(group(1), before, text);
    said("Echo: <Alice W> two").await?;
    bridge.sandbox.say(group(1), CHEN, "the end").await?;
    let mut lines = lines_until(alice, &place, "the end").await?;
    lines.sort();
    assert_eq!(
        lines,
        [
            line("Alice W", "two"),
            line("Dmitri", "one"),
            line("Echo", "<Alice W> two"),
            line("Echo", "<Dmitri> one"),
            line("三花的妈", "the end"),
        ]
    );
    let mut by_bot = said_by_bot(bridge, group(1)).await?;
    by_bot.sort();
    assert_eq!(by_bot, ["Alice W: two", "Echo: <Alice W> two"]);
    // In the room with everything else: what people said there, and nothing that came from QQ.
    for said in said_by_bot(bridge, group(0)).await? {
        let by_person = ["Alice W: ", "* Alice W ", "Bob: "];
        assert!(by_person.iter().any(|name| said.starts_with(name)), "{said}");
    }
    Ok(())
}

fn stanza_id(el: &Element) -> anyhow::Result<String> {
    Ok(el.stanza_id(el.bare_from()).with_context(|| el.xml())?.to_owned())
}

/// What a message takes back (XEP-0424).
fn retracted(el: &Element) -> Option<&str> {
    el.child("retract", RETRACT)?.attr("id")
}

/// Waits for somebody's reactions to a message, and tells whose and which (XEP-0444).
async fn wait_reactions(alice: &mut Jabber, to: &str) -> anyhow::Result<(String, Vec<String>)> {
    let wanted = |el: &Element| {
        let reactions = el.child("reactions", REACTIONS);
        reactions.is_some_and(|reactions| reactions.attr("id") == Some(to))
    };
    let message = alice.wait(wanted, "reactions").await?;
    let reactions = message.child("reactions", REACTIONS).context("just seen")?;
    let emoji = reactions.children().map(Element::text).collect();
    Ok((message.nick().to_owned(), emoji))
}

async fn wait_recalled(bridge: &Bridge, id: i64) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    loop {
        let messages = bridge.sandbox.messages(group(0), id - 1, Duration::ZERO).await?;
        if messages.iter().any(|m| m.id == id && m.recalled) {
            return Ok(());
        }
        ensure!(
            Instant::now() < end,
            "message {id} of {BOT} is not recalled: {messages:?}"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

async fn send(alice: &mut Jabber, payload: &str) -> anyhow::Result<()> {
    let (to, id) = (room(CATS), fresh_id());
    alice
        .send(format!(
            "<message type='groupchat' to='{to}' id='{id}'>{payload}</message>"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_on_prosody() -> anyhow::Result<()> {
    both_ways(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_on_ejabberd() -> anyhow::Result<()> {
    both_ways(Kind::Ejabberd).await
}
