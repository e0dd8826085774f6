//! Takes the wishes of the rest of the gateway, whatever the session is doing meanwhile. A long send holds up no other wish.
//! Wishes for history have a queue of their own ([`super::history`]): a mapping of hundreds of groups wants all of it at once, and
//! a portal asks for no more before it has its answer.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::session::Session;
use crate::qq::Command;

/// Wishes that are worked on at a time; more wait in their mailbox.
const AT_ONCE: usize = 64;

impl Session {
    /// Never ends, also when nobody can wish any more.
    pub(super) async fn serve(self: &Arc<Self>, mut commands: mpsc::Receiver<Command>) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        while let Some(command) = commands.recv().await {
            let session = self.clone();
            if matches!(command, Command::History { .. }) {
                self.spawn(async move { session.grant(command).await });
                continue;
            }
            let Ok(place) = places.clone().acquire_owned().await else {
                break;
            };
            self.spawn(async move {
                session.grant(command).await;
                drop(place);
            });
        }
        std::future::pending::<()>().await;
    }

    /// Nobody may wait for an answer any more: the asker has ended then, and knows it as unknown.
    async fn grant(self: &Arc<Self>, command: Command) {
        match command {
            Command::Send { group, piece, reply } => {
                reply.send(self.send(group, piece).await).ok();
            }
            Command::Recall { group, handle, reply } => {
                reply.send(self.recall(group, &handle).await).ok();
            }
            Command::React {
                group,
                handle,
                emoji,
                added,
                reply,
            } => {
                reply.send(self.react(group, &handle, &emoji, added).await).ok();
            }
            Command::History {
                group,
                after,
                count,
                since,
            } => self.backfill(group, &after, count, since).await,
            Command::Login => self.wish.notify_one(),
            // The login is the other program's.
            Command::Captcha(_) => {}
        }
    }
}
