//! Who will be in the room when everything admitted so far has been shown: nicks are given out by this.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jid::{BareJid, FullJid};

use crate::model::{MemberId, Timestamp, nick};

/// How long the nick of somebody who left is kept from QQ members.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
/// Remembered nicks at most; the oldest go first.
const MOST_REMEMBERED: usize = 10_000;

/// A client session that was let in.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    /// The occupant's nick.
    pub(super) nick: String,
    /// The payload of its last presence.
    pub(super) presence: String,
    /// It gave a sign of life since the last resume.
    pub(super) verified: bool,
    /// It was asked for one.
    pub(super) pinged: bool,
}

/// Who has a nick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// A person on XMPP, by all client sessions with this nick.
    Person(BareJid),
    /// A QQ member.
    Member(MemberId),
}

/// The book of the admitted.
#[derive(Debug, Default)]
pub(super) struct Book {
    sessions: BTreeMap<FullJid, Guest>,
    people: BTreeMap<(BareJid, String), BTreeSet<FullJid>>,
    names: HashMap<String, Holder>,
    remembered: HashMap<String, (BareJid, Timestamp)>,
    renamed: HashMap<BareJid, Timestamp>,
}

impl Book {
    pub(super) fn guest(&self, session: &FullJid) -> Option<&Guest> {
        self.sessions.get(session)
    }

    pub(super) fn guest_mut(&mut self, session: &FullJid) -> Option<&mut Guest> {
        self.sessions.get_mut(session)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (&FullJid, &Guest)> {
        self.sessions.iter()
    }

    pub(super) fn sessions_mut(&mut self) -> impl Iterator<Item = (&FullJid, &mut Guest)> {
        self.sessions.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn names(&self) -> usize {
        self.names.len()
    }

    /// How many occupants the people make.
    pub(super) fn people(&self) -> usize {
        self.people.len()
    }

    /// The occupants of people: who, nick, and their client sessions.
    pub(super) fn occupants(&self) -> impl Iterator<Item = (&BareJid, &str, &BTreeSet<FullJid>)> {
        self.people
            .iter()
            .map(|((who, nick), sessions)| (who, nick.as_str(), sessions))
    }

    /// How many client sessions a person has, under whatever nick.
    pub(super) fn sessions_of(&self, who: &BareJid) -> usize {
        self.people
            .range((who.clone(), String::new())..)
            .take_while(|((w, _), _)| w == who)
            .map(|(_, sessions)| sessions.len())
            .sum()
    }

    pub(super) fn holder(&self, nick: &str) -> Option<&Holder> {
        self.names.get(&nick::fold(nick))
    }

    /// A person may take the nick: it is free or theirs already.
    pub(super) fn free_for(&self, who: &BareJid, nick: &str) -> bool {
        match self.holder(nick) {
            None => true,
            Some(Holder::Person(holder)) => holder == who,
            Some(Holder::Member(_)) => false,
        }
    }

    /// A QQ member may take the nick: no member has it, and no person who is here or was lately.
    pub(super) fn free_for_member(&self, nick: &str, now: Timestamp) -> bool {
        let fold = nick::fold(nick);
        let slept_in = |(_, seen): &(BareJid, Timestamp)| now.since(*seen) < REMEMBERED;
        !self.names.contains_key(&fold) && !self.remembered.get(&fold).is_some_and(slept_in)
    }

    pub(super) fn hold(&mut self, nick: &str, member: &MemberId) {
        self.names.insert(nick::fold(nick), Holder::Member(member.clone()));
    }

    /// Frees the nick of a member, if it is theirs.
    pub(super) fn release(&mut self, nick: &str, member: &MemberId) {
        let fold = nick::fold(nick);
        if self.names.get(&fold) == Some(&Holder::Member(member.clone())) {
            self.names.remove(&fold);
        }
    }

    /// Lets a client session in under a nick that is [free](Self::free_for) for it.
    pub(super) fn enter(&mut self, session: &FullJid, nick: &str, presence: String, verified: bool) {
        let who = session.to_bare();
        self.sessions.insert(
            session.clone(),
            Guest {
                nick: nick.to_owned(),
                presence,
                verified,
                pinged: false,
            },
        );
        self.names.insert(nick::fold(nick), Holder::Person(who.clone()));
        self.people
            .entry((who, nick.to_owned()))
            .or_default()
            .insert(session.clone());
    }

    /// Takes a client session out. The nick of the last one is remembered.
    pub(super) fn leave(&mut self, session: &FullJid, now: Timestamp) -> Option<Guest> {
        let guest = self.sessions.remove(session)?;
        let key = (session.to_bare(), guest.nick.clone());
        if let Some(rest) = self.people.get_mut(&key) {
            rest.remove(session);
            if rest.is_empty() {
                self.people.remove(&key);
                self.forget_name(&key.0, &guest.nick, now);
            }
        }
        Some(guest)
    }

    /// All client sessions of an occupant go by another nick that is [free](Self::free_for) for them.
    pub(super) fn rename(&mut self, who: &BareJid, old: &str, new: &str, now: Timestamp) {
        let Some(moved) = self.people.remove(&(who.clone(), old.to_owned())) else {
            return;
        };
        for session in &moved {
            if let Some(guest) = self.sessions.get_mut(session) {
                new.clone_into(&mut guest.nick);
            }
        }
        self.people
            .entry((who.clone(), new.to_owned()))
            .or_default()
            .extend(moved);
        self.forget_name(who, old, now);
        self.names.insert(nick::fold(new), Holder::Person(who.clone()));
        self.renamed.insert(who.clone(), now);
    }

    /// When a person last changed their nick.
    pub(super) fn renamed_at(&self, who: &BareJid) -> Option<Timestamp> {
        self.renamed.get(who).copied()
    }

    /// Nobody of this person uses the nick any more (two nicks may fold to the same).
    fn forget_name(&mut self, who: &BareJid, old: &str, now: Timestamp) {
        let fold = nick::fold(old);
        let still = self
            .people
            .range((who.clone(), String::new())..)
            .take_while(|((w, _), _)| w == who)
            .any(|((_, n), _)| nick::fold(n) == fold);
        if still {
            return;
        }
        self.names.remove(&fold);
        self.remember(who.clone(), old, now, now);
        if self.sessions_of(who) == 0 {
            self.renamed.remove(who);
        }
    }

    /// Keeps a nick from QQ members for 30 days from when its owner was last seen.
    pub(super) fn remember(&mut self, who: BareJid, nick: &str, seen: Timestamp, now: Timestamp) {
        if self.remembered.len() >= MOST_REMEMBERED {
            self.remembered.retain(|_, (_, seen)| now.since(*seen) < REMEMBERED);
        }
        if self.remembered.len() >= MOST_REMEMBERED {
            let mut ages: Vec<Timestamp> = self.remembered.values().map(|(_, seen)| *seen).collect();
            ages.sort_unstable();
            let middle = ages[ages.len() / 2];
            self.remembered.retain(|_, (_, seen)| *seen > middle);
        }
        self.remembered.insert(nick::fold(nick), (who, seen));
    }

    /// Who had a nick that nobody has now.
    pub(super) fn last_holder(&self, nick: &str) -> Option<&BareJid> {
        self.remembered.get(&nick::fold(nick)).map(|(who, _)| who)
    }
}
