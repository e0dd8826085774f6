//! A portal: the task that owns everything that happens between the QQ groups of one mapping row and their room.
//!
//! ```text
//!  session ──GroupEvent──► ┌─────────────── portal ───────────────┐
//!                          │ admit ─► commit ─► backlog ─► reflect │ ──stanzas──► component ─► server
//!  component ─stanza─────► │   │        │          ▲         │     │ ◄──barrier──
//!                          └───┼────────┼──────────┼─────────┼─────┘
//!                           refusals  outbox rows  rows   confirmed cursor
//!                                       │           └──store──┘
//!                                       └─► outbox ─► session ─► QQ
//! ```
//!
//! Two arms share the turn ([`turn`]) and do not wait for each other: *admit* takes what the mailboxes hold and commits it once;
//! *reflect* shows what is committed while the writer has room. Nothing else changes the room's state.

mod answered;
mod archive;
mod backfill;
mod backlog;
mod clock;
mod commit;
mod draft;
mod ending;
mod flight;
mod from_qq;
mod from_xmpp;
mod gap;
mod groups;
mod lookup;
mod mailbox;
mod notices;
mod overheard;
mod recall;
mod reflect;
mod restore;
mod strangers;
#[cfg(test)]
mod tests;
mod tick;
mod told;
mod turn;
mod words;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jid::BareJid;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

pub use mailbox::{Mailbox, Portion};

use crate::config::{Backfill, Language, Template};
use crate::metrics::Metrics;
use crate::model::{AccountName, GroupNumber, MemberId};
use crate::qq::faces::Known;
use crate::qq::piece::Limits;
use crate::qq::{Act, GroupEvent, Session};
use crate::room;
use crate::room::joined::Neighbours;
use crate::store::Store;
use crate::xmpp::Link;

/// What the operator wants of the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The room. A hosted one's name is used where neither the row nor QQ gives one.
    pub room: room::Settings,
    /// The room's name, where the row gives one.
    pub name: Option<String>,
    /// The account that hears and speaks in the groups.
    pub account: AccountName,
    /// The groups, in the order of the row: the first one that has a person decides their card.
    pub groups: Vec<GroupNumber>,
    /// Whether what is said on QQ goes to the room.
    pub to_xmpp: bool,
    /// Whether what is said in the room goes to QQ.
    pub to_qq: bool,
    /// How an XMPP person's words look on QQ.
    pub template: Template,
    /// How long a message to QQ may be, by the account's protocol.
    pub limits: Limits,
    /// The faces that the account's protocol can carry.
    pub faces: Known,
    /// Language of the gateway's lines in the room.
    pub language: Language,
    /// Say goodbye with status 332 at an ordinary stop.
    pub farewell: bool,
    /// How much of a gap is closed.
    pub backfill: Backfill,
    /// What history tells goes to the room's other groups when it is no older than this.
    pub give_up: Duration,
}

impl Settings {
    /// The room's settings under the name that counts: the row's, else the group's.
    fn room_named(&self, group_name: Option<&str>) -> room::Settings {
        let mut room = self.room.clone();
        if let room::Settings::Hosted(hosted) = &mut room
            && let Some(name) = self.name.as_deref().or(group_name)
        {
            name.clone_into(&mut hosted.name);
        }
        room
    }
}

/// Finds the session of an account.
pub type FindSession = Arc<dyn Fn(&AccountName) -> Option<Session> + Send + Sync>;

/// What a portal is connected to.
#[derive(Clone)]
pub struct Wiring {
    /// The store.
    pub store: Store,
    /// The way out, a new one with each connection; `None` while there is none.
    pub link: watch::Receiver<Option<Link>>,
    /// Wakes the outbox of an account: rows are due.
    pub outbox: Arc<dyn Fn(&AccountName) + Send + Sync>,
    /// The wishes' mailbox of an account's session, while it runs.
    pub session: FindSession,
    /// Hears how the room is, at each change: for the operator.
    pub health: Arc<dyn Fn(Health) + Send + Sync>,
    /// A word for the admins. Never waits.
    pub alert: Arc<dyn Fn(String) + Send + Sync>,
    /// The servers of joined rooms.
    pub neighbours: Neighbours,
    /// Counts.
    pub metrics: Metrics,
}

/// How a room is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Fine,
    /// A group of it is not heard; why.
    NoGroup(String),
    /// The gateway is not in the room, which may mend itself; why.
    Away(String),
    /// A person has to do something; what.
    NeedsOperator(String),
}

/// The ends of a portal that others hold. Survives restarts of the task.
#[derive(Debug, Clone)]
pub struct Handle {
    /// The room.
    pub jid: BareJid,
    /// The room is somebody else's: its stanzas come from its address.
    pub is_elsewhere: bool,
    /// For the component's reader.
    pub xmpp: Mailbox,
    /// For the sessions.
    pub qq: mpsc::Sender<GroupEvent>,
    /// For the gateway.
    pub control: mpsc::Sender<Control>,
    /// Wake it when an outbox gave a message up: its author is to be told.
    pub untold: Arc<Notify>,
}

/// The portal's own ends.
#[derive(Debug)]
pub struct Inbox {
    /// The row as last configured: a task that starts anew begins with it.
    settings: Settings,
    /// What the last run took from QQ and could not commit: the disk of the store took nothing.
    again: VecDeque<GroupEvent>,
    /// What it could not store of what the server has.
    unstored: flight::Noted,
    /// Messages from QQ that were lost since the store failed: the next run says so, or has them from history.
    missed: u64,
    /// Who the account is among the members: a session tells it at its start and then seldom.
    own: Option<MemberId>,
    /// What the sessions said of themselves.
    sessions: backfill::Sessions,
    xmpp: Mailbox,
    qq: mpsc::Receiver<GroupEvent>,
    control: mpsc::Receiver<Control>,
    untold: Arc<Notify>,
}

impl Inbox {
    /// What was taken from QQ goes back, before everything else. History and its end are asked for anew.
    fn give_back(&mut self, taken: Vec<GroupEvent>) {
        let stays = |event: &GroupEvent| !matches!(event.act, Act::Backfill { .. } | Act::Online { .. });
        for event in taken.into_iter().rev().filter(stays) {
            self.again.push_front(event);
        }
    }
}

/// What the gateway tells a portal.
#[derive(Debug)]
pub enum Control {
    /// The row changed: take the new values, without anybody leaving.
    Configure(Box<Settings>),
    /// The row is gone: tell the occupants and end.
    Remove,
}

/// Depth of a portal's QQ mailbox.
const QQ_DEPTH: usize = 256;

/// The two ends of a new portal's mailboxes.
pub fn channel(settings: Settings) -> (Handle, Inbox) {
    let (qq_tx, qq) = mpsc::channel(QQ_DEPTH);
    let (control_tx, control) = mpsc::channel(8);
    let xmpp = Mailbox::default();
    let untold = Arc::new(Notify::new());
    let handle = Handle {
        jid: settings.room.jid().clone(),
        is_elsewhere: settings.room.is_elsewhere(),
        xmpp: xmpp.clone(),
        qq: qq_tx,
        control: control_tx,
        untold: untold.clone(),
    };
    (
        handle,
        Inbox {
            settings,
            again: VecDeque::new(),
            unstored: flight::Noted::default(),
            missed: 0,
            own: None,
            sessions: backfill::Sessions::default(),
            xmpp,
            qq,
            control,
            untold,
        },
    )
}

/// How a portal's task ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// The gateway stops.
    Stopped,
    /// The row was removed; occupants were told.
    Removed,
}

/// Runs a portal until it is told to end. On an error it can be run again with the same inbox: everything is in the store.
pub async fn run(
    wiring: &Wiring,
    inbox: &mut Inbox,
    drain: Duration,
    shutdown: &CancellationToken,
) -> anyhow::Result<Ended> {
    let closes = CloseOnDrop(inbox.xmpp.clone());
    let mut portal = turn::Portal::start(inbox.settings.clone(), wiring.clone(), &mut inbox.unstored).await?;
    inbox.xmpp.open();
    portal.own = inbox.own.take();
    let ended = portal.run(inbox, drain, shutdown).await;
    drop(closes);
    if let Err(error) = &ended {
        if turn::heals(error) {
            portal.refuse_waiting(inbox).await;
        }
        inbox.unstored = portal.flight.land().await;
    }
    inbox.missed += portal.missed;
    inbox.own = portal.own;
    ended
}

/// While nobody empties the mailbox, it answers for itself.
struct CloseOnDrop(Mailbox);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
