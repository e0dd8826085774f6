//! The listener: the visitor that enters first, reads the room and speaks when nobody else can.
//!
//! ```text
//!          time            answer           self-presence         all read
//!  away ─────────► asking ────────► entering ──────────► reading ──────────► in
//!   ▲                │ none            │ refused            │ none           │ removed, silent
//!   └────────────────┴─────────────────┴────────────────────┴────────────────┘
//! ```
//!
//! *Asking* is disco#info: it does not make a room that is not there, as entering would. *Reading* is in `reading.rs`.

use std::time::Duration;

use jid::FullJid;
use minidom::Element;
use xmpp_parsers::stanza_error::StanzaError;

use super::reading::Reading;
use super::{JoinedRoom, texts};
use crate::model::{StaysAway, Timestamp};
use crate::room::{Effect, Trouble};
use crate::xmpp::payload::muc_user::{Affiliation, Role};
use crate::xmpp::read::visit::{self as read, Refused};
use crate::xmpp::render::visit;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// A room that was silent for so long is asked whether the listener is still in (XEP-0410).
const QUIET: Duration = Duration::from_secs(300);
/// An absence that was longer than this may have left too much to say.
const LONG: Duration = Duration::from_secs(60);
/// Who was in for so long was let in for good.
const SETTLED: Duration = Duration::from_secs(600);
/// Waits between two tries of what may mend itself: the first, doubled up to the longest.
const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);

/// Where it stands.
#[derive(Debug)]
pub(super) enum Place {
    Away { until: Timestamp },
    Asking { id: String, until: Timestamp },
    Entering { id: String, until: Timestamp },
    Reading(Reading),
    In,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) jid: FullJid,
    pub(super) place: Place,
    /// The nick that it wants.
    pub(super) wish: String,
    /// The nick that it asks for, or has.
    pub(super) nick: String,
    /// How many nicks were refused in a row.
    pub(super) refused: usize,
    /// How often it failed to get in, or was thrown out, in a row.
    pub(super) failures: u32,
    /// The room keeps an archive that can be asked.
    pub(super) has_archive: bool,
    pub(super) occupant: Option<String>,
    pub(super) affiliation: Affiliation,
    pub(super) role: Role,
    /// When the room was last heard.
    pub(super) sign: Timestamp,
    ping: Option<(String, Timestamp)>,
    pub(super) trouble: Option<Trouble>,
    /// When it last was in the room and had heard all; never, or never since [`JoinedRoom::at_home`], is nothing.
    lost: Option<Timestamp>,
    /// Since when it is.
    home: Timestamp,
    /// The archive that the room speaks of cannot be read: history has to do, once.
    pub(super) archive_refused: bool,
}

impl Listener {
    pub(super) fn new(jid: FullJid, nick: String) -> Self {
        Self {
            jid,
            place: Place::Away {
                until: Timestamp::default(),
            },
            wish: nick.clone(),
            nick,
            refused: 0,
            failures: 0,
            has_archive: false,
            occupant: None,
            affiliation: Affiliation::None,
            role: Role::Participant,
            sign: Timestamp::default(),
            ping: None,
            trouble: Some(Trouble::Away("it is about to enter".to_owned())),
            lost: None,
            home: Timestamp::default(),
            archive_refused: false,
        }
    }

    /// Whether it is in the room.
    pub(super) fn inside(&self) -> bool {
        matches!(self.place, Place::Reading(_) | Place::In)
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        match &self.place {
            Place::Away { until } => (until.0 < i64::MAX).then_some(*until),
            Place::Asking { until, .. } | Place::Entering { until, .. } => Some(*until),
            Place::Reading(reading) => Some(reading.until),
            Place::In => Some(match &self.ping {
                Some((_, until)) => *until,
                None => self.sign.plus(QUIET),
            }),
        }
    }

    /// May make others members.
    pub(super) fn is_admin(&self) -> bool {
        matches!(self.affiliation, Affiliation::Owner | Affiliation::Admin)
    }
}

impl JoinedRoom {
    /// What is due by the clock.
    pub(super) fn listener_step(&mut self) {
        let now = self.now;
        match &self.listener.place {
            Place::Away { until } if now >= *until => match self.neighbour.may_knock(now) {
                Ok(()) => self.ask(),
                Err(when) => self.listener.place = Place::Away { until: when },
            },
            Place::Asking { until, .. } | Place::Entering { until, .. } if now >= *until => {
                self.unreachable("no answer");
            }
            Place::Reading(reading) if now >= reading.until => self.reading_late(),
            Place::In => match &self.listener.ping {
                Some((_, until)) if now >= *until => self.unreachable("it does not say whether the listener is in"),
                None if now >= self.listener.sign.plus(QUIET) => self.ask_self(),
                _ => {}
            },
            _ => {}
        }
    }

    fn ask(&mut self) {
        let id = self.next_id();
        let asked = visit::features(&self.listener.jid, &self.settings.jid, &id);
        self.out.replies.push(asked);
        self.listener.place = Place::Asking {
            id,
            until: self.now.plus(PATIENCE),
        };
    }

    fn ask_self(&mut self) {
        let Some(at) = self.settings.at(&self.listener.nick) else {
            return;
        };
        let id = self.next_id();
        self.out.replies.push(visit::ping(&self.listener.jid, &at, &id));
        self.listener.ping = Some((id, self.now.plus(PATIENCE)));
    }

    /// An answer to one of our requests.
    pub(super) fn answered(&mut self, id: &str, answer: Result<Option<Element>, StanzaError>) {
        if self.listener.ping.as_ref().is_some_and(|(ping, _)| ping == id) {
            self.listener.ping = None;
            self.told_of_self(answer.err());
            return;
        }
        match &self.listener.place {
            Place::Asking { id: asked, .. } if asked == id => match answer {
                Ok(payload) => {
                    self.neighbour.reached();
                    let has_archive = payload.as_ref().is_some_and(read::has_archive);
                    self.listener.has_archive = has_archive && !self.listener.archive_refused;
                    self.enter();
                }
                Err(error) => self.not_described(&Refused::of(&error)),
            },
            Place::Reading(reading) if reading.asked(id) => self.page_read(answer),
            _ => {
                if answer.is_err() {
                    self.grant_refused(id);
                }
            }
        }
    }

    /// What a self-ping's error means (XEP-0410 §3.2): only some say that one is out.
    fn told_of_self(&mut self, error: Option<StanzaError>) {
        let Some(error) = error else { return };
        let refused = Refused::of(&error);
        if refused.is_remote() {
            self.unreachable(&refused.condition);
        } else if refused.condition == "not-acceptable" {
            tracing::info!(room = %self.settings.jid, "the listener is not in the room any more");
            self.away(self.now);
        }
    }

    /// The room does not describe itself: often that is only a matter of privacy.
    fn not_described(&mut self, refused: &Refused) {
        match refused.condition.as_str() {
            _ if refused.is_remote() => self.unreachable(&refused.condition),
            "item-not-found" => {
                self.neighbour.reached();
                self.needs_operator("missing", texts::no_such_room());
            }
            "service-unavailable" => self.unreachable("there is no such service, or it is down"),
            _ => {
                self.neighbour.reached();
                self.listener.has_archive = false;
                self.enter();
            }
        }
    }

    /// It is in.
    pub(super) fn entered(&mut self) {
        self.neighbour.reached();
        self.listener.refused = 0;
        self.listener.trouble = None;
        self.listener.ping = None;
        tracing::info!(room = %self.settings.jid, nick = self.listener.nick, "entered");
        self.read_up();
    }

    /// It is in, and has heard all there was.
    pub(super) fn at_home(&mut self) {
        self.listener.place = Place::In;
        self.listener.home = self.now;
        self.listener.archive_refused = false;
        if self
            .listener
            .lost
            .take()
            .is_none_or(|lost| self.now.since(lost) >= LONG)
        {
            self.returning = true;
            self.out.effects.push(Effect::Returned);
        }
    }

    /// It is in, and is not sure of having heard all.
    pub(super) fn not_at_home(&mut self) {
        self.listener.lost = Some(self.now);
        self.read_up();
    }

    /// It is out, or must take itself for it: tries again then.
    pub(super) fn away(&mut self, until: Timestamp) {
        if matches!(self.listener.place, Place::In) {
            self.listener.lost = Some(self.now);
        }
        self.listener.place = Place::Away { until };
        self.listener.ping = None;
        self.occupants.clear();
        self.puppets.doubt();
    }

    /// Out by no fault of anybody: back soon, and ever later when that does not last.
    pub(super) fn thrown_out(&mut self, why: &str) {
        let wait = self.next_wait();
        self.listener.trouble = Some(Trouble::Away(why.to_owned()));
        self.away(self.now.plus(wait));
    }

    /// The server does not answer.
    pub(super) fn unreachable(&mut self, why: &str) {
        tracing::warn!(room = %self.settings.jid, why, "the server of the room cannot be reached");
        self.neighbour.unreachable(self.now);
        let next = self.neighbour.next_knock(self.now);
        self.listener.trouble = Some(Trouble::Away(format!("its server cannot be reached: {why}")));
        self.away(next);
    }

    /// Waits for the operator, and looks again now and then where looking disturbs nobody.
    pub(super) fn needs_operator(&mut self, matter: &'static str, what: String) {
        let wait = self.next_wait().max(Duration::from_secs(10));
        self.alert(matter, &what);
        self.listener.trouble = Some(Trouble::NeedsOperator(what));
        self.away(self.now.plus(wait));
    }

    /// Stays away until a reload: a moderator's word is the last.
    pub(super) fn stays_away(&mut self, matter: &'static str, what: String) {
        self.stays_away_until(Timestamp(i64::MAX), matter, what);
    }

    /// Stays away so long, also when the gateway starts anew meanwhile.
    pub(super) fn stays_away_until(&mut self, until: Timestamp, matter: &'static str, what: String) {
        self.needs_operator(matter, what.clone());
        self.listener.place = Place::Away { until };
        self.out
            .effects
            .push(Effect::StaysAway(Some(StaysAway { until, why: what })));
    }

    /// Ever longer, until the listener was in for a while: a room that throws it out each time is not rushed at.
    pub(super) fn next_wait(&mut self) -> Duration {
        if matches!(self.listener.place, Place::In) && self.now.since(self.listener.home) >= SETTLED {
            self.listener.failures = 0;
        }
        let doubled = FIRST.saturating_mul(1 << self.listener.failures.min(10));
        self.listener.failures = self.listener.failures.saturating_add(1);
        doubled.min(LONGEST)
    }
}
