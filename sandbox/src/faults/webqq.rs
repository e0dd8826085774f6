//! The kinds of misbehaviour of the web hosts.

use super::Kind;

/// The kinds.
pub(super) const KINDS: [Kind; 3] = [
    Kind {
        word: "captcha",
        does: "2013: check wants a captcha",
        parameters: &[],
        lasting: false,
    },
    Kind {
        word: "login_code",
        does: "2013: login is answered with a code of its own",
        parameters: &[
            ("code", "3 wrong password, 4 wrong captcha, 7, 19, 10005, …; default 3"),
            ("sub", "default 0"),
        ],
        lasting: false,
    },
    Kind {
        word: "frozen",
        does: "2013: the account is frozen: the right password is answered with 19",
        parameters: &[(
            "as",
            "\"code\", or \"link\": 0 with an address at aq.qq.com; default code",
        )],
        lasting: true,
    },
];
