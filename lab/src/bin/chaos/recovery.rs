//! How long after the end of a fault a message goes through again: of each kind of fault and each way the least, the median, the
//! most. A message counts that was said after the end, in the room that was the last to have one; so with few messages a second this
//! is as coarse as they are rare. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::journal::{How, Journal, Mark, Side};

/// Seconds, ascending, of both ways.
pub(crate) type Times = (Vec<f64>, Vec<f64>);

/// By kind of fault.
pub(crate) fn times(journal: &Journal) -> BTreeMap<String, Times> {
    let to_xmpp = crossings_to_xmpp(journal);
    let to_qq = crossings_to_qq(journal);
    let mut all: BTreeMap<String, Times> = BTreeMap::new();
    let noise = ["alert", "operator", "phone"];
    for deed in journal
        .deeds
        .iter()
        .filter(|deed| deed.ends && !noise.contains(&deed.kind.as_str()))
    {
        let times = all.entry(deed.kind.clone()).or_default();
        times.0.extend(after(&to_xmpp, deed.at));
        times.1.extend(after(&to_qq, deed.at));
    }
    for (one, other) in all.values_mut() {
        one.sort_by(f64::total_cmp);
        other.sort_by(f64::total_cmp);
    }
    all
}

/// Of each room: when something was said, and when it had come across.
type Crossings = Vec<Vec<(Duration, Duration)>>;

fn crossings_to_xmpp(journal: &Journal) -> Crossings {
    let mut seen: HashMap<Mark, Duration> = HashMap::new();
    for sight in journal
        .sights
        .iter()
        .flatten()
        .flatten()
        .filter(|sight| sight.how == How::Live)
    {
        if let Some(mark) = sight.mark {
            let first = seen.entry(mark).or_insert(sight.at);
            *first = (*first).min(sight.at);
        }
    }
    let of_group = |group: &Vec<crate::journal::GroupWord>| {
        let words = group.iter().filter(|word| !word.own);
        words
            .filter_map(|word| Some((word.at, *seen.get(&word.mark?)?)))
            .collect()
    };
    journal.groups.iter().map(of_group).collect()
}

fn crossings_to_qq(journal: &Journal) -> Crossings {
    let of_group = |group: &Vec<crate::journal::GroupWord>| {
        let words = group.iter().filter(|word| word.own);
        let mut crossings: Vec<_> = words
            .filter_map(|word| {
                let mark = word.mark.filter(|mark| mark.side == Side::Xmpp)?;
                Some((*journal.said.get(&mark)?.sent.first()?, word.at))
            })
            .collect();
        crossings.sort_unstable();
        crossings
    };
    journal.groups.iter().map(of_group).collect()
}

/// Nothing when some room has heard nothing more.
fn after(crossings: &Crossings, end: Duration) -> Option<f64> {
    let of_room = |room: &Vec<(Duration, Duration)>| {
        let later = room.iter().filter(|(said, _)| *said >= end);
        later.map(|(_, arrived)| *arrived).min()
    };
    let mut last = Duration::ZERO;
    for room in crossings {
        last = last.max(of_room(room)?);
    }
    Some(last.saturating_sub(end).as_secs_f64())
}
