//! QQ → room: a group's event becomes writes and changes. Pure but for the portal's own state; commits nothing.

use super::draft::Draft;
use super::turn::Portal;
use super::words;
use crate::model::{Author, Content, GroupNumber, Message, Timestamp};
use crate::qq::normal::normal_form;
use crate::qq::{Act, GroupEvent, piece};
use crate::store::{Identity, NewMessage, NewPiece, Write};

impl Portal {
    /// Takes one event of one group.
    pub(super) fn admit_qq(&mut self, event: GroupEvent, draft: &mut Draft) {
        let number = event.group;
        if self.groups.get_mut(number).is_none() {
            self.strangers.push(event);
            return;
        }
        match event.act {
            Act::Said(message) => self.said(&event.account, number, message, draft),
            Act::Backfill { messages, complete } => {
                // What is missing lies before what could be fetched.
                if !complete {
                    self.say_line(&words::Line::Missed(0), draft);
                }
                for message in messages {
                    self.said(&event.account, number, message, draft);
                }
            }
            Act::Snapshot { name, members, own: _ } => self.snapshot(number, name, members, draft),
            Act::Member(member) => {
                if self.groups.get_mut(number).is_some_and(|group| group.put(&member)) {
                    draft.write(Write::Member(number, member));
                    self.show_members(draft);
                }
            }
            Act::Left { member, kicked, by: _ } => {
                if self.groups.get_mut(number).is_some_and(|group| group.remove(&member)) {
                    if kicked {
                        self.room.member_kicked(&member);
                    }
                    draft.write(Write::MemberLeft(number, member));
                    self.show_members(draft);
                }
            }
            Act::Muted {
                member: Some(member),
                duration,
            } => {
                let now = Timestamp::now();
                if let Some(group) = self.groups.get_mut(number) {
                    group.mute(&member, duration, now);
                    self.show_members(draft);
                }
            }
            Act::Renamed(name) => {
                if let Some(group) = self.groups.get_mut(number) {
                    group.name = Some(name.clone());
                    draft.write(Write::GroupName(number, name));
                    self.show_name(draft);
                }
            }
            Act::Online { history } => self.online(number, history, draft),
            Act::Offline(why) => self.offline(number, why),
            Act::Missed(n) => self.say_line(&words::Line::Missed(n.unwrap_or(0)), draft),
            // A mute of the whole group stops nobody on XMPP; recalls and reactions need handles, which no session with
            // these events gives yet.
            Act::Muted { member: None, .. } | Act::Recalled { .. } | Act::Reacted { .. } => {}
        }
    }

    fn said(&mut self, account: &crate::model::AccountName, group: GroupNumber, message: Message, draft: &mut Draft) {
        // Not shown, but an own message may prove that ours arrived.
        let shown = self.settings.to_xmpp;
        if !shown && !message.own {
            return;
        }
        let Some(state) = self.groups.get_mut(group) else {
            return;
        };
        let news = state.heard(&message.sender, message.time);
        let member = state
            .member(&message.sender.id)
            .cloned()
            .unwrap_or_else(|| message.sender.clone());
        if news {
            draft.write(Write::Member(group, member.clone()));
            self.show_members(draft);
        }
        if shown {
            let admitted = self.room.member_spoke(&member, Timestamp::now());
            self.take_admitted(admitted, draft);
        }
        let nick = self.room.nick_of(&message.sender.id);
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
            pieces: self.pieces_for_other_groups(group, &nick, &message.parts),
            nick,
            rows: vec![Content::Parts(message.parts.clone())],
        };
        if message.own {
            draft.own(normal_form(&message.parts, self.settings.faces), new, shown);
        } else {
            draft.message(new, None);
        }
    }

    /// What is said in one group of the room goes to the others under the speaker's nick.
    fn pieces_for_other_groups(&self, from: GroupNumber, nick: &str, parts: &[crate::model::Part]) -> Vec<NewPiece> {
        let others: Vec<GroupNumber> = self
            .settings
            .groups
            .iter()
            .copied()
            .filter(|group| *group != from)
            .collect();
        if others.is_empty() || !self.settings.to_qq {
            return Vec::new();
        }
        let (prefix, parts) = words::for_other_group(&self.settings.template, nick, parts);
        self.pieces(&others, &prefix, &parts, None)
    }

    /// One piece per group and length limit.
    pub(super) fn pieces(
        &self,
        groups: &[GroupNumber],
        prefix: &str,
        parts: &[crate::model::Part],
        answers: Option<crate::model::Seq>,
    ) -> Vec<NewPiece> {
        let split = piece::split(parts.to_vec(), prefix, self.settings.limits);
        let piece = |group: GroupNumber, (index, parts): (usize, &Vec<crate::model::Part>)| NewPiece {
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

    fn snapshot(&mut self, number: GroupNumber, name: String, members: Vec<crate::model::Member>, draft: &mut Draft) {
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

    fn online(&mut self, number: GroupNumber, history: bool, draft: &mut Draft) {
        if let Some(group) = self.groups.get_mut(number) {
            group.online = Ok(());
            group.history = history;
        }
        if self.groups.iter().all(|group| group.online.is_ok())
            && let Some(line) = self.notices.online()
        {
            self.say_line(&line, draft);
        }
    }

    fn offline(&mut self, number: GroupNumber, why: String) {
        if let Some(group) = self.groups.get_mut(number) {
            group.online = Err(why.clone());
        }
        self.notices.offline(why);
    }

    /// Brings the merged members to the room; what changes is shown in its turn.
    pub(super) fn show_members(&mut self, draft: &mut Draft) {
        let now = Timestamp::now();
        let merged = self.groups.merged(now);
        let total = merged.len();
        let admitted = self.room.members(merged, total, now);
        self.take_admitted(admitted, draft);
    }

    /// The room's name follows the group's where the row gives none.
    fn show_name(&mut self, draft: &mut Draft) {
        let settings = self.settings.room_named(self.groups.name());
        let admitted = self.room.configure(settings, Timestamp::now());
        self.take_admitted(admitted, draft);
    }

    /// A line of the gateway, committed like any other.
    pub(super) fn say_line(&mut self, line: &words::Line, draft: &mut Draft) {
        let message = NewMessage {
            identity: Identity::Line,
            time: Timestamp::now(),
            author: Author::Room,
            nick: String::new(),
            rows: vec![Content::Notice(line.text(self.settings.language))],
            pieces: Vec::new(),
        };
        draft.message(message, None);
    }
}
