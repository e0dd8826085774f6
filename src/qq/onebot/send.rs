//! Sending: one message at a time per account, within its rate; what became of each; and proof for those that nobody answered.
//!
//! ```text
//!  may speak? ──► breaker closed? ──► turn and rate ──► send_group_msg ──► ok ──► Sent(handle)
//!     │ no            │ no                                   ├──► refused ──► NotSent (Never, Later)
//!     └───────────────┴──► NotSent(Later)                    └──► no answer, doubtful error ──► Unknown
//!                                                                    └─ 2, 6, 12 s: history ──► own messages to the portal
//! ```
//!
//! Nothing is ever sent twice here. Each wait has an end, so that a wish is answered before the outbox gives it up as unknown.

mod breaker;
mod prove;
mod rate;
mod verdict;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::Settings;
use super::call::CallError;
use super::dialect::ReactBy;
use super::lane::Job;
use super::session::{Session, lock};
use super::{field, json, reaction, segment};
use crate::model::{GroupNumber, Handle, Part, Timestamp};
use crate::qq::faces::Known;
use crate::qq::normal::normal_form;
use crate::qq::{Act, NotSent, Outcome, Outgoing};
use breaker::Breaker;
use prove::Doubt;
use rate::Rate;

/// Handles of own messages that are remembered.
const HANDLES_MAX: usize = 256;
/// Longest wait for the turn, and then for the rate.
const PATIENCE: Duration = Duration::from_secs(20);
/// An account that was refused as muted, without a word of for how long, tries again after this.
const MUTED: Duration = Duration::from_secs(60);

/// What sending keeps in mind.
pub(super) struct Sending {
    /// Whose turn it is.
    turn: tokio::sync::Mutex<()>,
    rate: Rate,
    breaker: Mutex<Breaker>,
    /// What sends were answered with: these messages are known already.
    handles: Mutex<VecDeque<Handle>>,
}

impl Sending {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            rate: Rate::new(settings.send_every),
            breaker: Mutex::new(Breaker::new(settings.pace.breaker)),
            handles: Mutex::default(),
        }
    }

    fn remember(&self, handle: &Handle) {
        let mut handles = lock(&self.handles);
        if handles.len() == HANDLES_MAX {
            handles.pop_front();
        }
        handles.push_back(handle.clone());
    }

    fn knows(&self, handle: &Handle) -> bool {
        lock(&self.handles).contains(handle)
    }
}

impl Session {
    /// Says one piece.
    pub(super) async fn send(self: &Arc<Self>, group: GroupNumber, piece: Outgoing) -> Outcome {
        // Without waiting for its turn, when it will not get one.
        if let Err(why) = self.may_speak(group) {
            return later(why);
        }
        let message = segment::write(&piece.parts);
        if message.is_empty() {
            return Outcome::NotSent(NotSent::Never("nothing of it can be said on QQ".to_owned()));
        }
        let Ok(_turn) = timeout(PATIENCE, self.sending.turn.lock()).await else {
            return later("the account is still busy with other messages".to_owned());
        };
        if let Err(left) = self.sending.rate.wait(PATIENCE).await {
            let seconds = left.as_secs();
            return later(format!(
                "the account says one message each {:?}; the next may go in {seconds} s",
                self.settings.send_every
            ));
        }
        // Asked again: much may have happened in the wait.
        if let Err(why) = self.may_speak(group) {
            return later(why);
        }
        let begun = Timestamp::now();
        let params = json!({"group_id": group.0, "message": message});
        let answer = self.call("send_group_msg", params, self.settings.pace.send).await;
        let outcome = match &answer {
            // Some answer 0 when they do not know.
            Ok(data) => Outcome::Sent(field::handle(&data["message_id"]).filter(|handle| &*handle.0 != "0")),
            Err(error) => verdict::of_send(error),
        };
        tracing::debug!(account = %self.settings.name, %group, ?outcome, "sent");
        if let Err(error) = &answer
            && verdict::says_muted(error)
        {
            self.roster().learn_mute(group, MUTED);
            return outcome;
        }
        if !matches!(answer, Err(CallError::NotWritten(_))) {
            self.draw_conclusions(group, &outcome, &piece.parts, begun);
        }
        outcome
    }

    /// What an answer says of the account.
    fn draw_conclusions(self: &Arc<Self>, group: GroupNumber, outcome: &Outcome, parts: &[Part], begun: Timestamp) {
        let failed = match outcome {
            Outcome::Sent(handle) => {
                if let Some(handle) = handle {
                    self.sending.remember(handle);
                }
                lock(&self.sending.breaker).worked();
                return;
            }
            // Nothing was said against the account by it.
            Outcome::NotSent(NotSent::Never(_)) => return,
            Outcome::NotSent(NotSent::Later(why)) => why,
            Outcome::Unknown(why) => {
                self.prove(Doubt {
                    group,
                    normal: normal_form(parts, Known::OneBot),
                    begun,
                });
                why
            }
        };
        let opened = lock(&self.sending.breaker).failed();
        if let Some(pause) = opened {
            let minutes = pause.as_secs().div_ceil(60);
            self.alert(format!(
                "QQ took none of the last messages ({failed}); nothing is sent for {minutes} minutes. \
                 If this goes on, QQ may have muted the account: see whether it can speak in another client"
            ));
            self.tell_of_pause(group);
        }
    }

    /// Whether a message to a group has any hope now; else why not.
    fn may_speak(&self, group: GroupNumber) -> Result<(), String> {
        {
            let roster = self.roster();
            roster.state(group)?;
            if let Some(why) = roster.muted(group) {
                return Err(why);
            }
        }
        let may = lock(&self.sending.breaker).may_try();
        may.inspect_err(|_| self.tell_of_pause(group))
    }

    /// Tells a room that speaks during a pause, once each pause.
    fn tell_of_pause(&self, group: GroupNumber) {
        let news = lock(&self.sending.breaker).news(group);
        if let Some(left) = news {
            self.to_lane(group, Job::Tell(Box::new(Act::Paused(left))));
        }
    }

    /// Takes a message back.
    pub(super) async fn recall(&self, group: GroupNumber, handle: &Handle) -> Outcome {
        if let Err(why) = self.roster().state(group) {
            return later(why);
        }
        let answer = self.ask("delete_msg", json!({"message_id": json::id(&handle.0)})).await;
        verdict::of_act(answer)
    }

    /// Adds a reaction or takes it away.
    pub(super) async fn react(&self, group: GroupNumber, handle: &Handle, emoji: &str, added: bool) -> Outcome {
        let by = {
            let roster = self.roster();
            if let Err(why) = roster.state(group) {
                return later(why);
            }
            roster.dialect.react
        };
        let Some(id) = reaction::id(emoji).map(|id| id.id) else {
            return Outcome::NotSent(NotSent::Never(format!("QQ has no reaction {emoji}")));
        };
        if self.sending.rate.wait(PATIENCE).await.is_err() {
            return later("messages come first".to_owned());
        }
        let message = json::id(&handle.0);
        let answer = match by {
            ReactBy::EmojiLike => {
                let params = json!({"message_id": message, "emoji_id": id, "set": added});
                self.ask("set_msg_emoji_like", params).await
            }
            ReactBy::GroupReaction => {
                let params = json!({"group_id": group.0, "message_id": message, "code": id, "is_add": added});
                self.ask("set_group_reaction", params).await
            }
            ReactBy::Nothing => {
                let why = "the OneBot program has no reactions".to_owned();
                return Outcome::NotSent(NotSent::Never(why));
            }
        };
        verdict::of_act(answer)
    }
}

fn later(why: String) -> Outcome {
    Outcome::NotSent(NotSent::Later(why))
}

/// The error's words for the author of a message.
fn words(error: &CallError) -> String {
    error.to_string()
}
