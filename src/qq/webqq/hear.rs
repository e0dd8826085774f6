//! Words: who said them, what they are, and to whom they go: a group's to its portal, all others to the admins.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::api::Of;
use super::content::{self, FaceNumbers, Reading};
use super::echo::Echo;
use super::era::Era;
use super::event::{Content, Mark, Place, Said};
use super::mute::{self, Mute};
use super::numbers::{Number, Numbers};
use super::page;
use super::picture::Origin;
use super::roster::Mapped;
use super::session::Session;
use crate::model::{EventId, GroupNumber, MemberId, Message, Part, QqNumber, Timestamp};
use crate::qq::Act;
use crate::qq::event::event_time;
use crate::qq::strangers::{self, person};

/// The service's clock may be wrong by so much; what lies further ahead is no time.
const AHEAD_MAX: Duration = Duration::from_secs(86_400);
impl Session {
    pub(super) async fn hear(&self, place: Place, mark: Mark, said: Said, behind: &mut HashSet<GroupNumber>) {
        match place {
            Place::Group(gid) | Place::Page(gid) | Place::Change(gid) => {
                self.hear_group(gid, mark, said, behind).await;
            }
            Place::Discussion(did) => {
                let origin = Origin::Discussion {
                    did,
                    sender: mark.sender,
                };
                let Some(words) = self.private_words(mark, &said, origin) else {
                    return;
                };
                let who = self.name_talker(did, mark.sender).await;
                let name = self.name_discussion(did);
                self.tell_admins(&format!("{who} wrote in the discussion «{name}»: {words}"))
                    .await;
            }
            Place::Friend(uin) | Place::Session(uin) | Place::Account(uin) => {
                let origin = Origin::Person {
                    uin,
                    msg_id: mark.msg_id,
                };
                let Some(words) = self.private_words(mark, &said, origin) else {
                    return;
                };
                let who = self.name_friend(uin, said.number).await;
                let through = match place {
                    Place::Session(_) => self.through(said.through),
                    _ => String::new(),
                };
                self.tell_admins(&format!("{who} wrote to the QQ account{through}: {words}"))
                    .await;
            }
        }
    }

    /// What was said to the account alone; nothing when the account itself said it at another device: to whom is not told.
    fn private_words(&self, mark: Mark, said: &Said, origin: Origin) -> Option<String> {
        if mark.sender == 0 || mark.sender == self.api.own() {
            return None;
        }
        Some(strangers::words(&self.read_parts(said, origin)?))
    }

    /// Through which group or discussion a stranger writes.
    fn through(&self, id: Option<u64>) -> String {
        let roster = self.roster();
        let id = id.unwrap_or(0);
        if let Some(name) = roster.discussions.get(&id) {
            return format!(" through the discussion «{name}»");
        }
        let group = roster.groups.iter().find(|group| group.gid == id);
        let number = group.and_then(|group| match roster.numbers.get(group.code, Of::Group)? {
            Number::Is(number) => Some(number),
            Number::Withheld => None,
        });
        match group {
            Some(group) => format!(" through group {}", person(&group.name, number)),
            None => " through a group".to_owned(),
        }
    }

    fn read_parts(&self, said: &Said, origin: Origin) -> Option<Vec<Part>> {
        let content = match &said.content {
            Content::Array(content) => content,
            Content::Page(xml) => return Some(vec![page::read(xml)]),
        };
        let era = self.api.http.era;
        // Either is a sign of the last year; who means face 0 is not told from who means any other then.
        let late = self.api.tokens().ptwebqq.is_empty() || self.roster().numbers.withheld();
        let all_zero = era == Era::S15 && late;
        let faces = if all_zero {
            FaceNumbers::AllZero
        } else {
            FaceNumbers::Own
        };
        content::read(content, Reading { era, faces, origin })
    }

    async fn hear_group(&self, gid: u64, mark: Mark, said: Said, behind: &mut HashSet<GroupNumber>) {
        let Some(group) = self.group_of(gid).await else {
            return;
        };
        if !self.count_message(group, mark, &said, behind).await {
            return;
        }
        let origin = Origin::Group {
            code: said.code.unwrap_or(gid),
            sender: mark.sender,
        };
        let Some(mut parts) = self.read_parts(&said, origin) else {
            return;
        };
        if let Some(act) = self.read_mute(group, mark.sender, &parts) {
            self.tell_portal(group, act, behind).await;
            return;
        }
        let own = mark.sender == self.api.own();
        if own {
            let echo = self
                .roster()
                .mapped
                .get_mut(&group)
                .map(|mapped| mapped.echoes.hear(&parts, Instant::now()));
            match echo {
                Some(Echo::Again) => return,
                Some(Echo::Changed(said)) => parts = said,
                Some(Echo::AsItIs) | None => {}
            }
        }
        let sender = self.sender(group, mark.sender).await;
        let message = Message {
            id: self.event_id(&sender.id, mark),
            handle: None,
            own,
            sender,
            time: time(mark.time),
            parts,
        };
        self.tell_portal(group, Act::Said(message), behind).await;
    }

    /// A mute, when these are the system's words for one.
    fn read_mute(&self, group: GroupNumber, sender: u64, parts: &[Part]) -> Option<Act> {
        let [Part::Text(text)] = parts else { return None };
        let mute = mute::read(text)?;
        let roster = self.roster();
        let mapped = roster.mapped.get(&group)?;
        if sender == self.api.own() || !mapped.may_speak_for_qq(sender) {
            return None;
        }
        let member = self.muted(&mute, mapped, &roster.numbers)?;
        Some(Act::Muted {
            member: Some(member),
            duration: mute.duration,
        })
    }

    /// Whom a mute means: by number, else by the only name.
    fn muted(&self, mute: &Mute, mapped: &Mapped, numbers: &Numbers) -> Option<MemberId> {
        let own = self.api.own();
        if mute.number == Some(own) || matches!(&*mute.name, "你" | "您") {
            return Some(MemberId::Number(QqNumber(own)));
        }
        let by_number = mute.number.and_then(|number| numbers.person_with(number));
        let uin = by_number.or_else(|| {
            let mut named = mapped.people.iter().filter(|person| person.shown() == mute.name);
            let only = named.next()?;
            named.next().is_none().then_some(only.uin)
        });
        let Some(uin) = uin else {
            let known = mute.number.filter(|_| !numbers.withheld());
            return known.map(|number| MemberId::Number(QqNumber(number)));
        };
        if uin == own {
            return Some(MemberId::Number(QqNumber(own)));
        }
        match (numbers.get(uin, Of::Person), mute.number) {
            (known @ Some(_), _) => Some(mapped.person(uin)?.member(known).id),
            (None, number) => Some(MemberId::Number(QqNumber(number?))),
        }
    }

    /// What makes it this message for every account, over logins.
    fn event_id(&self, sender: &MemberId, mark: Mark) -> EventId {
        let msg_id2 = mark.msg_id2.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let (msg_id, time) = (mark.msg_id, mark.time);
        if msg_id == 0 && time == 0 && mark.msg_id2.is_none() {
            let mut roster = self.roster();
            roster.nameless += 1;
            let (now, count) = (Timestamp::now().0, roster.nameless);
            return EventId(format!("w:{sender}:~{now}:{count}:0").into());
        }
        EventId(format!("w:{sender}:{msg_id}:{msg_id2}:{time}").into())
    }
}

/// When it was said; now, when it says nothing that can be.
fn time(secs: i64) -> Timestamp {
    let time = event_time(Some(secs));
    if time > Timestamp::now().plus(AHEAD_MAX) {
        return Timestamp::now();
    }
    time
}
