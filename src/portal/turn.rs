//! The portal's loop: two arms that do not wait for each other. While a commit waits for the disk, what was committed before is shown.
//!
//! ```text
//!        ┌── mailboxes ──► admit ──► commit ──► backlog ──┐
//!  turn ─┤                                                ├─► turn
//!        └── writer has room, backlog is not empty ──► reflect ──► flight ──► confirmed
//! ```

use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::archive::Archive;
use super::backfill::too_long;
use super::backlog::Backlog;
use super::clock::Clock;
use super::draft::{Draft, NewSubject};
use super::flight::{Flight, Noted};
use super::groups::Groups;
use super::mailbox::Portion;
use super::notices::Notices;
use super::reflect::Replies;
use super::strangers::Strangers;
use super::tick::TICK;
use super::told::Untold;
use super::{Control, Ended, Inbox, Settings, Wiring};
use crate::model::{GroupNumber, MemberId, Seq};
use crate::qq::GroupEvent;
use crate::room::{Room, Trouble};
use crate::store::{GroupState, RoomId, Store, StoreError, Unsent};
use crate::xmpp::{Event, Link, Permit};

/// Events of one side taken in one turn.
const TURN: usize = 64;
/// As much of the XMPP mailbox as one turn takes.
pub(super) const ALL: Portion = Portion {
    words: TURN,
    motion: TURN,
};
/// Changes that may wait to be shown before no more stanzas are taken.
const MAX_EXTRAS: usize = 1024;
/// Stanzas, about, that comings and goings may put before the next words; but one may always, when none waits.
const MAX_MOTION: usize = 512;

/// The state of one portal. See [`super`].
pub(super) struct Portal {
    pub(super) settings: Settings,
    pub(super) wiring: Wiring,
    pub(super) room: Room,
    pub(super) clock: Clock,
    /// What was last told of the room's own trouble.
    pub(super) told_trouble: Option<Trouble>,
    pub(super) id: RoomId,
    pub(super) groups: Groups,
    pub(super) backlog: Backlog,
    pub(super) flight: Flight,
    pub(super) notices: Notices,
    pub(super) replies: Replies,
    pub(super) archive: Archive,
    /// The connection that the room now shows itself on; `None` until the break was mended (see [`Portal::relink`]).
    pub(super) link: Option<Link>,
    /// Rows up to here are shown behind their time: they were committed before the connection stood, or came with history.
    pub(super) late_upto: Seq,
    /// Announces connections.
    pub(super) links: watch::Receiver<Option<Link>>,
    pub(super) untold: Untold,
    /// Events of groups that the row does not name yet.
    pub(super) strangers: Strangers,
    /// The last subject, until the server has it: no row of the archive remembers who was not shown it.
    pub(super) unshown_subject: Option<NewSubject>,
    /// Messages from QQ that the store did not take, and never will.
    pub(super) missed: u64,
    /// A batch is being committed: what says that it was waits.
    pub(super) committing: bool,
    /// Who the account is among the members, once its session told.
    pub(super) own: Option<MemberId>,
}

impl Portal {
    /// Reads everything back that the store keeps of the room, once it knows what the last run left `unstored`.
    pub(super) async fn start(settings: Settings, wiring: Wiring, unstored: &mut Noted) -> anyhow::Result<Self> {
        let store = &wiring.store;
        let id = store
            .room(settings.room.jid())
            .await
            .context("cannot read the room from the store")?;
        let noted = unstored.write(store, id).await;
        noted.context("cannot store what was shown before")?;
        *unstored = Noted::default();
        let groups = Groups::new(known(store, &settings).await?);
        let room = Room::new(
            settings.room_named(groups.name()),
            &wiring.neighbours,
            *store.salt(),
            store.epoch(),
        );
        let archive = Archive::new(store.clone(), id);
        let mut links = wiring.link.clone();
        let link = links.borrow_and_update().clone();
        let mut portal = Self {
            settings,
            room,
            clock: Clock::start(),
            told_trouble: None,
            id,
            groups,
            backlog: Backlog::default(),
            flight: Flight::default(),
            notices: Notices::default(),
            replies: Replies::default(),
            archive,
            link: None,
            late_upto: Seq::default(),
            links,
            untold: Untold::default(),
            strangers: Strangers::default(),
            unshown_subject: None,
            missed: 0,
            committing: false,
            own: None,
            wiring,
        };
        portal.restore(link).await?;
        Ok(portal)
    }

    /// The loop.
    pub(super) async fn run(
        &mut self,
        inbox: &mut Inbox,
        drain: Duration,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Ended> {
        let has_history = |group: &GroupNumber| inbox.sessions.has_history(&self.settings.account, *group);
        // History has them, or says that it does not.
        if !self.settings.groups.iter().all(has_history) {
            self.say_missed(std::mem::take(&mut inbox.missed)).await?;
        }
        inbox.missed = 0;
        self.doubt_groups(&inbox.sessions).await?;
        if !inbox.again.is_empty() {
            self.take(inbox, None, Portion::default()).await?;
        }
        // Not all rooms in the same moment.
        let phase = TICK.mul_f64(f64::from(u8::try_from(self.id.0 & 0xff).unwrap_or(0)) / 256.0);
        let mut tick = interval_at(Instant::now() + phase, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut links = self.links.clone();
        if let Some(link) = &self.link {
            inbox.xmpp.linked(link);
        }
        loop {
            let may_show = self.link.is_some() && self.has_something_to_show();
            let portion = self.portion();
            let link = self.link.clone();
            let deadline = self.groups.deadline();
            let (clock, due) = (self.clock, self.room.due().filter(|_| link.is_some()));
            tokio::select! {
                () = shutdown.cancelled() => return self.drain(inbox, drain).await,
                Some(control) = inbox.control.recv() => match control {
                    Control::Configure(settings) => {
                        inbox.settings = (*settings).clone();
                        self.configure(*settings).await?;
                    }
                    Control::Remove => return self.remove(inbox, drain).await,
                },
                Ok(()) = links.changed() => {
                    let link = links.borrow_and_update().clone();
                    match link {
                        Some(link) => {
                            self.restore(Some(link.clone())).await?;
                            inbox.xmpp.linked(&link);
                        }
                        None => self.unlink(),
                    }
                }
                progress = self.flight.progress() => self.progressed(progress).await?,
                permit = reserve(link.as_ref()), if may_show => match permit {
                    Some(permit) => self.reflect(permit).await?,
                    None => self.unlink(),
                },
                () = inbox.xmpp.arrived(portion) => self.take(inbox, None, portion).await?,
                Some(event) = inbox.qq.recv() => self.take(inbox, Some(event), portion).await?,
                () = inbox.untold.notified() => {
                    self.untold.wake();
                    self.tell_authors().await?;
                }
                () = too_long(deadline) => self.end_waits().await?,
                () = clock.at(due) => self.room_tick().await?,
                _ = tick.tick() => self.tick().await?,
            }
        }
    }

    /// The connection is lost; a new one will be announced.
    pub(super) fn unlink(&mut self) {
        self.link = None;
        self.flight.clear();
        self.replies.clear();
    }

    /// How much of the XMPP mailbox may be taken now.
    fn portion(&self) -> Portion {
        // Who cannot be answered is refused by the mailbox, which is better than an answer that is dropped.
        if self.backlog.extras() >= MAX_EXTRAS || self.replies.len() >= MAX_EXTRAS {
            return Portion::default();
        }
        let motion = (MAX_MOTION / self.room.motion().max(1)).clamp(1, TURN);
        Portion {
            motion: motion.saturating_sub(self.backlog.changes()),
            ..ALL
        }
    }

    /// Arm one: takes what the mailboxes hold, of XMPP's a portion, admits all, commits once. What came from QQ and could not be
    /// committed for the disk's sake goes back, for the next run.
    pub(super) async fn take(
        &mut self,
        inbox: &mut Inbox,
        first: Option<GroupEvent>,
        portion: Portion,
    ) -> anyhow::Result<()> {
        let mut taken = Vec::new();
        let done = self.take_turn(inbox, first, portion, &mut taken).await;
        if let Err(error) = &done
            && heals(error)
        {
            inbox.give_back(taken);
        }
        done
    }

    async fn take_turn(
        &mut self,
        inbox: &mut Inbox,
        first: Option<GroupEvent>,
        portion: Portion,
        taken: &mut Vec<GroupEvent>,
    ) -> anyhow::Result<()> {
        let mut draft = Draft::default();
        let mut first = first;
        for _ in 0..TURN {
            let Some(event) = inbox
                .again
                .pop_front()
                .or_else(|| first.take())
                .or_else(|| inbox.qq.try_recv().ok())
            else {
                break;
            };
            inbox.sessions.note(&event);
            taken.push(event.clone());
            if let Err(error) = self.admit_qq(event, &mut draft).await {
                if !heals(&error) {
                    self.missed += 1;
                }
                if self.commit(draft).await.is_ok() {
                    taken.drain(..taken.len() - 1);
                }
                return Err(error);
            }
        }
        let mut stanzas = inbox.xmpp.take(portion).into_iter();
        while let Some(event) = stanzas.next() {
            // A joiner enters behind the rows that stand, and what is taken back has all its versions among them; so rows said
            // before it in this turn must stand first.
            let behind_rows = super::from_xmpp::may_enter(&event) || self.room.retracts(&event).is_some();
            if draft.has_messages() && behind_rows {
                let committed = self.commit(std::mem::take(&mut draft)).await;
                if committed.is_err() {
                    inbox.xmpp.give_back(std::iter::once(event).chain(stanzas));
                    return committed;
                }
                taken.clear();
            }
            match self.look_up(&event).await {
                Ok(named) => self.admit_xmpp(event, &named, &mut draft).await?,
                Err(error) => self.cannot_read(&event, &error),
            }
        }
        if inbox.xmpp.take_overrun() {
            tracing::warn!(room = %self.settings.room.jid(), "stanzas were dropped unread; asking who is here and what was said");
            self.room.doubt_all(self.clock.now());
        }
        self.commit(draft).await?;
        if self.untold.somebody_came(&self.room) {
            self.tell_authors().await?;
        }
        Ok(())
    }

    /// What a stanza refers to cannot be read: its author is told, and everybody else goes on.
    fn cannot_read(&mut self, event: &Event, error: &StoreError) {
        let (room, from) = (self.settings.room.jid(), &event.from);
        tracing::error!(%room, %from, %error, "cannot read what a stanza refers to");
        let refusal = self
            .room
            .not_now(event, super::words::not_stored(self.settings.language));
        self.replies.push(refusal.into_iter().collect());
    }

    /// Takes new values without anybody leaving.
    async fn configure(&mut self, settings: Settings) -> anyhow::Result<()> {
        self.groups.rearrange(known(&self.wiring.store, &settings).await?);
        let elsewhere = Unsent::Elsewhere {
            room: self.id,
            account: settings.account.clone(),
            groups: settings.groups.clone(),
        };
        let why = "the room is no longer bridged with this group";
        if self.wiring.store.fail_all(elsewhere, why).await? > 0 {
            self.untold.wake();
        }
        let mut draft = Draft::default();
        if self.settings.account != settings.account {
            self.own = None;
            for group in self.settings.groups.clone() {
                self.abandon_gap(group, &mut draft).await?;
            }
        }
        self.settings = settings;
        self.tell_health();
        let named = self.settings.room_named(self.groups.name());
        let admitted = self.room.configure(named, self.clock.now());
        self.take_admitted(admitted, &mut draft);
        let admitted = self.room.try_again(self.clock.now());
        self.take_admitted(admitted, &mut draft);
        self.show_members(&mut draft);
        for event in self.strangers.take() {
            self.admit_qq(event, &mut draft).await?;
        }
        self.commit(draft).await?;
        self.tell_authors().await
    }

    /// Says how much of QQ a failing store cost.
    async fn say_missed(&mut self, missed: u64) -> anyhow::Result<()> {
        if missed == 0 {
            return Ok(());
        }
        self.missed = missed;
        let mut draft = Draft::default();
        self.say_line(&super::words::Line::Missed(missed), &mut draft);
        self.commit(draft).await?;
        self.missed = 0;
        Ok(())
    }
}

/// Whether it is the store's disk, which may be well again.
pub(super) fn heals(error: &anyhow::Error) -> bool {
    error.downcast_ref::<StoreError>().is_some_and(StoreError::heals)
}

async fn known(store: &Store, settings: &Settings) -> anyhow::Result<Vec<(GroupNumber, GroupState)>> {
    let mut known = Vec::new();
    for group in &settings.groups {
        let state = store.group_state(*group).await;
        known.push((*group, state.context("cannot read the group from the store")?));
    }
    Ok(known)
}

/// Room in the writer for one batch; `None` when the link is lost (a new one will be announced), never without a link.
pub(super) async fn reserve(link: Option<&Link>) -> Option<Permit> {
    match link {
        Some(link) => link.reserve().await.ok(),
        None => std::future::pending().await,
    }
}
