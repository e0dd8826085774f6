//! Coming back after a restart or on a new stream: occupants were told one thing, another may be true now; the difference, and
//! only that, is sent.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::HostedRoom;
use super::reflect::Showing;
use super::stage::{Key, Seat, Shown, Subject, key_text, member_face, person_face, shown_as};
use crate::model::{MemberId, Timestamp};
use crate::room::{Change, Kept, KeptSession, Resumed, RoomMember, ShownAs};
use crate::xmpp::Outgoing;
use crate::xmpp::payload::muc_user::{Affiliation, Role};
use crate::xmpp::render::Ids;
use crate::xmpp::render::presence::{About, Face};

impl HostedRoom {
    /// Takes up what the store kept, with the members as they are now. For a new room only.
    ///
    /// All sessions are unverified afterwards: see [`pings`](Self::pings).
    pub fn resume(&mut self, kept: Kept, members: Vec<RoomMember>, total: usize, now: Timestamp) -> Resumed {
        let mut resumed = Resumed::default();
        self.stage.subject = kept.subject.map(|(nick, text, time)| Subject { nick, text, time });
        for (who, nick, seen) in kept.remembered {
            self.book.remember(who, &nick, seen, now);
        }
        let mut shown: HashMap<String, ShownAs> = kept.shown.into_iter().collect();
        for session in &kept.sessions {
            self.book
                .enter(&session.jid, &session.nick, session.presence.clone(), false);
            if session.greeted {
                self.seat(session);
            } else {
                let key = Key::Person(session.jid.to_bare(), session.nick.clone());
                let known = shown.contains_key(&key_text(&self.ids, &key));
                // The others have been told of the join that it did not get to the end of.
                if known && self.settings.may_enter(&session.jid.to_bare()) && !self.stage.occupants.contains_key(&key)
                {
                    self.stage.set(&key, self.shown_of(session));
                }
                resumed.ungreeted.push((rejoin(session), session.cut));
            }
        }
        self.restore_members(&shown, members, total, now);
        let (renamed, here) = self.differences(&mut shown);
        // What is left of the old was somebody who is nobody now. They go first: their nicks may have new owners.
        let mut left: Vec<_> = shown.into_iter().collect();
        left.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (text, old) in left {
            let key = Key::Former(text);
            let face = former_face(&self.ids, &key, &old);
            resumed
                .presences
                .extend(self.showing().gone(&key, &face, &About::default()));
            self.stage.forget(key);
        }
        resumed.presences.extend(renamed);
        for key in here {
            resumed.presences.extend(self.stage.show(&self.settings, &key, None));
        }
        resumed.effects = self.turn_out(now);
        resumed
            .ungreeted
            .retain(|(change, _)| matches!(change, Change::Join { session, .. } if self.book.guest(session).is_some()));
        resumed
    }

    fn seat(&mut self, kept: &KeptSession) {
        let key = Key::Person(kept.jid.to_bare(), kept.nick.clone());
        let seat = Seat {
            key: key.clone(),
            cut: kept.cut,
            payload: kept.presence.clone(),
        };
        self.stage.seats.insert(kept.jid.clone(), seat);
        let known = self.stage.occupants.get(&key).cloned();
        let mut shown = known.unwrap_or_else(|| self.shown_of(kept));
        shown.seats.insert(kept.jid.clone());
        self.stage.set(&key, shown);
    }

    /// The occupant by this client session alone, which is not seated yet.
    fn shown_of(&self, kept: &KeptSession) -> Shown {
        Shown {
            face: person_face(&self.settings, &self.ids, &kept.jid, &kept.nick, &kept.presence),
            by: Some(kept.jid.clone()),
            seats: BTreeSet::new(),
        }
    }

    /// Members get the nicks that they were shown under, as far as these still fit.
    fn restore_members(
        &mut self,
        shown: &HashMap<String, ShownAs>,
        members: Vec<RoomMember>,
        total: usize,
        now: Timestamp,
    ) {
        let before: HashMap<MemberId, String> = members
            .iter()
            .map(|m| &m.member.id)
            .filter_map(|id| Some((id.clone(), shown.get(&self.ids.of_member(id))?.nick.clone())))
            .collect();
        let rule = self.settings.occupants;
        let book = (&mut self.book, &self.ids);
        self.members.update(Some((members, total)), rule, &before, book, now);
        for (id, member) in self.members.all_shown() {
            let face = member_face(&self.ids, id, member);
            self.stage.set(
                &Key::Member(id.clone()),
                Shown {
                    face,
                    by: None,
                    seats: BTreeSet::new(),
                },
            );
        }
    }

    /// Compares everybody on the stage with what was shown of them, and takes them out of `shown`: the changes of nick, and who
    /// is to be shown anew.
    fn differences(&mut self, shown: &mut HashMap<String, ShownAs>) -> (Vec<Outgoing>, Vec<Key>) {
        let mut renamed = Vec::new();
        let mut here = Vec::new();
        let keys: Vec<Key> = self.stage.occupants.keys().cloned().collect();
        let texts: HashSet<String> = keys.iter().map(|key| key_text(&self.ids, key)).collect();
        let mut orphans: HashMap<String, Vec<String>> = HashMap::new();
        for text in shown.keys().filter(|text| !texts.contains(*text)) {
            let id = text.split('/').next().unwrap_or_default().to_owned();
            orphans.entry(id).or_default().push(text.clone());
        }
        for key in keys {
            let text = key_text(&self.ids, &key);
            let old = shown.remove(&text).or_else(|| {
                // A change of nick that nobody was told of.
                let Key::Person(who, _) = &key else { return None };
                let orphan = orphans.get_mut(&self.ids.of_person(who))?.pop()?;
                let old = shown.remove(&orphan);
                self.stage.forget(Key::Former(orphan));
                old
            });
            if let Some(old) = &old {
                self.follow(&key, old);
            }
            let face = self.stage.occupants[&key].face.clone();
            match old {
                Some(old) if old == shown_as(&face) => self.stage.unchanged(&key),
                Some(old) if old.nick != face.nick => {
                    let old = former_face(&self.ids, &key, &old);
                    let old = Face {
                        occupant_id: face.occupant_id.clone(),
                        jid: face.jid.clone(),
                        ..old
                    };
                    renamed.extend(self.showing().tell_rename(&key, &old, &face.nick));
                    here.push(key);
                }
                _ => here.push(key),
            }
        }
        (renamed, here)
    }

    /// Of several client sessions, the one whose presence was shown is shown again.
    fn follow(&mut self, key: &Key, old: &ShownAs) {
        let shown = &self.stage.occupants[key];
        if shown.seats.len() < 2 || shown_as(&shown.face) == *old {
            return;
        }
        let faces = shown.seats.iter().filter_map(|session| {
            let payload = &self.stage.seats.get(session)?.payload;
            let face = person_face(&self.settings, &self.ids, session, &shown.face.nick, payload);
            (shown_as(&face) == *old).then_some((session, face))
        });
        if let Some((session, face)) = faces.into_iter().next() {
            let mut shown = shown.clone();
            shown.by = Some(session.clone());
            shown.face = face;
            self.stage.set(key, shown);
        }
    }

    fn showing(&mut self) -> Showing<'_> {
        Showing {
            settings: &self.settings,
            ids: &self.ids,
            stage: &mut self.stage,
        }
    }
}

/// A join for a session that did not get all of its own before the break.
fn rejoin(kept: &KeptSession) -> Change {
    Change::Join {
        session: kept.jid.clone(),
        nick: kept.nick.clone(),
        id: None,
        history: kept.history,
        presence: kept.presence.clone(),
        again: true,
    }
}

/// Somebody as they were shown before a restart.
fn former_face(ids: &Ids, key: &Key, old: &ShownAs) -> Face {
    let occupant_id = match key {
        Key::Former(text) => text.split('/').next().unwrap_or_default().to_owned(),
        Key::Person(..) | Key::Member(_) => String::new(),
    };
    Face {
        nick: old.nick.clone(),
        address: ids.address(&old.nick),
        affiliation: Affiliation::parse(&old.affiliation).unwrap_or(Affiliation::None),
        role: Role::parse(&old.role).unwrap_or(Role::Participant),
        jid: None,
        name: None,
        occupant_id,
        payload: String::new(),
    }
}
