use super::*;

fn item(e: &Element) -> (String, String) {
    let item = e
        .get_child("x", USER)
        .and_then(|x| x.get_child("item", USER))
        .expect("an item");
    (
        item.attr("affiliation").unwrap_or_default().into(),
        item.attr("role").unwrap_or_default().into(),
    )
}

#[test]
fn come_go_and_change() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    p.join("root@ex.org/pc", "Root");
    let mut owner = member(10001, "🐱猫");
    owner.member.role = Role::Owner;
    let got = p.members(vec![owner.clone(), member(10002, "b")]);
    assert_eq!(got.len(), 4);
    let to_ann = &got[0];
    assert_eq!(
        (to_ann.0.as_str(), to_ann.1.attr("from")),
        ("ann@ex.org/phone", Some("rust@qq.example/猫"))
    );
    assert_eq!(item(&to_ann.1), ("owner".into(), "moderator".into()));
    assert_eq!(
        to_ann
            .1
            .get_child("nick", "http://jabber.org/protocol/nick")
            .map(Element::text)
            .as_deref(),
        Some("🐱猫")
    );
    assert!(!String::from(&to_ann.1).contains("10001"), "no number for participants");
    assert!(String::from(&got[1].1).contains("10001@qq.example"), "owners see it");

    assert!(p.members(vec![owner.clone(), member(10002, "b")]).is_empty());
    let mut muted = owner.clone();
    muted.muted = true;
    let got = p.members(vec![muted, member(10002, "b")]);
    assert_eq!((got.len(), item(&got[0].1)), (2, ("owner".into(), "visitor".into())));

    let got = p.members(vec![owner.clone(), member(10002, "c")]);
    let from: Vec<_> = got
        .iter()
        .filter(|(to, _)| to == "ann@ex.org/phone")
        .map(|(_, e)| (e.attr("from").unwrap_or_default(), e.attr("type"), codes(e)))
        .collect();
    assert_eq!(
        from,
        [
            ("rust@qq.example/b", Some("unavailable"), vec!["303".to_owned()]),
            ("rust@qq.example/猫", None, vec![]),
            ("rust@qq.example/c", None, vec![]),
        ]
    );
    p.room.member_kicked(&id(10002), Some(&owner.member.id));
    let got = p.members(vec![owner]);
    let actor = String::from(&got[0].1);
    assert!(actor.contains("<actor nick='猫'/>"), "{actor}");
    assert_eq!(
        (got[0].1.attr("type"), codes(&got[0].1)),
        (Some("unavailable"), vec!["307".to_owned()])
    );
    let got = p.members(vec![]);
    assert_eq!(
        (got[0].1.attr("type"), codes(&got[0].1).len()),
        (Some("unavailable"), 0)
    );
}

#[test]
fn nicks_may_change_hands() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    p.members(vec![member(1, "x"), member(2, "y")]);
    let got = p.members(vec![member(1, "y"), member(2, "x")]);
    let kinds: Vec<_> = got.iter().map(|(_, e)| e.attr("type").is_some()).collect();
    assert_eq!(kinds, [true, true, false, false], "first out, then in");
    assert_eq!(
        (p.room.nick_of(&id(1)), p.room.nick_of(&id(2))),
        ("y".into(), "x".into())
    );
}

#[test]
fn a_nick_belongs_to_who_had_it_first() {
    let mut p = Portal::new();
    p.members(vec![member(222_333_444, "ABC")]);
    p.members(vec![
        member(100_001_111, "abc"),
        member(222_333_444, "ABC"),
        member(100_002_222, "ABC"),
    ]);
    assert_eq!(p.room.nick_of(&id(222_333_444)), "ABC");
    assert_eq!(p.room.nick_of(&id(100_001_111)), "abc (QQ)");
    assert_eq!(p.room.nick_of(&id(100_002_222)), "ABC (2222)");
}

#[test]
fn an_active_room_shows_who_speaks() {
    let mut p = Portal::new();
    p.join("ann@ex.org/phone", "Ann");
    let crowd: Vec<RoomMember> = (0..300).map(|n| member(20_000 + n, &format!("m{n}"))).collect();
    assert!(
        p.members(crowd.clone()).is_empty(),
        "above 200 nobody is shown before they speak"
    );
    let got = p.qq(20_005, "m5", vec![Part::Text("hi".into())]);
    assert_eq!(
        got.iter().map(|(_, e)| e.name()).collect::<Vec<_>>(),
        ["presence", "message"]
    );
    assert_eq!(p.qq(20_005, "m5", vec![Part::Text("hi".into())]).len(), 1);
    let mut crowd = crowd;
    crowd[5].spoke = Some(p.now);
    assert!(p.members(crowd.clone()).is_empty());
    p.later(31 * 24 * 3600);
    let got = p.members(crowd);
    assert_eq!(only(&got, "ann@ex.org/phone").attr("type"), Some("unavailable"));
}

#[test]
fn names_without_numbers_get_distinct_nicks() {
    let mut p = Portal::new();
    let named = |name: &str| {
        let mut m = member(0, name);
        m.member.id = MemberId::Named(name.into());
        m
    };
    p.members(vec![named("ABC"), named("abc"), named("ＡＢＣ"), named("ＡBC")]);
    let mut nicks: Vec<_> = ["ABC", "abc", "ＡＢＣ", "ＡBC"]
        .iter()
        .map(|n| p.room.nick_of(&MemberId::Named((*n).into())))
        .collect();
    nicks.sort();
    nicks.dedup();
    assert_eq!(nicks.len(), 4, "{nicks:?}");
}

#[test]
fn a_member_steps_into_a_present_persons_name() {
    let mut p = Portal::new();
    p.members(vec![member(7, "x")]);
    p.join("ann@ex.org/phone", "Ann");
    p.members(vec![member(7, "ANN")]);
    assert_eq!(p.room.nick_of(&id(7)), "ANN (QQ)");
}

#[test]
fn changes_shown_are_told_to_the_store() {
    let mut p = Portal::new();
    p.members(vec![member(10001, "a")]);
    p.join("ann@ex.org/phone", "Ann");
    let mut changes = p.room.shown_changes();
    changes.sort_by_key(|(_, s)| s.as_ref().map(|s| s.nick.clone()));
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[1].0, p.member_id(10001));
    assert_eq!(
        changes[0]
            .1
            .as_ref()
            .map(|s| (s.nick.as_str(), s.role.as_str(), s.affiliation.as_str())),
        Some(("Ann", "participant", "none"))
    );
    assert!(p.room.shown_changes().is_empty());
    p.members(vec![]);
    assert_eq!(p.room.shown_changes(), [(p.member_id(10001), None)]);
}

#[test]
fn who_is_no_occupant_acts_under_a_nick_that_nobody_has() {
    let mut p = Portal::with(Settings {
        occupants: Occupants::Active,
        ..settings()
    });
    p.join("ann@ex.org/phone", "Ann");
    p.join("bob@ex.org/pc", "Bob");
    p.members(vec![member(222_333_444, "ann"), member(5, "Bob"), member(6, "小明")]);
    assert_eq!(p.room.nick_of(&id(222_333_444)), "ann (QQ)");
    assert_eq!(p.room.nick_of(&id(6)), "小明");
    // Somebody else took the next one.
    p.join("eve@ex.org/pc", "ann (QQ)");
    assert_eq!(p.room.nick_of(&id(222_333_444)), "ann (3444)");
    // Who went is remembered.
    p.send("<presence type='unavailable' from='bob@ex.org/pc' to='rust@qq.example/Bob'/>");
    assert_eq!(p.room.nick_of(&id(5)), "Bob (QQ)");
}
