//! Secrets: where they may stand, and how they are kept out of everything that is printed.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::section::Section;
use super::value;

/// Keys whose values are secrets, wherever they stand.
const SECRET_KEYS: [&str; 3] = ["secret", "password", "access_token"];

/// Nothing that is a password is longer; `_file` might name anything.
const LONGEST: u64 = 4096;

/// A secret of the configuration. Its `Debug` says nothing; two are equal when they say the same.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The secret itself, to be sent to whom it is for and never to be printed.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where secrets come from beside the file: the environment, and files beside `bridge.toml`.
pub(super) struct Sources<'a> {
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// What relative paths are relative to.
    pub(super) base: &'a Path,
}

/// As [`optional`], and it must be set.
pub(super) fn required(
    section: &Section<'_>,
    key: &'static str,
    key_file: &'static str,
    path: &[&str],
    sources: &Sources<'_>,
) -> Option<Secret> {
    let secret = optional(section, key, key_file, path, sources).ok()?;
    if secret.is_none() {
        let variable = variable(path);
        let instead = format!("write {key} = \"…\", or {key_file} = \"path\", or set {variable} in the environment");
        section.missing(key, &instead);
    }
    secret
}

/// Something is wrong with it, and was told.
pub(super) struct Told;

/// As [`optional`], but the environment has no name for it.
pub(super) fn in_file(
    section: &Section<'_>,
    key: &'static str,
    key_file: &'static str,
    sources: &Sources<'_>,
) -> Result<Option<Secret>, Told> {
    read(section, key, key_file, None, sources)
}

/// Reads the secret `key` of a section from the file, `<key>_file` or the environment. It may be set in one of them.
///
/// `path` are the words of its name in the environment: `["xmpp", "secret"]` is `QQXMPP_XMPP_SECRET`.
pub(super) fn optional(
    section: &Section<'_>,
    key: &'static str,
    key_file: &'static str,
    path: &[&str],
    sources: &Sources<'_>,
) -> Result<Option<Secret>, Told> {
    read(section, key, key_file, Some(variable(path)), sources)
}

fn read(
    section: &Section<'_>,
    key: &'static str,
    key_file: &'static str,
    variable: Option<String>,
    sources: &Sources<'_>,
) -> Result<Option<Secret>, Told> {
    let inline = section.read(key, value::text);
    let file = section.read(key_file, value::text);
    let from_env = variable.and_then(|variable| Some(((sources.env)(&variable)?, variable)));
    let from_env = from_env.filter(|(text, _)| !text.is_empty());
    let places = [
        section.get(key).map(|_| format!("`{key}`")),
        section.get(key_file).map(|_| format!("`{key_file}`")),
        from_env
            .as_ref()
            .map(|(_, variable)| format!("{variable} of the environment")),
    ];
    let places: Vec<String> = places.into_iter().flatten().collect();
    if let [first, second, ..] = places.as_slice() {
        let at = section.get(key_file).or(section.get(key)).map(|entry| entry.at.clone());
        section.problem(
            at,
            &format!("`{key}` is set twice: by {first} and by {second}"),
            "keep one of them",
        );
        return Err(Told);
    }
    if places.is_empty() {
        return Ok(None);
    }
    let text = match file {
        Some(name) => match read_file(&sources.base.join(&name)) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("the file \"{name}\" of `{key_file}` cannot be read: {error}");
                section.problem_at(
                    key_file,
                    &what,
                    "see that it is there and that the gateway's user may read it",
                );
                return Err(Told);
            }
        },
        None => inline.or(from_env.map(|(text, _)| text)).ok_or(Told)?,
    };
    if text.is_empty() {
        let at = if section.get(key_file).is_some() { key_file } else { key };
        section.problem_at(at, &format!("`{key}` is empty"), "write the same as on the other side");
        return Err(Told);
    }
    Ok(Some(Secret::new(&text)))
}

/// The name of a secret in the environment.
fn variable(path: &[&str]) -> String {
    format!("QQXMPP_{}", path.join("_").to_ascii_uppercase())
}

/// The text of a secret's file without the newline that editors put at its end.
fn read_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("longer than a secret can be"));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The lines of a configuration file as they may be printed: what follows a secret's key is left out, also when it goes over
/// several lines, and also when the file is no valid TOML; so are passwords in URLs.
pub(super) fn redact(text: &str) -> Vec<String> {
    let mut until: Option<&str> = None;
    let lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
    lines
        .map(|line| {
            if let Some(quotes) = until {
                if line.contains(quotes) {
                    until = None;
                }
                return "…".to_owned();
            }
            let Some((shown, hidden)) = split_at_secret(line) else {
                return hide_userinfo(line);
            };
            until = ["\"\"\"", "'''"]
                .into_iter()
                .find(|quotes| hidden.matches(quotes).count() % 2 == 1);
            format!("{shown} …")
        })
        .collect()
}

/// Splits a line behind the equals sign of the first secret's key in it.
fn split_at_secret(line: &str) -> Option<(&str, &str)> {
    let ends = SECRET_KEYS
        .iter()
        .flat_map(|key| line.match_indices(key).map(move |(at, _)| at + key.len()));
    ends.filter_map(|end| {
        let gap = line[end..].find(|c: char| !matches!(c, ' ' | '\t' | '"' | '\''))?;
        line[end + gap..].starts_with('=').then_some(end + gap + 1)
    })
    .min()
    .map(|at| line.split_at(at))
}

fn hide_userinfo(line: &str) -> String {
    let hidden = line.find("://").and_then(|scheme| {
        let rest = &line[scheme + 3..];
        let authority = &rest[..rest.find(['/', '"', '\'']).unwrap_or(rest.len())];
        let at = authority.rfind('@')?;
        Some(format!("{}…{}", &line[..scheme + 3], &rest[at..]))
    });
    hidden.unwrap_or_else(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_environment() {
        assert_eq!(
            variable(&["account", "main", "access_token"]),
            "QQXMPP_ACCOUNT_MAIN_ACCESS_TOKEN"
        );
    }

    #[test]
    fn secrets_do_not_show() {
        let text = "secret = \"abc\" # abc\nsecret_file = \"s\"\nx = { \"password\" = 'abc', b = 1 }\n\
                    access_token = \"\"\"abc\nabc\nabc\"\"\"\nname = 1\nserver = \"http://me:abc@host/\"";
        let shown = redact(text);
        assert_eq!(
            shown,
            [
                "secret = …",
                "secret_file = \"s\"",
                "x = { \"password\" = …",
                "access_token = …",
                "…",
                "…",
                "name = 1",
                "server = \"http://…@host/\"",
            ]
        );
        assert_eq!(format!("{:?}", Secret::new("abc")), "Secret(…)");
    }
}
