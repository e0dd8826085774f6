//! What was said on QQ: does it stand in the room's archive, once, in the group's order?

use std::time::Duration;

use crate::journal::{GroupWord, Mark, Side};
use crate::rooms::{Host, Protocol};

use super::{Case, Verdict};

/// Between a poll's answer and the commit: what is given out so shortly before a break was not taken. The sandbox's log has whole
/// seconds.
const BREAKS_WITHIN: u64 = 4;
/// What a `WebQQ` session loses by: it, its wire or its service goes while something is on the way; or its store takes nothing.
const WEBQQ_BREAKS: [&str; 7] = [
    "kill-gateway",
    "restart-gateway",
    "freeze-gateway",
    "wire-webqq",
    "kill-sandbox",
    "restart-sandbox",
    "full-disk",
];
/// What keeps messages from the `OneBot` program itself, or from its history.
const ONEBOT_LOSSES: [&str; 3] = ["lost_event", "short_history", "silent_offline"];
/// Faults by which a protocol tells no order.
const MIXES: [&str; 2] = ["order", "double_message"];

pub(super) fn judge(case: &Case<'_>, verdict: &mut Verdict) {
    let key = (Side::Qq, case.room.protocol, case.room.host);
    let words = case.journal.groups[case.room.number].iter().filter(|word| !word.own);
    let words: Vec<(&GroupWord, Mark)> = words.filter_map(|word| Some((word, word.mark?))).collect();
    for (word, mark) in &words {
        let places = case.places.get(mark).map_or(0, Vec::len);
        let row = verdict.rows.entry(key).or_default();
        if places > 0 {
            row.accepted += 1;
            row.arrived += 1;
            if places > 1 {
                row.doubled += 1;
                verdict.wrong.push(format!(
                    "doubled: {mark}, said at {:.1}, stands {places} times in {}; {}",
                    word.at.as_secs_f64(),
                    case.room.jid,
                    case.around(word.at)
                ));
            }
        } else if let Some(seen) = first_seen(case, *mark) {
            row.accepted += 1;
            row.arrived += 1;
            // It was in the room, and the room's archive forgot it: the server's own doing when it is killed. ejabberd's archive
            // in Mnesia forgets minutes, so however much later that was; the gateway has done its part when the room showed it.
            if case.room.host == Host::Server && case.killed_after(seen) {
                row.server_lost += 1;
            } else {
                row.lost += 1;
                verdict.wrong.push(format!(
                    "lost: {mark} was shown at {:.1} and is not in the archive of {}; {}",
                    seen.as_secs_f64(),
                    case.room.jid,
                    case.around(seen)
                ));
            }
        } else {
            missing(case, verdict, word, *mark);
        }
    }
    order(case, verdict, &words);
}

fn missing(case: &Case<'_>, verdict: &mut Verdict, word: &GroupWord, mark: Mark) {
    let key = (Side::Qq, case.room.protocol, case.room.host);
    let (excuse, fate) = match case.room.protocol {
        Protocol::OneBot => {
            // A history that is short when the gap is closed has not what was said up to then.
            let kept_from_it =
                case.under(word.at, 12, 3, &ONEBOT_LOSSES) || case.under(word.at, 0, 25, &["short_history"]);
            (
                kept_from_it.then_some("kept from the program by a fault"),
                String::new(),
            )
        }
        Protocol::WebQq => webqq_fate(case, word),
    };
    let row = verdict.rows.entry(key).or_default();
    let (at, room) = (word.at.as_secs_f64(), &case.room.jid);
    if let Some(excuse) = excuse {
        row.not_accepted += 1;
        verdict
            .notes
            .push(format!("not accepted: {mark}, said at {at:.1}: {excuse}"));
    } else {
        row.accepted += 1;
        row.lost += 1;
        let around = case.around(word.at);
        verdict.wrong.push(format!(
            "lost: {mark}, said at {at:.1}, message {} is not in {room}; {fate}{around}",
            word.id
        ));
    }
}

/// Why a message of `WebQQ` may be missing, if it may; and what the sandbox's log says of it.
fn webqq_fate(case: &Case<'_>, word: &GroupWord) -> (Option<&'static str>, String) {
    let log = case.journal.far.iter();
    let has = |entry: &&serde_json::Value| {
        entry["events"]
            .as_array()
            .is_some_and(|events| events.iter().any(|event| *event == word.id))
    };
    let Some(given) = log.clone().rfind(has) else {
        return (
            Some("never given out: the account was not logged in, or a fault kept it"),
            String::new(),
        );
    };
    let mourned = format!("messages [{}", word.id);
    let gone = log.clone().any(|entry| {
        entry["outcome"] == "gone"
            && entry["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(&mourned) || detail.contains(&format!(" {}", word.id)))
    });
    if gone || given["outcome"] == "gone" || given["outcome"] == "dropped" {
        return (Some("its answer did not arrive"), String::new());
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let given_at = given["time"].as_i64().unwrap_or_default() as f64 - case.journal.epoch;
    let given_at = Duration::from_secs_f64(given_at.max(0.0));
    if case.under(given_at, BREAKS_WITHIN, BREAKS_WITHIN, &WEBQQ_BREAKS) {
        return (
            Some("given out when the gateway, the wire or the service broke"),
            String::new(),
        );
    }
    let fate = format!("given out at {:.0}: {}; ", given_at.as_secs_f64(), given["detail"]);
    (None, fate)
}

fn first_seen(case: &Case<'_>, mark: Mark) -> Option<Duration> {
    let sights = case.journal.sights.iter().flat_map(|person| &person[case.room.number]);
    sights
        .filter(|sight| sight.mark == Some(mark))
        .map(|sight| sight.at)
        .min()
}

/// The group's order is the room's, but where a hole was closed late and the room says so.
fn order(case: &Case<'_>, verdict: &mut Verdict, words: &[(&GroupWord, Mark)]) {
    let placed = words
        .iter()
        .filter_map(|(word, mark)| Some((*case.places.get(mark)?.first()?, *word, *mark)));
    let mut newest: Option<(usize, Mark)> = None;
    for (place, word, mark) in placed {
        match newest {
            Some((before, earlier)) if place < before => {
                let hole = case.archive[..before]
                    .iter()
                    .any(|kept| kept.text.contains("missing here"));
                let mixed = case.room.protocol == Protocol::WebQq && case.under(word.at, 10, 10, &MIXES);
                if !mixed && !hole {
                    verdict
                        .rows
                        .entry((Side::Qq, case.room.protocol, case.room.host))
                        .or_default()
                        .disordered += 1;
                    verdict.wrong.push(format!(
                        "disordered: {mark}, said at {:.1} after {earlier}, stands before it in {}; {}",
                        word.at.as_secs_f64(),
                        case.room.jid,
                        case.around(word.at)
                    ));
                }
            }
            _ => newest = Some((place, mark)),
        }
    }
}
