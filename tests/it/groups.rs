//! Several groups in one room: a word said anywhere is read everywhere, a person in two groups is one occupant, long words
//! come in pieces, and nothing goes round in a circle.

use std::collections::HashSet;
use std::time::Duration;

use lab::jabber::Stanza as _;
use lab::{Kind, Options};

use crate::support::{Bridge, GROUP, ROOM};

const SECOND: u64 = 346_000_005;
const WANG: u64 = 222_333_444;
const HAN: u64 = 555_666_777;

#[tokio::test(flavor = "multi_thread")]
async fn two_groups_share_a_room() -> anyhow::Result<()> {
    let world = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vectors/two_groups.toml");
    let row = "[[mapping]]\ngroup = [346000003, 346000005]\nroom = \"rust@qq.localhost\"\n";
    let bridge = Bridge::start_in_world(Kind::Prosody, &Options::default(), row, &["--world", world]).await?;
    let Some(mut bridge) = bridge else { return Ok(()) };
    bridge.sandbox.set_limit(Duration::from_secs(20));
    let mut alice = bridge.jabber("alice", "phone").await?;
    let join = alice.join(ROOM, "Alice W").await?;
    let mut nicks: HashSet<String> = join.nicks().into_iter().map(str::to_owned).collect();
    // The person in both groups is there once, with the card of the group that stands first.
    let expected = HashSet::from(["老王", "李雷", "韩梅梅", "小桥"].map(str::to_owned));
    while nicks != expected {
        let of_room = |el: &minidom::Element| el.name() == "presence" && el.bare_from() == ROOM;
        let presence = alice.wait(of_room, "the members of both groups").await?;
        if presence.kind() == "unavailable" {
            nicks.remove(presence.nick());
        } else {
            nicks.insert(presence.nick().to_owned());
        }
    }

    bridge.sandbox.say(SECOND, HAN, "第二个群的消息").await?;
    assert_eq!(alice.wait_body(ROOM, "第二个群的消息").await?.nick(), "韩梅梅");
    bridge.sandbox.wait_text(GROUP, 0, "韩梅梅: 第二个群的消息").await?;
    bridge.sandbox.say(SECOND, WANG, "我也在二群").await?;
    assert_eq!(alice.wait_body(ROOM, "我也在二群").await?.nick(), "老王");
    bridge.sandbox.wait_text(GROUP, 0, "老王: 我也在二群").await?;

    alice.say(ROOM, "to everybody").await?;
    bridge.sandbox.wait_text(GROUP, 0, "Alice W: to everybody").await?;
    bridge.sandbox.wait_text(SECOND, 0, "Alice W: to everybody").await?;

    // Longer than SmartQQ takes at once: every word arrives, in order, in several messages.
    let words: Vec<String> = (0..400).map(|n| format!("word{n}")).collect();
    let long = words.join(" ");
    let before = bridge
        .sandbox
        .messages(GROUP, 0, Duration::ZERO)
        .await?
        .last()
        .map_or(0, |m| m.id);
    alice.say(ROOM, &long).await?;
    alice.wait_body(ROOM, &long).await?;
    bridge
        .sandbox
        .wait_message(GROUP, before, |m| m.text().contains("word399"), "the last piece")
        .await?;
    let pieces = bridge.sandbox.messages(GROUP, before, Duration::ZERO).await?;
    assert!(pieces.len() > 2, "{pieces:?}");
    let text: Vec<String> = pieces.iter().map(lab::sandbox::Message::text).collect();
    let arrived = text.join(" ");
    let arrived: Vec<&str> = arrived
        .split_whitespace()
        .filter(|word| word.starts_with("word"))
        .collect();
    assert_eq!(arrived, words.iter().map(String::as_str).collect::<Vec<_>>());

    // What the bridge said itself did not come back into the room.
    alice.sync("qq.localhost").await?;
    let echoes = alice
        .take_all()
        .into_iter()
        .filter(|el| el.nick() == "小桥" && el.body().is_some())
        .count();
    assert_eq!(echoes, 0);
    Ok(())
}
