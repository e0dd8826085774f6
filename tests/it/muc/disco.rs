//! Service discovery: complete, consistent, and only what answers.

use lab::Jabber;
use lab::jabber::{Stanza as _, ns};
use minidom::Element;

use super::{CLOSED, NO_ROOM, OWNER, at, disco_info, form, identities_and_features, is_error, is_refusal, is_result};
use crate::support::{Bridge, ROOM};

const ITEMS: &str = "http://jabber.org/protocol/disco#items";
const VERSION: &str = "<query xmlns='jabber:iq:version'/>";

pub(super) async fn check(bridge: &Bridge) -> anyhow::Result<()> {
    let mut alice = bridge.jabber("alice", "disco").await?;
    let mut bob = bridge.jabber("bob", "disco").await?;
    room(&mut bob, &mut alice).await?;
    domain(&mut bob, &mut alice).await?;
    occupant(&mut bob).await
}

async fn room(bob: &mut Jabber, alice: &mut Jabber) -> anyhow::Result<()> {
    let info = disco_info(bob, ROOM).await?;
    let (identities, features) = identities_and_features(&info);
    assert_eq!(identities, ["conference/text"], "{}", info.xml());
    assert!(
        info.xml().contains("name='Rust 交流群'") || info.xml().contains("name=\"Rust 交流群\""),
        "{}",
        info.xml()
    );
    for needed in [
        "http://jabber.org/protocol/muc",
        "http://jabber.org/protocol/muc#stable_id",
        "http://jabber.org/protocol/muc#self-ping-optimization",
        "urn:xmpp:mam:2",
        "urn:xmpp:sid:0",
        "urn:xmpp:occupant-id:0",
        "vcard-temp",
    ] {
        assert!(features.contains(needed), "{needed} is missing");
    }
    for (one, other) in [
        ("muc_open", "muc_membersonly"),
        ("muc_unsecured", "muc_passwordprotected"),
        ("muc_semianonymous", "muc_nonanonymous"),
        ("muc_unmoderated", "muc_moderated"),
        ("muc_persistent", "muc_temporary"),
        ("muc_public", "muc_hidden"),
    ] {
        assert!(features.contains(one) != features.contains(other), "{one} or {other}");
    }

    let fields = form(info.child("query", ns::DISCO_INFO).expect("a query"));
    let field = |name: &str| fields.get(name).map(String::as_str);
    assert_eq!(field("FORM_TYPE"), Some("http://jabber.org/protocol/muc#roominfo"));
    assert_eq!(field("muc#roomconfig_roomname"), Some("Rust 交流群"));
    assert_eq!(
        (field("muc#roominfo_description"), field("muc#roominfo_subject")),
        (Some(""), Some(""))
    );
    assert_eq!(field("muc#roominfo_occupants"), Some("6"), "{fields:?}");
    assert_eq!(field("muc#roominfo_lang"), Some("en"));
    assert_eq!(field("muc#roomconfig_changesubject"), Some("0"));
    assert_eq!(field("muc#roominfo_changesubject"), Some("0"));
    assert_eq!(field("muc#roomconfig_allowinvites"), Some("1"));
    assert_eq!(field("muc#roomconfig_allowpm"), Some("anyone"));
    assert_eq!(field("muc#roomconfig_whois"), Some("moderators"));
    assert!(field("muc#maxhistoryfetch").is_some_and(|n| n.parse::<u32>().is_ok()));
    let info = disco_info(alice, ROOM).await?;
    let fields = form(info.child("query", ns::DISCO_INFO).expect("a query"));
    assert_eq!(fields["muc#roominfo_changesubject"], "1", "an owner may");

    let announced = ["urn:xmpp:ping", "vcard-temp", "urn:xmpp:mam:2", ITEMS];
    let offers = [
        ("urn:xmpp:ping", "<ping xmlns='urn:xmpp:ping'/>"),
        ("vcard-temp", "<vCard xmlns='vcard-temp'/>"),
        ("urn:xmpp:mam:2", "<query xmlns='urn:xmpp:mam:2'/>"),
        (ITEMS, "<query xmlns='http://jabber.org/protocol/disco#items'/>"),
        ("jabber:iq:version", VERSION),
        ("jabber:iq:register", "<query xmlns='jabber:iq:register'/>"),
        ("urn:xmpp:time", "<time xmlns='urn:xmpp:time'/>"),
        (
            "http://jabber.org/protocol/muc#unique",
            "<unique xmlns='http://jabber.org/protocol/muc#unique'/>",
        ),
    ];
    for (feature, payload) in offers {
        let answer = bob.iq(ROOM, "get", payload).await?;
        assert_eq!(features.contains(feature), announced.contains(&feature), "{feature}");
        if announced.contains(&feature) {
            is_result(&answer);
        } else {
            is_error(&answer, "cancel", "service-unavailable");
        }
    }
    let info = bob
        .iq(
            ROOM,
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>",
        )
        .await?;
    is_error(&info, "cancel", "item-not-found");
    Ok(())
}

fn items(answer: &Element) -> Vec<String> {
    let query = answer.child("query", ITEMS);
    let items = query
        .into_iter()
        .flat_map(Element::children)
        .filter(|c| c.name() == "item");
    items.map(|i| i.attr("jid").unwrap_or_default().to_owned()).collect()
}

async fn domain(bob: &mut Jabber, alice: &mut Jabber) -> anyhow::Result<()> {
    let info = disco_info(bob, "qq.localhost").await?;
    let (identities, features) = identities_and_features(&info);
    assert_eq!(identities, ["conference/text", "gateway/qq"]);
    assert!(features.contains("http://jabber.org/protocol/muc") && !features.contains("urn:xmpp:mam:2"));
    let offers = [
        ("urn:xmpp:ping", "<ping xmlns='urn:xmpp:ping'/>"),
        ("vcard-temp", "<vCard xmlns='vcard-temp'/>"),
        ("jabber:iq:version", VERSION),
        ("urn:xmpp:time", "<time xmlns='urn:xmpp:time'/>"),
        ("jabber:iq:register", "<query xmlns='jabber:iq:register'/>"),
        ("urn:xmpp:mam:2", "<query xmlns='urn:xmpp:mam:2'/>"),
    ];
    for (feature, payload) in offers {
        let answer = bob.iq("qq.localhost", "get", payload).await?;
        assert_eq!(
            answer.kind() == "result",
            features.contains(feature),
            "{}",
            answer.xml()
        );
    }

    let ask = format!("<query xmlns='{ITEMS}'/>");
    assert_eq!(items(&bob.iq("qq.localhost", "get", &ask).await?), [ROOM]);
    assert_eq!(items(&alice.iq("qq.localhost", "get", &ask).await?), [CLOSED, ROOM]);
    let page = format!("<query xmlns='{ITEMS}'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></query>");
    let answer = alice.iq("qq.localhost", "get", &page).await?;
    assert_eq!(items(&answer), [CLOSED]);
    assert!(answer.xml().contains("<count>2</count>"), "{}", answer.xml());

    let answer = bob.iq(ROOM, "get", &ask).await?;
    is_result(&answer);
    assert!(items(&answer).is_empty(), "{}", answer.xml());
    for payload in [ask.as_str(), "<query xmlns='http://jabber.org/protocol/disco#info'/>"] {
        is_error(&bob.iq(NO_ROOM, "get", payload).await?, "cancel", "item-not-found");
        is_refusal(&bob.iq(CLOSED, "get", payload).await?, "auth", "forbidden");
        is_result(&alice.iq(CLOSED, "get", payload).await?);
    }
    Ok(())
}

async fn occupant(bob: &mut Jabber) -> anyhow::Result<()> {
    is_refusal(&disco_info(bob, &at(OWNER)).await?, "cancel", "not-acceptable");
    bob.join(ROOM, super::BOB).await?;
    let info = disco_info(bob, &at(OWNER)).await?;
    let (identities, features) = identities_and_features(&info);
    assert_eq!(identities, ["account/registered"]);
    assert!(!features.contains("http://jabber.org/protocol/muc"));
    for (feature, payload) in [
        ("urn:xmpp:ping", "<ping xmlns='urn:xmpp:ping'/>"),
        ("vcard-temp", "<vCard xmlns='vcard-temp'/>"),
        ("jabber:iq:version", VERSION),
        ("jabber:iq:last", "<query xmlns='jabber:iq:last'/>"),
    ] {
        let answer = bob.iq(&at(OWNER), "get", payload).await?;
        assert_eq!(
            answer.kind() == "result",
            features.contains(feature),
            "{}",
            answer.xml()
        );
    }
    is_error(&disco_info(bob, &at("nobody")).await?, "cancel", "item-not-found");
    bob.leave(ROOM, super::BOB).await?;
    Ok(())
}
