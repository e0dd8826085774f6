//! How visitors get in, and what is done when they do not (XEP-0045 §7.2.6 to §7.2.13).

use std::time::Duration;

use super::listener::{PATIENCE, Place};
use super::puppets::{self, ENTRY, SHORT_NICK};
use super::{CLOCKS_APART, JoinedRoom, texts};
use crate::config::Secret;
use crate::model::{Member, MemberId, Timestamp, nick};
use crate::room::{Effect, Trouble};
use crate::xmpp::read::visit::Refused;
use crate::xmpp::render::visit::{self, Entry};

/// Nicks that the listener tries.
const MOST_NICKS: usize = 5;
/// A puppet that cannot get in is not tried for so long.
const BARRED: Duration = Duration::from_secs(3600);
/// One that a moderator banned is tried again after so long, in case the ban was lifted.
pub(super) const BANNED: Duration = Duration::from_secs(24 * 3600);
/// A puppet that was silent for so long may make room for another.
const MAY_GO: Duration = Duration::from_secs(600);

impl JoinedRoom {
    /// The listener asks to be let in.
    pub(super) fn enter(&mut self) {
        self.listener.nick = self.nick_to_try();
        let Some(at) = self.settings.at(&self.listener.nick) else {
            self.needs_operator("nick", texts::no_nick());
            return;
        };
        let since = match &self.heard {
            Some(heard) if !self.listener.has_archive => {
                // Who is still in gets no history: only a newcomer does.
                self.out.replies.push(visit::leave(&self.listener.jid, &at, ""));
                Some(heard.time.minus(CLOCKS_APART))
            }
            _ => None,
        };
        let id = self.next_id();
        let entry = Entry {
            since,
            password: self.settings.password.as_ref().map(Secret::expose),
            name: None,
        };
        self.out.replies.push(visit::join(&self.listener.jid, &at, &id, &entry));
        self.listener.place = Place::Entering {
            id,
            until: self.now.plus(PATIENCE),
        };
    }

    fn nick_to_try(&self) -> String {
        let wish = &self.listener.wish;
        let marked = match self.listener.refused {
            0 => wish.clone(),
            1 => format!("{wish} (QQ)"),
            n => format!("{wish} {n}"),
        };
        match self.tempo.longest_nick() {
            Some(max) => nick::shortened(&marked, max).trim_end().to_owned(),
            None => marked,
        }
    }

    /// The listener was not let in.
    pub(super) fn entry_refused(&mut self, refused: &Refused) {
        let text = refused.text.clone().unwrap_or_default();
        match (refused.condition.as_str(), refused.kind.as_str()) {
            _ if refused.is_remote() => self.unreachable(&refused.condition),
            ("conflict" | "jid-malformed" | "not-acceptable", _) | ("policy-violation", "modify") => {
                if refused.condition == "policy-violation" {
                    self.tempo.nicks_within(SHORT_NICK);
                }
                self.listener.refused += 1;
                if self.listener.refused < MOST_NICKS {
                    self.enter();
                } else {
                    self.listener.refused = 0;
                    self.needs_operator("nick", texts::no_nick());
                }
            }
            ("not-authorized", _) => {
                let given = self.settings.password.is_some();
                self.needs_operator("password", texts::password(given));
            }
            ("registration-required", _) => {
                let what = texts::members_only(&self.listener.jid.to_bare());
                self.needs_operator("members", what);
            }
            ("forbidden", _) => {
                let what = texts::banned(&self.listener.jid.to_bare(), None);
                self.stays_away("banned", what);
            }
            ("item-not-found", _) => self.needs_operator("missing", texts::locked()),
            ("resource-constraint" | "service-unavailable" | "policy-violation", _) => {
                self.full_or_busy(&text);
            }
            (condition, _) => self.needs_operator("refused", texts::refused(condition, &text)),
        }
    }

    fn full_or_busy(&mut self, text: &str) {
        let wait = self.next_wait().max(Duration::from_secs(30));
        self.listener.trouble = Some(Trouble::Away(texts::full(text)));
        self.away(self.now.plus(wait));
    }

    /// A puppet asks to be let in, as far as that is allowed now. `false`: the listener has to speak for it.
    pub(super) fn puppet_enters(&mut self, id: &MemberId, member: &Member) -> Result<(), NotNow> {
        let now = self.now;
        if !self.settings.puppets || !self.tempo.puppets_may_join(now) {
            return Err(NotNow::ByListener);
        }
        let puppet = self.puppets.get(id).ok_or(NotNow::ByListener)?;
        if puppet.barred.is_some_and(|until| now < until) {
            return Err(NotNow::ByListener);
        }
        let takes_place = !puppet.counts();
        if takes_place && self.puppets.count() >= self.settings.puppets_max && !self.make_room() {
            return Err(NotNow::ByListener);
        }
        self.neighbour.may_join(now).map_err(NotNow::At)?;
        self.tempo.may_join(now).map_err(NotNow::At)?;
        self.grant(id);
        let nicks = self.nicks_to_try(id, member);
        self.puppet_asks(id, member, nicks);
        Ok(())
    }

    /// The nicks to ask for in turn: first the one that worked, as long as nobody wants another.
    fn nicks_to_try(&self, id: &MemberId, member: &Member) -> Vec<String> {
        let wish = nick::of_member(member);
        let longest = self.tempo.longest_nick();
        let mut nicks = puppets::nicks(member, longest);
        let puppet = self.puppets.get(id);
        let same_wish = puppet.filter(|puppet| puppet.wish.is_empty() || puppet.wish == wish);
        if let Some(nick) = same_wish.and_then(|puppet| puppet.nick.clone()) {
            nicks.retain(|other| *other != nick);
            if longest.is_none_or(|max| nick.len() <= max) {
                nicks.insert(0, nick);
            }
        }
        nicks.retain(|nick| self.puppets.named(nick).is_none_or(|other| other == id));
        nicks
    }

    /// Sends the entry under the first of these nicks.
    fn puppet_asks(&mut self, id: &MemberId, member: &Member, mut nicks: Vec<String>) {
        nicks.retain(|nick| self.settings.at(nick).is_some());
        let Some(at) = nicks.first().and_then(|nick| self.settings.at(nick)) else {
            self.bar(id, BARRED);
            return;
        };
        let nick = nicks.remove(0);
        let presence_id = self.next_id();
        let name = member.shown_name();
        let entry = Entry {
            since: None,
            password: self.settings.password.as_ref().map(Secret::expose),
            name: Some(name.as_str()).filter(|name| *name != nick),
        };
        let until = self.now.plus(ENTRY);
        if let Some(puppet) = self.puppets.get_mut(id) {
            self.out
                .replies
                .push(visit::join(&puppet.jid, &at, &presence_id, &entry));
            puppet.wish = nick::of_member(member);
            puppet.place = puppets::Place::Entering {
                id: presence_id,
                until,
                nick,
                rest: nicks,
            };
        }
    }

    /// A puppet was not let in.
    pub(super) fn puppet_refused(&mut self, id: &MemberId, mut rest: Vec<String>, refused: &Refused) {
        match (refused.condition.as_str(), refused.kind.as_str()) {
            _ if refused.is_remote() => self.unreachable(&refused.condition),
            ("conflict" | "jid-malformed" | "not-acceptable", _) | ("policy-violation", "modify") => {
                let Some(member) = self.members.get(id).cloned() else {
                    self.bar(id, BARRED);
                    return;
                };
                if refused.condition == "policy-violation" && self.tempo.nicks_within(SHORT_NICK) {
                    rest = self.nicks_to_try(id, &member);
                }
                self.puppet_asks(id, &member, rest);
            }
            ("forbidden", _) => self.silence(id, BANNED, &texts::banned_member()),
            ("registration-required", _) => {
                if self.listener.is_admin() && self.regrant(id) {
                    self.bar(id, Duration::ZERO);
                    return;
                }
                self.alert(
                    "puppets",
                    &texts::puppets_not_members(&self.settings.addresses.bridge()),
                );
                self.tempo.no_joins(self.now, BARRED);
                self.bar(id, BARRED);
            }
            ("resource-constraint" | "service-unavailable" | "policy-violation", _) => {
                self.tempo.join_refused(self.now);
                if refused.condition == "policy-violation" {
                    self.tempo.slower(self.now);
                }
                self.bar(id, Duration::ZERO);
            }
            _ => self.bar(id, BARRED),
        }
    }

    /// A puppet is out and is not tried for a while.
    pub(super) fn bar(&mut self, id: &MemberId, time: Duration) {
        if let Some(puppet) = self.puppets.get_mut(id) {
            puppet.place = puppets::Place::Out;
            puppet.barred = (!time.is_zero()).then(|| self.now.plus(time));
        }
        self.keep(id);
    }

    /// A moderator does not want this member: nothing of theirs is said for a while, and the admins hear of it.
    pub(super) fn silence(&mut self, id: &MemberId, time: Duration, what: &str) {
        let until = self.now.plus(time);
        let Some(puppet) = self.puppets.get_mut(id) else { return };
        let known = puppet.silenced.is_some_and(|before| before > self.now);
        puppet.place = puppets::Place::Out;
        puppet.silenced = Some(until);
        let nick = self.nick_of(id);
        self.keep(id);
        if !known {
            let number = id.to_string();
            let text = texts::silenced(&self.settings.jid, &nick, number.trim_start_matches('='), what, time);
            self.out.effects.push(Effect::Aside(crate::room::Aside::Admins(text)));
        }
    }

    /// The one that was silent longest leaves, if that was long enough.
    fn make_room(&mut self) -> bool {
        let now = self.now;
        let idle = self
            .puppets
            .iter()
            .filter(|(_, puppet)| puppet.inside() && now.since(puppet.active) >= MAY_GO)
            .min_by_key(|(_, puppet)| puppet.active)
            .map(|(id, _)| id.clone());
        match idle {
            Some(id) => {
                self.puppet_leaves(&id);
                true
            }
            None => false,
        }
    }

    pub(super) fn puppet_leaves(&mut self, id: &MemberId) {
        let Some(puppet) = self.puppets.get_mut(id).filter(|puppet| puppet.counts()) else {
            return;
        };
        let was = std::mem::replace(&mut puppet.place, puppets::Place::Out);
        let nick = match was {
            puppets::Place::Entering { nick, .. } => nick,
            _ => puppet.nick.clone().unwrap_or_else(|| puppet.wish.clone()),
        };
        if let Some(at) = self.settings.at(&nick) {
            self.out.replies.push(visit::leave(&puppet.jid, &at, ""));
        }
        self.keep(id);
    }

    pub(super) fn all_leave(&mut self) {
        let inside: Vec<MemberId> = self
            .puppets
            .iter()
            .filter(|(_, puppet)| puppet.counts())
            .map(|(id, _)| id.clone())
            .collect();
        for id in inside {
            self.puppet_leaves(&id);
        }
    }

    /// The store learns where a puppet stands.
    pub(super) fn keep(&mut self, id: &MemberId) {
        if let Some(puppet) = self.puppets.get(id) {
            self.out.effects.push(Effect::Puppet(puppets::to_keep(id, puppet)));
        }
    }
}

/// Why a puppet does not enter now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotNow {
    /// The pace does not allow it before then.
    At(Timestamp),
    /// It cannot, for longer than its words can wait.
    ByListener,
}
