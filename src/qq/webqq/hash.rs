//! The arithmetic that the web protocol asks of its clients. Pure; the names are those under which the variants are known.
//!
//! The `hash` parameter of the friend and group lists was swapped several times between 2013 and 2015; a wrong one is answered
//! with retcode 50, so the caller tries the variants in turn.

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

/// Which of the historic functions makes the `hash` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Variant {
    /// "hash2": from December 2013 to the end of `SmartQQ`.
    #[default]
    P,
    /// "password error": 2013, and classic `WebQQ` from June 2014.
    O,
    /// An instrumented quicksort: autumn 2013 and May 2014.
    Q,
    /// A few days of April 2013.
    N,
    /// Until the middle of April 2013 there was no such parameter.
    Absent,
}

impl Variant {
    /// How many there are.
    pub(super) const COUNT: usize = 5;

    /// The variant to try when this one was refused; after the last comes the first.
    pub(super) fn next(self) -> Self {
        match self {
            Self::P => Self::O,
            Self::O => Self::Q,
            Self::Q => Self::N,
            Self::N => Self::Absent,
            Self::Absent => Self::P,
        }
    }

    /// The `hash` parameter for the account `uin` (its QQ number) and the cookie `ptwebqq`; nothing where it is to be left out.
    pub(super) fn hash(self, uin: u64, ptwebqq: &str) -> Option<String> {
        match self {
            Self::P => Some(hash_p(uin, ptwebqq.as_bytes())),
            Self::O => Some(hash_o(uin, ptwebqq)),
            Self::Q => Some(hash_q(uin, ptwebqq.as_bytes())),
            Self::N => Some(hash_n(uin, ptwebqq.as_bytes())),
            Self::Absent => None,
        }
    }
}

/// The low 32 bits, big-endian, as all variants take the number.
fn low_bytes(uin: u64) -> [u8; 4] {
    let [.., a, b, c, d] = uin.to_be_bytes();
    [a, b, c, d]
}

fn upper_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

fn hash_p(uin: u64, ptwebqq: &[u8]) -> String {
    let mut folded = [0_u8; 4];
    for (i, byte) in ptwebqq.iter().enumerate() {
        folded[i % 4] ^= byte;
    }
    let uin = low_bytes(uin);
    let mut out = Vec::with_capacity(8);
    for (i, key) in b"ECOK".iter().enumerate() {
        out.extend([folded[i], uin[i] ^ key]);
    }
    upper_hex(&out)
}

fn hash_o(uin: u64, ptwebqq: &str) -> String {
    let text = format!("{ptwebqq}password error");
    let digits = uin.to_string();
    let out: Vec<u8> = text.bytes().zip(digits.bytes().cycle()).map(|(a, d)| a ^ d).collect();
    upper_hex(&out)
}

fn hash_q(uin: u64, ptwebqq: &[u8]) -> String {
    let mut r = low_bytes(uin);
    let mut j = ptwebqq.to_vec();
    // Exclusive ends instead of the original's inclusive ones, which run to -1 for the empty text.
    let mut stack = vec![(0, j.len())];
    while let Some((start, end)) = stack.pop() {
        match end.saturating_sub(start) {
            0 | 1 => {}
            2 => {
                if j[start] > j[end - 1] {
                    j.swap(start, end - 1);
                }
            }
            _ => {
                let pivot_at = partition(&mut j, start, end - 1, &mut r);
                stack.push((start, pivot_at));
                stack.push((pivot_at + 1, end));
            }
        }
    }
    upper_hex(&r)
}

/// One round of the quicksort between `s` and `e` (inclusive), counting its steps into `r`; where the pivot came to lie.
fn partition(j: &mut [u8], mut s: usize, mut e: usize, r: &mut [u8; 4]) -> usize {
    let pivot = j[s];
    while s < e {
        while s < e && j[e] >= pivot {
            e -= 1;
            r[0] = r[0].wrapping_add(3);
        }
        if s < e {
            j[s] = j[e];
            s += 1;
            r[1] = r[1].wrapping_mul(13).wrapping_add(43);
        }
        while s < e && j[s] <= pivot {
            s += 1;
            r[2] = r[2].wrapping_sub(3);
        }
        if s < e {
            j[e] = j[s];
            e -= 1;
            r[3] = r[0] ^ r[1] ^ r[2] ^ r[3].wrapping_add(1);
        }
    }
    j[s] = pivot;
    s
}

fn hash_n(uin: u64, ptwebqq: &[u8]) -> String {
    let len = ptwebqq.len();
    let byte = |at: usize| ptwebqq.get(at).copied().unwrap_or(0);
    let mut at = 0;
    let mut key = u32::MAX;
    for digit in uin.to_string().bytes().map(|d| usize::from(d - b'0')) {
        at = (at + digit).checked_rem(len).unwrap_or(0);
        let four = if at + 4 <= len {
            [byte(at), byte(at + 1), byte(at + 2), byte(at + 3)]
        } else {
            let wrapped = 4 + at - len;
            std::array::from_fn(|h| if h < wrapped { byte(at + h) } else { byte(h - wrapped) })
        };
        key ^= u32::from_be_bytes(four);
    }
    upper_hex(&key.to_be_bytes())
}

/// The password as the login of 2013 wants it: `salt` is the account's number in 8 bytes, big-endian, as the service gave it;
/// `code` what the captcha showed, or the code that was given instead.
pub(super) fn password(password: &str, salt: [u8; 8], code: &str) -> String {
    let mut salted = Md5::digest(password.as_bytes()).to_vec();
    salted.extend(salt);
    let mut coded = upper_hex(&Md5::digest(&salted));
    coded.push_str(&code.to_ascii_uppercase());
    upper_hex(&Md5::digest(coded.as_bytes()))
}

/// `ptqrtoken`, from the cookie `qrsig`.
pub(super) fn hash33(text: &str) -> u32 {
    fold33(0, text) & 0x7fff_ffff
}

/// `auth_token` of the quick login, from the cookie `supertoken`.
pub(super) fn time33(text: &str) -> u32 {
    fold33(0, text)
}

fn fold33(seed: u32, text: &str) -> u32 {
    text.bytes()
        .fold(seed, |e, c| e.wrapping_mul(33).wrapping_add(u32::from(c)))
}

#[cfg(test)]
mod tests;
