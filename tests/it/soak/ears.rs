//! The gateway's part for a session in a soak: takes everything at once, and checks that each word of a group comes once and in
//! order. Keeps nothing that grows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use qqxmpp::model::words::plain_text;
use qqxmpp::model::{AccountName, GroupNumber, Language};
use qqxmpp::qq::{AccountEvent, Act, GroupEvent, Inbox, Need, SessionState};
use tokio::sync::mpsc;

/// What came.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The number of the next word of each group.
    pub(super) next: HashMap<GroupNumber, u64>,
    /// Words of others, of all groups.
    pub(super) words: u64,
    /// What the account said came back.
    pub(super) own: u64,
    pub(super) state: SessionState,
    /// How often the session came on line.
    pub(super) onlines: u64,
    /// Codes that were shown.
    pub(super) codes: u64,
    /// How often a link was lost, or a login.
    pub(super) degraded: u64,
    /// What never may be, the first of it.
    pub(super) wrong: Option<String>,
}

impl Heard {
    fn wrong(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    fn take(&mut self, event: GroupEvent) {
        match event.act {
            Act::Said(message) if message.own => self.own += 1,
            Act::Said(message) => {
                let next = self.next.entry(event.group).or_default();
                let (text, expected) = (plain_text(&message.parts, Language::Zh), word(*next));
                *next += 1;
                self.words += 1;
                if text != expected {
                    self.wrong(format!("{expected:?} was expected in {}, {text:?} came", event.group));
                }
            }
            Act::Missed(_) | Act::Backfill { .. } => self.wrong(format!("never with this protocol: {event:?}")),
            _ => {}
        }
    }

    fn take_state(&mut self, state: SessionState) {
        match &state {
            SessionState::Online(_) => self.onlines += 1,
            SessionState::Degraded(_) => self.degraded += 1,
            SessionState::NeedsOperator(Need::ScanQr { .. }) => self.codes += 1,
            SessionState::NeedsOperator(need) => self.wrong(format!("a person is wanted: {need:?}")),
            SessionState::Starting => {}
        }
        self.state = state;
    }
}

/// What is said as the nth in a group: of many lengths.
pub(super) fn word(n: u64) -> String {
    let long = usize::try_from(n % 40).unwrap_or(0);
    format!("word {n}{}", "好".repeat(long))
}

/// The mailboxes, and who empties them.
pub(super) struct Ears {
    groups: HashMap<GroupNumber, mpsc::Sender<GroupEvent>>,
    account: mpsc::Sender<AccountEvent>,
    heard: Arc<Mutex<Heard>>,
}

impl Ears {
    /// Listens to these groups, in tasks of its own.
    pub(super) fn open(groups: &[u64]) -> Arc<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let listen = |number: &u64| {
            let (mailbox, mut events) = mpsc::channel(64);
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                while let Some(event) = events.recv().await {
                    lock(&heard).take(event);
                }
            });
            (GroupNumber(*number), mailbox)
        };
        let groups = groups.iter().map(listen).collect();
        let (account, mut events) = mpsc::channel(64);
        let listener = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let AccountEvent::State(state) = event {
                    lock(&listener).take_state(state);
                }
            }
        });
        Arc::new(Self { groups, account, heard })
    }

    /// What came until now.
    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        lock(&self.heard)
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inbox for Ears {
    fn group(&self, group: GroupNumber) -> Option<mpsc::Sender<GroupEvent>> {
        self.groups.get(&group).cloned()
    }

    fn mapped(&self, _: &AccountName) -> Vec<(GroupNumber, Option<String>)> {
        self.groups.keys().map(|group| (*group, None)).collect()
    }

    fn account(&self, _: &AccountName) -> mpsc::Sender<AccountEvent> {
        self.account.clone()
    }

    fn behind(&self, event: &GroupEvent) {
        self.heard().wrong(format!("nobody is behind here: {event:?}"));
    }
}
