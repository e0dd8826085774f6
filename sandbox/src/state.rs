//! Everything there is, behind one lock, and the rule how it is worked on: one request, one transaction, and nobody is
//! answered before it is on disk.
//!
//! Runs in the tasks of the connections. The work is short (a few `SQLite` statements), so it is done where it stands; who
//! waits for something waits on [`Shared::news`] without the lock.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::log::{Entry, Fate};
use crate::onebot::Onebot;
use crate::options::{Era, Options};
use crate::store::{Store, StoreError};
use crate::temper::Temper;
use crate::webqq::Webqq;
use crate::world::{Chat, Flavour, Group, Protocol, World, default_world};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `None` once the sandbox has stopped.
    state: Mutex<Option<State>>,
    news: watch::Sender<u64>,
    /// How long a poll without events is held.
    pub(crate) hold: Duration,
    /// Cancelled when the sandbox stops.
    pub(crate) stop: CancellationToken,
    /// The tasks of connections that left HTTP behind, and of those that we open.
    pub(crate) tasks: TaskTracker,
}

impl Shared {
    pub(crate) fn new(state: State, hold: Duration) -> Self {
        let stop = CancellationToken::new();
        Self {
            state: Mutex::new(Some(state)),
            news: watch::Sender::new(0),
            hold,
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// Does one piece of work in one transaction. After an error nothing of it remains.
    pub(crate) fn run<R>(&self, work: impl FnOnce(&mut State) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = guard.as_mut().ok_or(StoreError::Stopped)?;
        state.store.begin()?;
        let done = work(state).and_then(|result| state.store.commit().map(|()| result));
        if done.is_err() {
            state.store.rollback();
            state.onebot.forget_pending();
            state.load()?;
        }
        state.onebot.flush();
        if std::mem::take(&mut state.news) {
            self.news.send_modify(|count| *count = count.wrapping_add(1));
        }
        done
    }

    /// Changes whenever somebody who waits should look again. Subscribe before looking.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Closes the database at once; whoever comes later is told that the sandbox has stopped.
    pub(crate) fn close(&self) {
        self.stop.cancel();
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The world, the protocol faces' memory, and the store behind them.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) clock: Clock,
    pub(crate) temper: Temper,
    pub(crate) seed: u64,
    pub(crate) era: Era,
    pub(crate) lax: bool,
    pub(crate) webqq: Webqq,
    pub(crate) onebot: Onebot,
    /// What `OneBot` accounts play that say nothing themselves.
    pub(crate) flavour: Flavour,
    pub(crate) faults: Faults,
    /// How the outside reaches us: `http://address:port`.
    pub(crate) base: String,
    /// What `reset` goes back to.
    first_world: World,
    news: bool,
}

impl State {
    /// Takes up what the store holds; an empty store gets the world of the options.
    pub(crate) fn open(options: &Options) -> Result<Self, StoreError> {
        let store = Store::open(options.state.as_deref())?;
        let mut state = Self {
            store,
            world: World::default(),
            clock: Clock::default(),
            temper: Temper::new(options.seed),
            seed: options.seed,
            era: options.era,
            lax: options.lax,
            webqq: Webqq::default(),
            onebot: Onebot::default(),
            flavour: options.flavour,
            faults: Faults::default(),
            base: String::new(),
            first_world: options.world.clone().unwrap_or_else(default_world),
            news: false,
        };
        state.store.begin()?;
        if state.store.meta("begun")?.is_none() {
            state.begin_world()?;
        } else if options.world.is_some() {
            tracing::warn!(
                "the state directory holds a world already: the one of the options is used after a reset only"
            );
        }
        state.store.commit()?;
        state.load()?;
        Ok(state)
    }

    fn begin_world(&self) -> Result<(), StoreError> {
        let world = &self.first_world;
        for (place, account) in world.accounts.iter().enumerate() {
            self.store.put_doc("account", account.qq, place, account)?;
        }
        for (place, group) in world.groups.iter().enumerate() {
            self.store.put_doc("group", group.number, place, group)?;
        }
        for (place, discussion) in world.discussions.iter().enumerate() {
            self.store.put_doc("discussion", discussion.id, place, discussion)?;
        }
        self.store.set_meta("begun", 1)
    }

    fn load(&mut self) -> Result<(), StoreError> {
        self.world = World {
            accounts: self.store.docs("account")?,
            groups: self.store.docs("group")?,
            discussions: self.store.docs("discussion")?,
        };
        self.clock.ahead_ms = self.store.meta("ahead_ms")?.unwrap_or(0);
        self.webqq = Webqq::load(&self.store)?;
        self.onebot.load(&self.store)
    }

    /// Goes back to the world of the beginning; with a seed, to another temper. Numbers go on.
    pub(crate) fn reset(&mut self, seed: Option<u64>) -> Result<(), StoreError> {
        self.store.clear()?;
        self.onebot.reset();
        self.faults.clear(None);
        self.store.set_meta("ahead_ms", 0)?;
        self.begin_world()?;
        self.load()?;
        if let Some(seed) = seed {
            self.seed = seed;
        }
        self.temper = Temper::new(self.seed);
        self.wake();
        Ok(())
    }

    /// Somebody who waits should look again, once this piece of work is on disk.
    pub(crate) fn wake(&mut self) {
        self.news = true;
    }

    /// A number that was never given before, of a named row of numbers.
    pub(crate) fn next_number(&self, row: &str) -> Result<i64, StoreError> {
        let number = self.store.meta(row)?.unwrap_or(0) + 1;
        self.store.set_meta(row, number)?;
        Ok(number)
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) -> Result<(), StoreError> {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.clock.ahead_ms = self.clock.ahead_ms.saturating_add(by);
        self.store.set_meta("ahead_ms", self.clock.ahead_ms)?;
        self.wake();
        Ok(())
    }

    /// The accounts of a protocol that see a chat.
    pub(crate) fn audience(&self, chat: Chat, protocol: Protocol) -> Vec<i64> {
        let sees = |qq: i64| match chat {
            Chat::Group(number) => self.world.group(number).is_some_and(|group| group.member(qq).is_some()),
            Chat::Discussion(id) => self.world.discussions_of(qq).any(|discussion| discussion.id == id),
            Chat::Friend { account, friend } => account == qq || friend == qq,
        };
        let accounts = self
            .world
            .accounts
            .iter()
            .filter(|account| account.protocol == protocol);
        accounts.map(|account| account.qq).filter(|qq| sees(*qq)).collect()
    }

    /// Changes a group and keeps the change. `None` when there is no such group.
    pub(crate) fn change_group<R>(
        &mut self,
        number: i64,
        change: impl FnOnce(&mut Group) -> R,
    ) -> Result<Option<R>, StoreError> {
        let Some(place) = self.world.groups.iter().position(|group| group.number == number) else {
            return Ok(None);
        };
        let group = &mut self.world.groups[place];
        let result = change(group);
        self.store.put_doc("group", number, place, group)?;
        self.news = true;
        Ok(Some(result))
    }

    /// Writes a log entry.
    pub(crate) fn log(&mut self, mut entry: Entry) -> Result<(), StoreError> {
        entry.time = self.clock.now();
        let Entry {
            account,
            host,
            path,
            outcome,
            detail,
            ..
        } = &entry;
        tracing::debug!(?account, %host, %path, ?outcome, %detail, "request");
        self.store.add_log(&entry)?;
        self.news = true;
        Ok(())
    }

    /// Writes a log entry about something that no request asked for.
    pub(crate) fn log_aside(&mut self, account: i64, outcome: Fate, detail: String) -> Result<(), StoreError> {
        self.log(Entry::aside("webqq", Some(account), outcome, detail))
    }
}
