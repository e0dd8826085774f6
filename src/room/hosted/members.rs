//! QQ members as occupants: who of them is shown, and under which nick.
//!
//! A nick belongs to who had it first. Members who want the same at the same time get it in the order of their numbers, so that
//! a restart changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::occupants::Book;
use crate::config::Occupants;
use crate::model::{Member, MemberId, Timestamp, nick};
use crate::room::{MemberChange, MemberShown, RoomMember};
use crate::xmpp::render::Ids;

/// In an `active` room those are occupants who spoke within this.
const ACTIVE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Above so many members an `auto` room is `active`.
const AUTO_LIMIT: usize = 200;

/// The members of the room's groups.
#[derive(Debug, Default)]
pub(super) struct Members {
    truth: BTreeMap<MemberId, RoomMember>,
    total: usize,
    here: BTreeMap<MemberId, Here>,
    /// Who is being removed, and the nick of who does it.
    kicked: BTreeMap<MemberId, Option<String>>,
}

/// A member who is an occupant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Here {
    wish: String,
    shown: MemberShown,
}

impl Members {
    /// How many there are, occupants or not.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// The member as an occupant.
    pub(super) fn shown(&self, id: &MemberId) -> Option<&MemberShown> {
        self.here.get(id).map(|h| &h.shown)
    }

    /// All members who are occupants.
    pub(super) fn all_shown(&self) -> impl Iterator<Item = (&MemberId, &MemberShown)> {
        self.here.iter().map(|(id, h)| (id, &h.shown))
    }

    /// The nick of a member, occupant or not. Who is none gets one that nobody has or had lately, but it is not kept for them.
    pub(super) fn nick_of(&self, id: &MemberId, (book, ids): (&Book, &Ids)) -> String {
        if let Some(here) = self.here.get(id) {
            return here.shown.nick.clone();
        }
        let wish = match self.truth.get(id) {
            Some(known) => nick::of_member(&known.member),
            None => nick::prepare(id.to_string().trim_start_matches('=')).unwrap_or_else(|| "QQ".to_owned()),
        };
        first_free(id, &wish, ids, |nick| {
            book.holder(nick).is_none() && book.last_holder(nick).is_none()
        })
    }

    /// The next disappearance of this member is a kick, by a member who may be known.
    pub(super) fn kicked(&mut self, id: &MemberId, by: Option<&MemberId>, book: (&Book, &Ids)) {
        if self.here.contains_key(id) {
            let by = by.filter(|by| self.truth.contains_key(by));
            let nick = by.map(|by| self.nick_of(by, book));
            self.kicked.insert(id.clone(), nick);
        }
    }

    /// Takes the new truth and says what changes. `before` holds nicks that members had before a restart, by id.
    pub(super) fn update(
        &mut self,
        truth: Option<(Vec<RoomMember>, usize)>,
        rule: Occupants,
        before: &HashMap<MemberId, String>,
        (book, ids): (&mut Book, &Ids),
        now: Timestamp,
    ) -> Vec<MemberChange> {
        if let Some((list, total)) = truth {
            self.total = total.max(list.len());
            self.truth = list.into_iter().map(|m| (m.member.id.clone(), m)).collect();
        }
        let active = match rule {
            Occupants::All => false,
            Occupants::Active => true,
            Occupants::Auto => self.total > AUTO_LIMIT,
        };
        let lately = |m: &RoomMember| m.spoke.is_some_and(|at| now.since(at) < ACTIVE);
        let wanted: Vec<&RoomMember> = self.truth.values().filter(|m| !active || lately(m)).collect();
        let wishes: BTreeMap<&MemberId, String> = wanted
            .iter()
            .map(|m| (&m.member.id, nick::of_member(&m.member)))
            .collect();

        let mut changes = Vec::new();
        let mut rest = BTreeMap::new();
        for (id, old) in std::mem::take(&mut self.here) {
            match wishes.get(&id) {
                Some(wish) if *wish == old.wish => {
                    rest.insert(id, old);
                }
                Some(_) => book.release(&old.shown.nick, &id),
                None => {
                    book.release(&old.shown.nick, &id);
                    let kick = self.kicked.remove(&id);
                    changes.push(MemberChange {
                        id,
                        now: None,
                        kicked: kick.is_some(),
                        by: kick.flatten(),
                    });
                }
            }
        }
        // Nicks from before a restart first: they belong to who had them.
        let mut given = HashMap::new();
        for (id, wish) in &wishes {
            let Some(nick) = before.get(id).filter(|_| !rest.contains_key(*id)) else {
                continue;
            };
            let fits = nick::candidates(wish, &digits(id, ids)).any(|c| c == *nick);
            if fits && book.free_for_member(nick, now) {
                book.hold(nick, id);
                given.insert((*id).clone(), nick.clone());
            }
        }
        for m in wanted {
            let id = &m.member.id;
            let wish = &wishes[id];
            let old = rest.remove(id);
            let nick = match (&old, given.remove(id)) {
                (Some(old), _) => old.shown.nick.clone(),
                (None, Some(nick)) => nick,
                (None, None) => assign(id, wish, (book, ids), now),
            };
            let shown = MemberShown {
                nick,
                name: m.member.shown_name(),
                role: m.member.role,
                muted: m.muted,
            };
            if old.is_none_or(|old| old.shown != shown) {
                changes.push(MemberChange {
                    id: id.clone(),
                    now: Some(shown.clone()),
                    kicked: false,
                    by: None,
                });
            }
            self.here.insert(
                id.clone(),
                Here {
                    wish: wish.clone(),
                    shown,
                },
            );
        }
        self.kicked.clear();
        changes
    }

    /// A member spoke: they are an occupant from now on, also in an `active` room.
    pub(super) fn spoke(
        &mut self,
        member: &Member,
        (book, ids): (&mut Book, &Ids),
        now: Timestamp,
    ) -> Option<MemberChange> {
        let id = &member.id;
        let known = self.truth.entry(id.clone()).or_insert_with(|| RoomMember {
            member: member.clone(),
            muted: false,
            spoke: None,
        });
        known.spoke = known.spoke.max(Some(now));
        self.total = self.total.max(self.truth.len());
        if self.here.contains_key(id) {
            return None;
        }
        let known = &self.truth[id];
        let wish = nick::of_member(&known.member);
        let shown = MemberShown {
            nick: assign(id, &wish, (book, ids), now),
            name: known.member.shown_name(),
            role: known.member.role,
            muted: known.muted,
        };
        self.here.insert(
            id.clone(),
            Here {
                wish,
                shown: shown.clone(),
            },
        );
        Some(MemberChange {
            id: id.clone(),
            now: Some(shown),
            kicked: false,
            by: None,
        })
    }
}

/// The first nick that is free, held from now on.
fn assign(id: &MemberId, wish: &str, (book, ids): (&mut Book, &Ids), now: Timestamp) -> String {
    let nick = first_free(id, wish, ids, |nick| book.free_for_member(nick, now));
    book.hold(&nick, id);
    nick
}

fn first_free(id: &MemberId, wish: &str, ids: &Ids, free: impl Fn(&str) -> bool) -> String {
    let digits = digits(id, ids);
    let numbered = (2..).map(|n| format!("QQ {digits}.{n}"));
    nick::candidates(wish, &digits)
        .chain(numbered)
        .find(|nick| free(nick))
        .expect("the candidates do not end")
}

/// The digits that tell members of one name apart: of the number, else of the occupant-id.
fn digits(id: &MemberId, ids: &Ids) -> String {
    id.number().map_or_else(
        || {
            let token = ids.of_member(id);
            let sum = token
                .bytes()
                .fold(0_u64, |sum, b| sum.wrapping_mul(131).wrapping_add(u64::from(b)));
            format!("{:010}", sum % 10_000_000_000)
        },
        |number| number.to_string(),
    )
}
