//! How the store is: whether its disk takes what is written.
//!
//! ```text
//!         a transaction fails for a reason of the disk          a write of the writer's own works again
//!  fine ────────────────────────────────────────────► blocked ─────────────────────────────────────────► fine
//!                                                        └── meanwhile every write fails at once, and nothing is queued
//! ```
//!
//! Whoever was refused waits here for the end of it, instead of trying. A damaged file is another matter: it does not heal, some
//! of it works, and so everything is tried; it is told until the end of the process.

use std::sync::Arc;

use tokio::sync::watch;

use super::Trouble;

/// How a store is; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<watch::Sender<Condition>>);

/// What is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Nothing can be written, until the reason is gone.
    pub blocked: Option<Trouble>,
    /// The file was found damaged.
    pub damaged: Option<Trouble>,
}

impl Condition {
    /// What is wrong, if anything is: what hinders most.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.blocked.as_ref().or(self.damaged.as_ref())
    }
}

impl Health {
    /// Why nothing can be written now.
    pub fn blocked(&self) -> Option<Trouble> {
        self.0.borrow().blocked.clone()
    }

    /// Tells every change.
    pub fn changes(&self) -> watch::Receiver<Condition> {
        self.0.subscribe()
    }

    /// Waits until something can be written, as far as is known. Safe to cancel.
    pub async fn writable(&self) {
        // The sender lives as long as `self`.
        self.0.subscribe().wait_for(|now| now.blocked.is_none()).await.ok();
    }

    /// Something failed for this reason.
    pub(super) fn failed(&self, trouble: &Trouble) {
        self.0.send_if_modified(|now| {
            let place = if trouble.heals() {
                &mut now.blocked
            } else {
                &mut now.damaged
            };
            // The first word on damage is the nearest to its cause.
            let news = if trouble.heals() {
                place.as_ref() != Some(trouble)
            } else {
                place.is_none()
            };
            if news {
                tracing::error!("the store: {trouble}");
                *place = Some(trouble.clone());
            }
            news
        });
    }

    /// Writing works.
    pub(super) fn works(&self) {
        self.0.send_if_modified(|now| {
            let was = now.blocked.take().is_some();
            if was {
                tracing::info!("the store can be written again");
            }
            was
        });
    }
}
