//! The QQ accounts: each has a supervised session, a supervised outbox, and a clerk that keeps what the session tells.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::route::Route;
use super::supervise::supervise;
use super::{Gateway, build};
use crate::config;
use crate::metrics::AccountLabel;
use crate::model::{AccountName, GroupNumber};
use crate::operator::{Input, Part, State};
use crate::outbox;
use crate::qq::{AccountEvent, Act, Command, GroupEvent, Inbox, Need, Session, SessionState, onebot, webqq};

/// Depth of a session's mailbox of wishes.
const COMMANDS: usize = 64;
/// Longest wait for a session that takes no wishes: orders and reloads wait behind it.
const SESSION_PATIENCE: Duration = Duration::from_secs(5);
/// Depth of the clerk's mailbox.
const EVENTS: usize = 64;

/// The accounts that run now.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    running: Mutex<HashMap<AccountName, Running>>,
}

#[derive(Debug)]
struct Running {
    config: config::Account,
    session: watch::Receiver<Option<Session>>,
    wake: Arc<Notify>,
    session_stop: CancellationToken,
    outbox_stop: CancellationToken,
    outbox: JoinHandle<()>,
    /// The session failed too often.
    put_aside: Arc<AtomicBool>,
    tasks: TaskTracker,
    clerk: JoinHandle<()>,
}

impl Accounts {
    /// Tells the outbox of an account to look.
    pub(super) fn wake(&self, account: &AccountName) {
        if let Some(running) = self.lock().get(account) {
            running.wake.notify_one();
        }
    }

    /// The mailbox of an account's session, while it runs.
    pub(super) fn session(&self, account: &AccountName) -> Option<Session> {
        self.lock().get(account)?.session.borrow().clone()
    }

    /// The accounts, as they were configured.
    pub(super) fn configured(&self) -> Vec<config::Account> {
        self.lock().values().map(|running| running.config.clone()).collect()
    }

    /// The accounts whose session failed too often.
    pub(super) fn put_aside(&self) -> Vec<AccountName> {
        let running = self.lock();
        let ended = running
            .iter()
            .filter(|(_, running)| running.put_aside.load(Ordering::Relaxed));
        ended.map(|(name, _)| name.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AccountName, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Stops an account altogether and waits for it.
    pub(super) async fn stop_account(&self, name: &AccountName) {
        let Some(running) = self.accounts.lock().remove(name) else {
            return;
        };
        // The outbox first: the piece that is on its way needs the session to know what became of it.
        running.outbox_stop.cancel();
        running.outbox.await.ok();
        running.session_stop.cancel();
        running.tasks.wait().await;
        // The clerk heard the session's last words; it ends when nobody can write to it any more.
        self.route.remove_account(name);
        running.clerk.await.ok();
    }

    /// Stops all of them.
    pub(super) async fn stop_accounts(&self) {
        let names: Vec<AccountName> = self.accounts.lock().keys().cloned().collect();
        join_all(names.iter().map(|name| self.stop_account(name))).await;
    }

    /// Brings a wish of the operator to an account's session; whether there is one that took it.
    pub(super) async fn wish(&self, account: &AccountName, wish: Command) -> bool {
        let Some(session) = self.accounts.session(account) else {
            return false;
        };
        session.send_timeout(wish, SESSION_PATIENCE).await.is_ok()
    }

    /// Starts an account: session, outbox, clerk.
    pub(super) fn start_account(
        self: &Arc<Self>,
        account: config::Account,
        mapped: Vec<(GroupNumber, Option<String>)>,
        relay: &config::Relay,
        drain: Duration,
    ) {
        let name = account.name.clone();
        let (events_tx, events) = mpsc::channel(EVENTS);
        let (session_tx, session) = watch::channel(None);
        let wake = Arc::new(Notify::new());
        let (session_stop, outbox_stop) = (CancellationToken::new(), CancellationToken::new());
        self.route.set_account(name.clone(), events_tx, mapped);
        self.board.set(&Part::Account(name.clone()), State::Starting);
        let tasks = TaskTracker::new();
        let put_aside = Arc::new(AtomicBool::new(false));
        tasks.spawn(
            self.clone()
                .keep_session(account.clone(), session_tx, session_stop.clone(), put_aside.clone()),
        );
        let clerk = tokio::spawn(self.clone().clerk(name.clone(), events));
        let settings = outbox::Settings {
            account: name.clone(),
            give_up: relay.give_up,
        };
        let gateway = self.clone();
        let wiring = outbox::Wiring {
            store: self.store.clone(),
            session: session.clone(),
            wake: wake.clone(),
            failed: Arc::new(move |room| {
                if let Some(portal) = gateway.route.portal(room) {
                    portal.untold.notify_one();
                }
            }),
            metrics: self.metrics.clone(),
        };
        let outbox = tokio::spawn(self.clone().keep_outbox(settings, wiring, drain, outbox_stop.clone()));
        tasks.close();
        let running = Running {
            config: account,
            session,
            wake,
            session_stop,
            outbox_stop,
            outbox,
            put_aside,
            tasks,
            clerk,
        };
        self.accounts.lock().insert(name, running);
    }

    /// The session, started again when it fails, put aside when it fails too often.
    async fn keep_session(
        self: Arc<Self>,
        account: config::Account,
        published: watch::Sender<Option<Session>>,
        stop: CancellationToken,
        put_aside: Arc<AtomicBool>,
    ) {
        let part = Part::Account(account.name.clone());
        let result = supervise(&part, (&self.board, self.store.health()), &stop, || {
            let (gateway, account, stop) = (self.clone(), account.clone(), stop.clone());
            let (tx, commands) = mpsc::channel(COMMANDS);
            published.send_replace(Some(tx));
            self.needs.close(&account.name);
            async move { gateway.run_session(&account, commands, stop).await }
        })
        .await;
        published.send_replace(None);
        self.needs.close(&account.name);
        let online = AccountLabel {
            account: account.name.to_string(),
        };
        self.metrics.account_online.get_or_create(&online).set(0);
        if !stop.is_cancelled() {
            self.say_offline(&account.name, "the QQ session has ended").await;
        }
        if let Err(gave_up) = result {
            put_aside.store(true, Ordering::Relaxed);
            self.board.set(&part, State::PutAside(gave_up.0.clone()));
            let text = format!("account {} was put aside, it failed too often: {gave_up}", account.name);
            self.operator.send(Input::Alert(text)).await.ok();
        }
    }

    async fn run_session(
        &self,
        account: &config::Account,
        commands: mpsc::Receiver<Command>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let saved = self.store.account_state(&account.name).await?;
        let inbox: Arc<Route> = self.route.clone();
        match &account.protocol {
            config::Protocol::WebQq(keys) => {
                let settings = build::webqq(account, keys);
                webqq::run(settings, saved, commands, inbox, stop).await
            }
            config::Protocol::OneBot(keys) => {
                let settings = build::onebot(account, keys);
                onebot::run(settings, self.doors.clone(), commands, inbox, stop).await
            }
        }
    }

    async fn keep_outbox(
        self: Arc<Self>,
        settings: outbox::Settings,
        wiring: outbox::Wiring,
        drain: Duration,
        stop: CancellationToken,
    ) {
        let part = Part::Outbox(settings.account.clone());
        let (settings, wiring) = (&settings, &wiring);
        let result = supervise(&part, (&self.board, self.store.health()), &stop, || {
            let stop = stop.clone();
            self.board.set(&part, State::Online);
            async move { outbox::run(settings, wiring, drain, &stop).await }
        })
        .await;
        if let Err(gave_up) = result {
            // Without its outbox nothing more reaches QQ, and the store is its only partner.
            self.fatal(format!("the outbox of account {} fails: {gave_up}", settings.account));
        }
    }

    /// Keeps what a session tells about itself, until the account is removed from the route.
    async fn clerk(self: Arc<Self>, name: AccountName, mut events: mpsc::Receiver<AccountEvent>) {
        let part = Part::Account(name.clone());
        let online = AccountLabel {
            account: name.to_string(),
        };
        // The login, until the store has it.
        let mut unsaved: Option<Vec<u8>> = None;
        loop {
            if let Some(state) = unsaved.take() {
                unsaved = self.save(&name, state).await;
            }
            let event = tokio::select! {
                event = events.recv() => event,
                () = self.store.health().writable(), if unsaved.is_some() => continue,
            };
            let Some(event) = event else { break };
            match event {
                AccountEvent::State(state) => {
                    let is_online = matches!(state, SessionState::Online(_));
                    self.metrics
                        .account_online
                        .get_or_create(&online)
                        .set(i64::from(is_online));
                    self.board.set(&part, on_board(&state));
                    if let SessionState::NeedsOperator(need) = state {
                        self.needs.open(&name, need);
                        self.operator.send(Input::Need(name.clone())).await.ok();
                    } else {
                        self.needs.close(&name);
                    }
                    if is_online {
                        self.accounts.wake(&name);
                    }
                }
                AccountEvent::Saved(state) => unsaved = Some(state),
                AccountEvent::ForAdmins(text) => {
                    self.operator
                        .send(Input::Alert(format!("account {name}: {text}")))
                        .await
                        .ok();
                }
            }
        }
    }

    /// Keeps a login; gives it back while the disk takes nothing.
    async fn save(&self, account: &AccountName, state: Vec<u8>) -> Option<Vec<u8>> {
        let saved = self.store.save_account_state(account, state.clone()).await;
        let Err(error) = saved else { return None };
        tracing::error!(%account, %error, "the login was not stored; as long as it is not, a start needs a new one");
        error.heals().then_some(state)
    }

    /// Tells the portals of an account that it is gone.
    async fn say_offline(&self, account: &AccountName, why: &str) {
        for (group, _) in self.route.mapped(account) {
            let act = Act::Offline(why.to_owned());
            crate::qq::event::deliver(
                &*self.route,
                GroupEvent {
                    account: account.clone(),
                    group,
                    act,
                },
            )
            .await;
        }
    }
}

fn on_board(state: &SessionState) -> State {
    match state {
        SessionState::Starting => State::Starting,
        SessionState::Online(_) => State::Online,
        SessionState::Degraded(why) => State::Degraded(why.clone()),
        SessionState::NeedsOperator(Need::ScanQr { .. }) => State::NeedsOperator("scan the QR code".to_owned()),
        SessionState::NeedsOperator(Need::Captcha { .. }) => State::NeedsOperator("answer the captcha".to_owned()),
        SessionState::NeedsOperator(Need::Attention(text)) => State::NeedsOperator(text.clone()),
    }
}
