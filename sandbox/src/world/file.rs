//! `world.toml`: reading it and checking it.

use std::collections::HashSet;

use super::World;

/// The world that is there when nobody brings one, as a `world.toml`.
pub const DEFAULT_WORLD: &str = include_str!("default.toml");

/// The highest number a world may use: QQ numbers have at most eleven digits.
const HIGHEST: i64 = 99_999_999_999;

/// Why a `world.toml` was refused.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// Not TOML, a key that does not exist, a value of the wrong kind.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// Well formed, but it cannot be.
    #[error("{0}")]
    Sense(String),
}

/// The default world: one `WebQQ` and one `OneBot` account, each in a group of its own.
pub fn default_world() -> World {
    parse_world(DEFAULT_WORLD).expect("the default world is tested to be well formed")
}

/// Reads a `world.toml`.
pub fn parse_world(text: &str) -> Result<World, WorldError> {
    let mut world: World = toml::from_str(text)?;
    check(&world).map_err(WorldError::Sense)?;
    let names: Vec<_> = world
        .accounts
        .iter()
        .map(|a| world.nickname(a.qq).map_or_else(|| a.qq.to_string(), str::to_owned))
        .collect();
    for (account, name) in world.accounts.iter_mut().zip(names) {
        account.nickname = name;
    }
    Ok(world)
}

fn check(world: &World) -> Result<(), String> {
    let number = |what: &str, number: i64| {
        let fine = (1..=HIGHEST).contains(&number);
        fine.then_some(())
            .ok_or_else(|| format!("{what} {number}: a number from 1 to {HIGHEST} is needed"))
    };
    let mut seen = HashSet::new();
    for account in &world.accounts {
        number("account", account.qq)?;
        if !seen.insert(account.qq) {
            return Err(format!("account {} stands there twice", account.qq));
        }
        account
            .friends
            .iter()
            .try_for_each(|friend| number("friend", friend.qq))?;
    }
    let groups = world.groups.iter().map(|g| ("group", g.number, &g.members));
    let discussions = world.discussions.iter().map(|d| ("discussion", d.id, &d.members));
    let mut seen = HashSet::new();
    for (what, id, members) in groups.chain(discussions) {
        number(what, id)?;
        if !seen.insert((what, id)) {
            return Err(format!("{what} {id} stands there twice"));
        }
        let mut people = HashSet::new();
        for member in members {
            number("member", member.qq)?;
            if !people.insert(member.qq) {
                return Err(format!("member {} stands twice in {what} {id}", member.qq));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Protocol, Role};

    #[test]
    fn the_default_world_is_what_it_should_be() {
        let world = default_world();
        let group = world.group(346_000_003).unwrap();
        assert_eq!(group.name, "Rust 交流群");
        assert_eq!(
            group.members.iter().filter(|m| world.account(m.qq).is_none()).count(),
            5
        );
        assert_eq!(group.member(222_333_444).map(|m| m.role), Some(Role::Owner));
        assert_eq!(world.first(Protocol::Webqq).unwrap().qq, 123_456_789);
        assert_eq!(world.first(Protocol::Onebot).unwrap().qq, 123_456_790);
        assert!(world.group(346_000_004).unwrap().member(123_456_790).is_some());
    }

    #[test]
    fn mistakes_are_named() {
        let twice =
            "[[group]]\nnumber = 5\nname = 'a'\nmembers = []\n[[group]]\nnumber = 5\nname = 'b'\nmembers = []\n";
        assert_eq!(
            parse_world(twice).unwrap_err().to_string(),
            "group 5 stands there twice"
        );
        let unknown = parse_world("[[account]]\nqq = 5\nprotocol = 'webqq'\ncolour = 'red'\n")
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("colour"), "{unknown}");
        let below = parse_world("[[account]]\nqq = -5\nprotocol = 'webqq'\n")
            .unwrap_err()
            .to_string();
        assert!(below.contains("account -5"), "{below}");
    }
}
