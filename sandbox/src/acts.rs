//! What people and accounts do in the world: each act changes it, and every account that sees it is told in the way of its
//! protocol.

use crate::onebot;
use crate::state::State;
use crate::store::StoreError;
use crate::webqq;
use crate::world::{Chat, Group, Happening, Member, Message, Role, Segment};

impl State {
    /// Somebody says something: it gets its number and its place, and every account that sees the chat gets to know.
    pub(crate) fn post(&mut self, chat: Chat, from: i64, segments: Vec<Segment>) -> Result<Message, StoreError> {
        let segments = self.keep_media(segments)?;
        let message = self.store.add_message(chat, from, self.clock.now(), segments)?;
        webqq::announce(self, &message)?;
        self.tell(&Happening::Said(message.clone()))?;
        Ok(message)
    }

    fn tell(&mut self, happening: &Happening) -> Result<(), StoreError> {
        self.wake();
        webqq::tell(self, happening)?;
        onebot::tell(self, happening)
    }

    /// Takes a message back. The world remembers it in any case.
    pub(crate) fn recall(&mut self, message: &Message, operator: i64) -> Result<(), StoreError> {
        self.store.recall(message.id)?;
        let message = message.clone();
        self.tell(&Happening::Recalled { message, operator })
    }

    /// Puts somebody's face to a message or takes it away. Says whether that was new.
    pub(crate) fn react(&mut self, message: &Message, by: i64, emoji: &str, added: bool) -> Result<bool, StoreError> {
        let (new, total) = self.store.react(message.id, emoji, by, added)?;
        if new {
            let (message, emoji) = (message.clone(), emoji.to_owned());
            self.tell(&Happening::Reacted {
                message,
                by,
                emoji,
                added,
                total,
            })?;
        }
        Ok(new)
    }

    /// Somebody pokes somebody.
    pub(crate) fn poke(&mut self, chat: Chat, from: i64, target: i64) -> Result<(), StoreError> {
        self.tell(&Happening::Poked { chat, from, target })
    }

    /// Somebody comes into a group. `None`: no such group; `Some(false)`: they are in it already.
    pub(crate) fn join(&mut self, group: i64, member: Member, operator: i64) -> Result<Option<bool>, StoreError> {
        let qq = member.qq;
        let added = self.change_group(group, |group| {
            let free = group.member(qq).is_none();
            if free {
                group.members.push(member);
            }
            free
        })?;
        if added == Some(true) {
            let invited = operator != 0;
            self.tell(&Happening::Joined {
                group,
                qq,
                operator,
                invited,
            })?;
        }
        Ok(added)
    }

    /// Somebody leaves a group, or is removed by another. `None`: no such group; `Some(false)`: they were not in it.
    pub(crate) fn leave(&mut self, group: i64, qq: i64, operator: i64) -> Result<Option<bool>, StoreError> {
        let before = self.world.group(group).cloned();
        let removed = self.change_group(group, |group| {
            let before = group.members.len();
            group.members.retain(|member| member.qq != qq);
            group.members.len() < before
        })?;
        if let (Some(true), Some(group)) = (removed, before) {
            self.tell(&Happening::Left { group, qq, operator })?;
        }
        Ok(removed)
    }

    /// A group is no more. `None`: there was none.
    pub(crate) fn dissolve(&mut self, number: i64, operator: i64) -> Result<Option<Group>, StoreError> {
        let Some(place) = self.world.groups.iter().position(|group| group.number == number) else {
            return Ok(None);
        };
        let group = self.world.groups.remove(place);
        self.store.delete_doc("group", number)?;
        self.tell(&Happening::Dissolved {
            group: group.clone(),
            operator,
        })?;
        Ok(Some(group))
    }

    fn change_member<R>(
        &mut self,
        group: i64,
        qq: i64,
        change: impl FnOnce(&mut Member) -> R,
    ) -> Result<Option<R>, StoreError> {
        let changed = self.change_group(group, |group| {
            let member = group.members.iter_mut().find(|member| member.qq == qq)?;
            Some(change(member))
        })?;
        Ok(changed.flatten())
    }

    /// Somebody may not speak for so many seconds; 0 ends it. Gives the time until when; `None`: no such member.
    pub(crate) fn mute(&mut self, group: i64, qq: i64, operator: i64, seconds: i64) -> Result<Option<i64>, StoreError> {
        let until = if seconds == 0 { 0 } else { self.clock.now() + seconds };
        let name = self.change_member(group, qq, |member| {
            member.muted_until = until;
            member.called().to_owned()
        })?;
        let Some(name) = name else {
            return Ok(None);
        };
        let what = if seconds == 0 {
            "解除禁言".to_owned()
        } else {
            format!("禁言{}", in_words(seconds))
        };
        webqq::announce_notice(self, group, &format!("{name}({qq}) 被管理员{what} "))?;
        self.tell(&Happening::Muted {
            group,
            qq,
            operator,
            seconds,
        })?;
        Ok(Some(until))
    }

    /// Only owner and admins may speak in a group, or everybody again. `None`: no such group.
    pub(crate) fn mute_all(&mut self, group: i64, operator: i64, on: bool) -> Result<Option<()>, StoreError> {
        let before = self.change_group(group, |group| std::mem::replace(&mut group.muted, on))?;
        if before.is_some_and(|before| before != on) {
            self.tell(&Happening::AllMuted { group, operator, on })?;
        }
        Ok(before.map(|_| ()))
    }

    /// Somebody's place in a group is another. `None`: no such member.
    pub(crate) fn set_role(&mut self, group: i64, qq: i64, role: Role) -> Result<Option<()>, StoreError> {
        let before = self.change_member(group, qq, |member| std::mem::replace(&mut member.role, role))?;
        let was = before == Some(Role::Admin);
        let on = role == Role::Admin;
        if before.is_some() && was != on {
            self.tell(&Happening::AdminSet { group, qq, on })?;
        }
        Ok(before.map(|_| ()))
    }

    /// Somebody's card is another. `None`: no such member.
    pub(crate) fn set_card(&mut self, group: i64, qq: i64, card: String) -> Result<Option<()>, StoreError> {
        let new = card.clone();
        let old = self.change_member(group, qq, |member| {
            let old = member.clone();
            member.card = new;
            old
        })?;
        let Some(old) = old else {
            return Ok(None);
        };
        if old.card != card {
            self.tell(&Happening::CardChanged { group, old, card })?;
        }
        Ok(Some(()))
    }

    /// Somebody has a special title. `None`: no such member.
    pub(crate) fn set_title(&mut self, group: i64, qq: i64, title: String) -> Result<Option<()>, StoreError> {
        let new = title.clone();
        let before = self.change_member(group, qq, |member| std::mem::replace(&mut member.title, new))?;
        if before.as_ref().is_some_and(|before| *before != title) {
            self.tell(&Happening::TitleGiven { group, qq, title })?;
        }
        Ok(before.map(|_| ()))
    }

    /// A group's name is another. `None`: no such group.
    pub(crate) fn rename(&mut self, group: i64, operator: i64, name: String) -> Result<Option<()>, StoreError> {
        let new = name.clone();
        let before = self.change_group(group, |group| std::mem::replace(&mut group.name, new))?;
        if before.as_ref().is_some_and(|before| *before != name) {
            self.tell(&Happening::Renamed { group, operator, name })?;
        }
        Ok(before.map(|_| ()))
    }
}

/// A duration as QQ writes it: `10分钟`.
fn in_words(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds}秒"),
        60..3600 => format!("{}分钟", seconds / 60),
        3600..86_400 => format!("{}小时", seconds / 3600),
        _ => format!("{}天", seconds / 86_400),
    }
}
