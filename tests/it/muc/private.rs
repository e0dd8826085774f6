//! Private messages and invitations.

use lab::jabber::{Stanza as _, ns};
use minidom::Element;

use super::{ALICE, BOB, CAROL, CLOSED, OWNER, at, is_error, is_refusal, leave, refused, trio};
use crate::support::{Bridge, ROOM};

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    messages(bridge).await?;
    invitations(bridge).await
}

async fn messages(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, mut carol) = trio(bridge).await?;
    let bob_id = alice.join(ROOM, ALICE).await?;
    let bob_id = bob_id
        .presences
        .iter()
        .find(|p| p.nick() == BOB)
        .and_then(|p| p.occupant_id())
        .map(str::to_owned);
    let mut second = bridge.jabber("alice", "second").await?;
    second.join(ROOM, ALICE).await?;
    bob.send(format!(
        "<message type='chat' id='pm1' to='{}'><body>psst</body><x xmlns='{}'/>\
         <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/></message>",
        at(ALICE),
        ns::MUC_USER
    ))
    .await?;
    let is_psst = |el: &Element| el.body().as_deref() == Some("psst");
    for client in [&mut alice, &mut second] {
        let seen = client.wait(is_psst, "the private message").await?;
        assert_eq!((seen.from(), seen.kind(), seen.id()), (at(BOB).as_str(), "chat", "pm1"));
        assert_eq!(seen.occupant_id(), bob_id.as_deref(), "{}", seen.xml());
        assert!(seen.child("x", ns::MUC_USER).is_some(), "{}", seen.xml());
        assert!(
            !seen.xml().contains("forged") && !seen.xml().contains("bob@localhost"),
            "{}",
            seen.xml()
        );
    }
    alice
        .send(format!(
            "<message type='chat' id='pm2' to='{}'><body>yes?</body></message>",
            at(BOB)
        ))
        .await?;
    bob.wait(
        |el| el.from() == at(ALICE) && el.body().as_deref() == Some("yes?"),
        "the answer",
    )
    .await?;
    carol.sync(ROOM).await?;
    assert!(
        carol.take_all().iter().all(|el| el.name() != "message"),
        "private is private"
    );

    let chat = |nick: &str| {
        format!(
            "<message type='chat' id='ID' to='{}'><body>x</body></message>",
            at(nick)
        )
    };
    let refusal = refused(&mut bob, &chat(OWNER)).await?;
    is_refusal(&refusal, "cancel", "not-allowed");
    assert_eq!(refusal.from(), at(OWNER));
    is_error(&refused(&mut bob, &chat("nobody")).await?, "cancel", "item-not-found");
    let mut stranger = bridge.jabber("dave", "x").await?;
    is_refusal(&refused(&mut stranger, &chat(ALICE)).await?, "cancel", "not-acceptable");
    leave([(alice, ALICE), (second, ALICE), (bob, BOB), (carol, CAROL)]).await
}

async fn invitations(bridge: &Bridge) -> anyhow::Result<()> {
    let mut bob = bridge.jabber("bob", "desk").await?;
    let mut carol = bridge.jabber("carol", "phone").await?;
    bob.join(ROOM, BOB).await?;
    let invite = |room: &str, whom: &str| {
        format!(
            "<message id='ID' to='{room}'><x xmlns='{}'><invite to='{whom}'><reason>join us</reason></invite></x></message>",
            ns::MUC_USER
        )
    };
    bob.send(invite(ROOM, "carol@localhost")).await?;
    let seen = carol
        .wait(|el| el.name() == "message" && el.from() == ROOM, "the invitation")
        .await?;
    let inner = seen
        .descend(&[("x", ns::MUC_USER), ("invite", ns::MUC_USER)])
        .expect("an invitation");
    assert!(
        inner.attr("from").is_some_and(|from| from.starts_with("bob@localhost")),
        "{}",
        seen.xml()
    );
    assert_eq!(
        inner.get_child("reason", ns::MUC_USER).map(Element::text).as_deref(),
        Some("join us")
    );
    let direct = seen.child("x", "jabber:x:conference").and_then(|x| x.attr("jid"));
    assert_eq!(direct, Some(ROOM), "{}", seen.xml());

    carol
        .send(format!(
            "<message to='{ROOM}'><x xmlns='{}'><decline to='bob@localhost'><reason>busy</reason></decline></x></message>",
            ns::MUC_USER
        ))
        .await?;
    let seen = bob
        .wait(
            |el| el.name() == "message" && el.xml().contains("decline"),
            "the refusal",
        )
        .await?;
    assert!(seen.from() == ROOM && seen.xml().contains("busy"), "{}", seen.xml());

    is_refusal(
        &refused(&mut carol, &invite(ROOM, "dave@localhost")).await?,
        "cancel",
        "not-acceptable",
    );
    is_refusal(
        &refused(&mut bob, &invite(CLOSED, "dave@localhost")).await?,
        "cancel",
        "not-acceptable",
    );
    let mut alice = bridge.jabber("alice", "pc").await?;
    alice.join(CLOSED, ALICE).await?;
    is_refusal(
        &refused(&mut alice, &invite(CLOSED, "bob@localhost")).await?,
        "cancel",
        "not-allowed",
    );
    alice.leave(CLOSED, ALICE).await?;
    leave([(bob, BOB)]).await
}
