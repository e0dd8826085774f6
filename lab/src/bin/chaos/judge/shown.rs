//! What each person was shown: everything between the first and the last message of a stay, in the archive's order, each once by its
//! id; and in the end all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::journal::{How, Mark, Side, Sight};
use crate::rooms::Host;

use super::{Case, Verdict};

/// Rows that a session may be shown again after a break (the tail).
const TAIL: u64 = 64;
/// What is a break for those who are in a room.
const BREAKS: [&str; 6] = [
    "kill-gateway",
    "restart-gateway",
    "freeze-gateway",
    "wire-component",
    "freeze-server",
    "gateway",
];

pub(super) fn judge(case: &Case<'_>, verdict: &mut Verdict) {
    let index: HashMap<&str, usize> = case
        .archive
        .iter()
        .enumerate()
        .map(|(place, kept)| (kept.id.as_str(), place))
        .collect();
    for (person, sights) in case.journal.sights.iter().enumerate() {
        let sights = &sights[case.room.number];
        under_two_ids(case, verdict, person, sights);
        let stays: BTreeSet<u32> = sights.iter().map(|sight| sight.stay).collect();
        for stay in stays {
            let of_stay: Vec<&Sight> = sights
                .iter()
                .filter(|sight| sight.stay == stay && matches!(sight.how, How::Live | How::History))
                .collect();
            one_stay(case, verdict, (person, stay), &of_stay, &index);
        }
        if case.room.host == Host::Gateway {
            in_the_end(case, verdict, person, sights, &index);
        }
    }
}

fn side(sight: &Sight) -> Side {
    sight.mark.map_or(Side::Qq, |mark| mark.side)
}

/// The same words under two ids are two messages.
fn under_two_ids(case: &Case<'_>, verdict: &mut Verdict, person: usize, sights: &[Sight]) {
    let mut ids: BTreeMap<Mark, BTreeSet<&str>> = BTreeMap::new();
    for sight in sights.iter().filter(|sight| !sight.id.is_empty()) {
        if let Some(mark) = sight.mark {
            ids.entry(mark).or_default().insert(&sight.id);
        }
    }
    for (mark, ids) in ids.into_iter().filter(|(_, ids)| ids.len() > 1) {
        let first = sights
            .iter()
            .find(|sight| sight.mark == Some(mark))
            .map(|sight| sight.at)
            .unwrap_or_default();
        let last = sights
            .iter()
            .rev()
            .find(|sight| sight.mark == Some(mark))
            .map(|sight| sight.at)
            .unwrap_or_default();
        // What the archive of a killed server has forgotten cannot be known to have been said: it is said again.
        let forgotten = case.room.host == Host::Server
            && case.places.get(&mark).map_or(0, Vec::len) <= 1
            && case
                .journal
                .deeds
                .iter()
                .any(|deed| deed.kind == "kill-server" && deed.at >= first && deed.at <= last);
        if forgotten {
            verdict
                .notes
                .push(format!("shown twice: {mark}; the server forgot it when it was killed"));
            continue;
        }
        let row = verdict
            .rows
            .entry((mark.side, case.room.protocol, case.room.host))
            .or_default();
        row.doubled += 1;
        verdict.wrong.push(format!(
            "doubled: person {person} saw {mark} under the ids {ids:?} at {:.1} and {:.1}; {}",
            first.as_secs_f64(),
            last.as_secs_f64(),
            case.around(last)
        ));
    }
}

/// From an entry to the next: in order, and, where the gateway is the host, without a hole.
fn one_stay(
    case: &Case<'_>,
    verdict: &mut Verdict,
    (person, stay): (usize, u32),
    sights: &[&Sight],
    index: &HashMap<&str, usize>,
) {
    let mut newest: Option<usize> = None;
    let mut seen: BTreeMap<usize, &Sight> = BTreeMap::new();
    let mut again = 0;
    for sight in sights {
        let Some(&place) = index.get(sight.id.as_str()) else {
            continue;
        };
        let row = verdict
            .rows
            .entry((side(sight), case.room.protocol, case.room.host))
            .or_default();
        if seen.contains_key(&place) && said_again(case, person, sight) {
            continue;
        }
        if seen.insert(place, sight).is_some() {
            row.again += 1;
            again += 1;
            if !sight.delayed && case.room.host == Host::Gateway {
                row.doubled += 1;
                verdict.wrong.push(format!(
                    "doubled: person {person} in stay {stay} saw {} again at {:.1}, and not as something late; {}",
                    name(sight),
                    sight.at.as_secs_f64(),
                    case.around(sight.at)
                ));
            }
            continue;
        }
        if newest.is_some_and(|newest| place < newest) {
            row.disordered += 1;
            verdict.wrong.push(format!(
                "disordered: person {person} in stay {stay} saw {} at {:.1} behind what follows it in {}; {}",
                name(sight),
                sight.at.as_secs_f64(),
                case.room.jid,
                case.around(sight.at)
            ));
        } else {
            newest = Some(place);
        }
    }
    let (Some(first), Some(last)) = (sights.first(), sights.last()) else {
        return;
    };
    let breaks = case.journal.deeds.iter().filter(|deed| {
        !deed.ends && deed.at >= first.at && deed.at <= last.at && BREAKS.iter().any(|kind| deed.kind.starts_with(kind))
    });
    let allowed = TAIL * breaks.count() as u64;
    if again > allowed && case.room.host == Host::Gateway {
        verdict
            .rows
            .entry((Side::Qq, case.room.protocol, case.room.host))
            .or_default()
            .doubled += again - allowed;
        verdict.wrong.push(format!(
            "doubled: person {person} in stay {stay} of {} was shown {again} messages again, and {allowed} may be",
            case.room.jid
        ));
    }
    if case.room.host == Host::Gateway {
        holes(case, verdict, (person, stay), &seen);
    }
}

/// Whether the author said it more than once: each time it gets its reflection again, and as what it is.
fn said_again(case: &Case<'_>, person: usize, sight: &Sight) -> bool {
    let said = sight.mark.and_then(|mark| case.journal.said.get(&mark));
    said.is_some_and(|said| said.person == person && said.sent.len() > 1)
}

fn holes(case: &Case<'_>, verdict: &mut Verdict, (person, stay): (usize, u32), seen: &BTreeMap<usize, &Sight>) {
    let (Some(first), Some(last)) = (seen.keys().next(), seen.keys().next_back()) else {
        return;
    };
    for place in *first..*last {
        if seen.contains_key(&place) {
            continue;
        }
        let kept = &case.archive[place];
        let Some(next) = seen.range(place..).next().map(|(_, sight)| sight) else {
            continue;
        };
        let side = kept.mark.map_or(Side::Qq, |mark| mark.side);
        verdict
            .rows
            .entry((side, case.room.protocol, case.room.host))
            .or_default()
            .lost += 1;
        verdict.wrong.push(format!(
            "lost: person {person}, who stayed ({stay}) in {}, was not shown {:?} before {} at {:.1}; {}",
            case.room.jid,
            kept.text,
            name(next),
            next.at.as_secs_f64(),
            case.around(next.at)
        ));
    }
}

/// With the archive's pages nothing is missing since the person first came.
fn in_the_end(case: &Case<'_>, verdict: &mut Verdict, person: usize, sights: &[Sight], index: &HashMap<&str, usize>) {
    let seen: BTreeSet<usize> = sights
        .iter()
        .filter_map(|sight| index.get(sight.id.as_str()).copied())
        .collect();
    let Some(first) = seen.first() else { return };
    for (place, kept) in case.archive.iter().enumerate().skip(*first) {
        if !seen.contains(&place) {
            let side = kept.mark.map_or(Side::Qq, |mark| mark.side);
            verdict
                .rows
                .entry((side, case.room.protocol, case.room.host))
                .or_default()
                .lost += 1;
            verdict.wrong.push(format!(
                "lost: person {person} never got {:?} of {}",
                kept.text, case.room.jid
            ));
        }
    }
}

fn name(sight: &Sight) -> String {
    sight
        .mark
        .map_or_else(|| format!("{:?}", sight.text), |mark| mark.to_string())
}
