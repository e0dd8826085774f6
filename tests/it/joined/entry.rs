//! How the listener and the puppets get into rooms, and what is done when they do not: one gateway, and a room for each case.

use anyhow::Context as _;
use lab::jabber::{RoomConfig, Stanza as _, Whom};
use lab::server::Muc;
use lab::{Jabber, Kind, Options};
use minidom::Element;

use super::{LISTENER, QQ, assemble, group, is_word, lines_until, person, room, row, wait_in, wait_word};
use crate::support::Bridge;
use crate::support::onebot::{CHEN, DMITRI};

/// The cases, which are the names of the rooms, with what stands in their rows. The group of each is its place.
const CASES: [(&str, &str); 11] = [
    ("conflict", ""),
    ("taken", ""),
    ("members", ""),
    ("admitted", ""),
    ("secret", "password = \"sesame\""),
    ("wrong", "password = \"parsley\""),
    ("banned", ""),
    ("full", ""),
    ("later", ""),
    ("off", "puppets = \"off\""),
    ("few", "puppets_max = 1"),
];
/// Occupants of the full room: three people, one more, and the listener.
const MOST: u32 = 5;

fn number(case: &str) -> u64 {
    let mut cases = (0..).zip(CASES);
    let (n, _) = cases.find(|(_, (name, _))| *name == case).expect("the case exists");
    group(n)
}

async fn entry(kind: Kind) -> anyhow::Result<()> {
    let rows: String = (0..).zip(CASES).map(|(n, (name, more))| row(n, name, more)).collect();
    let options = Options {
        users: vec!["dave".to_owned()],
        muc: Muc {
            max_occupants: (kind == Kind::Prosody).then_some(MOST),
            ..Muc::default()
        },
        ..Options::default()
    };
    let groups = u64::try_from(CASES.len())?;
    let Some((mut bridge, mut alice)) = assemble(kind, options, groups, &rows).await? else {
        return Ok(());
    };
    // People who sit where they are in the way; their clients only have to be there.
    let mut bob = person(&bridge, "bob").await?;
    let mut carol = person(&bridge, "carol").await?;
    let mut dave = person(&bridge, "dave").await?;
    make_rooms(kind, &mut alice).await?;
    bob.join(&room("conflict"), "Dmitri").await?;
    bob.join(&room("taken"), QQ).await?;
    for (person, nick) in [(&mut bob, "Bob"), (&mut carol, "Carol"), (&mut dave, "Dave")] {
        person.join(&room("full"), nick).await?;
    }
    bridge.start_gateway().await?;

    cases(&mut bridge, &mut alice, &mut bob)
        .await
        .with_context(|| bridge.log())
}

async fn make_rooms(kind: Kind, alice: &mut Jabber) -> anyhow::Result<()> {
    for (name, _) in CASES.into_iter().filter(|(name, _)| *name != "later") {
        let config = RoomConfig {
            members_only: matches!(name, "members" | "admitted").then_some(true),
            password: matches!(name, "secret" | "wrong").then(|| "sesame".to_owned()),
            max_users: (name == "full" && kind == Kind::Ejabberd).then_some(MOST),
            ..RoomConfig::default()
        };
        alice.create_room(&room(name), "Alice W", &config).await?;
    }
    for (name, affiliation) in [("admitted", "admin"), ("banned", "outcast")] {
        alice
            .set_affiliation(&room(name), Whom::Jid(LISTENER), affiliation, "")
            .await?;
    }
    Ok(())
}

async fn cases(bridge: &mut Bridge, alice: &mut Jabber, bob: &mut Jabber) -> anyhow::Result<()> {
    // What the admin is told when the listener stays out, and what to do about it.
    for (case, word) in [
        ("members", "ask an owner to make bridge@qq.localhost a member"),
        ("wrong", "write the right one: password ="),
        ("banned", "bridge@qq.localhost was banned"),
        ("later", "there is no such room; create it"),
    ] {
        wait_word(alice, &room(case), word).await?;
    }
    wait_in(alice, &room("taken"), "QQ (QQ)").await?;

    // The nick is somebody's, the room is full, puppets are not wanted: the words come all the same.
    for (case, voices) in [
        ("conflict", [("Dmitri (QQ)", "早"), ("三花的妈", "喵")]),
        ("taken", [("Dmitri", "早"), ("三花的妈", "喵")]),
        ("admitted", [("Dmitri", "早"), ("三花的妈", "喵")]),
        ("secret", [("Dmitri", "早"), ("三花的妈", "喵")]),
        ("full", [(QQ, "Dmitri: 早"), (QQ, "三花的妈: 喵")]),
        ("off", [(QQ, "Dmitri: 早"), (QQ, "三花的妈: 喵")]),
        ("few", [("Dmitri", "早"), (QQ, "三花的妈: 喵")]),
    ] {
        speak(bridge, case).await?;
        let lines = lines_until(alice, &room(case), voices[1].1)
            .await
            .with_context(|| case.to_owned())?;
        let lines: Vec<(&str, &str)> = lines.iter().map(|(nick, body)| (&**nick, &**body)).collect();
        assert_eq!(lines, voices, "{case}");
        alice.say(&room(case), &format!("heard in {case}")).await?;
        let arrives = format!("Alice W: heard in {case}");
        bridge.sandbox.wait_text(number(case), 0, &arrives).await?;
    }
    let puppet = format!("{}/Dmitri", room("admitted"));
    let shown = |el: &Element| el.name() == "presence" && el.from() == puppet;
    let member = alice.wait(shown, "Dmitri in admitted").await?;
    assert_eq!(member.affiliation(), "member", "{}", member.xml());

    // The gateway made no room, and enters it when there is one.
    alice
        .create_room(&room("later"), "Alice W", &RoomConfig::default())
        .await?;
    // A member may enter; its puppets may not, and the admin hears what would help.
    alice
        .set_affiliation(&room("members"), Whom::Jid(LISTENER), "member", "")
        .await?;
    wait_in(alice, &room("later"), QQ).await?;
    wait_in(alice, &room("members"), QQ).await?;
    bridge.sandbox.say(number("members"), DMITRI, "inside").await?;
    let inside = alice.wait_body(&room("members"), "Dmitri: inside").await?;
    assert_eq!(inside.nick(), QQ);
    wait_word(alice, &room("members"), "make bridge@qq.localhost an admin").await?;

    // A nick that worked is kept, also when the one that was wanted is free again.
    bob.leave(&room("conflict"), "Dmitri").await?;
    bridge.stop_gateway().await?;
    bridge.start_gateway().await?;
    bridge.sandbox.say(number("conflict"), DMITRI, "again").await?;
    let again = alice.wait_body(&room("conflict"), "again").await?;
    assert_eq!(again.nick(), "Dmitri (QQ)");

    // Nobody came in who should not, and nobody was told twice but by the new start.
    let seen = alice.take_all();
    for case in ["wrong", "banned"] {
        let in_there = |el: &&Element| el.name() == "presence" && el.from() == format!("{}/{QQ}", room(case));
        assert_eq!(seen.iter().filter(in_there).map(lab::jabber::Stanza::xml).next(), None);
        let words = seen.iter().filter(|el| is_word(el, &room(case))).count();
        assert!(words <= 1, "{case}: {words} more words");
    }
    let words: Vec<String> = seen
        .iter()
        .filter(|el| is_word(el, &room("members")))
        .filter_map(lab::jabber::Stanza::body)
        .collect();
    assert!(words.is_empty(), "{words:?}");
    Ok(())
}

/// Two members say something, of whom the room has not heard before.
async fn speak(bridge: &Bridge, case: &str) -> anyhow::Result<()> {
    bridge.sandbox.say(number(case), DMITRI, "早").await?;
    bridge.sandbox.say(number(case), CHEN, "喵").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_on_prosody() -> anyhow::Result<()> {
    entry(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_on_ejabberd() -> anyhow::Result<()> {
    entry(Kind::Ejabberd).await
}
