//! How a portal ends: with its row, or with the gateway.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::draft::Draft;
use super::turn::{ALL, Portal, reserve};
use super::{Ended, Inbox};
use crate::room::Leaving;
use crate::store::Unsent;

impl Portal {
    /// The row is gone: what waits for QQ is told as failed, occupants are told, the archive stays.
    pub(super) async fn remove(&mut self, inbox: &mut Inbox, patience: Duration) -> anyhow::Result<Ended> {
        self.take_all(inbox).await?;
        self.wiring
            .store
            .fail_all(Unsent::Room(self.id), "the room is no longer bridged")
            .await?;
        self.await_link(patience).await?;
        self.leave_all(&Leaving::Destroyed).await?;
        self.untold.last_chance();
        self.finish_showing(patience).await?;
        Ok(Ended::Removed)
    }

    /// Stops taking, finishes what was taken.
    pub(super) async fn drain(&mut self, inbox: &mut Inbox, patience: Duration) -> anyhow::Result<Ended> {
        self.take_all(inbox).await?;
        if self.settings.farewell {
            self.leave_all(&Leaving::Farewell).await?;
        }
        self.finish_showing(patience).await?;
        Ok(Ended::Stopped)
    }

    /// A connection that was just lost may come back in time for the last words.
    async fn await_link(&mut self, patience: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + patience;
        let mut links = self.links.clone();
        // The link of the last connection tells of its end by itself, before anybody announces it.
        if self.link.is_some() && matches!(timeout_at(end, reserve(self.link.as_ref())).await, Ok(Some(_))) {
            return Ok(());
        }
        self.unlink();
        let found = timeout_at(end, links.wait_for(Option::is_some)).await;
        let link = found.ok().and_then(Result::ok).and_then(|link| link.clone());
        match link {
            Some(link) => self.restore(Some(link)).await,
            None => Ok(()),
        }
    }

    /// Closes the mailboxes and takes everything that is inside.
    async fn take_all(&mut self, inbox: &mut Inbox) -> anyhow::Result<()> {
        inbox.xmpp.close();
        inbox.qq.close();
        while !inbox.xmpp.is_empty() || !inbox.qq.is_empty() {
            self.take(inbox, None, ALL).await?;
        }
        Ok(())
    }

    async fn leave_all(&mut self, why: &Leaving) -> anyhow::Result<()> {
        let mut draft = Draft::default();
        let admitted = self.room.close(why, self.clock.now());
        self.take_admitted(admitted, &mut draft);
        self.commit(draft).await
    }

    /// Shows what is left, as far as the connection and the time allow; the rest is in the store.
    async fn finish_showing(&mut self, patience: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + patience;
        while let Some(link) = self.link.clone() {
            if self.untold.is_due() {
                self.tell_authors().await?;
            }
            if !self.has_something_to_show() && self.flight.is_empty() {
                break;
            }
            let step = async {
                tokio::select! {
                    progress = self.flight.progress() => self.progressed(progress).await,
                    permit = reserve(Some(&link)), if self.has_something_to_show() => {
                        if let Some(permit) = permit {
                            return self.reflect(permit).await;
                        }
                        self.unlink();
                        Ok(())
                    }
                }
            };
            match timeout_at(end, step).await {
                Ok(result) => result?,
                Err(_) => break,
            }
        }
        Ok(())
    }
}
