//! The room driven by stanzas and checked by stanzas. A small portal commits what is admitted and brings it back at once.

mod archive;
mod bad;
mod iq;
mod join;
mod leave;
mod members;
mod message;
mod nick;
mod private;
mod random;
mod resume;
mod retract;
mod stanzas;

use std::collections::BTreeMap;

use jid::{BareJid, FullJid, Jid};
use minidom::Element;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::Message;
use xmpp_parsers::presence::Presence;

use self::stanzas::*;
use super::archive::{PageView, answer, ends};
use super::{HostedRoom, Settings};
use crate::config::{Allow, Language, Occupants};
use crate::model::{
    Author, Content, GroupNumber, HistoryWanted, Member, MemberId, Part, QqNumber, Role, Row, Seq, Timestamp,
};
use crate::room::{Admitted, Change, Effect, Kept, KeptSession, RoomMember, ShownAs, Spoken, Step};
use crate::xmpp::read::archive::PageWanted;
use crate::xmpp::{Event, Outgoing};

const NS: &str = "jabber:component:accept";
const MUC: &str = "http://jabber.org/protocol/muc";
const USER: &str = "http://jabber.org/protocol/muc#user";

fn settings() -> Settings {
    let bare = |jid: &str| BareJid::new(jid).expect("a JID");
    Settings {
        jid: bare("rust@qq.example"),
        name: "Rust 交流群".into(),
        description: String::new(),
        language: Language::En,
        admins: vec![bare("root@ex.org")],
        owners: vec![],
        allow: vec![Allow::Domain(BareJid::new("ex.org").expect("a domain"))],
        occupants: Occupants::Auto,
        max_stanza: 10_000,
    }
}

fn member(number: u64, card: &str) -> RoomMember {
    RoomMember {
        member: Member {
            id: MemberId::Number(QqNumber(number)),
            nickname: String::new(),
            card: card.into(),
            role: Role::Member,
        },
        muted: false,
        spoke: None,
    }
}

fn id(number: u64) -> MemberId {
    MemberId::Number(QqNumber(number))
}

/// What somebody gets.
type Got = (String, Element);

/// A portal in small: commits in memory, reflects at once unless it is behind.
struct Portal {
    room: HostedRoom,
    rows: Vec<Row>,
    now: Timestamp,
    spoken: Vec<Spoken>,
    committed: Vec<Committed>,
    /// Nothing is shown before [`catch_up`](Self::catch_up), as when the writer has no room.
    behind: bool,
    truth: Vec<RoomMember>,
    /// What a store keeps of the stage.
    shown: BTreeMap<String, ShownAs>,
}

/// What waits to be shown.
enum Committed {
    Row(Row),
    Fleeting(Spoken),
    Change(Change, Vec<Row>, Seq),
    Other(Effect),
}

impl Portal {
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: Settings) -> Self {
        Self {
            room: HostedRoom::new(settings, [7; 32], "e1"),
            rows: Vec::new(),
            now: Timestamp(1_000_000_000_000),
            spoken: Vec::new(),
            committed: Vec::new(),
            behind: false,
            truth: Vec::new(),
            shown: BTreeMap::new(),
        }
    }

    /// A stanza as it comes from the server, and everything that goes out because of it.
    fn send(&mut self, xml: &str) -> Vec<Got> {
        let event = event(xml);
        let admitted = match self.room.retracts(&event) {
            Some(seq) => {
                let author = self.rows.iter().find(|row| row.seq == seq).map(|row| &row.author);
                self.room.admit_retraction(event, author, self.now)
            }
            None => self.room.admit(event, self.now),
        };
        self.follow(admitted)
    }

    fn follow(&mut self, admitted: Admitted) -> Vec<Got> {
        let mut out: Vec<Got> = admitted.replies.into_iter().flat_map(got).collect();
        for effect in admitted.effects {
            self.commit(effect);
        }
        if !self.behind {
            out.extend(self.catch_up());
        }
        out
    }

    /// Shows what was committed, in order.
    fn catch_up(&mut self) -> Vec<Got> {
        let mut out = Vec::new();
        for committed in std::mem::take(&mut self.committed) {
            out.extend(self.show(committed).into_iter().flat_map(got));
        }
        out
    }

    fn commit(&mut self, effect: Effect) {
        let committed = match effect {
            Effect::Spoken(spoken) if spoken.ephemeral => Committed::Fleeting(spoken),
            Effect::Spoken(spoken) => {
                self.spoken.push(spoken.clone());
                let author = Author::Occupant(spoken.session.to_bare());
                Committed::Row(self.new_row(author, &spoken.nick, spoken.content))
            }
            Effect::Change(change) => {
                let most = match &change {
                    Change::Join { history, .. } => history.maxstanzas,
                    _ => 0,
                };
                let history = self.rows[self.rows.len().saturating_sub(most)..].to_vec();
                let cut = self.rows.last().map_or(Seq(0), |row| row.seq);
                Committed::Change(change, history, cut)
            }
            Effect::Moderated {
                by,
                nick,
                row,
                reason,
                time,
            } => {
                assert_eq!(time, self.now);
                let content = Content::Retraction {
                    row,
                    moderated: true,
                    reason,
                };
                Committed::Row(self.new_row(Author::Occupant(by.to_bare()), &nick, content))
            }
            other => Committed::Other(other),
        };
        self.committed.push(committed);
    }

    fn show(&mut self, committed: Committed) -> Vec<Outgoing> {
        match committed {
            Committed::Fleeting(spoken) => self.room.reflect(Step::Ephemeral(&spoken)),
            Committed::Row(row) => self.room.reflect(Step::Row { row: &row, late: false }),
            Committed::Change(change, history, cut) => self.room.reflect(Step::Change {
                change: &change,
                history: &history,
                cut,
            }),
            Committed::Other(Effect::Subject {
                nick, id, text, time, ..
            }) => self.room.reflect(Step::Subject {
                nick: &nick,
                text: &text,
                id: id.as_deref(),
                time,
            }),
            Committed::Other(Effect::Archive(asked)) => {
                let wanted = |row: &&Row| match asked.query.page {
                    PageWanted::After(seq) => row.seq > seq,
                    _ => true,
                };
                let rows: Vec<Row> = self.rows.iter().filter(wanted).take(asked.query.max).cloned().collect();
                let page = PageView {
                    rows: &rows,
                    count: self.rows.len() as u64,
                    index: 0,
                    complete: rows.len() == self.rows.len(),
                };
                answer(self.room.ids(), &asked, page)
            }
            Committed::Other(Effect::ArchiveEnds(asked)) => {
                let place = |row: &Row| (row.seq, row.time);
                let both = self.rows.first().map(place).zip(self.rows.last().map(place));
                vec![ends(self.room.ids(), &asked, both)]
            }
            Committed::Other(Effect::Spoken(_) | Effect::Change(_) | Effect::Moderated { .. }) => {
                unreachable!("committed as themselves")
            }
            Committed::Other(other) => unreachable!("of joined rooms alone: {other:?}"),
        }
    }

    fn new_row(&mut self, author: Author, nick: &str, content: Content) -> Row {
        let seq = Seq(i64::try_from(self.rows.len()).expect("few rows") + 1);
        let row = Row {
            seq,
            message: seq,
            time: self.now,
            author,
            nick: nick.into(),
            content,
        };
        self.rows.push(row.clone());
        row
    }

    fn row(&mut self, author: Author, nick: &str, content: Content) -> Vec<Outgoing> {
        let row = self.new_row(author, nick, content);
        self.show(Committed::Row(row))
    }

    /// A QQ member says something.
    fn qq(&mut self, number: u64, card: &str, parts: Vec<Part>) -> Vec<Got> {
        self.row_from_qq(number, card, Content::Parts(parts))
    }

    /// A QQ member does something that becomes a row.
    fn row_from_qq(&mut self, number: u64, card: &str, content: Content) -> Vec<Got> {
        if self.truth.iter().all(|m| m.member.id != id(number)) {
            self.truth.push(member(number, card));
        }
        let admitted = self.room.member_spoke(&member(number, card).member, self.now);
        let mut out = self.follow(admitted);
        let nick = self.room.nick_of(&id(number));
        let author = Author::Member {
            group: GroupNumber(1),
            id: id(number),
        };
        let row = self.new_row(author, &nick, content);
        self.committed.push(Committed::Row(row));
        if !self.behind {
            out.extend(self.catch_up());
        }
        out
    }

    fn members(&mut self, members: Vec<RoomMember>) -> Vec<Got> {
        let total = members.len();
        self.truth.clone_from(&members);
        let admitted = self.room.members(members, total, self.now);
        self.follow(admitted)
    }

    /// The gateway is killed and started again: what was committed is shown, what was shown is not shown again.
    fn restart(&mut self) -> Vec<Got> {
        for (key, shown) in self.room.shown_changes() {
            match shown {
                Some(shown) => self.shown.insert(key, shown),
                None => self.shown.remove(&key),
            };
        }
        let seats = &self.room.stage.seats;
        let sessions = self.room.book.sessions().map(|(jid, guest)| KeptSession {
            jid: jid.clone(),
            nick: guest.nick.clone(),
            cut: seats.get(jid).map_or(Seq(0), |seat| seat.cut),
            greeted: seats.contains_key(jid),
            presence: guest.presence.clone(),
            history: HistoryWanted::default(),
        });
        let kept = Kept {
            sessions: sessions.collect(),
            shown: self.shown.clone().into_iter().collect(),
            ..Kept::default()
        };
        self.room = HostedRoom::new(self.room.settings().clone(), [7; 32], "e1");
        let resumed = self.room.resume(kept, self.truth.clone(), self.truth.len(), self.now);
        let mut out: Vec<Got> = resumed.presences.into_iter().flat_map(got).collect();
        for (change, cut) in resumed.ungreeted {
            let step = Step::Change {
                change: &change,
                history: &[],
                cut,
            };
            out.extend(self.room.reflect(step).into_iter().flat_map(got));
        }
        for committed in std::mem::take(&mut self.committed) {
            if let Committed::Row(row) = committed {
                let step = Step::Row { row: &row, late: true };
                out.extend(self.room.reflect(step).into_iter().flat_map(got));
            }
        }
        out
    }

    fn join(&mut self, session: &str, nick: &str) -> Vec<Got> {
        self.send(&join_xml(session, nick))
    }

    fn later(&mut self, seconds: i64) {
        self.now.0 += seconds * 1000;
    }

    fn person_id(&self, who: &str) -> String {
        self.room.ids().of_person(&BareJid::new(who).expect("a JID"))
    }

    fn member_id(&self, number: u64) -> String {
        self.room.ids().of_member(&id(number))
    }
}
