//! The world of the sandbox, and the rows of the gateway that go with it.

use std::fmt::Write as _;

/// The `OneBot` account.
pub(crate) const BOT: u64 = 123_456_790;
/// The first group; the others have the numbers behind it.
pub(crate) const GROUP: u64 = 346_000_004;
/// Somebody who is in every group.
pub(crate) const SPEAKER: u64 = 700_100_000;

/// `world.toml` with so many groups of so many people each; the account is one more.
pub(crate) fn world(groups: u64, people: u64) -> String {
    let mut text = format!("[[account]]\nqq = {BOT}\nnickname = \"bot\"\nprotocol = \"onebot\"\n");
    for group in 0..groups {
        let _ = write!(
            text,
            "\n[[group]]\nnumber = {}\nname = \"Group {group}\"\nmembers = [\n    \
             {{ qq = {BOT}, nickname = \"bot\", card = \"\", role = \"admin\" }},\n",
            GROUP + group
        );
        for member in 0..people {
            let role = if member == 0 { "owner" } else { "member" };
            let _ = writeln!(
                text,
                "    {{ qq = {}, nickname = \"member{member}\", card = \"成员 {member}\", role = \"{role}\" }},",
                SPEAKER + member
            );
        }
        text.push_str("]\n");
    }
    text
}

/// The room of the n-th group.
pub(crate) fn room(n: u64) -> String {
    format!("g{n:04}@qq.localhost")
}

/// The rows of so many groups.
pub(crate) fn rows(groups: u64) -> String {
    (0..groups).fold(String::new(), |mut text, n| {
        let _ = write!(
            text,
            "[[mapping]]\ngroup = {}\nroom = \"{}\"\noccupants = \"all\"\n\n",
            GROUP + n,
            room(n)
        );
        text
    })
}
