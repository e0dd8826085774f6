use super::*;

const ANN: &str = "ann@ex.org/phone";

fn three() -> Portal {
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    p.join(ANN, "Ann");
    p.join("bob@ex.org/pc", "Bob");
    p.join("bob@ex.org/phone", "Bob");
    p
}

#[test]
fn goes_to_all_sessions_from_the_occupant() {
    let mut p = three();
    let got = p.send(&format!("<message type='chat' id='p1' from='{ANN}' to='rust@qq.example/Bob'><body>psst</body><active xmlns='http://jabber.org/protocol/chatstates'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><x xmlns='{USER}'><status code='104'/></x></message>"));
    let ann = p.person_id("ann@ex.org");
    let wanted = format!(
        "<message type='chat' id='p1' from='rust@qq.example/Ann'><body>psst</body><active xmlns='http://jabber.org/protocol/chatstates'/><x xmlns='{USER}'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></message>"
    );
    expect(&got, &[("bob@ex.org/pc", wanted.clone()), ("bob@ex.org/phone", wanted)]);
}

#[test]
fn refusals() {
    let mut p = three();
    let mut pm = |from: &str, to: &str| {
        p.send(&format!(
            "<message type='chat' from='{from}' to='rust@qq.example/{to}'><body>x</body></message>"
        ))
    };
    let got = pm(ANN, "nobody");
    assert_eq!(refused(&got, ANN), ("cancel".into(), "item-not-found".into()));
    let got = pm(ANN, "小明");
    assert_eq!(refused(&got, ANN), ("cancel".into(), "not-allowed".into()));
    let error = got[0].1.get_child("error", NS).expect("an error");
    assert!(error.children().any(|c| c.name() == "text" && c.text().contains("QQ")));
    let got = pm("eve@ex.org/x", "Bob");
    assert_eq!(
        refused(&got, "eve@ex.org/x"),
        ("cancel".into(), "not-acceptable".into())
    );
    let got = p.send(&format!("<message type='chat' from='{ANN}' to='rust@qq.example/小明'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"));
    assert!(got.is_empty());
}

#[test]
fn invitations() {
    let mut p = three();
    let invite = |from: &str, to: &str| {
        format!(
            "<message from='{from}' to='rust@qq.example'><x xmlns='{USER}'><invite to='{to}'><reason>come</reason></invite></x></message>"
        )
    };
    let got = p.send(&invite(ANN, "new@ex.org"));
    expect(
        &got,
        &[(
            "new@ex.org",
            format!(
                "<message from='rust@qq.example'><x xmlns='{USER}'><invite from='ann@ex.org'><reason>come</reason></invite></x><x xmlns='jabber:x:conference' jid='rust@qq.example' reason='come'/></message>"
            ),
        )],
    );
    let got = p.send(&invite("eve@ex.org/x", "new@ex.org"));
    assert_eq!(refused(&got, "eve@ex.org/x").1, "not-acceptable");
    let got = p.send(&invite(ANN, "x@evil.example"));
    assert_eq!(refused(&got, ANN).1, "not-allowed");
    let got = p.send(&format!("<message from='new@ex.org/x' to='rust@qq.example'><x xmlns='{USER}'><decline to='ann@ex.org'><reason>no</reason></decline></x></message>"));
    expect(
        &got,
        &[(
            ANN,
            format!(
                "<message from='rust@qq.example'><x xmlns='{USER}'><decline from='new@ex.org'><reason>no</reason></decline></x></message>"
            ),
        )],
    );
    let got = p.send(&format!("<message from='new@ex.org/x' to='rust@qq.example'><x xmlns='{USER}'><decline to='stranger@far.example'/></x></message>"));
    assert!(got.is_empty());
}

#[test]
fn a_refusal_of_a_client_reaches_the_author() {
    let mut p = three();
    let error = "<error type='auth' by='bob@ex.org'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    let got = p.send(&format!(
        "<message type='error' id='p1' from='bob@ex.org/pc' to='rust@qq.example/Ann'><body>psst</body>{error}</message>"
    ));
    expect(&got, &[(ANN, "<message type='error' id='p1' from='rust@qq.example/Bob'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>".into())]);
    assert_eq!(p.room.sessions(), 3);
}
