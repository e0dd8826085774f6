//! What a burden in one place does to memory, and to others.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use lab::load::Crowd;
use serde_json::json;
use tokio::time::sleep;

use crate::down::{LIMIT, each, flood};
use crate::options::Options;
use crate::process;
use crate::report::{Figure, Report, median};
use crate::stage::{Stage, users};
use crate::up;
use crate::world::{BOT, room};

/// Clients of the room that is burdened.
const CROWD: usize = 20;
/// How long a burden lasts.
const BURDEN: Duration = Duration::from_secs(10);
/// Messages of one order to the sandbox.
const FLOOD: u64 = 500;
/// Between two words in the other room.
const PAUSE: Duration = Duration::from_millis(50);

/// Measures on a stage with two rooms, on which the gateway runs.
pub(crate) async fn measure(stage: &Stage, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let name = stage.server.kind().name();
    let mut crowd = Crowd::gather(&stage.server, &users(CROWD), "burden").await?;
    crowd.enter(&room(0)).await?;
    let mut other = Crowd::gather(&stage.server, &users(1), "other").await?;
    other.enter(&room(1)).await?;

    let quiet = words(&mut other, async { sleep(BURDEN / 4).await }).await?;
    let figure = Figure::of(
        "pressure",
        "client → reflection in a quiet gateway, worst",
        worst(&quiet),
        "ms",
    );
    report.add(figure.on(name));
    let flooded = words(&mut other, overflow(stage, &crowd));
    let flooded = flooded.await?;
    let figure = Figure::of(
        "pressure",
        "the same while another room is flooded from QQ, worst",
        worst(&flooded),
        "ms",
    );
    report.add(figure.on(name).beside(worst(&quiet)));
    quieten(&crowd).await;

    let stormy = words(&mut other, storm(&mut crowd, &room(0))).await?;
    let figure = Figure::of(
        "pressure",
        "the same while 20 clients enter and leave another room",
        worst(&stormy),
        "ms",
    );
    report.add(figure.on(name).beside(worst(&quiet)));
    quieten(&crowd).await;
    let stormy = words(&mut other, storm(&mut crowd, &room(1))).await?;
    let figure = Figure::of(
        "pressure",
        "the same while they enter and leave the same room, p50",
        median(&stormy),
        "ms",
    );
    report.add(figure.on(name).beside(median(&quiet)));
    quieten(&crowd).await;
    drop(crowd);

    outage(stage, &mut other, options.outage, report).await
}

fn worst(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}

/// Waits until nothing comes any more.
async fn quieten(crowd: &Crowd) {
    let mut last = 0;
    while crowd.tally().total() != last {
        last = crowd.tally().total();
        sleep(Duration::from_secs(1)).await;
    }
}

/// What somebody says in the second room takes until it is reflected, one word after the other, while a burden lasts.
async fn words(other: &mut Crowd, burden: impl Future<Output = ()>) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut burden = std::pin::pin!(burden);
    let mut number = rand::random_range(1_000_000_000_u64..900_000_000_000);
    let mut over = false;
    while !over {
        number += 1;
        let before = other.tally().total();
        let begin = Instant::now();
        other.write(0, up::message(&room(1), number).as_bytes()).await?;
        let reflected = other.tally().reach(before + 1, LIMIT);
        let mut reflected = std::pin::pin!(reflected);
        loop {
            tokio::select! {
                biased;
                arrived = &mut reflected => { arrived?; break }
                () = &mut burden, if !over => over = true,
            }
        }
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        let mut pause = std::pin::pin!(sleep(PAUSE));
        loop {
            tokio::select! {
                biased;
                () = &mut pause => break,
                () = &mut burden, if !over => over = true,
            }
        }
    }
    Ok(times)
}

/// More is said in the first room than it can take, but not so much that it has to be taken for minutes afterwards.
async fn overflow(stage: &Stage, crowd: &Crowd) {
    let (end, start) = (Instant::now() + BURDEN, crowd.tally().total());
    let mut said = 0;
    while Instant::now() < end {
        if flood(stage, 0, FLOOD).await.is_err() {
            return;
        }
        said += FLOOD;
        let due = said.saturating_sub(FLOOD * 2) * each(crowd);
        if crowd.tally().reach(start + due, BURDEN).await.is_err() {
            return;
        }
    }
}

/// Everybody leaves and enters again, over and over: once all are told the subject, and so are inside.
async fn storm(crowd: &mut Crowd, room: &str) {
    let end = Instant::now() + BURDEN;
    while Instant::now() < end {
        let inside = crowd.tally().total() + crowd.len() as u64;
        for n in 0..crowd.len() {
            let motion = format!(
                "<presence to='{room}/c{n}' type='unavailable'/><presence to='{room}/c{n}'>\
                 <x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
            );
            if crowd.write(n, motion.as_bytes()).await.is_err() {
                return;
            }
        }
        if crowd.tally().reach(inside, BURDEN).await.is_err() {
            return;
        }
    }
}

/// The account is off line while very much is said: it waits on the disk.
async fn outage(stage: &Stage, client: &mut Crowd, messages: u64, report: &mut Report) -> anyhow::Result<()> {
    if messages == 0 {
        return Ok(());
    }
    let mut number = 500_000_000_000;
    up::say(client, &room(1), 2000.min(messages), &mut number).await?;
    sleep(Duration::from_secs(5)).await;
    stage.sandbox.post("onebot/offline", &json!({ "qq": BOT })).await?;
    sleep(Duration::from_secs(2)).await;
    // What the gateway says of the outage in the room arrives, too.
    quieten(client).await;
    let before = process::resident(stage.gateway()?)?;
    let mut most = before;
    let mut left = messages;
    while left > 0 {
        let part = left.min(2000);
        let said = up::say(client, &room(1), part, &mut number).await;
        said.with_context(|| stage.log())?;
        left -= part;
        most = process::resident(stage.gateway()?)?.max(most);
    }
    let what = format!("growth of resident memory while {messages} messages wait for QQ");
    let figure = Figure::of("pressure", what, most - before, "MB");
    report.add(figure.on(stage.server.kind().name()));
    Ok(())
}
