use super::*;
use crate::model::HistoryWanted;
use crate::room::Leaving;

/// What a client asked for that was away.
const SINCE: HistoryWanted = HistoryWanted {
    maxchars: None,
    maxstanzas: 1000,
    since: Some(Timestamp(77)),
};

/// What a store would have kept of the room.
fn kept(p: &mut Portal, greeted: bool) -> Kept {
    let shown = p
        .room
        .shown_changes()
        .into_iter()
        .filter_map(|(key, s)| Some((key, s?)))
        .collect();
    let sessions = p.room.book.sessions().map(|(jid, guest)| KeptSession {
        jid: jid.clone(),
        nick: guest.nick.clone(),
        cut: Seq(0),
        greeted,
        presence: guest.presence.clone(),
        history: SINCE,
    });
    Kept {
        sessions: sessions.collect(),
        shown,
        remembered: vec![],
        subject: Some(("Root".into(), "topic".into(), Timestamp(0))),
        ..Kept::default()
    }
}

fn full_room() -> Portal {
    let mut p = Portal::new();
    p.members(vec![
        member(222_333_444, "ABC"),
        member(100_001_111, "b"),
        member(3, "c"),
    ]);
    p.join("ann@ex.org/phone", "Ann");
    p.send("<presence from='ann@ex.org/phone' to='rust@qq.example/Ann'><show>away</show></presence>");
    p.join("bob@ex.org/pc", "Bob");
    p
}

fn resumed(kept: Kept, members: Vec<RoomMember>) -> (Portal, Vec<Got>) {
    let mut p = Portal::new();
    let total = members.len();
    let resumed = p.room.resume(kept, members, total, p.now);
    let out = resumed.presences.into_iter().flat_map(got).collect();
    (p, out)
}

#[test]
fn nothing_changed_nothing_is_sent() {
    let mut old = full_room();
    let kept = kept(&mut old, true);
    let members = vec![member(222_333_444, "ABC"), member(100_001_111, "b"), member(3, "c")];
    let (mut p, out) = resumed(kept, members);
    assert!(out.is_empty(), "{out:?}");
    assert!(p.room.shown_changes().is_empty());
    let got = p.send("<message type='groupchat' from='ann@ex.org/phone' to='rust@qq.example'><body>x</body></message>");
    assert_eq!(got.len(), 2);
    let again = p.join("ann@ex.org/phone", "Ann");
    let bob: Vec<_> = again.iter().filter(|(to, _)| to == "bob@ex.org/pc").collect();
    assert!(
        bob.iter().all(|(_, e)| !e.has_child("show", NS)),
        "only that she is no longer away: {bob:?}"
    );
    let subject = again
        .last()
        .and_then(|(_, e)| e.get_child("subject", NS))
        .map(Element::text);
    assert_eq!(subject.as_deref(), Some("topic"));
}

#[test]
fn only_the_difference_is_sent() {
    let mut old = full_room();
    let mut kept = kept(&mut old, true);
    kept.shown.push((
        format!("{}/Gone", old.person_id("gone@ex.org")),
        ShownAs {
            nick: "Gone".into(),
            role: "participant".into(),
            affiliation: "none".into(),
            digest: "x".into(),
        },
    ));
    let mut muted = member(100_001_111, "b");
    muted.muted = true;
    let members = vec![member(222_333_444, "new"), muted, member(4, "d")];
    let (mut p, out) = resumed(kept, members);
    let to_ann: Vec<_> = out
        .iter()
        .filter(|(to, _)| to == "ann@ex.org/phone")
        .map(|(_, e)| {
            (
                e.attr("from")
                    .unwrap_or_default()
                    .trim_start_matches("rust@qq.example/"),
                e.attr("type").is_some(),
            )
        })
        .collect();
    assert!(to_ann[..3].iter().all(|(_, gone)| *gone), "first who goes: {to_ann:?}");
    let mut rest = to_ann.clone();
    rest.sort_unstable();
    assert_eq!(
        rest,
        [
            ("ABC", true),
            ("Gone", true),
            ("b", false),
            ("c", true),
            ("d", false),
            ("new", false)
        ]
    );
    let mut gone: Vec<_> = p
        .room
        .shown_changes()
        .into_iter()
        .filter(|(_, s)| s.is_none())
        .map(|(key, _)| key)
        .collect();
    gone.sort();
    let mut wanted = [p.member_id(3), format!("{}/Gone", p.person_id("gone@ex.org"))];
    wanted.sort();
    assert_eq!(gone, wanted);
}

#[test]
fn a_nick_stays_with_who_had_it() {
    let mut p = Portal::new();
    p.members(vec![member(222_333_444, "ABC")]);
    p.members(vec![member(222_333_444, "ABC"), member(100_001_111, "ABC")]);
    assert_eq!(p.room.nick_of(&id(100_001_111)), "ABC (QQ)");
    let kept = kept(&mut p, true);
    let (p, out) = resumed(kept, vec![member(100_001_111, "ABC"), member(222_333_444, "ABC")]);
    assert!(out.is_empty());
    assert_eq!(p.room.nick_of(&id(100_001_111)), "ABC (QQ)");
}

#[test]
fn sessions_without_their_join_wait_for_it() {
    let mut old = full_room();
    let kept = kept(&mut old, false);
    let mut p = Portal::new();
    let resumed = p.room.resume(kept, vec![], 0, p.now);
    assert_eq!(resumed.ungreeted.len(), 2);
    let (change, cut) = &resumed.ungreeted[0];
    let out = p.room.reflect(Step::Change {
        change,
        history: &[],
        cut: *cut,
    });
    let got: Vec<Got> = out.into_iter().flat_map(got).collect();
    assert_eq!(got[0].1.attr("from"), Some("rust@qq.example/Bob"));
    assert_eq!(codes(&got[1].1), ["110"]);
    assert!(
        got.iter().all(|(to, _)| to == "ann@ex.org/phone"),
        "Bob knows already: {got:?}"
    );
}

#[test]
fn who_may_not_be_here_any_more_goes() {
    let mut old = full_room();
    let kept = kept(&mut old, true);
    let mut new = settings();
    new.allow = vec![Allow::Address(BareJid::new("ann@ex.org").expect("a JID"))];
    let mut p = Portal::with(new);
    let resumed = p.room.resume(kept, vec![], 0, p.now);
    let [Effect::Change(Change::Leave { session, why })] = resumed.effects.as_slice() else {
        panic!("{:?}", resumed.effects)
    };
    assert_eq!((session, why), (&full("bob@ex.org/pc"), &Leaving::NotAllowed));
}

#[test]
fn the_unverified_are_pinged_once_and_ghosts_go() {
    let mut old = full_room();
    let kept = kept(&mut old, true);
    let (mut p, _) = resumed(kept, vec![]);
    let first: Vec<Got> = p.room.pings(1).into_iter().flat_map(got).collect();
    let ping = only(&first, "ann@ex.org/phone");
    assert!(ping.has_child("ping", "urn:xmpp:ping"));
    let pings: Vec<Got> = p.room.pings(10).into_iter().flat_map(got).collect();
    assert_eq!(only(&pings, "bob@ex.org/pc").attr("from"), Some("rust@qq.example"));
    assert!(p.room.pings(10).is_empty());
    let (ann, bob) = (
        ping.attr("id").unwrap_or_default().to_owned(),
        pings[0].1.attr("id").unwrap_or_default().to_owned(),
    );
    assert!(
        p.send(&format!(
            "<iq type='result' id='{ann}' from='ann@ex.org/phone' to='rust@qq.example'/>"
        ))
        .is_empty()
    );
    let gone = |id: &str| {
        format!(
            "<iq type='error' id='{id}' from='bob@ex.org/pc' to='rust@qq.example'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    };
    assert!(p.send(&gone(&ann)).is_empty(), "not the id that Bob got");
    // His server, or his client that knows no pings: an empty message tells them apart, and hurts nobody.
    let got = p.send(&gone(&bob));
    let touch = only(&got, "bob@ex.org/pc");
    assert_eq!(
        (touch.attr("type"), touch.attr("from")),
        (Some("groupchat"), Some("rust@qq.example"))
    );
    assert!(!touch.has_child("body", NS) && !touch.has_child("subject", NS));
    assert_eq!(p.room.book.len(), 2);
    assert_eq!(
        p.room.listening(&full("ann@ex.org/phone")),
        Some(full("ann@ex.org/phone"))
    );
    assert_eq!(
        p.room.listening(&full("bob@ex.org/pc")),
        None,
        "what is meant for him would be lost"
    );
    let bounce = "<message type='error' id='x' from='bob@ex.org/pc' to='rust@qq.example'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    let got = p.send(bounce);
    assert_eq!(got.len(), 2);
    assert_eq!(codes(&got[0].1), ["333", "110"]);
    assert!(p.send(&gone(&bob)).is_empty());
}

#[test]
fn a_ping_to_nowhere_is_clear() {
    let mut old = full_room();
    let kept = kept(&mut old, true);
    let (mut p, _) = resumed(kept, vec![]);
    let pings: Vec<Got> = p.room.pings(10).into_iter().flat_map(got).collect();
    let ping = pings.iter().find(|(to, _)| to == "bob@ex.org/pc").map(|(_, ping)| ping);
    let id = ping.and_then(|ping| ping.attr("id")).unwrap_or_default().to_owned();
    let got = p.send(&format!(
        "<iq type='error' id='{id}' from='bob@ex.org/pc' to='rust@qq.example'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    assert_eq!(codes(&got[0].1), ["333", "110"]);
}

#[test]
fn who_speaks_needs_no_ping() {
    let mut old = full_room();
    let kept = kept(&mut old, true);
    let (mut p, _) = resumed(kept, vec![]);
    p.send("<message type='groupchat' from='ann@ex.org/phone' to='rust@qq.example'><body>x</body></message>");
    assert_eq!(p.room.pings(10).len(), 1);
}

#[test]
fn who_came_back_after_a_restart_is_known_at_the_next() {
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    p.join("ann@ex.org/phone", "Ann");
    p.behind = true;
    p.members(vec![]);
    p.restart();
    p.members(vec![member(10001, "小明")]);
    p.catch_up();
    p.members(vec![]);
    let got = p.restart();
    assert_eq!(only(&got, "ann@ex.org/phone").attr("type"), Some("unavailable"));
}
