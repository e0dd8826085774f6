//! The hosted room: a complete MUC service (XEP-0045) for one room, as a state machine.
//!
//! Owned by the portal's task. Refuses to know the store, QQ, time and the network: stanzas and facts come in as values, what
//! follows goes out as values.
//!
//! Two layers of state. The *book* is who will be in the room when everything admitted so far has been shown; nicks are given out
//! by it. The *stage* is what the occupants have been told; [`HostedRoom::reflect`] alone moves it, in commit order.
//!
//! ```text
//!  stanza ─ admit ─► book ──► Effect ─ commit (portal) ─► Step ─ reflect ─► stage ──► stanzas
//! ```

pub mod archive;
mod disco;
mod forward;
mod ghosts;
mod invite;
mod iq;
mod join;
mod leave;
mod lists;
mod members;
mod message;
mod nick;
mod occupants;
mod private;
mod reflect;
mod resume;
mod retract;
mod settings;
mod stage;
mod texts;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jid::{BareJid, FullJid, Jid};
use tokio_xmpp::Stanza;
use xmpp_parsers::message::Id;
use xmpp_parsers::stanza_error::DefinedCondition;

use self::members::Members;
use self::occupants::Book;
use self::reflect::Showing;
use self::stage::Stage;
use self::texts::Text;
use crate::model::{Member, MemberId, Timestamp};
use crate::room::{Admitted, Change, Effect, Leaving, MemberChange, RoomMember, ShownAs, Step};
use crate::xmpp::render::Ids;
use crate::xmpp::render::error::Refusal;
use crate::xmpp::{Event, Outgoing};

pub use self::settings::Settings;

/// One hosted room.
#[derive(Debug)]
pub struct HostedRoom {
    settings: Settings,
    ids: Ids,
    book: Book,
    members: Members,
    stage: Stage,
}

impl HostedRoom {
    /// An empty room. `salt` makes occupant-ids: secret, and the same for ever. `epoch` makes stanza-ids and belongs to the store.
    pub fn new(settings: Settings, salt: [u8; 32], epoch: &str) -> Self {
        Self {
            ids: Ids::new(settings.jid.clone(), epoch, salt),
            settings,
            book: Book::default(),
            members: Members::default(),
            stage: Stage::default(),
        }
    }

    /// What makes and reads ids of this room; archive answers are rendered with it beside the room.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The configuration in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many client sessions are in the room, or about to be.
    pub fn sessions(&self) -> usize {
        self.book.len()
    }

    /// How many stanzas it costs, about, that somebody enters: everybody hears of them, and they of everybody.
    pub fn motion(&self) -> usize {
        self.book.len() + self.book.names()
    }

    /// A stanza to the room or to one of its occupants.
    pub fn admit(&mut self, event: Event, now: Timestamp) -> Admitted {
        let Event { from, to, stanza } = event;
        // Nothing of our own domain speaks to our rooms: that would be a loop.
        if to.to_bare() != self.settings.jid || from.domain() == self.settings.jid.domain() {
            return Admitted::default();
        }
        match stanza {
            Stanza::Presence(presence) => self.admit_presence(&from, &to, presence, now),
            Stanza::Message(message) => self.admit_message(&from, &to, message, now),
            Stanza::Iq(iq) => self.admit_iq(&from, &to, iq, now),
        }
    }

    /// The members of the room's groups as they are now; `total` counts those who are not listed too.
    pub fn members(&mut self, members: Vec<RoomMember>, total: usize, now: Timestamp) -> Admitted {
        let changes = self.members.update(
            Some((members, total)),
            self.settings.occupants,
            &HashMap::new(),
            (&mut self.book, &self.ids),
            now,
        );
        Self::member_effect(changes)
    }

    /// A member is about to speak: they are an occupant from now on, in an `active` room too. Call it before the row is
    /// committed, and commit the effect before the row.
    pub fn member_spoke(&mut self, member: &Member, now: Timestamp) -> Admitted {
        let change = self.members.spoke(member, (&mut self.book, &self.ids), now);
        Self::member_effect(change.into_iter().collect())
    }

    /// This member is being removed from the group by somebody: their disappearance from the next [`members`](Self::members)
    /// shows as a kick, by another member where that was told.
    pub fn member_kicked(&mut self, id: &MemberId, by: Option<&MemberId>) {
        self.members.kicked(id, by, (&self.book, &self.ids));
    }

    fn member_effect(changes: Vec<MemberChange>) -> Admitted {
        if changes.is_empty() {
            return Admitted::default();
        }
        Admitted::effect(Effect::Change(Change::Members(changes)))
    }

    /// The nick of a member; for one who is no occupant, the nick they would get: never one that somebody else goes by.
    pub fn nick_of(&self, id: &MemberId) -> String {
        self.members.nick_of(id, (&self.book, &self.ids))
    }

    /// Shows what was committed. Steps come in commit order.
    pub fn reflect(&mut self, step: Step<'_>) -> Vec<Outgoing> {
        Showing {
            settings: &self.settings,
            ids: &self.ids,
            stage: &mut self.stage,
        }
        .step(step)
    }

    /// What the occupants have been shown since the last call, by opaque keys: how somebody looks now, `None` for who is gone.
    pub fn shown_changes(&mut self) -> Vec<(String, Option<ShownAs>)> {
        self.stage.changes(&self.ids)
    }

    /// Takes new settings without anybody leaving, but for those who may not be here any more.
    pub fn configure(&mut self, settings: Settings, now: Timestamp) -> Admitted {
        let old = std::mem::replace(&mut self.settings, settings);
        let new = &self.settings;
        let mut effects = Vec::new();
        if (&old.name, &old.description, old.language) != (&new.name, &new.description, new.language) {
            effects.push(Effect::Change(Change::Configuration));
        }
        effects.extend(self.turn_out(now));
        let restanding = self.book.occupants().filter_map(|(who, _, sessions)| {
            let session = sessions.first()?;
            (old.standing(who) != self.settings.standing(who)).then(|| {
                Effect::Change(Change::Presence {
                    session: session.clone(),
                    presence: self.book.guest(session).map(|g| g.presence.clone()).unwrap_or_default(),
                })
            })
        });
        effects.extend(restanding);
        let changes = self.members.update(
            None,
            self.settings.occupants,
            &HashMap::new(),
            (&mut self.book, &self.ids),
            now,
        );
        effects.extend(Self::member_effect(changes).effects);
        Admitted {
            effects,
            ..Admitted::default()
        }
    }

    /// Everybody leaves: `Leaving::Destroyed` when the row was removed, `Leaving::Farewell` when the gateway stops with a word.
    pub fn close(&mut self, why: &Leaving, now: Timestamp) -> Admitted {
        let all: Vec<_> = self.book.sessions().map(|(session, _)| session.clone()).collect();
        let mut admitted = Admitted::default();
        for session in all {
            self.book.leave(&session, now);
            admitted.effects.push(Effect::Change(Change::Leave {
                session,
                why: why.clone(),
            }));
        }
        admitted
    }

    /// Tells an author that a message did not reach QQ, or perhaps did not: a message error with their own id, by which clients
    /// mark the line. `why` is for people to read, in the room's language.
    pub fn undelivered(&self, session: &FullJid, id: Option<&str>, why: String) -> Outgoing {
        let refusal =
            Refusal::wait(DefinedCondition::RecipientUnavailable).because((self.settings.language.tag(), why));
        let room: Jid = self.settings.jid.clone().into();
        let id = id.map(|id| Id(id.to_owned()));
        refusal.message(&self.settings.jid, &room, &session.clone().into(), id)
    }

    /// Those who may not be here any more.
    fn turn_out(&mut self, now: Timestamp) -> Vec<Effect> {
        let out: Vec<_> = self
            .book
            .sessions()
            .map(|(session, _)| session)
            .filter(|session| !self.settings.may_enter(&session.to_bare()))
            .cloned()
            .collect();
        out.into_iter()
            .map(|session| {
                self.book.leave(&session, now);
                Effect::Change(Change::Leave {
                    session,
                    why: Leaving::NotAllowed,
                })
            })
            .collect()
    }

    fn text(&self, text: Text) -> (&'static str, &'static str) {
        text.in_language(self.settings.language)
    }

    /// The refusal for somebody who may not know the room, or nothing for those who may.
    fn stranger(&self, who: &BareJid) -> Option<Refusal> {
        if self.settings.may_enter(who) {
            return None;
        }
        Some(Refusal::auth(DefinedCondition::Forbidden).because(self.text(Text::NotAllowed)))
    }
}
