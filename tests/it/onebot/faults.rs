//! Each misbehaviour of the sandbox under traffic in both directions: what was accepted arrives once, in order, or its author is
//! told; nothing arrives twice.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::stream::{self, StreamExt as _};
use lab::jabber::Stanza as _;
use lab::{Jabber, Kind};
use minidom::Element;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::Bridge;
use crate::support::onebot::{BOT, CATS, CATS_ROOM, DMITRI, Far, Way};

const LINES: usize = 6;
/// An unknown outcome holds the group for 15 s; a session that lost its socket needs some more.
const LIMIT: Duration = Duration::from_secs(120);
/// Bridges at a time: most of a fault is waiting.
const AT_ONCE: usize = 8;

/// A misbehaviour.
struct Fault {
    /// What is armed, in this order.
    armed: &'static [&'static str],
    /// Whether what QQ said must all be shown: the program told it, or its history has it.
    all: bool,
}

const fn fault(armed: &'static [&'static str], all: bool) -> Fault {
    Fault { armed, all }
}

const CUT: &str = r#"{"kind": "cut_socket"}"#;

const FAULTS: [Fault; 19] = [
    fault(&[r#"{"kind": "drop_call", "action": "send_group_msg"}"#], true),
    fault(&[r#"{"kind": "drop_answer", "action": "send_group_msg"}"#], true),
    fault(
        &[r#"{"kind": "late_answer", "action": "send_group_msg", "delay": "4s", "count": 2}"#],
        true,
    ),
    fault(&[r#"{"kind": "timeout_delivered"}"#], true),
    fault(&[r#"{"kind": "timeout_lost"}"#], true),
    fault(&[r#"{"kind": "fail_call", "action": "send_group_msg"}"#], true),
    fault(&[r#"{"kind": "reorder_answers", "size": 2}"#], true),
    fault(&[r#"{"kind": "lost_event", "count": 2}"#], false),
    fault(&[r#"{"kind": "duplicate_event", "count": 6}"#], true),
    fault(&[r#"{"kind": "huge_frame"}"#], true),
    fault(&[r#"{"kind": "garbage_frame", "count": 5}"#], true),
    fault(&[CUT], true),
    fault(&[r#"{"kind": "cut_socket", "mid_frame": true}"#], true),
    fault(&[r#"{"kind": "cut_socket", "on": "answer"}"#], true),
    fault(&[r#"{"kind": "refuse_socket", "count": 2}"#, CUT], true),
    fault(&[r#"{"kind": "silent_socket"}"#, CUT], true),
    fault(
        &[r#"{"kind": "drop_call", "action": "get_group_msg_history"}"#, CUT],
        true,
    ),
    fault(&[r#"{"kind": "short_history"}"#, CUT], false),
    fault(&[r#"{"kind": "silent_offline"}"#], false),
];

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
}

/// The kinds of a list of faults.
fn kinds(faults: &Value) -> Vec<&str> {
    let faults = faults.as_array().into_iter().flatten();
    faults.filter_map(|fault| fault["kind"].as_str()).collect()
}

async fn traffic(bridge: &Bridge, alice: &mut Jabber, fault: &Fault) -> anyhow::Result<()> {
    for armed in fault.armed {
        bridge.sandbox.arm(&serde_json::from_str(armed)?).await?;
    }
    let before = bridge.sandbox.faults().await?["armed"].clone();
    let (mut seen, mut sent) = (Seen::default(), BTreeMap::new());
    for n in 0..LINES {
        bridge.sandbox.say(CATS, DMITRI, format!("qq {n}")).await?;
        let text = format!("xmpp {n}");
        let id = alice.say(CATS_ROOM, &text).await?;
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
    // It happened: the sandbox counts down what is not lasting.
    let until = Instant::now() + LIMIT;
    let lasting = |kinds: &[&str]| {
        kinds
            .iter()
            .all(|kind| ["short_history", "silent_offline"].contains(kind))
    };
    loop {
        let now = bridge.sandbox.faults().await?["armed"].clone();
        if now != before || lasting(&kinds(&now)) {
            break;
        }
        ensure!(Instant::now() < until, "the fault never came to pass: {now}");
        sleep(Duration::from_millis(100)).await;
    }
    bridge.sandbox.clear_faults().await?;

    let end = "qq the end";
    bridge.sandbox.say(CATS, DMITRI, end).await?;
    while seen.shown.last().map(String::as_str) != Some(end) {
        seen.take(&alice.wait(|el| el.name() == "message", end).await?);
    }
    let expected: Vec<String> = (0..LINES).map(|n| format!("qq {n}")).chain([end.to_owned()]).collect();
    let mut rest = expected.iter();
    ensure!(
        seen.shown.iter().all(|body| rest.any(|expected| expected == body)),
        "twice, or not in order: {:?}",
        seen.shown
    );
    ensure!(
        !fault.all || seen.shown == expected,
        "not all from QQ: {:?}",
        seen.shown
    );

    let until = Instant::now() + LIMIT;
    loop {
        for el in alice.take_all() {
            seen.take(&el);
        }
        let open = unsettled(bridge, &sent, &seen).await?;
        if open.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < until, "neither on QQ nor told: {open:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// The lines that are not on QQ, and of which nobody said so.
async fn unsettled(bridge: &Bridge, sent: &BTreeMap<String, String>, seen: &Seen) -> anyhow::Result<Vec<String>> {
    let messages = bridge.sandbox.messages(CATS, 0, Duration::ZERO).await?;
    let mut open = Vec::new();
    for (id, text) in sent {
        let ours = format!("Alice W: {text}");
        let times = messages.iter().filter(|m| m.from == BOT && m.text() == ours).count();
        ensure!(times <= 1, "{text:?} is on QQ {times} times");
        if times == 0 && !seen.told.contains(id) {
            open.push(text.clone());
        }
    }
    Ok(open)
}

/// One fault with a bridge of its own: what the first fault broke is not blamed on the second.
async fn under_fault(flavour: &str, way: Way, fault: &Fault) -> anyhow::Result<()> {
    let Some(bridge) = Bridge::start_onebot(Kind::Prosody, &Far::of(flavour).by(way)).await? else {
        return Ok(());
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(LIMIT);
    alice.join(CATS_ROOM, "Alice W").await?;
    traffic(&bridge, &mut alice, fault).await.with_context(|| bridge.log())
}

async fn all_faults(flavour: &str, way: Way) -> anyhow::Result<()> {
    let tries = FAULTS.iter().map(|fault| async move {
        let begun = Instant::now();
        let result = under_fault(flavour, way, fault).await;
        println!(
            "{flavour} {way:?} {:?}: {:.1} s",
            fault.armed,
            begun.elapsed().as_secs_f32()
        );
        result
            .err()
            .map(|error| format!("=== {flavour} {way:?} {:?}: {error:?}", fault.armed))
    });
    let results: Vec<_> = stream::iter(tries).buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<String> = results.into_iter().flatten().collect();
    ensure!(failed.is_empty(), "\n{}", failed.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_napcat() -> anyhow::Result<()> {
    all_faults("napcat", Way::Forward).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_llbot() -> anyhow::Result<()> {
    all_faults("llbot", Way::Reverse).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_lagrange() -> anyhow::Result<()> {
    all_faults("lagrange", Way::Forward).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_gocq() -> anyhow::Result<()> {
    all_faults("gocq", Way::Reverse).await
}

/// A kind that the sandbox has learnt wants a row in the table.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_tried() -> anyhow::Result<()> {
    let sandbox = lab::Sandbox::start(&[]).await?;
    let known = sandbox.faults().await?["kinds"].clone();
    let tried: Vec<Value> = FAULTS
        .iter()
        .flat_map(|fault| fault.armed)
        .map(|armed| serde_json::from_str(armed))
        .collect::<Result<_, _>>()?;
    let tried = json!(tried);
    for kind in kinds(&known) {
        ensure!(
            kinds(&tried).contains(&kind),
            "the sandbox knows the fault {kind}: try it here"
        );
    }
    Ok(())
}
