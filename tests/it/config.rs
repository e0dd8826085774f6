//! `bridge.toml.example` keeps its word, and `qqxmpp check` tells what it read.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use qqxmpp::config::Config;

/// How a line of the example is marked.
const DEFAULT: &str = "# ";
const EXAMPLE: &str = "#! ";

fn example() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("bridge.toml.example")).expect("the example")
}

/// The text with the marked keys made active, those that begin as one of `without` left out, and how many there were.
fn uncommented(text: &str, mark: &str, without: &[&str]) -> (String, usize) {
    let mut count = 0;
    let lines = text.lines().map(|line| match line.strip_prefix(mark) {
        Some(rest) if is_key(rest) && !without.iter().any(|start| rest.starts_with(start)) => {
            count += 1;
            rest
        }
        _ => line,
    });
    (lines.collect::<Vec<_>>().join("\n"), count)
}

/// `key = value` rather than a sentence.
fn is_key(text: &str) -> bool {
    let key = text.split_once(" = ").map_or("", |(key, _)| key);
    !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn load(text: &str) -> Config {
    match Config::load(text, Path::new("bridge.toml"), &|_| None) {
        Ok(config) => config,
        Err(problems) => panic!("\n{problems}"),
    }
}

#[test]
fn the_example_shows_the_defaults() {
    let text = example();
    let (active, count) = uncommented(&text, DEFAULT, &[]);
    assert_eq!(count, 16, "a key was added: count it here");
    assert_eq!(load(&active), load(&text));
}

#[test]
fn the_example_s_examples_are_sound() {
    let text = example();
    let (active, count) = uncommented(
        &text,
        EXAMPLE,
        &[
            "secret_file",
            "access_token_file",
            "listen = \"127.0.0.1:6199\"",
            "qq",
            "password",
        ],
    );
    assert_eq!(count, 9, "a key was added: count it here");
    assert_ne!(load(&active), load(&text));
}

/// Which keys there are, the reader itself tells when it is asked for one that there cannot be.
#[test]
fn the_example_has_every_key() {
    let text = example();
    let lines: Vec<&str> = text.lines().collect();
    let headers: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with('[')).collect();
    assert_eq!(headers.len(), 10);
    for at in headers {
        let header = lines[at];
        let (before, behind) = lines.split_at(at + 1);
        let asking = [before, &["zzzzzzzz = 1"], behind].concat().join("\n");
        let problems = Config::load(&asking, Path::new("bridge.toml"), &|_| None).expect_err("no such key");
        let told = problems
            .iter()
            .map(|problem| problem.instead.as_str())
            .collect::<String>();
        let keys: Vec<&str> = told.split('`').skip(1).step_by(2).collect();
        assert!(!keys.is_empty(), "{told}");
        for key in keys {
            let shown = ["", DEFAULT, EXAMPLE].map(|mark| format!("{mark}{key} = "));
            let section = behind.iter().take_while(|line| !line.starts_with('['));
            let shown = section
                .into_iter()
                .any(|line| shown.iter().any(|start| line.starts_with(start)));
            assert!(shown, "{header} has no line for {key}");
        }
    }
}

/// A directory with this configuration.
fn directory(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("bridge.toml");
    std::fs::write(&file, text).expect("written");
    (directory, file)
}

fn qqxmpp(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qqxmpp"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("QQXMPP_XMPP_SECRET")
        .env_remove("RUST_LOG")
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn check_says_that_the_file_is_fine() {
    let (directory, _) = directory(&example());
    let output = qqxmpp(directory.path(), &["check"]);
    assert_eq!(text(&output.stdout), "bridge.toml is fine: 2 accounts, 2 rooms\n");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn check_prints_every_problem() {
    let text_with_problems = example()
        .replace("admins = ", "admin = ")
        .replace("group = 346000003", "group = 346000003\nfish = 1");
    let (directory, file) = directory(&text_with_problems);
    let file = file.to_str().expect("UTF-8");
    for command in ["check", "run"] {
        let output = qqxmpp(directory.path(), &[command, "--config", file]);
        let told = text(&output.stderr);
        assert!(told.contains("[xmpp] `admins` is missing"), "{told}");
        assert!(told.contains("did you mean `admins`?"), "{told}");
        assert!(told.contains("[[mapping]] `fish` is no known key"), "{told}");
        assert_eq!(text(&output.stdout), "");
        assert_eq!(output.status.code(), Some(78));
    }
}

#[test]
fn a_file_that_is_not_there_is_bad_configuration() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = qqxmpp(directory.path(), &["check"]);
    assert_eq!(
        text(&output.stderr),
        "bridge.toml: cannot be read: No such file or directory (os error 2)\n  = name the file with --config, and see that the \
         gateway's user may read it\n"
    );
    assert_eq!(output.status.code(), Some(78));
}

#[test]
fn wrong_use_is_told() {
    let here = Path::new(".");
    assert_eq!(qqxmpp(here, &["fly"]).status.code(), Some(2));
    assert_eq!(qqxmpp(here, &[]).status.code(), Some(2));
    assert_eq!(qqxmpp(here, &["run", "--log-format", "xml"]).status.code(), Some(2));
    let version = qqxmpp(here, &["--version"]);
    assert_eq!(text(&version.stdout), format!("qqxmpp {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(version.status.code(), Some(0));
}
