#![allow(clippy::unreadable_literal, reason = "numbers as the protocol shows them")]

use super::*;

#[test]
fn variant_p() {
    for (uin, ptwebqq, hash) in [
        (
            10001,
            "5d4c090f4a91cf44083ce8e274345e44e523c21341b41cf135f15b3b8cfc1329",
            "094559435E685D5A",
        ),
        (
            123456789,
            "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060",
            "0542541859825D5E",
        ),
        (
            1000000007,
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "007E00D90085004C",
        ),
        (
            2147483648,
            "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
            "00C50043004F004B",
        ),
        (4294967295, "a", "61BA00BC00B000B4"),
        (305419896, "", "0057007700190033"),
        (
            987654321,
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "567F099D56270FFA",
        ),
    ] {
        assert_eq!(Variant::P.hash(uin, ptwebqq).as_deref(), Some(hash), "{uin}");
    }
}

#[test]
fn variant_o() {
    for (uin, ptwebqq, hash) in [
        (
            10001,
            "5d4c090f4a91cf44083ce8e274345e44e523c21341b41cf135f15b3b8cfc1329",
            "0454045301080056045008015356050500080352540855020605030405540504550503025302010205015204005256010304570105520253085356520003020941504343475E4354105543435F42",
        ),
        (
            123456789,
            "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060",
            "035103500D05000D5C0751030D5304565E0A525705045600520801005057520152550A0E00530200510653000C010403445445444F56435613514744584A",
        ),
        (
            1000000007,
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "0101020304050607080E5052535455560001020405050607080951525353545600010203040506000909515253545556000603030405060708095155525455564051434347584354105542425F42",
        ),
        (
            2147483648,
            "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
            "54575251525E555004080201040704085550525E5457525104080306040802015251525E5550525E0201040704080306525E54575251525E030604080201040744594045435740551452464A5C44",
        ),
        (4294967295, "a", "554258474A4158405D1551404B5B4B"),
        (305419896, "", "4351464746564A5D165642475B43"),
        (
            987654321,
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "005E0F0051040B0309010C54015102060B500B5E52575404500704585C070700550050570D5E065407560350090B0A54520401570452080D550653040353010148564546435C4055195D45445A46",
        ),
    ] {
        assert_eq!(Variant::O.hash(uin, ptwebqq).as_deref(), Some(hash), "{uin}");
    }
}

#[test]
fn variant_q() {
    for (uin, ptwebqq, hash) in [
        (
            10001,
            "5d4c090f4a91cf44083ce8e274345e44e523c21341b41cf135f15b3b8cfc1329",
            "222D2814",
        ),
        (
            123456789,
            "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060",
            "E12140BE",
        ),
        (
            1000000007,
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "16810D10",
        ),
        (
            2147483648,
            "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
            "B290B000",
        ),
        (4294967295, "a", "FFFFFFFF"),
        (305419896, "", "12345678"),
        (
            987654321,
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "17DC76BA",
        ),
    ] {
        assert_eq!(Variant::Q.hash(uin, ptwebqq).as_deref(), Some(hash), "{uin}");
    }
}

#[test]
fn variant_n() {
    for (uin, ptwebqq, hash) in [
        (
            10001,
            "5d4c090f4a91cf44083ce8e274345e44e523c21341b41cf135f15b3b8cfc1329",
            "CB9CCFC6",
        ),
        (
            123456789,
            "2c0d8375e6c09f2af3ce60c6e081bdf4db271a14d0d85060",
            "9EC0C596",
        ),
        (
            1000000007,
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "F6F4ADA9",
        ),
        (
            2147483648,
            "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
            "FFA9FFA9",
        ),
        (4294967295, "a", "FFFFFFFF"),
        (
            987654321,
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "CA9DC3CB",
        ),
    ] {
        assert_eq!(Variant::N.hash(uin, ptwebqq).as_deref(), Some(hash), "{uin}");
    }
}

#[test]
fn ptqrtoken() {
    for (qrsig, token) in [
        ("", 0),
        ("a", 97),
        ("qrsig", 138234694),
        (
            "hJ9GvNx*oIvLjP5I5dQ19KPa3zwxNI62eALLO*g2JLbKPYsZIRsnbJIxNe74NzQQ",
            1178303247,
        ),
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            1757367296,
        ),
        (
            "ZzZz-*_~1234567890abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST",
            564367194,
        ),
    ] {
        assert_eq!(hash33(qrsig), token, "{qrsig}");
    }
}

#[test]
fn auth_token() {
    for (text, token) in [
        ("", 0),
        ("a", 97),
        ("supertoken", 3682850480),
        ("1234567890", 3117894829),
        ("abcdefghijklmnopqrstuvwxyz", 2580278463),
    ] {
        assert_eq!(time33(text), token, "{text}");
    }
}

#[test]
fn odd_numbers_and_cookies_do_no_harm() {
    for uin in [0, 1, u64::MAX] {
        for ptwebqq in ["", "a", "ab", "abc", "äöü", "zz"] {
            let mut variant = Variant::P;
            for _ in 0..Variant::COUNT {
                assert!(variant.hash(uin, ptwebqq).is_none_or(|hash| !hash.is_empty()));
                variant = variant.next();
            }
            assert_eq!(variant, Variant::P);
        }
    }
}

#[test]
fn password_of_2013() {
    for (uin, text, code, hash) in [
        (10001_u64, "123456", "!ABC", "37B89F84F9AD345D6672A035009F29A4"),
        (123456789, "password", "!PTH", "6521161652D541A4D43D9D946D93C2B5"),
        (1000000007, "p@ss w0rd", "abcd", "994BF937717DF630311717E82AFF99FA"),
        (4294967295, "", "!AAA", "8192D2B6A2DA68B906F900F5362D820F"),
        (2147483648, "密码测试", "!ZZZ", "5AC32EE0E5E868882B53F39C80FB3E1E"),
        (305419896, "correct horse", "xK9q", "64582F8D4D888C9E6F6B9DB59870AC9C"),
    ] {
        assert_eq!(password(text, uin.to_be_bytes(), code), hash, "{uin}");
    }
}
