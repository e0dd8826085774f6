//! What was written to the XMPP server: it waits for its barrier, and then for the store to note that the server has it. Bounded, so
//! that a crash repeats little.
//!
//! ```text
//! written ──barrier──► landed ──one note at a time──► noted: the marks have moved
//!    │                   ▲                    │
//!    │                   └─ the disk failed ──┘
//!    └── stream lost: forgotten; the store's marks say what comes again
//! ```
//!
//! The notes are written beside the turn: nobody waits for their sync. What landed and could not be noted is kept over runs of the
//! portal, so that nothing is shown or told again for the disk's sake.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::told::Told;
use crate::model::Timestamp;
use crate::store::{Confirmed, RoomId, Store, StoreError};
use crate::xmpp::{LinkLost, Receipt};

/// Rows that may be written and not noted: after a crash at most so many are shown a second time.
pub(super) const MAX_ROWS: usize = 64;

/// Stanzas on their way in the room's order, about, or two rows for everybody: more would only stand in a queue of the server's, and
/// what is said behind them with them. Each recipient counts.
const MAX_STANZAS: usize = 1024;

/// A barrier that is not back within this is lost, and its stream with it.
const BARRIER: Duration = Duration::from_secs(10);

/// One batch on its way.
#[derive(Debug)]
pub(super) struct Batch {
    /// The barrier behind it.
    pub(super) receipt: Receipt,
    /// What the store is told when the server has it.
    pub(super) confirmed: Confirmed,
    /// Rows in it.
    pub(super) rows: usize,
    /// Stanzas in it that stand in the room's order.
    pub(super) stanzas: usize,
    /// What authors were told of in it.
    pub(super) told: Vec<Told>,
    /// When the subject in it was set.
    pub(super) subject: Option<Timestamp>,
}

/// What landed, of one batch or of several.
#[derive(Debug, Default)]
pub(super) struct Noted {
    confirmed: Confirmed,
    rows: usize,
    /// What authors were told of.
    pub(super) told: Vec<Told>,
    /// When the last subject in it was set.
    pub(super) subject: Option<Timestamp>,
}

impl Noted {
    fn of(batch: Batch) -> Self {
        Self {
            confirmed: batch.confirmed,
            rows: batch.rows,
            told: batch.told,
            subject: batch.subject,
        }
    }

    /// What landed behind it.
    fn add(&mut self, later: Self) {
        let Confirmed { seq, shown, greeted } = later.confirmed;
        self.confirmed.seq = seq.or(self.confirmed.seq);
        self.confirmed.shown.extend(shown);
        self.confirmed.greeted.extend(greeted);
        self.rows += later.rows;
        self.told.extend(later.told);
        self.subject = later.subject.or(self.subject);
    }

    /// Tells the store; what it did not take stays.
    pub(super) async fn write(&mut self, store: &Store, room: RoomId) -> Result<(), StoreError> {
        let Confirmed { seq, shown, greeted } = &self.confirmed;
        if seq.is_some() || !shown.is_empty() || !greeted.is_empty() {
            store.confirm(room, self.confirmed.clone()).await?;
            self.confirmed = Confirmed::default();
        }
        let told = self.told.iter();
        try_join_all(told.map(|told| store.told(room, told.message, told.group))).await?;
        Ok(())
    }

    fn is_empty(&self) -> bool {
        let Confirmed { seq, shown, greeted } = &self.confirmed;
        seq.is_none() && shown.is_empty() && greeted.is_empty() && self.told.is_empty() && self.subject.is_none()
    }
}

/// The batches on their way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Flight {
    written: VecDeque<Batch>,
    landed: Noted,
    noting: Option<Noting>,
    put_back: Option<Progress>,
}

/// What became of something on its way.
#[derive(Debug)]
pub(super) enum Progress {
    /// The server has a batch; or the stream was lost.
    Landed(Result<Batch, LinkLost>),
    /// The store has noted what landed; or it fails.
    Noted(Result<Noted, StoreError>),
}

#[derive(Debug)]
struct Noting {
    rows: usize,
    task: JoinHandle<(Noted, Result<(), StoreError>)>,
}

impl Flight {
    /// One more.
    pub(super) fn push(&mut self, batch: Batch) {
        self.written.push_back(batch);
    }

    /// Rows for so many sessions that may still be written; with none, nothing may that stands in their order.
    pub(super) fn room_for(&self, sessions: usize) -> usize {
        let stanzas: usize = self.written.iter().map(|batch| batch.stanzas).sum();
        if stanzas >= MAX_STANZAS.max(2 * sessions) {
            return 0;
        }
        let written: usize = self.written.iter().map(|batch| batch.rows).sum();
        let noting = self.noting.as_ref().map_or(0, |noting| noting.rows);
        MAX_ROWS.saturating_sub(written + self.landed.rows + noting)
    }

    /// Nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.noting.is_none() && self.put_back.is_none()
    }

    /// The stream is gone: what was on its way is not known to have arrived. What landed is noted all the same.
    pub(super) fn clear(&mut self) {
        self.written.clear();
    }

    /// Waits until the oldest batch is taken, or what landed is noted; waits for ever when nothing is on its way. Safe to cancel.
    pub(super) async fn progress(&mut self) -> Progress {
        if let Some(progress) = self.put_back.take() {
            return progress;
        }
        tokio::select! {
            landed = taken(&mut self.written) => Progress::Landed(landed),
            noted = noted(&mut self.noting, &mut self.landed) => Progress::Noted(noted),
        }
    }

    /// Somebody else is to see to it.
    pub(super) fn put_back(&mut self, progress: Progress) {
        self.put_back = Some(progress);
    }

    /// The server has a batch: the store is told, as soon as it has noted what landed before.
    pub(super) fn note(&mut self, batch: Batch, store: &Store, room: RoomId) {
        self.landed.add(Noted::of(batch));
        if self.noting.is_none() {
            self.note_next(store, room);
        }
    }

    /// Tells the store of everything that landed meanwhile.
    pub(super) fn note_next(&mut self, store: &Store, room: RoomId) {
        let mut landed = std::mem::take(&mut self.landed);
        if landed.is_empty() {
            return;
        }
        let (store, rows) = (store.clone(), landed.rows);
        let task = tokio::spawn(async move {
            let written = landed.write(&store, room).await;
            (landed, written)
        });
        self.noting = Some(Noting { rows, task });
    }

    /// Waits until the store has noted what it was told; `None` when it was told nothing that is not known yet.
    pub(super) async fn last_note(&mut self) -> Option<Result<Noted, StoreError>> {
        if let Some(Progress::Noted(noted)) = self.put_back.take() {
            return Some(noted);
        }
        self.noting.as_ref()?;
        Some(noted(&mut self.noting, &mut self.landed).await)
    }

    /// The run ends by an error: what is on its way may arrive all the same. Gives what the store could not be told.
    pub(super) async fn land(&mut self) -> Noted {
        let end = Instant::now() + BARRIER;
        while !self.written.is_empty()
            && let Ok(Ok(batch)) = timeout_at(end, taken(&mut self.written)).await
        {
            self.landed.add(Noted::of(batch));
        }
        // An error puts it back to what landed.
        let _ = self.last_note().await;
        std::mem::take(&mut self.landed)
    }
}

async fn taken(written: &mut VecDeque<Batch>) -> Result<Batch, LinkLost> {
    let Some(oldest) = written.front_mut() else {
        return std::future::pending().await;
    };
    let result = oldest.receipt.taken().await;
    let batch = written.pop_front().expect("the oldest batch was just waited for");
    result.map(|()| batch)
}

async fn noted(noting: &mut Option<Noting>, landed: &mut Noted) -> Result<Noted, StoreError> {
    let Some(Noting { task, .. }) = noting else {
        return std::future::pending().await;
    };
    let result = task.await;
    *noting = None;
    match result {
        Ok((noted, Ok(()))) => Ok(noted),
        Ok((mut unnoted, Err(error))) => {
            unnoted.add(std::mem::take(landed));
            *landed = unnoted;
            Err(error)
        }
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
