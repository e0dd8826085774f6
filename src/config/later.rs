//! Keys that the documentation of the format has and this version has not: they are told apart from slips of the pen, and
//! refused rather than ignored, so that nobody relies on what does not happen.

/// Section and key.
const KEYS: [(&str, &str); 2] = [("[xmpp]", "upload"), ("[rooms]", "dynamic")];

/// Whether a later version knows this key of this section.
pub(super) fn has(section: &str, key: &str) -> bool {
    KEYS.contains(&(section, key))
}
