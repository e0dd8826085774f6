//! What was said on QQ while the gateway was down is shown when it is back: all of it, once, in order, with the true times, and
//! before anything newer.

use std::time::Duration;

use anyhow::Context as _;
use lab::Kind;
use lab::jabber::Stanza as _;

use crate::support::Bridge;
use crate::support::onebot::{CATS, CATS_ROOM, CHEN, DMITRI, Far, shown_until};

const MISSED: usize = 300;

async fn gap(kind: Kind, flavour: &str) -> anyhow::Result<()> {
    let Some(mut bridge) = Bridge::start_onebot(kind, &Far::of(flavour)).await? else {
        return Ok(());
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(Duration::from_secs(60));
    alice.join(CATS_ROOM, "Alice W").await?;
    for n in 0..3 {
        let text = format!("before {n}");
        bridge.sandbox.say(CATS, DMITRI, text.as_str()).await?;
        alice.wait_body(CATS_ROOM, &text).await?;
    }
    let mut said = Vec::new();
    bridge.stop_gateway().await?;
    for n in 0..MISSED {
        let from = if n % 2 == 0 { DMITRI } else { CHEN };
        let text = format!("missed {n}");
        let id = bridge.sandbox.say(CATS, from, text.as_str()).await?;
        said.push((id, text));
    }
    bridge.start_gateway().await?;
    bridge.sandbox.say(CATS, DMITRI, "the end").await?;
    let shown = shown_until(&mut alice, CATS_ROOM, "the end")
        .await
        .with_context(|| bridge.log())?;
    let shown: Vec<_> = shown
        .iter()
        .filter(|el| el.body().is_some_and(|body| body.starts_with("missed ")))
        .collect();
    let bodies: Vec<String> = shown.iter().filter_map(|el| el.body()).collect();
    let expected: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(bodies, expected, "{flavour}\n{}", bridge.log());

    let first = said.first().context("something was said")?.0 - 1;
    let messages = bridge.sandbox.messages(CATS, first, Duration::ZERO).await?;
    for (el, (id, text)) in shown.iter().zip(&said) {
        let message = messages.iter().find(|m| m.id == *id).context("the sandbox keeps it")?;
        let stamp = el
            .delay()
            .with_context(|| format!("{text} has no time: {}", el.xml()))?;
        let stamp = seconds(stamp).with_context(|| format!("{stamp} is no time"))?;
        assert_eq!(stamp, message.time, "{text}");
    }
    Ok(())
}

/// `2026-11-23T08:21:59Z`, with or without a fraction, as seconds since 1970.
fn seconds(stamp: &str) -> Option<i64> {
    let (date, time) = stamp.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split(['.', ':']).map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // Days of the proleptic Gregorian calendar, counted from March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[test]
fn stamps_are_read() {
    assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(seconds("2026-11-23T08:20:46.5Z"), Some(1_795_422_046));
    assert_eq!(seconds("yesterday"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn gap_of_napcat() -> anyhow::Result<()> {
    gap(Kind::Prosody, "napcat").await
}

#[tokio::test(flavor = "multi_thread")]
async fn gap_of_llbot() -> anyhow::Result<()> {
    gap(Kind::Prosody, "llbot").await
}

#[tokio::test(flavor = "multi_thread")]
async fn gap_of_lagrange() -> anyhow::Result<()> {
    gap(Kind::Prosody, "lagrange").await
}

#[tokio::test(flavor = "multi_thread")]
async fn gap_of_gocq() -> anyhow::Result<()> {
    gap(Kind::Ejabberd, "gocq").await
}
