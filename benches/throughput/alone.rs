//! Parts alone: the disk, the store, the forms of a message, the sandbox.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use jid::BareJid;
use minidom::Element;
use qqxmpp::model::{
    AccountName, Author, Content, EventId, GroupNumber, Handle, Language, MemberId, Part, QqNumber, Row, Seq, Timestamp,
};
use qqxmpp::store::{Identity, NewMessage, Store, Write};
use qqxmpp::xmpp::render::{Ids, message};
use tokio_tungstenite::connect_async;
use xmpp_parsers::message::Message;

use crate::down::{TEXT, flood};
use crate::report::{Figure, Report, median, quantile};
use crate::stage::Stage;
use crate::world::BOT;

/// Syncs of the disk, and commits, of one figure.
const SYNCS: usize = 300;
/// Stanzas rendered and read.
const STANZAS: u32 = 50_000;
/// Messages that the sandbox says to a reader who does nothing else.
const FLOOD: u64 = 20_000;

/// What a sync of 4 KiB behind the end of a file takes, and a commit of one row.
pub(crate) async fn disk_and_store(folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let path = folder.join("sync");
    let mut file = std::fs::File::create(&path)?;
    let mut syncs = Vec::new();
    for _ in 0..SYNCS {
        file.seek(SeekFrom::End(0))?;
        file.write_all(&[b'x'; 4096])?;
        let begin = Instant::now();
        file.sync_data()?;
        syncs.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(&path)?;
    report.add(Figure::of("disk", "fdatasync of 4 KiB, p50", median(&syncs), "ms"));
    report.add(Figure::of(
        "disk",
        "fdatasync of 4 KiB, p99",
        quantile(&syncs, 0.99),
        "ms",
    ));
    let mut commits = Vec::new();
    {
        let store = Store::open(&folder.join("one.db"))?;
        let room = store.room(&BareJid::new("one@qq.localhost")?).await?;
        for n in 0..SYNCS {
            let writes = vec![said("one", n)];
            let begin = Instant::now();
            store.commit(room, writes).await?;
            commits.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        store.close().await;
    }
    report.add(Figure::of(
        "store",
        "commit of one message, p50",
        median(&commits),
        "ms",
    ));
    report.add(Figure::of(
        "store",
        "commit of one message, p99",
        quantile(&commits, 0.99),
        "ms",
    ));
    for (callers, batch) in [(1, 1), (16, 1), (64, 1), (1, 32)] {
        let rates = [
            commits_per_second(folder, callers, batch).await?,
            commits_per_second(folder, callers, batch).await?,
            commits_per_second(folder, callers, batch).await?,
        ];
        let what = format!("{callers} callers, {batch} messages in each commit");
        report.add(Figure::of("store", what, median(&rates), "messages/s"));
    }
    for name in ["one.db", "many.db"] {
        for end in ["", "-wal", "-shm", ".lock"] {
            std::fs::remove_file(folder.join(format!("{name}{end}"))).ok();
        }
    }
    Ok(())
}

async fn commits_per_second(folder: &Path, callers: usize, batch: usize) -> anyhow::Result<f64> {
    let store = Store::open(&folder.join("many.db"))?;
    let each = if callers == 1 { SYNCS } else { SYNCS / 4 };
    let mark = rand::random::<u64>();
    let mut rooms = Vec::new();
    for caller in 0..callers {
        rooms.push(store.room(&BareJid::new(&format!("r{caller}@qq.localhost"))?).await?);
    }
    let begin = Instant::now();
    let calls = rooms.into_iter().enumerate().map(|(caller, room)| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..each {
                let writes = (0..batch).map(|m| said(&format!("{mark}:{caller}:{m}"), n)).collect();
                store.commit(room, writes).await?;
            }
            anyhow::Ok(())
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await??;
    }
    let seconds = begin.elapsed().as_secs_f64();
    store.close().await;
    Ok((callers * each * batch) as f64 / seconds)
}

fn said(mark: &str, n: usize) -> Write {
    Write::Message(NewMessage {
        identity: Identity::Qq {
            group: GroupNumber(1),
            event: EventId(format!("{mark}:{n}").into()),
            handle: Some(Handle(format!("{mark}:{n}").into())),
            account: AccountName("main".into()),
        },
        time: Timestamp::now(),
        author: author(),
        nick: "Dmitri".to_owned(),
        rows: vec![content()],
        pieces: Vec::new(),
        upon: None,
    })
}

fn author() -> Author {
    Author::Member {
        group: GroupNumber(1),
        id: MemberId::Number(QqNumber(700_100_201)),
    }
}

fn content() -> Content {
    Content::Parts(vec![Part::Text(TEXT.to_owned())])
}

/// What a row costs until it is a stanza, and a stanza until it is read.
pub(crate) fn forms(report: &mut Report) -> anyhow::Result<()> {
    let ids = Ids::new(BareJid::new("cats@qq.localhost")?, "abcdefgh", [7; 32]);
    let row = Row {
        seq: Seq(123_456),
        message: Seq(123_456),
        time: Timestamp::now(),
        author: author(),
        nick: "Dmitri".into(),
        content: content(),
    };
    let each = |begin: Instant| begin.elapsed().as_secs_f64() * 1e6 / f64::from(STANZAS);
    let begin = Instant::now();
    for _ in 0..STANZAS {
        std::hint::black_box(message::row(&ids, Language::En, std::hint::black_box(&row), false));
    }
    report.add(Figure::of("forms", "render a row", each(begin), "µs"));
    let element = Element::from(message::row(&ids, Language::En, &row, false));
    let text = String::from(&element);
    let begin = Instant::now();
    for _ in 0..STANZAS {
        let element: Element = std::hint::black_box(&text).parse()?;
        std::hint::black_box(Message::try_from(element)?);
    }
    report.add(Figure::of("forms", "read a message stanza", each(begin), "µs"));
    Ok(())
}

/// How fast the sandbox tells an application that only reads.
pub(crate) async fn sandbox(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let url = format!("ws://{}/onebot/v11/{BOT}/event", stage.sandbox.address());
    let (mut socket, _) = connect_async(url).await.context("the sandbox takes an application")?;
    let begin = Instant::now();
    let reader = tokio::spawn(async move {
        let mut count = 0;
        while count < FLOOD
            && let Some(Ok(frame)) = socket.next().await
        {
            count += u64::from(frame.to_text().is_ok_and(|text| text.contains("\"message\"")));
        }
    });
    for _ in 0..FLOOD / 1000 {
        flood(stage, 0, 1000).await?;
    }
    tokio::time::timeout(Duration::from_secs(60), reader)
        .await
        .context("the sandbox tells all")??;
    let rate = FLOOD as f64 / begin.elapsed().as_secs_f64();
    report.add(Figure::of(
        "sandbox",
        "the sandbox to a reader that does nothing",
        rate,
        "messages/s",
    ));
    Ok(())
}
