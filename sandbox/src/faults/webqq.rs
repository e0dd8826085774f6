//! The kinds of misbehaviour of the web hosts.

use super::Kind;

type Parameter = (&'static str, &'static str);

const CALL: Parameter = (
    "call",
    "the last part of the path, as \"poll2\", or \"poll\", \"send\", \"lists\", \"login\", \"relink\" (login2 with a psessionid), \
     \"any\"; default any",
);
const DONE: Parameter = ("done", "true: the call is carried out all the same; default false");
const LOSE: Parameter = (
    "lose",
    "of a poll, true: the events in the answer are gone; default false: the next poll gives them",
);

const fn once(word: &'static str, does: &'static str, parameters: &'static [Parameter]) -> Kind {
    Kind {
        word,
        does,
        parameters,
        lasting: false,
    }
}

const fn lasting(word: &'static str, does: &'static str, parameters: &'static [Parameter]) -> Kind {
    Kind {
        word,
        does,
        parameters,
        lasting: true,
    }
}

/// The kinds.
pub(super) const KINDS: [Kind; 42] = [
    // The way of an answer.
    once("close", "the connection is closed without a byte", &[CALL, DONE]),
    once(
        "hang",
        "nothing is answered; the connection stays open until the client leaves",
        &[CALL, DONE],
    ),
    once(
        "cut_body",
        "the answer ends in its middle",
        &[
            CALL,
            LOSE,
            (
                "chunked",
                "true: in chunks, without the last one; default false: shorter than its length",
            ),
        ],
    ),
    once(
        "slow_body",
        "the answer drips",
        &[CALL, ("delay", "how long all of it takes, as \"3s\"; default 3s")],
    ),
    once(
        "late_reply",
        "the answer comes late",
        &[CALL, ("delay", "as \"3s\"; default 3s")],
    ),
    once(
        "http_status",
        "a status instead of an answer",
        &[CALL, DONE, ("status", "502, 504, 404, …; default 502")],
    ),
    once(
        "content_type",
        "an answer of another type",
        &[CALL, ("type", "default text/html")],
    ),
    once("empty_body", "an answer without a body", &[CALL, DONE]),
    once(
        "garbage_body",
        "a page of a proxy instead of JSON, with status 200",
        &[CALL, DONE],
    ),
    // Codes.
    once(
        "retcode",
        "the call is not carried out and answered with a retcode",
        &[
            ("call", "as elsewhere; default poll2"),
            ("retcode", "103, 108, 100000, …; default 103"),
            ("errmsg", "default: the text that was seen with that code"),
            (
                "until",
                "a call that ends it when it succeeds, as \"get_online_buddies2\" or \"relink\"; without a count",
            ),
        ],
    ),
    once(
        "new_ptwebqq",
        "a poll is answered 116 with a new ptwebqq",
        &[("length", "its hex digits; default 64")],
    ),
    once(
        "lost_link",
        "the link is lost: polls get the code until a relink",
        &[("code", "120 or 121; default 121")],
    ),
    once("kick_session", "the next poll brings a kick_message", &[]),
    once(
        "expire_login",
        "the login is as if it were 47 hours old",
        &[("code", "of the poll; default: of the seed")],
    ),
    lasting(
        "rival",
        "as soon as a session can poll, another client logs in and kicks it",
        &[],
    ),
    lasting(
        "outage",
        "polls and lists are answered 100003, lists with nothing in them",
        &[],
    ),
    // Polls.
    once(
        "idle_form",
        "how an idle poll is answered",
        &[(
            "form",
            "1 error!!!, 2 error, 3 no retcode, 4 result as text, 5 retmsg, 6 102, 7 no body; default 3",
        )],
    ),
    lasting(
        "hold",
        "how long a poll without events is held",
        &[("time", "as \"30s\"; default 5s")],
    ),
    lasting(
        "zombie",
        "polls bring statuses only, though there are messages; ends with a relink or 116",
        &[(
            "lose",
            "true: messages of that time are never given; default false: they come behind it",
        )],
    ),
    once(
        "batch",
        "a poll waits for several events",
        &[("size", "how many; default 5")],
    ),
    once(
        "order",
        "the events of an answer of several",
        &[("order", "\"oldest\" first, or \"mixed\"; default oldest")],
    ),
    // Messages.
    once("lost_message", "a message is never given: a gap in seq", &[]),
    once(
        "double_message",
        "a message of somebody is given twice",
        &[(
            "delay",
            "the second one comes so much later; default 0: in the same answer",
        )],
    ),
    once(
        "extra_event",
        "before a message comes an event that says nothing",
        &[(
            "what",
            "\"unknown\" poll_type, \"junk\" message, \"status\", \"input\", \"tips\"; default unknown",
        )],
    ),
    // Sending.
    once(
        "send_answer",
        "what a send is answered",
        &[
            ("call", "as elsewhere; default send"),
            (
                "answer",
                "\"ok\", \"send_ok\", \"zero\", \"ERROR\", or a retcode as 1202, 100100, 108; default 1202",
            ),
            (
                "delivered",
                "whether it is; default: true with ok, send_ok, zero and 100100",
            ),
        ],
    ),
    once(
        "echo",
        "how the own message comes back",
        &[
            (
                "how",
                "\"none\", \"altered\", \"split\", \"twice\", \"late\", \"early\" (before the answer); default none",
            ),
            (
                "alter",
                "\"space\" (NBSP, CR, a space more), \"cut\" (from < on), \"censor\" (***); default space",
            ),
            ("delay", "of late and early; default 2s"),
        ],
    ),
    // Lists.
    once(
        "empty_list",
        "a list is answered 0 with nothing in it",
        &[("call", "as elsewhere; default lists")],
    ),
    once(
        "partial_list",
        "a list is answered 100003 with half of it",
        &[("call", "as elsewhere; default lists")],
    ),
    lasting(
        "thin_members",
        "a part of a group's info is missing",
        &[("without", "cards, minfo, stats or vipinfo; default cards")],
    ),
    lasting("cut_cards", "cards are cut inside a character", &[]),
    lasting(
        "hash_variant",
        "the hash of the lists",
        &[("variant", "P, O, Q, N, or - for none; default O")],
    ),
    // What years and servers differed in.
    lasting("withhold_numbers", "real numbers are not told", &[]),
    lasting("new_uins", "a relink gives new temporary numbers", &[]),
    lasting("faces_zero", "every face comes as face 0", &[]),
    lasting("empty_ptwebqq", "new logins have an empty ptwebqq", &[]),
    // The way in.
    once("captcha", "2013: check wants a captcha", &[]),
    once(
        "login_code",
        "2013: login is answered with a code of its own",
        &[
            ("code", "3 wrong password, 4 wrong captcha, 7, 19, 10005, …; default 3"),
            ("sub", "default 0"),
        ],
    ),
    lasting(
        "frozen",
        "2013: the account is frozen: the right password is answered with 19",
        &[(
            "as",
            "\"code\", or \"link\": 0 with an address at aq.qq.com; default code",
        )],
    ),
    once("qr_expired", "a QR code has expired when it is asked about", &[]),
    once("qr_withdrawn", "the phone scans and does not confirm: 66, 67, 66", &[]),
    once(
        "qr_code",
        "ptqrlogin is answered with a code of its own",
        &[("code", "default 10005")],
    ),
    lasting("no_quick_login", "pt4_auth is refused", &[]),
];
