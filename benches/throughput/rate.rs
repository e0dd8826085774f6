//! How many messages a second come from QQ to everybody in a room.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lab::Kind;
use lab::load::{Crowd, RawComponent, Tap};
use serde_json::json;

use crate::options::Options;
use crate::process;
use crate::stage::{GROUP, RAW, ROOM, ROW, SPEAKER, Stage, users};
use crate::template::Template;

const TEXT: &str = "[{n}] 你好，世界 <hello & goodbye> the quick brown fox jumps over the lazy dog";
const LIMIT: Duration = Duration::from_secs(120);
/// Messages under way from the sandbox at most: as many as wait for one room before the session drops some.
const WINDOW: u64 = 256;
/// Messages of one order to the sandbox.
const CHUNK: u64 = 64;

pub(crate) async fn measure(kind: Kind, options: &Options) -> anyhow::Result<()> {
    let most = options.clients.iter().copied().max().unwrap_or(1);
    let mut stage = Stage::set(kind, most, &[]).await?;
    let template = record(&mut stage).await?;
    println!("{}: {} bytes a stanza", kind.name(), template.len());
    stage.start_gateway(ROW, None).await?;
    stage.members_shown(ROOM, 6).await?;
    let mut raw = RawComponent::connect(&stage.server, RAW).await?;
    for &clients in &options.clients {
        let mut crowd = Crowd::gather(&stage.server, &users(clients), "bench").await?;
        crowd.enter(ROOM).await?;
        let messages = options.messages(kind, clients);
        let mut ratios = Vec::new();
        for run in 0..options.runs {
            let ceiling = by_raw(&mut raw, &template, &crowd, messages).await?;
            let before = process::cpu(stage.gateway()?)?;
            let rate = by_gateway(&stage, &crowd, messages).await?;
            let cpu = process::cpu(stage.gateway()?)? - before;
            println!(
                "{} {clients} clients, run {run}: raw {ceiling:.0}/s, gateway {rate:.0}/s = {:.1} %, {:.2} s of CPU per 10 000, {:.1} MB",
                kind.name(),
                100.0 * rate / ceiling,
                cpu * 10_000.0 / messages as f64,
                process::resident(stage.gateway()?)?,
            );
            ratios.push(rate / ceiling);
        }
        ratios.sort_by(f64::total_cmp);
        println!(
            "{} {clients} clients: median {:.1} %",
            kind.name(),
            100.0 * ratios[ratios.len() / 2]
        );
    }
    Ok(())
}

/// What the gateway writes for one message from QQ.
async fn record(stage: &mut Stage) -> anyhow::Result<Template> {
    let tap = Tap::open(&stage.server).await?;
    stage.start_gateway(ROW, Some(tap.port())).await?;
    let mut crowd = Crowd::gather(&stage.server, &users(1), "tap").await?;
    crowd.enter(ROOM).await?;
    let before = crowd.tally().total();
    let text = TEXT.replace("{n}", "1234567");
    stage.sandbox.say(GROUP, SPEAKER, text).await?;
    crowd.tally().reach(before + 1, LIMIT).await?;
    let stanza = tap
        .stanza_with("message", "1234567")
        .context("the gateway wrote the message")?;
    eprintln!("{stanza}");
    stage.end_gateway().await?;
    Template::of(&stanza)
}

/// The server's ceiling: messages per second that a raw component gets to everybody.
async fn by_raw(raw: &mut RawComponent, template: &Template, crowd: &Crowd, messages: u64) -> anyhow::Result<f64> {
    let before = crowd.counts();
    let start = crowd.tally().total();
    let begin = Instant::now();
    let mut out = Vec::new();
    for n in 0..messages {
        template.write(&mut out, n, crowd.jids());
        if out.len() > 64 << 10 {
            raw.write(&out).await?;
            out.clear();
        }
    }
    raw.write(&out).await?;
    crowd
        .tally()
        .reach(start + messages * crowd.len() as u64, LIMIT)
        .await?;
    let seconds = begin.elapsed().as_secs_f64();
    all_have(crowd, &before, messages)?;
    Ok(messages as f64 / seconds)
}

/// The same by the gateway, from the sandbox.
async fn by_gateway(stage: &Stage, crowd: &Crowd, messages: u64) -> anyhow::Result<f64> {
    let before = crowd.counts();
    let start = crowd.tally().total();
    let each = crowd.len() as u64;
    let begin = Instant::now();
    let mut said = 0;
    while said < messages {
        let count = CHUNK.min(messages - said);
        // As many must have arrived before more are said.
        let due = (said + count).saturating_sub(WINDOW);
        let arrived = crowd.tally().reach(start + due * each, LIMIT).await;
        arrived.with_context(|| stage.log())?;
        let order = json!({"count": count, "first": 1_000_000 + said, "from": SPEAKER, "text": TEXT});
        stage.sandbox.post(&format!("groups/{GROUP}/flood"), &order).await?;
        said += count;
    }
    let arrived = crowd.tally().reach(start + messages * each, LIMIT).await;
    arrived.with_context(|| stage.log())?;
    let seconds = begin.elapsed().as_secs_f64();
    all_have(crowd, &before, messages)?;
    Ok(messages as f64 / seconds)
}

fn all_have(crowd: &Crowd, before: &[u64], messages: u64) -> anyhow::Result<()> {
    ensure!(crowd.errors() == 0, "{} stanzas of type error arrived", crowd.errors());
    for (n, (now, before)) in crowd.counts().iter().zip(before).enumerate() {
        ensure!(
            now - before == messages,
            "client {n} got {} of {messages} messages",
            now - before
        );
    }
    Ok(())
}
