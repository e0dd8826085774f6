//! What was said on XMPP: is it on QQ, once, in the room's order; or was its author told?

use std::collections::BTreeMap;

use crate::journal::{Mark, Said, Side};
use crate::rooms::Host;

use super::{Case, Verdict};

/// The gateway's words, in English: `portal/words.rs` is not known here, people read these.
const NOT_SENT: &str = "did not reach QQ";
const UNKNOWN: &str = "not known whether this message reached QQ";
const TOO_LATE: &str = "were not passed on to QQ";

pub(super) fn judge(case: &Case<'_>, verdict: &mut Verdict) {
    let key = (Side::Xmpp, case.room.protocol, case.room.host);
    let mut on_qq: BTreeMap<Mark, u64> = BTreeMap::new();
    let group = &case.journal.groups[case.room.number];
    for mark in group.iter().filter(|word| word.own).filter_map(|word| word.mark) {
        *on_qq.entry(mark).or_default() += 1;
    }
    let mut untold = Vec::new();
    for (mark, said) in case
        .journal
        .said
        .iter()
        .filter(|(mark, _)| mark.room == case.room.number)
    {
        let times = on_qq.get(mark).copied().unwrap_or_default();
        let kept = case.places.get(mark).map_or(0, Vec::len);
        let told = |what: &str| said.errors.iter().any(|told| told.text.contains(what));
        let row = verdict.rows.entry(key).or_default();
        if times > 1 {
            row.doubled += 1;
            verdict
                .wrong
                .push(format!("doubled: {mark} is {times} times on QQ; {}", story(case, said)));
        }
        if kept > 1 && case.room.host == Host::Gateway {
            row.doubled += 1;
            verdict.wrong.push(format!(
                "doubled: {mark} stands {kept} times in the archive; {}",
                story(case, said)
            ));
        }
        if said.reflected.is_none() && kept == 0 && times == 0 {
            row.not_accepted += 1;
            continue;
        }
        row.accepted += 1;
        if kept == 0 && case.room.host == Host::Gateway {
            row.lost += 1;
            verdict.wrong.push(format!(
                "lost: {mark} is not in the room's archive; {}",
                story(case, said)
            ));
        }
        if times > 0 {
            row.arrived += 1;
            if told(NOT_SENT) {
                row.doubled += 1;
                verdict.wrong.push(format!(
                    "wrong word: {mark} was told as not sent, and is on QQ; {}",
                    story(case, said)
                ));
            }
        } else if told(UNKNOWN) {
            row.unknown += 1;
        } else if told(NOT_SENT) {
            row.failed += 1;
        } else {
            untold.push((*mark, said));
        }
    }
    settle_untold(case, verdict, untold);
    order(case, verdict);
}

/// In a room of others the words are counted: so many as the lines say were told.
fn settle_untold(case: &Case<'_>, verdict: &mut Verdict, untold: Vec<(Mark, &Said)>) {
    let row = verdict
        .rows
        .entry((Side::Xmpp, case.room.protocol, case.room.host))
        .or_default();
    let mut lines = 0;
    if case.room.host == Host::Server {
        lines = lines_of(case).values().map(|text| told_by(text)).sum();
    }
    for (mark, said) in untold {
        // Taken by the MUC, and forgotten by it when it was killed, before anybody could read it up.
        let at = said.reflected.or(said.sent.last().copied()).unwrap_or_default();
        let in_archive = case.places.contains_key(&mark);
        if case.room.host == Host::Server && !in_archive && case.under(at, 0, 15, &["kill-server"]) {
            row.server_lost += 1;
        } else if lines > 0 {
            lines -= 1;
            row.failed += 1;
        } else {
            row.lost += 1;
            verdict.wrong.push(format!(
                "lost: {mark} is not on QQ and nothing was told; {}",
                story(case, said)
            ));
        }
    }
}

/// The lines of the room that nobody said, by id: of its archive, and as people saw them, since a killed server forgets.
fn lines_of<'a>(case: &Case<'a>) -> BTreeMap<&'a str, &'a str> {
    let kept = case.archive.iter().filter(|kept| kept.mark.is_none());
    let kept = kept.map(|kept| (kept.id.as_str(), kept.text.as_str()));
    let sights = case.journal.sights.iter().flat_map(|person| &person[case.room.number]);
    let seen = sights.filter(|sight| sight.mark.is_none());
    let seen = seen.map(|sight| (sight.id.as_str(), sight.text.as_str()));
    kept.chain(seen).collect()
}

/// How many messages a line of the gateway in a room speaks of.
fn told_by(text: &str) -> u64 {
    let number = text.split_whitespace().next().and_then(|word| word.parse().ok());
    if text.contains(TOO_LATE) || text.contains(NOT_SENT) {
        return number.unwrap_or(1);
    }
    0
}

/// What stands on QQ in the room's order.
fn order(case: &Case<'_>, verdict: &mut Verdict) {
    let group = case.journal.groups[case.room.number].iter();
    let mut newest: Option<(usize, Mark)> = None;
    for word in group.filter(|word| word.own) {
        let Some((mark, place)) = word
            .mark
            .and_then(|mark| Some((mark, *case.places.get(&mark)?.first()?)))
        else {
            continue;
        };
        match newest {
            Some((before, earlier)) if place < before => {
                verdict
                    .rows
                    .entry((Side::Xmpp, case.room.protocol, case.room.host))
                    .or_default()
                    .disordered += 1;
                verdict.wrong.push(format!(
                    "disordered: {mark} came to QQ at {:.1} behind {earlier}, and stands before it in {}; {}",
                    word.at.as_secs_f64(),
                    case.room.jid,
                    case.around(word.at)
                ));
            }
            Some((before, _)) if place == before => {}
            _ => newest = Some((place, mark)),
        }
    }
}

/// What its author knows of it.
fn story(case: &Case<'_>, said: &Said) -> String {
    let times: Vec<String> = said.sent.iter().map(|at| format!("{:.1}", at.as_secs_f64())).collect();
    let reflected = said
        .reflected
        .map_or("never".to_owned(), |at| format!("at {:.1}", at.as_secs_f64()));
    let errors: Vec<String> = said
        .errors
        .iter()
        .map(|told| format!("{:.1} {} {:?}", told.at.as_secs_f64(), told.condition, told.text))
        .collect();
    let at = said.sent.first().copied().unwrap_or_default();
    format!(
        "person {}, id {}, sent at {}, seen {reflected}, told [{}], in {}; {}",
        said.person,
        said.id,
        times.join(" and "),
        errors.join(", "),
        case.room.jid,
        case.around(at)
    )
}
