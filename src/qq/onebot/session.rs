//! What all parts of one session share: its settings, its link, what it knows, and its ways to tell.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Settings;
use super::activity::Activity;
use super::call::{CallError, Calls};
use super::lane::Lanes;
use super::roster::Roster;
use super::send::Sending;
use crate::model::{GroupNumber, Message};
use crate::qq::strangers::Quota;
use crate::qq::{AccountEvent, Inbox, SessionState};

/// Longest wait on the gateway's own mailbox.
const GATEWAY_PATIENCE: Duration = Duration::from_secs(5);
/// Histories that are fetched at a time.
const HISTORIES: usize = 6;

/// One session. The locks are never held over an await.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) inbox: Arc<dyn Inbox>,
    roster: Mutex<Roster>,
    calls: Mutex<Option<Calls>>,
    pub(super) lanes: Mutex<Lanes>,
    pub(super) sending: Sending,
    pub(super) histories: Semaphore,
    /// An admin asked for a login.
    pub(super) wish: Notify,
    /// The keeper should look now.
    pub(super) look: Notify,
    pub(super) quota: Mutex<Quota>,
    pub(super) activity: Activity,
    last: Mutex<Option<SessionState>>,
    tasks: TaskTracker,
    /// Ends the tasks beside the session's own.
    pub(super) ended: CancellationToken,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    pub(super) fn new(settings: Settings, inbox: Arc<dyn Inbox>) -> Arc<Self> {
        Arc::new(Self {
            sending: Sending::new(&settings),
            settings,
            inbox,
            roster: Mutex::default(),
            calls: Mutex::default(),
            lanes: Mutex::new(HashMap::new()),
            histories: Semaphore::new(HISTORIES),
            wish: Notify::new(),
            look: Notify::new(),
            quota: Mutex::default(),
            activity: Activity::default(),
            last: Mutex::default(),
            tasks: TaskTracker::new(),
            ended: CancellationToken::new(),
        })
    }

    /// What is known of people and groups.
    pub(super) fn roster(&self) -> MutexGuard<'_, Roster> {
        lock(&self.roster)
    }

    /// The calls of the link that is up, from now on; none when it is down.
    pub(super) fn set_calls(&self, calls: Option<Calls>) {
        *lock(&self.calls) = calls;
    }

    /// Calls over the link that is up.
    pub(super) async fn call(&self, action: &str, params: Value, patience: Duration) -> Result<Value, CallError> {
        let calls = lock(&self.calls).clone();
        match calls {
            Some(calls) => calls.call(action, params, patience).await,
            None => Err(CallError::NotWritten("there is no connection to the OneBot program")),
        }
    }

    /// An ordinary call.
    pub(super) async fn ask(&self, action: &str, params: Value) -> Result<Value, CallError> {
        self.call(action, params, self.settings.pace.call).await
    }

    /// Work beside the session's own, which ends with it.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = ended.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Ends all of it and waits.
    pub(super) async fn end(&self) {
        self.set_calls(None);
        lock(&self.lanes).clear();
        self.ended.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Tells the gateway something about the account.
    pub(super) async fn tell(&self, event: AccountEvent) {
        let mailbox = self.inbox.account(&self.settings.name);
        if mailbox.send_timeout(event, GATEWAY_PATIENCE).await.is_err() {
            tracing::error!(account = %self.settings.name, "the gateway did not take an event of the account");
        }
    }

    /// Tells the gateway how the session is, if that is news.
    pub(super) async fn set_state(&self, state: SessionState) {
        {
            let mut last = lock(&self.last);
            if last.as_ref() == Some(&state) {
                return;
            }
            *last = Some(state.clone());
        }
        self.tell(AccountEvent::State(state)).await;
    }

    /// Says that the account as a whole hears and speaks, or why not, to all its groups.
    pub(super) fn stand(&self, standing: Result<(), String>) {
        {
            let mut roster = self.roster();
            if roster.standing == standing {
                return;
            }
            roster.standing = standing;
        }
        self.look_all();
    }

    /// A message of a group that did not come as an event.
    pub(super) fn found(&self, group: GroupNumber, message: Message) {
        self.to_lane(group, super::lane::Job::Found(Box::new(message)));
    }
}
