//! The thread that writes. It owns the only connection that may.
//!
//! ```text
//!        wait for a job ──▶ BEGIN ──▶ each that waits, up to 256: SAVEPOINT, run, RELEASE ──▶ COMMIT ──▶ answer all
//!              ▲                                                      └ failed: ROLLBACK TO            (one fsync) │
//!              └───────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! While one commit waits for the disk, the next jobs gather: the busier, the fewer syncs each costs. A job that fails is
//! undone alone. (The first, often the only one, does without SAVEPOINT, for which `SQLite` copies each page that is written to another
//! file: should it fail, the transaction begins anew.) When the transaction itself fails (a full disk), all of its jobs fail and nobody was told otherwise. From then on
//! jobs are refused unseen, and the writer tries something small of its own every second, until that is on the disk: then the
//! store is [well](super::Health) again.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, warn};

use super::open::LOCK_PATIENCE;
use super::{Health, StoreError, Trouble};

/// Jobs that wait at most; behind them callers wait.
const QUEUE: usize = 1024;
/// Jobs in one transaction at most.
const MOST_PER_COMMIT: usize = 256;

/// How often the writer looks whether the disk takes something again.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// So many bytes must have room: a disk on which one row fits and the next does not is still full.
const PROBE: i32 = 256 << 10;
/// How long a job that is refused may wait for that.
const NAP: Duration = Duration::from_millis(50);

/// Something to write. Given an error instead of a connection, it answers with that.
pub(super) type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Ran + Send>;

/// A job that ran, but is not yet on the disk.
pub(super) struct Ran {
    failed: Option<StoreError>,
    answer: Box<dyn FnOnce(Result<(), StoreError>)>,
}

/// Makes a job of `work`, whose outcome goes to `reply` once it is certain.
pub(super) fn job<T, F>(work: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Job
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    Box::new(move |connection| {
        let outcome = connection.and_then(work);
        Ran {
            failed: outcome.as_ref().err().cloned(),
            // A caller that went away does not undo its write.
            answer: Box::new(move |committed| drop(reply.send(committed.and(outcome)))),
        }
    })
}

/// How much was written since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs: commits of portals, steps of the outbox and the like.
    pub jobs: u64,
    /// Transactions, each with one sync of the disk.
    pub transactions: u64,
}

#[derive(Default)]
struct Counters {
    jobs: AtomicU64,
    transactions: AtomicU64,
}

enum Wish {
    Write(Job),
    /// Run whatever is wrong: tests make trouble and end it.
    #[cfg(test)]
    Tamper(Job),
    /// Tell the version of the file, as far as others change it.
    Version(oneshot::Sender<Result<i64, StoreError>>),
    Close(oneshot::Sender<()>),
}

/// The handle on the thread. The thread ends when all handles are gone, too.
pub(super) struct Writer {
    wishes: mpsc::Sender<Wish>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection, lock: Arc<File>, health: Health) -> io::Result<Self> {
        let (wishes, waiting) = mpsc::channel(QUEUE);
        let counters = Arc::new(Counters::default());
        let counted = counters.clone();
        thread::Builder::new().name("store".to_owned()).spawn(move || {
            let farewell = run(&connection, waiting, &counted, &health);
            if let Err((_, error)) = connection.close() {
                warn!(%error, "the store's file was not closed cleanly; nothing is lost");
            }
            drop(lock);
            if let Some(farewell) = farewell {
                let _ = farewell.send(());
            }
        })?;
        Ok(Self { wishes, counters })
    }

    /// Puts a job in the queue.
    pub(super) async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.wishes.send(Wish::Write(job)).await.map_err(|_| StoreError::Closed)
    }

    /// Puts a job in the queue that is run outside of any transaction, in trouble too.
    #[cfg(test)]
    pub(super) async fn tamper(&self, job: Job) -> Result<(), StoreError> {
        self.wishes
            .send(Wish::Tamper(job))
            .await
            .map_err(|_| StoreError::Closed)
    }

    /// The version of the file; see [`super::Store::version`]. No other connection can tell: to each, ours is another.
    pub(super) async fn version(&self) -> Result<i64, StoreError> {
        let (reply, version) = oneshot::channel();
        let sent = self.wishes.send(Wish::Version(reply)).await;
        sent.map_err(|_| StoreError::Closed)?;
        version.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until all that was queued before is on the disk and the file is closed.
    pub(super) async fn close(&self) {
        let (farewell, gone) = oneshot::channel();
        if self.wishes.send(Wish::Close(farewell)).await.is_ok() {
            let _ = gone.await;
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            jobs: self.counters.jobs.load(Ordering::Relaxed),
            transactions: self.counters.transactions.load(Ordering::Relaxed),
        }
    }
}

/// Until somebody closes the store, or nobody is left who could.
fn run(
    connection: &Connection,
    mut waiting: mpsc::Receiver<Wish>,
    counters: &Counters,
    health: &Health,
) -> Option<oneshot::Sender<()>> {
    let mut wishes = Vec::with_capacity(MOST_PER_COMMIT);
    let mut jobs = Vec::with_capacity(MOST_PER_COMMIT);
    while waiting.blocking_recv_many(&mut wishes, MOST_PER_COMMIT) > 0 {
        let mut farewell = None;
        for wish in wishes.drain(..) {
            match wish {
                Wish::Write(job) if farewell.is_none() => jobs.push(job),
                Wish::Write(late) => drop(late),
                #[cfg(test)]
                Wish::Tamper(job) => (job(Ok(connection)).answer)(Ok(())),
                Wish::Version(reply) => drop(reply.send(version(connection))),
                Wish::Close(reply) => farewell = Some(reply),
            }
        }
        let mut jobs = jobs.drain(..).peekable();
        while jobs.peek().is_some() && health.blocked().is_none() {
            transaction(connection, &mut jobs, counters, health);
        }
        refuse(jobs, health);
        if farewell.is_some() {
            return farewell;
        }
        if health.blocked().is_some()
            && let Some(Wish::Close(farewell)) = until_it_works(connection, &mut waiting, health)
        {
            return Some(farewell);
        }
    }
    None
}

/// Answers jobs with what is wrong, if something is.
fn refuse(jobs: impl Iterator<Item = Job>, health: &Health) {
    for job in jobs {
        // What was refused when it worked again already may be tried again at once.
        let why = health.blocked().map_or(StoreError::Closed, StoreError::Trouble);
        (job(Err(why)).answer)(Ok(()));
    }
}

/// Refuses what comes, and tries the disk, until that works or somebody closes the store.
fn until_it_works(connection: &Connection, waiting: &mut mpsc::Receiver<Wish>, health: &Health) -> Option<Wish> {
    // The end of a lock is looked for, not waited for: whoever asks is answered.
    let _ = connection.busy_timeout(NAP);
    let mut next = Instant::now() + PROBE_EVERY;
    let end = loop {
        match waiting.try_recv() {
            Ok(Wish::Write(job)) => {
                refuse(std::iter::once(job), health);
                continue;
            }
            #[cfg(test)]
            Ok(Wish::Tamper(job)) => {
                (job(Ok(connection)).answer)(Ok(()));
                continue;
            }
            Ok(Wish::Version(reply)) => {
                drop(reply.send(version(connection)));
                continue;
            }
            Ok(close @ Wish::Close(_)) => break Some(close),
            Err(mpsc::error::TryRecvError::Disconnected) => break None,
            Err(mpsc::error::TryRecvError::Empty) => {}
        }
        if Instant::now() < next {
            thread::sleep(NAP);
            continue;
        }
        match probe(connection) {
            Ok(()) => {
                health.works();
                break None;
            }
            Err(error) => {
                note(health, &error);
                roll_back(connection);
                // Nothing to wait for: what still works, works.
                if !error.heals() {
                    health.works();
                    break None;
                }
            }
        }
        next = Instant::now() + PROBE_EVERY;
    };
    let _ = connection.busy_timeout(LOCK_PATIENCE);
    end
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

/// A write that nobody needs, all the way to the disk.
fn probe(connection: &Connection) -> Result<(), StoreError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', zeroblob(?1))")?
        .execute([PROBE])?;
    execute(connection, "COMMIT")?;
    // What is put in and taken away in one transaction never gets to the disk.
    execute(connection, "BEGIN IMMEDIATE")?;
    execute(connection, "DELETE FROM meta WHERE key = 'probe'")?;
    execute(connection, "COMMIT")
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = execute(connection, "ROLLBACK");
    }
}

fn note(health: &Health, error: &StoreError) {
    if let Some(trouble) = error.trouble() {
        health.failed(trouble);
    }
}

/// Runs jobs in one transaction and answers them; leaves those that it could not begin.
fn transaction(connection: &Connection, jobs: &mut dyn Iterator<Item = Job>, counters: &Counters, health: &Health) {
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        warn!(%error, "the store cannot be written");
        note(health, &error);
        for job in jobs {
            (job(Err(error.clone())).answer)(Ok(()));
        }
        return;
    }
    let mut answers = Vec::new();
    let mut undone = None;
    for job in jobs {
        let (ran, kept) = if answers.is_empty() {
            first(connection, job)
        } else {
            savepoint(connection, job)
        };
        if let Some(error) = &ran.failed {
            note(health, error);
        }
        answers.push(ran.answer);
        if let Err(error) = kept {
            undone = Some(error);
            break;
        }
    }
    let committed = match undone {
        Some(error) => Err(error),
        None => execute(connection, "COMMIT"),
    };
    if let Err(error) = &committed {
        debug!(%error, jobs = answers.len(), "a transaction of the store was undone");
        note(health, error);
        roll_back(connection);
    } else {
        let jobs = u64::try_from(answers.len()).unwrap_or(u64::MAX);
        counters.jobs.fetch_add(jobs, Ordering::Relaxed);
        counters.transactions.fetch_add(1, Ordering::Relaxed);
    }
    for answer in answers {
        answer(committed.clone());
    }
}

/// Runs the first job of a transaction. The second value is an error when the whole transaction is lost with it.
fn first(connection: &Connection, job: Job) -> (Ran, Result<(), StoreError>) {
    let ran = job(Ok(connection));
    let kept = match (lost(connection, &ran), &ran.failed) {
        (Some(error), _) => Err(error),
        (None, Some(_)) => execute(connection, "ROLLBACK").and_then(|()| execute(connection, "BEGIN IMMEDIATE")),
        (None, None) => Ok(()),
    };
    (ran, kept)
}

/// Runs one of the others, likewise.
fn savepoint(connection: &Connection, job: Job) -> (Ran, Result<(), StoreError>) {
    if let Err(error) = execute(connection, "SAVEPOINT job") {
        return (job(Err(error.clone())), Err(error));
    }
    let ran = job(Ok(connection));
    if let Some(error) = lost(connection, &ran) {
        return (ran, Err(error));
    }
    let kept = if ran.failed.is_some() {
        execute(connection, "ROLLBACK TO job").and_then(|()| execute(connection, "RELEASE job"))
    } else {
        execute(connection, "RELEASE job")
    };
    (ran, kept)
}

/// Why there is no transaction any more: after some failures (disk full, I/O) `SQLite` undoes it on its own.
fn lost(connection: &Connection, ran: &Ran) -> Option<StoreError> {
    let lost = connection.is_autocommit();
    lost.then(|| ran.failed.clone().unwrap_or(StoreError::Trouble(Trouble::Full)))
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
