//! The demonstration without a person: a line each way, read back on the other side, and what was seen is printed.
//!
//! It looks as people do: at the room with a Jabber client, at the group through the sandbox. It asks the gateway nothing.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::jabber::Stanza as _;
use lab::{Jabber, http};

use crate::stage::{Host, NICK, PAIRS, Pair, Stage};

const FROM_QQ: &str = "大家早！Good morning from QQ.";
const FROM_XMPP: &str = "早！Good morning from XMPP.";
/// The gateway's own nick in rooms that it visits.
const LISTENER: &str = "QQ";
/// For one line to cross.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) async fn run(stage: &Stage, page: Option<SocketAddr>) -> anyhow::Result<()> {
    let mut alice = Jabber::connect(&stage.server, "alice", "check").await?;
    alice.set_limit(LIMIT);
    for pair in &PAIRS {
        println!("\n{}, by {}", pair.room, pair.protocol);
        let crossed = cross(stage, &mut alice, pair).await;
        crossed.with_context(|| format!("group {} and {}", pair.group, pair.room))?;
    }
    if let Some(page) = page {
        look_at_page(page)
            .await
            .context("the page of Converse.js is not served")?;
    }
    alice.close().await
}

/// A line each way between a group and its room.
async fn cross(stage: &Stage, alice: &mut Jabber, pair: &Pair) -> anyhow::Result<()> {
    let Pair { group, room, card, .. } = *pair;
    let join = alice.join(room, NICK).await.context("alice cannot join the room")?;
    println!("room    {NICK} joined {room}");
    let (other, who) = match pair.host {
        Host::Gateway => (card, "of the group"),
        Host::Server => (LISTENER, "from the gateway"),
    };
    if !join.nicks().contains(&other) {
        let seen = alice.wait_presence(&format!("{room}/{other}")).await;
        seen.with_context(|| format!("{other} {who} is not in the room"))?;
    }
    println!("room    {other} {who} is here too");

    let said = stage.sandbox.say(group, pair.owner, FROM_QQ).await?;
    println!("group   {card}: {FROM_QQ}");
    let seen = alice
        .wait_body(room, FROM_QQ)
        .await
        .context("what was said on QQ did not come to the room")?;
    ensure!(seen.nick() == card, "{} speaks for {card}", seen.nick());
    println!("room    {card}: {FROM_QQ}");

    alice.say(room, FROM_XMPP).await?;
    println!("room    {NICK}: {FROM_XMPP}");
    let wanted = format!("{NICK}: {FROM_XMPP}");
    let seen = stage
        .sandbox
        .wait_message(
            group,
            said,
            |message| message.text() == wanted,
            "such message of the gateway",
        )
        .await
        .context("what was said in the room did not come to QQ")?;
    println!("group   {}: {}", seen.from, seen.text());
    Ok(())
}

async fn look_at_page(page: SocketAddr) -> anyhow::Result<()> {
    let http = http::client(LIMIT)?;
    for path in ["", "converse/converse.min.js", "converse/converse.min.css"] {
        let answer = http.get(format!("http://{page}/{path}")).send().await?;
        ensure!(answer.status().is_success(), "/{path} was answered {}", answer.status());
    }
    println!("page    http://{page}/ is served");
    Ok(())
}
