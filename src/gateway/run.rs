//! Start and stop, in order.
//!
//! A stop is in two steps: stop taking (sessions, stanzas), finish what was taken (portals show their rows, outboxes wait for the
//! piece that is on its way), then close the connection and the store.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::supervise::{supervise, survive};
use super::{Gateway, build, fixed, reload, route};
use crate::config::{Config, Source};
use crate::metrics::Metrics;
use crate::model::Timestamp;
use crate::operator::{self, Board, Desk, Input, LoginPage, Needs, Order, Part, State};
use crate::room::joined::Neighbours;
use crate::store::{Store, Unsent};
use crate::xmpp::component::{self, Component};
use crate::xmpp::{Event, Link};
use crate::{http, qq};

/// Rows that retention deletes at once, at most.
const PRUNE_STEP: usize = 500;
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Runs the gateway until shutdown is asked for. Problems of the configuration come as [`crate::config::Problems`].
pub async fn run(source: Source, shutdown: CancellationToken) -> anyhow::Result<()> {
    // A second gateway in one process (tests) finds the provider installed; that is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let config = source.load()?;
    let store = Store::open(&config.store.path)?;
    fixed::check_puppet_address(&store, &config, source.path()).await?;
    let (board, metrics) = (Board::new(), Metrics::new());
    board.set(&Part::Component, State::Starting);
    let stops = Stops::default();
    let background = TaskTracker::new();
    let (domain_tx, domain_rx) = mpsc::channel(256);
    let (operator_tx, operator_rx) = mpsc::channel(64);
    let (orders_tx, orders) = mpsc::channel(8);
    let desk = Desk::new(board.clone(), Needs::new(), orders_tx);
    let mut page = None;
    if let Some(listen) = config.http.listen {
        let listener = http::bind(listen).await?;
        let served = page.insert(LoginPage::new(listener.local_addr()?)).clone();
        let stop = stops.rest.clone();
        background.spawn(http::run(listener, desk.clone(), served, metrics.clone(), stop));
    }
    let (fatal_tx, fatal) = mpsc::channel(1);
    let (link_tx, link) = watch::channel(None);
    let gateway = Arc::new(Gateway {
        store: store.clone(),
        route: Arc::new(route::Route::new(domain_tx, metrics.clone(), store.health().clone())),
        board,
        needs: desk.needs.clone(),
        page,
        metrics,
        operator: operator_tx,
        link,
        accounts: super::accounts::Accounts::default(),
        doors: Arc::default(),
        rooms: super::rooms::Rooms::default(),
        neighbours: Neighbours::default(),
        config: watch::Sender::new(Arc::new(config.clone())),
        fatal: fatal_tx,
    });
    // Ends by the token: its mailbox lives as long as the route, which it keeps alive itself.
    let answers = gateway.clone().keep_domain(domain_rx);
    background.spawn(stops.rest.clone().run_until_cancelled_owned(answers));
    let (told, stop) = (gateway.clone(), stops.rest.clone());
    let presence = async move { survive("presence", || told.keep_presence()).await };
    background.spawn(stop.run_until_cancelled_owned(presence));
    let (told, stop) = (gateway.clone(), stops.rest.clone());
    let trouble = async move { survive("disk", || told.keep_disk()).await };
    background.spawn(stop.run_until_cancelled_owned(trouble));
    let (looks, stop) = (gateway.clone(), stops.rest.clone());
    let looking = async move { survive("looking", || looks.keep_looking()).await };
    background.spawn(stop.run_until_cancelled_owned(looking));
    let (pruned, keep, stop) = (store.clone(), config.store.keep, stops.rest.clone());
    background.spawn(async move { survive("retention", || prune(pruned.clone(), keep, stop.clone())).await });
    let operator = gateway
        .clone()
        .keep_operator(operator_rx, desk, stops.component.clone());
    background.spawn(operator);
    gateway.write_addresses(&config).await;

    fail_orphans(&store, &config).await?;
    for row in &config.mappings {
        let settings = build::portal(&config, row, store.salt());
        gateway.start_portal(settings, config.run.drain_timeout, &stops.portals);
    }
    for account in &config.accounts {
        let mapped = build::mapped(&config, &account.name);
        gateway.start_account(account.clone(), mapped, &config.relay, config.run.drain_timeout);
    }

    // Last, when every room has somebody who answers: a client that asks for one before takes it for gone, and leaves.
    let component = background.spawn(
        gateway
            .clone()
            .keep_component(config.clone(), link_tx, stops.component.clone()),
    );

    let ended = serve(&gateway, &source, config, orders, fatal, &stops, &shutdown).await;

    gateway.route.close();
    // Portals take as long as sessions bring: what was heard is committed before they close.
    gateway.stop_accounts().await;
    stops.portals.cancel();
    gateway.rooms.wait().await;
    stops.component.cancel();
    component.await.ok();
    stops.rest.cancel();
    background.close();
    drop(gateway);
    background.wait().await;
    store.close().await;
    ended
}

/// The parts that are stopped one after the other.
#[derive(Debug, Default)]
struct Stops {
    portals: CancellationToken,
    component: CancellationToken,
    rest: CancellationToken,
}

/// Everything runs: waits for orders, SIGHUP, a fatal failure or the end.
async fn serve(
    gateway: &Arc<Gateway>,
    source: &Source,
    mut config: Config,
    mut orders: mpsc::Receiver<Order>,
    mut fatal: mpsc::Receiver<String>,
    stops: &Stops,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            Some(why) = fatal.recv() => anyhow::bail!(why),
            _ = hangup.recv() => {
                let reload = reload::reload(gateway, source, &mut config, &stops.portals);
                // A part that waits for the disk would hold up the end.
                let Some(said) = shutdown.run_until_cancelled(reload).await else { return Ok(()) };
                tracing::info!("reload: {said}");
                gateway.operator.send(Input::Alert(format!("reload: {said}"))).await.ok();
            }
            Some(order) = orders.recv() => match order {
                Order::Reload(reply) => {
                    let reload = reload::reload(gateway, source, &mut config, &stops.portals);
                    let Some(said) = shutdown.run_until_cancelled(reload).await else { return Ok(()) };
                    tracing::info!("reload: {said}");
                    reply.send(said).ok();
                }
                Order::Login(account, reply) => {
                    reply.send(gateway.wish(&account, qq::Command::Login).await).ok();
                }
                Order::Captcha(account, text, reply) => {
                    reply.send(gateway.wish(&account, qq::Command::Captcha(text)).await).ok();
                }
            },
        }
    }
}

impl Gateway {
    /// The answers of the domain: one that panics costs that answer.
    async fn keep_domain(self: Arc<Self>, inbox: mpsc::Receiver<Event>) {
        let inbox = Mutex::new(inbox);
        survive("domain", || async {
            self.answer_for_domain(&mut *inbox.lock().await).await;
        })
        .await;
    }

    /// The operator's side, with the admins of the configuration in force.
    async fn keep_operator(self: Arc<Self>, inbox: mpsc::Receiver<Input>, desk: Desk, stop: CancellationToken) {
        let inbox = Mutex::new(inbox);
        survive("operator", || async {
            let settings = build::operator(&self.config.borrow().clone(), self.page.clone());
            operator::run(
                settings,
                &mut *inbox.lock().await,
                self.link.clone(),
                desk.clone(),
                &stop,
            )
            .await;
        })
        .await;
    }

    /// Keeps the file that says where the login pages are.
    pub(super) async fn write_addresses(&self, config: &Config) {
        let accounts: Vec<_> = config.accounts.iter().map(|account| account.name.clone()).collect();
        operator::write_addresses(&build::beside_store(config), self.page.as_ref(), &accounts).await;
    }

    /// The component, started again when it fails; without it there is no gateway.
    async fn keep_component(
        self: Arc<Self>,
        config: Config,
        link: watch::Sender<Option<Link>>,
        stop: CancellationToken,
    ) {
        let settings = component_settings(&config);
        let (gateway, link) = (&self, &link);
        let ended = supervise(&Part::Component, (&self.board, self.store.health()), &stop, || {
            let (component, status) = Component::new(settings.clone(), gateway.route.clone(), stop.clone());
            async move {
                tokio::select! {
                    () = component.run() => Ok(()),
                    () = gateway.watch_component(status, link) => Ok(()),
                }
            }
        })
        .await;
        if let Err(gave_up) = ended {
            self.fatal(format!("the connection to the XMPP server cannot be kept: {gave_up}"));
        }
    }

    /// Hands on what the component tells, as long as it runs.
    async fn watch_component(
        &self,
        mut status: watch::Receiver<component::Status>,
        link: &watch::Sender<Option<Link>>,
    ) {
        loop {
            let now = status.borrow_and_update().clone();
            self.metrics.component_online.set(i64::from(now.link.is_some()));
            self.board.set(&Part::Component, on_board(&now.state));
            link.send_if_modified(|link| {
                let changed = !same_link(link.as_ref(), now.link.as_ref());
                link.clone_from(&now.link);
                changed
            });
            if status.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// What waits for groups that the file names no longer since the last run is given up, so that its authors are told.
async fn fail_orphans(store: &Store, config: &Config) -> anyhow::Result<()> {
    let why = "the room is no longer bridged with this group";
    for (room, jid, account, group) in store.open_targets().await? {
        let row = config.mappings.iter().find(|row| row.room == jid);
        let unsent = match row {
            Some(row) if row.account == account && row.groups.iter().any(|g| g.number == group) => continue,
            Some(row) => Unsent::Elsewhere {
                room,
                account: row.account.clone(),
                groups: row.groups.iter().map(|group| group.number).collect(),
            },
            None => Unsent::Room(room),
        };
        store.fail_all(unsent, why).await?;
    }
    Ok(())
}

/// The component of a configuration.
pub(super) fn component_settings(config: &Config) -> component::Settings {
    component::Settings {
        domain: config.xmpp.domain.clone(),
        server: config.xmpp.server.to_string(),
        secret: config.xmpp.secret.expose().into(),
    }
}

fn on_board(state: &component::State) -> State {
    match state {
        component::State::Starting => State::Starting,
        component::State::Online => State::Online,
        component::State::Degraded(why) => State::Degraded(why.clone()),
        component::State::NeedsOperator(what) => State::NeedsOperator(what.clone()),
    }
}

fn same_link(old: Option<&Link>, new: Option<&Link>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.same(new),
        (None, None) => true,
        _ => false,
    }
}

/// Deletes what is older than the operator wants to keep, in small steps.
async fn prune(store: Store, keep: Duration, stop: CancellationToken) {
    loop {
        let pruned = stop
            .run_until_cancelled(store.prune(keep, Timestamp::now(), PRUNE_STEP))
            .await;
        match pruned {
            None => return,
            Some(Ok(0)) => {}
            Some(Ok(rows)) => tracing::debug!(rows, "old rows were deleted"),
            Some(Err(error)) if error.heals() => store.health().writable().await,
            Some(Err(error)) => tracing::warn!(%error, "cannot delete old rows"),
        }
        if stop
            .run_until_cancelled(tokio::time::sleep(PRUNE_EVERY))
            .await
            .is_none()
        {
            return;
        }
    }
}
