//! What was written to the XMPP server and waits for its barrier: bounded, so that a crash repeats little.

use std::collections::VecDeque;

use super::told::Told;
use crate::model::Timestamp;
use crate::store::Confirmed;
use crate::xmpp::{LinkLost, Receipt};

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

/// The batches on their way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Flight(VecDeque<Batch>);

impl Flight {
    /// One more.
    pub(super) fn push(&mut self, batch: Batch) {
        self.0.push_back(batch);
    }

    /// Rows that may still be written.
    pub(super) fn room_for(&self) -> usize {
        MAX_ROWS.saturating_sub(self.0.iter().map(|batch| batch.rows).sum())
    }

    /// Nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The stream is gone: what was on its way is not known to have arrived.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Waits until the oldest batch is taken; waits for ever when there is none. Safe to cancel.
    pub(super) async fn taken(&mut self) -> Result<Batch, LinkLost> {
        let Some(oldest) = self.0.front_mut() else {
            return std::future::pending().await;
        };
        let result = oldest.receipt.taken().await;
        let batch = self.0.pop_front().expect("the oldest batch was just waited for");
        result.map(|()| batch)
    }
}
