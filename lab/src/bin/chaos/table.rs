//! What is printed in the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::journal::Side;
use crate::judge::{Row, Verdict};
use crate::recovery::Times;

/// Details of one sort that are printed; the rest is in the report's file.
pub(crate) const MOST: usize = 12;

/// The table, one row for each direction, protocol and kind of room.
pub(crate) fn counts(verdict: &Verdict) -> String {
    let mut text = format!(
        "{:<26}{:>9}{:>9}{:>6}{:>9}{:>7}{:>12}{:>8}{:>9}{:>14}{:>12}\n",
        "",
        "accepted",
        "arrived",
        "lost",
        "doubled",
        "again",
        "disordered",
        "failed",
        "unknown",
        "not accepted",
        "server's"
    );
    for ((side, protocol, host), row) in &verdict.rows {
        let way = match side {
            Side::Qq => "QQ → XMPP",
            Side::Xmpp => "XMPP → QQ",
        };
        let name = format!("{way} {} {}", protocol.name(), host.name());
        line(&mut text, &name, row);
    }
    text.push_str(
        "\nagain: the same id shown again after a break, as a client sees it that does not de-duplicate. failed, unknown: the author was\n\
         told so. not accepted: refused with an error, never reflected, or (WebQQ) given out in the moment of a break. server's: forgotten\n\
         by the server's own MUC when it was killed.\n",
    );
    text
}

fn line(text: &mut String, name: &str, row: &Row) {
    let _ = writeln!(
        text,
        "{name:<26}{:>9}{:>9}{:>6}{:>9}{:>7}{:>12}{:>8}{:>9}{:>14}{:>12}",
        row.accepted,
        row.arrived,
        row.lost,
        row.doubled,
        row.again,
        row.disordered,
        row.failed,
        row.unknown,
        row.not_accepted,
        row.server_lost
    );
}

/// Seconds until a message goes through again, by the kind of fault.
pub(crate) fn recovery(times: &BTreeMap<String, Times>) -> String {
    let mut text = format!(
        "{:<44}{:>6}  {:<24}{:<24}\n",
        "recovery, seconds: least median most", "times", "QQ → XMPP", "XMPP → QQ"
    );
    for (kind, (to_xmpp, to_qq)) in times {
        let of = |times: &[f64]| match (times.first(), times.get(times.len() / 2), times.last()) {
            (Some(least), Some(median), Some(most)) => format!("{least:6.1} {median:6.1} {most:6.1}"),
            _ => "none".to_owned(),
        };
        let _ = writeln!(
            text,
            "{kind:<44}{:>6}  {:<24}{:<24}",
            to_xmpp.len().max(to_qq.len()),
            of(to_xmpp),
            of(to_qq)
        );
    }
    text
}

/// What was wrong, and what is worth a look.
pub(crate) fn details(verdict: &Verdict, most: usize) -> String {
    let mut text = String::new();
    for (title, lines) in [("not accepted and the like", &verdict.notes), ("wrong", &verdict.wrong)] {
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{title}:");
        for line in lines.iter().take(most) {
            let _ = writeln!(text, "  {line}");
        }
        if lines.len() > most {
            let _ = writeln!(text, "  and {} more, in report.txt", lines.len() - most);
        }
    }
    text
}

/// The line for scripts.
pub(crate) fn last(verdict: &Verdict) -> String {
    format!(
        "chaos: accepted={} lost={} doubled={} disordered={} unknown={}",
        verdict.total(|row| row.accepted),
        verdict.total(|row| row.lost),
        verdict.total(|row| row.doubled),
        verdict.total(|row| row.disordered),
        verdict.total(|row| row.unknown)
    )
}
