//! Who answers for an address of our domain, and the addresses that members of QQ groups have there.
//!
//! | local part | who |
//! |---|---|
//! | none | the gateway |
//! | a room's | the room |
//! | digits | the QQ member of that number |
//! | `u-…` | a member without a number, or a hashed puppet of a joined room |
//! | `bridge` | the listener of joined rooms |

use hmac::{Hmac, Mac};
use jid::{BareJid, Jid, NodePart};
use sha2::Sha256;

use super::stream::hex;
use crate::model::{GroupNumber, MemberId, QqNumber};

/// The local part of the listener of joined rooms.
pub const BRIDGE: &str = "bridge";
/// Begins the local part of members whose number is not known or not shown.
const HASHED: &str = "u-";

/// Who answers for an address of our domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// The gateway.
    Domain,
    /// A hosted room, or an occupant of it.
    Room(BareJid),
    /// A QQ member by number.
    Member(QqNumber),
    /// A QQ member by the hash in the local part, with its `u-`.
    Unnumbered(String),
    /// The listener of joined rooms; the resource names the mapping.
    Bridge,
    /// Nobody.
    Unknown,
}

impl Address {
    /// Who answers for `jid`, which is in our domain.
    pub fn of(jid: &Jid, is_room: impl Fn(&BareJid) -> bool) -> Self {
        let Some(local) = jid.node() else {
            return Self::Domain;
        };
        let local = local.as_str();
        if let Some(number) = number(local) {
            return Self::Member(number);
        }
        if is_hashed(local) {
            return Self::Unnumbered(local.to_owned());
        }
        if local == BRIDGE {
            return Self::Bridge;
        }
        let bare = jid.to_bare();
        if is_room(&bare) {
            Self::Room(bare)
        } else {
            Self::Unknown
        }
    }
}

/// A QQ number as it stands in an address: no sign, no leading zero.
fn number(local: &str) -> Option<QqNumber> {
    let plain = local.bytes().all(|b| b.is_ascii_digit()) && !local.starts_with('0');
    plain.then(|| local.parse().ok().map(QqNumber)).flatten()
}

fn is_hashed(local: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    local
        .strip_prefix(HASHED)
        .is_some_and(|hash| hash.len() == 32 && hash.bytes().all(hex))
}

/// Whether a local part is a member's, numbered or not.
pub(super) fn is_member(local: &str) -> bool {
    number(local).is_some() || is_hashed(local)
}

/// Why a name cannot be a room's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRoomName {
    /// It would be a member's address.
    #[error("a room's name cannot be all digits: such addresses are QQ members'; put a letter into it")]
    Digits,
    /// It is taken.
    #[error("a room cannot be called `bridge`: that address is the gateway's own")]
    Bridge,
    /// It would be a member's address.
    #[error("a room's name cannot begin with `u-`: such addresses are QQ members'")]
    Hashed,
    /// The domain itself is no room.
    #[error("a room needs a name before the `@`")]
    Missing,
}

/// Whether a hosted room can have this address.
pub fn check_room(room: &BareJid) -> Result<(), BadRoomName> {
    let local = room.node().ok_or(BadRoomName::Missing)?;
    match local.as_str() {
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Err(BadRoomName::Digits),
        BRIDGE => Err(BadRoomName::Bridge),
        hashed if hashed.starts_with(HASHED) => Err(BadRoomName::Hashed),
        _ => Ok(()),
    }
}

/// Gives members their addresses. The salt is made once and kept in the store: with another one everybody is a stranger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    domain: BareJid,
    salt: [u8; 32],
    hash_joined: bool,
}

impl Addresses {
    /// `hash_joined`: in joined rooms numbers are hidden too (`[xmpp] puppet_address = "hashed"`).
    pub fn new(domain: BareJid, salt: [u8; 32], hash_joined: bool) -> Self {
        Self {
            domain,
            salt,
            hash_joined,
        }
    }

    /// The address of a member in hosted rooms.
    pub fn hosted(&self, group: GroupNumber, member: &MemberId) -> BareJid {
        match member {
            MemberId::Number(number) => self.at(&number.to_string()),
            MemberId::Named(name) => self.at(&self.hash(&[b"name", group.to_string().as_bytes(), name.as_bytes()])),
        }
    }

    /// The address of a member's puppet in joined rooms.
    pub fn joined(&self, group: GroupNumber, member: &MemberId) -> BareJid {
        match member {
            MemberId::Number(number) if self.hash_joined => {
                self.at(&self.hash(&[b"number", number.to_string().as_bytes()]))
            }
            _ => self.hosted(group, member),
        }
    }

    /// The listener of joined rooms, without the resource that names its mapping.
    pub fn bridge(&self) -> BareJid {
        self.at(BRIDGE)
    }

    fn at(&self, local: &str) -> BareJid {
        let local = NodePart::new(local).expect("digits, `bridge`, or `u-` and hexadecimal digits are a local part");
        BareJid::from_parts(Some(&local), self.domain.domain())
    }

    fn hash(&self, parts: &[&[u8]]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.salt).expect("a key of any length will do");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let digest = mac.finalize().into_bytes();
        format!("{HASHED}{}", hex(&digest[..16]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(jid: &str) -> Address {
        let room: BareJid = "rust@qq.ex".parse().unwrap();
        Address::of(&jid.parse().unwrap(), |jid| *jid == room)
    }

    #[test]
    fn everybody_is_found() {
        assert_eq!(of("qq.ex"), Address::Domain);
        assert_eq!(of("qq.ex/x"), Address::Domain);
        assert_eq!(of("rust@qq.ex/小明"), Address::Room("rust@qq.ex".parse().unwrap()));
        assert_eq!(of("10001@qq.ex/gw"), Address::Member(QqNumber(10001)));
        assert_eq!(of("bridge@qq.ex/cats"), Address::Bridge);
        for nobody in [
            "perl@qq.ex",
            "010@qq.ex",
            "99999999999999999999999@qq.ex",
            "u-xyz@qq.ex",
            "u-@qq.ex",
        ] {
            assert_eq!(of(nobody), Address::Unknown, "{nobody}");
        }
    }

    #[test]
    fn members_have_addresses_that_lead_back() {
        let addresses = Addresses::new("qq.ex".parse().unwrap(), [7; 32], true);
        let number = MemberId::Number(QqNumber(10001));
        let named = MemberId::Named("小明".into());
        assert_eq!(
            addresses.hosted(GroupNumber(1), &number),
            "10001@qq.ex".parse::<BareJid>().unwrap()
        );
        let one = addresses.hosted(GroupNumber(1), &named);
        assert_ne!(one, addresses.hosted(GroupNumber(2), &named));
        assert_eq!(one, addresses.joined(GroupNumber(1), &named));
        assert!(matches!(of(one.as_str()), Address::Unnumbered(local) if one.as_str().starts_with(&local)));
        let hidden = addresses.joined(GroupNumber(1), &number);
        assert!(hidden.as_str().starts_with("u-") && hidden == addresses.joined(GroupNumber(2), &number));
        let other = Addresses::new("qq.ex".parse().unwrap(), [8; 32], true);
        assert_ne!(hidden, other.joined(GroupNumber(1), &number));
    }

    #[test]
    fn rooms_keep_off_the_members_addresses() {
        let check = |jid: &str| check_room(&jid.parse().unwrap());
        assert_eq!(check("rust@qq.ex"), Ok(()));
        assert_eq!(check("g123@qq.ex"), Ok(()));
        assert_eq!(check("0123@qq.ex"), Err(BadRoomName::Digits));
        assert_eq!(check("Bridge@qq.ex"), Err(BadRoomName::Bridge));
        assert_eq!(check("u-boat@qq.ex"), Err(BadRoomName::Hashed));
        assert_eq!(check("qq.ex"), Err(BadRoomName::Missing));
    }
}
