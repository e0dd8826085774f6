//! How fast the gateway is, beside the most that the server can do.
//!
//! `make bench`, or `cargo bench --workspace --bench throughput -- --help`. Everything is measured in one run against one server, in
//! turns: a raw component that writes the gateway's own stanzas, and the gateway. What counts are ratios and medians; how each
//! figure comes about is told in `docs/performance.md`.

#![expect(clippy::cast_precision_loss, reason = "what is counted here is small")]

mod alone;
mod chart;
mod down;
mod latency;
mod options;
mod pressure;
mod process;
mod record;
mod report;
mod size;
mod stage;
mod template;
mod up;
mod world;

use anyhow::Context as _;
use clap::Parser as _;
use lab::Kind;
use lab::load::{Crowd, RawComponent};

use options::{Options, Part};
use report::Report;
use stage::{RAW, Stage, users};
use world::{room, rows};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut report = Report::default();
    let measured = measure(&options, &mut report).await;
    // What was found before something failed is shown all the same.
    println!("{}", report.table());
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(report.figures())?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &options.chart {
        chart::draw(&report, path)?;
    }
    measured
}

async fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    if options.wants(Part::Alone) {
        let folder = stage::folder()?;
        alone::disk_and_store(folder.path(), report).await?;
        alone::forms(report)?;
    }
    for kind in options.kinds() {
        if lab::available(kind.name()) {
            with_server(kind, options, report).await?;
        }
    }
    if options.wants(Part::Size) && lab::available(Kind::Prosody.name()) {
        size::measure(report).await?;
    }
    Ok(())
}

async fn with_server(kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let wanted = [Part::Down, Part::Up, Part::Latency, Part::Pressure];
    if !wanted.into_iter().any(|part| options.wants(part)) {
        return Ok(());
    }
    let most = options.clients.iter().copied().max().unwrap_or(1).max(20);
    let mut stage = Stage::set(kind, most, (2, 5)).await?;
    if options.wants(Part::Down) {
        alone::sandbox(&stage, report).await?;
    }
    let templates = record::record(&mut stage).await?;
    stage.start_gateway(&rows(2), None).await?;
    stage.members_shown(&room(0), 6).await?;
    stage.members_shown(&room(1), 6).await?;
    for &clients in &options.clients {
        let mut crowd = Crowd::gather(&stage.server, &users(clients), &format!("bench{clients}")).await?;
        crowd.enter(&room(0)).await?;
        let mut raw = RawComponent::connect(&stage.server, RAW).await?;
        if options.wants(Part::Down) {
            down::measure((&stage, &raw, &crowd), &templates.down, options, report).await?;
        }
        let form = templates.up.clone();
        let jids: Vec<String> = crowd.jids().map(str::to_owned).collect();
        raw.reflect(move |n, out| form.write(out, n, jids.iter().map(String::as_str)));
        if options.wants(Part::Up) {
            up::measure((&stage, &mut crowd), &format!("room@{RAW}"), options, report).await?;
        }
        if options.wants(Part::Latency) && clients == 1 {
            latency::measure((&stage, &raw, &mut crowd), &templates.down, options, report).await?;
        }
    }
    if options.wants(Part::Pressure) {
        pressure::measure(&stage, options, report).await?;
    }
    Ok(())
}
