//! Ten groups in which ten people each talk at once: every room shows its group's words, all of them, in the order of QQ.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lab::jabber::Stanza as _;
use lab::{Kind, Sandbox};
use minidom::Element;
use tokio::time::{Instant, sleep};

use crate::support::Bridge;
use crate::support::onebot::{BOT, Far};

const GROUPS: u64 = 10;
const PEOPLE: u64 = 10;
const LINES: u64 = 12;

fn group(n: u64) -> u64 {
    347_000_000 + n
}

fn room(n: u64) -> String {
    format!("flood{n}@qq.localhost")
}

fn person(group: u64, n: u64) -> u64 {
    710_000_000 + group * 100 + n
}

/// The world as a file's text.
fn world() -> anyhow::Result<String> {
    let mut text = format!("[[account]]\nqq = {BOT}\nnickname = \"猫管家\"\nprotocol = \"onebot\"\n");
    for n in 0..GROUPS {
        let number = group(n);
        write!(text, "\n[[group]]\nnumber = {number}\nname = \"群{n}\"\nmembers = [\n")?;
        writeln!(
            text,
            "  {{ qq = {BOT}, nickname = \"猫管家\", card = \"\", role = \"member\" }},"
        )?;
        for p in 0..PEOPLE {
            let qq = person(n, p);
            let role = if p == 0 { "owner" } else { "member" };
            writeln!(
                text,
                "  {{ qq = {qq}, nickname = \"p{n} {p}\", card = \"\", role = \"{role}\" }},"
            )?;
        }
        text.push_str("]\n");
    }
    Ok(text)
}

/// One group talks: everybody a line, and again.
async fn talk(sandbox: &Sandbox, n: u64) -> anyhow::Result<()> {
    for line in 0..LINES {
        for p in 0..PEOPLE {
            sandbox.say(group(n), person(n, p), format!("{line} of {p}")).await?;
        }
    }
    Ok(())
}

async fn flood(flavour: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("world.toml");
    std::fs::write(&file, world()?)?;
    let file = file.display().to_string();
    let mut rows = String::new();
    for n in 0..GROUPS {
        write!(rows, "[[mapping]]\ngroup = {}\nroom = \"{}\"\n", group(n), room(n))?;
    }
    let far = Far {
        rows: &rows,
        arguments: &["--world", &file],
        ..Far::of(flavour)
    };
    let Some(bridge) = Bridge::start_onebot(Kind::Prosody, &far).await? else {
        return Ok(());
    };
    let mut alice = bridge.jabber("alice", "phone").await?;
    alice.set_limit(Duration::from_secs(60));
    for n in 0..GROUPS {
        // The account is on line before the last room is.
        let end = Instant::now() + Duration::from_secs(20);
        while let Err(error) = alice.join(&room(n), "Alice W").await {
            ensure!(Instant::now() < end, "{error:#}");
            sleep(Duration::from_millis(100)).await;
        }
    }
    let talks = (0..GROUPS).map(|n| {
        let sandbox = Sandbox::at(bridge.sandbox.address());
        tokio::spawn(async move { talk(&sandbox?, n).await })
    });
    let talks: Vec<_> = talks.collect();
    // Meanwhile a line from here to every group.
    for n in 0..GROUPS {
        alice.say(&room(n), "through the flood").await?;
    }

    let mut shown = vec![Vec::new(); usize::try_from(GROUPS)?];
    let all = LINES * PEOPLE * GROUPS;
    for seen in 0..all {
        let of_qq = |el: &Element| {
            el.name() == "message" && el.nick() != "Alice W" && el.body().is_some_and(|body| body.contains(" of "))
        };
        let el = alice
            .wait(of_qq, "a line of the flood")
            .await
            .with_context(|| format!("{seen} of {all} came\n{}", bridge.log()))?;
        let n = (0..GROUPS)
            .find(|n| el.bare_from() == room(*n))
            .context("a room of ours")?;
        shown[usize::try_from(n)?].push(format!("{}: {}", el.nick(), el.body().unwrap_or_default()));
    }
    for talk in talks {
        talk.await??;
    }
    for (n, shown) in (0..GROUPS).zip(&shown) {
        let lines = (0..LINES).flat_map(|line| (0..PEOPLE).map(move |p| format!("p{n} {p}: {line} of {p}")));
        assert_eq!(*shown, lines.collect::<Vec<_>>(), "{flavour}: room {n}");
        bridge
            .sandbox
            .wait_text(group(n), 0, "Alice W: through the flood")
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_napcat() -> anyhow::Result<()> {
    flood("napcat").await
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_llbot() -> anyhow::Result<()> {
    flood("llbot").await
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_lagrange() -> anyhow::Result<()> {
    flood("lagrange").await
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_gocq() -> anyhow::Result<()> {
    flood("gocq").await
}
