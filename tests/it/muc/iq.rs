//! Pings, vCards, requests between occupants, lists.

use lab::Jabber;
use lab::jabber::{Stanza as _, ns};
use minidom::Element;

use super::{ALICE, BOB, CAROL, CLOSED, NO_ROOM, OWNER, at, is_error, is_refusal, is_result, leave, trio};
use crate::support::{Bridge, ROOM};

const PING: &str = "<ping xmlns='urn:xmpp:ping'/>";
const CARD: &str = "<vCard xmlns='vcard-temp'/>";

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    pings(bridge).await?;
    cards(bridge).await?;
    forwarded(bridge).await?;
    lists(bridge).await
}

/// Self-ping (XEP-0410): the room's answer says whether one is in it.
async fn pings(bridge: &Bridge) -> anyhow::Result<()> {
    let (alice, mut bob, carol) = trio(bridge).await?;
    bob.set_answers_pings(false);
    for joined in [
        at(BOB),
        at(OWNER),
        at(CAROL),
        ROOM.to_owned(),
        "qq.localhost".to_owned(),
    ] {
        is_result(&bob.iq(&joined, "get", PING).await?);
    }
    assert!(
        bob.take_all().iter().all(|el| el.child("ping", ns::PING).is_none()),
        "the room answers itself"
    );
    is_error(&bob.iq(&at("nobody"), "get", PING).await?, "cancel", "item-not-found");
    bob.leave(ROOM, BOB).await?;
    is_refusal(&bob.iq(&at(BOB), "get", PING).await?, "cancel", "not-acceptable");
    is_error(
        &bob.iq(&format!("{CLOSED}/{BOB}"), "get", PING).await?,
        "cancel",
        "not-acceptable",
    );
    // A room that is no more: "item-not-found" would mean that one is still in it.
    is_error(
        &bob.iq(&format!("{NO_ROOM}/{BOB}"), "get", PING).await?,
        "cancel",
        "not-acceptable",
    );
    leave([(alice, ALICE), (carol, CAROL)]).await
}

fn field(answer: &Element, name: &str) -> Option<String> {
    answer
        .descend(&[("vCard", "vcard-temp"), (name, "vcard-temp")])
        .map(Element::text)
}

async fn cards(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    let card = bob.iq(&at(OWNER), "get", CARD).await?;
    assert_eq!(
        (field(&card, "FN").as_deref(), field(&card, "NICKNAME").as_deref()),
        (Some(OWNER), Some(OWNER))
    );
    let nyan = alice.join(ROOM, ALICE).await?;
    let nyan = nyan
        .presences
        .iter()
        .find(|p| p.nick() == "nyan")
        .map(|p| p.from().to_owned());
    let card = bob.iq(&nyan.expect("a member with an emoji"), "get", CARD).await?;
    assert_eq!(field(&card, "FN").as_deref(), Some("🐱 nyan"), "the untouched name");
    assert_eq!(
        field(&bob.iq(ROOM, "get", CARD).await?, "FN").as_deref(),
        Some("Rust 交流群")
    );
    is_refusal(&bob.iq(ROOM, "set", CARD).await?, "cancel", "not-allowed");

    // A person's card is what their server has of them, asked without telling who asks.
    is_result(
        &alice
            .iq("", "set", "<vCard xmlns='vcard-temp'><FN>Alice Wonder</FN></vCard>")
            .await?,
    );
    let card = bob.iq(&at(ALICE), "get", CARD).await?;
    assert_eq!(
        (field(&card, "FN").as_deref(), card.from()),
        (Some("Alice Wonder"), at(ALICE).as_str())
    );
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

/// A request to another person's client, and its answer, under the room's addresses alone.
async fn forwarded(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    bob.send(format!(
        "<iq type='get' id='v1' to='{}'><query xmlns='jabber:iq:version'/></iq>",
        at(ALICE)
    ))
    .await?;
    let asked = alice
        .wait(
            |el| el.name() == "iq" && el.child("query", "jabber:iq:version").is_some(),
            "the request",
        )
        .await?;
    assert_eq!((asked.from(), asked.kind()), (at(BOB).as_str(), "get"));
    assert!(!asked.xml().contains("bob@localhost"), "{}", asked.xml());
    alice
        .send(format!(
            "<iq type='result' id='{}' to='{}'><query xmlns='jabber:iq:version'><name>lab</name></query></iq>",
            asked.id(),
            at(BOB)
        ))
        .await?;
    let answer = bob.wait(|el| el.id() == "v1", "the answer").await?;
    is_result(&answer);
    assert!(
        answer.from() == at(ALICE) && answer.xml().contains("lab"),
        "{}",
        answer.xml()
    );
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}

async fn list(client: &mut Jabber, which: &str) -> anyhow::Result<Vec<(String, String)>> {
    let ask = format!("<query xmlns='http://jabber.org/protocol/muc#admin'><item {which}/></query>");
    let answer = client.iq(ROOM, "get", &ask).await?;
    is_result(&answer);
    let query = answer.child("query", "http://jabber.org/protocol/muc#admin");
    let items = query.into_iter().flat_map(Element::children);
    let attr = |item: &Element, name: &str| item.attr(name).unwrap_or_default().to_owned();
    Ok(items
        .map(|item| (attr(item, "jid"), attr(item, "affiliation")))
        .collect())
}

/// The lists say the same of everybody as presence does: clients compare the two.
async fn lists(bridge: &Bridge) -> anyhow::Result<()> {
    let (mut alice, mut bob, carol) = trio(bridge).await?;
    let shown = alice.join(ROOM, ALICE).await?.presences;
    for affiliation in ["owner", "admin", "member", "outcast"] {
        let mut listed = list(&mut alice, &format!("affiliation='{affiliation}'")).await?;
        let mut here: Vec<_> = shown
            .iter()
            .filter(|p| p.affiliation() == affiliation)
            .map(|p| (p.real_jid().to_owned(), affiliation.to_owned()))
            .collect();
        if affiliation == "owner" {
            here.push(("alice@localhost".to_owned(), affiliation.to_owned()));
        }
        listed.sort();
        here.sort();
        assert_eq!(listed, here, "{affiliation}");
    }
    let of_qq = |role: &str| {
        shown
            .iter()
            .filter(|p| p.role() == role && p.real_jid().ends_with("@qq.localhost"))
            .count()
    };
    assert!(of_qq("moderator") > 0, "the owner of the group");
    assert_eq!(
        list(&mut alice, "role='moderator'").await?.len(),
        of_qq("moderator") + 1,
        "those of QQ, and Alice"
    );
    assert_eq!(
        list(&mut alice, "role='participant'").await?.len(),
        of_qq("participant") + 2,
        "those of QQ, and two people"
    );

    let ask = |inner: &str| format!("<query xmlns='http://jabber.org/protocol/muc#admin'>{inner}</query>");
    is_error(
        &bob.iq(ROOM, "get", &ask("<item affiliation='owner'/>")).await?,
        "auth",
        "forbidden",
    );
    is_error(&alice.iq(ROOM, "get", &ask("")).await?, "modify", "bad-request");
    is_error(&alice.iq(ROOM, "get", &ask("<item/>")).await?, "modify", "bad-request");
    let kick = ask(&format!("<item nick='{BOB}' role='none'/>"));
    is_refusal(&alice.iq(ROOM, "set", &kick).await?, "cancel", "not-allowed");
    let owner = "<query xmlns='http://jabber.org/protocol/muc#owner'/>";
    is_refusal(&alice.iq(ROOM, "get", owner).await?, "cancel", "not-allowed");
    is_error(&bob.iq(ROOM, "get", owner).await?, "auth", "forbidden");
    leave([(alice, ALICE), (bob, BOB), (carol, CAROL)]).await
}
