//! What the service wanted to see hashed: the password (webqq.md §2.3), and own number with `ptwebqq` for the lists, in the
//! variants of the years (§4.1).

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

fn upper_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// A number as the service hashes it: eight bytes, the highest first.
pub(crate) fn uin8(uin: i64) -> [u8; 8] {
    uin.to_be_bytes()
}

/// A name of 32 hex digits for some words, as the service named pictures.
pub(crate) fn name(words: &str) -> String {
    upper_hex(&Md5::digest(words))
}

/// The field `p` of a login: password, number and verify code.
pub(crate) fn password(uin: i64, password: &str, code: &str) -> String {
    let inner = Md5::new().chain_update(Md5::digest(password)).chain_update(uin8(uin));
    let inner = upper_hex(&inner.finalize());
    upper_hex(&Md5::digest(format!("{inner}{}", code.to_uppercase())))
}

/// The `hash` of a list call in a variant: `P`, `O`, `Q` or `N`.
pub(crate) fn list(variant: char, uin: i64, ptwebqq: &str) -> String {
    match variant {
        'O' => password_error(uin, ptwebqq),
        'Q' => quicksort(uin, ptwebqq),
        'N' => digits(uin, ptwebqq),
        _ => hash2(uin, ptwebqq),
    }
}

fn low4(uin: i64) -> [u8; 4] {
    u32::try_from(uin & 0xFFFF_FFFF).unwrap_or_default().to_be_bytes()
}

fn hash2(uin: i64, ptwebqq: &str) -> String {
    let mut folded = [0_u8; 4];
    for (i, byte) in ptwebqq.bytes().enumerate() {
        folded[i % 4] ^= byte;
    }
    let keyed = low4(uin).into_iter().zip(*b"ECOK").map(|(byte, key)| byte ^ key);
    let pairs: Vec<u8> = folded.into_iter().zip(keyed).flat_map(|(a, x)| [a, x]).collect();
    upper_hex(&pairs)
}

fn password_error(uin: i64, ptwebqq: &str) -> String {
    let (text, digits) = (format!("{ptwebqq}password error"), uin.to_string());
    let mixed: Vec<u8> = text.bytes().zip(digits.bytes().cycle()).map(|(a, d)| a ^ d).collect();
    upper_hex(&mixed)
}

/// A quicksort that counts its steps into four bytes.
fn quicksort(uin: i64, ptwebqq: &str) -> String {
    let mut r = low4(uin);
    let mut j: Vec<u8> = ptwebqq.bytes().collect();
    let mut stack = if j.is_empty() { vec![] } else { vec![(0, j.len() - 1)] };
    while let Some((first, last)) = stack.pop() {
        if first >= last || last >= j.len() {
            continue;
        }
        if first + 1 == last {
            if j[first] > j[last] {
                j.swap(first, last);
            }
            continue;
        }
        let (mut s, mut e, pivot) = (first, last, j[first]);
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
        if s > 0 {
            stack.push((first, s - 1));
        }
        stack.push((s + 1, last));
    }
    upper_hex(&r)
}

fn digits(uin: i64, ptwebqq: &str) -> String {
    let bytes = ptwebqq.as_bytes();
    let at = |place: usize| bytes.get(place).copied().unwrap_or(0);
    let (mut b, mut k) = (0, [0xFF_u8; 4]);
    if bytes.is_empty() {
        return upper_hex(&k);
    }
    for digit in uin.to_string().bytes() {
        b = (b + usize::from(digit - b'0')) % bytes.len();
        let over = (b + 4).saturating_sub(bytes.len());
        for (h, key) in k.iter_mut().enumerate() {
            *key ^= if over > 0 && h >= over { at(h - over) } else { at(b + h) };
        }
    }
    upper_hex(&k)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [(i64, &str); 7] = [
        (
            10001,
            "5d4c090f4a91cf44083ce8e274345e44e523c21341b41cf135f15b3b8cfc1329",
        ),
        (123_456_789, "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060"),
        (
            1_000_000_007,
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
        (
            2_147_483_648,
            "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
        ),
        (4_294_967_295, "a"),
        (305_419_896, ""),
        (
            987_654_321,
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ),
    ];

    #[test]
    fn list_vectors() {
        let p = [
            "094559435E685D5A",
            "0542541859825D5E",
            "007E00D90085004C",
            "00C50043004F004B",
            "61BA00BC00B000B4",
            "0057007700190033",
            "567F099D56270FFA",
        ];
        let o = [
            "0454045301080056045008015356050500080352540855020605030405540504550503025302010205015204005256010304570105520253085356520003020941504343475E4354105543435F42",
            "035103500D05000D5C0751030D5304565E0A525705045600520801005057520152550A0E00530200510653000C010403445445444F56435613514744584A",
            "0101020304050607080E5052535455560001020405050607080951525353545600010203040506000909515253545556000603030405060708095155525455564051434347584354105542425F42",
            "54575251525E555004080201040704085550525E5457525104080306040802015251525E5550525E0201040704080306525E54575251525E030604080201040744594045435740551452464A5C44",
            "554258474A4158405D1551404B5B4B",
            "4351464746564A5D165642475B43",
            "005E0F0051040B0309010C54015102060B500B5E52575404500704585C070700550050570D5E065407560350090B0A54520401570452080D550653040353010148564546435C4055195D45445A46",
        ];
        let q = [
            "222D2814", "E12140BE", "16810D10", "B290B000", "FFFFFFFF", "12345678", "17DC76BA",
        ];
        let n = [
            "CB9CCFC6", "9EC0C596", "F6F4ADA9", "FFA9FFA9", "FFFFFFFF", "FFFFFFFF", "CA9DC3CB",
        ];
        for (i, (uin, ptwebqq)) in CASES.into_iter().enumerate() {
            assert_eq!(list('P', uin, ptwebqq), p[i], "{uin}");
            assert_eq!(list('O', uin, ptwebqq), o[i], "{uin}");
            assert_eq!(list('Q', uin, ptwebqq), q[i], "{uin}");
            assert_eq!(list('N', uin, ptwebqq), n[i], "{uin}");
        }
    }

    #[test]
    fn password_vectors() {
        for (uin, words, code, expected) in [
            (10001, "123456", "!ABC", "37B89F84F9AD345D6672A035009F29A4"),
            (123_456_789, "password", "!PTH", "6521161652D541A4D43D9D946D93C2B5"),
            (1_000_000_007, "p@ss w0rd", "abcd", "994BF937717DF630311717E82AFF99FA"),
            (4_294_967_295, "", "!AAA", "8192D2B6A2DA68B906F900F5362D820F"),
            (2_147_483_648, "密码测试", "!ZZZ", "5AC32EE0E5E868882B53F39C80FB3E1E"),
            (305_419_896, "correct horse", "xK9q", "64582F8D4D888C9E6F6B9DB59870AC9C"),
        ] {
            assert_eq!(password(uin, words, code), expected, "{uin} {words}");
        }
    }
}
