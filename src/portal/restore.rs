//! Starting over: after a restart of the task, and with each new connection.

use std::collections::HashSet;

use anyhow::Context;

use super::backlog::{Backlog, Extra};
use super::reflect::MAX_MISSED;
use super::told::Untold;
use super::turn::Portal;
use crate::model::{MemberId, Seq};
use crate::room::{Effect, Kept, KeptSession, Resumed, Room, ShownAs};
use crate::store::{ClientSession, RoomState, Shown};
use crate::xmpp::Link;

impl Portal {
    /// Takes the room back to what the store knows: who is here, what they were shown, which row they have. What differs is
    /// sent first; then every session gets the rows behind its mark.
    ///
    /// Without a connection nobody can be told, so nobody is removed: that waits for the next one.
    pub(super) async fn restore(&mut self, link: Option<Link>) -> anyhow::Result<()> {
        self.link = None;
        self.flight.clear();
        let store = self.wiring.store.clone();
        let landed = self.flight.settle(&store, self.id).await;
        self.landed(landed).await?;
        self.replies.clear();
        self.untold = Untold::default();
        let state = store.room_state(self.id).await;
        let state = state.context("cannot read the room's occupants")?;
        let edge = store.row_with_newer(self.id, MAX_MISSED).await?;
        let Marks { sent, far } = if self.room.acknowledges() {
            Marks {
                sent: state.confirmed,
                far: Vec::new(),
            }
        } else {
            marks(&state, edge)
        };
        let last = state.last.max(state.confirmed);
        self.backlog = Backlog::behind(sent, last);
        self.late_upto = last;
        let now = self.clock.now();
        self.room = Room::new(
            self.settings.room_named(self.groups.name()),
            &self.wiring.neighbours,
            *store.salt(),
            store.epoch(),
        );
        let ids = self.room.ids();
        let shown: HashSet<&str> = state.shown.iter().map(|(id, _)| id.as_str()).collect();
        let was_shown = |id: &MemberId| shown.contains(ids.of_member(id).as_str());
        self.groups.assume_spoke(was_shown, now);
        let members = self.groups.merged(now);
        let total = members.len();
        let Resumed {
            presences,
            ungreeted,
            mut effects,
        } = self.room.resume(kept(state), members, total, now);
        if link.is_none() {
            return Ok(());
        }
        self.link = link;
        self.replies.push_all(presences);
        for session in far {
            effects.extend(self.room.lost(&session, now).effects);
        }
        let mut writes = Vec::new();
        for effect in effects {
            if let Effect::Change(change) = effect {
                writes.extend(self.write_of(&change));
                // Before the rows: they are not for who goes.
                self.backlog.push_extra_behind(sent, Extra::Change(change));
            }
        }
        if !writes.is_empty() {
            let gone = store.commit(self.id, writes).await;
            gone.context("cannot commit who is no longer here")?;
        }
        for (change, cut) in ungreeted {
            self.backlog.push_extra_behind(cut, Extra::Change(change));
        }
        if let Some(subject) = self.unshown_subject.clone() {
            self.backlog.push_extra(Extra::Subject(subject));
        }
        Ok(())
    }
}

/// Where sessions stand.
struct Marks {
    /// What everybody certainly has.
    sent: Seq,
    /// Those who lack too much.
    far: Vec<jid::FullJid>,
}

/// A session has what was confirmed for the room, and what was said before it came. `edge`: who does not have this row lacks
/// too many.
fn marks(state: &RoomState, edge: Option<Seq>) -> Marks {
    let mut marks = Marks {
        sent: state.last.max(state.confirmed),
        far: Vec::new(),
    };
    // A session that was not greeted gets its whole join again, with history.
    for session in state.sessions.iter().filter(|session| session.greeted) {
        let mark = session.cut.max(state.confirmed);
        if edge.is_some_and(|edge| mark < edge) {
            marks.far.push(session.jid.clone());
        } else {
            marks.sent = marks.sent.min(mark);
        }
    }
    marks
}

/// What the store kept, in the words of the room: the two do not know each other.
fn kept(state: RoomState) -> Kept {
    let session = |session: ClientSession| KeptSession {
        jid: session.jid,
        nick: session.nick,
        cut: session.cut,
        greeted: session.greeted,
        presence: session.presence,
    };
    let shown = |shown: Shown| ShownAs {
        nick: shown.nick,
        role: shown.role,
        affiliation: shown.affiliation,
        digest: shown.digest,
    };
    Kept {
        sessions: state.sessions.into_iter().map(session).collect(),
        shown: state.shown.into_iter().map(|(id, face)| (id, shown(face))).collect(),
        remembered: state.remembered,
        subject: state.subject.map(|subject| (subject.nick, subject.text, subject.time)),
        puppets: state.puppets,
        heard: state.heard,
        stays_away: state.stays_away,
    }
}
