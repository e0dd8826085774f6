//! A joined room: somebody else's MUC (XEP-0045) that the gateway visits, as a state machine.
//!
//! One *listener* enters first and reads the room for all. Each QQ member who speaks gets a *puppet*, a visitor of its own; where
//! that cannot be, the listener speaks for them. Owned by the portal's task; refuses to know the store, QQ and the network: stanzas,
//! rows and the time come in as values, what follows goes out as values.
//!
//! ```text
//!  stanza ─ admit ─► listener, puppets ──► overheard words ─ commit (portal) ─► QQ
//!  row ── reflect ─► mouth ─ a visitor says it ─► the room shows it ─ admit ─► said
//! ```
//!
//! The neighbour's server, its limits and its moderators come first: one thing is said at a time, at a pace; who was removed stays
//! away; whoever is refused waits.

mod entry;
mod grants;
mod hear;
mod listener;
mod mouth;
mod neighbour;
mod pace;
mod presence;
mod private;
mod puppets;
mod reading;
mod settings;
mod shown;
mod speak;
mod tempo;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::HashMap;

use jid::Jid;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::MessageType;

use self::listener::{Listener, Place};
use self::mouth::Mouth;
use self::puppets::Puppets;
use self::tempo::Tempo;
use super::{Admitted, Aside, Effect, Kept, Leaving, RoomMember, Trouble};
use crate::model::{Author, Called, Content, Heard, Member, MemberId, Part, Row, Seq, Timestamp, nick};
use crate::xmpp::Event;
use crate::xmpp::render::{Ids, visit};

pub use self::neighbour::{Neighbour, Neighbours};
pub use self::settings::Settings;

/// The room's clock and ours may be apart so far. What is read twice for it is known by its id.
const CLOCKS_APART: std::time::Duration = std::time::Duration::from_secs(30);

/// One joined room.
#[derive(Debug)]
pub struct JoinedRoom {
    settings: Settings,
    ids: Ids,
    neighbour: Neighbour,
    listener: Listener,
    occupants: HashMap<String, Occupant>,
    puppets: Puppets,
    members: HashMap<MemberId, Member>,
    mouth: Mouth,
    tempo: Tempo,
    heard: Option<Heard>,
    /// What was heard since something is on its way: until that is shown, reading up begins before it.
    heard_ahead: Option<Heard>,
    /// Rows up to this one are too many to be said, after a long absence.
    left_out_upto: Seq,
    left_out: usize,
    /// When that is told, if nothing is said before.
    left_out_told: Timestamp,
    /// It is not known yet how many rows waited during an absence.
    returning: bool,
    /// Rows of ours that the room's past showed before they came to be said again: what it calls them, and whether the listener
    /// said them.
    seen: HashMap<Seq, (Option<String>, bool)>,
    /// When something can be said again.
    wake: Option<Timestamp>,
    /// Who was told something in private, and when.
    privately: HashMap<String, Timestamp>,
    /// What the admins were told of, and when.
    told: HashMap<&'static str, Timestamp>,
    serial: u64,
    now: Timestamp,
    out: Admitted,
}

/// Somebody in the room, as the listener sees them.
#[derive(Debug, Clone, Default)]
struct Occupant {
    id: Option<String>,
    jid: Option<Jid>,
}

impl JoinedRoom {
    /// A room that nobody of ours is in. `salt` and `epoch` as for a hosted one: ids of what we say are made of them.
    pub fn new(settings: Settings, neighbour: Neighbour, salt: [u8; 32], epoch: &str) -> Self {
        Self {
            ids: Ids::new(settings.jid.clone(), epoch, salt),
            listener: Listener::new(settings.listener(), settings.nick.clone()),
            settings,
            neighbour,
            occupants: HashMap::new(),
            puppets: Puppets::default(),
            members: HashMap::new(),
            mouth: Mouth::default(),
            tempo: Tempo::default(),
            heard: None,
            heard_ahead: None,
            left_out_upto: Seq::default(),
            left_out: 0,
            left_out_told: Timestamp::default(),
            returning: false,
            seen: HashMap::new(),
            wake: None,
            privately: HashMap::new(),
            told: HashMap::new(),
            serial: 0,
            now: Timestamp::default(),
            out: Admitted::default(),
        }
    }

    /// What makes the ids of what we say.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// People in the room who are none of ours.
    pub fn people(&self) -> usize {
        let ours =
            |(nick, occupant): &(&String, &Occupant)| self.ours(nick, occupant.id.as_deref(), occupant.jid.as_ref());
        self.occupants.iter().filter(|occupant| !ours(occupant)).count()
    }

    /// Takes up what the store kept. The room is entered at the next [`tick`](Self::tick).
    pub fn resume(&mut self, kept: Kept, members: Vec<RoomMember>, now: Timestamp) {
        self.now = now;
        self.heard = kept.heard;
        for puppet in kept.puppets {
            let jid = self.settings.puppet(puppet.group, &puppet.member);
            let (id, puppet) = puppets::kept(puppet, jid, now);
            self.puppets.insert(id, puppet);
        }
        self.listener.place = Place::Away { until: now };
        if let Some(away) = kept.stays_away.filter(|away| away.until > now) {
            self.listener.place = Place::Away { until: away.until };
            self.listener.trouble = Some(Trouble::NeedsOperator(away.why));
        }
        self.members = by_id(members);
    }

    /// A stanza from the room to the listener or to a puppet.
    pub fn admit(&mut self, event: Event, now: Timestamp) -> Admitted {
        self.now = now;
        let Event { from, to, stanza } = event;
        if from.to_bare() == self.settings.jid {
            if to == self.listener.jid {
                self.for_listener(&from, stanza);
            } else if let Some(id) = self.puppets.at(&to.to_bare()).cloned() {
                self.for_puppet(&id, &from, stanza);
            }
            self.go_on();
        }
        self.take_out()
    }

    fn for_listener(&mut self, from: &Jid, stanza: Stanza) {
        self.listener.sign = self.now;
        match stanza {
            Stanza::Presence(presence) => self.listener_presence(from, &presence),
            Stanza::Message(message) => self.listener_message(from, message),
            // Answers of other occupants are passed on by rooms as well.
            Stanza::Iq(_) if !by_room(from, Some(&self.listener.nick)) => {}
            Stanza::Iq(Iq::Result { id, payload, .. }) => self.answered(&id, Ok(payload)),
            Stanza::Iq(Iq::Error { id, error, .. }) => self.answered(&id, Err(error)),
            Stanza::Iq(_) => {}
        }
    }

    fn for_puppet(&mut self, id: &MemberId, from: &Jid, stanza: Stanza) {
        match stanza {
            Stanza::Presence(presence) => self.puppet_presence(id, from, &presence),
            Stanza::Message(message) if message.type_ == MessageType::Error => self.bounced(from, &message),
            Stanza::Message(message) => self.private_word(from, &message, false),
            Stanza::Iq(_) => {}
        }
    }

    /// A row to say, when its turn has come. `names` is how the room calls the rows of [`about`].
    pub fn say(&mut self, row: &Row, late: bool, names: HashMap<Seq, Called>, now: Timestamp) {
        self.now = now;
        self.mouth.push(row.clone(), late, names);
        self.wake = Some(now);
    }

    /// How many rows it takes now.
    pub fn capacity(&self) -> usize {
        if matches!(self.listener.place, Place::In) {
            self.mouth.capacity()
        } else {
            // Where rows wait in the store they cost nothing.
            usize::from(self.mouth.peek().is_none())
        }
    }

    /// When [`tick`](Self::tick) has something to do.
    pub fn due(&self) -> Option<Timestamp> {
        let listener = self.listener.due();
        let mouth = self.mouth_due();
        let puppets = self.puppets_due();
        [listener, mouth, puppets].into_iter().flatten().min()
    }

    /// Time passed.
    pub fn tick(&mut self, now: Timestamp) -> Admitted {
        self.now = now;
        self.listener_step();
        self.puppets_step();
        self.go_on();
        self.take_out()
    }

    /// Something was dropped on the way: nobody knows what. Everything is asked again.
    pub fn doubt(&mut self, now: Timestamp) {
        self.now = now;
        if !matches!(self.listener.place, Place::Away { .. }) {
            self.away(now);
        }
    }

    /// The answer to [`Effect::Returned`]: rows up to this one are too many to be said.
    pub fn leave_out(&mut self, upto: Seq, now: Timestamp) {
        self.left_out_upto = self.left_out_upto.max(upto);
        self.returning = false;
        self.wake = Some(now);
    }

    /// The members of the row's groups as they are now.
    pub fn members(&mut self, members: Vec<RoomMember>, now: Timestamp) -> Admitted {
        self.now = now;
        // An empty list is one that was never told.
        if !members.is_empty() {
            self.members = by_id(members);
            self.follow_members();
        }
        self.take_out()
    }

    /// The nick that a member has in the room, or would like to have.
    pub fn nick_of(&self, id: &MemberId) -> String {
        let puppet = self.puppets.get(id).filter(|puppet| puppet.counts());
        puppet
            .and_then(|puppet| puppet.nick.clone())
            .or_else(|| self.members.get(id).map(nick::of_member))
            .unwrap_or_else(|| id.to_string().trim_start_matches('=').to_owned())
    }

    /// Takes new settings. Where they are others, what waited for the operator is tried again.
    pub fn configure(&mut self, settings: Settings, now: Timestamp) -> Admitted {
        self.now = now;
        let old = std::mem::replace(&mut self.settings, settings);
        if old == self.settings {
            return Admitted::default();
        }
        if !self.settings.puppets {
            self.all_leave();
        }
        if old.nick != self.settings.nick {
            self.listener.wish = self.settings.nick.clone();
            self.listener.refused = 0;
            if self.listener.inside()
                && let Some(at) = self.settings.at(&self.settings.nick)
            {
                let id = self.next_id();
                self.out.replies.push(visit::rename(&self.listener.jid, &at, &id));
            }
        }
        self.no_longer_stays_away();
        self.take_out()
    }

    /// The operator looked at it: what waits, or was to stay away, is tried now.
    pub fn try_again(&mut self, now: Timestamp) -> Admitted {
        self.now = now;
        self.no_longer_stays_away();
        self.take_out()
    }

    fn no_longer_stays_away(&mut self) {
        if matches!(self.listener.place, Place::Away { .. }) {
            self.away(self.now);
            self.out.effects.push(Effect::StaysAway(None));
        }
    }

    /// Everybody of ours leaves: the row was removed, or the gateway says goodbye.
    pub fn close(&mut self, why: &Leaving, now: Timestamp) -> Admitted {
        self.now = now;
        self.all_leave();
        let word = match why {
            Leaving::Destroyed => texts::not_bridged(self.settings.language),
            _ => "",
        };
        if !matches!(self.listener.place, Place::Away { .. })
            && let Some(at) = self.settings.at(&self.listener.nick)
        {
            self.out.replies.push(visit::leave(&self.listener.jid, &at, word));
        }
        self.listener.place = Place::Away {
            until: Timestamp(i64::MAX),
        };
        self.take_out()
    }

    /// Why the room is not as it should be.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.listener.trouble.as_ref()
    }

    /// Whether an occupant is one of our visitors. By address, else by occupant-id; by nick alone only where the room has no ids.
    fn ours(&self, nick: &str, occupant: Option<&str>, jid: Option<&Jid>) -> bool {
        if jid.is_some_and(|jid| jid.domain() == self.listener.jid.domain()) {
            return true;
        }
        match occupant {
            Some(id) => self.listener.occupant.as_deref() == Some(id) || self.puppets.occupant(id).is_some(),
            None => (self.listener.inside() && self.listener.nick == nick) || self.puppets.named(nick).is_some(),
        }
    }

    /// A word to the admins; the same matter is not told again for an hour.
    fn alert(&mut self, matter: &'static str, text: &str) {
        let hour = std::time::Duration::from_secs(3600);
        if self.told.get(matter).is_some_and(|at| self.now.since(*at) < hour) {
            return;
        }
        self.told.insert(matter, self.now);
        let text = format!("room {}: {text}", self.settings.jid);
        self.out.effects.push(Effect::Aside(Aside::Admins(text)));
    }

    /// An id for a stanza of ours. They need not be secret: an answer counts only when the room sends it.
    fn next_id(&mut self) -> String {
        self.serial += 1;
        format!("v{:x}-{}", self.now.0, self.serial)
    }

    fn take_out(&mut self) -> Admitted {
        std::mem::take(&mut self.out)
    }
}

/// The rows that a row is about: how the room calls them is to be given with it.
pub fn about(row: &Row) -> Vec<Seq> {
    let answered = |parts: &[Part]| {
        parts.iter().find_map(|part| match part {
            Part::Reply(reply) => reply.answered.as_ref().map(|answered| answered.row),
            _ => None,
        })
    };
    match (&row.author, &row.content) {
        (Author::Member { .. } | Author::Room, Content::Parts(parts)) => answered(parts).into_iter().collect(),
        (_, Content::Retraction { row, .. } | Content::Reactions { row, .. }) => vec![*row],
        _ => Vec::new(),
    }
}

/// Whether the room itself says it: by its address, or by that of the occupant who asked.
fn by_room(from: &Jid, own: Option<&str>) -> bool {
    from.resource().is_none_or(|nick| Some(nick.as_str()) == own)
}

fn by_id(members: Vec<RoomMember>) -> HashMap<MemberId, Member> {
    let entry = |member: RoomMember| (member.member.id.clone(), member.member);
    members.into_iter().map(entry).collect()
}
