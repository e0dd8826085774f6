use std::time::Duration;

use super::*;

fn presence(from: &str, id: &str, occupant: &str, item: &str, statuses: &str) -> String {
    format!(
        "<presence from='rust@qq.example/{from}'{id}><x xmlns='{USER}'><item {item}/>{statuses}</x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{occupant}'/></presence>"
    )
}

#[test]
fn in_exact_order() {
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    p.join("root@ex.org/pc", "Root");
    p.qq(10001, "小明", vec![Part::Text("早".into())]);
    let (ann, root, qq) = (
        p.person_id("ann@ex.org"),
        p.person_id("root@ex.org"),
        p.member_id(10001),
    );
    let got = p.join("ann@ex.org/phone", "Ann");
    let to = "ann@ex.org/phone";
    expect(
        &got,
        &[
            (
                to,
                presence("Root", "", &root, "affiliation='owner' role='moderator'", ""),
            ),
            (
                to,
                presence("小明", "", &qq, "affiliation='member' role='participant'", ""),
            ),
            (
                "root@ex.org/pc",
                presence(
                    "Ann",
                    "",
                    &ann,
                    "affiliation='none' role='participant' jid='ann@ex.org/phone'",
                    "",
                ),
            ),
            (
                to,
                presence(
                    "Ann",
                    " id='j1'",
                    &ann,
                    "affiliation='none' role='participant' jid='ann@ex.org/phone'",
                    "<status code='110'/>",
                ),
            ),
            (
                to,
                format!(
                    "<message type='groupchat' from='rust@qq.example/小明' id='e1-1'><body>早</body><delay xmlns='urn:xmpp:delay' from='rust@qq.example' stamp='2001-09-09T01:46:40.000Z'/><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-1'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{qq}'/></message>"
                ),
            ),
            (
                to,
                "<message type='groupchat' from='rust@qq.example'><subject/></message>".into(),
            ),
        ],
    );
}

#[test]
fn second_session_is_seen_by_nobody_else() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    p.join("bob@ex.org/pc", "Bob");
    let got = p.join("ann@ex.org/pc", "Ann");
    assert!(got.iter().all(|(to, _)| to == "ann@ex.org/pc"), "{got:?}");
    assert_eq!(got.len(), 3, "Bob, itself, subject");
    let got = p.send("<message type='groupchat' from='bob@ex.org/pc' to='rust@qq.example'><body>x</body></message>");
    assert_eq!(got.len(), 3, "all sessions");
}

#[test]
fn again_repeats_everything_to_the_joiner_alone() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    let first = p.join("ann@ex.org/phone", "Ann");
    let again = p.join("ann@ex.org/phone", "Ann");
    let own = |got: &[Got]| {
        got.iter()
            .filter(|(to, _)| to == "ann@ex.org/phone")
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(own(&first), again);
}

#[test]
fn status_update_reaches_all_with_what_the_client_tells() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    p.join("ann@ex.org/phone", "Ann");
    let got = p.send("<presence from='ann@ex.org/phone' to='rust@qq.example/Ann'><show>away</show><status>tea</status><priority>5</priority><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/><hats xmlns='urn:xmpp:hats:0'/><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><nick xmlns='http://jabber.org/protocol/nick'>Äńn</nick></presence>");
    let ann = p.person_id("ann@ex.org");
    let children = |item: &str| {
        format!(
            "<presence from='rust@qq.example/Ann'><show>away</show><status>tea</status><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/><nick xmlns='http://jabber.org/protocol/nick'>Äńn</nick>{item}<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></presence>"
        )
    };
    expect(
        &got,
        &[
            (
                "bob@ex.org/pc",
                children(&format!(
                    "<x xmlns='{USER}'><item affiliation='none' role='participant'/></x>"
                )),
            ),
            (
                "ann@ex.org/phone",
                children(&format!(
                    "<x xmlns='{USER}'><item affiliation='none' role='participant' jid='ann@ex.org/phone'/><status code='110'/></x>"
                )),
            ),
        ],
    );
}

#[test]
fn refusals() {
    let mut p = Portal::new();
    p.members(vec![member(10001, "ABC")]);
    p.join("bob@ex.org/pc", "Bob");
    let x = format!("<x xmlns='{MUC}'/>");
    for (to, x, kind, condition) in [
        ("rust@qq.example", x.as_str(), "modify", "jid-malformed"),
        ("rust@qq.example/Bob", &x, "cancel", "conflict"),
        ("rust@qq.example/bOB", &x, "cancel", "conflict"),
        ("rust@qq.example/abc", &x, "cancel", "conflict"),
        ("rust@qq.example/ＡＢＣ", &x, "cancel", "conflict"),
        ("rust@qq.example/a  b", &x, "modify", "not-acceptable"),
        ("rust@qq.example/Ann", "", "cancel", "item-not-found"),
    ] {
        let got = p.send(&format!(
            "<presence id='j9' from='ann@ex.org/phone' to='{to}'>{x}</presence>"
        ));
        assert_eq!(
            refused(&got, "ann@ex.org/phone"),
            (kind.into(), condition.into()),
            "{to}"
        );
        let error = &got[0].1;
        assert_eq!(error.attr("id"), Some("j9"));
        assert_eq!(
            error.attr("from").map(|f| Jid::new(f).expect("a JID")),
            Some(Jid::new(to).expect("a JID"))
        );
        assert!(error.has_child("x", MUC));
    }
    let long = "a".repeat(61);
    let got = p.join("ann@ex.org/phone", &long);
    assert_eq!(refused(&got, "ann@ex.org/phone").1, "not-acceptable");
    let got = p.join("eve@evil.example/x", "Eve");
    assert_eq!(refused(&got, "eve@evil.example/x"), ("auth".into(), "forbidden".into()));
    assert!(
        got[0]
            .1
            .get_child("error", NS)
            .is_some_and(|e| e.children().any(|c| c.name() == "text"))
    );
}

#[test]
fn history_keeps_all_four_limits() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    for n in 0..30 {
        p.send(&format!(
            "<message type='groupchat' from='bob@ex.org/pc' to='rust@qq.example' id='m{n}'><body>{n}</body></message>"
        ));
        p.later(10);
    }
    let mut bodies = |history: &str| -> Vec<String> {
        let got = p.send(&format!(
            "<presence from='ann@ex.org/phone' to='rust@qq.example/Ann'><x xmlns='{MUC}'>{history}</x></presence>"
        ));
        got.iter()
            .filter_map(|(_, e)| e.get_child("body", NS))
            .map(Element::text)
            .collect()
    };
    assert_eq!(bodies("").len(), 20);
    assert_eq!(bodies("<history maxstanzas='3'/>"), ["27", "28", "29"]);
    assert_eq!(bodies("<history maxstanzas='0'/>").len(), 0);
    assert_eq!(bodies("<history maxchars='0'/>").len(), 0);
    assert_eq!(bodies("<history seconds='25'/>"), ["28", "29"]);
    assert_eq!(bodies("<history since='2001-09-09T01:51:20Z'/>"), ["28", "29"]);
    assert_eq!(bodies("<history since='2001-09-09T01:46:40Z'/>").len(), 30);
    let all = bodies("<history maxchars='1200'/>");
    assert!((2..=4).contains(&all.len()), "{all:?}");
    assert_eq!(all.last().map(String::as_str), Some("29"));
    assert_eq!(
        bodies("<history maxstanzas='9' seconds='25' maxchars='99999'/>"),
        ["28", "29"]
    );
}

/// Found by the fault run: whoever came back asked from the break on, and what QQ had kept back and gave out afterwards was older.
#[test]
fn history_since_a_time_leaves_nothing_out_behind_its_first_row() {
    let mut p = Portal::new();
    for (body, minutes_ago) in [("before", 9), ("since", 3), ("late", 7), ("now", 0)] {
        p.row(Author::Room, "", Content::Notice(body.into()));
        let row = p.rows.last_mut().expect("a row was written");
        row.time = row.time.minus(Duration::from_secs(60 * minutes_ago));
    }
    let got = p.send(&format!(
        "<presence from='ann@ex.org/phone' to='rust@qq.example/Ann'><x xmlns='{MUC}'><history seconds='300'/></x></presence>"
    ));
    let bodies = got.iter().filter_map(|(_, e)| e.get_child("body", NS));
    let bodies: Vec<String> = bodies.map(Element::text).collect();
    assert_eq!(bodies, ["since", "late", "now"]);
}

#[test]
fn a_row_before_the_join_does_not_come_live() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    let author = Author::Room;
    p.row(author, "", Content::Notice("one".into()));
    p.join("ann@ex.org/phone", "Ann");
    let row = p.rows[0].clone();
    let out = p.room.reflect(Step::Row { row: &row, late: true });
    let to: Vec<String> = out.into_iter().flat_map(got).map(|(to, _)| to).collect();
    assert_eq!(to, ["bob@ex.org/pc"]);
}

#[test]
fn nick_of_a_present_person_is_kept_from_members() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "ABC");
    p.members(vec![member(222_333_444, "ABC"), member(222_334_444, "abc")]);
    assert_eq!(p.room.nick_of(&id(222_333_444)), "ABC (QQ)");
    assert_eq!(p.room.nick_of(&id(222_334_444)), "abc (4444)");
    p.send("<presence type='unavailable' from='ann@ex.org/phone' to='rust@qq.example/ABC'/>");
    p.members(vec![member(5, "ABC")]);
    assert_eq!(p.room.nick_of(&id(5)), "ABC (QQ)");
    p.later(31 * 24 * 3600);
    p.members(vec![]);
    p.members(vec![member(5, "ABC")]);
    assert_eq!(p.room.nick_of(&id(5)), "ABC");
}
