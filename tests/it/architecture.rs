//! Who may name whom. What is written in `docs/architecture.md` about arrows between modules holds because this runs.

mod arrows;
mod source;

use std::path::Path;

use arrows::{ARROWS, COMMON, PATHS, ROOTS, SQL};
use source::{Source, files};

/// A file that is longer wants to become a folder of modules with names of their own.
const LONGEST: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn all_is_well(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

/// What of ours a file may not name, by the arrows.
fn wrong_arrows(file: &Source) -> Vec<String> {
    let Some(module) = file.module() else {
        return Vec::new();
    };
    let Some((_, may)) = ARROWS.iter().find(|(from, _)| *from == module) else {
        let first = format!("{}:1: the module `{module}` is not in the table of arrows", file.name);
        return vec![format!(
            "{first}: say in tests/it/architecture/arrows.rs whom it may name"
        )];
    };
    let common = if ROOTS.contains(&module) { &[][..] } else { &COMMON };
    let allowed = |path: &str| {
        let mut paths = may.iter().chain(common).copied().chain([module]);
        paths.any(|may| may == "*" || begins_with(path, may))
    };
    let used = file.paths("crate").into_iter().filter(|(_, path)| !allowed(path));
    used.map(|(line, path)| format!("{}:{line}: {module} → {path} is no arrow of the design", file.name))
        .collect()
}

/// Whether a path is this one or goes on from it.
fn begins_with(path: &str, beginning: &str) -> bool {
    let rest = path.strip_prefix(beginning);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Names of other crates in the wrong place.
fn wrong_paths(file: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for rule in PATHS {
        if !file.name.starts_with(rule.within) || rule.except.iter().any(|home| file.name.starts_with(home)) {
            continue;
        }
        for path in rule.paths {
            let (krate, inside) = path.split_once("::").unwrap_or((path, ""));
            let used = file.paths(krate).into_iter();
            let used = used.filter(|(_, used)| inside.is_empty() || begins_with(used, inside));
            wrong.extend(used.map(|(line, used)| format!("{}:{line}: {krate}::{used}: {}", file.name, rule.why)));
        }
    }
    wrong
}

/// SQL outside the store.
fn wrong_sql(file: &Source) -> Vec<String> {
    if !file.name.starts_with("src/") || file.name.starts_with("src/store/") {
        return Vec::new();
    }
    let lines = file
        .lines()
        .filter(|(_, line)| SQL.iter().any(|sql| line.contains(sql)));
    lines
        .map(|(number, line)| format!("{}:{number}: SQL lives in src/store/ alone: {}", file.name, line.trim()))
        .collect()
}

#[test]
fn modules_name_whom_they_may() {
    let wrong: Vec<String> = files(root(), "src").iter().flat_map(wrong_arrows).collect();
    all_is_well(&wrong);
}

#[test]
fn crates_are_named_where_they_belong() {
    let files = ["src", "sandbox/src"].map(|folder| files(root(), folder));
    let wrong: Vec<String> = files.iter().flatten().flat_map(wrong_paths).collect();
    all_is_well(&wrong);
}

#[test]
fn sql_is_in_the_store() {
    let wrong: Vec<String> = files(root(), "src").iter().flat_map(wrong_sql).collect();
    all_is_well(&wrong);
}

#[test]
fn the_sandbox_and_the_gateway_are_strangers() {
    let manifest = |path| std::fs::read_to_string(root().join(path)).expect("a manifest");
    let sandbox = manifest("sandbox/Cargo.toml");
    assert!(!sandbox.contains("qqxmpp"), "sandbox/Cargo.toml names qqxmpp");
    let gateway = manifest("Cargo.toml");
    let (dependencies, _) = gateway
        .split_once("[dev-dependencies]")
        .expect("dependencies of the tests");
    assert!(
        !dependencies.contains("qq-sandbox"),
        "Cargo.toml: only tests may use qq-sandbox"
    );
}

#[test]
fn files_are_short() {
    let folders = ["src", "sandbox", "lab", "tests", "benches"];
    let long = folders
        .iter()
        .flat_map(|folder| files(root(), folder))
        .filter_map(|file| {
            let lines = file.length;
            (lines > LONGEST).then(|| format!("{}:{lines}: longer than {LONGEST} lines: make it a folder", file.name))
        });
    all_is_well(&long.collect::<Vec<_>>());
}

#[test]
fn wrong_arrows_are_found() {
    let text = "\
//! Speaks of crate::portal only.
use crate::model::{Member, id::{GroupNumber, QqNumber}};
use crate::{backoff, xmpp::{Link, read::Query}};
fn f() { crate::store::open() } // crate::http
#[cfg(test)]
mod tests {
    use crate::portal;
}
";
    let file = Source::new("src/qq/webqq/poll.rs", text);
    assert_eq!(
        wrong_arrows(&file),
        [
            "src/qq/webqq/poll.rs:3: qq → xmpp::Link is no arrow of the design",
            "src/qq/webqq/poll.rs:3: qq → xmpp::read::Query is no arrow of the design",
            "src/qq/webqq/poll.rs:4: qq → store::open is no arrow of the design",
        ]
    );
    let file = Source::new(
        "src/room/hosted/join.rs",
        "use crate::xmpp::{self, payload::muc, Link};\n",
    );
    assert_eq!(
        wrong_arrows(&file),
        [
            "src/room/hosted/join.rs:1: room → xmpp is no arrow of the design",
            "src/room/hosted/join.rs:1: room → xmpp::Link is no arrow of the design",
        ]
    );
    let file = Source::new("src/attic.rs", "");
    assert_eq!(
        wrong_arrows(&file),
        [
            "src/attic.rs:1: the module `attic` is not in the table of arrows: say in tests/it/architecture/arrows.rs whom it may name"
        ]
    );
}

#[test]
fn wrong_paths_are_found() {
    let text = "use tokio_xmpp::{Stanza, xmlstream::{self, XmppStream}};\n";
    let told = wrong_paths(&Source::new("src/xmpp/component.rs", text));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("src/xmpp/component.rs:1: tokio_xmpp::xmlstream: "),
        "{told:?}"
    );
    assert!(wrong_paths(&Source::new("src/xmpp/stream.rs", text)).is_empty());

    assert_eq!(
        wrong_paths(&Source::new(
            "src/room/hosted.rs",
            "let now = tokio::time::Instant::now();\n"
        ))
        .len(),
        1
    );
    assert_eq!(
        wrong_paths(&Source::new("sandbox/src/lib.rs", "use qqxmpp::model;\n")).len(),
        1
    );
    assert_eq!(
        wrong_paths(&Source::new("src/gateway/run.rs", "use qq_sandbox::World;\n")).len(),
        1
    );
    assert_eq!(
        wrong_paths(&Source::new("src/main.rs", "qqxmpp::gateway::run()\n")).len(),
        1
    );
    assert!(wrong_paths(&Source::new("src/main.rs", "qqxmpp::cli::main()\n")).is_empty());
}

#[test]
fn sql_is_found() {
    let text = "db.execute(\"DELETE FROM rows\", [])\n";
    assert_eq!(
        wrong_sql(&Source::new("src/portal/turn.rs", text)),
        ["src/portal/turn.rs:1: SQL lives in src/store/ alone: db.execute(\"DELETE FROM rows\", [])"]
    );
    assert!(wrong_sql(&Source::new("src/store/rows.rs", text)).is_empty());
}
