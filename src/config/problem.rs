//! What is wrong with a configuration file, told to a person: file, line number, the line, and what to write instead.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::secret;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line (counted from 1) and its text, secrets left out; nothing when the whole file is meant.
    pub line: Option<(usize, String)>,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        let Some((number, text)) = &self.line else {
            return write!(f, "{file}: {}\n  = {}", self.what, self.instead);
        };
        let margin = number.to_string().len();
        writeln!(f, "{file}:{number}: {}", self.what)?;
        writeln!(f, "  {number} | {text}")?;
        write!(f, "  {:margin$} = {}", "", self.instead)
    }
}

/// Everything that is wrong with a file, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// A file that cannot be read at all.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self(vec![Problem {
            file: path.to_owned(),
            line: None,
            what: format!("cannot be read: {error}"),
            instead: "name the file with --config, and see that the gateway's user may read it".to_owned(),
        }])
    }

    /// What the file says does not go with something outside of it.
    pub fn contradiction(path: &Path, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self(vec![Problem {
            file: path.to_owned(),
            line: None,
            what: what.into(),
            instead: instead.into(),
        }])
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Where problems are collected while the file is read. Shared by all who read a part of it.
pub(super) struct Report {
    file: PathBuf,
    /// The lines as they may be shown, each with the offset of its first byte.
    lines: Vec<(usize, String)>,
    problems: RefCell<Vec<Problem>>,
}

impl Report {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self {
            file: file.to_owned(),
            lines: starts.zip(secret::redact(text)).collect(),
            problems: RefCell::default(),
        }
    }

    /// The number of the line that holds this byte.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|(start, _)| *start <= offset)
    }

    /// Adds a problem with what stands at `at`, or with the file as a whole.
    pub(super) fn add(&self, at: Option<&Range<usize>>, what: impl Into<String>, instead: impl Into<String>) {
        let line = at.map(|at| {
            let number = self.line_of(at.start);
            (number, self.lines[number - 1].1.clone())
        });
        self.problems.borrow_mut().push(Problem {
            file: self.file.clone(),
            line,
            what: what.into(),
            instead: instead.into(),
        });
    }

    /// Ends the collection.
    pub(super) fn finish(self) -> Option<Problems> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| p.line.as_ref().map_or(usize::MAX, |(number, _)| *number));
        (!problems.is_empty()).then_some(Problems(problems))
    }
}
