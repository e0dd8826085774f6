//! The only SQL of the gateway: one `SQLite` file, one thread that writes it, a few connections that read beside it.
//!
//! [`Store`] is a cheap handle; everybody keeps a clone. A write is answered when it is on the disk: the writer takes what
//! waits, runs it in one transaction and syncs once (`writer`). A read sees everything that was answered before it
//! (`readers`). Each table has a file of its own, which holds its statements and the part of [`Store`] that is about it.
//! Knows no stanza and no segment: contents go in and out as they are.

mod accounts;
pub mod aside;
mod columns;
mod commit;
mod error;
mod events;
mod groups;
mod handles;
mod health;
mod members;
mod messages;
mod meta;
mod open;
mod outbox;
mod page;
mod prune;
mod puppets;
mod reactions;
pub mod read;
mod readers;
mod retract;
mod rooms;
mod sessions;
mod shown;
mod stanza_ids;
#[cfg(test)]
mod tests;
pub mod write;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use error::{OpenError, PageError, StoreError, Trouble};
pub use health::{Condition, Health};
pub use outbox::Unsent;
pub use read::{
    Deed, GroupState, HistoryQuery, LastEvent, Page, PageQuery, PageWanted, Piece, PieceState, RoomState, SaidBy,
    Settled, Untold,
};
pub use rooms::RoomId;
pub use write::{
    Acting, ClientSession, Confirmed, Identity, NewMessage, NewPiece, Shown, Subject, Upon, Write, Written,
};
pub use writer::Counts;

use readers::Readers;
use writer::Writer;

/// The store of one gateway. Clones share it.
///
/// Every method waits for its turn: the writer's queue is bounded, and so is the number of readers. All of them fail with
/// [`StoreError::Closed`] once [`Store::close`] was called on any clone. Must be used inside a tokio runtime.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    salt: [u8; 32],
    epoch: String,
    writer: Writer,
    readers: Readers,
    health: Health,
}

impl Store {
    /// Opens the file at `path`; makes it (mode 0600) when missing, and brings one of an older version up to date.
    ///
    /// Beside it lie `SQLite`'s own `-wal` and `-shm`, and `<path>.lock`, whose lock says that this process has it open.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let opened = open::open(path)?;
        let (meta, lock) = (opened.meta, Arc::new(opened.lock));
        let health = Health::default();
        Ok(Self {
            inner: Arc::new(Inner {
                salt: meta.salt,
                epoch: meta.epoch,
                writer: Writer::start(opened.connection, lock.clone(), health.clone()).map_err(|source| {
                    OpenError::Io {
                        path: path.to_owned(),
                        source,
                    }
                })?,
                readers: Readers::new(path.to_owned(), lock, health.clone()),
                health,
            }),
        })
    }

    /// Whether a gateway has the store at `path` open now. Makes nothing.
    pub fn in_use(path: &Path) -> bool {
        open::in_use(path)
    }

    /// Finishes what was begun, writes everything into the one file, and lets go of it. Other clones find the store closed.
    pub async fn close(self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// The secret key of this store, made with it: for occupant-ids and hashed addresses.
    pub fn salt(&self) -> &[u8; 32] {
        &self.inner.salt
    }

    /// A short text of `[a-z2-7]`, made with the store. Part of stanza-ids: a store that is made anew counts rows from 1
    /// again, but never gives an id twice.
    pub fn epoch(&self) -> &str {
        &self.inner.epoch
    }

    /// Whether its disk takes what is written.
    pub fn health(&self) -> &Health {
        &self.inner.health
    }

    /// A number that changes whenever another process writes to the file, and never because of this one.
    pub async fn version(&self) -> Result<i64, StoreError> {
        self.inner.writer.version().await
    }

    /// How much was written since the start.
    pub fn counts(&self) -> Counts {
        self.inner.writer.counts()
    }

    /// Runs `work` on the writer. When it fails, nothing of it is kept. While the disk takes nothing it fails at once.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        if let Some(trouble) = self.inner.health.blocked() {
            return Err(trouble.into());
        }
        let (reply, answer) = oneshot::channel();
        let job = writer::job(work, reply);
        self.inner.writer.send(job).await?;
        if cfg!(test) {
            // A paused clock stands still while a blocking task runs; while our own thread works it would run on.
            let wait = tokio::task::spawn_blocking(|| answer.blocking_recv());
            return wait.await.ok().and_then(Result::ok).unwrap_or(Err(StoreError::Closed));
        }
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on the writer's connection, outside of any transaction and whatever is wrong: makes trouble, and ends it.
    #[cfg(test)]
    pub(crate) async fn tamper(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static) {
        let (reply, done) = oneshot::channel();
        let job = writer::job(move |db| Ok(work(db)?), reply);
        self.inner.writer.tamper(job).await.expect("a writer");
        done.await.expect("an answer").expect("it worked");
    }

    /// Keeps the writer from everything else, until what this gives is dropped.
    #[cfg(test)]
    pub(crate) async fn keep_writer(&self) -> std::sync::mpsc::Sender<()> {
        let (kept, is_kept) = oneshot::channel();
        let (guard, dropped) = std::sync::mpsc::channel();
        let store = self.clone();
        tokio::spawn(async move {
            let keep = move |_: &Connection| {
                kept.send(()).ok();
                dropped.recv().ok();
                Ok(())
            };
            store.tamper(keep).await;
        });
        is_kept.await.expect("the writer runs");
        guard
    }

    /// Lets nothing be written, or everything.
    #[cfg(test)]
    pub(crate) async fn make_read_only(&self, yes: bool) {
        self.tamper(move |db| db.pragma_update(None, "query_only", yes)).await;
    }

    /// Runs `work` on a reader, in one snapshot of the store.
    async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<rusqlite::Error> + error::Troubled + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.inner.readers.run(work).await
    }
}
