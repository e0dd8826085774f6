use super::*;

#[test]
fn of_a_person_with_two_sessions() {
    let mut p = Portal::new();
    p.join("root@ex.org/pc", "Root");
    p.join("ann@ex.org/phone", "Ann");
    p.join("ann@ex.org/pc", "Ann");
    let ann = p.person_id("ann@ex.org");
    let got = p.send("<presence id='n1' from='ann@ex.org/phone' to='rust@qq.example/Annie'/>");
    let old = |jid: &str, statuses: &str| {
        format!(
            "<presence type='unavailable' from='rust@qq.example/Ann'><x xmlns='{USER}'><item affiliation='none' role='participant' nick='Annie'{jid}/>{statuses}</x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></presence>"
        )
    };
    let new = |jid: &str, attrs: &str, statuses: &str| {
        format!(
            "<presence from='rust@qq.example/Annie'{attrs}><x xmlns='{USER}'><item affiliation='none' role='participant'{jid}/>{statuses}</x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></presence>"
        )
    };
    let jid = " jid='ann@ex.org/phone'";
    let (one, both) = ("<status code='303'/>", "<status code='303'/><status code='110'/>");
    expect(
        &got,
        &[
            ("root@ex.org/pc", old(jid, one)),
            ("ann@ex.org/pc", old(jid, both)),
            ("ann@ex.org/phone", old(jid, both)),
            ("root@ex.org/pc", new(jid, "", "")),
            ("ann@ex.org/pc", new(jid, "", "<status code='110'/>")),
            ("ann@ex.org/phone", new(jid, " id='n1'", "<status code='110'/>")),
        ],
    );
    let got = p.send("<message type='groupchat' from='ann@ex.org/pc' to='rust@qq.example'><body>x</body></message>");
    assert!(got.iter().all(|(_, e)| e.attr("from") == Some("rust@qq.example/Annie")));
}

#[test]
fn conflict_leaves_the_old_one() {
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    p.join("bob@ex.org/pc", "Bob");
    p.join("ann@ex.org/phone", "Ann");
    for nick in ["Bob", "bob", "小明"] {
        let got = p.send(&format!(
            "<presence id='n1' from='ann@ex.org/phone' to='rust@qq.example/{nick}'/>"
        ));
        assert_eq!(refused(&got, "ann@ex.org/phone"), ("cancel".into(), "conflict".into()));
        assert_eq!(got[0].1.attr("id"), Some("n1"));
    }
    let got = p.send("<message type='groupchat' from='ann@ex.org/phone' to='rust@qq.example'><body>x</body></message>");
    assert_eq!(got[0].1.attr("from"), Some("rust@qq.example/Ann"));
}

#[test]
fn not_faster_than_every_five_seconds() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    assert!(
        p.send("<presence from='ann@ex.org/phone' to='rust@qq.example/A'/>")
            .len()
            > 1
    );
    let got = p.send("<presence from='ann@ex.org/phone' to='rust@qq.example/B'/>");
    assert_eq!(
        refused(&got, "ann@ex.org/phone"),
        ("wait".into(), "policy-violation".into())
    );
    p.later(5);
    assert!(
        p.send("<presence from='ann@ex.org/phone' to='rust@qq.example/B'/>")
            .len()
            > 1
    );
}

#[test]
fn case_alone_may_change() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "ann");
    let got = p.send("<presence from='ann@ex.org/phone' to='rust@qq.example/Ann'/>");
    assert_eq!(codes(&got[0].1), ["303", "110"]);
    let got = p.join("eve@ex.org/x", "ANN");
    assert_eq!(refused(&got, "eve@ex.org/x").1, "conflict");
    let got = p.send(
        "<iq type='get' id='p' from='ann@ex.org/phone' to='rust@qq.example/Ann'><ping xmlns='urn:xmpp:ping'/></iq>",
    );
    assert_eq!(only(&got, "ann@ex.org/phone").attr("type"), Some("result"));
}

#[test]
fn two_occupants_of_one_person_can_become_one() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    let got = p.join("ann@ex.org/pc", "Ann2");
    assert_eq!(
        got.iter().filter(|(to, _)| to == "ann@ex.org/phone").count(),
        1,
        "the other occupant"
    );
    p.send("<presence from='ann@ex.org/pc' to='rust@qq.example/Ann'/>");
    let got = p.send("<presence type='unavailable' from='ann@ex.org/pc' to='rust@qq.example/Ann'/>");
    assert_eq!(got.len(), 1, "the other session stays: {got:?}");
    let got = p.send("<message type='groupchat' from='ann@ex.org/phone' to='rust@qq.example'><body>x</body></message>");
    assert_eq!(got.len(), 1);
}

#[test]
fn joining_again_under_another_nick_renames_first() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    p.join("ann@ex.org/phone", "Ann");
    let got = p.join("ann@ex.org/phone", "Annie");
    assert_eq!(codes(&got[0].1), ["303"]);
    let own: Vec<_> = got.iter().filter(|(to, _)| to == "ann@ex.org/phone").collect();
    assert_eq!(own.last().map(|(_, e)| e.name()), Some("message"), "the whole join");
    p.send("<presence type='unavailable' from='ann@ex.org/phone' to='rust@qq.example/Annie'/>");
    let got = p.join("eve@ex.org/x", "Eve");
    assert_eq!(got.len(), 4, "Bob to Eve, Eve to Bob, itself, subject: {got:?}");
}

#[test]
fn one_person_under_two_spellings() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    p.join("ann@ex.org/phone", "Ann");
    p.join("ann@ex.org/pc", "ANN");
    p.send("<presence type='unavailable' from='ann@ex.org/pc' to='rust@qq.example/ANN'/>");
    let got = p.send("<message type='chat' from='bob@ex.org/pc' to='rust@qq.example/Ann'><body>x</body></message>");
    assert_eq!(only(&got, "ann@ex.org/phone").attr("from"), Some("rust@qq.example/Bob"));
}
