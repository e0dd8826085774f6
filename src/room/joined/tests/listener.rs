//! The listener's places: how it gets in, what keeps it out, how it notices.

use super::*;

#[test]
fn it_asks_first_and_then_enters_without_history() {
    let lab = Lab::new();
    assert_eq!(lab.muc.ours(), ["QQ"]);
    assert_eq!(lab.muc.asked("iq", &["disco#info"]), 1);
    assert_eq!(lab.muc.asked("presence", &["maxstanzas='0'", ROOM]), 1);
    assert!(lab.inside());
    assert_eq!((lab.room.trouble(), lab.room.people(), lab.returned), (None, 2, 1));
    assert!(lab.on_qq().is_empty());
}

#[test]
fn a_room_that_is_not_there_is_not_made() {
    let conduct = Conduct {
        exists: false,
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    lab.later(hours(1));
    assert_eq!(lab.muc.asked("presence", &[ROOM]), 0);
    let asked = lab.muc.asked("iq", &["disco#info"]);
    assert!((12..30).contains(&asked), "{asked}");
    assert!(lab.alerts().len() <= 2, "{:?}", lab.alerts());
    assert!(lab.alerts()[0].contains("there is no such room"));
    assert!(matches!(lab.room.trouble(), Some(Trouble::NeedsOperator(_))));
    lab.muc.conduct.exists = true;
    lab.later(minutes(6));
    assert!(lab.inside());
    assert_eq!(lab.room.trouble(), None);
}

#[test]
fn a_taken_nick_is_marked() {
    let mut lab = Lab::outside(settings(), Conduct::default());
    lab.muc.person("qq");
    lab.run();
    assert_eq!(lab.muc.ours(), ["QQ (QQ)"]);
    lab.qq(1001, "早");
    assert_eq!(lab.muc.shown(), ["小明| 早"]);
}

#[test]
fn all_nicks_taken_is_told_and_tried_again() {
    let mut lab = Lab::outside(settings(), Conduct::default());
    for nick in ["QQ", "QQ (QQ)", "QQ 2", "QQ 3", "QQ 4"] {
        lab.muc.person(nick);
    }
    lab.run();
    assert_eq!(lab.muc.asked("presence", &[ROOM]), 5);
    assert!(lab.alerts()[0].contains("write another one"));
    lab.muc.remove("qq@ex.org/x", &[], "", "");
    lab.later(minutes(1));
    assert_eq!(lab.muc.ours(), ["QQ"]);
}

#[test]
fn a_password_is_given_or_asked_for() {
    let conduct = Conduct {
        password: Some("miau"),
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    assert!(lab.alerts()[0].contains("asks for a password"), "{:?}", lab.alerts());
    lab.settings.password = Some(Secret::new("miau"));
    let admitted = lab.room.configure(lab.settings.clone(), lab.now);
    lab.take(admitted);
    lab.run();
    assert!(lab.inside());
    lab.qq(1001, "早");
    assert_eq!(lab.muc.shown(), ["小明| 早"]);
}

#[test]
fn members_only_full_and_odd_answers_wait() {
    for (refusal, told) in [
        (("auth", "registration-required"), Some("only members may enter")),
        (("cancel", "item-not-found"), Some("locked")),
        (
            ("cancel", "not-allowed"),
            Some("does not let the listener in (not-allowed)"),
        ),
        (("wait", "service-unavailable"), None),
        (("wait", "resource-constraint"), None),
        (("wait", "policy-violation"), None),
    ] {
        let conduct = Conduct {
            refuse_joins: [refusal; 4].into(),
            ..Conduct::default()
        };
        let mut lab = Lab::with(settings(), conduct);
        assert!(lab.muc.ours().is_empty());
        assert!(lab.room.trouble().is_some());
        assert_eq!(lab.alerts().is_empty(), told.is_none(), "{refusal:?}");
        assert!(
            told.is_none_or(|told| lab.alerts()[0].contains(told)),
            "{:?}",
            lab.alerts()
        );
        lab.later(seconds(9));
        assert_eq!(lab.muc.asked("presence", &[ROOM]), 1, "{refusal:?}");
        lab.later(minutes(5));
        assert!(lab.inside(), "{refusal:?}");
    }
}

#[test]
fn who_is_banned_stays_away_until_the_row_changes() {
    let mut lab = Lab::new();
    lab.muc.expel("QQ", 301);
    lab.run();
    lab.later(hours(48));
    assert_eq!(lab.muc.asked("presence", &[ROOM]), 1);
    assert!(
        lab.alerts()[0].contains("bridge@qq.example was banned by Mod"),
        "{:?}",
        lab.alerts()
    );
    lab.muc.affiliations.clear();
    lab.settings.nick = "Bridge".into();
    let admitted = lab.room.configure(lab.settings.clone(), lab.now);
    lab.take(admitted);
    lab.run();
    assert_eq!(lab.muc.ours(), ["Bridge"]);
}

#[test]
fn a_restart_is_no_way_around_a_moderator() {
    let mut lab = Lab::new();
    lab.muc.expel("QQ", 307);
    lab.run();
    for _ in 0..3 {
        lab.restart();
        lab.later(minutes(10));
        assert!(lab.muc.ours().is_empty());
        assert!(matches!(lab.room.trouble(), Some(Trouble::NeedsOperator(why)) if why.contains("put out")));
    }
    assert_eq!(lab.alerts().len(), 1, "{:?}", lab.alerts());
    // An operator who looked into it need not wait.
    let admitted = lab.room.try_again(lab.now);
    lab.take(admitted);
    lab.run();
    assert_eq!(lab.muc.ours(), ["QQ"]);
}

#[test]
fn who_is_kicked_comes_back_in_an_hour() {
    let mut lab = Lab::new();
    lab.muc.expel("QQ", 307);
    lab.run();
    lab.later(minutes(59));
    assert!(lab.muc.ours().is_empty());
    assert!(
        lab.alerts()[0].contains("put out by Mod (too loud)"),
        "{:?}",
        lab.alerts()
    );
    lab.later(minutes(2));
    assert_eq!(lab.muc.ours(), ["QQ"]);
}

#[test]
fn a_destroyed_room_is_not_made_again() {
    let mut lab = Lab::new();
    lab.qq(1001, "早");
    // One thing is on its way, and the next speaker is to enter.
    lab.muc.conduct.hide = 1;
    lab.hears(1001, "还在吗");
    lab.hears(1001, "在");
    lab.run();
    lab.muc.destroy("dogs@c.example");
    let before = lab.muc.asked("presence", &["muc'"]);
    lab.run();
    lab.later(hours(5));
    assert_eq!(lab.muc.asked("presence", &["muc'"]), before);
    assert_eq!(lab.alerts().len(), 1, "{:?}", lab.alerts());
    assert!(lab.alerts()[0].contains("people are to go to dogs@c.example"));
}

#[test]
fn a_server_that_stops_is_not_pestered() {
    for code in [332, 333] {
        let mut lab = Lab::new();
        lab.qq(1001, "早");
        lab.muc.shut_down(code);
        lab.run();
        assert!(matches!(lab.room.trouble(), Some(Trouble::Away(_))));
        lab.hears(1001, "好");
        lab.later(seconds(5));
        assert_eq!(lab.muc.ours(), ["QQ", "小明"]);
        assert_eq!(lab.muc.shown(), ["小明| 早", "小明| 好"]);
        assert!(lab.alerts().is_empty());
    }
}

#[test]
fn a_room_that_throws_it_out_again_and_again_is_entered_ever_less() {
    let mut lab = Lab::new();
    for _ in 0..2000 {
        if lab.muc.listener().is_some() {
            lab.muc.shut_down(333);
        }
        lab.later(seconds(5));
    }
    let joins = lab.muc.comings.len();
    assert!(joins < 60, "{joins} entries in less than three hours");
    lab.later(minutes(20));
    assert!(lab.inside());
}

#[test]
fn a_quiet_room_is_asked_whether_it_is_in() {
    let mut lab = Lab::new();
    lab.later(minutes(21));
    assert_eq!(lab.muc.asked("iq", &["urn:xmpp:ping"]), 4);
    lab.muc.forget();
    lab.later(minutes(6));
    assert!(lab.inside());
    assert_eq!(lab.muc.ours(), ["QQ"]);
}

#[test]
fn a_server_that_is_down_is_looked_at_ever_less() {
    for silent in [true, false] {
        let mut lab = Lab::new();
        lab.qq(1001, "早");
        (lab.muc.conduct.silent, lab.muc.conduct.down) = (silent, !silent);
        lab.hears(1001, "在吗");
        lab.later(hours(2));
        let asked = lab.muc.got.len();
        assert!(asked < 60, "{asked}");
        assert!(matches!(lab.room.trouble(), Some(Trouble::Away(_))));
        (lab.muc.conduct.silent, lab.muc.conduct.down) = (false, false);
        lab.muc.forget();
        lab.later(minutes(6));
        assert_eq!(lab.muc.shown(), ["小明| 早", "小明| 在吗"]);
        assert!(lab.inside());
    }
}

#[test]
fn another_nick_is_taken_and_a_refused_one_is_not() {
    let mut lab = Lab::new();
    for (wish, nick) in [("Bridge", "Bridge"), ("Ann", "Bridge")] {
        lab.settings.nick = wish.into();
        let admitted = lab.room.configure(lab.settings.clone(), lab.now);
        lab.take(admitted);
        lab.run();
        assert_eq!(lab.muc.ours(), [nick]);
    }
    lab.settings.puppets = false;
    let admitted = lab.room.configure(lab.settings.clone(), lab.now);
    lab.take(admitted);
    lab.qq(1001, "早");
    assert_eq!(lab.muc.shown(), ["Bridge| 小明: 早"]);
    assert!(lab.on_qq().is_empty());
}

#[test]
fn it_says_goodbye_with_everybody_and_stays_away() {
    let mut lab = Lab::new();
    lab.qq(1001, "早");
    let admitted = lab.room.close(&Leaving::Destroyed, lab.now);
    lab.take(admitted);
    lab.run();
    assert!(lab.muc.ours().is_empty());
    assert_eq!(lab.muc.asked("presence", &["no longer bridged"]), 1);
    assert_eq!(lab.room.due(), None);
}
