//! Answers the wishes of the rest of the gateway, whatever the session is doing meanwhile.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::brake::Brake;
use super::content;
use super::echo::Echoes;
use super::send::{self, Sent};
use super::session::Session;
use crate::model::{GroupNumber, Part};
use crate::qq::{Command, NotSent, Outcome};

impl Session {
    /// Takes wishes one after the other; never ends, also when nobody can wish any more.
    pub(super) async fn serve(&self, mut commands: mpsc::Receiver<Command>) {
        let mut mouth = Mouth {
            sent: Sent::default(),
            brake: Brake::default(),
            free_at: Instant::now(),
        };
        while let Some(command) = commands.recv().await {
            match command {
                Command::Send { group, piece, reply } => {
                    // Without waiting for its turn, when it will not get one.
                    let outcome = if let Err(why) = self.speaks_in(group) {
                        Outcome::NotSent(NotSent::Later(why))
                    } else {
                        self.say(group, &piece.parts, &mut mouth).await
                    };
                    // Nobody waits any more: the asker has ended, and knows it as unknown.
                    reply.send(outcome).ok();
                }
                Command::Recall { reply, .. } => {
                    let why = "the web protocol of QQ cannot take messages back".to_owned();
                    reply.send(Outcome::NotSent(NotSent::Never(why))).ok();
                }
                Command::React { reply, .. } => {
                    let why = "the web protocol of QQ has no reactions".to_owned();
                    reply.send(Outcome::NotSent(NotSent::Never(why))).ok();
                }
                Command::Login => self.wish.notify_one(),
                Command::Captcha(text) => self.type_captcha(text),
                // Not asked for: the session says that it has no history.
                Command::History { .. } => {}
            }
        }
        std::future::pending::<()>().await;
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
        sleep_until(mouth.free_at + more).await;
        // Asked again: much may have happened in the wait.
        let gid = match self.speaks_in(group) {
            Ok(gid) => gid,
            Err(why) => return Outcome::NotSent(NotSent::Later(why)),
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

/// What speaking needs to remember.
struct Mouth {
    sent: Sent,
    brake: Brake,
    /// Nothing is said before.
    free_at: Instant,
}
