//! The portals: one supervised task per row of the mapping table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jid::BareJid;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Gateway;
use super::supervise::supervise;
use crate::operator::{Input, Part, State};
use crate::portal::{self, Control, Ended, Handle, Health, Settings};

/// The portals that run now.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    running: Mutex<HashMap<BareJid, Running>>,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct Running {
    handle: Handle,
    task: JoinHandle<()>,
}

impl Rooms {
    /// Whether there is a task that listens.
    pub(super) fn runs(&self, room: &BareJid) -> bool {
        self.lock().get(room).is_some_and(|running| !running.task.is_finished())
    }

    /// Waits until all portals have ended.
    pub(super) async fn wait(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<BareJid, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Starts the portal of a new row.
    pub(super) fn start_portal(self: &Arc<Self>, settings: Settings, drain: Duration, shutdown: &CancellationToken) {
        let groups = settings.groups.clone();
        let (handle, inbox) = portal::channel(settings);
        self.route.add_portal(&handle, &groups);
        self.board.set(&Part::Room(handle.jid.clone()), State::Online);
        let kept = self.clone().keep_portal(handle.clone(), inbox, drain, shutdown.clone());
        let task = self.rooms.tasks.spawn(kept);
        self.rooms.lock().insert(handle.jid.clone(), Running { handle, task });
    }

    /// Gives a changed row to its portal.
    pub(super) async fn configure_portal(&self, settings: Settings) {
        let handle = self
            .rooms
            .lock()
            .get(settings.room.jid())
            .map(|running| running.handle.clone());
        let Some(handle) = handle else { return };
        let groups = settings.groups.clone();
        handle.control.send(Control::Configure(Box::new(settings))).await.ok();
        self.route.add_portal(&handle, &groups);
    }

    /// Ends the portal of a removed row and waits for it: its room and groups are free afterwards.
    pub(super) async fn remove_portal(&self, room: &BareJid) {
        let running = self.rooms.lock().remove(room);
        let Some(Running { handle, task }) = running else {
            return;
        };
        if handle.control.send(Control::Remove).await.is_ok() {
            task.await.ok();
        }
        self.route.remove_portal(&handle);
        self.board.remove(&Part::Room(handle.jid));
    }

    async fn keep_portal(
        self: Arc<Self>,
        handle: Handle,
        inbox: portal::Inbox,
        drain: Duration,
        shutdown: CancellationToken,
    ) {
        let part = Part::Room(handle.jid.clone());
        let (gateway, accounts) = (self.clone(), self.clone());
        let (board, shown, operator) = (self.board.clone(), part.clone(), self.operator.clone());
        let wiring = portal::Wiring {
            store: self.store.clone(),
            link: self.link.clone(),
            outbox: Arc::new(move |account| gateway.accounts.wake(account)),
            session: Arc::new(move |account| accounts.accounts.session(account)),
            health: Arc::new(move |health| board.set(&shown, on_board(health))),
            alert: Arc::new(move |text| {
                if operator.try_send(Input::Alert(text)).is_err() {
                    tracing::warn!("a word for the admins was dropped: there are too many of them");
                }
            }),
            neighbours: self.neighbours.clone(),
            metrics: self.metrics.clone(),
        };
        let inbox = AsyncMutex::new(inbox);
        let (inbox, wiring) = (&inbox, &wiring);
        let result = supervise(&part, (&self.board, self.store.health()), &shutdown, || {
            let (board, part, shutdown) = (self.board.clone(), part.clone(), shutdown.clone());
            async move {
                let mut inbox = inbox.lock().await;
                board.set(&part, State::Online);
                portal::run(wiring, &mut inbox, drain, &shutdown).await
            }
        })
        .await;
        match result {
            Ok(Some(Ended::Removed | Ended::Stopped) | None) => {}
            Err(gave_up) => {
                self.board.set(&part, State::PutAside(gave_up.0.clone()));
                let text = format!("room {} was put aside, it failed too often: {gave_up}", handle.jid);
                self.operator.send(Input::Alert(text)).await.ok();
            }
        }
    }
}

fn on_board(health: Health) -> State {
    match health {
        Health::Fine => State::Online,
        Health::NoGroup(why) => State::NoGroup(why),
        Health::Away(why) => State::Away(why),
        Health::NeedsOperator(what) => State::NeedsOperator(what),
    }
}
