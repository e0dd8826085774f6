//! Answers the wishes of the rest of the gateway, whatever the session is doing meanwhile. A message that waits for its turn holds up
//! no other wish, and its wait has an end, so that it is answered before the outbox gives it up as unknown.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::brake::Brake;
use super::content;
use super::echo::Echoes;
use super::send::{self, Sent};
use super::session::Session;
use crate::model::{GroupNumber, Part};
use crate::qq::{Command, NotSent, Outcome, Outgoing};

/// Messages that wait for their turn; more wait in their mailbox.
const AT_ONCE: usize = 64;
/// Longest wait for the turn, and then for the pause between two messages.
const PATIENCE: Duration = Duration::from_secs(20);

impl Session {
    /// Takes wishes; never ends, also when nobody can wish any more.
    pub(super) async fn serve(&self, mut commands: mpsc::Receiver<Command>) {
        let mouth = Mutex::new(Mouth {
            sent: Sent::default(),
            brake: Brake::default(),
            free_at: Instant::now(),
        });
        let mut sends = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(command) = commands.recv(), if sends.len() < AT_ONCE => {
                    if let Some((group, piece, reply)) = self.grant(command) {
                        sends.push(self.send(group, piece, reply, &mouth));
                    }
                }
                Some(()) = sends.next() => {}
                else => break,
            }
        }
        std::future::pending::<()>().await;
    }

    /// Does what needs no wait. Gives what is to be said.
    fn grant(&self, command: Command) -> Option<(GroupNumber, Outgoing, oneshot::Sender<Outcome>)> {
        let (reply, why) = match command {
            Command::Send { group, piece, reply } => return Some((group, piece, reply)),
            Command::Recall { reply, .. } => (reply, "the web protocol of QQ cannot take messages back"),
            Command::React { reply, .. } => (reply, "the web protocol of QQ has no reactions"),
            Command::Login => {
                self.wish.notify_one();
                return None;
            }
            Command::Captcha(text) => {
                self.type_captcha(text);
                return None;
            }
            // Not asked for: the session says that it has no history.
            Command::History { .. } => return None,
        };
        reply.send(Outcome::NotSent(NotSent::Never(why.to_owned()))).ok();
        None
    }

    async fn send(&self, group: GroupNumber, piece: Outgoing, reply: oneshot::Sender<Outcome>, mouth: &Mutex<Mouth>) {
        // Without waiting for its turn, when it will not get one.
        let outcome = if let Err(why) = self.speaks_in(group) {
            later(why)
        } else if let Ok(mut mouth) = timeout(PATIENCE, mouth.lock()).await {
            self.say(group, &piece.parts, &mut mouth).await
        } else {
            later("the account is still busy with other messages".to_owned())
        };
        // Nobody waits any more: the asker has ended, and knows it as unknown.
        reply.send(outcome).ok();
    }

    /// The temporary id to speak to a group by; or why that cannot be now.
    fn speaks_in(&self, group: GroupNumber) -> Result<u64, String> {
        if !self.is_online() {
            return Err("the QQ session is not on line".to_owned());
        }
        let roster = self.roster();
        let mapped = roster.mapped.get(&group);
        let found = mapped.and_then(|m| m.group.as_ref());
        found.map(|g| g.gid).ok_or_else(|| match mapped {
            Some(m) if !m.absent.is_empty() => m.absent.clone(),
            _ => format!("the QQ session does not know group {group} yet"),
        })
    }

    async fn say(&self, group: GroupNumber, parts: &[Part], mouth: &mut Mouth) -> Outcome {
        let every = self.settings.send_every;
        // What looks like the message before gets twice the distance.
        let more = if mouth.sent.is_repeat(group, parts) {
            every
        } else {
            Duration::ZERO
        };
        let turn = mouth.free_at + more;
        let left = turn.saturating_duration_since(Instant::now());
        if left > PATIENCE {
            return later(format!(
                "QQ wants pauses between messages; the next may go in {} s",
                left.as_secs()
            ));
        }
        sleep_until(turn).await;
        // Asked again: much may have happened in the wait.
        let gid = match self.speaks_in(group) {
            Ok(gid) => gid,
            Err(why) => return later(why),
        };
        let content = content::write(parts, mouth.sent.tail(group, parts));
        let msg_id = {
            let mut tokens = self.api.tokens();
            let (id, floor) = mouth.sent.id(tokens.msg_ids);
            tokens.msg_ids = floor;
            id
        };
        self.save().await;
        self.echoes(group, |echoes| echoes.sending(parts, Instant::now()));
        let mut verdict = send::judge(self.api.send(gid, &content, msg_id).await);
        let came_back = self.echoes(group, |echoes| echoes.last_came_back()) == Some(true);
        if came_back && !matches!(verdict.outcome, Outcome::Sent(_)) {
            // Nothing that an answer says is stronger than having heard it.
            verdict.outcome = Outcome::Sent(None);
        } else if matches!(verdict.outcome, Outcome::NotSent(_)) {
            self.echoes(group, Echoes::refused);
        }
        if verdict.doubt {
            self.doubt.notify_one();
        }
        mouth.free_at = Instant::now() + mouth.brake.pause(every, &verdict);
        tracing::debug!(account = %self.settings.name, %group, msg_id, ?verdict, "sent");
        verdict.outcome
    }

    fn echoes<T>(&self, group: GroupNumber, ask: impl FnOnce(&mut Echoes) -> T) -> Option<T> {
        let mut roster = self.roster();
        roster.mapped.get_mut(&group).map(|mapped| ask(&mut mapped.echoes))
    }
}

fn later(why: String) -> Outcome {
    Outcome::NotSent(NotSent::Later(why))
}

/// What speaking needs to remember.
struct Mouth {
    sent: Sent,
    brake: Brake,
    /// Nothing is said before.
    free_at: Instant,
}
