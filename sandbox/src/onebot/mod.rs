//! `OneBot` 11 over WebSocket: the protocol face of the accounts with `protocol = "onebot"`.
//!
//! ```text
//! application ──► forward ─┐                          ┌─ call ── action/*   what it asks
//!                          ├─► link (one connection) ─┤
//! application ◄── reverse ─┘                          └─ event/*            what it is told
//! ```
//!
//! An account is played by a *program* ([`dialect`]): in its memory ([`run`]) is what a restart forgets. What happens in the
//! world comes in at [`tell`]; the frames that follow from it leave for the connections when it is on disk.

mod action;
mod call;
pub(crate) mod dialect;
mod event;
mod failure;
mod forward;
mod frame;
mod id;
mod link;
mod params;
mod power;
mod reverse;
mod run;
mod segment;
mod tell;
mod view;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use self::frame::Frame;
use self::run::Run;
use crate::store::{Store, StoreError};

pub(crate) use forward::{is_ours, upgrade};
pub(crate) use id::hex_name;
pub(crate) use link::Link;
pub(crate) use power::{PowerError, change_settings, offline, online, restart};
pub(crate) use reverse::{connect, disconnect, take_up};
pub(crate) use tell::{raw_event, tell};
pub(crate) use view::View;

/// What the face keeps of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) qq: i64,
    /// Whether QQ threw the account off the line.
    #[serde(default)]
    pub(crate) offline: bool,
    /// The applications to which the program connects.
    #[serde(default)]
    pub(crate) reverse: Vec<Target>,
}

/// An application to which a program connects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) access_token: String,
    /// Whether API and events go over two connections.
    #[serde(default)]
    pub(crate) split: bool,
}

/// What the face remembers.
#[derive(Debug, Default)]
pub(crate) struct Onebot {
    /// On disk.
    kept: HashMap<i64, Kept>,
    /// In the programs' memory.
    runs: HashMap<i64, Run>,
    links: Vec<Link>,
    last_link: u64,
    /// Frames that leave with the commit, by account.
    pending: Vec<(i64, Frame)>,
    /// Ends the outgoing connections of an account.
    outgoing: HashMap<i64, CancellationToken>,
}

impl Onebot {
    /// Takes up what is on disk. Connections and memories remain as they are.
    pub(crate) fn load(&mut self, store: &Store) -> Result<(), StoreError> {
        let kept: Vec<Kept> = store.docs("onebot")?;
        self.kept = kept.into_iter().map(|kept| (kept.qq, kept)).collect();
        Ok(())
    }

    /// What is kept of an account.
    pub(crate) fn kept(&self, qq: i64) -> Kept {
        self.kept.get(&qq).cloned().unwrap_or(Kept { qq, ..Kept::default() })
    }

    /// Keeps that.
    fn keep(&mut self, store: &Store, kept: Kept) -> Result<(), StoreError> {
        store.put_doc("onebot", kept.qq, 0, &kept)?;
        self.kept.insert(kept.qq, kept);
        Ok(())
    }

    /// Whether the program of an account remembers a message, where it remembers only in memory.
    fn remembers(&self, qq: i64, message: i64) -> bool {
        self.runs.get(&qq).is_some_and(|run| run.remembers(message))
    }

    /// The memory of an account's program.
    fn run(&mut self, qq: i64) -> &mut Run {
        self.runs.entry(qq).or_default()
    }

    /// Sends what was written down on its way: the work is on disk.
    pub(crate) fn flush(&mut self) {
        for (qq, frame) in std::mem::take(&mut self.pending) {
            for link in self.links.iter().filter(|link| link.qq == qq && link.events) {
                link.give(frame.clone());
            }
        }
    }

    /// Forgets what was written down: the work was undone.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// Whether something is connected that wants events of an account.
    fn is_heard(&self, qq: i64) -> bool {
        self.links
            .iter()
            .any(|link| link.qq == qq && link.events && !link.silent)
    }

    /// The connections, for people.
    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Ends the connections of an account, or of all.
    pub(crate) fn hang_up(&mut self, qq: Option<i64>) -> usize {
        let wanted = |link: &&Link| qq.is_none_or(|qq| link.qq == qq);
        self.links.iter().filter(wanted).map(Link::end).count()
    }

    /// Begins anew with everything but the numbers of connections.
    pub(crate) fn reset(&mut self) {
        self.hang_up(None);
        for token in std::mem::take(&mut self.outgoing).into_values() {
            token.cancel();
        }
        self.runs.clear();
        self.pending.clear();
    }
}
