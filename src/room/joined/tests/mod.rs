//! The room driven by what a MUC service answers, and checked by what people see there and what reaches the portal. A small portal
//! keeps what the store would.

mod entry;
mod hostile;
mod listener;
mod moderators;
mod puppets;
mod random;
mod reading;
mod seen;
mod service;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jid::BareJid;

use self::service::{Conduct, ROOM, Service, event, parse};
use super::{JoinedRoom, Neighbour, Settings};
use crate::config::{Language, Secret};
use crate::model::{
    Author, Called, Content, GroupNumber, Heard, KeptPuppet, Member, MemberId, Part, QqNumber, Role, Row, Seq,
    StaysAway, Timestamp,
};
use crate::room::{About, Admitted, Aside, Effect, Kept, Leaving, Overheard, RoomMember, Trouble};
use crate::xmpp::{Addresses, Outgoing};

fn settings() -> Settings {
    let domain = BareJid::new("qq.example").expect("a domain");
    Settings {
        jid: BareJid::new(ROOM).expect("a JID"),
        addresses: Addresses::new(domain, [7; 32], true),
        nick: "QQ".into(),
        password: None,
        puppets: true,
        puppets_max: 100,
        puppets_idle: hours(24),
        language: Language::En,
        to_qq_within: minutes(10),
        to_room_within: hours(24),
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn minutes(n: u64) -> Duration {
    seconds(n * 60)
}

fn hours(n: u64) -> Duration {
    minutes(n * 60)
}

fn id(number: u64) -> MemberId {
    MemberId::Number(QqNumber(number))
}

fn member(number: u64, card: &str) -> RoomMember {
    RoomMember {
        member: Member {
            id: id(number),
            nickname: String::new(),
            card: card.into(),
            role: Role::Member,
        },
        muted: false,
        spoke: None,
    }
}

/// A portal in small, with the service on the other side.
struct Lab {
    now: Timestamp,
    settings: Settings,
    room: JoinedRoom,
    muc: Service,
    members: Vec<RoomMember>,
    rows: Vec<Row>,
    /// Rows handed to the room, and rows that it said.
    given: Seq,
    said: Seq,
    heard: Option<Heard>,
    stays_away: Option<StaysAway>,
    puppets: BTreeMap<MemberId, KeptPuppet>,
    names: HashMap<Seq, Called>,
    /// What was passed on to QQ.
    overheard: Vec<Overheard>,
    asides: Vec<Aside>,
    returned: usize,
    /// So many rows are said after an absence.
    most_after_absence: usize,
    /// The gateway dies before it sends what it committed.
    unsent: bool,
}

impl Lab {
    /// A room with the listener inside.
    fn new() -> Self {
        Self::with(settings(), Conduct::default())
    }

    fn with(settings: Settings, conduct: Conduct) -> Self {
        let mut lab = Self::outside(settings, conduct);
        lab.run();
        lab
    }

    /// A gateway that has not begun.
    fn outside(settings: Settings, conduct: Conduct) -> Self {
        let now = Timestamp(1_700_000_000_000);
        let mut lab = Self {
            now,
            room: JoinedRoom::new(settings.clone(), Neighbour::default(), [9; 32], "e1"),
            settings,
            muc: Service::new(conduct, now),
            members: [(1001, "小明"), (1002, "小红"), (1003, "Tom"), (1004, "Tom")]
                .map(|(number, card)| member(number, card))
                .into(),
            rows: Vec::new(),
            given: Seq(0),
            said: Seq(0),
            heard: None,
            stays_away: None,
            puppets: BTreeMap::new(),
            names: HashMap::new(),
            overheard: Vec::new(),
            asides: Vec::new(),
            returned: 0,
            most_after_absence: 30,
            unsent: false,
        };
        lab.muc.person("Ann");
        lab.muc.person("Bob");
        lab.resume();
        lab
    }

    fn resume(&mut self) {
        let kept = Kept {
            puppets: self.puppets.values().cloned().collect(),
            heard: self.heard.clone(),
            stays_away: self.stays_away.clone(),
            ..Kept::default()
        };
        self.room.resume(kept, self.members.clone(), self.now);
    }

    /// The gateway starts anew with what was kept; what was on its way to it is gone.
    fn restart(&mut self) {
        self.room = JoinedRoom::new(self.settings.clone(), Neighbour::default(), [9; 32], "e1");
        self.given = self.said;
        self.muc.out.clear();
        self.unsent = false;
        self.resume();
    }

    /// Commits what follows, then sends what is to be sent.
    fn take(&mut self, admitted: Admitted) {
        let Admitted {
            replies,
            effects,
            overheard,
        } = admitted;
        let mut returned = false;
        for effect in effects {
            match effect {
                Effect::Called { row, called } => {
                    self.names.entry(row).or_insert(called);
                }
                Effect::Said(seq) => self.said = self.said.max(seq),
                Effect::Heard(heard) => self.heard = Some(heard),
                Effect::StaysAway(away) => self.stays_away = away,
                Effect::Puppet(puppet) => {
                    self.puppets.insert(puppet.member.clone(), puppet);
                }
                Effect::Returned => returned = true,
                Effect::Aside(aside) => {
                    if !matches!(aside, Aside::Admins(_)) {
                        self.row(Author::Room, "", Content::Notice(format!("{aside:?}")));
                    }
                    self.asides.push(aside);
                }
                other => panic!("not of a joined room: {other:?}"),
            }
        }
        for overheard in overheard {
            self.commit(overheard);
        }
        if returned {
            self.returned += 1;
            let newer = |at: &Row| self.rows.iter().filter(|row| row.seq > at.seq).count() == self.most_after_absence;
            let edge = self.rows.iter().find(|row| newer(row)).map_or(Seq(0), |row| row.seq);
            self.room.leave_out(edge, self.now);
        }
        if !self.unsent {
            self.send(replies);
        }
    }

    fn send(&mut self, replies: Vec<Outgoing>) {
        for outgoing in replies {
            self.muc.take(outgoing, self.now);
        }
    }

    /// What the store takes for the same message is no other.
    fn commit(&mut self, overheard: Overheard) {
        let ten = minutes(10);
        let known = self.overheard.iter().any(|other| match (&other.id, &overheard.id) {
            (Some(a), Some(b)) => a == b,
            (None, None) => {
                let apart = overheard
                    .spoken
                    .time
                    .since(other.spoken.time)
                    .max(other.spoken.time.since(overheard.spoken.time));
                other.spoken.origin == overheard.spoken.origin && apart <= ten
            }
            _ => false,
        });
        let ours = self
            .names
            .values()
            .any(|called| Some(&called.id) == overheard.id.as_ref());
        if known || ours {
            return;
        }
        let seq = self.row(
            overheard.author.clone(),
            &overheard.spoken.nick,
            overheard.spoken.content.clone(),
        );
        if let Some(id) = &overheard.id {
            self.names.insert(
                seq,
                Called {
                    id: id.clone(),
                    member: None,
                    by_listener: false,
                },
            );
        }
        self.overheard.push(overheard);
    }

    fn row(&mut self, author: Author, nick: &str, content: Content) -> Seq {
        let seq = Seq(i64::try_from(self.rows.len()).expect("few rows") + 1);
        let row = Row {
            seq,
            message: seq,
            time: self.now,
            author,
            nick: nick.into(),
            content,
        };
        self.rows.push(row);
        seq
    }

    /// A member says something on QQ; it is accepted, and not shown before [`run`](Self::run).
    fn hears(&mut self, number: u64, text: &str) -> Seq {
        self.hears_content(number, Content::Parts(vec![Part::Text(text.into())]))
    }

    fn hears_content(&mut self, number: u64, content: Content) -> Seq {
        let nick = self.room.nick_of(&id(number));
        self.row(
            Author::Member {
                group: GroupNumber(1),
                id: id(number),
            },
            &nick,
            content,
        )
    }

    /// The same, and everything that follows at once.
    fn qq(&mut self, number: u64, text: &str) -> Seq {
        let seq = self.hears(number, text);
        self.run();
        seq
    }

    /// One stanza, or else what is due next, when it is.
    fn step(&mut self) {
        let admitted = if let Some(event) = self.muc.out.pop_front() {
            self.room.admit(event, self.now)
        } else {
            self.now = self.now.max(self.room.due().unwrap_or_default());
            self.muc.now = self.now;
            self.room.tick(self.now)
        };
        self.take(admitted);
    }

    /// One stanza, or what is due now.
    fn step_now(&mut self) {
        if !self.muc.out.is_empty() || self.room.due().is_some_and(|due| due <= self.now) {
            self.step();
        }
    }

    /// Everything that follows without time.
    fn run(&mut self) {
        for _ in 0..100_000 {
            if let Some(event) = self.muc.out.pop_front() {
                let admitted = self.room.admit(event, self.now);
                self.take(admitted);
            } else if !self.give() {
                match self.room.due() {
                    Some(due) if due <= self.now => {
                        let admitted = self.room.tick(self.now);
                        self.take(admitted);
                    }
                    _ => return,
                }
            }
        }
        panic!("the room does not come to rest: {:?}", self.muc.got.last());
    }

    /// Hands over the next row.
    fn give(&mut self) -> bool {
        let at = usize::try_from(self.given.0).expect("rows count from one");
        let Some(row) = self.rows.get(at).cloned().filter(|_| self.room.capacity() > 0) else {
            return false;
        };
        let names = super::about(&row);
        let names = names
            .into_iter()
            .filter_map(|seq| Some((seq, self.names.get(&seq)?.clone())))
            .collect();
        self.given = row.seq;
        self.room.say(&row, false, names, self.now);
        true
    }

    /// Time passes, and what is due is done when it is.
    fn later(&mut self, time: Duration) {
        let end = self.now.plus(time);
        self.run();
        for _ in 0..100_000 {
            match self.room.due().filter(|due| *due <= end) {
                Some(due) => self.now = self.now.max(due),
                None => break,
            }
            self.run();
        }
        assert!(self.room.due().is_none_or(|due| due > end), "time does not pass");
        self.now = end;
        self.muc.now = end;
        self.run();
    }

    /// Time passes, and nobody sees to anything.
    fn later_nothing(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.muc.now = self.now;
    }
}
