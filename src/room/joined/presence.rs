//! Who comes and goes in the room, ours and others (XEP-0045 §7, §9).

use std::time::Duration;

use jid::Jid;
use xmpp_parsers::presence::{Presence, Type};

use super::entry::BANNED;
use super::listener::Place;
use super::{JoinedRoom, Occupant, puppets, texts};
use crate::model::{MemberId, nick};
use crate::xmpp::read::visit::{self as read, Refused, Shown};
use crate::xmpp::render::visit;

/// Occupants that are remembered; the largest rooms have some thousand.
const MOST_OCCUPANTS: usize = 10_000;
/// Somebody whom a moderator removed stays away for so long.
const KICKED: Duration = Duration::from_secs(3600);

impl JoinedRoom {
    /// A presence to the listener: it sees everybody.
    pub(super) fn listener_presence(&mut self, from: &Jid, presence: &Presence) {
        if presence.type_ == Type::Error {
            if super::by_room(from, Some(&self.listener.nick)) {
                self.listener_error(presence);
            }
            return;
        }
        let Some(nick) = from.resource().map(|nick| nick.as_str().to_owned()) else {
            return;
        };
        let Some(shown) = read::shown(presence) else { return };
        let id = read::occupant_id(&presence.payloads);
        match presence.type_ {
            Type::None => self.listener_sees(nick, &shown, id, presence.id.as_deref()),
            Type::Unavailable => self.listener_sees_leave(&nick, &shown),
            _ => {}
        }
    }

    fn listener_error(&mut self, presence: &Presence) {
        let refused = read::refused(&presence.payloads);
        match &self.listener.place {
            Place::Entering { id, .. } if presence.id.as_deref() == Some(id) => self.entry_refused(&refused),
            // A change of nick that was refused, or an old join: the one that we have is kept.
            _ if refused.is_remote() => self.unreachable(&refused.condition),
            _ => {}
        }
    }

    fn listener_sees(&mut self, nick: String, shown: &Shown, id: Option<String>, request: Option<&str>) {
        let entering = match &self.listener.place {
            Place::Entering { id, .. } => Some(id.as_str()),
            _ => None,
        };
        // On the way in the room may give another nick than asked for, and then says 110. Ids are guessed, and nicks are others'.
        let as_asked = nick == self.listener.nick;
        let own = match entering {
            Some(_) => shown.has(110) || (entering == request && as_asked),
            None => self.listener.inside() && shown.has(110) && as_asked,
        };
        if own {
            self.listener.nick.clone_from(&nick);
            self.listener.occupant.clone_from(&id);
            self.listener.affiliation = shown.affiliation.unwrap_or(self.listener.affiliation);
            self.listener.role = shown.role.unwrap_or(self.listener.role);
            if entering.is_some() {
                if shown.has(201) {
                    let request = self.next_id();
                    self.out
                        .replies
                        .push(visit::unlock(&self.listener.jid, &self.settings.jid, &request));
                }
                self.entered();
            }
        }
        if self.occupants.len() < MOST_OCCUPANTS || self.occupants.contains_key(&nick) {
            let jid = shown.jid.clone();
            self.occupants.insert(nick, Occupant { id, jid });
        }
    }

    fn listener_sees_leave(&mut self, nick: &str, shown: &Shown) {
        let occupant = self.occupants.remove(nick);
        if let (true, Some(new)) = (shown.has(303), &shown.nick) {
            if let Some(occupant) = occupant {
                self.occupants.insert(new.clone(), occupant);
            }
            if nick == self.listener.nick && self.listener.inside() {
                self.listener.nick.clone_from(new);
            }
            return;
        }
        if nick == self.listener.nick && self.listener.inside() {
            self.listener_removed(shown);
        } else if let Some(id) = self.puppets.named(nick).cloned() {
            self.puppet_removed(&id, shown);
        }
    }

    /// The listener is out, and by the reason it is seen whether it may come back.
    fn listener_removed(&mut self, shown: &Shown) {
        let bridge = self.listener.jid.to_bare();
        let by = shown.actor.clone();
        if let Some(elsewhere) = &shown.destroyed {
            self.stays_away("destroyed", texts::destroyed(elsewhere.as_ref()));
        } else if shown.has(301) {
            self.stays_away("banned", texts::banned(&bridge, by.as_deref()));
        } else if shown.has(321) || shown.has(322) {
            self.needs_operator("members", texts::members_only(&bridge));
        } else if shown.has(332) || shown.has(333) || !shown.has(307) {
            self.thrown_out("its server put the listener out of the room");
        } else {
            // Who throws the listener out wants to be rid of it for a while.
            let what = texts::kicked(by.as_deref(), shown.reason.as_deref());
            self.stays_away_until(self.now.plus(KICKED), "kicked", what);
        }
    }

    /// A presence to a puppet: only those about itself are not dropped before.
    pub(super) fn puppet_presence(&mut self, id: &MemberId, from: &Jid, presence: &Presence) {
        let Some(puppet) = self.puppets.get(id) else { return };
        let place = puppet.place.clone();
        let entering = match &place {
            puppets::Place::Entering { id, nick, rest, .. } => Some((id.as_str(), nick.as_str(), rest)),
            _ => None,
        };
        match presence.type_ {
            Type::Error => match entering {
                Some((asked, nick, rest))
                    if presence.id.as_deref() == Some(asked) && super::by_room(from, Some(nick)) =>
                {
                    self.puppet_refused(id, rest.clone(), &read::refused(&presence.payloads));
                }
                // A nick that it cannot have: it keeps the one it has.
                _ => {}
            },
            Type::None => {
                let Some(shown) = read::shown(presence) else { return };
                let Some(nick) = from.resource() else { return };
                let as_asked = |(asked, wanted, _): (&str, &str, _)| {
                    presence.id.as_deref() == Some(asked) && nick.as_str() == wanted
                };
                if shown.has(110) || entering.is_some_and(as_asked) {
                    let occupant = read::occupant_id(&presence.payloads);
                    self.puppet_entered(id, nick.as_str(), occupant);
                    if shown.has(201) {
                        // The room was gone, unheard of, and nobody is to own it but people: it goes again with its only occupant.
                        self.puppet_leaves(id);
                        self.thrown_out("the room was gone");
                    }
                }
            }
            Type::Unavailable => {
                let Some(shown) = read::shown(presence) else { return };
                let nick = from.resource().map(|nick| nick.as_str().to_owned());
                if puppet.nick == nick && puppet.inside() && !shown.has(303) {
                    self.puppet_removed(id, &shown);
                }
            }
            _ => {}
        }
    }

    fn puppet_entered(&mut self, id: &MemberId, nick: &str, occupant: Option<String>) {
        let now = self.now;
        let Some(puppet) = self.puppets.get_mut(id) else { return };
        let news =
            puppet.place != puppets::Place::In || puppet.nick.as_deref() != Some(nick) || puppet.occupant != occupant;
        if puppet.place != puppets::Place::In {
            puppet.active = now;
        }
        puppet.place = puppets::Place::In;
        puppet.nick = Some(nick.to_owned());
        puppet.occupant = occupant;
        puppet.barred = None;
        puppet.grants = 0;
        self.tempo.joined();
        if news {
            self.keep(id);
        }
    }

    /// A puppet is out.
    fn puppet_removed(&mut self, id: &MemberId, shown: &Shown) {
        // What ends for everybody may be told to puppets first: none of them makes the room anew, or knocks at a server that stops.
        if shown.destroyed.is_some() || shown.has(332) {
            self.listener_removed(shown);
        } else if shown.has(301) {
            self.silence(
                id,
                BANNED,
                &texts::by_moderator(true, shown.actor.as_deref(), shown.reason.as_deref()),
            );
        } else if (shown.has(307) && !shown.has(333)) || shown.has(321) {
            let what = texts::by_moderator(false, shown.actor.as_deref(), shown.reason.as_deref());
            self.silence(id, KICKED, &what);
        } else {
            if shown.has(322) && self.listener.is_admin() {
                self.regrant(id);
            }
            self.bar(id, Duration::ZERO);
        }
    }

    /// What the clock and the pace allow the puppets.
    pub(super) fn puppets_step(&mut self) {
        let now = self.now;
        let late: Vec<MemberId> = self
            .puppets
            .iter()
            .filter(|(_, puppet)| matches!(&puppet.place, puppets::Place::Entering { until, .. } if now >= *until))
            .map(|(id, _)| id.clone())
            .collect();
        if !late.is_empty() {
            tracing::warn!(room = %self.settings.jid, n = late.len(), "puppets got no answer when they entered");
            self.tempo.join_refused(now);
        }
        for id in late {
            // It may be in all the same, and would stay there.
            self.puppet_leaves(&id);
            self.bar(&id, KICKED);
        }
        let idle = self.settings.puppets_idle;
        let gone: Vec<MemberId> = self
            .puppets
            .iter()
            .filter(|(_, puppet)| puppet.inside() && now.since(puppet.active) >= idle)
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.puppet_leaves(&id);
        }
    }

    /// When that is next.
    pub(super) fn puppets_due(&self) -> Option<crate::model::Timestamp> {
        let due = |puppet: &puppets::Puppet| match &puppet.place {
            puppets::Place::Entering { until, .. } => Some(*until),
            puppets::Place::In | puppets::Place::Unsure => Some(puppet.active.plus(self.settings.puppets_idle)),
            puppets::Place::Out => None,
        };
        self.puppets.iter().filter_map(|(_, puppet)| due(puppet)).min()
    }

    /// Puppets of people who left the group leave; those of people with another name take it.
    pub(super) fn follow_members(&mut self) {
        let mut leave = Vec::new();
        let mut rename = Vec::new();
        for (id, puppet) in self.puppets.iter().filter(|(_, puppet)| puppet.counts()) {
            match self.members.get(id) {
                None => leave.push(id.clone()),
                Some(member) => {
                    let wish = nick::of_member(member);
                    if puppet.place == puppets::Place::In && puppet.wish != wish && !puppet.wish.is_empty() {
                        rename.push((id.clone(), wish));
                    }
                }
            }
        }
        for id in leave {
            self.puppet_leaves(&id);
        }
        for (id, wish) in rename {
            // Beyond the pace the new name is taken at the next entry.
            if self.tempo.may_say(self.now).is_err() {
                continue;
            }
            let nick = match self.tempo.longest_nick() {
                Some(max) => nick::shortened(&wish, max).trim_end().to_owned(),
                None => wish.clone(),
            };
            let request = self.next_id();
            if let (Some(at), Some(puppet)) = (self.settings.at(&nick), self.puppets.get_mut(&id)) {
                puppet.wish = wish;
                self.out.replies.push(visit::rename(&puppet.jid, &at, &request));
            }
        }
    }
}

impl Refused {
    /// The server that should have answered was not reached.
    pub(super) fn is_remote(&self) -> bool {
        self.condition.starts_with("remote-server-")
    }
}
