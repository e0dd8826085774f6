//! What people see for each thing that can be wrong, letter by letter.

use std::path::Path;

use super::{Config, Problems};

const BASE: &str = r#"[xmpp]
domain = "qq.example.org"
server = "127.0.0.1:5347"
secret = "hush"
admins = ["alice@example.org"]

[store]
path = "qqxmpp.db"

[[account]]
name = "classic"
protocol = "webqq"
server = "http://127.0.0.1:8600"
login = "qr"

[[mapping]]
group = 346000003
room = "rust@qq.example.org"
"#;

fn no_env(_: &str) -> Option<String> {
    None
}

fn load(text: &str) -> Result<Config, Problems> {
    Config::load(text, Path::new("/etc/qqxmpp/bridge.toml"), &no_env)
}

/// What is printed for a text that is wrong, with the short name of the file.
fn told(text: &str) -> String {
    let problems = Config::load(text, Path::new("bridge.toml"), &no_env).expect_err("the text is wrong");
    problems.to_string()
}

/// [`told`] for the base with one line replaced by others.
fn told_with(line: &str, instead: &str) -> String {
    told(&with(line, instead))
}

fn with(line: &str, instead: &str) -> String {
    assert_eq!(BASE.matches(line).count(), 1, "{line}");
    BASE.replacen(line, instead, 1)
}

mod any;
mod fine;
mod once;
mod rows;
