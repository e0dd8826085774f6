//! A restart of the gateway: what changed in the group meanwhile is shown, and only that (`WebQQ` tells of it when its lists are
//! read); who left meanwhile is found out, and nobody else is taken for gone.

use lab::jabber::{Stanza as _, ns};
use serde_json::json;

use super::{ALICE, BOB, CAROL, OWNER, at};
use crate::support::{Bridge, GROUP, ROOM};

pub(super) async fn check(bridge: &mut Bridge) -> anyhow::Result<()> {
    let mut alice = bridge.jabber("alice", "pc").await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    alice.join(ROOM, ALICE).await?;
    let join = bob.join(ROOM, BOB).await?;
    let owner = join
        .presences
        .iter()
        .find(|p| p.nick() == OWNER)
        .expect("the group's owner");
    let leaver = join.presences.iter().find(|p| p.nick() == "nyan").expect("a member");
    assert_eq!((owner.affiliation(), leaver.affiliation()), ("owner", "member"));
    let before: Vec<String> = join.nicks().into_iter().map(str::to_owned).collect();
    alice.wait_presence(&at(BOB)).await?;
    let mut carol = bridge.jabber("carol", "old").await?;
    let mut dave = bridge.jabber("dave", "lost").await?;
    carol.set_answers_pings(false);
    carol.join(ROOM, CAROL).await?;
    dave.join(ROOM, "Dave").await?;
    bob.wait_presence(&at("Dave")).await?;
    for client in [&mut alice, &mut bob] {
        client.take_all();
    }

    let newcomer = json!({"qq": 888_999_111, "nickname": "新人", "card": "", "role": "member"});
    bridge.sandbox.add_member(GROUP, &newcomer).await?;
    bridge
        .sandbox
        .change_member(GROUP, 222_333_444, &json!({"card": "王总"}))
        .await?;
    bridge.sandbox.remove_member(GROUP, 444_555_666).await?;
    bridge.stop_gateway().await?;
    dave.abort().await?;
    bridge.start_gateway().await?;

    let came = bob.wait_presence(&at("新人")).await?;
    assert_eq!(
        (came.kind(), came.affiliation(), came.role()),
        ("", "member", "participant"),
        "{}",
        came.xml()
    );
    assert!(came.occupant_id().is_some() && came.real_jid().is_empty());
    let renamed = bob.wait_presence(&at(OWNER)).await?;
    assert_eq!(
        (renamed.kind(), renamed.status_codes().as_slice()),
        ("unavailable", [303].as_slice())
    );
    assert_eq!(
        renamed.item().and_then(|item| item.attr("nick")),
        Some("王总"),
        "{}",
        renamed.xml()
    );
    let now = bob.wait_presence(&at("王总")).await?;
    assert_eq!((now.occupant_id(), now.affiliation()), (owner.occupant_id(), "owner"));
    let left = bob.wait_presence(&at("nyan")).await?;
    assert_eq!((left.kind(), left.role()), ("unavailable", "none"), "{}", left.xml());

    // Nobody told us that Dave is gone: a ping finds it out. Carol's client knows no pings and says what Dave's server says.
    let ping = carol.wait(|el| el.child("ping", ns::PING).is_some(), "a ping").await?;
    carol
        .send(format!(
            "<iq type='error' id='{}' to='{}'><error type='cancel'><service-unavailable \
             xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
            ping.id(),
            ping.from()
        ))
        .await?;
    let touch = |el: &minidom::Element| el.name() == "message" && el.from() == ROOM;
    let touch = carol.wait(touch, "the message that touches").await?;
    assert_eq!((touch.body(), touch.subject()), (None, None), "{}", touch.xml());
    let gone = bob.wait_presence(&at("Dave")).await?;
    assert_eq!(
        (gone.kind(), gone.has_status(333)),
        ("unavailable", true),
        "{}",
        gone.xml()
    );
    carol.say(ROOM, "I am here").await?;
    bob.wait_body(ROOM, "I am here").await?;

    // Nobody else moved: not the people, not the members who stayed as they were.
    let shown = super::shown(&mut bob).await?;
    let moved: Vec<_> = shown
        .iter()
        .filter(|el| el.name() == "presence")
        .map(lab::jabber::Stanza::xml)
        .collect();
    assert!(moved.is_empty(), "{moved:#?}");
    let join = bob.join(ROOM, BOB).await?;
    assert_eq!(
        join.nicks().len(),
        before.len() + 1,
        "one came, one left, and Carol: {:?}",
        join.nicks()
    );
    alice.say(ROOM, "all here").await?;
    bob.wait_body(ROOM, "all here").await?;
    Ok(())
}
