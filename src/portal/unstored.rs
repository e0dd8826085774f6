//! What the server has taken, and the store could not be told: its disk failed in between. Kept over runs of the portal, so that
//! nothing is shown or told again because of that.

use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, timeout_at};

use super::flight::Batch;
use super::turn::Portal;
use crate::model::{GroupNumber, Seq};
use crate::store::{Confirmed, RoomId, Store};

/// A barrier that is not back within this is lost, and its stream with it.
const BARRIER: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unstored {
    confirmed: Confirmed,
    told: Vec<(Seq, GroupNumber)>,
}

impl Unstored {
    /// A batch whose barrier came back.
    pub(super) fn add(&mut self, batch: Batch) {
        let Confirmed { seq, shown, greeted } = batch.confirmed;
        self.confirmed.seq = self.confirmed.seq.max(seq);
        self.confirmed.shown.extend(shown);
        self.confirmed.greeted.extend(greeted);
        self.told
            .extend(batch.told.into_iter().map(|told| (told.message, told.group)));
    }

    /// Tells the store, and forgets.
    pub(super) async fn store(&mut self, store: &Store, room: RoomId) -> anyhow::Result<()> {
        let Confirmed { seq, shown, greeted } = &self.confirmed;
        if seq.is_some() || !shown.is_empty() || !greeted.is_empty() {
            let confirmed = store.confirm(room, self.confirmed.clone()).await;
            confirmed.context("cannot store what was shown")?;
            self.confirmed = Confirmed::default();
        }
        while let Some((message, group)) = self.told.last() {
            let told = store.told(room, *message, *group).await;
            told.context("cannot store who was told")?;
            self.told.pop();
        }
        Ok(())
    }
}

impl Portal {
    /// The run ends by an error: what is on its way may arrive all the same.
    pub(super) async fn land(&mut self) {
        let end = Instant::now() + BARRIER;
        while !self.flight.is_empty() {
            let Ok(Ok(batch)) = timeout_at(end, self.flight.taken()).await else {
                return;
            };
            self.unstored.add(batch);
        }
    }
}
