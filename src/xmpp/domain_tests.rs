use super::*;
use crate::model::QqNumber;

struct World {
    trouble: Option<String>,
}

impl Directory for World {
    fn rooms(&self, asker: &BareJid) -> Vec<Listed> {
        let rust = Listed {
            jid: "rust@qq.ex".parse().unwrap(),
            name: "Rust 交流群".into(),
        };
        if asker.domain().as_str() == "ex.org" {
            vec![rust]
        } else {
            vec![]
        }
    }

    fn member(&self, address: &Address) -> Option<Card> {
        (*address == Address::Member(QqNumber(10001))).then(|| Card {
            name: "🐱小明".into(),
            photo: Some(("image/png".into(), vec![1, 2, 3])),
        })
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}

fn say(xml: &str, trouble: Option<&str>) -> Answer {
    let at = xml.find([' ', '/', '>']).unwrap();
    let xml = format!(
        "{} xmlns='jabber:component:accept' from='ann@ex.org/p'{}",
        &xml[..at],
        &xml[at..]
    );
    let stanza: Stanza = xso::from_bytes(xml.as_bytes()).unwrap();
    let to = match &stanza {
        Stanza::Iq(iq) => iq.to().cloned(),
        Stanza::Message(message) => message.to.clone(),
        Stanza::Presence(presence) => presence.to.clone(),
    };
    let to = to.unwrap();
    let address = Address::of(&to, |_| false);
    let event = Event {
        from: "ann@ex.org/p".parse().unwrap(),
        to,
        stanza,
    };
    let world = World {
        trouble: trouble.map(str::to_owned),
    };
    answer(event, &address, &world, Timestamp(0))
}

fn sent(xml: &str) -> String {
    texts(say(xml, None))
}

fn texts(answer: Answer) -> String {
    let Answer::Send(all) = answer else {
        panic!("not answered here")
    };
    let mut out = Vec::new();
    for mut outgoing in all {
        crate::xmpp::stream::encode(&mut out, &mut outgoing.stanza, &outgoing.to).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn query(to: &str, namespace: &str) -> String {
    sent(&format!(
        "<iq type='get' id='1' to='{to}'><query xmlns='{namespace}'/></iq>"
    ))
}

#[test]
fn the_domain_is_a_chat_service_first_and_a_gateway_second() {
    let info = query("qq.ex", ns::DISCO_INFO);
    let place = |text: &str| info.find(text).unwrap_or_else(|| panic!("{text} in {info}"));
    assert!(place("category='conference'") < place("category='gateway'"));
    assert!(info.contains("to='ann@ex.org/p'") && info.contains("from='qq.ex'") && info.contains("id='1'"));
    assert!(query("qq.ex", ns::DISCO_ITEMS).contains("jid='rust@qq.ex'"));
}

#[test]
fn what_is_announced_answers() {
    for to in ["qq.ex", "10001@qq.ex/gw", "bridge@qq.ex/cats"] {
        let info = query(to, ns::DISCO_INFO);
        let requests = [
            (ns::PING, "<ping xmlns='urn:xmpp:ping'/>"),
            (ns::TIME, "<time xmlns='urn:xmpp:time'/>"),
            (ns::VCARD, "<vCard xmlns='vcard-temp'/>"),
            (ns::VERSION, "<query xmlns='jabber:iq:version'/>"),
            (
                ns::DISCO_ITEMS,
                "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            ),
        ];
        for (feature, request) in requests {
            let announced = info.contains(&format!("var='{feature}'"));
            let answered = sent(&format!("<iq type='get' id='1' to='{to}'>{request}</iq>")).contains("type='result'");
            assert_eq!(announced, answered, "{feature} at {to}");
        }
    }
}

#[test]
fn a_member_is_a_person_and_never_a_room() {
    let info = query("10001@qq.ex", ns::DISCO_INFO);
    assert!(info.contains("category='account'") && info.contains("type='registered'") && !info.contains("conference"));
    let card = sent("<iq type='get' id='1' to='10001@qq.ex'><vCard xmlns='vcard-temp'/></iq>");
    assert!(
        card.contains("<NICKNAME>🐱小明</NICKNAME>") && card.contains("<BINVAL>AQID</BINVAL>"),
        "{card}"
    );
    assert!(query("99@qq.ex", ns::DISCO_INFO).contains("<item-not-found"));
}

#[test]
fn requests_that_nobody_knows() {
    for node in [
        "http://jabber.org/protocol/muc#rooms",
        "http://jabber.org/protocol/muc#unique",
        "x",
    ] {
        let ask = |namespace| {
            sent(&format!(
                "<iq type='get' id='1' to='qq.ex'><query xmlns='{namespace}' node='{node}'/></iq>"
            ))
        };
        assert!(ask(ns::DISCO_INFO).contains("<item-not-found") && ask(ns::DISCO_ITEMS).contains("<item-not-found"));
    }
    assert!(query("qq.ex", "jabber:iq:last").contains("<service-unavailable"));
    let set = sent("<iq type='set' id='1' to='qq.ex'><vCard xmlns='vcard-temp'/></iq>");
    assert!(set.contains("type='error'") && set.contains("<service-unavailable"));
    let bad = "<iq type='get' id='1' to='qq.ex'><query xmlns='http://jabber.org/protocol/disco#items'>\
               <set xmlns='http://jabber.org/protocol/rsm'><max>many</max></set></query></iq>";
    assert!(sent(bad).contains("<bad-request"));
}

#[test]
fn answers_are_not_answered() {
    for xml in [
        "<iq type='result' id='1' to='qq.ex'/>",
        "<message type='error' to='10001@qq.ex/gw'/>",
        "<message type='groupchat' to='10001@qq.ex/gw'><body>x</body></message>",
        "<message to='10001@qq.ex/gw'><body>x</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
        "<message to='qq.ex'><body>status</body></message>",
    ] {
        assert!(matches!(say(xml, None), Answer::Caller(_)), "{xml}");
    }
    assert_eq!(sent("<presence type='error' to='qq.ex'/>"), "");
    assert_eq!(sent("<presence to='qq.ex'/>"), "");
}

#[test]
fn contacts() {
    let answer = sent("<presence type='subscribe' to='qq.ex'/>");
    assert!(
        answer.starts_with("<presence to='ann@ex.org' from='qq.ex' type='subscribed'></presence>"),
        "{answer}"
    );
    assert!(
        answer.ends_with("<presence to='ann@ex.org' from='qq.ex'></presence>"),
        "{answer}"
    );
    assert_eq!(
        sent("<presence type='probe' to='10001@qq.ex'/>"),
        "<presence to='ann@ex.org/p' from='10001@qq.ex/gw'></presence>"
    );
    assert!(sent("<presence type='subscribe' to='99@qq.ex'/>").contains("type='unsubscribed'"));
    let away = texts(say("<presence type='probe' to='qq.ex'/>", Some("QQ is away")));
    assert!(away.contains("<show>away</show><status>QQ is away</status>"), "{away}");
}

#[test]
fn private_messages_are_refused_with_a_reason() {
    let answer = sent("<message type='chat' id='m1' to='10001@qq.ex'><body>hi</body></message>");
    assert!(
        answer.contains("id='m1'") && answer.contains("<feature-not-implemented"),
        "{answer}"
    );
    assert!(answer.contains("private messages to QQ members are not carried"));
    let state =
        "<message type='chat' to='10001@qq.ex'><active xmlns='http://jabber.org/protocol/chatstates'/></message>";
    assert_eq!(sent(state), "");
}

#[test]
fn a_room_that_is_none() {
    let join = sent("<presence id='j1' to='old@qq.ex/Ann'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    assert!(join.contains("id='j1'") && join.contains("<not-allowed"), "{join}");
    let ping = |to: &str| {
        sent(&format!(
            "<iq type='get' id='p1' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ))
    };
    assert!(
        ping("old@qq.ex/Ann").contains("<not-acceptable"),
        "a self-ping learns that it is out"
    );
    assert!(ping("old@qq.ex").contains("<item-not-found"));
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    for kind in ["get", "set"] {
        let answer = sent(&format!("<iq type='{kind}' id='i1' to='old@qq.ex'>{info}</iq>"));
        assert!(
            answer.contains("<item-not-found") && answer.contains("id='i1'"),
            "{answer}"
        );
    }
    let word = sent("<message type='groupchat' id='m1' to='old@qq.ex'><body>hi</body></message>");
    assert!(word.contains("<not-acceptable") && word.contains("id='m1'"), "{word}");
    let word = sent("<message type='chat' id='m1' to='old@qq.ex'><body>hi</body></message>");
    assert!(word.contains("<item-not-found") && word.contains("id='m1'"), "{word}");
    assert!(sent("<presence type='subscribe' to='old@qq.ex'/>").contains("type='unsubscribed'"));
    for silent in [
        "<presence to='old@qq.ex/Ann'/>",
        "<presence type='unavailable' to='old@qq.ex/Ann'/>",
        "<presence type='error' to='old@qq.ex/Ann'/>",
        "<message type='error' to='old@qq.ex'><body>hi</body></message>",
        "<message type='groupchat' to='old@qq.ex'/>",
        "<message type='groupchat' to='old@qq.ex/Ann'><body>hi</body></message>",
        "<message type='chat' to='old@qq.ex/Ann'><body>hi</body><x xmlns='http://jabber.org/protocol/muc#user'/></message>",
        "<iq type='result' id='1' to='old@qq.ex'/>",
    ] {
        assert_eq!(sent(silent), "", "{silent}");
    }
}
