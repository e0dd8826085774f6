//! Authors whose words did not reach QQ: each gets one message error with the id of their own stanza, so that clients mark the line.
//!
//! ```text
//!  a wake-up, a new connection, the rare look ──► due ──► written ──barrier──► told (in the store)
//!                                                  ▲         │
//!                                                  └─────────┴ the connection is lost
//! ```
//!
//! What is written is not written again while its barrier is open: the store still calls it untold. An author of whom no client
//! session certainly listens is told when one does; the room's line does not wait for that.

use std::collections::HashSet;

use anyhow::Context;
use futures_util::future::try_join_all;
use jid::FullJid;

use super::draft::Draft;
use super::turn::Portal;
use super::words;
use crate::model::{GroupNumber, Seq, Timestamp};
use crate::room::Room;
use crate::store::Untold as Failed;
use crate::xmpp::Outgoing;

/// Errors written at once: an outage that ends ten thousand messages must not drown the room.
const PACE: usize = 16;
/// Ticks between two looks that nobody asked for: they repair a missed wake-up.
const RARELY: u32 = 60;
/// Authors who are waited for at most, and messages whose line was said before their author came; beyond, the rare look finds them.
const MAX_AWAY: usize = 4096;

/// A failure that its author hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message: Seq,
    pub(super) group: GroupNumber,
    pub(super) why: String,
    /// The room is to hear of it: of several groups, the one whose failure is the message's. Never for a recall, which only its
    /// author wants to know of, and not where the room heard of it before its author could.
    pub(super) first: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Untold {
    due: bool,
    ticks: u32,
    written: HashSet<(Seq, GroupNumber)>,
    errors: Vec<Outgoing>,
    told: Vec<Told>,
    /// Authors who are not here.
    away: HashSet<FullJid>,
    /// What the room was told of, though its author was not.
    noticed: HashSet<(Seq, GroupNumber)>,
    /// What failed before was the last run's to tell the room.
    since: Timestamp,
    /// Nobody will come back: everybody is told where they were last.
    last: bool,
}

impl Default for Untold {
    fn default() -> Self {
        Self {
            due: true,
            ticks: 0,
            written: HashSet::new(),
            errors: Vec::new(),
            told: Vec::new(),
            away: HashSet::new(),
            noticed: HashSet::new(),
            since: Timestamp::now(),
            last: false,
        }
    }
}

impl Untold {
    /// A new connection: what was written on the old one is not known to have arrived.
    pub(super) fn relink(&mut self) {
        self.due = true;
        self.written.clear();
        self.errors.clear();
        self.told.clear();
    }

    /// Somebody says that there is something.
    pub(super) fn wake(&mut self) {
        self.due = true;
    }

    /// The room ends: now or never.
    pub(super) fn last_chance(&mut self) {
        self.due = true;
        self.last = true;
    }

    /// Time passed.
    pub(super) fn tick(&mut self) {
        self.ticks += 1;
        self.due |= self.ticks.is_multiple_of(RARELY);
    }

    /// Whether somebody is here now who was waited for.
    pub(super) fn somebody_came(&self, room: &Room) -> bool {
        self.away.iter().any(|author| room.listening(author).is_some())
    }

    /// An author is waited for. True when the room is to hear of it meanwhile.
    fn wait_for(&mut self, author: FullJid, failed: &Failed) -> bool {
        if self.away.len() < MAX_AWAY {
            self.away.insert(author);
        }
        failed.failed >= self.since
            && self.noticed.len() < MAX_AWAY
            && self.noticed.insert((failed.message, failed.group))
    }

    /// The author of this is told now: whether the room did not hear of it yet.
    fn is_news(&mut self, message: Seq, group: GroupNumber) -> bool {
        !self.noticed.remove(&(message, group))
    }

    /// Whether the store is to be asked.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Whether something waits for the writer.
    pub(super) fn waits(&self) -> bool {
        !self.told.is_empty()
    }

    /// What waits for the writer.
    pub(super) fn take(&mut self) -> (Vec<Outgoing>, Vec<Told>) {
        (std::mem::take(&mut self.errors), std::mem::take(&mut self.told))
    }

    /// The store knows that they are told.
    pub(super) fn landed(&mut self, told: &[Told]) {
        for told in told {
            self.written.remove(&(told.message, told.group));
        }
    }
}

impl Portal {
    /// Tells the next few. The rest is told when these have landed, or at the next tick.
    pub(super) async fn tell_authors(&mut self) -> anyhow::Result<()> {
        if self.link.is_none() {
            self.untold.due = true;
            return Ok(());
        }
        if matches!(self.room, Room::Joined(_)) {
            return self.tell_the_room().await;
        }
        self.untold.due = false;
        self.untold.away.clear();
        let failed = self.wiring.store.untold(self.id, self.room.listeners()).await;
        for failed in failed.context("cannot read what failed")? {
            let (message, group) = (failed.message, failed.group);
            if self.untold.written.contains(&(message, group)) {
                continue;
            }
            // One error per message, however many groups lack it.
            let first = !failed.again && self.untold.written.iter().all(|(other, _)| *other != message);
            let for_the_room = first && !failed.recall;
            let session = failed.session.as_ref().filter(|_| first);
            let last = |author: &FullJid| self.untold.last.then(|| author.clone());
            let listening = session.map(|author| self.room.listening(author).or_else(|| last(author)));
            if let (Some(author), Some(None)) = (session, &listening) {
                if self.untold.wait_for(author.clone(), &failed) && for_the_room {
                    self.notices.not_sent(&failed.why);
                }
                continue;
            }
            // Whether that was all is asked when it has landed.
            self.untold.due = true;
            if self.untold.told.len() >= PACE {
                break;
            }
            if let Some(session) = listening.flatten() {
                self.tell(&session, &failed);
            }
            let first = self.untold.is_news(message, group) && for_the_room;
            self.untold.written.insert((message, group));
            self.untold.told.push(Told {
                message,
                group,
                why: failed.why,
                first,
            });
        }
        Ok(())
    }

    fn tell(&mut self, session: &FullJid, failed: &Failed) {
        let (text, now) = (self.word_about(failed), self.clock.now());
        self.untold.errors.extend(match &failed.id {
            // A moderator said nothing that could be marked.
            None if failed.recall => self.room.whisper(session, &text, now),
            id => self.room.undelivered(session, id.as_deref(), text, now),
        });
    }

    /// A room of others throws out who sends errors. There the word is a line of the room that sums up; authors are told alone in
    /// passing, as far as the room bears it. Who was told is stored behind the line: what a crash takes between the two is said again,
    /// and nothing is left out.
    async fn tell_the_room(&mut self) -> anyhow::Result<()> {
        if !self.notices.may_sum_up() {
            self.untold.due = true;
            return Ok(());
        }
        self.untold.due = false;
        let store = self.wiring.store.clone();
        let failed = store.untold(self.id, None).await.context("cannot read what failed")?;
        if failed.is_empty() {
            return Ok(());
        }
        // Whether that was all is asked at the next summary.
        self.untold.due = true;
        let mut messages = HashSet::new();
        for failed in &failed {
            if failed.again || !messages.insert(failed.message) {
                continue;
            }
            let (text, now) = (self.word_about(failed), self.clock.now());
            if let Some(session) = &failed.session {
                let whisper = self.room.whisper(session, &text, now);
                self.replies.push(whisper.into_iter().collect());
            }
            if !failed.recall {
                self.notices.not_sent(&failed.why);
            }
        }
        let mut draft = Draft::default();
        for line in self.notices.due() {
            self.say_line(&line, &mut draft);
        }
        self.commit(draft).await?;
        let told = failed
            .iter()
            .map(|failed| store.told(self.id, failed.message, failed.group));
        try_join_all(told).await.context("cannot store who was told")?;
        Ok(())
    }

    fn word_about(&self, failed: &Failed) -> String {
        if failed.recall {
            words::kept(self.settings.language, &failed.why)
        } else {
            words::undelivered(self.settings.language, failed.unknown, &failed.why)
        }
    }
}
