use super::*;

#[test]
fn our_own_domain_is_not_heard() {
    let mut p = Portal::new();
    assert!(p.send(&join_xml("10001@qq.example/gw", "x")).is_empty());
    assert!(
        p.send("<iq type='get' id='1' from='qq.example' to='rust@qq.example'><ping xmlns='urn:xmpp:ping'/></iq>")
            .is_empty()
    );
}

#[test]
fn another_room_is_not_ours() {
    let mut p = Portal::new();
    assert!(
        p.send(&format!(
            "<presence from='ann@ex.org/x' to='other@qq.example/Ann'><x xmlns='{MUC}'/></presence>"
        ))
        .is_empty()
    );
}

#[test]
fn subscriptions_are_declined_and_probes_answered() {
    let mut p = Portal::new();
    let got = p.send("<presence type='subscribe' from='ann@ex.org' to='rust@qq.example'/>");
    assert_eq!(only(&got, "ann@ex.org").attr("type"), Some("unsubscribed"));
    assert!(
        p.send("<presence type='probe' from='ann@ex.org' to='rust@qq.example'/>")
            .is_empty()
    );
    p.join("ann@ex.org/phone", "Ann");
    p.join("bob@ex.org/pc", "Bob");
    let got = p.send("<presence type='probe' from='ann@ex.org/phone' to='rust@qq.example/Bob'/>");
    assert_eq!(only(&got, "ann@ex.org/phone").attr("from"), Some("rust@qq.example/Bob"));
    for kind in ["subscribed", "unsubscribe", "unsubscribed"] {
        assert!(
            p.send(&format!(
                "<presence type='{kind}' from='ann@ex.org' to='rust@qq.example'/>"
            ))
            .is_empty()
        );
    }
}

#[test]
fn a_join_without_a_resource_is_refused() {
    let mut p = Portal::new();
    let got = p.send(&join_xml("ann@ex.org", "Ann"));
    assert_eq!(refused(&got, "ann@ex.org").1, "jid-malformed");
}

#[test]
fn one_person_cannot_fill_the_room() {
    let mut p = Portal::new();
    for n in 0..30 {
        assert!(p.join(&format!("ann@ex.org/{n}"), "Ann").len() > 1);
    }
    let got = p.join("ann@ex.org/more", "Ann");
    assert_eq!(
        refused(&got, "ann@ex.org/more"),
        ("wait".into(), "resource-constraint".into())
    );
}

#[test]
fn too_much_presence_is_cut() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    let long = "x".repeat(20_000);
    let got = p.send(&format!("<presence from='ann@ex.org/phone' to='rust@qq.example/Ann'><show>away</show><status>{long}</status><big xmlns='urn:x'>{long}</big></presence>"));
    let presence = only(&got, "ann@ex.org/phone");
    assert!(String::from(presence).len() < 3000);
    assert!(presence.has_child("show", NS));
}

#[test]
fn voice_requests_are_ignored() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    assert!(p.send("<message from='ann@ex.org/phone' to='rust@qq.example'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#request</value></field></x></message>").is_empty());
}

#[test]
fn in_chinese_where_the_operator_wants_it() {
    let mut new = settings();
    new.language = Language::Zh;
    let mut p = Portal::with(new);
    let got = p.join("eve@evil.example/x", "Eve");
    let error = got[0].1.get_child("error", NS).expect("an error");
    let text = error.children().find(|c| c.name() == "text").expect("a text");
    assert!(text.text().contains("无权"));
}
