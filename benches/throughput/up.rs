//! XMPP → QQ: what clients say a second, until everybody has the reflection; and how fast it then comes to QQ.
//!
//! The ceiling is a raw component that answers each message with the very stanzas by which the room reflects it, without looking at
//! the message: the server carries the same in both directions. What QQ takes has no ceiling to compare with; the pieces of a
//! group go one after the other, each behind the answer to the one before.

use std::time::Instant;

use anyhow::Context as _;
use lab::load::Crowd;
use tokio::time::sleep;

use crate::down::{LIMIT, TURNS, all_have, each};
use crate::options::Options;
use crate::process;
use crate::report::{Figure, Report, median};
use crate::stage::Stage;
use crate::world::{BOT, GROUP, room};

/// Messages under way at most: fewer than the room's mailbox takes before it refuses.
const WINDOW: u64 = 192;
const CHUNK: u64 = 32;
const POLL: std::time::Duration = std::time::Duration::from_millis(20);

/// The n-th message, as a client of today writes it.
pub(crate) fn message(to: &str, n: u64) -> String {
    format!(
        "<message type='groupchat' to='{to}' id='b-{n:012}'><body>[{n}] 你好，世界 the quick brown fox jumps over the lazy \
         dog</body><origin-id xmlns='urn:xmpp:sid:0' id='b-{n:012}'/></message>"
    )
}

/// Measures with these clients, who are in the first room. `raw`: the address that the raw component reflects for.
pub(crate) async fn measure(
    (stage, crowd): (&Stage, &mut Crowd),
    raw: &str,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (kind, clients) = (stage.server.kind(), crowd.len());
    let messages = (options.messages(kind, clients) / TURNS / 2).max(32);
    let (mut raws, mut rates, mut ratios, mut cpus, mut sent) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // No id comes twice with another number of clients: the room would take it for the same message.
    let mut number = clients as u64 * 1_000_000;
    let mut last = newest(stage).await?;
    for _ in 0..options.runs {
        let (mut by_raw, mut by_gateway, mut to_qq, mut cpu) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..TURNS {
            by_raw += say(crowd, raw, messages, &mut number).await?;
            let before = process::cpu(stage.gateway()?)?;
            let begin = Instant::now();
            let said = say(crowd, &room(0), messages, &mut number).await;
            by_gateway += said.with_context(|| stage.log())?;
            last = arrived(stage, last, messages).await?;
            to_qq += begin.elapsed().as_secs_f64();
            cpu += process::cpu(stage.gateway()?)? - before;
        }
        let all = (messages * TURNS) as f64;
        raws.push(all / by_raw);
        rates.push(all / by_gateway);
        ratios.push(by_raw / by_gateway);
        sent.push(all / to_qq);
        cpus.push(cpu * 10_000.0 / all);
    }
    let what = format!("XMPP → room, reflected, {clients} clients");
    let figure = Figure::of("up", what, median(&rates), "messages/s");
    report.add(Figure {
        ratio: Some(median(&ratios)),
        ..figure.on(kind.name()).with_clients(clients).beside(median(&raws))
    });
    let what = format!("XMPP → QQ, answered, {clients} clients");
    let figure = Figure::of("sent", what, median(&sent), "messages/s");
    report.add(figure.on(kind.name()).with_clients(clients));
    let what = format!("CPU per 10 000 messages XMPP → QQ, {clients} clients");
    let figure = Figure::of("cpu", what, median(&cpus), "s");
    report.add(figure.on(kind.name()).with_clients(clients));
    Ok(())
}

/// The clients say so much in turns; the seconds until everybody has it all back.
pub(crate) async fn say(crowd: &mut Crowd, to: &str, messages: u64, number: &mut u64) -> anyhow::Result<f64> {
    let before = crowd.counts();
    let start = crowd.tally().total();
    let begin = Instant::now();
    let mut said = 0;
    while said < messages {
        let count = CHUNK.min(messages - said);
        let due = (said + count).saturating_sub(WINDOW);
        crowd.tally().reach(start + due * each(crowd), LIMIT).await?;
        let mut words = vec![String::new(); crowd.len()];
        for _ in 0..count {
            *number += 1;
            let who = usize::try_from(*number % each(crowd))?;
            words[who].push_str(&message(to, *number));
        }
        for (who, words) in words.iter().enumerate().filter(|(_, words)| !words.is_empty()) {
            crowd.write(who, words.as_bytes()).await?;
        }
        said += count;
    }
    crowd.tally().reach(start + messages * each(crowd), LIMIT).await?;
    let seconds = begin.elapsed().as_secs_f64();
    all_have(crowd, &before, messages)?;
    Ok(seconds)
}

/// The world's newest message of the first group.
async fn newest(stage: &Stage) -> anyhow::Result<i64> {
    let mut last = 0;
    loop {
        let page = stage.sandbox.messages(GROUP, last, std::time::Duration::ZERO).await?;
        match page.last() {
            Some(message) => last = message.id,
            None => return Ok(last),
        }
    }
}

/// Waits until QQ has so many more of the account; gives the newest.
async fn arrived(stage: &Stage, after: i64, messages: u64) -> anyhow::Result<i64> {
    let end = Instant::now() + LIMIT;
    let (mut last, mut count) = (after, 0);
    while count < messages {
        anyhow::ensure!(
            Instant::now() < end,
            "QQ got {count} of {messages} messages\n{}",
            stage.log()
        );
        let page = stage.sandbox.messages(GROUP, last, std::time::Duration::ZERO).await?;
        count += page.iter().filter(|message| message.from == BOT).count() as u64;
        if let Some(message) = page.last() {
            last = message.id;
        }
        sleep(POLL).await;
    }
    Ok(last)
}
