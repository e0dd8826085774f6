//! The puppets: one visitor per QQ member who speaks. Who they are, where they stand, what they are called.
//!
//! ```text
//!           speaks                     self-presence
//!  out ───────────────► entering ───────────────────► in ──idle, gone from the group──► out
//!   ▲                      │ refused: next nick, or barred for a while     │
//!   └──────────────────────┘ ◄──────────── removed ────────────────────────┘
//!  unsure: was in before the gateway or the listener was away; enters again when they speak, which changes nothing when they are
//!  still there
//! ```

use std::collections::HashMap;
use std::time::Duration;

use jid::{BareJid, FullJid};

use crate::model::{GroupNumber, KeptPuppet, Member, MemberId, Timestamp, nick};

/// How long an entry may take.
pub(super) const ENTRY: Duration = Duration::from_secs(20);
/// A nick that `mod_muc_limits` takes, in bytes.
pub(super) const SHORT_NICK: usize = 23;

/// Where a puppet stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Out,
    Unsure,
    Entering {
        /// The id of the presence.
        id: String,
        until: Timestamp,
        /// The nick that it asks for.
        nick: String,
        /// Those that it asks for next.
        rest: Vec<String>,
    },
    In,
}

/// One member's visitor.
#[derive(Debug, Clone)]
pub(super) struct Puppet {
    pub(super) group: GroupNumber,
    pub(super) jid: FullJid,
    /// The nick that worked last.
    pub(super) nick: Option<String>,
    /// What it would have liked to be called then.
    pub(super) wish: String,
    /// Its occupant-id in the room.
    pub(super) occupant: Option<String>,
    pub(super) place: Place,
    /// A moderator removed it: nothing of it is said until then.
    pub(super) silenced: Option<Timestamp>,
    /// It cannot enter: the listener speaks for it until then.
    pub(super) barred: Option<Timestamp>,
    /// When it spoke, or entered.
    pub(super) active: Timestamp,
    /// Its membership was asked for.
    pub(super) member: bool,
    /// How often, since it last was in.
    pub(super) grants: u8,
}

impl Puppet {
    /// Whether it is in the room, for all that is known.
    pub(super) fn inside(&self) -> bool {
        matches!(self.place, Place::In | Place::Unsure)
    }

    /// Whether it takes a place in the room, or is about to.
    pub(super) fn counts(&self) -> bool {
        self.place != Place::Out
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Puppets {
    all: HashMap<MemberId, Puppet>,
    by_address: HashMap<BareJid, MemberId>,
}

impl Puppets {
    pub(super) fn get(&self, id: &MemberId) -> Option<&Puppet> {
        self.all.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &MemberId) -> Option<&mut Puppet> {
        self.all.get_mut(id)
    }

    /// Whose address this is.
    pub(super) fn at(&self, address: &BareJid) -> Option<&MemberId> {
        self.by_address.get(address)
    }

    pub(super) fn insert(&mut self, id: MemberId, puppet: Puppet) {
        self.by_address.insert(puppet.jid.to_bare(), id.clone());
        self.all.insert(id, puppet);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Puppet)> {
        self.all.iter()
    }

    /// Who takes a place in the room.
    pub(super) fn count(&self) -> usize {
        self.all.values().filter(|puppet| puppet.counts()).count()
    }

    /// Whose nick this is now.
    pub(super) fn named(&self, nick: &str) -> Option<&MemberId> {
        let is = |puppet: &Puppet| puppet.inside() && puppet.nick.as_deref() == Some(nick);
        self.all.iter().find(|(_, puppet)| is(puppet)).map(|(id, _)| id)
    }

    /// Who has this occupant-id.
    pub(super) fn occupant(&self, occupant: &str) -> Option<&MemberId> {
        let is = |puppet: &Puppet| puppet.occupant.as_deref() == Some(occupant);
        self.all.iter().find(|(_, puppet)| is(puppet)).map(|(id, _)| id)
    }

    /// The listener was away: nobody told what became of the others.
    pub(super) fn doubt(&mut self) {
        for puppet in self.all.values_mut() {
            if puppet.place != Place::Out {
                puppet.place = Place::Unsure;
            }
        }
    }
}

/// A puppet that was never in the room.
pub(super) fn newcomer(group: GroupNumber, jid: FullJid, now: Timestamp) -> Puppet {
    Puppet {
        group,
        jid,
        nick: None,
        wish: String::new(),
        occupant: None,
        place: Place::Out,
        silenced: None,
        barred: None,
        active: now,
        member: false,
        grants: 0,
    }
}

/// A puppet as the store kept it.
pub(super) fn kept(kept: KeptPuppet, jid: FullJid, now: Timestamp) -> (MemberId, Puppet) {
    let puppet = Puppet {
        nick: Some(kept.nick).filter(|nick| !nick.is_empty()),
        occupant: kept.occupant,
        place: if kept.inside { Place::Unsure } else { Place::Out },
        silenced: kept.silenced,
        ..newcomer(kept.group, jid, now)
    };
    (kept.member, puppet)
}

/// The form in which the store keeps it.
pub(super) fn to_keep(id: &MemberId, puppet: &Puppet) -> KeptPuppet {
    KeptPuppet {
        member: id.clone(),
        group: puppet.group,
        address: puppet.jid.to_bare(),
        nick: puppet.nick.clone().unwrap_or_default(),
        occupant: puppet.occupant.clone(),
        inside: puppet.inside(),
        silenced: puppet.silenced,
    }
}

/// The nicks to try in turn: what they are called, marked when that is taken, at last the number alone; none longer than
/// `max_bytes`.
pub(super) fn nicks(member: &Member, max_bytes: Option<usize>) -> Vec<String> {
    let wish = nick::of_member(member);
    let digits = member.id.number().map(|number| number.to_string()).unwrap_or_default();
    let tail = &digits[digits.len().saturating_sub(4)..];
    let marks = ["QQ", tail].into_iter().filter(|mark| !mark.is_empty());
    let mut nicks = vec![within(&wish, "", max_bytes)];
    nicks.extend(marks.map(|mark| within(&wish, &format!(" ({mark})"), max_bytes)));
    nicks.push(within(&format!("QQ {tail}"), "", max_bytes));
    nicks.retain(|nick| !nick.is_empty());
    nicks.dedup();
    nicks
}

fn within(name: &str, mark: &str, max_bytes: Option<usize>) -> String {
    let Some(max) = max_bytes else {
        return format!("{name}{mark}");
    };
    let kept = nick::shortened(name, max.saturating_sub(mark.len()));
    format!("{}{mark}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{QqNumber, Role};

    #[test]
    fn the_ladder_of_nicks() {
        let member = Member {
            id: MemberId::Number(QqNumber(222_333_444)),
            nickname: String::new(),
            card: "一二三四五六七八".into(),
            role: Role::Member,
        };
        assert_eq!(
            nicks(&member, None),
            [
                "一二三四五六七八",
                "一二三四五六七八 (QQ)",
                "一二三四五六七八 (3444)",
                "QQ 3444"
            ]
        );
        let short = nicks(&member, Some(SHORT_NICK));
        assert_eq!(
            short,
            ["一二三四五六七", "一二三四五六 (QQ)", "一二三四五 (3444)", "QQ 3444"]
        );
        assert!(short.iter().all(|nick| nick.len() <= SHORT_NICK));
    }
}
