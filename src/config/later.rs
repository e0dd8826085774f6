//! Keys that the documentation of the format has and this version has not: they are told apart from slips of the pen, and
//! refused rather than ignored, so that nobody relies on what does not happen.

/// Section and key.
const KEYS: [(&str, &str); 11] = [
    ("[xmpp]", "puppet_address"),
    ("[xmpp]", "upload"),
    ("[rooms]", "dynamic"),
    ("[[account]]", "password"),
    ("[[account]]", "password_file"),
    ("[[mapping]]", "nick"),
    ("[[mapping]]", "password"),
    ("[[mapping]]", "password_file"),
    ("[[mapping]]", "puppets"),
    ("[[mapping]]", "puppets_max"),
    ("[[mapping]]", "puppets_idle"),
];

/// Whether a later version knows this key of this section.
pub(super) fn has(section: &str, key: &str) -> bool {
    KEYS.contains(&(section, key))
}

/// All keys of this section that a later version knows.
pub(super) fn keys(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter(move |(name, _)| *name == section)
        .map(|(_, key)| *key)
}
