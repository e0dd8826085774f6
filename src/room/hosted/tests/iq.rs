use super::*;

const ANN: &str = "ann@ex.org/phone";

fn ask(p: &mut Portal, kind: &str, from: &str, to: &str, payload: &str) -> Vec<Got> {
    p.send(&format!(
        "<iq type='{kind}' id='q1' from='{from}' to='{to}'>{payload}</iq>"
    ))
}

fn field<'a>(form: &'a Element, var: &str) -> Option<&'a Element> {
    form.children().find(|f| f.attr("var") == Some(var))
}

#[test]
fn disco_info_of_the_room() {
    let mut p = Portal::new();
    p.members(vec![member(10001, "a")]);
    p.join(ANN, "Ann");
    let got = ask(
        &mut p,
        "get",
        "new@ex.org/x",
        "rust@qq.example",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    );
    let answer = only(&got, "new@ex.org/x");
    assert_eq!(
        (answer.attr("type"), answer.attr("id"), answer.attr("from")),
        (Some("result"), Some("q1"), Some("rust@qq.example"))
    );
    let query = answer
        .get_child("query", "http://jabber.org/protocol/disco#info")
        .expect("a query");
    let identity = query.children().find(|c| c.name() == "identity").expect("an identity");
    assert_eq!(
        (identity.attr("category"), identity.attr("type"), identity.attr("name")),
        (Some("conference"), Some("text"), Some("Rust 交流群"))
    );
    let features: Vec<_> = query
        .children()
        .filter(|c| c.name() == "feature")
        .filter_map(|c| c.attr("var"))
        .collect();
    for wanted in [
        "http://jabber.org/protocol/muc",
        "http://jabber.org/protocol/muc#stable_id",
        "http://jabber.org/protocol/muc#self-ping-optimization",
        "urn:xmpp:mam:2",
        "urn:xmpp:mam:2#extended",
        "urn:xmpp:sid:0",
        "urn:xmpp:occupant-id:0",
        "urn:xmpp:message-retract:1",
        "urn:xmpp:message-retract:1#tombstone",
        "urn:xmpp:message-moderate:1",
        "urn:xmpp:message-moderate:0",
        "vcard-temp",
        "urn:xmpp:ping",
        "muc_persistent",
        "muc_open",
        "muc_semianonymous",
        "muc_unmoderated",
        "muc_unsecured",
        "muc_public",
    ] {
        assert!(features.contains(&wanted), "{wanted}");
    }
    for wrong in [
        "jabber:iq:register",
        "http://jabber.org/protocol/muc#register",
        "urn:xmpp:reply:0",
        "urn:xmpp:reactions:0",
        "muc_membersonly",
        "muc_nonanonymous",
    ] {
        assert!(!features.contains(&wrong), "{wrong}");
    }
    let form = query.get_child("x", "jabber:x:data").expect("a form");
    assert_eq!(form.attr("type"), Some("result"));
    for (var, value) in [
        ("FORM_TYPE", "http://jabber.org/protocol/muc#roominfo"),
        ("muc#roomconfig_roomname", "Rust 交流群"),
        ("muc#roominfo_description", ""),
        ("muc#roominfo_subject", ""),
        ("muc#roominfo_occupants", "2"),
        ("muc#roominfo_lang", "en"),
        ("muc#roomconfig_changesubject", "0"),
        ("muc#roominfo_changesubject", "0"),
        ("muc#roomconfig_allowinvites", "1"),
        ("muc#roomconfig_allowpm", "anyone"),
        ("muc#roomconfig_whois", "moderators"),
        ("muc#maxhistoryfetch", "1000"),
    ] {
        let values: Vec<_> = field(form, var)
            .map(|f| f.children().map(Element::text).collect())
            .unwrap_or_default();
        assert_eq!(values, [value], "{var}");
    }
}

#[test]
fn disco_of_nodes_and_items() {
    let mut p = Portal::new();
    let info = "http://jabber.org/protocol/disco#info";
    let items = "http://jabber.org/protocol/disco#items";
    for (ns, node) in [
        (info, "x-roomuser-item"),
        (info, "http://jabber.org/protocol/muc#traffic"),
        (items, "x-roomuser-item"),
    ] {
        let got = ask(
            &mut p,
            "get",
            ANN,
            "rust@qq.example",
            &format!("<query xmlns='{ns}' node='{node}'/>"),
        );
        assert_eq!(refused(&got, ANN).1, "item-not-found");
    }
    for node in ["", " node='http://jabber.org/protocol/commands'"] {
        let got = ask(
            &mut p,
            "get",
            ANN,
            "rust@qq.example",
            &format!("<query xmlns='{items}'{node}/>"),
        );
        let query = only(&got, ANN).get_child("query", items).expect("a query");
        assert_eq!(query.children().count(), 0);
    }
}

#[test]
fn pings() {
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    p.join(ANN, "Ann");
    p.join("bob@ex.org/pc", "Bob");
    for to in [
        "rust@qq.example",
        "rust@qq.example/Ann",
        "rust@qq.example/小明",
        "rust@qq.example/Bob",
    ] {
        let got = ask(&mut p, "get", ANN, to, ping);
        let wanted = format!("<iq type='result' id='q1' from='{to}'/>");
        expect(&got, &[(ANN, wanted)]);
    }
    let got = ask(&mut p, "get", ANN, "rust@qq.example/nobody", ping);
    assert_eq!(refused(&got, ANN), ("cancel".into(), "item-not-found".into()));
    let got = ask(&mut p, "get", "ann@ex.org/other", "rust@qq.example/Ann", ping);
    assert_eq!(
        refused(&got, "ann@ex.org/other"),
        ("cancel".into(), "not-acceptable".into())
    );
    let got = ask(&mut p, "get", "eve@evil.example/x", "rust@qq.example", ping);
    assert_eq!(only(&got, "eve@evil.example/x").attr("type"), Some("result"));
}

#[test]
fn vcards() {
    let vcard = "<vCard xmlns='vcard-temp'/>";
    let mut p = Portal::new();
    p.members(vec![member(10001, "🐱猫")]);
    p.join(ANN, "Ann");
    let got = ask(&mut p, "get", ANN, "rust@qq.example/猫", vcard);
    expect(&got, &[(ANN, "<iq type='result' id='q1' from='rust@qq.example/猫'><vCard xmlns='vcard-temp'><FN>🐱猫</FN><NICKNAME>猫</NICKNAME></vCard></iq>".into())]);
    let got = ask(&mut p, "get", ANN, "rust@qq.example", vcard);
    expect(&got, &[(ANN, "<iq type='result' id='q1' from='rust@qq.example'><vCard xmlns='vcard-temp'><FN>Rust 交流群</FN></vCard></iq>".into())]);
    for to in ["rust@qq.example", "rust@qq.example/猫"] {
        let got = ask(&mut p, "set", ANN, to, vcard);
        assert_eq!(refused(&got, ANN), ("cancel".into(), "not-allowed".into()));
    }
    let got = ask(
        &mut p,
        "get",
        ANN,
        "rust@qq.example/猫",
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    );
    assert_eq!(only(&got, ANN).attr("type"), Some("result"));
    let got = ask(
        &mut p,
        "get",
        ANN,
        "rust@qq.example/猫",
        "<query xmlns='jabber:iq:version'/>",
    );
    assert_eq!(refused(&got, ANN).1, "service-unavailable");
}

#[test]
fn forwarded_between_people_without_addresses() {
    let mut p = Portal::new();
    p.join(ANN, "Ann");
    p.join("bob@ex.org/pc", "Bob");
    for (payload, whom) in [
        ("<vCard xmlns='vcard-temp'/>", "bob@ex.org"),
        ("<query xmlns='jabber:iq:version'/>", "bob@ex.org/pc"),
    ] {
        let got = ask(&mut p, "get", ANN, "rust@qq.example/Bob", payload);
        let there = only(&got, whom);
        assert_eq!(
            (there.attr("type"), there.attr("from")),
            (Some("get"), Some("rust@qq.example/Ann"))
        );
        assert!(!String::from(there).contains("ann@ex.org"));
        let id = there.attr("id").expect("an id").to_owned();
        let got = p.send(&format!(
            "<iq type='result' id='{id}' from='{whom}' to='rust@qq.example/Ann'>{payload}</iq>"
        ));
        expect(
            &got,
            &[(
                ANN,
                format!("<iq type='result' id='q1' from='rust@qq.example/Bob'>{payload}</iq>"),
            )],
        );
        let got = p.send(&format!("<iq type='error' id='{id}' from='{whom}' to='rust@qq.example/Ann'><error type='cancel' by='bob@ex.org'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"));
        let back = only(&got, ANN);
        assert_eq!(
            (back.attr("type"), back.attr("from"), back.attr("id")),
            (Some("error"), Some("rust@qq.example/Bob"), Some("q1"))
        );
        assert!(!String::from(back).contains("bob@ex.org"));
        for forged in [
            format!("<iq type='result' id='{id}' from='eve@ex.org' to='rust@qq.example/Ann'/>"),
            format!("<iq type='result' id='{id}x' from='{whom}' to='rust@qq.example/Ann'/>"),
            format!("<iq type='result' id='fwd-x' from='{whom}' to='rust@qq.example/Ann'/>"),
            format!("<iq type='result' id='{id}' from='{whom}' to='rust@qq.example/Bob'/>"),
        ] {
            assert!(p.send(&forged).is_empty(), "{forged}");
        }
    }
    assert_eq!(p.room.book.len(), 2, "an error to a forwarded request makes no ghost");
}

#[test]
fn lists_and_configuration() {
    let admin = |item: &str| format!("<query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query>");
    let config = "<query xmlns='http://jabber.org/protocol/muc#owner'/>";
    let chief = "root@ex.org/pc";
    let mut p = Portal::new();
    p.join(chief, "Root");
    p.join(ANN, "Ann");
    let room = "rust@qq.example";
    let mut master = member(10001, "群主");
    master.member.role = Role::Owner;
    p.members(vec![master, member(10002, "小明")]);
    let listed = |got: &[Got]| -> Vec<String> {
        let query = only(got, chief)
            .get_child("query", "http://jabber.org/protocol/muc#admin")
            .cloned();
        let items: Vec<Element> = query.iter().flat_map(Element::children).cloned().collect();
        items
            .iter()
            .filter_map(|item| item.attr("jid"))
            .map(str::to_owned)
            .collect()
    };
    let mut list = |which: &str| {
        listed(&ask(
            &mut p,
            "get",
            chief,
            room,
            &admin(&format!("<item affiliation='{which}'/>")),
        ))
    };
    assert_eq!(list("owner"), ["root@ex.org", "10001@qq.example"]);
    assert_eq!(list("member"), ["10002@qq.example"]);
    assert!(list("admin").is_empty() && list("outcast").is_empty());
    p.members(vec![]);
    let got = ask(&mut p, "get", chief, room, &admin("<item affiliation='owner'/>"));
    expect(
        &got,
        &[(
            chief,
            format!(
                "<iq type='result' id='q1' from='{room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='owner' jid='root@ex.org'/></query></iq>"
            ),
        )],
    );
    let got = ask(&mut p, "get", chief, room, &admin("<item role='participant'/>"));
    expect(
        &got,
        &[(
            chief,
            format!(
                "<iq type='result' id='q1' from='{room}'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='none' role='participant' nick='Ann' jid='{ANN}'/></query></iq>"
            ),
        )],
    );
    let got = ask(&mut p, "get", chief, room, &admin("<item affiliation='outcast'/>"));
    assert_eq!(only(&got, chief).attr("type"), Some("result"));
    for (from, kind, payload, wanted) in [
        (chief, "get", admin(""), ("modify", "bad-request")),
        (chief, "get", admin("<item/>"), ("modify", "bad-request")),
        (
            chief,
            "set",
            admin("<item nick='Ann' role='none'/>"),
            ("cancel", "not-allowed"),
        ),
        (ANN, "get", admin("<item affiliation='owner'/>"), ("auth", "forbidden")),
        (chief, "get", config.to_owned(), ("cancel", "not-allowed")),
        (chief, "set", config.to_owned(), ("cancel", "not-allowed")),
        (ANN, "get", config.to_owned(), ("auth", "forbidden")),
        (
            ANN,
            "get",
            "<query xmlns='jabber:iq:register'/>".to_owned(),
            ("cancel", "service-unavailable"),
        ),
        (
            ANN,
            "get",
            "<unique xmlns='http://jabber.org/protocol/muc#unique'/>".to_owned(),
            ("cancel", "service-unavailable"),
        ),
        (
            ANN,
            "set",
            "<x xmlns='urn:whatever'/>".to_owned(),
            ("cancel", "service-unavailable"),
        ),
        (
            "eve@evil.example/x",
            "get",
            "<query xmlns='http://jabber.org/protocol/disco#info'/>".to_owned(),
            ("auth", "forbidden"),
        ),
    ] {
        let got = ask(&mut p, kind, from, room, &payload);
        assert_eq!(refused(&got, from), (wanted.0.into(), wanted.1.into()), "{payload}");
    }
}

#[test]
fn answers_nobody_waits_for_are_dropped() {
    let mut p = Portal::new();
    p.join(ANN, "Ann");
    for to in ["rust@qq.example", "rust@qq.example/Ann", "rust@qq.example/nobody"] {
        assert!(ask(&mut p, "result", ANN, to, "").is_empty());
        assert!(
            ask(
                &mut p,
                "error",
                ANN,
                to,
                "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
            )
            .is_empty()
        );
    }
    assert_eq!(p.room.book.len(), 1);
}
