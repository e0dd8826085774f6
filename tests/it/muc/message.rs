//! What is said in the room: reflected to all alike, without what was forged; refused where it must be, silent where it must be.

use lab::jabber::{Stanza as _, ns};
use minidom::Element;

use super::{ALICE, BOB, CAROL, at, disco_info, form, is_refusal, is_result, leave, refused, shown, trio};
use crate::support::{Bridge, GROUP, ROOM, people};

const FORGED: &str = "<stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.localhost' id='forged'/>\
    <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>\
    <delay xmlns='urn:xmpp:delay' from='rust@qq.localhost' stamp='2001-01-01T00:00:00Z'/>\
    <x xmlns='http://jabber.org/protocol/muc#user'><status code='307'/></x>";
const RETRACT: &str = "urn:xmpp:message-retract:1";
const MODERATE: &str = "urn:xmpp:message-moderate:1";
const KEPT: &str = "<origin-id xmlns='urn:xmpp:sid:0' id='own'/><new xmlns='urn:example:new'><part a='b'>c</part></new>\
    <x xmlns='jabber:x:oob'><url>https://example.org/a</url></x>";

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    reflection(bridge).await?;
    bodyless(bridge).await?;
    retraction(bridge).await?;
    moderation(bridge).await?;
    subject(bridge).await?;
    refusals(bridge).await?;
    silence(bridge).await
}

async fn reflection(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, mut carol) = trio(bridge).await?;
    let occupant = bob
        .join(ROOM, BOB)
        .await?
        .self_presence
        .occupant_id()
        .map(str::to_owned);
    let id = bob.say_with(ROOM, "reflect me", &format!("{FORGED}{KEPT}")).await?;
    let mut seen = Vec::new();
    for client in [&mut alice, &mut bob, &mut carol] {
        seen.push(client.wait_body(ROOM, "reflect me").await?);
    }
    for message in &seen {
        assert_eq!((message.id(), message.from()), (id.as_str(), at(BOB).as_str()));
        assert_eq!(message.stanza_id(ROOM), seen[0].stanza_id(ROOM), "one id for all");
        assert_eq!(message.occupant_id(), occupant.as_deref());
        assert_eq!(
            (message.origin_id(), message.delay(), message.status_codes().len()),
            (Some("own"), None, 0)
        );
        assert!(!message.xml().contains("forged"), "{}", message.xml());
        let new = message
            .child("new", "urn:example:new")
            .expect("an unknown child is kept");
        assert_eq!(
            new.get_child("part", "urn:example:new").map(Element::text).as_deref(),
            Some("c")
        );
        assert!(message.child("x", "jabber:x:oob").is_some());
    }
    assert!(seen[0].stanza_id(ROOM).is_some_and(|id| id != "forged"));

    // Everybody sees one order, whoever speaks.
    let people = people(bridge).await?;
    for n in 0..5 {
        alice.say(ROOM, &format!("order a{n}")).await?;
        carol.say(ROOM, &format!("order c{n}")).await?;
        bridge.sandbox.say(GROUP, people[0], format!("order q{n}")).await?;
    }
    let mut orders = Vec::new();
    for client in [&mut alice, &mut bob, &mut carol] {
        let mut ids = Vec::new();
        while ids.len() < 15 {
            let in_order = |el: &Element| el.body().is_some_and(|body| body.starts_with("order "));
            let message = client.wait(in_order, "fifteen messages").await?;
            ids.push(message.stanza_id(ROOM).unwrap_or_default().to_owned());
        }
        orders.push(ids);
    }
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

async fn bodyless(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    bob.say(ROOM, "a line").await?;
    let line = alice.wait_body(ROOM, "a line").await?;
    let line = line.stanza_id(ROOM).unwrap_or_default();
    let states = "http://jabber.org/protocol/chatstates";
    for (child, kept) in [
        (format!("<composing xmlns='{states}'/>"), false),
        (
            format!("<reactions xmlns='urn:xmpp:reactions:0' id='{line}'><reaction>👍</reaction></reactions>"),
            true,
        ),
        (
            format!("<displayed xmlns='urn:xmpp:chat-markers:0' id='{line}'/>"),
            true,
        ),
    ] {
        let id = lab::jabber::fresh_id();
        bob.send(format!(
            "<message type='groupchat' to='{ROOM}' id='{id}'>{child}</message>"
        ))
        .await?;
        let seen = alice
            .wait(|el| el.id() == id && el.bare_from() == ROOM, "the reflection")
            .await?;
        assert_eq!(
            seen.stanza_id(ROOM).is_some(),
            kept,
            "what is kept has an id: {}",
            seen.xml()
        );
        assert!(seen.occupant_id().is_some() && seen.from() == at(BOB), "{}", seen.xml());
    }
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

/// Only who said something takes it back (XEP-0424); the room does not pass on others' claims.
async fn retraction(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, mut carol) = trio(bridge).await?;
    bob.say(ROOM, "Bob's own").await?;
    let own = carol.wait_body(ROOM, "Bob's own").await?;
    let own = own.stanza_id(ROOM).unwrap_or_default();
    let retract = |id: &str| {
        format!(
            "<message type='groupchat' to='{ROOM}' id='ID'><retract xmlns='urn:xmpp:message-retract:1' id='{id}'/>\
             <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/><body>/me took a message back</body>\
             <store xmlns='urn:xmpp:hints'/></message>"
        )
    };
    is_refusal(&refused(&mut carol, &retract(own)).await?, "auth", "forbidden");
    is_refusal(
        &refused(&mut carol, &retract("unknown")).await?,
        "cancel",
        "item-not-found",
    );
    bob.send(retract(own).replace("ID", "back")).await?;
    let seen = alice.wait(|el| el.id() == "back", "the retraction").await?;
    let taken = seen
        .child("retract", "urn:xmpp:message-retract:1")
        .and_then(|r| r.attr("id"));
    assert_eq!(taken, Some(own), "{}", seen.xml());
    let shown = shown(&mut alice).await?;
    assert!(
        shown
            .iter()
            .all(|el| el.child("retract", "urn:xmpp:message-retract:1").is_none()),
        "{shown:?}"
    );
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

/// Owners take away what others said (XEP-0425), and everybody learns who did.
async fn moderation(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, mut carol) = trio(bridge).await?;
    let owner = alice.join(ROOM, ALICE).await?.self_presence;
    bob.say(ROOM, "buy my things").await?;
    let line = carol.wait_body(ROOM, "buy my things").await?;
    let line = line.stanza_id(ROOM).unwrap_or_default();
    let moderate = format!(
        "<moderate xmlns='{MODERATE}' id='{line}'><retract xmlns='{RETRACT}'/><reason>spam</reason></moderate>"
    );
    is_refusal(&carol.iq(ROOM, "set", &moderate).await?, "auth", "forbidden");
    is_result(&alice.iq(ROOM, "set", &moderate).await?);
    let moderated = |el: &Element| {
        let retract = el.child("retract", RETRACT)?;
        let moderated = retract.get_child("moderated", MODERATE)?;
        let who = moderated.get_child("occupant-id", "urn:xmpp:occupant-id:0")?;
        Some((
            retract.attr("id")?.to_owned(),
            moderated.attr("by")?.to_owned(),
            who.attr("id")?.to_owned(),
        ))
    };
    for client in [&mut alice, &mut bob, &mut carol] {
        let seen = client.wait(|el| moderated(el).is_some(), "the moderation").await?;
        assert_eq!((seen.from(), seen.occupant_id(), seen.body()), (ROOM, None, None));
        let (id, by, who) = moderated(&seen).expect("looked at above");
        assert_eq!((id.as_str(), by), (line, at(ALICE)));
        assert_eq!(Some(who.as_str()), owner.occupant_id());
        assert!(seen.stanza_id(ROOM).is_some(), "{}", seen.xml());
    }
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

async fn subject(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, mut carol) = trio(bridge).await?;
    let set = |text: &str| format!("<message type='groupchat' id='ID' to='{ROOM}'><subject>{text}</subject></message>");
    is_refusal(&refused(&mut bob, &set("mine")).await?, "auth", "forbidden");
    alice.send(set("Weekend plans").replace("ID", "s1")).await?;
    let is_subject = |el: &Element| el.subject().is_some() && el.body().is_none();
    let seen = bob.wait(is_subject, "the subject").await?;
    assert_eq!(
        (seen.subject().as_deref(), seen.id(), seen.nick()),
        (Some("Weekend plans"), "s1", ALICE)
    );
    assert_eq!(alice.wait(is_subject, "the subject").await?.id(), "s1");
    let join = carol.join(ROOM, CAROL).await?;
    assert_eq!(
        (join.subject.subject().as_deref(), join.subject.nick()),
        (Some("Weekend plans"), ALICE)
    );
    assert!(join.subject.delay().is_some());
    let info = disco_info(&mut bob, ROOM).await?;
    let fields = form(info.child("query", ns::DISCO_INFO).expect("a query"));
    assert_eq!(fields["muc#roominfo_subject"], "Weekend plans");
    // A subject beside a body is a message like any other.
    bob.say_with(ROOM, "both", "<subject>not the room's</subject>").await?;
    alice.wait_body(ROOM, "both").await?;
    alice.send(set("").replace("ID", "s2")).await?;
    assert_eq!(
        bob.wait(is_subject, "the empty subject").await?.subject().as_deref(),
        Some("")
    );
    assert_eq!(carol.join(ROOM, CAROL).await?.subject.subject().as_deref(), Some(""));
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

async fn refusals(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    let message = |inner: &str| format!("<message type='groupchat' id='ID' to='{ROOM}'>{inner}</message>");
    let omemo = "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/><payload>AA</payload></encrypted>";
    let words = "<body>I sent you an OMEMO encrypted message</body>";
    is_refusal(
        &refused(&mut bob, &message(&format!("{omemo}{words}"))).await?,
        "modify",
        "not-acceptable",
    );
    is_refusal(&refused(&mut bob, &message(omemo)).await?, "modify", "not-acceptable");
    let long = format!("<body>{}</body>", "长".repeat(80_000));
    is_refusal(&refused(&mut bob, &message(&long)).await?, "modify", "policy-violation");
    let to_one = format!(
        "<message type='groupchat' id='ID' to='{}'><body>x</body></message>",
        at(ALICE)
    );
    let refusal = refused(&mut bob, &to_one).await?;
    super::is_error(&refusal, "modify", "bad-request");
    let to_room = format!("<message type='chat' id='ID' to='{ROOM}'><body>x</body></message>");
    super::is_error(&refused(&mut bob, &to_room).await?, "modify", "bad-request");
    assert!(shown(&mut alice).await?.is_empty(), "nobody saw any of it");
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

/// What must never be answered.
async fn silence(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    let mut stranger = bridge.jabber("dave", "x").await?;
    let error = "<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    for (to, to_room) in [
        (ROOM.to_owned(), true),
        (at(ALICE), false),
        ("qq.localhost".to_owned(), false),
    ] {
        for xml in [
            format!("<message type='error' id='e' to='{to}'>{error}</message>"),
            format!("<message type='groupchat' id='e' to='{ROOM}'/>"),
            format!("<message id='e' to='{to}'/>"),
            format!("<presence type='error' id='e' to='{to}'>{error}</presence>"),
            format!("<presence type='unsubscribed' id='e' to='{to}'/>"),
            format!("<iq type='result' id='e' to='{to}'/>"),
            format!("<iq type='error' id='e' to='{to}'>{error}</iq>"),
        ] {
            stranger.send(&xml).await?;
            if to_room {
                bob.send(&xml).await?;
            }
        }
    }
    bob.send(format!(
        "<message type='groupchat' id='e' to='{ROOM}'><body/></message>"
    ))
    .await?;
    assert!(
        shown(&mut bob).await?.is_empty(),
        "Bob is still here, and nothing was shown"
    );
    assert!(shown(&mut alice).await?.is_empty());
    stranger.sync(ROOM).await?;
    stranger.sync("qq.localhost").await?;
    let odd: Vec<_> = stranger
        .take_all()
        .into_iter()
        .filter(|el| el.from().contains("qq.localhost"))
        .collect();
    let odd: Vec<_> = odd.iter().map(lab::jabber::Stanza::xml).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}
