use super::*;
use crate::room::Leaving;

#[test]
fn last_session_is_told_to_all() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    p.join("ann@ex.org/phone", "Ann");
    p.join("ann@ex.org/pc", "Ann");
    let ann = p.person_id("ann@ex.org");
    let gone = |status: &str, jid: &str, codes: &str, id: &str| {
        format!(
            "<presence type='unavailable' from='rust@qq.example/Ann'{id}>{status}<x xmlns='{USER}'><item affiliation='none' role='none'{jid}/>{codes}</x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></presence>"
        )
    };
    let got = p.send("<presence type='unavailable' id='l1' from='ann@ex.org/pc' to='rust@qq.example/WrongNick'><status>bye</status></presence>");
    expect(
        &got,
        &[(
            "ann@ex.org/pc",
            gone(
                "<status>bye</status>",
                " jid='ann@ex.org/pc'",
                "<status code='110'/>",
                " id='l1'",
            ),
        )],
    );
    let got = p.send(
        "<presence type='unavailable' from='ann@ex.org/phone' to='rust@qq.example'><status>bye</status></presence>",
    );
    expect(
        &got,
        &[
            (
                "ann@ex.org/phone",
                gone(
                    "<status>bye</status>",
                    " jid='ann@ex.org/phone'",
                    "<status code='110'/>",
                    "",
                ),
            ),
            ("bob@ex.org/pc", gone("<status>bye</status>", "", "", "")),
        ],
    );
    assert!(
        p.send("<presence type='unavailable' from='ann@ex.org/phone' to='rust@qq.example/Ann'/>")
            .is_empty()
    );
}

#[test]
fn the_next_session_is_seen_when_the_seen_one_leaves() {
    let mut p = Portal::new();
    p.join("bob@ex.org/pc", "Bob");
    p.join("ann@ex.org/phone", "Ann");
    p.join("ann@ex.org/pc", "Ann");
    p.send("<presence from='ann@ex.org/pc' to='rust@qq.example/Ann'><show>dnd</show></presence>");
    let got = p.send("<presence type='unavailable' from='ann@ex.org/pc' to='rust@qq.example/Ann'/>");
    let bob = got
        .iter()
        .find(|(to, _)| to == "bob@ex.org/pc")
        .expect("Bob sees a change");
    assert_eq!(bob.1.attr("type"), None);
    assert!(!bob.1.has_child("show", NS));
}

#[test]
fn ghosts_go_once_and_alone() {
    for condition in [
        "gone",
        "item-not-found",
        "recipient-unavailable",
        "remote-server-not-found",
        "remote-server-timeout",
        "service-unavailable",
        "internal-server-error",
        "redirect",
        "",
    ] {
        let mut p = Portal::new();
        p.join("bob@ex.org/pc", "Bob");
        p.join("ann@ex.org/phone", "Ann");
        p.join("ann@ex.org/pc", "Ann");
        let inner = if condition.is_empty() {
            String::new()
        } else {
            format!("<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>")
        };
        let bounce = |session: &str| {
            format!(
                "<message type='error' from='{session}' to='rust@qq.example/Bob'><error type='cancel'>{inner}</error></message>"
            )
        };
        let got = p.send(&bounce("ann@ex.org/phone"));
        assert_eq!(codes(only(&got, "ann@ex.org/phone")), ["333", "110"], "{condition}");
        assert!(p.send(&bounce("ann@ex.org/phone")).is_empty());
        let got = p.send(&bounce("ann@ex.org/pc"));
        assert_eq!(got.len(), 2);
        assert_eq!(
            (got[1].0.as_str(), codes(&got[1].1)),
            ("bob@ex.org/pc", vec!["333".to_owned()])
        );
    }
}

#[test]
fn other_errors_remove_nobody_and_are_not_answered() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    for name in ["message", "presence"] {
        let got = p.send(&format!("<{name} type='error' from='ann@ex.org/phone' to='rust@qq.example/Ann'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{name}>"));
        assert!(got.is_empty());
        assert!(
            p.send(&format!(
                "<{name} type='error' from='eve@ex.org/x' to='rust@qq.example'><error type='cancel'/></{name}>"
            ))
            .is_empty()
        );
    }
    assert_eq!(p.room.book.len(), 1);
}

#[test]
fn no_longer_allowed() {
    let mut p = Portal::new();
    p.join("root@ex.org/pc", "Root");
    p.join("ann@ex.org/phone", "Ann");
    let mut new = settings();
    new.allow = vec![];
    let admitted = p.room.configure(new, p.now);
    let got = p.follow(admitted);
    assert_eq!(codes(&got[0].1), ["321", "110"]);
    assert_eq!(
        (got[1].0.as_str(), codes(&got[1].1)),
        ("root@ex.org/pc", vec!["321".to_owned()])
    );
    let got = p.join("ann@ex.org/phone", "Ann");
    assert_eq!(refused(&got, "ann@ex.org/phone").1, "forbidden");
}

#[test]
fn name_and_owners_change() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    p.join("bob@ex.org/pc", "Bob");
    let mut new = settings();
    new.name = "New".into();
    new.owners = vec![BareJid::new("ann@ex.org").expect("a JID")];
    let admitted = p.room.configure(new.clone(), p.now);
    let got = p.follow(admitted);
    let signal = xml(&format!(
        "<message type='groupchat' from='rust@qq.example'><x xmlns='{USER}'><status code='104'/></x></message>"
    ));
    assert!(got[..2].iter().all(|(_, e)| *e == signal), "{got:?}");
    let items: Vec<_> = got[2..]
        .iter()
        .filter_map(|(_, e)| e.get_child("x", USER)?.get_child("item", USER))
        .collect();
    assert_eq!(items.len(), 2);
    assert!(
        items
            .iter()
            .all(|i| i.attr("affiliation") == Some("owner") && i.attr("role") == Some("moderator"))
    );
    assert!(p.room.configure(new, p.now).effects.is_empty());
}

#[test]
fn the_end() {
    for (why, statuses) in [
        (Leaving::Destroyed, vec!["110"]),
        (Leaving::Farewell, vec!["332", "110"]),
    ] {
        let mut p = Portal::new();
        p.join("ann@ex.org/phone", "Ann");
        p.join("bob@ex.org/pc", "Bob");
        let admitted = p.room.close(&why, p.now);
        let got = p.follow(admitted);
        assert_eq!(
            got.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(),
            ["ann@ex.org/phone", "bob@ex.org/pc"]
        );
        assert_eq!(codes(&got[0].1), statuses);
        let destroyed = got[0]
            .1
            .get_child("x", USER)
            .is_some_and(|x| x.has_child("destroy", USER));
        assert_eq!(destroyed, why == Leaving::Destroyed);
    }
}
