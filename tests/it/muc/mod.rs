//! The hosted room before real servers, stanza by stanza (XEP-0045 and what stands around it): one bridge per server, and every
//! check with Jabber clients of its own.

mod archive;
mod disco;
mod iq;
mod join;
mod message;
mod presence;
mod private;
mod restarted;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use lab::jabber::{Join, Stanza as _, ns};
use lab::{Jabber, Kind, Options};
use minidom::Element;

use crate::support::{Bridge, ROOM, ROW, people, people_are_shown};

/// A room that only Alice (an admin) and Dave may enter.
const CLOSED: &str = "closed@qq.localhost";
const CLOSED_ROW: &str = "\n[[mapping]]\ngroup = 346000099\nroom = \"closed@qq.localhost\"\nname = \"Closed\"\n\
                          allow = [\"dave@localhost\"]\n";
/// A room that nobody hosts.
const NO_ROOM: &str = "nowhere@qq.localhost";
/// The nick of the owner of the QQ group.
const OWNER: &str = "老王";

/// Alice is an admin of the gateway and so an owner of its rooms; Bob and Carol are anybody.
const ALICE: &str = "Alice W";
const BOB: &str = "Bob B";
const CAROL: &str = "Carol C";

async fn everything(kind: Kind) -> anyhow::Result<()> {
    let options = Options {
        users: vec!["dave".to_owned()],
        ..Options::default()
    };
    let Some(mut bridge) = Bridge::start_with(kind, &options, &format!("{ROW}{CLOSED_ROW}")).await? else {
        return Ok(());
    };
    let people = people(&bridge).await?;
    let mut alice = bridge.jabber("alice", "first").await?;
    let join = alice.join(ROOM, ALICE).await?;
    people_are_shown(&mut alice, &join, people.len()).await?;
    alice.leave(ROOM, ALICE).await?;
    alice.close().await?;

    disco::check(&bridge).await.context("disco")?;
    join::check(&bridge).await.context("join")?;
    presence::check(&bridge).await.context("presence")?;
    message::check(&bridge).await.context("message")?;
    private::check(&bridge).await.context("private")?;
    iq::check(&bridge).await.context("iq")?;
    archive::check(&bridge).await.context("archive")?;
    restarted::check(&mut bridge).await.context("restarted")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hosted_room_on_prosody() -> anyhow::Result<()> {
    everything(Kind::Prosody).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hosted_room_on_ejabberd() -> anyhow::Result<()> {
    everything(Kind::Ejabberd).await
}

/// Alice, Bob and Carol in the room, with nothing unread.
async fn trio(bridge: &Bridge) -> anyhow::Result<(Jabber, Jabber, Jabber)> {
    let mut alice = bridge.jabber("alice", "pc").await?;
    let mut bob = bridge.jabber("bob", "desk").await?;
    let mut carol = bridge.jabber("carol", "phone").await?;
    alice.join(ROOM, ALICE).await?;
    bob.join(ROOM, BOB).await?;
    carol.join(ROOM, CAROL).await?;
    alice.wait_presence(&at(CAROL)).await?;
    bob.wait_presence(&at(CAROL)).await?;
    for client in [&mut alice, &mut bob, &mut carol] {
        client.take_all();
    }
    Ok((alice, bob, carol))
}

/// All leave, one after the other, so that the next check begins in an empty room.
async fn leave(clients: impl IntoIterator<Item = (Jabber, &str)>) -> anyhow::Result<()> {
    for (mut client, nick) in clients {
        client.leave(ROOM, nick).await?;
        client.close().await?;
    }
    Ok(())
}

/// The address of an occupant.
fn at(nick: &str) -> String {
    format!("{ROOM}/{nick}")
}

/// What a client in the room was sent up to now: everything that the room shows comes in one order, so it lies before the
/// client's own next word.
async fn shown(client: &mut Jabber) -> anyhow::Result<Vec<Element>> {
    let mark = format!("mark {}", lab::jabber::fresh_id());
    client.say(ROOM, &mark).await?;
    client.wait_body(ROOM, &mark).await?;
    Ok(client
        .take_all()
        .into_iter()
        .filter(|el| el.bare_from() == ROOM && !el.body().is_some_and(|body| body.starts_with("mark ")))
        .collect())
}

/// Sends a stanza with a fresh id in place of `ID` and waits for its error; checks that it looks as a client needs it.
async fn refused(client: &mut Jabber, xml: &str) -> anyhow::Result<Element> {
    let id = lab::jabber::fresh_id();
    client.send(xml.replace("ID", &id)).await?;
    client
        .wait(
            |el| el.id() == id && el.kind() == "error",
            &format!("the error for {xml}"),
        )
        .await
}

#[track_caller]
fn is_error(stanza: &Element, kind: &str, condition: &str) {
    assert_eq!(
        (stanza.kind(), stanza.error_type(), stanza.error_condition()),
        ("error", Some(kind), Some(condition)),
        "{}",
        stanza.xml()
    );
}

/// The room itself refused, and says why in words.
#[track_caller]
fn is_refusal(stanza: &Element, kind: &str, condition: &str) {
    is_error(stanza, kind, condition);
    assert!(
        stanza.error_text().is_some_and(|text| !text.is_empty()),
        "{}",
        stanza.xml()
    );
    let by = stanza
        .children()
        .find(|c| c.name() == "error")
        .and_then(|e| e.attr("by"));
    assert_eq!(by, Some(stanza.bare_from()), "{}", stanza.xml());
}

#[track_caller]
fn is_result(stanza: &Element) {
    assert_eq!(stanza.kind(), "result", "{}", stanza.xml());
}

async fn disco_info(client: &mut Jabber, to: &str) -> anyhow::Result<Element> {
    client
        .iq(to, "get", &format!("<query xmlns='{}'/>", ns::DISCO_INFO))
        .await
}

/// Category and type of the identities in their order, and the features.
fn identities_and_features(info: &Element) -> (Vec<String>, BTreeSet<String>) {
    let query = info.child("query", ns::DISCO_INFO);
    let children: Vec<&Element> = query.into_iter().flat_map(Element::children).collect();
    let attr = |el: &Element, name: &str| el.attr(name).unwrap_or_default().to_owned();
    let identities = children.iter().filter(|c| c.name() == "identity");
    let features = children.iter().filter(|c| c.name() == "feature");
    (
        identities
            .map(|i| format!("{}/{}", attr(i, "category"), attr(i, "type")))
            .collect(),
        features.map(|f| attr(f, "var")).collect(),
    )
}

/// The first value of each field of the form in an element.
fn form(parent: &Element) -> BTreeMap<String, String> {
    let Some(form) = parent.get_child("x", "jabber:x:data") else {
        return BTreeMap::new();
    };
    let fields = form.children().filter(|c| c.name() == "field");
    fields
        .map(|field| {
            let value = field.get_child("value", "jabber:x:data").map(Element::text);
            (
                field.attr("var").unwrap_or_default().to_owned(),
                value.unwrap_or_default(),
            )
        })
        .collect()
}

/// The order of a join and what every stanza of it must have.
#[track_caller]
fn is_in_order(join: &Join, nick: &str) {
    let own = &join.self_presence;
    assert_eq!((own.id(), own.nick()), (join.id.as_str(), nick), "{join:?}");
    assert!(own.has_status(110), "{join:?}");
    assert!(own.occupant_id().is_some(), "{join:?}");
    assert!(join.nicks().contains(&OWNER), "{join:?}");
    assert!(!join.nicks().contains(&nick), "{join:?}");
    for presence in &join.presences {
        assert!(presence.occupant_id().is_some(), "{}", presence.xml());
        assert!(
            presence.item().is_some() && !presence.has_status(110),
            "{}",
            presence.xml()
        );
    }
    for message in &join.history {
        let stamped = message.delay().is_some() && message.stanza_id(ROOM).is_some();
        assert!(stamped && message.kind() == "groupchat", "{}", message.xml());
    }
    assert!(join.others.is_empty(), "{join:?}");
    assert_eq!(join.subject.kind(), "groupchat");
}
