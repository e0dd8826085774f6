//! Everything that a run saw, a line each, by time: for whoever looks for the reason of something.

use std::fmt::Write as _;
use std::time::Duration;

use crate::journal::Journal;

/// The whole text.
pub(crate) fn write(journal: &Journal) -> String {
    let mut lines: Vec<(Duration, String)> = Vec::new();
    for deed in &journal.deeds {
        let ends = if deed.ends { "end of " } else { "" };
        let first = deed.what.lines().next().unwrap_or_default();
        lines.push((deed.at, format!("== {ends}{}: {first}", deed.kind)));
    }
    for (room, group) in journal.groups.iter().enumerate() {
        for word in group {
            let who = if word.own { "bot" } else { "qq" };
            let mark = word.mark.map_or_else(|| "-".to_owned(), |mark| mark.to_string());
            lines.push((word.at, format!("group {room}: {who} {mark} message {}", word.id)));
        }
    }
    for (mark, said) in &journal.said {
        for at in &said.sent {
            lines.push((*at, format!("person {} says {mark} id {}", said.person, said.id)));
        }
        for told in &said.errors {
            lines.push((
                told.at,
                format!(
                    "person {} is told about {mark}: {} {}",
                    said.person, told.condition, told.text
                ),
            ));
        }
    }
    for (person, rooms) in journal.sights.iter().enumerate() {
        for (room, sights) in rooms.iter().enumerate() {
            for sight in sights {
                let what = sight
                    .mark
                    .map_or_else(|| format!("{:?}", sight.text), |mark| mark.to_string());
                let late = if sight.delayed { " delayed" } else { "" };
                let line = format!(
                    "person {person} room {room} stay {} {:?}{late}: {what} {}",
                    sight.stay, sight.how, sight.id
                );
                lines.push((sight.at, line));
            }
        }
    }
    for (person, rooms) in journal.whispers.iter().enumerate() {
        for (room, whispers) in rooms.iter().enumerate() {
            for told in whispers {
                lines.push((
                    told.at,
                    format!("person {person} room {room} is told alone: {}", told.text),
                ));
            }
        }
    }
    lines.sort_by_key(|(at, _)| *at);
    let mut text = String::new();
    for (at, line) in lines {
        let _ = writeln!(text, "{:9.3} {line}", at.as_secs_f64());
    }
    text
}
