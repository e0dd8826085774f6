//! What became of everything, from what outside observers saw: the sandbox's own list, the rooms' archives, what the persons were
//! shown and told. Pure.
//!
//! **Accepted**, by design: from XMPP what its author saw in the room, or what stands in the room's archive. From `OneBot` all
//! that the sandbox recorded, since the program's history gives it back, but for what a fault kept from the program itself. From
//! `WebQQ` what a poll's answer brought: the protocol has neither acknowledgement nor history, so what was given out when the
//! gateway or the wire broke is counted apart, and so is what was never given out.
//!
//! **Told**: in a hosted room an error with the message's id. A room of others throws out who sends errors, so there a line in the
//! room says how many did not reach QQ.

mod from_qq;
mod from_xmpp;
mod shown;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::archive::Kept;
use crate::journal::{Deed, Journal, Mark, Side};
use crate::rooms::{Host, Protocol, Room};

/// A row of the table: of one direction, protocol and kind of room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) accepted: u64,
    pub(crate) arrived: u64,
    pub(crate) lost: u64,
    /// The same words under two ids, or twice on QQ.
    pub(crate) doubled: u64,
    /// The same id shown again to somebody who had seen it: what clients that do not de-duplicate show twice.
    pub(crate) again: u64,
    pub(crate) disordered: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
    pub(crate) not_accepted: u64,
    /// What the server's own MUC took and forgot when it was killed.
    pub(crate) server_lost: u64,
}

/// From where to where.
pub(crate) type Key = (Side, Protocol, Host);

/// All of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) rows: BTreeMap<Key, Row>,
    /// What must not be, a line each.
    pub(crate) wrong: Vec<String>,
    /// What may be and is worth a look.
    pub(crate) notes: Vec<String>,
}

impl Verdict {
    pub(crate) fn total(&self, of: impl Fn(&Row) -> u64) -> u64 {
        self.rows.values().map(of).sum()
    }

    /// Whether nothing was lost, doubled, disordered or left untold.
    pub(crate) fn is_fine(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// What the parts of the judge look at: one room.
pub(crate) struct Case<'a> {
    room: &'a Room,
    journal: &'a Journal,
    archive: &'a [Kept],
    /// Where each message stands in the archive, by its mark.
    places: BTreeMap<Mark, Vec<usize>>,
}

impl Case<'_> {
    fn deeds_near(&self, at: Duration, before: u64, after: u64) -> impl Iterator<Item = &Deed> {
        let (from, to) = (
            at.saturating_sub(Duration::from_secs(before)),
            at + Duration::from_secs(after),
        );
        let deeds = self.journal.deeds.iter();
        deeds.filter(move |deed| deed.at >= from && deed.at <= to && deed.kind != "alert")
    }

    /// Whether a kind of fault was going on at a time, or began so many seconds after it, or ended so many before.
    fn under(&self, at: Duration, before: u64, after: u64, kinds: &[&str]) -> bool {
        let mut open = 0_i32;
        let is_one = |deed: &&Deed| kinds.iter().any(|kind| deed.kind.contains(kind));
        for deed in self.journal.deeds.iter().filter(|deed| deed.at <= at).filter(is_one) {
            open += if deed.ends { -1 } else { 1 };
        }
        open > 0 || self.deeds_near(at, before, after).any(|deed| is_one(&deed))
    }

    /// Whether the server was killed at some time after that.
    fn killed_after(&self, at: Duration) -> bool {
        self.journal
            .deeds
            .iter()
            .any(|deed| deed.kind == "kill-server" && !deed.ends && deed.at >= at)
    }

    /// Times and what was done around them, for people.
    fn around(&self, at: Duration) -> String {
        let near: Vec<String> = self
            .deeds_near(at, 15, 10)
            .map(|deed| {
                let what = if deed.ends { "end of " } else { "" };
                format!("{:.1} {what}{}", deed.at.as_secs_f64(), deed.kind)
            })
            .collect();
        if near.is_empty() {
            "nothing was done near".to_owned()
        } else {
            format!("near: {}", near.join(", "))
        }
    }
}

/// Judges everything.
pub(crate) fn judge(rooms: &[Room], journal: &Journal, archives: &[Vec<Kept>]) -> Verdict {
    let mut verdict = Verdict::default();
    for (room, archive) in rooms.iter().zip(archives) {
        let mut places: BTreeMap<Mark, Vec<usize>> = BTreeMap::new();
        for (place, kept) in archive.iter().enumerate() {
            if let Some(mark) = kept.mark {
                places.entry(mark).or_default().push(place);
            }
        }
        let case = Case {
            room,
            journal,
            archive,
            places,
        };
        from_qq::judge(&case, &mut verdict);
        from_xmpp::judge(&case, &mut verdict);
        shown::judge(&case, &mut verdict);
    }
    verdict
}
