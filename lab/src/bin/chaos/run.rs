//! A run from the first server to the last line.
//!
//! ```text
//!  stage ─► everybody enters ─► talk and faults ─► all is made well ─► talk goes on a little ─► quiet ─► judged until settled
//! ```

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use lab::Sandbox;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::deeds::Director;
use crate::journal::Book;
use crate::judge::{Verdict, judge};
use crate::person::{Order, Person, Who};
use crate::plan::Step;
use crate::rooms::{Room, rooms};
use crate::stage::{Line, Stage};
use crate::talk::Talk;
use crate::{Arguments, archive, recovery, table, timeline, watch};

const NICKS: [&str; 6] = ["Ann", "Ben", "Cyd", "Dan", "Eve", "Fay"];
/// From the first to the last who enters.
const ENTERS: Duration = Duration::from_secs(40);
/// How long people go on after the last fault: so that it is seen when a message goes through again.
const AFTERWARDS: Duration = Duration::from_secs(8);
/// From the last word until everything has come to its place: `give_up`, an unknown outcome, a poll that nobody answers, a gap.
const SETTLES: Duration = Duration::from_secs(200);
/// All is well when it was for so long.
const STANDS: Duration = Duration::from_secs(6);
/// What is wrong stays wrong when it was the same for so long: longer than `give_up` and what follows it.
const STAYS: Duration = Duration::from_secs(90);

/// Runs it and prints it. True when all is well.
pub(crate) async fn run(arguments: &Arguments, plan: &[Step]) -> anyhow::Result<bool> {
    let rooms = Arc::new(rooms(arguments.rooms));
    let users: Vec<String> = (0..arguments.jabber).map(|n| format!("person{n}")).collect();
    let book = Book::new(users.len(), rooms.len());
    let mut stage = Stage::start(arguments.kind(), &rooms, &users, book.clone()).await?;
    println!(
        "chaos: seed {}, {}, logs in {}",
        arguments.seed,
        arguments.kind().name(),
        stage.folder.path().display()
    );
    if stage.disk.is_none() {
        println!("chaos: not root, or no mounts: the disk is never full");
    }
    let done = act(arguments, plan, &mut stage, &rooms, &users, &book).await;
    stage.end().await?;
    let (fine, report) = match done {
        Ok(verdict) => (
            verdict.is_fine(),
            [usize::MAX, table::MOST].map(|most| report(&verdict, &book, most)),
        ),
        Err(error) => {
            let text = format!("the run did not come to its end: {error:#}\n");
            (false, [text.clone(), text])
        }
    };
    let [whole, short] = report;
    keep(arguments, stage, &book, &whole, fine)?;
    print!("{short}");
    Ok(fine)
}

async fn act(
    arguments: &Arguments,
    plan: &[Step],
    stage: &mut Stage,
    rooms: &Arc<Vec<Room>>,
    users: &[String],
    book: &Book,
) -> anyhow::Result<Verdict> {
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, stage.server.c2s_port()));
    let sandbox = stage.sandbox.address();
    let _watchers = watch::all(server, sandbox, rooms, book);
    stage.launch()?;
    stage.wait_ready().await?;
    let persons = people(stage, server, rooms, users, book);
    all_enter(book, stage).await?;

    let talk = Talk::start(arguments.seed, arguments.rate, rooms, sandbox, &persons)?;
    let bar = bar(arguments, plan);
    let mut director = Director {
        stage,
        persons: &persons,
        book,
    };
    if arguments.kills > 0 {
        let seed = arguments.seed;
        director
            .kill_again_and_again(seed, arguments.kills, |kills| show(&bar, kills, book))
            .await?;
    } else {
        director.follow(plan, |time| show(&bar, time.as_secs(), book)).await?;
    }
    bar.set_message("all is made well");
    director.heal().await;
    sleep(AFTERWARDS).await;
    talk.end().await;
    let verdict = settle(stage, server, rooms, book, &bar).await;
    bar.finish_and_clear();
    verdict
}

/// All but the last connect to the server itself, the last over the wire. Every second insists.
fn people(
    stage: &Stage,
    server: SocketAddr,
    rooms: &Arc<Vec<Room>>,
    users: &[String],
    book: &Book,
) -> Vec<mpsc::Sender<Order>> {
    let start = |(number, user): (usize, &String)| {
        let on_wire = number + 1 == users.len();
        let who = Who {
            number,
            user: user.clone(),
            nick: NICKS
                .get(number)
                .map_or_else(|| format!("Person{number}"), |nick| (*nick).to_owned()),
            address: if on_wire {
                stage.wire(Line::Client).address()
            } else {
                server
            },
            insists: number % 2 == 1,
        };
        Person::start(who, rooms.clone(), book.clone())
    };
    users.iter().enumerate().map(start).collect()
}

/// Waits until everybody sees a first word of everybody's room: from then on what they miss is missed.
async fn all_enter(book: &Book, stage: &mut Stage) -> anyhow::Result<()> {
    let end = Instant::now() + ENTERS;
    let groups: Vec<_> = {
        let journal = book.open();
        (0..journal.groups.len()).collect()
    };
    let rooms = rooms(groups.len());
    let mut n = 0;
    while Instant::now() < end {
        for room in &rooms {
            // Number 0 of each room may come more than once: it carries no mark.
            stage
                .sandbox
                .say(room.group, room.speaker(0), format!("hello {n}"))
                .await?;
        }
        n += 1;
        sleep(Duration::from_secs(1)).await;
        let journal = book.open();
        if journal
            .sights
            .iter()
            .all(|person| person.iter().all(|room| !room.is_empty()))
        {
            return Ok(());
        }
    }
    bail!("not everybody came into every room within {ENTERS:?}");
}

fn bar(arguments: &Arguments, plan: &[Step]) -> ProgressBar {
    let last = plan.iter().map(|step| step.to.as_secs()).max().unwrap_or_default();
    let bar = ProgressBar::new(if arguments.kills > 0 { arguments.kills } else { last });
    let style = ProgressStyle::with_template("[{elapsed_precise}] {wide_bar} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, position: u64, book: &Book) {
    if bar.position() == position && position != 0 {
        return;
    }
    bar.set_position(position);
    let journal = book.open();
    let words: usize = journal.groups.iter().map(Vec::len).sum();
    let last = journal.deeds.iter().rev().find(|deed| deed.kind != "alert");
    let last = last.map_or_else(String::new, |deed| {
        format!("{}{}", if deed.ends { "end of " } else { "" }, deed.kind)
    });
    bar.set_message(format!("{words} on QQ, {} said on XMPP; {last}", journal.said.len()));
}

/// Judges again and again, until all is well, or wrong, and stays so, or the time is over.
async fn settle(
    stage: &mut Stage,
    server: SocketAddr,
    rooms: &Arc<Vec<Room>>,
    book: &Book,
    bar: &ProgressBar,
) -> anyhow::Result<Verdict> {
    stage.wait_ready().await?;
    let end = Instant::now() + SETTLES;
    let mut since = Instant::now();
    let mut last: Option<Vec<String>> = None;
    loop {
        stage.supervise()?;
        let verdict = look(stage, server, rooms, book).await;
        let now = Instant::now();
        match verdict {
            Ok(verdict) => {
                bar.set_message(format!("settling: {} not as it should be", verdict.wrong.len()));
                if last.as_ref() != Some(&verdict.wrong) {
                    last = Some(verdict.wrong.clone());
                    since = now;
                }
                let enough = if verdict.is_fine() { STANDS } else { STAYS };
                if now.duration_since(since) >= enough || now >= end {
                    return Ok(verdict);
                }
            }
            Err(error) if now >= end => return Err(error).context("the archives cannot be read"),
            Err(_) => {}
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn look(stage: &Stage, server: SocketAddr, rooms: &Arc<Vec<Room>>, book: &Book) -> anyhow::Result<Verdict> {
    read_log(&stage.sandbox, book).await?;
    let archives = archive::read(server, rooms).await?;
    let journal = book.open();
    Ok(judge(rooms, &journal, &archives))
}

/// Reads on in the sandbox's log.
async fn read_log(sandbox: &Sandbox, book: &Book) -> anyhow::Result<()> {
    loop {
        let last = book
            .open()
            .far
            .last()
            .and_then(|entry| entry["n"].as_i64())
            .unwrap_or_default();
        let news = timeout(Duration::from_secs(10), sandbox.log(last, Duration::ZERO)).await??;
        if news.is_empty() {
            return Ok(());
        }
        book.open().far.extend(news);
    }
}

fn report(verdict: &Verdict, book: &Book, most: usize) -> String {
    let journal = book.open();
    let times = recovery::times(&journal);
    format!(
        "{}\n{}\n{}{}\n",
        table::counts(verdict),
        table::recovery(&times),
        table::details(verdict, most),
        table::last(verdict)
    )
}

/// Writes down what was done and seen beside the logs, when somebody will want to look.
fn keep(arguments: &Arguments, stage: Stage, book: &Book, report: &str, fine: bool) -> anyhow::Result<()> {
    if fine && !arguments.keep {
        return Ok(());
    }
    let journal = book.open();
    let folder = stage.folder.path();
    fs::write(folder.join("report.txt"), report)?;
    fs::write(folder.join("timeline.txt"), timeline::write(&journal))?;
    println!("chaos: the logs are kept in {}", folder.display());
    drop(journal);
    let Stage { folder, .. } = stage;
    let _ = folder.keep();
    Ok(())
}
