//! A join in its exact order (XEP-0045 §7.2.2, §7.2.14, §7.2.15): clients freeze, or take old words for new ones, when it is not kept.

use jid::FullJid;

use super::Showing;
use crate::model::{Row, Seq};
use crate::room::HistoryWanted;
use crate::room::hosted::stage::{Key, Seat, Shown, person_face};
use crate::xmpp::Outgoing;
use crate::xmpp::render::message;
use crate::xmpp::render::presence::{About, available};

/// A join as it is shown.
pub(super) struct Joining<'a> {
    pub(super) session: &'a FullJid,
    pub(super) nick: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) wanted: HistoryWanted,
    pub(super) presence: &'a str,
    pub(super) history: &'a [Row],
    pub(super) cut: Seq,
}

impl Showing<'_> {
    /// The join in its order: the others, then the joiner to the others, then the joiner to itself, history, subject.
    pub(super) fn join(&mut self, join: &Joining<'_>) -> Vec<Outgoing> {
        let session = join.session;
        let key = Key::Person(session.to_bare(), join.nick.to_owned());
        let mut out = Vec::new();
        if self.stage.seats.get(session).is_some_and(|seat| seat.key != key) {
            out = self.unseat(session, &[], "");
        }
        let mut face = person_face(self.settings, self.ids, session, join.nick, join.presence);
        let others = self.stage.occupants.iter().filter(|(k, _)| **k != key);
        let sees_jids = self.settings.is_owner(&session.to_bare());
        let about = About {
            with_jid: sees_jids,
            ..About::default()
        };
        out.extend(others.map(|(_, shown)| Outgoing::one(available(&shown.face, &about), session.clone())));

        let known = self.stage.occupants.get(&key);
        let first = known.is_none();
        // Of several client sessions the others see one; the rest of them changes nothing.
        let leading = known.is_none_or(|shown| shown.by.as_ref().is_none_or(|by| by == session));
        let changed = leading && known.is_some_and(|shown| shown.face.payload != face.payload);
        let mut shown = known.cloned().unwrap_or_else(|| Shown {
            face: face.clone(),
            by: Some(session.clone()),
            seats: std::iter::once(session.clone()).collect(),
        });
        shown.seats.insert(session.clone());
        if leading {
            shown.face.clone_from(&face);
            shown.by = Some(session.clone());
        } else {
            face.payload.clone_from(&shown.face.payload);
        }
        let seat = Seat {
            key: key.clone(),
            cut: join.cut,
            payload: join.presence.to_owned(),
        };
        self.stage.seats.insert(session.clone(), seat);
        let others_learn = first || changed;
        self.stage.set(&key, shown);
        if others_learn {
            let told = self.stage.show(self.settings, &key, None);
            out.extend(told.into_iter().filter_map(|o| without(o, session)));
        }
        let about = About {
            statuses: &[110],
            with_jid: true,
            id: join.id,
            ..About::default()
        };
        out.push(Outgoing::one(available(&face, &about), session.clone()));
        out.extend(self.history(join));
        let subject = match &self.stage.subject {
            Some(s) => message::subject(self.ids, &s.nick, &s.text, None, Some(s.time)),
            None => message::subject(self.ids, "", "", None, None),
        };
        out.push(Outgoing::one(subject, session.clone()));
        out
    }

    /// The newest rows that keep all limits, oldest first. The time says with which row it begins, and is no sieve: what comes
    /// behind that row was shown behind it, even when it was said before (in an outage of QQ, in a gap).
    fn history(&self, join: &Joining<'_>) -> Vec<Outgoing> {
        let mut left = join.wanted.maxchars.unwrap_or(usize::MAX);
        let mut newest = Vec::new();
        let begin = join
            .wanted
            .since
            .map_or(Some(0), |since| join.history.iter().position(|row| row.time >= since));
        let wanted = begin.map_or(&[][..], |begin| &join.history[begin..]);
        for row in wanted.iter().rev().take(join.wanted.maxstanzas) {
            let message = message::row(self.ids, self.settings.language, row, true);
            if join.wanted.maxchars.is_some() {
                let length = message::length(&message);
                if length > left {
                    break;
                }
                left -= length;
            }
            newest.push(Outgoing::one(message, join.session.clone()));
        }
        newest.reverse();
        newest
    }
}

/// The stanza for all of its recipients but one.
fn without(mut outgoing: Outgoing, session: &FullJid) -> Option<Outgoing> {
    outgoing.to.retain(|to| to != session);
    (!outgoing.to.is_empty()).then_some(outgoing)
}
