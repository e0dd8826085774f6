//! Showing what was committed: a step in, the stanzas that follow out.
//!
//! ```text
//!              ┌────────── Rename ──────────┐
//!              ▼                            │
//!  Join ──► seated ── Presence, rows, … ────┘
//!   ▲          │
//!   └─ again ──┤ Leave (itself, ghost, not allowed, farewell, destroyed)
//!              ▼
//!            gone
//! ```

mod enter;
mod members;

use jid::FullJid;
use xmpp_parsers::message::{Id, Message};
use xmpp_parsers::occupant_id::OccupantId;

use self::enter::Joining;
use super::settings::Settings;
use super::stage::{Key, Shown, Stage, Subject, person_face};
use crate::model::{Content, Row, Seq};
use crate::room::{Change, Leaving, Spoken, Step};
use crate::xmpp::Outgoing;
use crate::xmpp::render::presence::{About, Face, unavailable};
use crate::xmpp::render::{Ids, children, message};

/// The room while it shows something.
pub(super) struct Showing<'a> {
    pub(super) settings: &'a Settings,
    pub(super) ids: &'a Ids,
    pub(super) stage: &'a mut Stage,
}

impl Showing<'_> {
    pub(super) fn step(mut self, step: Step<'_>) -> Vec<Outgoing> {
        match step {
            Step::Row { row, late } => self.row(row, late),
            Step::RowTo { row, session, late } => {
                if !self.stage.seats.contains_key(session) {
                    return Vec::new();
                }
                vec![Outgoing::one(
                    message::row(self.ids, self.settings.language, row, late),
                    session.clone(),
                )]
            }
            Step::Change { change, history, cut } => self.change(change, history, cut),
            Step::Subject { nick, text, id, time } => {
                self.stage.subject = Some(Subject {
                    nick: nick.to_owned(),
                    text: text.to_owned(),
                    time,
                });
                self.everybody(message::subject(self.ids, nick, text, id, None))
            }
            Step::Ephemeral(spoken) => self.ephemeral(spoken),
        }
    }

    fn everybody(&self, message: Message) -> Vec<Outgoing> {
        if self.stage.seats.is_empty() {
            return Vec::new();
        }
        vec![Outgoing::many(message, self.stage.seats.keys().cloned())]
    }

    fn row(&self, row: &Row, late: bool) -> Vec<Outgoing> {
        let to: Vec<FullJid> = self
            .stage
            .seats
            .iter()
            .filter(|(_, seat)| seat.cut < row.seq)
            .map(|(session, _)| session.clone())
            .collect();
        if to.is_empty() {
            return Vec::new();
        }
        vec![Outgoing::many(
            message::row(self.ids, self.settings.language, row, late),
            to,
        )]
    }

    fn ephemeral(&self, spoken: &Spoken) -> Vec<Outgoing> {
        let Content::Stanza { id, children } = &spoken.content else {
            return Vec::new();
        };
        if !self.stage.seats.contains_key(&spoken.session) {
            return Vec::new();
        }
        let mut message = children::to_message(children);
        message.id = id.clone().map(Id);
        message.from = self.ids.occupant(&spoken.nick).map(Into::into);
        self.everybody(message.with_payload(OccupantId {
            id: self.ids.of_person(&spoken.session.to_bare()),
        }))
    }

    fn change(&mut self, change: &Change, history: &[Row], cut: Seq) -> Vec<Outgoing> {
        match change {
            Change::Join {
                session,
                nick,
                id,
                history: wanted,
                presence,
                again: _,
            } => self.join(&Joining {
                session,
                nick,
                id: id.as_deref(),
                wanted: *wanted,
                presence,
                history,
                cut,
            }),
            Change::Presence { session, presence } => self.presence(session, presence),
            Change::Leave { session, why } => self.leave(session, why),
            Change::Rename { who, by, old, new } => {
                let old = Key::Person(who.clone(), old.clone());
                let new_key = Key::Person(who.clone(), new.clone());
                self.rename(&old, &new_key, new, (&by.0, by.1.as_deref()))
            }
            Change::Members(changes) => self.members(changes),
            Change::Configuration => self.everybody(message::signal(self.ids, &[104])),
        }
    }

    fn presence(&mut self, session: &FullJid, payload: &str) -> Vec<Outgoing> {
        let Some(seat) = self.stage.seats.get_mut(session) else {
            return Vec::new();
        };
        payload.clone_into(&mut seat.payload);
        let key = seat.key.clone();
        self.lead(&key, session, payload);
        self.stage.show(self.settings, &key, Some((session, None)))
    }

    /// From now on others see the presence of this client session of an occupant.
    fn lead(&mut self, key: &Key, session: &FullJid, payload: &str) {
        let Some(shown) = self.stage.occupants.get(key) else {
            return;
        };
        let mut shown = shown.clone();
        shown.face = person_face(self.settings, self.ids, session, &shown.face.nick, payload);
        shown.by = Some(session.clone());
        self.stage.set(key, shown);
    }

    fn leave(&mut self, session: &FullJid, why: &Leaving) -> Vec<Outgoing> {
        let Some(shown) = self
            .stage
            .seats
            .get(session)
            .and_then(|s| self.stage.occupants.get(&s.key))
        else {
            return Vec::new();
        };
        let mut face = shown.face.clone();
        face.jid = Some(session.clone().into());
        let (code, payload, id): (&[u16], &str, Option<&str>) = match why {
            Leaving::Itself { presence, id } => (&[], presence, id.as_deref()),
            Leaving::Ghost => (&[333], "", None),
            Leaving::NotAllowed => (&[321], "", None),
            Leaving::Destroyed => (&[], "", None),
            Leaving::Farewell => (&[332], "", None),
        };
        let statuses: Vec<u16> = code.iter().copied().chain([110]).collect();
        let destroyed = *why == Leaving::Destroyed;
        let about = About {
            statuses: &statuses,
            with_jid: true,
            id,
            destroyed,
            ..About::default()
        };
        let mut out = vec![Outgoing::one(unavailable(&face, payload, &about), session.clone())];
        if destroyed || *why == Leaving::Farewell {
            // Everybody goes: telling each of the others would be a stanza for every pair.
            self.stand_up(session);
        } else {
            out.extend(self.unseat(session, code, payload));
        }
        out
    }

    /// Takes a client session out; others learn what that changes.
    fn unseat(&mut self, session: &FullJid, statuses: &[u16], payload: &str) -> Vec<Outgoing> {
        let Some((key, shown)) = self.stand_up(session) else {
            return Vec::new();
        };
        let Some(next) = shown.seats.first() else {
            let about = About {
                statuses,
                ..About::default()
            };
            let render = |about: &About<'_>| unavailable(&shown.face, payload, about);
            return self.stage.tell(self.settings, &key, render, &about, &[], None);
        };
        if shown.by.as_ref() != Some(session) {
            return Vec::new();
        }
        let other = self
            .stage
            .seats
            .get(next)
            .map(|s| s.payload.clone())
            .unwrap_or_default();
        self.lead(&key, next, &other);
        if other == shown.face.payload {
            return Vec::new();
        }
        self.stage.show(self.settings, &key, None)
    }

    /// Takes a client session out, and with the last one the occupant, whom nobody is told about yet.
    fn stand_up(&mut self, session: &FullJid) -> Option<(Key, Shown)> {
        let seat = self.stage.seats.remove(session)?;
        let mut shown = self.stage.remove(&seat.key)?;
        shown.seats.remove(session);
        if !shown.seats.is_empty() {
            self.stage.set(&seat.key, shown.clone());
        }
        Some((seat.key, shown))
    }

    fn rename(&mut self, old: &Key, new: &Key, nick: &str, by: (&FullJid, Option<&str>)) -> Vec<Outgoing> {
        let Some(shown) = self.stage.occupants.get(old).cloned() else {
            return Vec::new();
        };
        let mut out = self.tell_rename(old, &shown.face, nick);
        self.stage.remove(old);
        for session in &shown.seats {
            if let Some(seat) = self.stage.seats.get_mut(session) {
                seat.key = new.clone();
            }
        }
        let mut next = shown;
        if let Some(there) = self.stage.occupants.get(new) {
            next.seats.extend(there.seats.iter().cloned());
        }
        nick.clone_into(&mut next.face.nick);
        next.face.address = self.ids.address(nick);
        self.stage.set(new, next);
        out.extend(self.stage.show(self.settings, new, Some(by)));
        out
    }

    pub(in crate::room::hosted) fn tell_rename(&self, key: &Key, face: &Face, nick: &str) -> Vec<Outgoing> {
        let about = About {
            statuses: &[303],
            new_nick: Some(nick),
            ..About::default()
        };
        let render = |about: &About<'_>| unavailable(face, "", about);
        self.stage.tell(self.settings, key, render, &about, &[110], None)
    }
}
