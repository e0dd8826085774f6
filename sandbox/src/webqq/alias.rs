//! The temporary numbers of a login: uins, gids, group codes, dids. Random, unique within the login, gone with it.

use std::collections::{HashMap, HashSet};

use rand::Rng;

use crate::state::State;
use crate::store::{Store, StoreError};

/// What a temporary number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A person (`uin`).
    Person = 0,
    /// A group, for sending and in events (`gid`).
    Gid = 1,
    /// A group, for asking (`code`).
    Code = 2,
    /// A discussion group (`did`).
    Did = 3,
}

const KINDS: [Kind; 4] = [Kind::Person, Kind::Gid, Kind::Code, Kind::Did];

/// The temporary numbers of one login.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    given: HashMap<(Kind, i64), i64>,
    means: HashMap<i64, (Kind, i64)>,
}

impl Aliases {
    /// The tables of all logins.
    pub(crate) fn load(store: &Store) -> Result<HashMap<i64, Self>, StoreError> {
        let mut all: HashMap<i64, Self> = HashMap::new();
        for (login, kind, number, alias) in store.aliases()? {
            if let Some(kind) = KINDS.into_iter().find(|known| *known as i64 == kind) {
                all.entry(login).or_default().insert(kind, number, alias);
            }
        }
        Ok(all)
    }

    fn insert(&mut self, kind: Kind, number: i64, alias: i64) {
        self.given.insert((kind, number), alias);
        self.means.insert(alias, (kind, number));
    }
}

impl State {
    /// The temporary number of something in a login; given out now when it has none yet. The login's own account keeps
    /// its real number (webqq.md §1).
    pub(crate) fn alias(&mut self, login: i64, kind: Kind, number: i64) -> Result<i64, StoreError> {
        let own = self.webqq.logins.get(&login).map(|login| login.account);
        if kind == Kind::Person && own == Some(number) {
            return Ok(number);
        }
        let numbers: HashSet<i64> = self.world.accounts.iter().map(|account| account.qq).collect();
        let aliases = self.webqq.aliases.entry(login).or_default();
        if let Some(alias) = aliases.given.get(&(kind, number)) {
            return Ok(*alias);
        }
        let mut rng = rand::rng();
        let alias = loop {
            let alias: i64 = rng.random_range(1_000_000_000..=i64::from(u32::MAX));
            if !aliases.means.contains_key(&alias) && !numbers.contains(&alias) {
                break alias;
            }
        };
        aliases.insert(kind, number, alias);
        self.store.add_alias((login, kind as i64, number, alias))?;
        Ok(alias)
    }

    /// What a temporary number stands for in a login.
    pub(crate) fn meaning(&self, login: i64, alias: i64) -> Option<(Kind, i64)> {
        let own = self.webqq.logins.get(&login).map(|login| login.account);
        if own == Some(alias) {
            return Some((Kind::Person, alias));
        }
        self.webqq.aliases.get(&login)?.means.get(&alias).copied()
    }

    /// The real number behind a temporary number of a kind.
    pub(crate) fn real(&self, login: i64, kind: Kind, alias: i64) -> Option<i64> {
        self.meaning(login, alias)
            .filter(|(found, _)| *found == kind)
            .map(|(_, number)| number)
    }

    /// Forgets the temporary numbers of a login; new ones are given out from now on.
    pub(crate) fn renew_aliases(&mut self, login: i64) -> Result<(), StoreError> {
        self.webqq.aliases.remove(&login);
        self.store.forget_aliases(login)
    }
}
