//! Ten thousand malformed stanzas from a seeded generator, by a stranger and by an occupant: the gateway stays up, its memory
//! flat, and nobody's real JID is told to participants.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use lab::jabber::Stanza as _;
use lab::{Jabber, Kind};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::support::{Bridge, GROUP, ROOM, people, resident_kib};

const STANZAS: usize = 10_000;
const SEED: u64 = 20_130_401;
/// Growth of resident memory that is no leak: arenas and caches that fill once.
const FLAT_KIB: u64 = 24 << 10;

const NAMESPACES: [&str; 12] = [
    "http://jabber.org/protocol/muc",
    "http://jabber.org/protocol/muc#user",
    "http://jabber.org/protocol/muc#admin",
    "http://jabber.org/protocol/muc#owner",
    "http://jabber.org/protocol/disco#info",
    "urn:xmpp:mam:2",
    "urn:xmpp:ping",
    "urn:xmpp:delay",
    "urn:xmpp:sid:0",
    "vcard-temp",
    "urn:xmpp:reply:0",
    "x:y",
];
const NAMES: [&str; 12] = [
    "x",
    "query",
    "item",
    "body",
    "subject",
    "show",
    "priority",
    "delay",
    "stanza-id",
    "vCard",
    "ping",
    "nick",
];
const TYPES: [&str; 16] = [
    "",
    "bogus",
    "error",
    "get",
    "set",
    "result",
    "groupchat",
    "chat",
    "normal",
    "unavailable",
    "subscribe",
    "probe",
    "subscribed",
    "headline",
    "unsubscribe",
    "unsubscribed",
];
const TEXTS: [&str; 8] = [
    "",
    "banana",
    "9999",
    "-1",
    "2013-99-99T00:00:00Z",
    "中文\u{202e}😀",
    "&lt;/message&gt;",
    "𠀀",
];

fn attribute(random: &mut StdRng) -> &'static str {
    const ALL: [&str; 10] = [
        "id=''",
        "id='1'",
        "stamp='never'",
        "by='rust@qq.localhost'",
        "affiliation='owner'",
        "affiliation='king'",
        "role='none'",
        "maxstanzas='-5'",
        "code='110'",
        "xml:lang='zh'",
    ];
    ALL.choose(random).expect("there are some")
}

fn element(random: &mut StdRng, depth: usize) -> String {
    let name = NAMES.choose(random).expect("there are some");
    let mut xml = format!(
        "<{name} xmlns='{}' {}>",
        NAMESPACES.choose(random).expect("some"),
        attribute(random)
    );
    for _ in 0..random.random_range(0..3) {
        if depth > 0 && random.random_bool(0.6) {
            xml.push_str(&element(random, depth - 1));
        } else {
            xml.push_str(TEXTS.choose(random).expect("there are some"));
        }
    }
    let _ = write!(xml, "</{name}>");
    xml
}

fn stanza(random: &mut StdRng, nick: &str) -> String {
    let kind = ["message", "presence", "iq"].choose(random).expect("there are some");
    let to = [
        "qq.localhost".to_owned(),
        ROOM.to_owned(),
        format!("{ROOM}/{nick}"),
        format!("{ROOM}/nobody"),
        "222333444@qq.localhost".to_owned(),
        "u-none@qq.localhost/x".to_owned(),
        "bridge@qq.localhost/cats".to_owned(),
        "none@qq.localhost".to_owned(),
    ];
    let to = to.choose(random).expect("there are some").clone();
    let kind_of = TYPES.choose(random).expect("there are some");
    // Leaving is legal and would end the occupant's part.
    let kind_of = if *kind == "presence" && *kind_of == "unavailable" {
        "bogus"
    } else {
        kind_of
    };
    let id = if *kind == "iq" || random.random_bool(0.5) {
        format!("id='{}'", random.random::<u32>())
    } else {
        String::new()
    };
    let type_ = if kind_of.is_empty() {
        String::new()
    } else {
        format!("type='{kind_of}'")
    };
    let children: String = (0..random.random_range(0..4)).map(|_| element(random, 3)).collect();
    let known = [
        "<show>banana</show>",
        "<priority>9999</priority>",
        "<body/>",
        "<error/>",
        "",
    ]
    .choose(random)
    .expect("some");
    format!("<{kind} to='{to}' {type_} {id}>{known}{children}</{kind}>")
}

/// Sends them all, keeping pace with the answers, and checks that none tells the other's JID.
async fn flood(client: &mut Jabber, nick: &str, secret: &str, seed: u64) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    for n in 0..STANZAS / 2 {
        client.send(stanza(&mut random, nick)).await?;
        if n % 100 == 0 {
            client.sync("localhost").await?;
            for seen in client.take_all() {
                anyhow::ensure!(!seen.xml().contains(secret), "a real JID was told: {}", seen.xml());
            }
        }
    }
    client.sync("localhost").await
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_malformed_stanzas() -> anyhow::Result<()> {
    let Some(bridge) = Bridge::start(Kind::Prosody).await? else {
        return Ok(());
    };
    println!("seed {SEED}");
    let pid = bridge.gateway.as_ref().context("the gateway runs")?.pid();
    // Alice is an admin and may see JIDs; bob and carol may not see each other's.
    let mut carol = bridge.jabber("carol", "secretplace").await?;
    carol.set_limit(Duration::from_secs(30));
    carol.join(ROOM, "Carol C").await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    bob.set_limit(Duration::from_secs(60));

    flood(&mut bob, "Bob B", "secretplace", SEED)
        .await
        .context("as a stranger")?;
    let before = resident_kib(pid)?;
    bob.join(ROOM, "Bob B").await?;
    flood(&mut bob, "Bob B", "secretplace", SEED + 1)
        .await
        .context("as an occupant")?;
    let after = resident_kib(pid)?;
    assert!(after <= before + FLAT_KIB, "memory grew from {before} to {after} KiB");

    let people = people(&bridge).await?;
    bridge.sandbox.say(GROUP, people[0], "still up").await?;
    carol.wait_body(ROOM, "still up").await.with_context(|| bridge.log())?;
    Ok(())
}
