//! Change of nick, leave, and people whose connection breaks.

use lab::jabber::Stanza as _;

use super::{ALICE, BOB, CAROL, OWNER, at, is_refusal, leave, refused, shown, trio};
use crate::support::{Bridge, ROOM};

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    nick(bridge).await?;
    leaving(bridge).await?;
    broken(bridge).await
}

async fn nick(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    let before = alice.join(ROOM, ALICE).await?;
    let old_id = before
        .presences
        .iter()
        .find(|p| p.nick() == BOB)
        .and_then(|p| p.occupant_id().map(str::to_owned));
    assert!(old_id.is_some());

    // A nick that is taken: the old one stays.
    for taken in [CAROL, OWNER] {
        let refusal = refused(&mut bob, &format!("<presence id='ID' to='{}'/>", at(taken))).await?;
        is_refusal(&refusal, "cancel", "conflict");
        assert_eq!(refusal.from(), at(taken));
    }
    assert!(shown(&mut alice).await?.is_empty());

    bob.take_all();
    bob.send(format!("<presence id='nick-1' to='{}'/>", at("Bobby")))
        .await?;
    let gone = alice.wait_presence(&at(BOB)).await?;
    let come = alice.wait_presence(&at("Bobby")).await?;
    assert_eq!(
        (gone.kind(), gone.status_codes().as_slice()),
        ("unavailable", [303].as_slice())
    );
    assert_eq!(
        gone.item().and_then(|item| item.attr("nick")),
        Some("Bobby"),
        "{}",
        gone.xml()
    );
    assert_eq!(gone.role(), "participant", "a change of nick is no leave");
    assert_eq!((come.kind(), come.occupant_id()), ("", old_id.as_deref()));
    let gone = bob.wait_presence(&at(BOB)).await?;
    let come = bob.wait_presence(&at("Bobby")).await?;
    assert!(gone.has_status(303) && gone.has_status(110), "{}", gone.xml());
    assert!(come.has_status(110) && come.id() == "nick-1", "{}", come.xml());
    // Too many changes are refused for a while, and words come under the new nick.
    let refusal = refused(&mut bob, &format!("<presence id='ID' to='{}'/>", at("Bobbie"))).await?;
    is_refusal(&refusal, "wait", "policy-violation");
    bob.say(ROOM, "it is me").await?;
    let said = alice.wait_body(ROOM, "it is me").await?;
    assert_eq!((said.nick(), said.occupant_id()), ("Bobby", old_id.as_deref()));
    leave([(alice, ALICE), (bob, "Bobby"), (carol, CAROL)]).await
}

async fn leaving(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    bob.send(format!(
        "<presence type='unavailable' id='bye' to='{}'><status>home</status></presence>",
        at(BOB)
    ))
    .await?;
    let own = bob.wait_presence(&at(BOB)).await?;
    assert_eq!(
        (own.kind(), own.id(), own.role()),
        ("unavailable", "bye", "none"),
        "{}",
        own.xml()
    );
    assert_eq!(own.status_codes(), [110]);
    let seen = alice.wait_presence(&at(BOB)).await?;
    assert_eq!(
        (seen.kind(), seen.role(), seen.status_codes().len()),
        ("unavailable", "none", 0),
        "{}",
        seen.xml()
    );
    assert!(seen.xml().contains("home"));
    let refusal = refused(
        &mut bob,
        &format!("<message type='groupchat' id='ID' to='{ROOM}'><body>x</body></message>"),
    )
    .await?;
    is_refusal(&refusal, "cancel", "not-acceptable");
    // A goodbye to the bare room counts as well.
    bob.join(ROOM, BOB).await?;
    alice.wait_presence(&at(BOB)).await?;
    bob.send(format!("<presence type='unavailable' to='{ROOM}'/>")).await?;
    assert_eq!(alice.wait_presence(&at(BOB)).await?.kind(), "unavailable");
    leave([(alice, ALICE), (carol, CAROL)]).await
}

/// A connection that breaks, and a client that is gone while the server still believes in it.
async fn broken(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, bob, mut carol) = trio(bridge).await?;
    bob.abort().await?;
    let gone = alice.wait_presence(&at(BOB)).await?;
    assert_eq!((gone.kind(), gone.role()), ("unavailable", "none"), "{}", gone.xml());

    // A bounce that says that somebody is gone removes this client session alone, with 333.
    carol
        .send(format!(
            "<message type='error' to='{ROOM}' id='b'><error type='cancel'><recipient-unavailable \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        ))
        .await?;
    let own = carol.wait_presence(&at(CAROL)).await?;
    assert_eq!(
        (own.kind(), own.status_codes().as_slice()),
        ("unavailable", [333, 110].as_slice()),
        "{}",
        own.xml()
    );
    let seen = alice.wait_presence(&at(CAROL)).await?;
    assert_eq!(
        (seen.kind(), seen.status_codes().as_slice()),
        ("unavailable", [333].as_slice()),
        "{}",
        seen.xml()
    );
    carol.join(ROOM, CAROL).await?;
    leave([(alice, ALICE), (carol, CAROL)]).await
}
