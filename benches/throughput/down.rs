//! QQ → XMPP: messages a second to everybody in a room.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lab::load::{Crowd, RawComponent};
use serde_json::json;

use crate::options::Options;
use crate::process;
use crate::report::{Figure, Report, median};
use crate::stage::Stage;
use crate::template::Template;
use crate::world::{GROUP, SPEAKER};

/// What is said; longer than most of what people say.
pub(crate) const TEXT: &str = "[{n}] 你好，世界 <hello & goodbye> the quick brown fox jumps over the lazy dog";
/// However slow the machine is.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);
/// Messages under way from the sandbox at most: fewer than wait for one room before the session drops some.
const WINDOW: u64 = 768;
/// Messages of one order to the sandbox.
const CHUNK: u64 = 128;
/// Turns of raw component and gateway in one run: what else the machine does hits both.
pub(crate) const TURNS: u64 = 6;

/// Measures with these clients, who are in the first room.
pub(crate) async fn measure(
    (stage, raw, crowd): (&Stage, &RawComponent, &Crowd),
    template: &Template,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (kind, clients) = (stage.server.kind(), crowd.len());
    let messages = (options.messages(kind, clients) / TURNS).max(32);
    let (mut raws, mut rates, mut ratios, mut cpus) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // Nobody has said anything yet: caches, statements, buffers.
    by_gateway(stage, crowd, messages.min(256)).await?;
    for _ in 0..options.runs {
        let (mut by_raw_time, mut by_gateway_time) = (0.0, 0.0);
        let mut cpu = 0.0;
        for _ in 0..TURNS {
            by_raw_time += by_raw(raw, template, crowd, messages).await?;
            let before = process::cpu(stage.gateway()?)?;
            by_gateway_time += by_gateway(stage, crowd, messages).await?;
            cpu += process::cpu(stage.gateway()?)? - before;
        }
        let all = (messages * TURNS) as f64;
        raws.push(all / by_raw_time);
        rates.push(all / by_gateway_time);
        ratios.push(by_raw_time / by_gateway_time);
        cpus.push(cpu * 10_000.0 / all);
    }
    let what = format!("QQ → XMPP, {clients} clients");
    let figure = Figure::of("down", what, median(&rates), "messages/s");
    report.add(Figure {
        ratio: Some(median(&ratios)),
        ..figure.on(kind.name()).with_clients(clients).beside(median(&raws))
    });
    let what = format!("CPU per 10 000 messages QQ → XMPP, {clients} clients");
    let figure = Figure::of("cpu", what, median(&cpus), "s");
    report.add(figure.on(kind.name()).with_clients(clients));
    let what = format!("resident memory after it, {clients} clients");
    let figure = Figure::of("memory", what, process::resident(stage.gateway()?)?, "MB");
    report.add(figure.on(kind.name()).with_clients(clients));
    Ok(())
}

/// The server's ceiling: the seconds in which a raw component gets so many messages to everybody.
async fn by_raw(raw: &RawComponent, template: &Template, crowd: &Crowd, messages: u64) -> anyhow::Result<f64> {
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
    crowd.tally().reach(start + messages * each(crowd), LIMIT).await?;
    let seconds = begin.elapsed().as_secs_f64();
    all_have(crowd, &before, messages)?;
    Ok(seconds)
}

/// The same by the gateway, from the sandbox.
pub(crate) async fn by_gateway(stage: &Stage, crowd: &Crowd, messages: u64) -> anyhow::Result<f64> {
    let before = crowd.counts();
    let start = crowd.tally().total();
    let begin = Instant::now();
    let mut said = 0;
    while said < messages {
        let count = CHUNK.min(messages - said);
        // As many must have arrived before more are said.
        let due = (said + count).saturating_sub(WINDOW);
        let arrived = crowd.tally().reach(start + due * each(crowd), LIMIT).await;
        arrived.with_context(|| stage.log())?;
        flood(stage, 0, count).await?;
        said += count;
    }
    let arrived = crowd.tally().reach(start + messages * each(crowd), LIMIT).await;
    arrived.with_context(|| stage.log())?;
    let seconds = begin.elapsed().as_secs_f64();
    all_have(crowd, &before, messages)?;
    Ok(seconds)
}

/// So many messages are said in the n-th group.
pub(crate) async fn flood(stage: &Stage, n: u64, count: u64) -> anyhow::Result<()> {
    let order = json!({"count": count, "first": 1_000_000, "from": SPEAKER, "text": TEXT});
    let path = format!("groups/{}/flood", GROUP + n);
    stage.sandbox.post(&path, &order).await.map(drop)
}

pub(crate) fn each(crowd: &Crowd) -> u64 {
    crowd.len() as u64
}

/// Everybody got each message once, and nothing else.
pub(crate) fn all_have(crowd: &Crowd, before: &[u64], messages: u64) -> anyhow::Result<()> {
    ensure!(crowd.errors() == 0, "{} stanzas of type error arrived", crowd.errors());
    for (n, (now, before)) in crowd.counts().iter().zip(before).enumerate() {
        let got = now - before;
        ensure!(got == messages, "client {n} got {got} of {messages} messages");
    }
    Ok(())
}
