//! A room of either kind, with one outside: who owns it need not know which it has.

use jid::{BareJid, FullJid};

use super::hosted::{self, HostedRoom};
use super::joined::{self, JoinedRoom, Neighbours};
use super::{Admitted, Kept, Leaving, Resumed, RoomMember, ShownAs, Step, Trouble};
use crate::model::{Author, Called, Member, MemberId, Row, Seq, Timestamp};
use crate::xmpp::render::Ids;
use crate::xmpp::{Event, Outgoing};

/// What the operator wants of a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Settings {
    /// On our own domain.
    Hosted(hosted::Settings),
    /// On somebody else's.
    Joined(joined::Settings),
}

impl Settings {
    /// The room.
    pub fn jid(&self) -> &BareJid {
        match self {
            Self::Hosted(settings) => &settings.jid,
            Self::Joined(settings) => &settings.jid,
        }
    }

    /// Whether stanzas of the room come from its address, and not to it.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Joined(_))
    }
}

/// A room.
#[derive(Debug)]
pub enum Room {
    /// See [`HostedRoom`].
    Hosted(Box<HostedRoom>),
    /// See [`JoinedRoom`].
    Joined(Box<JoinedRoom>),
}

impl Room {
    /// An empty room, or one that nobody of ours is in. `salt` and `epoch` are the store's.
    pub fn new(settings: Settings, neighbours: &Neighbours, salt: [u8; 32], epoch: &str) -> Self {
        match settings {
            Settings::Hosted(settings) => Self::Hosted(Box::new(HostedRoom::new(settings, salt, epoch))),
            Settings::Joined(settings) => {
                let neighbour = neighbours.of(settings.jid.domain().as_str());
                Self::Joined(Box::new(JoinedRoom::new(settings, neighbour, salt, epoch)))
            }
        }
    }

    /// What makes the ids of its rows.
    pub fn ids(&self) -> &Ids {
        match self {
            Self::Hosted(room) => room.ids(),
            Self::Joined(room) => room.ids(),
        }
    }

    /// How many client sessions, or people, are in it.
    pub fn sessions(&self) -> usize {
        match self {
            Self::Hosted(room) => room.sessions(),
            Self::Joined(room) => room.people(),
        }
    }

    /// How many stanzas it costs, about, that somebody enters or leaves.
    pub fn motion(&self) -> usize {
        match self {
            Self::Hosted(room) => room.motion(),
            // Its service tells everybody.
            Self::Joined(_) => 1,
        }
    }

    /// Whether it tells by [`Effect::Said`](super::Effect::Said) which rows were shown; else what the server took was shown.
    pub fn acknowledges(&self) -> bool {
        matches!(self, Self::Joined(_))
    }

    /// Whether somebody is an owner here.
    pub fn is_owner(&self, who: &BareJid) -> bool {
        match self {
            Self::Hosted(room) => room.settings().is_owner(who),
            Self::Joined(_) => false,
        }
    }

    /// A stanza of the room's.
    pub fn admit(&mut self, event: Event, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(room) => room.admit(event, now),
            Self::Joined(room) => room.admit(event, now),
        }
    }

    /// See [`HostedRoom::retracts`]. In a joined room stanzas name rows by ids that only the store knows.
    pub fn retracts(&self, event: &Event) -> Option<Seq> {
        match self {
            Self::Hosted(room) => room.retracts(event),
            Self::Joined(_) => None,
        }
    }

    /// See [`HostedRoom::admit_retraction`].
    pub fn admit_retraction(&mut self, event: Event, author: Option<&Author>, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(room) => room.admit_retraction(event, author, now),
            Self::Joined(room) => room.admit(event, now),
        }
    }

    /// See [`HostedRoom::answers`]. In a joined room stanzas name rows by ids that only the store knows.
    pub fn answers(&self, event: &Event) -> Option<Seq> {
        match self {
            Self::Hosted(room) => room.answers(event),
            Self::Joined(_) => None,
        }
    }

    /// The refusal of a stanza that cannot be looked into now. What somebody else's room sends has none.
    pub fn not_now(&self, event: &Event, why: &'static str) -> Option<Outgoing> {
        match self {
            Self::Hosted(room) => room.not_now(event, why),
            Self::Joined(_) => None,
        }
    }

    /// The members of the room's groups as they are now; `total` counts those who are not listed too.
    pub fn members(&mut self, members: Vec<RoomMember>, total: usize, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(room) => room.members(members, total, now),
            Self::Joined(room) => room.members(members, now),
        }
    }

    /// A member is about to speak.
    pub fn member_spoke(&mut self, member: &Member, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(room) => room.member_spoke(member, now),
            // Their puppet enters when their words come to be said.
            Self::Joined(_) => Admitted::default(),
        }
    }

    /// This member is being removed from the group.
    pub fn member_kicked(&mut self, id: &MemberId, by: Option<&MemberId>) {
        match self {
            Self::Hosted(room) => room.member_kicked(id, by),
            // To the room they only leave: who put them out is no moderator there.
            Self::Joined(_) => {}
        }
    }

    /// The nick of a member.
    pub fn nick_of(&self, id: &MemberId) -> String {
        match self {
            Self::Hosted(room) => room.nick_of(id),
            Self::Joined(room) => room.nick_of(id),
        }
    }

    /// The rows that a row is about, as far as their names are needed to show it.
    pub fn about(&self, row: &Row) -> Vec<Seq> {
        match self {
            Self::Hosted(_) => Vec::new(),
            Self::Joined(_) => joined::about(row),
        }
    }

    /// How many more rows it takes now.
    pub fn capacity(&self) -> usize {
        match self {
            Self::Hosted(_) => usize::MAX,
            Self::Joined(room) => room.capacity(),
        }
    }

    /// Shows what was committed. `names`: what somebody else's room calls the rows of [`about`](Self::about).
    pub fn reflect(
        &mut self,
        step: Step<'_>,
        names: std::collections::HashMap<Seq, Called>,
        now: Timestamp,
    ) -> Vec<Outgoing> {
        match (self, step) {
            (Self::Hosted(room), step) => room.reflect(step),
            (Self::Joined(room), Step::Row { row, late }) => {
                room.say(row, late, names, now);
                Vec::new()
            }
            // The rest is a room's own business.
            (Self::Joined(_), _) => Vec::new(),
        }
    }

    /// When [`tick`](Self::tick) has something to do.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Hosted(_) => None,
            Self::Joined(room) => room.due(),
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(_) => Admitted::default(),
            Self::Joined(room) => room.tick(now),
        }
    }

    /// What the occupants have been shown since the last call.
    pub fn shown_changes(&mut self) -> Vec<(String, Option<ShownAs>)> {
        match self {
            Self::Hosted(room) => room.shown_changes(),
            Self::Joined(_) => Vec::new(),
        }
    }

    /// Takes new settings; of the kind that the room has.
    pub fn configure(&mut self, settings: Settings, now: Timestamp) -> Admitted {
        match (self, settings) {
            (Self::Hosted(room), Settings::Hosted(settings)) => room.configure(settings, now),
            (Self::Joined(room), Settings::Joined(settings)) => room.configure(settings, now),
            // The domain of its address decides the kind, so a room cannot change it.
            (Self::Hosted(_), Settings::Joined(_)) | (Self::Joined(_), Settings::Hosted(_)) => Admitted::default(),
        }
    }

    /// The operator looked at it: whatever waits for that is tried again.
    pub fn try_again(&mut self, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(_) => Admitted::default(),
            Self::Joined(room) => room.try_again(now),
        }
    }

    /// Everybody leaves, or everybody of ours.
    pub fn close(&mut self, why: &Leaving, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(room) => room.close(why, now),
            Self::Joined(room) => room.close(why, now),
        }
    }

    /// Takes up what the store kept.
    pub fn resume(&mut self, kept: Kept, members: Vec<RoomMember>, total: usize, now: Timestamp) -> Resumed {
        match self {
            Self::Hosted(room) => room.resume(kept, members, total, now),
            Self::Joined(room) => {
                room.resume(kept, members, now);
                Resumed::default()
            }
        }
    }

    /// A client session that is certainly gone.
    pub fn lost(&mut self, session: &FullJid, now: Timestamp) -> Admitted {
        match self {
            Self::Hosted(room) => room.lost(session, now),
            Self::Joined(_) => Admitted::default(),
        }
    }

    /// Rows up to this one are too many to be said after an absence: see [`Effect::Returned`](super::Effect::Returned).
    pub fn leave_out(&mut self, upto: Seq, now: Timestamp) {
        if let Self::Joined(room) = self {
            room.leave_out(upto, now);
        }
    }

    /// Pings for client sessions that are in doubt.
    pub fn pings(&mut self, n: usize) -> Vec<Outgoing> {
        match self {
            Self::Hosted(room) => room.pings(n),
            Self::Joined(_) => Vec::new(),
        }
    }

    /// Stanzas were dropped: nobody knows who is here, or what was said.
    pub fn doubt_all(&mut self, now: Timestamp) {
        match self {
            Self::Hosted(room) => room.doubt_all(),
            Self::Joined(room) => room.doubt(now),
        }
    }

    /// Who of an author can be told something about their words: the client session that said them, or another of theirs, as long
    /// as it certainly listens. A room of somebody else carries it to whoever is there.
    pub fn listening(&self, author: &FullJid) -> Option<FullJid> {
        match self {
            Self::Hosted(room) => room.listening(author),
            Self::Joined(_) => Some(author.clone()),
        }
    }

    /// The people whose client sessions certainly listen; `None` where the room does not know.
    pub fn listeners(&self) -> Option<Vec<BareJid>> {
        match self {
            Self::Hosted(room) => Some(room.listeners()),
            Self::Joined(_) => None,
        }
    }

    /// Tells an author that their words did not reach QQ.
    pub fn undelivered(&mut self, to: &FullJid, id: Option<&str>, why: String, now: Timestamp) -> Option<Outgoing> {
        match self {
            Self::Hosted(room) => Some(room.undelivered(to, id, why)),
            Self::Joined(room) => room.undelivered(to, &why, now),
        }
    }

    /// A line that one person gets alone.
    pub fn whisper(&mut self, to: &FullJid, text: &str, now: Timestamp) -> Option<Outgoing> {
        match self {
            Self::Hosted(room) => Some(room.whisper(to, text)),
            Self::Joined(room) => room.undelivered(to, text, now),
        }
    }

    /// Why it is not as it should be.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Hosted(_) => None,
            Self::Joined(room) => room.trouble(),
        }
    }
}
