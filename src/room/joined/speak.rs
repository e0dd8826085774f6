//! Saying what members said: by their puppets, else by the listener; one thing after the other.

use std::time::Duration;

use jid::Jid;

use super::entry::NotNow;
use super::listener::Place;
use super::mouth::{Flight, Mouth, Saying, Voice};
use super::puppets::{self, Puppets};
use super::{JoinedRoom, texts};
use crate::model::{Author, Content, GroupNumber, MemberId, Seq, Timestamp};
use crate::room::{Aside, Effect};
use crate::xmpp::render::message::visiting;
use crate::xmpp::render::{Ids, Names, visit};

/// The room shows what was said within this time, or it is asked.
const SHOWN_WITHIN: Duration = Duration::from_secs(20);
/// A pace that asks for a longer wait before somebody may enter: the listener speaks for them.
const MAY_WAIT: Duration = Duration::from_secs(3);
/// So many tries by the puppet, then the listener says it; so many in all, then it is given up.
const BY_PUPPET: u32 = 3;
pub(super) const IN_ALL: u32 = 6;
/// What was left out is told after this, if nothing is said before.
const LEFT_OUT: Duration = Duration::from_secs(5);
/// Speakers who may enter ahead of their words.
const AHEAD: usize = 16;

/// What becomes of the first row.
enum Plan {
    /// It is said, or there is nothing to say.
    Done,
    /// It waits for something that will be heard of, or for the clock.
    Wait,
    /// It is to be said.
    Say(Voice),
    /// It was said, and not shown.
    Doubt,
}

/// How a row is said that may have to wait.
enum Turn {
    Say(Voice),
    Wait,
    /// Nobody may say it.
    Silent,
}

/// The names of the room that is visited.
struct Theirs<'a> {
    ids: &'a Ids,
    mouth: &'a Mouth,
    saying: &'a Saying,
    puppets: &'a Puppets,
}

impl Names for Theirs<'_> {
    fn address(&self, nick: &str) -> Jid {
        self.ids.address(nick)
    }

    fn stanza_id(&self, row: Seq) -> Option<String> {
        Some(self.mouth.called(self.saying, row)?.id.clone())
    }

    fn occupant_id(&self, member: &MemberId) -> Option<String> {
        self.puppets.get(member)?.occupant.clone()
    }
}

impl JoinedRoom {
    /// Says what can be said now.
    pub(super) fn go_on(&mut self) {
        self.wake = None;
        self.keep_heard();
        while self.mouth.peek().is_some() {
            match self.plan() {
                Plan::Done => self.done(),
                Plan::Wait => break,
                Plan::Doubt => {
                    self.doubt_shown();
                    break;
                }
                Plan::Say(voice) => {
                    if let Err(when) = self.may_say() {
                        self.wake_at(when);
                        break;
                    }
                    if !self.utter(voice) {
                        self.done();
                    }
                }
            }
        }
        self.enter_ahead();
        let at_home = matches!(self.listener.place, Place::In) && !self.returning;
        if self.left_out > 0 && at_home && self.mouth.peek().is_none() {
            if self.now >= self.left_out_told {
                self.tell_left_out();
            } else {
                self.wake_at(self.left_out_told);
            }
        }
    }

    /// The first row is not said, and it is counted where it has words.
    fn left_out(&mut self) -> Plan {
        if self
            .mouth
            .peek()
            .is_some_and(|front| matches!(front.row.content, Content::Parts(_)))
        {
            self.left_out += 1;
            self.left_out_told = self.now.plus(LEFT_OUT);
        }
        Plan::Done
    }

    fn tell_left_out(&mut self) {
        if self.left_out > 0 {
            let n = std::mem::take(&mut self.left_out);
            self.out.effects.push(Effect::Aside(Aside::NotSaid(n)));
        }
    }

    /// When something is due that only the clock tells.
    pub(super) fn mouth_due(&self) -> Option<Timestamp> {
        let inside = matches!(self.listener.place, Place::In);
        let flight = self
            .mouth
            .peek()
            .and_then(|front| front.flight.as_ref())
            .filter(|_| inside);
        self.wake.or(flight.map(|flight| flight.at.plus(SHOWN_WITHIN)))
    }

    fn wake_at(&mut self, when: Timestamp) {
        self.wake = Some(self.wake.map_or(when, |wake| wake.min(when)));
    }

    fn may_say(&mut self) -> Result<(), Timestamp> {
        self.tempo.may_say(self.now)?;
        self.neighbour.may_say(self.now)
    }

    pub(super) fn done(&mut self) {
        if let Some(saying) = self.mouth.pop() {
            self.out.effects.push(Effect::Said(saying.row.seq));
        }
    }

    fn plan(&mut self) -> Plan {
        let Some(front) = self.mouth.peek() else {
            return Plan::Wait;
        };
        let (seq, time) = (front.row.seq, front.row.time);
        if let Some(flight) = &front.flight {
            let late = self.now.since(flight.at) >= SHOWN_WITHIN && matches!(self.listener.place, Place::In);
            return if late { Plan::Doubt } else { Plan::Wait };
        }
        let seen = self.seen.remove(&seq);
        // Rows come in order: what was seen of earlier ones is of no more use.
        self.seen.retain(|other, _| *other > seq);
        if let Some((id, by_listener)) = seen {
            self.named(seq, id, by_listener);
            return Plan::Done;
        }
        let Some(speaker) = self.mouth.peek().and_then(|front| speaker(&self.mouth, front)) else {
            return Plan::Done;
        };
        // What an absence left is known when the listener is back.
        let counted = matches!(self.listener.place, Place::In) && !self.returning;
        if (counted && seq <= self.left_out_upto) || self.now.since(time) > self.settings.to_room_within {
            return self.left_out();
        }
        if !matches!(self.listener.place, Place::In) || self.returning {
            return Plan::Wait;
        }
        self.tell_left_out();
        let Some(front) = self.mouth.peek() else {
            return Plan::Wait;
        };
        if front.tries >= IN_ALL {
            let text = texts::given_up(&front.row.nick);
            self.alert("given up", &text);
            return self.left_out();
        }
        // Nobody can react, or take words back, for somebody else.
        let may_listener = speaker == Speaker::Listener || matches!(front.row.content, Content::Parts(_));
        let by_listener = front.not_by_puppet || front.tries >= BY_PUPPET;
        let turn = match speaker {
            Speaker::Listener => Turn::Say(Voice::Listener),
            // Nobody speaks for whom a moderator does not want to hear.
            Speaker::Member(id, _) if self.is_silenced(&id) => Turn::Silent,
            Speaker::Member(_, _) if by_listener => Turn::Say(Voice::Listener),
            Speaker::Member(id, group) => self.turn_of(&id, group),
        };
        match turn {
            Turn::Say(Voice::Listener) if !may_listener => Plan::Done,
            Turn::Say(voice) => Plan::Say(voice),
            Turn::Wait => Plan::Wait,
            Turn::Silent => Plan::Done,
        }
    }

    fn is_silenced(&self, id: &MemberId) -> bool {
        let silenced = self.puppets.get(id).and_then(|puppet| puppet.silenced);
        silenced.is_some_and(|until| self.now < until)
    }

    /// By whom a member's words are said now.
    fn turn_of(&mut self, id: &MemberId, group: GroupNumber) -> Turn {
        if !self.settings.puppets {
            return Turn::Say(Voice::Listener);
        }
        let now = self.now;
        if self.puppets.get(id).is_none() {
            let jid = self.settings.puppet(group, id);
            self.puppets.insert(id.clone(), puppets::newcomer(group, jid, now));
        }
        let Some(puppet) = self.puppets.get_mut(id) else {
            return Turn::Say(Voice::Listener);
        };
        puppet.silenced = puppet.silenced.filter(|until| now < *until);
        if puppet.silenced.is_some() {
            return Turn::Silent;
        }
        match puppet.place {
            puppets::Place::In => return Turn::Say(Voice::Puppet(id.clone())),
            puppets::Place::Entering { .. } => return Turn::Wait,
            puppets::Place::Out | puppets::Place::Unsure => {}
        }
        let Some(member) = self.members.get(id).cloned() else {
            return Turn::Say(Voice::Listener);
        };
        match self.puppet_enters(id, &member) {
            Ok(()) => Turn::Wait,
            Err(NotNow::At(when)) if when.since(now) <= MAY_WAIT => {
                self.wake_at(when);
                Turn::Wait
            }
            Err(NotNow::At(_) | NotNow::ByListener) => Turn::Say(Voice::Listener),
        }
    }

    /// Speakers of the next rows enter while the first is said.
    fn enter_ahead(&mut self) {
        if !matches!(self.listener.place, Place::In) || self.returning {
            return;
        }
        let next: Vec<(MemberId, GroupNumber)> = self
            .mouth
            .waiting()
            .take(AHEAD)
            .filter(|saying| matches!(saying.row.content, Content::Parts(_)) && saying.row.seq > self.left_out_upto)
            .filter_map(|saying| match &saying.row.author {
                Author::Member { group, id } => Some((id.clone(), *group)),
                _ => None,
            })
            .collect();
        for (id, group) in next {
            // Who cannot enter now is asked again when it is their turn.
            self.turn_of(&id, group);
        }
    }

    /// Says the first row. `false`: there is nothing to say.
    fn utter(&mut self, voice: Voice) -> bool {
        let Some(front) = self.mouth.peek() else { return true };
        let by = match &voice {
            Voice::Puppet(id) => self.puppets.get(id).map(|puppet| puppet.jid.clone()),
            Voice::Listener => Some(self.listener.jid.clone()),
        };
        let Some(by) = by else { return false };
        let nick = &*front.row.nick;
        let speaker = (voice == Voice::Listener && !nick.is_empty()).then_some(nick);
        let names = Theirs {
            ids: &self.ids,
            mouth: &self.mouth,
            saying: front,
            puppets: &self.puppets,
        };
        let id = self.ids.stanza_id(front.row.seq);
        let language = self.settings.language;
        let said = visiting(&names, language, &front.row, &by, (&id, speaker, front.late));
        let Some(message) = said else { return false };
        self.out
            .replies
            .push(visit::groupchat(&by, &self.settings.jid, &id, message));
        if let Voice::Puppet(id) = &voice
            && let Some(puppet) = self.puppets.get_mut(id)
        {
            puppet.active = self.now;
        }
        let at = self.now;
        if let Some(front) = self.mouth.front() {
            front.flight = Some(Flight { by: voice, at });
        }
        true
    }
}

/// Whose words a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Speaker {
    Listener,
    Member(MemberId, GroupNumber),
}

/// Who has to say a row; nobody when it was said in the room itself, or is about what was.
fn speaker(mouth: &Mouth, saying: &Saying) -> Option<Speaker> {
    match (&saying.row.author, &saying.row.content) {
        (_, Content::Stanza { .. } | Content::Tombstone { .. }) | (Author::Guest(_) | Author::Occupant(_), _) => None,
        // Only who said something can take it back.
        (author, Content::Retraction { row, .. }) => {
            let called = mouth.called(saying, *row)?;
            if called.by_listener {
                return Some(Speaker::Listener);
            }
            let group = match author {
                Author::Member { group, .. } => *group,
                _ => GroupNumber(0),
            };
            Some(Speaker::Member(called.member.clone()?, group))
        }
        (Author::Member { group, id }, _) => Some(Speaker::Member(id.clone(), *group)),
        (Author::Room, Content::Notice(_)) => Some(Speaker::Listener),
        _ => None,
    }
}
