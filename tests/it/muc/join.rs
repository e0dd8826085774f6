//! Joins: refusals by which a client knows its own request, the order, history, several client sessions.

use lab::Kind;
use lab::jabber::{Stanza as _, ns};

use super::{
    ALICE, BOB, CAROL, CLOSED, NO_ROOM, OWNER, at, is_error, is_in_order, is_refusal, leave, refused, shown, trio,
};
use crate::support::{Bridge, ROOM};

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    refusals(bridge).await?;
    order(bridge).await?;
    history(bridge).await?;
    two_sessions(bridge).await?;
    again(bridge).await
}

async fn refusals(bridge: &Bridge) -> anyhow::Result<()> {
    let (alice, bob, mut carol) = trio(bridge).await?;
    let mut other = bridge.jabber("dave", "x").await?;
    let mut ask = async |to: &str| {
        let to = lab::jabber::escape(to);
        refused(
            &mut other,
            &format!("<presence id='ID' to='{to}'><x xmlns='{}'/></presence>", ns::MUC),
        )
        .await
    };
    let no_nick = ask(ROOM).await?;
    is_refusal(&no_nick, "modify", "jid-malformed");
    assert_eq!(no_nick.from(), ROOM);
    // The group's owner, a member but for case, a person, a person but for case.
    for taken in [OWNER, "ALICE", BOB, "bob b"] {
        let refusal = ask(&at(taken)).await?;
        is_refusal(&refusal, "cancel", "conflict");
        assert_eq!(refusal.from(), at(taken));
        assert!(refusal.child("x", ns::MUC).is_some(), "{}", refusal.xml());
    }
    // Prosody passes it on, and the gateway refuses it by its start tag alone; to ejabberd it is no address.
    let condition = match bridge.server.kind() {
        Kind::Prosody => "jid-malformed",
        Kind::Ejabberd => "bad-request",
    };
    is_error(&ask(&at("✨")).await?, "modify", condition);
    is_refusal(&ask(&format!("{NO_ROOM}/Dave")).await?, "cancel", "not-allowed");
    let refusal = carol.join_refused(CLOSED, CAROL, "").await?;
    is_refusal(&refusal, "auth", "forbidden");
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

async fn order(bridge: &Bridge) -> anyhow::Result<()> {
    let mut alice = bridge.jabber("alice", "pc").await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    let join = alice.join(ROOM, ALICE).await?;
    is_in_order(&join, ALICE);
    assert_eq!(
        (join.self_presence.affiliation(), join.self_presence.role()),
        ("owner", "moderator")
    );
    assert_eq!(join.self_presence.status_codes(), [110]);
    assert_eq!(join.self_presence.real_jid(), alice.jid());
    let of_qq = join.presences.iter().find(|p| p.nick() == OWNER).expect("the QQ owner");
    assert_eq!(
        of_qq.real_jid(),
        "222333444@qq.localhost",
        "an owner of the room sees addresses"
    );

    let join = bob.join(ROOM, BOB).await?;
    is_in_order(&join, BOB);
    assert_eq!(
        (join.self_presence.affiliation(), join.self_presence.role()),
        ("none", "participant")
    );
    assert!(
        join.presences.iter().all(|p| p.real_jid().is_empty()),
        "nobody's address: {join:?}"
    );
    let seen = alice.wait_presence(&at(BOB)).await?;
    assert_eq!(
        (seen.real_jid(), seen.id(), seen.has_status(110)),
        (bob.jid(), "", false)
    );
    assert_eq!(seen.occupant_id(), join.self_presence.occupant_id());
    let names: Vec<_> = join
        .presences
        .iter()
        .filter_map(|p| p.child("nick", "http://jabber.org/protocol/nick"))
        .map(minidom::Element::text)
        .collect();
    assert!(
        names.iter().any(|name| name == "🐱 nyan"),
        "the untouched name: {names:?}"
    );
    leave([(alice, ALICE), (bob, BOB)]).await
}

async fn history(bridge: &Bridge) -> anyhow::Result<()> {
    let (alice, mut bob, mut carol) = trio(bridge).await?;
    let mut live = Vec::new();
    for n in 0..4 {
        bob.say(ROOM, &format!("history {n}")).await?;
        live.push(bob.wait_body(ROOM, &format!("history {n}")).await?);
    }
    carol.wait_body(ROOM, "history 3").await?;
    let mut past = async |wish: &str| carol.join_with(ROOM, CAROL, wish).await;
    let plain = past("").await?;
    is_in_order(&plain, CAROL);
    let last = plain.history.last().expect("history");
    assert_eq!(last.stanza_id(ROOM), live[3].stanza_id(ROOM), "the same id as live");
    assert_eq!(
        (last.id(), last.from(), last.occupant_id()),
        (live[3].id(), live[3].from(), live[3].occupant_id())
    );
    assert!(plain.history.len() <= 20);
    assert!(past("<history maxstanzas='0'/>").await?.history.is_empty());
    assert!(past("<history maxchars='0'/>").await?.history.is_empty());
    assert_eq!(
        past("<history maxstanzas='2'/>").await?.bodies(),
        ["history 2", "history 3"]
    );
    assert_eq!(
        past("<history since='1970-01-01T00:00:00Z' maxstanzas='1'/>")
            .await?
            .bodies(),
        ["history 3"]
    );
    assert!(
        past("<history since='2035-01-01T00:00:00Z'/>")
            .await?
            .history
            .is_empty()
    );
    assert_eq!(past("<history seconds='3600' maxstanzas='3'/>").await?.history.len(), 3);
    let one = last.xml().chars().count();
    let few = past(&format!("<history maxchars='{}'/>", one * 2)).await?.history.len();
    assert!((1..=2).contains(&few), "{few} in twice the room of one");
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

/// Two clients of one person are one occupant.
async fn two_sessions(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut desk, carol) = trio(bridge).await?;
    let mut phone = bridge.jabber("bob", "phone").await?;
    let join = phone.join(ROOM, BOB).await?;
    is_in_order(&join, BOB);
    assert!(
        shown(&mut alice).await?.iter().all(|el| el.nick() != BOB),
        "the others see nothing"
    );
    phone.say(ROOM, "from my phone").await?;
    let at_phone = phone.wait_body(ROOM, "from my phone").await?;
    let at_desk = desk.wait_body(ROOM, "from my phone").await?;
    assert_eq!(at_phone.stanza_id(ROOM), at_desk.stanza_id(ROOM));
    assert_eq!(at_desk.from(), at(BOB));

    desk.leave(ROOM, BOB).await?;
    desk.close().await?;
    assert!(
        shown(&mut alice).await?.iter().all(|el| el.name() != "presence"),
        "one of two left"
    );
    phone.say(ROOM, "still here").await?;
    alice.wait_body(ROOM, "still here").await?;
    phone.leave(ROOM, BOB).await?;
    assert_eq!(alice.wait_presence(&at(BOB)).await?.kind(), "unavailable");
    leave([(alice, ALICE), (carol, CAROL)]).await
}

/// A client that thinks it is out gets everything again, and nobody else notices.
async fn again(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    let join = bob.join_with(ROOM, BOB, "<history maxstanzas='1'/>").await?;
    is_in_order(&join, BOB);
    assert!(join.nicks().contains(&ALICE));
    assert_eq!(join.history.len(), 1);
    assert!(shown(&mut alice).await?.iter().all(|el| el.name() != "presence"));

    // A stranger whose presence is no join is told that it is not here, by its id; one that says goodbye is told nothing.
    let mut other = bridge.jabber("dave", "x").await?;
    let to = lab::jabber::escape(&at("Dave"));
    let refusal = refused(&mut other, &format!("<presence id='ID' to='{to}'/>")).await?;
    is_refusal(&refusal, "cancel", "item-not-found");
    other.send(format!("<presence type='unavailable' to='{to}'/>")).await?;
    other.sync(ROOM).await?;
    let odd: Vec<_> = other
        .take_all()
        .into_iter()
        .filter(|el| el.bare_from() == ROOM)
        .collect();
    assert!(odd.is_empty(), "{odd:?}");

    // A status reaches all.
    bob.send(format!(
        "<presence to='{}'><show>away</show><status>at lunch</status></presence>",
        at(BOB)
    ))
    .await?;
    let seen = alice.wait_presence(&at(BOB)).await?;
    assert!(
        seen.xml().contains("at lunch") && !seen.has_status(110),
        "{}",
        seen.xml()
    );
    let own = bob.wait_presence(&at(BOB)).await?;
    assert!(own.has_status(110), "{}", own.xml());
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}
