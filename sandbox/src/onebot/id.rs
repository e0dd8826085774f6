//! What the programs call a message: numbers that look random, are always the same for the same message, and mean nothing.

use super::dialect::{Dialect, Ids};
use crate::world::Message;

/// A number of 64 bits that looks random, always the same for the same words.
pub(crate) fn scramble(words: &str) -> u64 {
    let mut hash = words.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    for shift in [30, 27, 31] {
        hash = (hash ^ (hash >> shift)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    hash ^ (hash >> 29)
}

/// Thirty-two hex digits in capitals, as pictures are named.
pub(crate) fn hex_name(words: &str) -> String {
    format!("{:016X}{:016X}", scramble(words), scramble(&format!("{words}.")))
}

/// What accounts with that program call a message.
pub(crate) fn handle(dialect: &Dialect, message: &Message) -> i64 {
    let hash = scramble(&format!(
        "{}:{}:{}",
        dialect.flavour.word(),
        message.chat.key(),
        message.id
    ));
    let [a, b, c, d, ..] = hash.to_be_bytes();
    match dialect.ids {
        Ids::Positive => i64::from((u32::from_be_bytes([a, b, c, d]) & 0x7FFF_FFFF).max(1)),
        Ids::Signed => i64::from(i32::from_be_bytes([a, b, c, d])),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::dialect;
    use super::*;
    use crate::world::{Chat, Flavour};

    fn message(id: i64) -> Message {
        let chat = Chat::Group(1);
        let segments = Vec::new();
        Message {
            id,
            chat,
            from: 2,
            time: 3,
            seq: id,
            segments,
            recalled: false,
        }
    }

    #[test]
    fn ids_have_the_range_of_their_program() {
        let ids = |flavour| (1..2000).map(move |id| handle(dialect(flavour), &message(id)));
        assert!(ids(Flavour::Napcat).all(|id| (1..=i64::from(i32::MAX)).contains(&id)));
        for flavour in [Flavour::Llbot, Flavour::Lagrange, Flavour::Gocq] {
            assert!(ids(flavour).all(|id| i32::try_from(id).is_ok()));
            let below = ids(flavour).filter(|id| *id < 0).count();
            assert!((800..1200).contains(&below), "{below}");
        }
        let mut all: Vec<_> = ids(Flavour::Napcat).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1999);
    }
}
