//! Which group belongs to which room: the rows of the configuration, found by either side, and what a reload changes.
//!
//! Plain values; owned by the gateway, which makes a new table at each reload.

use std::collections::HashMap;
use std::sync::Arc;

use jid::BareJid;

use crate::model::GroupNumber;

pub use crate::config::{Direction, Group, Row};

/// The mapping table. Never changed: a reload makes a new one.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    rows: Vec<Arc<Row>>,
    by_group: HashMap<GroupNumber, usize>,
    by_room: HashMap<BareJid, usize>,
}

impl Mapping {
    /// From the rows of a configuration: no group and no room stands in two of them.
    pub fn new(rows: impl IntoIterator<Item = Row>) -> Self {
        let rows: Vec<Arc<Row>> = rows.into_iter().map(Arc::new).collect();
        let numbered = || rows.iter().enumerate();
        let by_group = numbered().flat_map(|(n, row)| row.groups.iter().map(move |group| (group.number, n)));
        let by_room = numbered().map(|(n, row)| (row.room.clone(), n));
        Self {
            by_group: by_group.collect(),
            by_room: by_room.collect(),
            rows,
        }
    }

    /// The row that has this group.
    pub fn of_group(&self, group: GroupNumber) -> Option<&Arc<Row>> {
        self.by_group.get(&group).map(|n| &self.rows[*n])
    }

    /// The row of this room.
    pub fn of_room(&self, room: &BareJid) -> Option<&Arc<Row>> {
        self.by_room.get(room).map(|n| &self.rows[*n])
    }

    /// All rows, in the order of the file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Arc<Row>> {
        self.rows.iter()
    }

    /// What has to be done to get from this table to `next`. A row is the same row as long as its room is.
    pub fn diff(&self, next: &Self) -> Diff {
        let mut diff = Diff::default();
        for new in next.rows() {
            match self.of_room(&new.room) {
                None => diff.added.push(Arc::clone(new)),
                Some(old) if old != new => diff.changed.push(Changed {
                    old: Arc::clone(old),
                    new: Arc::clone(new),
                }),
                Some(_) => {}
            }
        }
        let removed = self.rows().filter(|old| next.of_room(&old.room).is_none());
        diff.removed = removed.cloned().collect();
        diff
    }
}

/// The difference of two tables. To be done in the order removed, changed, added: a group that moved from one room to another
/// leaves the one before it enters the other, except between two changed rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diff {
    /// Rows whose room is no longer in the table.
    pub removed: Vec<Arc<Row>>,
    /// Rows that say something else about a room that stays.
    pub changed: Vec<Changed>,
    /// Rows of new rooms.
    pub added: Vec<Arc<Row>>,
}

impl Diff {
    /// Nothing changed.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.changed.is_empty() && self.added.is_empty()
    }
}

/// A row before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// As it was.
    pub old: Arc<Row>,
    /// As it is.
    pub new: Arc<Row>,
}

impl Changed {
    /// Groups that the row has no longer.
    pub fn groups_gone(&self) -> impl Iterator<Item = GroupNumber> {
        only_in(&self.old, &self.new)
    }

    /// Groups that the row did not have.
    pub fn groups_new(&self) -> impl Iterator<Item = GroupNumber> {
        only_in(&self.new, &self.old)
    }
}

fn only_in<'a>(one: &'a Row, other: &'a Row) -> impl Iterator<Item = GroupNumber> {
    let numbers = one.groups.iter().map(|group| group.number);
    numbers.filter(|number| other.groups.iter().all(|group| group.number != *number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Hosted, Occupants, RoomKind};
    use crate::model::AccountName;

    fn row(room: &str, groups: &[u64]) -> Row {
        let group = |number: &u64| Group {
            number: GroupNumber(*number),
            name: None,
        };
        Row {
            account: AccountName("main".into()),
            groups: groups.iter().map(group).collect(),
            room: format!("{room}@qq.example.org").parse().expect("a JID"),
            relay: Direction::Both,
            kind: RoomKind::Hosted(Hosted {
                name: None,
                owners: Vec::new(),
                allow: Vec::new(),
                occupants: Occupants::Auto,
            }),
        }
    }

    fn rooms(rows: &[Arc<Row>]) -> Vec<&str> {
        rows.iter()
            .filter_map(|row| row.room.node())
            .map(jid::NodeRef::as_str)
            .collect()
    }

    #[test]
    fn finds_rows_from_both_sides() {
        let mapping = Mapping::new([row("rust", &[10_001, 10_002]), row("cats", &[10_003])]);
        let of_group = |number| mapping.of_group(GroupNumber(number)).map(|row| row.room.to_string());
        assert_eq!(of_group(10_002).as_deref(), Some("rust@qq.example.org"));
        assert_eq!(of_group(10_003).as_deref(), Some("cats@qq.example.org"));
        assert_eq!(of_group(10_004), None);
        let cats = mapping
            .of_room(&"cats@qq.example.org".parse().expect("a JID"))
            .expect("a row");
        assert_eq!(cats.groups[0].number, GroupNumber(10_003));
        assert_eq!(mapping.rows().len(), 2);
    }

    #[test]
    fn a_reload_is_a_difference() {
        let old = Mapping::new([
            row("same", &[10_001]),
            row("moved", &[10_002, 10_003]),
            row("gone", &[10_004]),
        ]);
        let new = Mapping::new([
            row("new", &[10_004]),
            row("moved", &[10_002, 10_005]),
            row("same", &[10_001]),
        ]);
        assert!(old.diff(&old).is_empty());

        let diff = old.diff(&new);
        assert_eq!(rooms(&diff.added), ["new"]);
        assert_eq!(rooms(&diff.removed), ["gone"]);
        let [moved] = diff.changed.as_slice() else {
            panic!("one row changed: {diff:?}");
        };
        assert_eq!(moved.groups_gone().collect::<Vec<_>>(), [GroupNumber(10_003)]);
        assert_eq!(moved.groups_new().collect::<Vec<_>>(), [GroupNumber(10_005)]);
    }

    #[test]
    fn the_order_of_groups_matters() {
        let old = Mapping::new([row("rust", &[10_001, 10_002])]);
        let new = Mapping::new([row("rust", &[10_002, 10_001])]);
        assert_eq!(old.diff(&new).changed.len(), 1);
    }
}
