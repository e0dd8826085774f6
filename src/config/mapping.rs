//! Reads `[[mapping]]`, each row against the rows before it and the rest of the file.

use toml::de::DeValue;

use crate::model::AccountName;

use super::context::Context;
use super::room;
use super::row::{Direction, Group, Row};
use super::section::{Placed, Section};
use super::value::{self, Wrong};

/// Reads one row.
pub(super) fn read(section: &Section<'_>, context: &mut Context<'_>) -> Option<Row> {
    let account = account(section, context);
    let groups = groups(section, context);
    let room = room::read(section, context);
    let directions = [
        ("both", Direction::Both),
        ("to-xmpp", Direction::ToXmpp),
        ("to-qq", Direction::ToQq),
    ];
    let relay = section.read("relay", value::word(&directions));
    let (room, kind) = room?;
    Some(Row {
        account: account?,
        groups: groups?,
        room,
        relay: relay.unwrap_or_default(),
        kind,
    })
}

fn account(section: &Section<'_>, context: &Context<'_>) -> Option<AccountName> {
    let named = section.read_placed("account", value::text);
    let accounts = context.accounts?;
    let all = || accounts.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>();
    let Some(named) = named else {
        if section.get("account").is_some() {
            return None;
        }
        match accounts {
            [only] => return Some(only.clone()),
            [] => section.missing("account", "add an [[account]] to the file: no row works without one"),
            _ => section.missing("account", &format!("add a line account = {}", all().join(" or "))),
        }
        return None;
    };
    let known = accounts.iter().find(|name| name.as_str() == named.value);
    if known.is_none() {
        let wrong = Wrong::new(
            format!("cannot be \"{}\": there is no [[account]] of that name", named.value),
            match accounts {
                [] => format!("add an [[account]] with name = \"{}\"", named.value),
                _ => format!("write {}", all().join(" or ")),
            },
        );
        section.wrong("account", named.at, &wrong);
    }
    known.cloned()
}

fn groups(section: &Section<'_>, context: &mut Context<'_>) -> Option<Vec<Group>> {
    let numbers = one_or_many(section, "group", value::group);
    let names = one_or_many(section, "group_name", value::name);
    let Some(numbers) = numbers else {
        section.missing(
            "group",
            "add a line group = 346000003, or several: group = [346000003, 346000005]",
        );
        return None;
    };
    if numbers.is_empty() {
        // Empty in the file, or nothing in it is a group: then that was told.
        let entry = section.get("group").and_then(|entry| entry.value.as_array());
        if entry.is_some_and(|list| list.is_empty()) {
            let instead = "write at least one number: group = 346000003";
            section.problem_at("group", "`group` is empty", instead);
        }
        return None;
    }
    for Placed { value: number, at } in &numbers {
        let line = section.line_of(at);
        if let Some(before) = context.groups.get(number) {
            let wrong = Wrong::new(
                format!("holds {number} again: it stands in line {before} already"),
                "a group stands in one row, once; take it out of one of them",
            );
            section.wrong("group", at.clone(), &wrong);
            continue;
        }
        context.groups.insert(*number, line);
    }
    let names = match names {
        Some(names) if names.len() == numbers.len() => names.into_iter().map(|name| Some(name.value)).collect(),
        Some(names) => {
            let what = format!("`group_name` has {} for {} in `group`", names.len(), numbers.len());
            section.problem_at("group_name", &what, "write one name for each group, in the same order");
            return None;
        }
        None => vec![None; numbers.len()],
    };
    let groups = numbers.into_iter().zip(names);
    Some(
        groups
            .map(|(number, name)| Group {
                number: number.value,
                name,
            })
            .collect(),
    )
}

/// A key that holds one value or a list of them.
fn one_or_many<T>(
    section: &Section<'_>,
    key: &'static str,
    parse: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
) -> Option<Vec<Placed<T>>> {
    let entry = section.get(key)?;
    if entry.value.is_array() {
        return section.list(key, parse);
    }
    Some(section.read_placed(key, parse).into_iter().collect())
}
