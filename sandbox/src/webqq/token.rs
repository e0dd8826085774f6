//! The arithmetic of the web login (webqq.md §4) and fresh tokens.

use rand::Rng;

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

/// Capital letters.
pub(crate) fn capitals(length: usize) -> String {
    random(length, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
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
