//! Whatever stands in the file: an answer, and no secret in it.

use proptest::prelude::*;

use super::{BASE, load};

/// Lines that are not in the base: right, wrong, of later versions, and no TOML at all.
const MORE: &str = r#"[http]
listen = "127.0.0.1:9680"
[relay]
template = "{nick}"
[[rooms]]
[mapping]
account = "classic"
account = 5
protocol = "onebot"
login = "password"
password = "hush"
password = """hush
hush
"""
access_token = 'hush
xmpp = { secret = "hush", fish = 1 }
group = [346000003, "x", []]
group_name = ["甲", "乙"]
room = "cats@rooms.example.org"
room = "10001@qq.example.org"
nick = "QQ"
nick = "🐱"
puppets_idle = "0s"
password_file = "room.password"
allow = ["*", "*.", 3]
allow = "*"
domain = "localhost"
"猫" = 1
= = =
"#;

proptest! {
    #[test]
    fn any_lines_in_any_order(picked in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        let pool: Vec<&str> = BASE.lines().chain(MORE.lines()).collect();
        let text: Vec<&str> = picked.iter().map(|index| *index.get(pool.as_slice())).collect();
        judge(&text.join("\n"))?;
    }

    #[test]
    fn the_base_with_lines_put_in(places in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let mut lines: Vec<&str> = BASE.lines().collect();
        let more: Vec<&str> = MORE.lines().collect();
        for (place, line) in places {
            lines.insert(place.index(lines.len()), *line.get(more.as_slice()));
        }
        judge(&lines.join("\n"))?;
    }

    #[test]
    fn the_base_cut_anywhere(at in 0..BASE.len()) {
        judge(&BASE[..at])?;
    }
}

fn judge(text: &str) -> Result<(), TestCaseError> {
    if let Err(problems) = load(text) {
        let told = problems.to_string();
        prop_assert!(problems.iter().count() > 0);
        // Torn from the key above it, the word is no secret any more.
        let alone = text.lines().any(|line| line == "hush");
        prop_assert!(alone || !told.contains("hush"), "{}", told);
    }
    Ok(())
}
