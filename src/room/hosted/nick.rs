//! Changes of nick (XEP-0045 §7.6).

use std::time::Duration;

use jid::FullJid;
use xmpp_parsers::presence::Presence;
use xmpp_parsers::stanza_error::DefinedCondition;

use super::HostedRoom;
use super::texts::Text;
use crate::model::Timestamp;
use crate::room::{Admitted, Change, Effect};
use crate::xmpp::read;
use crate::xmpp::render::error::Refusal;

/// A person changes their nick at most once in this time.
const PACE: Duration = Duration::from_secs(5);

impl HostedRoom {
    /// All client sessions of the occupant go by the new nick from now on.
    pub(super) fn admit_rename(
        &mut self,
        session: &FullJid,
        new: &str,
        presence: Presence,
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        let who = session.to_bare();
        let Some(old) = self.book.guest(session).map(|guest| guest.nick.clone()) else {
            return Ok(Admitted::default());
        };
        self.may_use(session, new)?;
        if self.book.renamed_at(&who).is_some_and(|at| now.since(at) < PACE) {
            return Err(Refusal::wait(DefinedCondition::PolicyViolation).because(self.text(Text::SmallSteps)));
        }
        self.book.rename(&who, &old, new, now);
        let id = presence.id.clone();
        let payload = read::presence::payload(presence);
        let mut effects = vec![Effect::Change(Change::Rename {
            who,
            by: (session.clone(), id),
            old,
            new: new.to_owned(),
        })];
        // The presence of a change of nick carries a status of its own, which mostly is the old one.
        if let Some(guest) = self.book.guest_mut(session)
            && guest.presence != payload
        {
            guest.presence.clone_from(&payload);
            effects.push(Effect::Change(Change::Presence {
                session: session.clone(),
                presence: payload,
            }));
        }
        Ok(Admitted {
            effects,
            ..Admitted::default()
        })
    }
}
