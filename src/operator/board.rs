//! How every part of the gateway is: what `status`, `/readyz` and the gateway's presence tell.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::model::AccountName;

/// A part of the gateway that has a state of its own. Their order is the order in which they are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The connection to the XMPP server.
    Component,
    /// The file that everything is in.
    Store,
    /// A QQ account.
    Account(AccountName),
    /// What brings messages to a QQ account.
    Outbox(AccountName),
    /// A room.
    Room(jid::BareJid),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component => f.write_str("component"),
            Self::Store => f.write_str("store"),
            Self::Account(name) => write!(f, "account {name}"),
            Self::Outbox(name) => write!(f, "outbox {name}"),
            Self::Room(jid) => write!(f, "room {jid}"),
        }
    }
}

/// How a part is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Not there yet.
    Starting,
    /// As it should be.
    Online,
    /// A room that works, and whose group is not heard; why.
    NoGroup(String),
    /// Somebody else's room that the gateway is not in; why.
    Away(String),
    /// Works at getting better; why.
    Degraded(String),
    /// A person has to do something; what.
    NeedsOperator(String),
    /// Failed too often and was put aside; why. `reload` tries again.
    PutAside(String),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Online => f.write_str("online"),
            Self::NoGroup(why) => write!(f, "without its group: {why}"),
            Self::Away(why) => write!(f, "not in the room: {why}"),
            Self::Degraded(why) => write!(f, "degraded: {why}"),
            Self::NeedsOperator(what) => write!(f, "needs you: {what}"),
            Self::PutAside(why) => write!(f, "put aside: {why}"),
        }
    }
}

/// All states. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board {
    states: Arc<Mutex<BTreeMap<Part, State>>>,
    changed: Arc<watch::Sender<()>>,
}

impl Board {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the state of a part.
    pub fn set(&self, part: &Part, state: State) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.get(part) == Some(&state) {
            return;
        }
        tracing::info!(%part, "{state}");
        states.insert(part.clone(), state);
        drop(states);
        self.changed.send_replace(());
    }

    /// A part is no more.
    pub fn remove(&self, part: &Part) {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).remove(part);
        self.changed.send_replace(());
    }

    /// Wakes whenever something is another way.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The state of a part, if there is such a part.
    pub fn of(&self, part: &Part) -> Option<State> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(part).cloned()
    }

    /// All parts with their states, in order.
    pub fn list(&self) -> Vec<(Part, State)> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states
            .iter()
            .map(|(part, state)| (part.clone(), state.clone()))
            .collect()
    }

    /// Everything is on line; but a room whose group is not there, or that its own service keeps us out of, keeps nobody from the
    /// others.
    pub fn ready(&self) -> bool {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().all(|(part, state)| match state {
            State::Online | State::NoGroup(_) | State::Away(_) => true,
            State::NeedsOperator(_) => matches!(part, Part::Room(_)),
            State::Starting | State::Degraded(_) | State::PutAside(_) => false,
        })
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self
            .list()
            .iter()
            .map(|(part, state)| format!("{part}: {state}"))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_without_its_group_is_listed_and_one_that_fails_counts() {
        let board = Board::new();
        let room = Part::Room(jid::BareJid::new("a@qq.ex.org").expect("a JID"));
        board.set(&Part::Component, State::Online);
        board.set(&room, State::NoGroup("not in group 5".into()));
        assert!(board.ready());
        assert!(
            board
                .to_string()
                .ends_with("room a@qq.ex.org: without its group: not in group 5")
        );
        board.set(&room, State::Degraded("restarting: it failed".into()));
        assert!(!board.ready());
    }
}
