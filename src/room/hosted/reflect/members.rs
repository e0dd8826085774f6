//! QQ members coming, going, and looking different.

use std::collections::BTreeSet;

use super::Showing;
use crate::room::MemberChange;
use crate::room::hosted::stage::{Key, Shown, member_face};
use crate::xmpp::Outgoing;
use crate::xmpp::render::presence::{About, Face, unavailable};

impl Showing<'_> {
    /// First everybody who goes or gives up a nick, then everybody who comes or takes one: nicks may change hands.
    pub(super) fn members(&mut self, changes: &[MemberChange]) -> Vec<Outgoing> {
        let mut out = Vec::new();
        let mut look = Vec::new();
        for change in changes {
            let key = Key::Member(change.id.clone());
            let old = self.stage.occupants.get(&key).map(|shown| shown.face.clone());
            let new = change.now.as_ref().map(|now| member_face(self.ids, &change.id, now));
            match (old, new) {
                (Some(old), None) => {
                    let about = About {
                        statuses: if change.kicked { &[307] } else { &[] },
                        actor: change.by.as_deref(),
                        ..About::default()
                    };
                    out.extend(self.gone(&key, &old, &about));
                }
                (Some(old), Some(new)) if old.nick != new.nick => {
                    out.extend(self.tell_rename(&key, &old, &new.nick));
                    self.stage.remove(&key);
                    look.push((key, new));
                }
                (Some(old), Some(new)) if old == new => {}
                (_, Some(new)) => look.push((key, new)),
                (None, None) => {}
            }
        }
        for (key, face) in look {
            self.stage.set(
                &key,
                Shown {
                    face,
                    by: None,
                    seats: BTreeSet::new(),
                },
            );
            out.extend(self.stage.show(self.settings, &key, None));
        }
        out
    }

    /// An occupant without client sessions goes.
    pub(in crate::room::hosted) fn gone(&mut self, key: &Key, face: &Face, about: &About<'_>) -> Vec<Outgoing> {
        self.stage.remove(key);
        let render = |about: &About<'_>| unavailable(face, "", about);
        self.stage.tell(self.settings, key, render, about, &[], None)
    }
}
