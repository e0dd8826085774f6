//! Who may join hosted rooms.

use jid::BareJid;
use toml::de::DeValue;

use super::value::{self, Wrong};

/// One rule; somebody who fits any rule of a list may join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allow {
    /// `"*"`
    Everyone,
    /// `"alice@example.org"`
    Address(BareJid),
    /// `"example.org"`: everybody of this domain, nobody of those below it.
    Domain(BareJid),
    /// `"*.example.org"`: everybody of the domains below it, at any depth, nobody of itself.
    Below(BareJid),
}

impl Allow {
    /// Whether the rule fits this address. Resources play no part.
    pub fn fits(&self, who: &BareJid) -> bool {
        let domain = who.domain().as_str();
        match self {
            Self::Everyone => true,
            Self::Address(jid) => jid == who,
            Self::Domain(allowed) => allowed.domain().as_str() == domain,
            Self::Below(parent) => domain
                .strip_suffix(parent.domain().as_str())
                .is_some_and(|rest| rest.ends_with('.')),
        }
    }
}

/// The rule that holds when none is written: the domain above the component's own, where a server's users are. Not when that
/// cannot be the domain of one's users alone (`org`).
pub(super) fn parent(domain: &BareJid) -> Option<Allow> {
    let (_, parent) = domain.domain().as_str().split_once('.')?;
    if !parent.contains('.') && parent != "localhost" {
        return None;
    }
    BareJid::new(parent).ok().map(Allow::Domain)
}

pub(super) fn read(value: &DeValue<'_>) -> Result<Allow, Wrong> {
    let text = value::text(value)?;
    if text == "*" {
        return Ok(Allow::Everyone);
    }
    let wrong = || {
        Wrong::new(
            format!("cannot hold \"{text}\""),
            "write \"alice@example.org\", \"example.org\", \"*.example.org\" or \"*\"",
        )
    };
    let below = text.strip_prefix("*.");
    let plain = below.unwrap_or(&text);
    if plain.contains('*') {
        return Err(wrong());
    }
    if below.is_none() && plain.contains('@') {
        return value::parse_address(plain).map(Allow::Address).map_err(|_| wrong());
    }
    let domain = value::parse_domain(plain).map_err(|_| wrong())?;
    Ok(if below.is_some() {
        Allow::Below(domain)
    } else {
        Allow::Domain(domain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Option<Allow> {
        read(&DeValue::String(text.into())).ok()
    }

    #[test]
    fn rules_fit_whom_they_say() {
        let table = [
            ("*", "eve@anywhere.example", true),
            ("alice@example.org", "alice@example.org", true),
            ("Alice@Example.Org", "alice@example.org", true),
            ("alice@example.org", "bob@example.org", false),
            ("example.org", "bob@example.org", true),
            ("example.org", "bob@sub.example.org", false),
            ("*.example.org", "bob@a.b.example.org", true),
            ("*.example.org", "bob@example.org", false),
            ("*.example.org", "eve@badexample.org", false),
        ];
        for (text, who, expected) in table {
            let rule = rule(text).expect(text);
            assert_eq!(rule.fits(&who.parse().expect(who)), expected, "{text} {who}");
        }
    }

    #[test]
    fn refuses_other_patterns() {
        for text in [
            "",
            "*@example.org",
            "ex*.org",
            "*.",
            "*.*.org",
            "alice@example.org/phone",
            "a b",
            "@example.org",
        ] {
            assert_eq!(rule(text), None, "{text}");
        }
    }

    #[test]
    fn parents() {
        let parent = |domain: &str| parent(&domain.parse().expect(domain));
        assert_eq!(parent("qq.example.org"), rule("example.org"));
        assert_eq!(parent("qq.localhost"), rule("localhost"));
        assert_eq!(parent("example.org"), None);
        assert_eq!(parent("localhost"), None);
    }
}
