//! What was written to the XMPP server and waits for its barrier, and then for the store: bounded, so that a crash repeats little.
//!
//! ```text
//!  written ──► open ──barrier is back──► landed ──one job of the store for all of them──► done
//! ```
//!
//! Neither wait holds up the portal's loop: while the disk takes the marks of some rows, the next are on their way. A row counts
//! against the window until its mark is on the disk.

use std::collections::VecDeque;

use tokio::task::{JoinError, JoinHandle};

use super::told::Told;
use crate::model::Timestamp;
use crate::store::{Confirmed, RoomId, Store, StoreError};
use crate::xmpp::Receipt;

/// Rows that may be written behind open barriers: after a crash at most so many are shown a second time.
pub(super) const MAX_ROWS: usize = 64;

/// One batch on its way.
#[derive(Debug)]
pub(super) struct Batch {
    /// The barrier behind it.
    pub(super) receipt: Receipt,
    /// What the store is told when the server has it.
    pub(super) confirmed: Confirmed,
    /// Rows in it.
    pub(super) rows: usize,
    /// What authors were told of in it.
    pub(super) told: Vec<Told>,
    /// When the subject in it was set.
    pub(super) subject: Option<Timestamp>,
}

/// Why nothing more lands.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The stream is gone; a new link will be announced.
    #[error("the connection to the XMPP server was lost")]
    Link,
    /// The store does not take the marks.
    #[error("cannot store what was shown")]
    Store(#[from] StoreError),
}

/// Runs also while nobody waits for it.
type Confirming = JoinHandle<Result<(), StoreError>>;

/// The batches on their way, oldest first. See the module.
#[derive(Default)]
pub(super) struct Flight {
    open: VecDeque<Batch>,
    landed: Vec<Batch>,
    confirming: Option<(Confirming, Vec<Batch>)>,
    done: Vec<Batch>,
    lost: bool,
    failed: Option<StoreError>,
}

impl Flight {
    /// One more.
    pub(super) fn push(&mut self, batch: Batch) {
        self.open.push_back(batch);
    }

    /// Rows that may still be written.
    pub(super) fn room_for(&self) -> usize {
        let confirming = self.confirming.iter().flat_map(|(_, batches)| batches);
        let under_way = self.open.iter().chain(&self.landed).chain(confirming);
        MAX_ROWS.saturating_sub(under_way.map(|batch| batch.rows).sum())
    }

    /// Nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.landed.is_empty() && self.confirming.is_none() && self.done.is_empty()
    }

    /// The stream is gone: what was on its way is not known to have arrived. What is known to, goes on to the store.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.lost = false;
    }

    /// Waits until batches are taken and the store knows; waits for ever when there are none. Safe to cancel.
    pub(super) async fn taken(&mut self, store: &Store, room: RoomId) -> Result<Vec<Batch>, Broken> {
        while self.done.is_empty() {
            self.step(store, room).await?;
        }
        Ok(std::mem::take(&mut self.done))
    }

    /// Waits until the store knows all that is known to have arrived, and gives it.
    pub(super) async fn settle(&mut self, store: &Store, room: RoomId) -> Result<Vec<Batch>, Broken> {
        while self.confirming.is_some() || !self.landed.is_empty() {
            self.confirm(store, room).await?;
        }
        Ok(std::mem::take(&mut self.done))
    }

    /// Waits for the next thing that happens. Safe to cancel.
    pub(super) async fn step(&mut self, store: &Store, room: RoomId) -> Result<(), Broken> {
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        if self.lost {
            return Err(Broken::Link);
        }
        let confirms = self.confirming.is_some() || !self.landed.is_empty();
        match (self.open.front_mut(), confirms) {
            (None, false) => std::future::pending().await,
            (None, true) => return self.confirm(store, room).await,
            (Some(oldest), false) => {
                let result = oldest.receipt.taken().await;
                self.arrived(result.is_ok())?;
            }
            (Some(_), true) => {
                self.begin(store, room);
                let (Some(oldest), Some((confirming, _))) = (self.open.front_mut(), &mut self.confirming) else {
                    return Ok(());
                };
                tokio::select! {
                    result = oldest.receipt.taken() => self.arrived(result.is_ok())?,
                    result = confirming => self.confirmed(result)?,
                }
            }
        }
        Ok(())
    }

    fn arrived(&mut self, taken: bool) -> Result<(), Broken> {
        if !taken {
            self.open.clear();
            self.lost = true;
            return Err(Broken::Link);
        }
        self.landed.extend(self.open.pop_front());
        Ok(())
    }

    async fn confirm(&mut self, store: &Store, room: RoomId) -> Result<(), Broken> {
        self.begin(store, room);
        let Some((confirming, _)) = &mut self.confirming else {
            return Ok(());
        };
        let result = confirming.await;
        self.confirmed(result)
    }

    /// Hands all that has landed to the store, when that has nothing of ours in hand: one job, in order.
    fn begin(&mut self, store: &Store, room: RoomId) {
        if self.confirming.is_some() {
            return;
        }
        let mut batches = std::mem::take(&mut self.landed);
        let mut all = Confirmed::default();
        for confirmed in batches.iter_mut().map(|batch| std::mem::take(&mut batch.confirmed)) {
            all.seq = confirmed.seq.or(all.seq);
            all.shown.extend(confirmed.shown);
            all.greeted.extend(confirmed.greeted);
        }
        let store = store.clone();
        let confirming = async move {
            if all.seq.is_none() && all.shown.is_empty() && all.greeted.is_empty() {
                return Ok(());
            }
            store.confirm(room, all).await
        };
        self.confirming = Some((tokio::spawn(confirming), batches));
    }

    fn confirmed(&mut self, result: Result<Result<(), StoreError>, JoinError>) -> Result<(), Broken> {
        let batches = self.confirming.take().map(|(_, batches)| batches);
        // It ends by itself, or with the process.
        if let Err(error) = result.unwrap_or(Err(StoreError::Closed)) {
            self.failed = Some(error.clone());
            return Err(error.into());
        }
        self.done.extend(batches.into_iter().flatten());
        Ok(())
    }
}
