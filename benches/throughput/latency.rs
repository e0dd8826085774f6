//! One message at a time: how long it is under way, and how much of that is the gateway's.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use lab::load::{Crowd, RawComponent};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;

use crate::down::{LIMIT, TEXT};
use crate::options::Options;
use crate::report::{Figure, Report, median, quantile};
use crate::stage::{RAW, Stage};
use crate::template::Template;
use crate::up;
use crate::world::{BOT, GROUP, SPEAKER, room};

/// Between two, so that what the last one left behind (marks, the outbox) is done.
const PAUSE: Duration = Duration::from_millis(15);

/// Measures with a crowd of one, who is in the first room.
pub(crate) async fn measure(
    (stage, raw, crowd): (&Stage, &RawComponent, &mut Crowd),
    template: &Template,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut events = listen(stage).await?;
    let (mut raws, mut sandbox, mut all, mut own) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..options.latencies {
        let before = crowd.tally().total();
        let begin = Instant::now();
        let mut out = Vec::new();
        template.write(&mut out, n, crowd.jids());
        raw.write(&out).await?;
        crowd.tally().reach(before + 1, LIMIT).await?;
        raws.push(begin.elapsed().as_secs_f64() * 1e3);
        sleep(PAUSE).await;

        let before = crowd.tally().total();
        let begin = Instant::now();
        stage
            .sandbox
            .say(GROUP, SPEAKER, TEXT.replace("{n}", &n.to_string()))
            .await?;
        crowd.tally().reach(before + 1, LIMIT).await?;
        let arrived = Instant::now();
        let told = timeout(LIMIT, events.recv())
            .await?
            .context("the sandbox tells its events")?;
        sandbox.push((told - begin).as_secs_f64() * 1e3);
        all.push((arrived - begin).as_secs_f64() * 1e3);
        own.push(arrived.saturating_duration_since(told).as_secs_f64() * 1e3);
        sleep(PAUSE).await;
    }
    let name = stage.server.kind().name();
    let mut add = |what: &str, raws: &[f64], own: &[f64]| {
        for (part, word) in [(0.5, "p50"), (0.99, "p99")] {
            let figure = Figure::of("latency", format!("{what}, {word}"), quantile(own, part), "ms");
            report.add(figure.on(name).with_clients(1).beside(quantile(raws, part)));
        }
        let added = median(own) - median(raws);
        let figure = Figure::of("latency", format!("{what}, added p50"), added, "ms");
        report.add(figure.on(name).with_clients(1));
    };
    add("QQ event → client", &raws, &own);

    let (mut raws, mut own) = (Vec::new(), Vec::new());
    let mut number = 900_000_000;
    for _ in 0..options.latencies {
        for (to, times) in [(format!("room@{RAW}"), &mut raws), (room(0), &mut own)] {
            number += 1;
            let before = crowd.tally().total();
            let begin = Instant::now();
            crowd.write(0, up::message(&to, number).as_bytes()).await?;
            crowd.tally().reach(before + 1, LIMIT).await?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            sleep(PAUSE).await;
        }
    }
    add("client → reflection", &raws, &own);
    Ok(())
}

/// A second application of the account, which notes when it was told of a message: the moment at which the gateway was.
async fn listen(stage: &Stage) -> anyhow::Result<mpsc::Receiver<Instant>> {
    let url = format!("ws://{}/onebot/v11/{BOT}/event", stage.sandbox.address());
    let (mut socket, _) = connect_async(url)
        .await
        .context("the sandbox takes a second application")?;
    let (events, told) = mpsc::channel(1024);
    tokio::spawn(async move {
        while let Some(Ok(frame)) = socket.next().await {
            let now = Instant::now();
            let said = frame
                .to_text()
                .is_ok_and(|text| text.contains("\"message_type\":\"group\""));
            if said && events.send(now).await.is_err() {
                return;
            }
        }
    });
    Ok(told)
}
