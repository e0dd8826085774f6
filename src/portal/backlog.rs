//! What is committed but not yet shown, in the order in which it will be shown.
//!
//! Rows are not kept here when there are many: the store has them, and the *sent* cursor says where to go on. So an outage of the
//! XMPP side ends in rows on disk, not in memory. Changes of presence are few and stand between rows: each is shown when the
//! cursor has passed the row it was admitted behind.

use std::collections::VecDeque;

use jid::FullJid;

use super::draft::NewSubject;
use crate::model::{Row, Seq};
use crate::room::{Change, Spoken};

/// Rows held in memory; behind that they are read from the store again.
const WINDOW: usize = 256;

/// Something that is no row of the archive.
#[derive(Debug)]
pub(super) enum Extra {
    /// Presence.
    Change(Change),
    /// A subject that was set.
    Subject(NewSubject),
    /// A row that one session gets alone: its author said it twice.
    RowTo(Row, FullJid),
    /// Chat states and the like.
    Ephemeral(Spoken),
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// A row for everybody who entered before it.
    Row(Row),
    /// Something between rows.
    Extra(Extra),
    /// Rows behind this one are in the store: read a page and call [`Backlog::refill`].
    ReadFrom(Seq),
    /// All is shown.
    Nothing,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    window: VecDeque<Row>,
    extras: VecDeque<(Seq, Extra)>,
    sent: Seq,
    last: Seq,
}

impl Backlog {
    /// Starts behind `sent`, with rows up to `last` in the store.
    pub(super) fn behind(sent: Seq, last: Seq) -> Self {
        Self {
            sent,
            last,
            ..Self::default()
        }
    }

    /// The last row that was given out.
    pub(super) fn sent(&self) -> Seq {
        self.sent
    }

    /// The last committed row.
    pub(super) fn last(&self) -> Seq {
        self.last
    }

    /// Whether there is anything to show.
    pub(super) fn is_empty(&self) -> bool {
        self.extras.is_empty() && self.sent >= self.last
    }

    /// How many extras wait: they are held in memory, so their number bounds what is admitted.
    pub(super) fn extras(&self) -> usize {
        self.extras.len()
    }

    /// How many of them are changes of presence.
    pub(super) fn changes(&self) -> usize {
        let change = |(_, extra): &&(Seq, Extra)| matches!(extra, Extra::Change(_));
        self.extras.iter().filter(change).count()
    }

    /// Rows that were just committed, in order.
    pub(super) fn push_rows(&mut self, rows: Vec<Row>) {
        for row in rows {
            let follows = self.window.back().map_or(self.sent, |r| r.seq) == self.last;
            self.last = row.seq;
            if follows && self.window.len() < WINDOW {
                self.window.push_back(row);
            }
        }
    }

    /// Something to show behind all rows that are committed by now.
    pub(super) fn push_extra(&mut self, extra: Extra) {
        self.extras.push_back((self.last, extra));
    }

    /// Something to show behind a row that may not be the last: what a break left unshown.
    pub(super) fn push_extra_behind(&mut self, after: Seq, extra: Extra) {
        let at = self.extras.partition_point(|(other, _)| *other <= after);
        self.extras.insert(at, (after, extra));
    }

    /// A page of rows behind the cursor, as [`Next::ReadFrom`] asked. What was committed in this moment may be among them, and is
    /// left for when it is pushed: changes that were admitted before it stand before it.
    pub(super) fn refill(&mut self, rows: Vec<Row>) {
        debug_assert!(self.window.is_empty());
        self.window.extend(rows.into_iter().filter(|row| row.seq <= self.last));
        if self.window.is_empty() {
            // Nothing is there although rows were committed: retention took them.
            self.sent = self.last;
        }
    }

    /// What comes next; the cursor moves.
    pub(super) fn next(&mut self) -> Next {
        if self.extras.front().is_some_and(|(after, _)| *after <= self.sent)
            && let Some((_, extra)) = self.extras.pop_front()
        {
            return Next::Extra(extra);
        }
        if let Some(row) = self.window.pop_front() {
            self.sent = row.seq;
            return Next::Row(row);
        }
        if self.sent < self.last {
            return Next::ReadFrom(self.sent);
        }
        Next::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Author, Content, Timestamp};

    fn row(seq: i64) -> Row {
        Row {
            seq: Seq(seq),
            message: Seq(seq),
            time: Timestamp(seq),
            author: Author::Room,
            nick: "".into(),
            content: Content::Notice(String::new()),
        }
    }

    fn shown(backlog: &mut Backlog, stored: i64) -> Vec<String> {
        let mut shown = Vec::new();
        loop {
            match backlog.next() {
                Next::Row(row) => shown.push(row.seq.to_string()),
                Next::Extra(_) => shown.push("change".into()),
                Next::ReadFrom(seq) => backlog.refill((seq.0 + 1..=stored).take(100).map(row).collect()),
                Next::Nothing => return shown,
            }
        }
    }

    #[test]
    fn a_change_keeps_its_place_between_rows() {
        let mut backlog = Backlog::behind(Seq(1), Seq(3));
        backlog.push_rows(vec![row(4)]);
        backlog.push_extra(Extra::Change(Change::Configuration));
        backlog.push_rows(vec![row(5), row(6)]);
        assert_eq!(shown(&mut backlog, 6), ["2", "3", "4", "change", "5", "6"]);
        assert!(backlog.is_empty());
    }

    #[test]
    fn what_is_read_before_it_is_pushed_waits_for_that() {
        let mut backlog = Backlog::behind(Seq(0), Seq(2));
        let Next::ReadFrom(Seq(0)) = backlog.next() else {
            panic!("rows are in the store");
        };
        // 3 was committed behind a change, which is pushed now.
        backlog.refill((1..=3).map(row).collect());
        backlog.push_extra(Extra::Change(Change::Configuration));
        backlog.push_rows(vec![row(3)]);
        assert_eq!(shown(&mut backlog, 3), ["1", "2", "change", "3"]);
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_skipped() {
        let mut backlog = Backlog::default();
        for seq in 1..=2000 {
            backlog.push_rows(vec![row(seq)]);
        }
        assert!(backlog.window.len() <= WINDOW);
        let all: Vec<String> = (1..=2000).map(|n: i64| n.to_string()).collect();
        assert_eq!(shown(&mut backlog, 2000), all);
        backlog.push_rows(vec![row(2001)]);
        assert_eq!(shown(&mut backlog, 2001), ["2001"]);
    }
}
