//! Who gets what: a room's JID to its portal, a group's number to its portal, the rest of the domain to the gateway.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jid::BareJid;
use tokio::sync::mpsc;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;

use crate::metrics::{AccountLabel, Metrics};
use crate::model::{AccountName, GroupNumber};
use crate::portal::Handle;
use crate::qq::{AccountEvent, GroupEvent};
use crate::store::Health;
use crate::xmpp::{Event, Link, Refused};

/// The table; shared by the component's reader and all sessions.
#[derive(Debug)]
pub(super) struct Route {
    table: RwLock<Table>,
    domain: mpsc::Sender<Event>,
    metrics: Metrics,
    store: Health,
}

#[derive(Debug, Default)]
struct Table {
    closed: bool,
    rooms: HashMap<BareJid, Handle>,
    groups: HashMap<GroupNumber, mpsc::Sender<GroupEvent>>,
    accounts: HashMap<AccountName, Account>,
}

#[derive(Debug, Clone)]
struct Account {
    events: mpsc::Sender<AccountEvent>,
    mapped: Vec<(GroupNumber, Option<String>)>,
}

impl Route {
    /// An empty table; what is for no room goes to `domain`.
    pub(super) fn new(domain: mpsc::Sender<Event>, metrics: Metrics, store: Health) -> Self {
        Self {
            table: RwLock::default(),
            domain,
            metrics,
            store,
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A portal answers for its room and groups from now on; an older entry of the room is replaced, groups included.
    pub(super) fn add_portal(&self, handle: &Handle, groups: &[GroupNumber]) {
        let mut table = self.write();
        table.groups.retain(|_, mailbox| !mailbox.same_channel(&handle.qq));
        table
            .groups
            .extend(groups.iter().map(|group| (*group, handle.qq.clone())));
        table.rooms.insert(handle.jid.clone(), handle.clone());
    }

    /// Nobody answers for the room any more.
    pub(super) fn remove_portal(&self, handle: &Handle) {
        let mut table = self.write();
        table.groups.retain(|_, mailbox| !mailbox.same_channel(&handle.qq));
        table.rooms.remove(&handle.jid);
    }

    /// The portal of a room.
    pub(super) fn portal(&self, room: &BareJid) -> Option<Handle> {
        self.read().rooms.get(room).cloned()
    }

    /// Lets every portal look whether an author is to be told something.
    pub(super) fn wake_portals(&self) {
        for portal in self.read().rooms.values() {
            portal.untold.notify_one();
        }
    }

    /// An account's events go here, and these groups are mapped for it.
    pub(super) fn set_account(
        &self,
        name: AccountName,
        events: mpsc::Sender<AccountEvent>,
        mapped: Vec<(GroupNumber, Option<String>)>,
    ) {
        self.write().accounts.insert(name, Account { events, mapped });
    }

    /// Other groups are mapped for an account.
    pub(super) fn set_mapped(&self, name: &AccountName, mapped: Vec<(GroupNumber, Option<String>)>) {
        if let Some(account) = self.write().accounts.get_mut(name) {
            account.mapped = mapped;
        }
    }

    /// An account is no more.
    pub(super) fn remove_account(&self, name: &AccountName) {
        self.write().accounts.remove(name);
    }

    /// The gateway stops: nothing more is taken.
    pub(super) fn close(&self) {
        self.write().closed = true;
    }
}

impl crate::xmpp::Inbox for Route {
    fn opened(&self, link: &Link) {
        for portal in self.read().rooms.values() {
            portal.xmpp.opened(link);
        }
    }

    fn deliver(&self, event: Event) -> Result<(), Box<(Event, Refused)>> {
        let table = self.read();
        if table.closed {
            return Err(Box::new((event, Refused::NotReady)));
        }
        if let Some(portal) = table.rooms.get(&event.to.to_bare()) {
            return portal.xmpp.push(event).map_err(|mut refused| {
                // A portal that waits for the disk does not start: its author is told what it waits for.
                if refused.1 == Refused::NotReady && self.store.blocked().is_some() {
                    refused.1 = Refused::NotStored;
                }
                refused
            });
        }
        // What somebody else's room asks of a visitor is answered like anybody's question.
        if let Some(portal) = table.rooms.get(&event.from.to_bare())
            && portal.is_elsewhere
            && !matches!(event.stanza, Stanza::Iq(Iq::Get { .. } | Iq::Set { .. }))
        {
            portal.xmpp.push_anyway(event);
            return Ok(());
        }
        drop(table);
        self.domain.try_send(event).map_err(|error| match error {
            mpsc::error::TrySendError::Full(event) => Box::new((event, Refused::Busy)),
            mpsc::error::TrySendError::Closed(event) => Box::new((event, Refused::NotReady)),
        })
    }

    fn malformed(&self, from: Option<&str>) {
        self.metrics.malformed.inc();
        tracing::debug!(from, "a malformed stanza");
    }

    fn copy(&self) {
        self.metrics.copies.inc();
    }
}

impl crate::qq::Inbox for Route {
    fn group(&self, group: GroupNumber) -> Option<mpsc::Sender<GroupEvent>> {
        self.read().groups.get(&group).cloned()
    }

    fn mapped(&self, account: &AccountName) -> Vec<(GroupNumber, Option<String>)> {
        self.read()
            .accounts
            .get(account)
            .map(|account| account.mapped.clone())
            .unwrap_or_default()
    }

    fn account(&self, account: &AccountName) -> mpsc::Sender<AccountEvent> {
        // A session that outlives its row for a moment speaks into a closed mailbox.
        self.read()
            .accounts
            .get(account)
            .map_or_else(|| mpsc::channel(1).0, |account| account.events.clone())
    }

    fn behind(&self, event: &GroupEvent) {
        tracing::warn!(account = %event.account, group = %event.group, "a portal does not take events in time");
        self.metrics
            .behind
            .get_or_create(&AccountLabel {
                account: event.account.to_string(),
            })
            .inc();
    }
}
