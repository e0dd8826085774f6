//! Each misbehaviour of the sandbox under traffic in both directions: what was accepted arrives once, in order, or its author is
//! told; nothing arrives twice; and the account recovers by itself, or by what its operator is asked to do.

mod onebot;
mod webqq;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::stream::{self, StreamExt as _};
use lab::jabber::Stanza as _;
use lab::{Jabber, Sandbox};
use minidom::Element;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::soak;
use crate::support::Bridge;

const LINES: usize = 6;
/// An unknown outcome holds the group for 15 s; a poll without an answer is given up after 120 s.
const LIMIT: Duration = Duration::from_secs(180);
/// Between two words by which the end is recognised: those that nobody hears are lost with `WebQQ`.
const AGAIN: Duration = Duration::from_secs(3);
/// Bridges at a time: most of a fault is waiting.
const AT_ONCE: usize = 8;

/// Who talks with whom.
#[derive(Clone, Copy, Debug)]
struct Chat {
    group: u64,
    room: &'static str,
    /// The bridging account.
    own: u64,
    /// The member who speaks.
    member: u64,
}

/// A misbehaviour.
#[derive(Clone, Copy)]
struct Fault {
    /// What is armed, in this order.
    armed: &'static [&'static str],
    shown: Shown,
}

/// What is promised of the things that QQ says meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Each, in order: it was told, or history has it.
    All,
    /// Each, but nobody can know the order of what was said within a second.
    AllOfASecondMixed,
    /// What was told, in order; the rest is lost on the way.
    WhatWasTold,
}

/// What became of the traffic.
#[derive(Debug, Default)]
struct Seen {
    /// Bodies from QQ, in order.
    shown: Vec<String>,
    /// Ids of messages whose author was told that they did not arrive, or that nobody knows.
    told: Vec<String>,
}

impl Seen {
    fn take(&mut self, el: &Element) {
        if el.kind() == "error" {
            self.told.push(el.id().to_owned());
        } else if let Some(body) = el.body().filter(|body| body.starts_with("qq ")) {
            self.shown.push(body);
        }
    }

    fn has_end(&self) -> bool {
        self.shown.last().is_some_and(|body| body.starts_with("qq end"))
    }
}

/// Talks while it goes wrong. Tells how long it took from the misbehaviour until everything had come to its place.
async fn traffic(bridge: &Bridge, alice: &mut Jabber, chat: Chat, fault: &Fault) -> anyhow::Result<Duration> {
    alice.set_limit(LIMIT);
    alice.join(chat.room, "Alice W").await?;
    let armed = arm(&bridge.sandbox, fault.armed).await?;
    let begun = Instant::now();
    let (mut seen, mut sent) = (Seen::default(), BTreeMap::new());
    for n in 0..LINES {
        bridge.sandbox.say(chat.group, chat.member, format!("qq {n}")).await?;
        let text = format!("xmpp {n}");
        let id = alice.say(chat.room, &text).await?;
        // Accepted: the author sees it.
        loop {
            let el = alice.wait(|el| el.name() == "message", "the reflection").await?;
            seen.take(&el);
            if el.kind() == "groupchat" && el.id() == id {
                break;
            }
        }
        sent.insert(id, text);
    }
    came_to_pass(&bridge.sandbox, &armed).await?;
    bridge.sandbox.clear_faults().await?;

    wait_end(bridge, alice, chat, &mut seen).await?;
    in_order(&seen.shown, fault.shown)?;
    let until = Instant::now() + LIMIT;
    loop {
        for el in alice.take_all() {
            seen.take(&el);
        }
        let open = unsettled(bridge, chat, &sent, &seen).await?;
        if open.is_empty() {
            in_order(&seen.shown, fault.shown)?;
            return Ok(begun.elapsed());
        }
        ensure!(Instant::now() < until, "neither on QQ nor told: {open:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Arms faults; gives what is armed then.
async fn arm(sandbox: &Sandbox, faults: &[&str]) -> anyhow::Result<Vec<Value>> {
    for fault in faults {
        sandbox.arm(&serde_json::from_str(fault)?).await?;
    }
    sandbox.armed().await
}

/// Waits until something of it happened: the sandbox counts down what is not lasting.
async fn came_to_pass(sandbox: &Sandbox, armed: &[Value]) -> anyhow::Result<()> {
    let until = Instant::now() + LIMIT;
    loop {
        let now = sandbox.armed().await?;
        if now != armed || now.iter().all(|fault| fault["count"] == 0) {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the fault never came to pass: {now:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Speaks on QQ until it is heard.
async fn wait_end(bridge: &Bridge, alice: &mut Jabber, chat: Chat, seen: &mut Seen) -> anyhow::Result<()> {
    let (until, mut again, mut n) = (Instant::now() + LIMIT, Instant::now(), 0);
    while !seen.has_end() {
        ensure!(
            Instant::now() < until,
            "QQ is not heard any more; shown: {:?}",
            seen.shown
        );
        if Instant::now() >= again {
            bridge
                .sandbox
                .say(chat.group, chat.member, format!("qq end {n}"))
                .await?;
            (again, n) = (Instant::now() + AGAIN, n + 1);
        }
        for el in alice.take_all() {
            seen.take(&el);
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// What was shown is what was said, once and as promised.
fn in_order(shown: &[String], promised: Shown) -> anyhow::Result<()> {
    let said = (0..LINES).map(|n| format!("qq {n}"));
    let mut expected: Vec<String> = said.chain((0..100).map(|n| format!("qq end {n}"))).collect();
    let mut shown = shown.to_vec();
    if promised == Shown::AllOfASecondMixed {
        expected.truncate(shown.len());
        expected.sort_unstable();
        shown.sort_unstable();
    }
    let mut rest = expected.iter();
    ensure!(
        shown.iter().all(|body| rest.any(|expected| expected == body)),
        "twice, or not in order: {shown:?}"
    );
    let whole = promised == Shown::WhatWasTold || shown == expected[..shown.len()];
    ensure!(whole, "not all from QQ: {shown:?}");
    Ok(())
}

/// The lines that are not on QQ, and of which nobody said so.
async fn unsettled(
    bridge: &Bridge,
    chat: Chat,
    sent: &BTreeMap<String, String>,
    seen: &Seen,
) -> anyhow::Result<Vec<String>> {
    let messages = bridge.sandbox.messages(chat.group, 0, Duration::ZERO).await?;
    let mut open = Vec::new();
    for (id, text) in sent {
        let ours = format!("Alice W: {text}");
        let times = messages
            .iter()
            .filter(|m| m.from == chat.own && m.shown() == ours)
            .count();
        ensure!(times <= 1, "{text:?} is on QQ {times} times");
        if times == 0 && !seen.told.contains(id) {
            open.push(text.clone());
        }
    }
    Ok(open)
}

/// What came of one row of a table: how long it took, or nothing where a server is missing.
type Tried = (String, anyhow::Result<Option<Duration>>);

/// Tries rows of a table, some at a time, each with a bridge of its own: what the first fault broke is not blamed on the second.
async fn try_all(tries: impl Iterator<Item = impl Future<Output = Tried>>) -> anyhow::Result<()> {
    let mut tries = stream::iter(tries).buffer_unordered(AT_ONCE);
    let mut failed = Vec::new();
    while let Some((name, result)) = tries.next().await {
        match result {
            Ok(Some(took)) => println!("{name}: {:.1} s", took.as_secs_f32()),
            Ok(None) => {}
            Err(error) => failed.push(format!("=== {name}: {error:?}")),
        }
    }
    ensure!(failed.is_empty(), "\n{}", failed.join("\n"));
    Ok(())
}

/// A kind that the sandbox has learnt wants a row in a table.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_tried() -> anyhow::Result<()> {
    let sandbox = Sandbox::start(&[]).await?;
    let known = sandbox.faults().await?["kinds"].clone();
    let tried: Vec<Value> = onebot::armed()
        .chain(webqq::armed())
        .chain(soak::ARMED.iter().copied())
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let missing: Vec<&Value> = known
        .as_array()
        .context("the sandbox tells its kinds")?
        .iter()
        .filter(|known| tried.iter().all(|tried| tried["kind"] != known["kind"]))
        .map(|known| &known["kind"])
        .collect();
    ensure!(missing.is_empty(), "no table has a row for {missing:?}");
    Ok(())
}
