//! What happens in a group, brought to its portal.

use std::time::Duration;

use super::Lane;
use crate::model::{EventId, Handle, Media, Member, MemberId, Message, Part, Poke, QqNumber, Role, Timestamp};
use crate::qq::Act;
use crate::qq::onebot::event::{Change, Event, Heard};
use crate::qq::onebot::roster::Presence;

impl Lane {
    /// Takes one event of the group.
    pub(super) async fn hear(&mut self, event: Event) {
        match event {
            Event::Heard(heard) => self.said(heard).await,
            Event::Increase { user, me, .. } => self.entered(user, me).await,
            Event::Decrease {
                user,
                kicked,
                by,
                me: false,
                ..
            } => self.left(user, kicked, by).await,
            Event::Decrease { kicked, by, .. } => {
                let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
                self.close(if kicked {
                    format!("the QQ account was removed from the group{by}")
                } else {
                    "the QQ account left the group".to_owned()
                })
                .await;
            }
            Event::Dissolved { .. } => self.close("the QQ group was dissolved".to_owned()).await,
            Event::Card { user, card, .. } => self.change(user, |member| member.card = card).await,
            Event::Admin { user, set, .. } => {
                let role = if set { Role::Admin } else { Role::Member };
                self.change(user, |member| member.role = role).await;
            }
            Event::Muted { user, duration, .. } => self.muted(user, duration).await,
            Event::GroupName { name, .. } => self.renamed(name).await,
            Event::Recalled { handle, by, time, .. } => self.recalled(handle, by, time).await,
            Event::Reacted {
                handle,
                user: Some(user),
                changes,
                ..
            } => self.reacted(&handle, user, changes).await,
            Event::Poked { user, poke, time, .. } => self.poked(user, poke, time).await,
            Event::Upload { user, media, time, .. } => self.uploaded(user, media, time).await,
            // Not of a group, or not told whose.
            Event::Reacted { .. }
            | Event::Private(_)
            | Event::Request(_)
            | Event::BotOffline(_)
            | Event::Lifecycle
            | Event::Heartbeat { .. }
            | Event::Other(_) => {}
        }
    }

    async fn said(&mut self, heard: Heard) {
        let notice = heard.notice || heard.anonymous;
        let Some(mut message) = self.session.message(heard) else {
            return;
        };
        // An event that comes twice is not looked up twice.
        if self.seen.contains(&message.id) {
            return;
        }
        self.session.fetch_records(&mut message.parts).await;
        if let Some(group) = self.session.roster().groups.get_mut(&self.group)
            && group.presence != Presence::In
        {
            // Who hears the group is in it, whatever a list said.
            group.presence = Presence::In;
            self.session.look.notify_one();
        }
        if !notice && let Some(group) = self.session.roster().groups.get_mut(&self.group) {
            // A list that was read before knows less than the message.
            if group.read.is_some() {
                group.put(&message.sender);
            }
        }
        self.say(message).await;
    }

    /// Says a message, once.
    pub(super) async fn say(&mut self, message: Message) {
        if !self.is_new(&message.id) {
            return;
        }
        self.files.message(&message.parts);
        let id = message.id.clone();
        if !self.bring(Act::Said(message)).await {
            self.unsee(&id);
        }
    }

    async fn entered(&mut self, user: QqNumber, me: bool) {
        if me || user == self.session.roster().own {
            self.forget_lists();
            return;
        }
        let member = match self.session.ask_person(self.group, user).await {
            Some(member) => member,
            None => self.session.person(self.group, user),
        };
        self.put(member).await;
    }

    async fn left(&mut self, user: QqNumber, kicked: bool, by: Option<QqNumber>) {
        if user == self.session.roster().own {
            return self
                .close("the QQ account is not in the group any more".to_owned())
                .await;
        }
        if let Some(group) = self.session.roster().groups.get_mut(&self.group) {
            group.members.remove(&user);
            group.mutes.remove(&Some(user));
        }
        let member = MemberId::Number(user);
        let by = by.map(MemberId::Number);
        self.bring(Act::Left { member, kicked, by }).await;
    }

    /// The account is not in the group from now on.
    async fn close(&mut self, why: String) {
        if let Some(group) = self.session.roster().groups.get_mut(&self.group) {
            group.presence = Presence::Out(why);
            group.members.clear();
            group.read = None;
            group.asked = None;
        }
        self.announce().await;
    }

    /// The account is in the group again: everything is read anew.
    fn forget_lists(&self) {
        self.session.roster().groups_read = None;
        self.session.look.notify_one();
    }

    async fn change(&mut self, user: QqNumber, change: impl FnOnce(&mut Member)) {
        let known = {
            let roster = self.session.roster();
            let group = roster.groups.get(&self.group);
            group.and_then(|group| group.members.get(&user).cloned())
        };
        let member = match known {
            Some(member) => Some(member),
            None => self.session.ask_person(self.group, user).await,
        };
        if let Some(mut member) = member {
            change(&mut member);
            self.put(member).await;
        }
    }

    async fn put(&mut self, member: Member) {
        if let Some(group) = self.session.roster().groups.get_mut(&self.group) {
            group.put(&member);
        }
        self.bring(Act::Member(member)).await;
    }

    async fn muted(&mut self, user: Option<QqNumber>, duration: Duration) {
        if let Some(group) = self.session.roster().groups.get_mut(&self.group) {
            group.mute(user, duration);
        }
        let member = user.map(MemberId::Number);
        self.bring(Act::Muted { member, duration }).await;
    }

    async fn renamed(&mut self, name: String) {
        if let Some(group) = self.session.roster().groups.get_mut(&self.group) {
            group.name.clone_from(&name);
        }
        if let Some((shown, _)) = &mut self.shown {
            shown.clone_from(&name);
        }
        self.bring(Act::Renamed(name)).await;
    }

    /// Handles are hashes that come again for other messages, so the time tells recalls apart. One that is told twice with two
    /// times finds nothing left to take back.
    async fn recalled(&mut self, handle: Handle, by: Option<QqNumber>, time: Option<Timestamp>) {
        let secs = time.unwrap_or_else(Timestamp::now).0 / 1000;
        let id = EventId(format!("recall:{}:{secs}", handle.0).into());
        if !self.is_new(&id) {
            return;
        }
        let by = by.map(MemberId::Number);
        let recalled = Act::Recalled {
            id: id.clone(),
            handle,
            by,
        };
        if !self.bring(recalled).await {
            self.unsee(&id);
        }
    }

    async fn reacted(&mut self, handle: &Handle, user: QqNumber, changes: Vec<Change>) {
        for Change { emoji, added } in changes {
            let handle = handle.clone();
            let member = MemberId::Number(user);
            let reacted = Act::Reacted {
                handle,
                member,
                emoji,
                added,
            };
            self.bring(reacted).await;
        }
    }

    async fn poked(&mut self, user: QqNumber, poke: Poke, time: Option<Timestamp>) {
        let target = poke.target.member.as_ref().map(ToString::to_string).unwrap_or_default();
        let time = time.unwrap_or_else(Timestamp::now);
        let mut message = self.notice(format!("poke:{user}:{target}:{}", time.0 / 1000), user, time);
        message.parts = vec![Part::Poke(poke)];
        if let Some(Part::Poke(poke)) = message.parts.first_mut()
            && let Some(target) = poke.target.member.as_ref().and_then(MemberId::number)
            && poke.target.name.is_empty()
        {
            poke.target.name = self.session.person(self.group, target).shown_name();
        }
        self.say(message).await;
    }

    async fn uploaded(&mut self, user: QqNumber, media: Media, time: Option<Timestamp>) {
        let time = time.unwrap_or_else(Timestamp::now);
        let size = media.size.unwrap_or(0);
        let mut message = self.notice(
            format!("file:{user}:{size}:{}:{}", time.0 / 1000, media.name),
            user,
            time,
        );
        message.parts = vec![Part::Media(media.clone())];
        let twice = self.session.roster().dialect.file_messages;
        let now = if twice {
            self.files.notice(media, message)
        } else {
            Some(message)
        };
        if let Some(message) = now {
            self.say(message).await;
        }
    }

    /// A message for something that no message told: it has no handle.
    fn notice(&self, id: String, user: QqNumber, time: Timestamp) -> Message {
        Message {
            id: EventId(id.into()),
            handle: None,
            sender: self.session.person(self.group, user),
            own: user == self.session.roster().own,
            time,
            parts: Vec::new(),
        }
    }
}
