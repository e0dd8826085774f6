//! QQ → room: a group's event becomes writes and changes.

use std::time::Duration;

use super::Health;
use super::draft::Draft;
use super::recall::{Reaction, Recall};
use super::turn::Portal;
use super::words::{self, Muted};
use crate::model::{AccountName, Author, Content, GroupNumber, Member, MemberId, Message, Part, Seq, Timestamp, nick};
use crate::qq::normal::normal_form;
use crate::qq::{Act, GroupEvent, piece};
use crate::room::Trouble;
use crate::store::{Identity, NewMessage, NewPiece, Write};

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// When it was said.
    Live,
    /// With history.
    Late,
}

impl Portal {
    /// Takes one event of one group; it may have to wait behind a gap. What it refers to may be in the draft: then that is
    /// committed first.
    pub(super) async fn admit_qq(&mut self, event: GroupEvent, draft: &mut Draft) -> anyhow::Result<()> {
        let Some(group) = self.groups.get_mut(event.group) else {
            self.strangers.push(event);
            return Ok(());
        };
        let event = match &mut group.gap {
            Some(gap) => gap.hold(event),
            None => Some(event),
        };
        let Some(GroupEvent { account, group, act }) = event else {
            return Ok(());
        };
        match act {
            Act::Backfill { messages, extent } => self.backfill(&account, group, (messages, extent), draft).await,
            Act::Online { history } => self.online(&account, group, history, draft).await,
            act => self.happened(GroupEvent { account, group, act }, draft).await,
        }
    }

    /// Takes one event whose turn has come.
    pub(super) async fn happened(&mut self, event: GroupEvent, draft: &mut Draft) -> anyhow::Result<()> {
        let number = event.group;
        match event.act {
            Act::Said(message) => {
                self.said(&event.account, number, (message, Told::Live), draft).await?;
            }
            Act::Recalled { id, handle, by } => {
                let recall = Recall { id, handle, by };
                self.recalled(&event.account, number, recall, draft).await?;
            }
            Act::Reacted {
                handle,
                member,
                emoji,
                added,
            } => {
                let reaction = Reaction {
                    handle,
                    member,
                    emoji,
                    added,
                };
                self.reacted(&event.account, number, reaction, draft).await?;
            }
            Act::Snapshot { name, members, own } => {
                self.own = Some(own);
                self.snapshot(number, name, members, draft);
            }
            Act::Member(member) => {
                if self.groups.get_mut(number).is_some_and(|group| group.put(&member)) {
                    draft.write(Write::Member(number, member));
                    self.show_members(draft);
                }
            }
            Act::Left { member, kicked, by } => {
                if self.groups.get_mut(number).is_some_and(|group| group.remove(&member)) {
                    if kicked {
                        self.room.member_kicked(&member, by.as_ref());
                    }
                    draft.write(Write::MemberLeft(number, member));
                    self.show_members(draft);
                }
            }
            Act::Muted { member, duration } => self.muted(number, member.as_ref(), duration, draft),
            Act::Renamed(name) => {
                if let Some(group) = self.groups.get_mut(number) {
                    group.name = Some(name.clone());
                    draft.write(Write::GroupName(number, name));
                    self.show_name(draft);
                }
            }
            Act::Offline(why) => self.offline(number, why),
            Act::Paused(left) => self.say_line(&words::Line::Paused(left), draft),
            Act::Missed(n) => self.say_line(&words::Line::Missed(n.unwrap_or(0)), draft),
            // They never wait, and were taken before.
            Act::Online { .. } | Act::Backfill { .. } => {}
        }
        Ok(())
    }

    pub(super) async fn said(
        &mut self,
        account: &AccountName,
        group: GroupNumber,
        (mut message, told): (Message, Told),
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        // Not shown, but an own message may prove that ours arrived.
        let shown = self.settings.to_xmpp;
        if !shown && !message.own {
            return Ok(());
        }
        let answers = self.find_answered(account, group, &mut message.parts, draft).await?;
        let Some(nick) = self.speaker(group, &message, told, draft) else {
            return Ok(());
        };
        // Else it is too late for the others, as for what could not be sent for so long.
        let goes_on = told == Told::Live || Timestamp::now().since(message.time) < self.settings.give_up;
        let pieces = if goes_on {
            self.pieces_for_other_groups(group, &nick, &message.parts, answers)
        } else {
            Vec::new()
        };
        let new = NewMessage {
            identity: Identity::Qq {
                group,
                event: message.id,
                handle: message.handle,
                account: account.clone(),
            },
            time: message.time,
            author: Author::Member {
                group,
                id: message.sender.id,
            },
            pieces,
            nick,
            rows: vec![Content::Parts(message.parts.clone())],
            upon: None,
        };
        if message.own {
            draft.own(normal_form(&message.parts, self.settings.faces), new, shown);
        } else {
            draft.message(new, None);
        }
        Ok(())
    }

    /// Notes who speaks, and gives their nick. History tells of people as they were: it makes nobody a member who is none, and
    /// gives nobody an old name.
    fn speaker(&mut self, group: GroupNumber, message: &Message, told: Told, draft: &mut Draft) -> Option<String> {
        let sender = &message.sender;
        let somewhere = self.groups.iter().any(|group| group.member(&sender.id).is_some());
        let state = self.groups.get_mut(group)?;
        let news = match told {
            Told::Live => state.heard(sender, message.time),
            Told::Late => {
                state.spoke(&sender.id, message.time);
                false
            }
        };
        let member = state.member(&sender.id).unwrap_or(sender).clone();
        if news {
            draft.write(Write::Member(group, member.clone()));
            self.show_members(draft);
        }
        if told == Told::Late && !somewhere {
            return Some(nick::of_member(sender));
        }
        if self.settings.to_xmpp {
            let admitted = self.room.member_spoke(&member, self.clock.now());
            self.take_admitted(admitted, draft);
        }
        Some(self.room.nick_of(&sender.id))
    }

    /// What is said in one group of the room goes to the others under the speaker's nick.
    fn pieces_for_other_groups(
        &self,
        from: GroupNumber,
        nick: &str,
        parts: &[Part],
        answers: Option<Seq>,
    ) -> Vec<NewPiece> {
        let others = self.other_groups(from);
        if others.is_empty() {
            return Vec::new();
        }
        let (prefix, parts) = words::for_other_group(&self.settings.template, nick, parts);
        self.pieces(&others, &prefix, &parts, answers)
    }

    /// Where a group's events go on to.
    pub(super) fn other_groups(&self, from: GroupNumber) -> Vec<GroupNumber> {
        let others = self.settings.groups.iter().copied().filter(|group| *group != from);
        others.filter(|_| self.settings.to_qq).collect()
    }

    /// One piece per group and length limit.
    pub(super) fn pieces(
        &self,
        groups: &[GroupNumber],
        prefix: &str,
        parts: &[Part],
        answers: Option<Seq>,
    ) -> Vec<NewPiece> {
        let split = piece::split(parts.to_vec(), prefix, self.settings.limits);
        let piece = |group: GroupNumber, (index, parts): (usize, &Vec<Part>)| NewPiece {
            account: self.settings.account.clone(),
            group,
            row: 0,
            normal: normal_form(parts, self.settings.faces),
            parts: parts.clone(),
            answers: answers.filter(|_| index == 0),
        };
        groups
            .iter()
            .flat_map(|group| split.iter().enumerate().map(|part| piece(*group, part)))
            .collect()
    }

    fn snapshot(&mut self, number: GroupNumber, name: String, members: Vec<Member>, draft: &mut Draft) {
        let Some(group) = self.groups.get_mut(number) else {
            return;
        };
        if members.is_empty() || !group.replace(&name, &members) {
            return;
        }
        draft.write(Write::Group {
            group: number,
            name,
            members,
        });
        self.show_name(draft);
        self.show_members(draft);
    }

    async fn online(
        &mut self,
        account: &AccountName,
        number: GroupNumber,
        history: bool,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        if let Some(group) = self.groups.get_mut(number) {
            group.online = Ok(());
        }
        self.tell_health();
        if self.groups.iter().all(|group| group.online.is_ok())
            && let Some(line) = self.notices.online()
        {
            self.say_line(&line, draft);
        }
        if history && self.settings.backfill.count > 0 {
            self.open_gap(account, number).await
        } else {
            self.admit_gap(number, draft).await
        }
    }

    fn offline(&mut self, number: GroupNumber, why: String) {
        if let Some(group) = self.groups.get_mut(number) {
            group.online = Err(why.clone());
        }
        self.tell_health();
        self.notices.offline(why);
    }

    /// The operator learns how the room is: first what the room itself says, then its groups.
    pub(super) fn tell_health(&mut self) {
        self.told_trouble = self.room.trouble().cloned();
        let down = self.groups.iter().find_map(|group| group.online.clone().err());
        (self.wiring.health)(match (&self.told_trouble, down) {
            (Some(Trouble::NeedsOperator(what)), _) => Health::NeedsOperator(what.clone()),
            (Some(Trouble::Away(why)), _) => Health::Away(why.clone()),
            (None, Some(why)) => Health::NoGroup(why),
            (None, None) => Health::Fine,
        });
    }

    /// As [`tell_health`](Self::tell_health), when the room says something else than before.
    pub(super) fn tell_trouble(&mut self) {
        if self.told_trouble.as_ref() != self.room.trouble() {
            self.tell_health();
        }
    }

    /// Who may not speak. The account itself and the whole group concern people on XMPP: their words may not get through.
    fn muted(&mut self, number: GroupNumber, member: Option<&MemberId>, duration: Duration, draft: &mut Draft) {
        let now = Timestamp::now();
        if let Some(member) = member
            && let Some(group) = self.groups.get_mut(number)
        {
            group.mute(member, duration, now);
            self.show_members(draft);
        }
        if member.is_none() || member == self.own.as_ref() {
            let which = Muted {
                group: Some(number).filter(|_| self.settings.groups.len() > 1),
                everybody: member.is_none(),
            };
            self.notices.muted(which, duration);
            for line in self.notices.due() {
                self.say_line(&line, draft);
            }
        }
    }

    /// Brings the merged members to the room; what changes is shown in its turn.
    pub(super) fn show_members(&mut self, draft: &mut Draft) {
        let now = self.clock.now();
        let merged = self.groups.merged(now);
        let total = merged.len();
        let admitted = self.room.members(merged, total, now);
        self.take_admitted(admitted, draft);
    }

    /// The room's name follows the group's where the row gives none.
    fn show_name(&mut self, draft: &mut Draft) {
        let settings = self.settings.room_named(self.groups.name());
        let admitted = self.room.configure(settings, self.clock.now());
        self.take_admitted(admitted, draft);
    }

    /// A line of the gateway, committed like any other.
    pub(super) fn say_line(&mut self, line: &words::Line, draft: &mut Draft) {
        self.say_line_with(line, Vec::new(), draft);
    }

    /// The same, with what goes to QQ because of it.
    pub(super) fn say_line_with(&mut self, line: &words::Line, pieces: Vec<NewPiece>, draft: &mut Draft) {
        let message = NewMessage {
            identity: Identity::Line,
            time: Timestamp::now(),
            author: Author::Room,
            nick: String::new(),
            rows: vec![Content::Notice(line.text(self.settings.language))],
            pieces,
            upon: None,
        };
        draft.message(message, None);
    }
}
