//! The arithmetic of the web login (webqq.md §4) and fresh tokens.

use rand::Rng;

/// `hash` of the friend and group lists, variant P: own number and `ptwebqq` into 16 hex digits (§4.1).
pub(crate) fn hash(uin: i64, ptwebqq: &str) -> String {
    let mut folded = [0_u8; 4];
    for (i, byte) in ptwebqq.bytes().enumerate() {
        folded[i % 4] ^= byte;
    }
    let low = u32::try_from(uin & 0xFFFF_FFFF).unwrap_or_default();
    let mut text = String::with_capacity(16);
    for ((fold, byte), key) in folded.into_iter().zip(low.to_be_bytes()).zip(*b"ECOK") {
        text.push_str(&hex_upper(fold));
        text.push_str(&hex_upper(byte ^ key));
    }
    text
}

fn hex_upper(byte: u8) -> String {
    format!("{byte:02X}")
}

fn times_33(start: u32, text: &str) -> u32 {
    text.chars()
        .fold(start, |e, c| e.wrapping_mul(33).wrapping_add(u32::from(c)))
}

/// `ptqrtoken` of a `qrsig` (§4.2).
pub(crate) fn hash33(text: &str) -> u32 {
    times_33(0, text) & 0x7FFF_FFFF
}

/// `auth_token` of a `supertoken`, `pt4_hkey` of a `skey` (§4.3).
pub(crate) fn time33(text: &str) -> u32 {
    times_33(0, text)
}

/// `length` characters of an alphabet.
fn random(length: usize, alphabet: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())]))
        .collect()
}

/// Small hex digits.
pub(crate) fn hex(length: usize) -> String {
    random(length, b"0123456789abcdef")
}

/// Decimal digits.
pub(crate) fn digits(length: usize) -> String {
    random(length, b"0123456789")
}

/// Letters and digits.
pub(crate) fn letters(length: usize) -> String {
    random(
        length,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    )
}

/// A `qrsig`: 64 characters (§3.2).
pub(crate) fn qrsig() -> String {
    random(
        64,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*_~-",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_p_vectors() {
        for (uin, ptwebqq, expected) in [
            (
                10001,
                "5d4c090f4a91cf44083ce8e274345e44e523c21341b41cf135f15b3b8cfc1329",
                "094559435E685D5A",
            ),
            (
                123_456_789,
                "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060",
                "0542541859825D5E",
            ),
            (
                1_000_000_007,
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "007E00D90085004C",
            ),
            (
                2_147_483_648,
                "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
                "00C50043004F004B",
            ),
            (4_294_967_295, "a", "61BA00BC00B000B4"),
            (305_419_896, "", "0057007700190033"),
            (
                987_654_321,
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "567F099D56270FFA",
            ),
        ] {
            assert_eq!(hash(uin, ptwebqq), expected, "{uin} {ptwebqq}");
        }
    }

    #[test]
    fn hash33_vectors() {
        for (qrsig, expected) in [
            ("", 0),
            ("a", 97),
            ("qrsig", 138_234_694),
            (
                "hJ9GvNx*oIvLjP5I5dQ19KPa3zwxNI62eALLO*g2JLbKPYsZIRsnbJIxNe74NzQQ",
                1_178_303_247,
            ),
            (
                "0000000000000000000000000000000000000000000000000000000000000000",
                1_757_367_296,
            ),
            (
                "ZzZz-*_~1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST",
                564_367_194,
            ),
        ] {
            assert_eq!(hash33(qrsig), expected, "{qrsig}");
        }
    }

    #[test]
    fn time33_vectors() {
        for (text, expected) in [
            ("", 0),
            ("a", 97),
            ("supertoken", 3_682_850_480),
            ("1234567890", 3_117_894_829),
            ("abcdefghijklmnopqrstuvwxyz", 2_580_278_463),
        ] {
            assert_eq!(time33(text), expected, "{text}");
        }
    }
}
