//! Proof for a send that nobody answered: the newest history of its group is read a few times while the outbox waits, and own
//! messages in it go to the portal, which knows them again by their words.

use std::sync::Arc;

use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::model::{GroupNumber, Message, Timestamp};
use crate::qq::faces::Known;
use crate::qq::normal::normal_form;
use crate::qq::onebot::history;
use crate::qq::onebot::session::{Session, lock};

/// Messages that are looked at.
const COUNT: u32 = 20;
/// The clocks of QQ and ours.
const CLOCKS: std::time::Duration = std::time::Duration::from_secs(30);

/// What is to be proven.
pub(super) struct Doubt {
    pub(super) group: GroupNumber,
    /// The normal form of what was sent.
    pub(super) normal: String,
    pub(super) begun: Timestamp,
}

impl Session {
    /// Looks for a message whose send nobody answered.
    pub(super) fn prove(self: &Arc<Self>, doubt: Doubt) {
        if !self.roster().history {
            return;
        }
        let session = self.clone();
        self.spawn(async move {
            let since = Instant::now();
            for after in session.settings.pace.prove_after {
                sleep_until(since + after).await;
                if session.look_for(&doubt).await {
                    return;
                }
            }
        });
    }

    /// Whether it was found.
    async fn look_for(&self, doubt: &Doubt) -> bool {
        let params = json!({"group_id": doubt.group.0, "count": COUNT});
        let data = match self.ask("get_group_msg_history", params).await {
            Ok(data) => data,
            Err(error) => {
                tracing::info!(account = %self.settings.name, group = %doubt.group, %error, "no history to prove a send by");
                return false;
            }
        };
        let own = self.roster().own;
        let since = doubt.begun.minus(CLOCKS);
        let heard = history::read(&data, own, doubt.group);
        let messages: Vec<Message> = heard.into_iter().filter_map(|heard| self.message(heard)).collect();
        let mut found = false;
        for message in messages {
            let known = message.handle.as_ref().is_some_and(|handle| self.sending.knows(handle));
            if !message.own || known || message.time < since {
                continue;
            }
            if normal_form(&message.parts, Known::OneBot) == doubt.normal {
                found = true;
                lock(&self.sending.breaker).worked();
            }
            if let Some(handle) = &message.handle {
                self.sending.remember(handle);
            }
            self.found(doubt.group, message);
        }
        found
    }
}
