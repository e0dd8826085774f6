//! Source files as the checks see them: without comments and without the tests at their ends.

use std::path::{Path, PathBuf};

/// A file of the program.
pub(super) struct Source {
    /// Relative to the root, with slashes.
    pub(super) name: String,
    /// Lines of the whole file.
    pub(super) length: usize,
    code: String,
}

/// All Rust files below a folder. The folder need not be there.
pub(super) fn files(root: &Path, folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a readable file");
                let name = path.strip_prefix(root).expect("a file below the root");
                found.push(Source::new(&name.to_string_lossy().replace('\\', "/"), &text));
            }
        }
    }
    found
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let only_tests = name.ends_with("/tests.rs") || name.contains("/tests/");
        let end = if only_tests {
            Some(0)
        } else {
            text.find("#[cfg(test)]\nmod tests {")
        };
        let lines = text[..end.unwrap_or(text.len())].lines();
        let code: Vec<&str> = lines.map(without_comment).collect();
        Self {
            name: name.to_owned(),
            length: text.lines().count(),
            code: code.join("\n"),
        }
    }

    /// The module right below the crate's root that the file is part of; nothing for the root itself and for other crates.
    pub(super) fn module(&self) -> Option<&str> {
        let path = self.name.strip_prefix("src/")?.strip_suffix(".rs")?;
        let module = path.split('/').next()?;
        (module != "lib").then_some(module)
    }

    /// Lines of code, numbered from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(n, line)| (n + 1, line))
    }

    /// Everything that the file names of this crate (`crate` for ours): line, and path without the crate. Groups in braces are
    /// taken apart.
    pub(super) fn paths(&self, krate: &str) -> Vec<(usize, String)> {
        let start = format!("{krate}::");
        let hits = self.code.match_indices(&start);
        // `my_crate::` and `x::crate::` are other words.
        let hits = hits.filter(|(at, _)| !self.code[..*at].ends_with(|c: char| is_word(c) || c == ':' || c == '$'));
        hits.flat_map(|(at, _)| {
            let line = self.code[..at].matches('\n').count() + 1;
            let mut paths = Vec::new();
            expand("", &self.code[at + start.len()..], &mut paths);
            paths.into_iter().map(move |path| (line, path))
        })
        .collect()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A line without what stands behind `//`, but for the one in an address.
fn without_comment(line: &str) -> &str {
    let comments = line.match_indices("//").map(|(at, _)| at);
    let comment = comments.into_iter().find(|at| !line[..*at].ends_with([':', '/']));
    &line[..comment.unwrap_or(line.len())]
}

/// Reads a path at the start of `text`, adds it behind `before` (each of them, where it ends in braces), gives the rest.
fn expand<'a>(before: &str, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let end = text.find(|c: char| !is_word(c) && c != ':').unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let path = path.trim_end_matches(':');
    let whole = match (before, path) {
        (before, "self" | "") => before.to_owned(),
        ("", path) => path.to_owned(),
        (before, path) => format!("{before}::{path}"),
    };
    let Some(mut rest) = rest.strip_prefix('{') else {
        found.push(whole);
        return rest;
    };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(rest) = rest.strip_prefix('}') {
            return rest;
        }
        let behind = expand(&whole, rest, found);
        // Over ` as name` and `*`, to the next comma or brace.
        let next = behind.find([',', '}']).unwrap_or(behind.len());
        if behind[next..].is_empty() {
            return "";
        }
        rest = &behind[next..];
    }
}
