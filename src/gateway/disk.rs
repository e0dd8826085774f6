//! What the operator is told of the store's disk: on the board at once, to the admins when it begins and when it is over. And what
//! the operator did to the store beside us.

use std::mem::discriminant;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Gateway;
use crate::operator::{Input, Part, State};
use crate::store::{Condition, Trouble};

/// A disk at its limit goes to and fro: the admins hear that it is over when it was for so long.
const SETTLED: Duration = Duration::from_secs(5);
/// How often it is looked whether another process wrote to the file.
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Gateway {
    /// Lets everybody look at the table again when the operator's commands changed it, until dropped. Nothing else is to be done: what
    /// parts know of rows they ask again before they act on it.
    pub(super) async fn keep_looking(&self) {
        let mut known = self.store.version().await.ok();
        loop {
            sleep(LOOK_EVERY).await;
            let Ok(now) = self.store.version().await else { continue };
            if known.replace(now) == Some(now) {
                continue;
            }
            tracing::debug!("another program wrote to the store");
            for account in self.accounts.configured() {
                self.accounts.wake(&account.name);
            }
            self.route.wake_portals();
        }
    }

    /// Tells every change, until dropped.
    pub(super) async fn keep_disk(&self) {
        let mut changes = self.store.health().changes();
        let mut told = None;
        loop {
            let now = changes.borrow_and_update().clone();
            self.board.set(&Part::Store, on_board(&now));
            let news = now.trouble().filter(|trouble| told != Some(discriminant(*trouble)));
            if let Some(trouble) = news {
                told = Some(discriminant(trouble));
                self.operator.send(Input::Alert(alarm(trouble))).await.ok();
            }
            let over = now.trouble().is_none() && told.is_some();
            let change = match timeout(SETTLED, changes.changed()).await {
                Ok(change) => change,
                Err(_) if over => {
                    told = None;
                    let text = "the store can be written again; everything goes on".to_owned();
                    self.operator.send(Input::Alert(text)).await.ok();
                    continue;
                }
                Err(_) => changes.changed().await,
            };
            if change.is_err() {
                return;
            }
        }
    }
}

fn on_board(now: &Condition) -> State {
    match now.trouble() {
        Some(trouble) => State::NeedsOperator(trouble.to_string()),
        None => State::Online,
    }
}

fn alarm(trouble: &Trouble) -> String {
    if trouble.heals() {
        format!("{trouble}. Until then nothing is taken, and authors are told so; it goes on by itself")
    } else {
        format!("{trouble}. What is on its good pages works until then")
    }
}
