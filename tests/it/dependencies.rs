//! What other people's code comes with us, under which licences, and what of it comes twice: each is a decision, kept in
//! `vectors/dependencies.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const DECIDED: &str = include_str!("vectors/dependencies.txt");

/// The packages that the workspace needs where it is at home, with all that its tests need.
fn packages() -> Vec<Value> {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let needed: BTreeSet<String> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| word(node, "id"))
        .collect();
    let packages = metadata["packages"].as_array_mut().expect("packages");
    packages.retain(|package| needed.contains(&word(package, "id")));
    std::mem::take(packages)
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The lines of the list that begin with this word.
fn decided(kind: &str) -> BTreeSet<String> {
    let lines = DECIDED
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Compares, and says which lines to write or to strike.
fn compare(kind: &str, found: &BTreeMap<String, BTreeSet<String>>, advice: &str) {
    let decided = decided(kind);
    let new = found
        .iter()
        .filter(|(name, _)| !decided.contains(*name))
        .map(|(name, why)| {
            format!(
                "  add     {kind} {name}    ({})",
                why.iter().cloned().collect::<Vec<_>>().join(", ")
            )
        });
    let gone = decided
        .iter()
        .filter(|name| !found.contains_key(*name))
        .map(|name| format!("  strike  {kind} {name}"));
    let lines: Vec<String> = new.chain(gone).collect();
    assert!(
        lines.is_empty(),
        "the dependencies are not those of tests/it/vectors/dependencies.txt\n{}\n{advice}",
        lines.join("\n")
    );
}

#[test]
fn licences_are_decided_on() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let licence = match package["license"].as_str() {
            Some(licence) => licence.replace('/', " OR ").replace("  ", " "),
            None => "none".to_owned(),
        };
        found.entry(licence).or_default().insert(word(&package, "name"));
    }
    let advice = "A licence must let everybody use, change and give away the program; of copyleft only the kind that ends at its files \
                  (MPL-2.0). If the new one does, write its line; otherwise do without the crate.";
    compare("licence", &found, advice);
}

#[test]
fn doubled_crates_are_decided_on() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        versions
            .entry(word(&package, "name"))
            .or_default()
            .insert(word(&package, "version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let advice = "`cargo tree --workspace --invert NAME@VERSION` says who wants which. First try to make them agree (another version of what \
                  we name in Cargo.toml, fewer features); write the line if that cannot be.";
    compare("double", &versions, advice);
}
