//! What Prosody 0.12 and ejabberd 23.01 send to puppets, and what a full parse says of anything at all.

use proptest::prelude::*;
use tokio_xmpp::Stanza;
use xmpp_parsers::message::MessageType;
use xmpp_parsers::presence;

use super::super::frame::{Frame, Framer};
use super::super::parse::{Incoming, Parser};
use super::*;
use crate::xmpp::Address;

const HEADER: &str =
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>";
const HASHED: &str = "u-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// The first element behind the header: its bytes, the length of its start tag, whether it is excessive.
fn frame(xml: &str) -> Option<(Vec<u8>, usize, bool)> {
    let stream = [HEADER, xml].concat();
    let (mut framer, mut bytes) = (Framer::new(), stream.as_bytes());
    framer.next(&mut bytes).ok()?;
    match framer.next(&mut bytes).ok()?? {
        Frame::Element { bytes, head, excessive } => Some((bytes, head, excessive)),
        _ => None,
    }
}

fn copy(xml: &str) -> bool {
    let (bytes, head, excessive) = frame(xml).expect("an element");
    is_copy(&bytes, head, excessive)
}

#[test]
fn copies_as_prosody_writes_them() {
    for xml in [
        "<message id='m1' to='10001@qq.localhost/gw' xml:lang='en' from='cats@conference.localhost/小明' type='groupchat'>\
         <body>早 &apos;a&apos; &lt;b&gt;</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='vt0xYUVktx7gWqw='/>\
         <stanza-id id='CAiRL9-K49YMCLovhrxcku-M' xmlns='urn:xmpp:sid:0' by='cats@conference.localhost'/></message>",
        "<message to='10001@qq.localhost/gw' from='cats@conference.localhost' type='groupchat'><subject/></message>",
        "<presence to='u-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a@qq.localhost/gw' from='cats@conference.localhost/O&apos;Hara &amp; 101' \
         xml:lang='en'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/></x></presence>",
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost/小红' type='unavailable'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><status code='307'/><item affiliation='none' role='none'>\
         <actor nick='Bridge'/><reason>r</reason></item></x></presence>",
    ] {
        assert!(copy(xml), "{xml}");
        assert!(copy(&xml.replace('\'', "\"")), "{xml}");
    }
}

#[test]
fn copies_as_ejabberd_writes_them() {
    for xml in [
        "<message xml:lang='en' to='10001@qq.localhost/gw' from='cats@conference.localhost/小明' type='groupchat' id='m1'>\
         <archived by='cats@conference.localhost' id='1' xmlns='urn:xmpp:mam:tmp'/><body>早</body></message>",
        "<message to='10001@qq.localhost/gw' from='cats@conference.localhost' type='groupchat' id='12501211288051417841'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x></message>",
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost/Bridge'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item role='moderator' affiliation='owner'/></x></presence>",
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost/hash' type='unavailable'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><destroy jid='dogs@conference.localhost'/>\
         <item role='none' affiliation='none'/></x></presence>",
    ] {
        assert!(copy(xml), "{xml}");
        assert!(copy(&xml.replace('\'', "\"").replace("\" ", "\"\n\t")), "{xml}");
    }
}

#[test]
fn what_a_puppet_must_hear() {
    for xml in [
        // Its own presence: joined, renamed, kicked.
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost/小明' xml:lang='en'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/><status code='110'/></x></presence>",
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost/小明' type='unavailable'>\
         <x xmlns='http://jabber.org/protocol/muc#user'><item role='none' affiliation='none'><reason>r</reason></item>\
         <status code=\"110\"/><status code='307'/></x></presence>",
        // The room's own presence, subscriptions, refusals, bounces, private messages, pings.
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost' id='8418403440444241318'/>",
        "<presence to='10001@qq.localhost/gw' from='ann@ex.org/phone' type='subscribe'/>",
        "<presence to='10001@qq.localhost/gw' from='cats@conference.localhost/小明' type='error'>\
         <error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
        "<message to='10001@qq.localhost/gw' from='cats@conference.localhost' type='error' id='m1'/>",
        "<message to='10001@qq.localhost/gw' from='cats@conference.localhost/小红' type='chat'><body>hi</body></message>",
        "<message to='10001@qq.localhost/gw' from='cats@conference.localhost'><x xmlns='urn:x'/></message>",
        "<iq to='10001@qq.localhost/gw' from='cats@conference.localhost/x' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    ] {
        assert!(!copy(xml), "{xml}");
    }
}

#[test]
fn only_puppets_have_copies() {
    for to in [
        "bridge@qq.localhost/cats",
        "cats@qq.localhost/小明",
        "qq.localhost",
        "qq.localhost/10001@qq.localhost/gw",
        "10001@qq.localhost",
        "10001@qq.localhost/",
        "010@qq.localhost/gw",
        "99999999999999999999999@qq.localhost/gw",
        "u-xyz@qq.localhost/gw",
        "1000&#49;@qq.localhost/gw",
        "10001@qq.localhost/a&amp;b",
    ] {
        let xml = format!("<message type='groupchat' from='r@c/x' to='{to}'/>");
        assert!(!copy(&xml), "{xml}");
    }
    assert!(copy(&format!(
        "<message type='groupchat' from='r@c/x' to='{HASHED}@qq/gw' />"
    )));
}

#[test]
fn what_is_not_plain_is_read() {
    let long = "x".repeat(MAX_HEAD);
    for xml in [
        "<message to='1@q/gw' to='2@q/gw' type='groupchat'/>",
        "<message to='1@q/gw'type='groupchat'/>",
        "<message to=1@q/gw type='groupchat'/>",
        "<message to='1@q/gw' type='groupchat' / >",
        "<message xmlns='jabber:client' to='1@q/gw' type='groupchat'/>",
        "<x:message to='1@q/gw' type='groupchat'/>",
        "<messages to='1@q/gw' type='groupchat'/>",
        "<message x:to='1@q/gw' type='groupchat'/>",
        &format!("<message to='1@q/gw' type='groupchat' id='{long}'/>"),
        &format!("<presence to='1@q/gw' from='r@c/x'>{}</presence>", "<a>".repeat(100)),
    ] {
        assert!(
            frame(xml).is_none_or(|(bytes, head, excessive)| !is_copy(&bytes, head, excessive)),
            "{xml}"
        );
    }
}

/// The verdict after a full parse.
fn is_copy_when_parsed(stanza: &Stanza, bytes: &[u8]) -> bool {
    let is_puppet = |to: &Option<jid::Jid>| {
        to.as_ref().is_some_and(|to| {
            to.resource().is_some() && matches!(Address::of(to, |_| true), Address::Member(_) | Address::Unnumbered(_))
        })
    };
    match stanza {
        Stanza::Message(message) => message.type_ == MessageType::Groupchat && is_puppet(&message.to),
        Stanza::Presence(presence) => {
            let from_occupant = presence.from.as_ref().is_some_and(|from| from.resource().is_some());
            let plain = matches!(presence.type_, presence::Type::None | presence::Type::Unavailable);
            plain && from_occupant && is_puppet(&presence.to) && !contains(bytes, SELF_PRESENCE)
        }
        Stanza::Iq(_) => false,
    }
}

fn attribute(name: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec![" ", "  ", "\n"]);
    let equals = prop::sample::select(vec!["=", " = "]);
    (prop::sample::select(values), any::<bool>(), space, equals).prop_map(move |(value, double, space, equals)| {
        let quote = if double { '"' } else { '\'' };
        match value {
            "" => String::new(),
            value => format!("{space}{name}{equals}{quote}{value}{quote}"),
        }
    })
}

fn stanza() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["message", "presence", "iq"]);
    let to = attribute(
        "to",
        &[
            "",
            "10001@q/gw",
            HASHED_TO,
            "10001@q",
            "bridge@q/r",
            "q",
            "010@q/gw",
            "r@q/1@q/gw",
        ],
    );
    let from = attribute(
        "from",
        &["", "r@c/小明", "r@c/a&apos;b/110", "r@c", "c/x", "c", "r@c/&gt;"],
    );
    let kind = attribute(
        "type",
        &[
            "",
            "groupchat",
            "chat",
            "error",
            "unavailable",
            "subscribe",
            "probe",
            "get",
            "result",
            "headline",
        ],
    );
    let id = attribute("id", &["", "1", "a>b", "to=&apos;1@q/gw&apos;", "110"]);
    let rest = attribute("xmlns", &["", "", "jabber:component:accept", "jabber:client"]);
    let child = prop::sample::select(vec![
        "",
        "<body>x</body>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x>",
        "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/><status code='307'/></x>",
    ]);
    let attributes = (to, from, kind, id, rest).prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]);
    (name, attributes.prop_shuffle(), child)
        .prop_map(|(name, attributes, child)| format!("<{name}{}>{child}</{name}>", attributes.concat()))
}

const HASHED_TO: &str = "u-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a@q/gw";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_verdict_is_that_of_a_full_parse(xml in stanza()) {
        let (bytes, head, excessive) = frame(&xml).expect("an element");
        let (mut parser, _) = Parser::new(HEADER.as_bytes().to_vec()).unwrap();
        if let Incoming::Stanza(stanza) = parser.element(&bytes, head, excessive) {
            prop_assert_eq!(is_copy(&bytes, head, excessive), is_copy_when_parsed(&stanza, &bytes), "{}", xml);
        }
    }

    #[test]
    fn never_panics(text in "(<(message|presence))?[<>/?!'\"=&@ a1:to\u{732b}]{0,60}", head in 0_usize..80, excessive: bool) {
        let _ = is_copy(text.as_bytes(), head, excessive);
        let _ = is_copy(&text.as_bytes()[..text.len() / 2], head, excessive);
    }
}
