//! How puppets get in: nicks, limits, membership.

use super::*;

#[test]
fn who_speaks_enters_before_their_words() {
    let mut lab = Lab::new();
    lab.members[0] = member(1001, "🐱小明");
    let members = lab.members.clone();
    let admitted = lab.room.members(members, lab.now);
    lab.take(admitted);
    lab.qq(1001, "早");
    assert_eq!(lab.muc.ours(), ["QQ", "小明"]);
    assert_eq!(lab.muc.shown(), ["小明| 早"]);
    let puppet = lab.muc.by_nick("小明").expect("inside");
    assert!(
        puppet.jid.starts_with("u-") && puppet.jid.ends_with("@qq.example/gw"),
        "{puppet:?}"
    );
    assert_eq!(puppet.name.as_deref(), Some("🐱小明"));
    assert!(lab.on_qq().is_empty());
}

#[test]
fn the_ladder_ends_with_the_listener() {
    let taken = ["tom", "Tom (QQ)", "Tom (1003)", "QQ 1003"];
    let nicks = ["Tom", "Tom (QQ)", "Tom (1003)", "QQ 1003"];
    for most in 0..=taken.len() {
        let mut lab = Lab::new();
        for nick in &taken[..most] {
            lab.muc.person(nick);
        }
        lab.run();
        lab.qq(1003, "hi");
        let wanted = nicks
            .get(most)
            .map_or("QQ| Tom: hi".to_owned(), |nick| format!("{nick}| hi"));
        assert_eq!(lab.muc.shown(), [wanted]);
        lab.qq(1003, "ho");
        let joins = lab.muc.asked("presence", &["muc'"]);
        assert_eq!(joins, 1 + (most + 1).min(nicks.len()), "once asked is enough");
    }
}

#[test]
fn the_nick_that_worked_is_asked_for_again() {
    let mut lab = Lab::new();
    lab.muc.person("Tom");
    lab.run();
    lab.qq(1003, "hi");
    lab.later(hours(25));
    assert_eq!(lab.muc.ours(), ["QQ"]);
    lab.restart();
    lab.run();
    lab.qq(1003, "ho");
    assert_eq!(lab.muc.shown(), ["Tom (QQ)| hi", "Tom (QQ)| ho"]);
    assert_eq!(lab.muc.asked("presence", &["muc'", "/Tom'"]), 1);
}

#[test]
fn two_of_one_name_are_told_apart() {
    let mut lab = Lab::new();
    lab.hears(1003, "hi");
    lab.hears(1004, "ho");
    lab.run();
    assert_eq!(lab.muc.shown(), ["Tom| hi", "Tom (QQ)| ho"]);
}

#[test]
fn a_room_that_refuses_long_nicks_gets_short_ones() {
    let conduct = Conduct {
        longest_nick: Some(23),
        ..Conduct::default()
    };
    let mut lab = Lab::outside(settings(), conduct);
    lab.members.push(member(1005, "一二三四五六七八九十"));
    lab.resume();
    lab.run();
    lab.qq(1005, "早");
    assert_eq!(lab.muc.shown(), ["一二三四五六七| 早"]);
}

#[test]
fn words_wait_in_order_for_a_slow_entry() {
    let mut lab = Lab::new();
    lab.qq(1002, "一");
    lab.hears(1001, "二");
    lab.hears(1002, "三");
    // The answer to the entry of 小明 takes its time.
    while lab.give() {}
    let admitted = lab.room.tick(lab.now);
    lab.take(admitted);
    let answers: Vec<_> = std::mem::take(&mut lab.muc.out).into();
    lab.later(seconds(10));
    assert_eq!(lab.muc.shown(), ["小红| 一"]);
    lab.muc.out = answers.into();
    lab.run();
    assert_eq!(lab.muc.shown(), ["小红| 一", "小明| 二", "小红| 三"]);
}

#[test]
fn an_entry_without_answer_is_given_up_and_the_listener_speaks() {
    let mut lab = Lab::new();
    lab.muc.conduct.mute_joins = 1;
    lab.hears(1001, "一");
    lab.hears(1002, "二");
    lab.run();
    assert!(lab.muc.shown().is_empty());
    lab.later(seconds(21));
    assert_eq!(lab.muc.shown(), ["QQ| 小明: 一", "小红| 二"]);
    assert_eq!(lab.muc.ours(), ["QQ", "小红"], "no ghost is left");
    assert!(lab.on_qq().is_empty());
}

#[test]
fn a_full_room_is_spoken_to_by_the_listener() {
    let conduct = Conduct {
        most_occupants: 4,
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    lab.qq(1001, "一");
    lab.qq(1002, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "QQ| 小红: 二"]);
    lab.muc.conduct.most_occupants = 9;
    lab.later(seconds(31));
    lab.qq(1002, "三");
    assert_eq!(lab.muc.shown().last().map(String::as_str), Some("小红| 三"));
}

#[test]
fn no_more_puppets_than_the_row_says() {
    let mut lab = Lab::outside(
        Settings {
            puppets_max: 2,
            ..settings()
        },
        Conduct::default(),
    );
    lab.run();
    for number in [1001, 1002, 1003] {
        lab.qq(number, "a");
    }
    assert_eq!(lab.muc.ours(), ["QQ", "小明", "小红"]);
    lab.later(minutes(5));
    lab.qq(1001, "b");
    lab.later(minutes(6));
    lab.qq(1003, "c");
    assert_eq!(lab.muc.shown().last().map(String::as_str), Some("Tom| c"));
    assert_eq!(
        lab.muc.ours(),
        ["QQ", "Tom", "小明"],
        "who was silent longest made room"
    );
}

#[test]
fn who_is_idle_leaves_and_comes_back() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.later(hours(23));
    assert_eq!(lab.muc.ours(), ["QQ", "小明"]);
    lab.later(hours(2));
    assert_eq!(lab.muc.ours(), ["QQ"]);
    lab.qq(1001, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二"]);
}

#[test]
fn who_leaves_the_group_leaves_the_room_and_a_new_card_is_a_new_nick() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.qq(1002, "二");
    lab.members = vec![member(1002, "小紫")];
    let admitted = lab.room.members(lab.members.clone(), lab.now);
    lab.take(admitted);
    lab.run();
    assert_eq!(lab.muc.ours(), ["QQ", "小紫"]);
    lab.qq(1002, "三");
    assert_eq!(lab.muc.shown().last().map(String::as_str), Some("小紫| 三"));
    assert!(lab.on_qq().is_empty());
}

#[test]
fn an_admin_makes_puppets_members() {
    let conduct = Conduct {
        members_only: true,
        ..Conduct::default()
    };
    let mut lab = Lab::outside(settings(), conduct);
    lab.muc.affiliations.insert("bridge@qq.example".into(), "admin");
    lab.run();
    lab.qq(1001, "一");
    lab.qq(1001, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二"]);
    assert_eq!(lab.muc.asked("iq", &["muc#admin", "member"]), 1);
    assert!(lab.alerts().is_empty());
}

#[test]
fn membership_that_is_not_granted_ends_with_the_listener() {
    let conduct = Conduct {
        members_only: true,
        refuse_grants: true,
        ..Conduct::default()
    };
    let mut lab = Lab::outside(settings(), conduct);
    lab.muc.affiliations.insert("bridge@qq.example".into(), "admin");
    lab.run();
    lab.qq(1001, "一");
    lab.later(minutes(1));
    assert_eq!(lab.muc.shown(), ["QQ| 小明: 一"]);
    assert!(lab.muc.asked("presence", &["muc'", "小明"]) <= 2);
    assert_eq!(lab.alerts().len(), 1);
}

#[test]
fn members_only_without_rights_is_spoken_to_by_the_listener() {
    let conduct = Conduct {
        members_only: true,
        ..Conduct::default()
    };
    let mut lab = Lab::outside(settings(), conduct);
    lab.muc.affiliations.insert("bridge@qq.example".into(), "member");
    lab.run();
    for number in [1001, 1002] {
        lab.qq(number, "一");
    }
    assert_eq!(lab.muc.shown(), ["QQ| 小明: 一", "QQ| 小红: 一"]);
    assert_eq!(lab.muc.asked("presence", &["muc'"]), 2);
    assert_eq!(lab.alerts().len(), 1);
    assert!(lab.alerts()[0].contains("ask an owner to make bridge@qq.example an admin"));
}

#[test]
fn each_nick_is_asked_for_once() {
    let mut lab = Lab::new();
    lab.qq(1003, "hi");
    lab.later(hours(25));
    lab.members = vec![member(1003, "Bob")];
    let admitted = lab.room.members(lab.members.clone(), lab.now);
    lab.take(admitted);
    lab.qq(1003, "ho");
    assert_eq!(lab.muc.shown(), ["Tom| hi", "Bob (QQ)| ho"]);
    assert_eq!(lab.muc.asked("presence", &["muc'", "/Bob'"]), 1);
}
