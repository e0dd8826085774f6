//! A table of the file while it is read: every key that is asked for is known, whatever else stands there is a problem.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::later;
use super::problem::Report;
use super::value::{self, Wrong};

/// A table, its name for people, and what was asked of it.
pub(super) struct Section<'a> {
    /// As in the file: `[xmpp]`, `[[mapping]]`; empty for the file itself.
    name: &'static str,
    table: &'a DeTable<'a>,
    /// Where its header stands; nothing when the table is not in the file.
    at: Option<Range<usize>>,
    report: &'a Report,
    known: RefCell<BTreeSet<&'static str>>,
}

/// A value and where it stands.
pub(super) struct Entry<'a> {
    pub(super) value: &'a DeValue<'a>,
    pub(super) at: Range<usize>,
}

/// Something read from the file that is looked at again when the whole file is known.
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) at: Range<usize>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        name: &'static str,
        table: &'a DeTable<'a>,
        at: Option<Range<usize>>,
        report: &'a Report,
    ) -> Self {
        let known = RefCell::default();
        Self {
            name,
            table,
            at,
            report,
            known,
        }
    }

    /// The value of a key. From now on the key is known.
    pub(super) fn get(&self, key: &'static str) -> Option<Entry<'a>> {
        self.known.borrow_mut().insert(key);
        let (key, value) = self.table.get_key_value(key)?;
        Some(Entry {
            value: value.get_ref(),
            at: key.span(),
        })
    }

    /// Reads a key; one that is there but wrong is a problem.
    pub(super) fn read<T>(&self, key: &'static str, parse: impl Fn(&DeValue<'_>) -> Result<T, Wrong>) -> Option<T> {
        self.read_placed(key, parse).map(|placed| placed.value)
    }

    /// As [`Section::read`], with its place.
    pub(super) fn read_placed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Option<Placed<T>> {
        let entry = self.get(key)?;
        match parse(entry.value) {
            Ok(value) => Some(Placed { value, at: entry.at }),
            Err(wrong) => {
                self.wrong(key, entry.at, &wrong);
                None
            }
        }
    }

    /// Reads a key that must be there.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Option<T> {
        if self.get(key).is_none() {
            self.missing(key, &format!("add a line {key} = {example}"));
        }
        self.read(key, parse)
    }

    /// Reads a list, each element by itself; wrong elements are problems and left out.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Wrong>,
    ) -> Option<Vec<Placed<T>>> {
        let entry = self.get(key)?;
        let Some(elements) = entry.value.as_array() else {
            let wrong = Wrong::new(
                format!("must be a list, not {}", value::kind(entry.value)),
                format!("put it in brackets: {key} = [ … ]"),
            );
            self.wrong(key, entry.at, &wrong);
            return None;
        };
        let read = elements.iter().filter_map(|element| match parse(element.get_ref()) {
            Ok(value) => Some(Placed {
                value,
                at: element.span(),
            }),
            Err(wrong) => {
                self.wrong(key, element.span(), &wrong);
                None
            }
        });
        Some(read.collect())
    }

    /// A table in this one. `name` is the one that people know it by.
    pub(super) fn table(&self, key: &'static str, name: &'static str) -> Option<Section<'a>> {
        let (entry, span) = self.get_spanned(key)?;
        let Some(table) = entry.value.as_table() else {
            let what = format!("`{key}` must be a table, not {}", value::kind(entry.value));
            self.problem(Some(entry.at), &what, &format!("begin it with a line {name}, once"));
            return None;
        };
        Some(Section::new(name, table, Some(span), self.report))
    }

    /// A table that is not in this one: nothing is in it.
    pub(super) fn absent(&self, name: &'static str, empty: &'a DeTable<'a>) -> Section<'a> {
        Section::new(name, empty, None, self.report)
    }

    /// A list of tables in this one.
    pub(super) fn tables(&self, key: &'static str, name: &'static str) -> Vec<Section<'a>> {
        let Some((entry, _)) = self.get_spanned(key) else {
            return Vec::new();
        };
        let tables = entry.value.as_array().map(|list| {
            let tables = list
                .iter()
                .map(|element| (element.get_ref().as_table(), element.span()));
            tables
                .map(|(table, at)| Some(Section::new(name, table?, Some(at), self.report)))
                .collect()
        });
        tables.flatten().unwrap_or_else(|| {
            let what = format!("`{key}` must be a list of tables");
            self.problem(
                Some(entry.at),
                &what,
                &format!("begin each with a line {name}, with two brackets"),
            );
            Vec::new()
        })
    }

    fn get_spanned(&self, key: &'static str) -> Option<(Entry<'a>, Range<usize>)> {
        let entry = self.get(key)?;
        let span = self.table.get(key)?.span();
        Some((entry, span))
    }

    /// Keys that are not read and no problem either, because something else is.
    pub(super) fn forgive(&self, keys: &[&'static str]) {
        self.known.borrow_mut().extend(keys);
    }

    /// Keys that have no place here, and what they are keys of. They are known only where they stand.
    pub(super) fn refuse(&self, keys: &[&'static str], of: &str) {
        for key in keys.iter().filter(|key| self.table.contains_key(**key)) {
            if let Some(entry) = self.get(key) {
                let wrong = Wrong::new(format!("is a key of {of}"), "take the line out");
                self.wrong(key, entry.at, &wrong);
            }
        }
    }

    /// Notes a problem with the value of a key.
    pub(super) fn wrong(&self, key: &str, at: Range<usize>, wrong: &Wrong) {
        self.problem(Some(at), &format!("`{key}` {}", wrong.what), &wrong.instead);
    }

    /// Notes that a key is missing.
    pub(super) fn missing(&self, key: &str, instead: &str) {
        let below = match self.at {
            None if !self.name.is_empty() => format!(", below a line {}", self.name),
            _ => String::new(),
        };
        self.problem(None, &format!("`{key}` is missing"), &format!("{instead}{below}"));
    }

    /// Notes a problem at the place of a key, if it is in the file.
    pub(super) fn problem_at(&self, key: &'static str, what: &str, instead: &str) {
        self.problem(self.get(key).map(|entry| entry.at), what, instead);
    }

    /// Notes a problem, at the section's header unless a place is given.
    pub(super) fn problem(&self, at: Option<Range<usize>>, what: &str, instead: &str) {
        let gap = if self.name.is_empty() { "" } else { " " };
        let at = at.or(self.at.clone());
        self.report
            .add(at.as_ref(), format!("{}{gap}{what}", self.name), instead);
    }

    /// The number of the line at this place.
    pub(super) fn line_of(&self, at: &Range<usize>) -> usize {
        self.report.line_of(at.start)
    }

    /// Whatever was not asked for is a problem: the key of another version, or a slip of the pen.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(name) {
                continue;
            }
            let (what, instead) = if later::has(self.name, name) {
                let what = format!("`{name}` is not in this version of qqxmpp");
                (what, "take the line out, or take a version that has it".to_owned())
            } else {
                let working = known.iter().copied().filter(|key| !later::has(self.name, key));
                (format!("`{name}` is no known key"), suggestion(name, working))
            };
            self.problem(Some(key.span()), &what, &instead);
        }
    }
}

/// What may have been meant by an unknown key.
fn suggestion(name: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let nearest = known
        .clone()
        .map(|key| (strsim::normalized_damerau_levenshtein(name, key), key))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(nearness, _)| *nearness >= 0.5);
    if let Some((_, key)) = nearest {
        return format!("did you mean `{key}`?");
    }
    let all: Vec<String> = known.map(|key| format!("`{key}`")).collect();
    format!("there are {}", all.join(", "))
}
