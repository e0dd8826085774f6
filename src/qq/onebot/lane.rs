//! One mapped group: a task of its own that brings the group's events to its portal in order, so that a slow lookup or a stuck
//! room delays no other group.
//!
//! Before anything else each portal gets `Online` (or `Offline`), then the `Snapshot`. What a portal or the lane itself did not
//! take in time makes the group *behind*: it gets `Online` again before its next event, and asks for history.

mod files;
mod hear;
mod message;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::event::Event;
use super::roster::Presence;
use super::session::{Session, lock};
use crate::model::{EventId, GroupNumber, Member, MemberId, Message};
use crate::qq::event::deliver;
use crate::qq::{Act, Delivered, GroupEvent};
use files::Files;

/// Events that may wait in one lane.
const DEPTH: usize = 1024;
/// Identities that are remembered, to tell an event that comes twice.
const SEEN_MAX: usize = 512;

/// The lanes of a session.
pub(super) type Lanes = HashMap<GroupNumber, Way>;

/// The way into a lane.
#[derive(Debug)]
pub(super) struct Way {
    jobs: mpsc::Sender<Job>,
    /// Something of the group was lost on its way to the portal.
    behind: Arc<AtomicBool>,
}

/// What a lane is asked to do.
#[derive(Debug)]
pub(super) enum Job {
    /// Tell the portal what it does not know yet.
    Look,
    /// Something happened.
    Heard(Box<Event>),
    /// A message that did not come as an event.
    Found(Box<Message>),
    /// Something that the session itself has to say.
    Tell(Box<Act>),
}

impl Session {
    /// Opens lanes for the groups that are mapped, and closes the others.
    pub(super) fn set_lanes(self: &Arc<Self>, mapped: &[GroupNumber]) {
        let mut lanes = lock(&self.lanes);
        lanes.retain(|group, way| mapped.contains(group) && !way.jobs.is_closed());
        for group in mapped {
            lanes.entry(*group).or_insert_with(|| {
                let (jobs, work) = mpsc::channel(DEPTH);
                let behind = Arc::new(AtomicBool::new(false));
                let lane = Lane::new(self.clone(), *group, behind.clone());
                self.spawn(lane.run(work));
                Way { jobs, behind }
            });
        }
    }

    /// Lets all lanes look.
    pub(super) fn look_all(&self) {
        for way in lock(&self.lanes).values() {
            // A full lane looks at its next event anyway.
            way.jobs.try_send(Job::Look).ok();
        }
    }

    /// All groups have a gap: their portals are to ask for history.
    pub(super) fn gap_all(&self) {
        for way in lock(&self.lanes).values() {
            way.behind.store(true, Ordering::Relaxed);
        }
    }

    /// Gives a lane something to do; without room for it the group is behind. Other groups are nobody's.
    pub(super) fn to_lane(&self, group: GroupNumber, job: Job) {
        let lanes = lock(&self.lanes);
        let Some(way) = lanes.get(&group) else { return };
        if way.jobs.try_send(job).is_err() {
            if way.behind.swap(true, Ordering::Relaxed) {
                return;
            }
            tracing::warn!(account = %self.settings.name, %group, "too much happens in a group, events were dropped");
        }
    }
}

/// What a portal was told of the group as a whole.
struct Told {
    mailbox: mpsc::Sender<GroupEvent>,
    state: Result<(), String>,
}

/// The lane's own task.
struct Lane {
    session: Arc<Session>,
    group: GroupNumber,
    behind: Arc<AtomicBool>,
    told: Option<Told>,
    shown: Option<(String, Vec<Member>)>,
    shown_version: u64,
    seen: HashSet<EventId>,
    /// The same, the oldest first.
    seen_order: VecDeque<EventId>,
    files: Files,
    /// What happened before the portal knew that the session is on line again: told earlier, it would hide the gap before it.
    early: VecDeque<Job>,
}

impl Lane {
    fn new(session: Arc<Session>, group: GroupNumber, behind: Arc<AtomicBool>) -> Self {
        let files = Files::new(session.settings.pace.file_join);
        Self {
            session,
            group,
            behind,
            told: None,
            shown: None,
            shown_version: 0,
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
            files,
            early: VecDeque::new(),
        }
    }

    /// Works until nobody gives work any more.
    async fn run(mut self, mut work: mpsc::Receiver<Job>) {
        loop {
            let due = self.files.due();
            let job = tokio::select! {
                // What came in the meantime first: it may be the message that a file's notice waits for.
                biased;
                job = work.recv() => job,
                () = sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    let files = self.files.take_due().into_iter();
                    self.early.extend(files.map(|message| Job::Found(Box::new(message))));
                    self.catch_up().await;
                    continue;
                }
            };
            match job {
                None => return,
                Some(Job::Look) => {
                    self.look().await;
                    self.catch_up().await;
                }
                Some(job) => {
                    self.early.push_back(job);
                    self.catch_up().await;
                }
            }
        }
    }

    /// Takes what happened, as soon as the session is on line.
    async fn catch_up(&mut self) {
        while self.session.roster().standing.is_ok() {
            match self.early.pop_front() {
                Some(Job::Heard(event)) => self.hear(*event).await,
                Some(Job::Found(message)) => self.say(*message).await,
                Some(Job::Tell(act)) => {
                    self.bring(*act).await;
                }
                Some(Job::Look) => {}
                None => return,
            }
        }
        if self.early.len() > DEPTH {
            self.early.pop_front();
            self.behind.store(true, Ordering::Relaxed);
        }
    }

    async fn look(&mut self) {
        if self.announce().await {
            self.show().await;
        }
    }

    /// Tells the portal whether the group can be heard and spoken to, if that is news to it. False when it did not listen.
    async fn announce(&mut self) -> bool {
        let Some(mailbox) = self.session.inbox.group(self.group) else {
            return false;
        };
        let (state, history) = {
            let roster = self.session.roster();
            (roster.state(self.group), roster.history)
        };
        let behind = state.is_ok() && self.behind.swap(false, Ordering::Relaxed);
        let told = self.told.as_ref();
        if !behind && told.is_some_and(|told| told.mailbox.same_channel(&mailbox) && told.state == state) {
            return true;
        }
        let act = match &state {
            Ok(()) => Act::Online { history },
            Err(why) => Act::Offline(why.clone()),
        };
        self.shown = None;
        if self.deliver(act).await != Delivered::Taken {
            self.told = None;
            self.behind.fetch_or(behind, Ordering::Relaxed);
            return false;
        }
        self.told = Some(Told { mailbox, state });
        true
    }

    /// Shows name and members, if a list told something that the portal does not know; and who may not speak.
    async fn show(&mut self) {
        let (version, shown, own, mutes) = {
            let roster = self.session.roster();
            let Some(group) = roster.groups.get(&self.group).filter(|g| g.presence == Presence::In) else {
                return;
            };
            let renamed = self.shown.as_ref().is_none_or(|(name, _)| *name != group.name);
            let online = self.told.as_ref().is_some_and(|told| told.state.is_ok());
            // Members that only notices told of are not all of them.
            let unread = group.read.is_none() || group.members.is_empty();
            if !online || unread || (!renamed && group.version == self.shown_version) {
                return;
            }
            let members: Vec<Member> = group.members.values().cloned().collect();
            let own = MemberId::Number(roster.own);
            (group.version, (group.name.clone(), members), own, group.lasting_mutes())
        };
        if let Some((name, members)) = &self.shown
            && *members == shown.1
        {
            if *name != shown.0 && !shown.0.is_empty() && !self.bring(Act::Renamed(shown.0.clone())).await {
                return;
            }
        } else {
            let (name, members) = shown.clone();
            if !self.bring(Act::Snapshot { name, members, own }).await {
                return;
            }
            for (whom, duration) in mutes {
                let member = whom.map(MemberId::Number);
                self.bring(Act::Muted { member, duration }).await;
            }
        }
        self.shown = Some(shown);
        self.shown_version = version;
    }

    /// Brings an event to the portal, behind what it must know first. False when it is lost.
    async fn bring(&mut self, act: Act) -> bool {
        if !self.announce().await {
            if self.session.inbox.group(self.group).is_some() {
                self.behind.store(true, Ordering::Relaxed);
            }
            return false;
        }
        match self.deliver(act).await {
            Delivered::Taken => true,
            Delivered::Unmapped => false,
            Delivered::Behind => {
                self.behind.store(true, Ordering::Relaxed);
                self.session.look.notify_one();
                false
            }
        }
    }

    async fn deliver(&self, act: Act) -> Delivered {
        let account = self.session.settings.name.clone();
        let event = GroupEvent {
            account,
            group: self.group,
            act,
        };
        deliver(&*self.session.inbox, event).await
    }

    /// Whether an event is new; remembers it.
    fn is_new(&mut self, id: &EventId) -> bool {
        if !self.seen.insert(id.clone()) {
            return false;
        }
        self.seen_order.push_back(id.clone());
        if self.seen_order.len() > SEEN_MAX
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    /// An event that was lost may come again.
    fn unsee(&mut self, id: &EventId) {
        if self.seen.remove(id) {
            self.seen_order.retain(|seen| seen != id);
        }
    }
}
