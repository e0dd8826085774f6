//! Gaps in what is known of a group, closed by its session's history: when one opens, who is asked, what comes first.

use tokio::time::{Instant, sleep_until};

use super::draft::Draft;
use super::from_qq::Told;
use super::gap::{Answered, CLOCKS, Gap};
use super::turn::Portal;
use super::words::Line;
use crate::model::{AccountName, GroupNumber, MemberId, Message, Timestamp};
use crate::qq::{Act, Command, Extent, GroupEvent, Known};

/// What sessions said of themselves. Outlives a run of the portal: they do not know that it was started again.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    history: Vec<(AccountName, GroupNumber)>,
    own: Option<(AccountName, MemberId)>,
}

impl Sessions {
    /// Notes what an event says, before anything can go wrong with it.
    pub(super) fn note(&mut self, event: &GroupEvent) {
        match &event.act {
            Act::Online { .. } | Act::Offline(_) => {
                let key = (event.account.clone(), event.group);
                self.history.retain(|other| *other != key);
                if event.act == (Act::Online { history: true }) {
                    self.history.push(key);
                }
            }
            Act::Snapshot { own, .. } => self.own = Some((event.account.clone(), own.clone())),
            _ => {}
        }
    }

    /// Who an account is among the members.
    fn own(&self, account: &AccountName) -> Option<&MemberId> {
        self.own.as_ref().filter(|(a, _)| a == account).map(|(_, own)| own)
    }

    /// Whether a group's history can be asked for.
    pub(super) fn has_history(&self, account: &AccountName, group: GroupNumber) -> bool {
        self.history.iter().any(|(a, g)| a == account && *g == group)
    }
}

impl Portal {
    /// A run begins: what the last one took and did not commit is gone with it, but history has it. The session says nothing by
    /// itself.
    pub(super) async fn doubt_groups(&mut self, sessions: &Sessions) -> anyhow::Result<()> {
        let account = self.settings.account.clone();
        self.own = sessions.own(&account).cloned();
        for group in self.settings.groups.clone() {
            if sessions.has_history(&account, group) {
                self.open_gap(&account, group).await?;
            }
        }
        Ok(())
    }

    /// Something of a group may be missing from here on. A first start brings no history into the room: where nothing was ever
    /// heard, what was said since this portal first listened counts.
    pub(super) async fn open_gap(&mut self, account: &AccountName, number: GroupNumber) -> anyhow::Result<()> {
        let backfill = self.settings.backfill;
        if backfill.count == 0 {
            return Ok(());
        }
        let last = self.wiring.store.last_event(account, number).await?;
        let Some(group) = self.groups.get_mut(number) else {
            return Ok(());
        };
        let first = group.began.is_none();
        let began = group.began.get_or_insert_with(Timestamp::now);
        let after = match last {
            Some(last) => Known {
                event: Some(last.event),
                handle: last.handle,
                time: last.time,
            },
            None => Known {
                event: None,
                handle: None,
                time: began.minus(CLOCKS),
            },
        };
        match &mut group.gap {
            Some(gap) => gap.widen(after, Timestamp::now().minus(backfill.age)),
            None if first && after.event.is_none() => return Ok(()),
            None => group.gap = Some(Gap::behind(after)),
        }
        self.ask_history();
        Ok(())
    }

    /// Asks for what is to be asked for. Never waits: what a session does not take is asked at the next tick.
    pub(super) fn ask_history(&mut self) {
        let wanted = |gap: &Option<Gap>| gap.as_ref().is_some_and(Gap::wants_question);
        if !self.groups.iter().any(|group| wanted(&group.gap)) {
            return;
        }
        let Some(session) = (self.wiring.session)(&self.settings.account) else {
            return;
        };
        let backfill = self.settings.backfill;
        for group in self.groups.iter_mut().filter(|group| wanted(&group.gap)) {
            let Some(gap) = &mut group.gap else { continue };
            let question = Command::History {
                group: group.number,
                after: gap.after().clone(),
                count: backfill.count,
                since: Timestamp::now().minus(backfill.age),
            };
            if session.try_send(question).is_ok() {
                gap.asked(session.clone());
            }
        }
    }

    /// The history of a group came: it is shown first, then what waited behind it. What failed is not shown before it has failed
    /// for the last time: the next answer brings it together with what lies before it.
    pub(super) async fn backfill(
        &mut self,
        account: &AccountName,
        number: GroupNumber,
        (messages, extent): (Vec<Message>, Extent),
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        let gap = self.groups.get_mut(number).and_then(|group| group.gap.as_mut());
        let told = gap.as_ref().is_some_and(|gap| gap.is_told(&messages));
        // An answer for no gap is a second one: all was said with the first.
        let answered = gap.map(|gap| gap.answered(extent));
        if matches!(answered, Some(Answered::NotYet)) {
            tracing::info!(group = %number, "history failed, it is asked for again");
            self.ask_history();
            return Ok(());
        }
        // What is missing lies before what could be fetched.
        if extent != Extent::Whole && !told {
            self.say_gap(number, draft);
        }
        self.commit(std::mem::take(draft)).await?;
        for message in messages {
            self.said(account, number, (message, Told::Late), draft).await?;
        }
        self.commit(std::mem::take(draft)).await?;
        // However short ago: people are to see when it was said.
        self.late_upto = self.late_upto.max(self.backlog.last());
        match answered {
            Some(Answered::AskAgain) => self.ask_history(),
            Some(Answered::Closed(held)) => {
                if let Some(group) = self.groups.get_mut(number) {
                    group.gap = None;
                }
                self.go_on(held, draft).await?;
            }
            Some(Answered::Left(held)) => self.go_on(held, draft).await?,
            Some(Answered::NotYet) | None => {}
        }
        Ok(())
    }

    /// Ends the waits that took too long.
    pub(super) async fn end_waits(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        let mut draft = Draft::default();
        for number in self.settings.groups.clone() {
            let gap = self.groups.get_mut(number).and_then(|group| group.gap.as_mut());
            let Some(gap) = gap.filter(|gap| gap.deadline().is_some_and(|at| at <= now)) else {
                continue;
            };
            let held = gap.give_up();
            tracing::warn!(group = %number, waiting = held.len(), "a gap was not closed in time");
            self.say_gap(number, &mut draft);
            self.go_on(held, &mut draft).await?;
        }
        self.commit(draft).await
    }

    /// Nobody will close a gap: what waited goes on.
    pub(super) async fn abandon_gap(&mut self, number: GroupNumber, draft: &mut Draft) -> anyhow::Result<()> {
        self.say_gap(number, draft);
        let gap = self.groups.get_mut(number).and_then(|group| group.gap.take());
        match gap {
            Some(mut gap) => self.go_on(gap.give_up(), draft).await,
            None => Ok(()),
        }
    }

    /// A group is on line again, and nobody can tell what was said meanwhile. The first time is no gap that anybody knows of.
    pub(super) async fn admit_gap(&mut self, number: GroupNumber, draft: &mut Draft) -> anyhow::Result<()> {
        let Some(group) = self.groups.get_mut(number) else {
            return Ok(());
        };
        // Of one for which nobody waits any more people were told; this is the next.
        let waits = group.gap.as_ref().is_some_and(|gap| gap.deadline().is_some());
        if waits {
            return self.abandon_gap(number, draft).await;
        }
        group.gap = None;
        if group.began.is_none() {
            group.began = Some(Timestamp::now());
        } else if self.settings.to_xmpp {
            self.say_line(&Line::Missed(0), draft);
        }
        Ok(())
    }

    async fn go_on(&mut self, held: Vec<GroupEvent>, draft: &mut Draft) -> anyhow::Result<()> {
        for event in held {
            self.happened(event, draft).await?;
        }
        Ok(())
    }

    /// One line for each gap, where people see words of QQ at all.
    fn say_gap(&mut self, number: GroupNumber, draft: &mut Draft) {
        let gap = self.groups.get_mut(number).and_then(|group| group.gap.as_mut());
        if gap.is_some_and(Gap::say_once) && self.settings.to_xmpp {
            self.say_line(&Line::Missed(0), draft);
        }
    }
}

/// Waits until a gap has been open for too long.
pub(super) async fn too_long(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
