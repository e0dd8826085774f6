//! Identities: each has a type of its own, so that a QQ number can never stand where a group number belongs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The real number of a person on QQ (QQ 号), stable for ever. Temporary uins of the web protocol are never one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QqNumber(pub u64);

/// The real number of a QQ group (群号).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupNumber(pub u64);

impl fmt::Display for QqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for GroupNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The operator's name of a QQ account in `bridge.toml`: `[a-z0-9_]+`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountName(pub Arc<str>);

impl AccountName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person in a QQ group, as far as the account can tell who it is.
///
/// The text form (`Display`, [`MemberId::parse`]) is the key in the store: the digits of the number, or `=` and the name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MemberId {
    /// The real number is known.
    Number(QqNumber),
    /// Only the name shown in the group is known (`SmartQQ` from 2017 on withholds numbers).
    Named(Arc<str>),
}

impl MemberId {
    /// Reads the text form back. Anything that is neither digits nor `=name` is no member.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix('=') {
            return Some(Self::Named(name.into()));
        }
        text.parse().ok().map(|n| Self::Number(QqNumber(n)))
    }

    /// The real number, where it is known.
    pub fn number(&self) -> Option<QqNumber> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Named(_) => None,
        }
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => n.fmt(f),
            Self::Named(name) => write!(f, "={name}"),
        }
    }
}

/// What makes an event of a QQ group the same event, whichever account saw it and however often.
///
/// Made by the session, opaque to all others, unique per group, the same over logins: never holds a temporary uin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Arc<str>);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one account calls a message when it replies to it or recalls it. Not unique: ids of QQ are 31-bit hashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(pub Arc<str>);

/// The place of an archive row in commit order, over all rooms of the store. 0 stands before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub i64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_keys_read_back() {
        for id in [
            MemberId::Number(QqNumber(u64::MAX)),
            MemberId::Named("123".into()),
            MemberId::Named("=猫".into()),
        ] {
            assert_eq!(MemberId::parse(&id.to_string()), Some(id));
        }
        assert_eq!(MemberId::parse("猫"), None);
    }
}
