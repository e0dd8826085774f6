//! Puppets over breaks: who is there, who is asked again.

use super::*;

#[test]
fn after_a_restart_they_are_known_and_speak_on() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.restart();
    lab.run();
    lab.says("Ann", "hi");
    lab.qq(1001, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "Ann| hi", "小明| 二"]);
    assert_eq!(lab.on_qq(), ["Ann| hi"]);
    assert_eq!(lab.muc.ours(), ["QQ", "小明"]);
}

#[test]
fn a_restart_in_the_middle_says_nothing_twice() {
    for archive in [true, false] {
        for ids in [true, false] {
            let conduct = Conduct {
                archive,
                occupant_ids: ids,
                ..Conduct::default()
            };
            let mut lab = Lab::with(settings(), conduct);
            lab.qq(1001, "零");
            lab.hears(1001, "一");
            lab.hears(1002, "二");
            while lab.give() {}
            let admitted = lab.room.tick(lab.now);
            lab.take(admitted);
            assert_eq!(lab.muc.shown(), ["小明| 零", "小明| 一"]);
            lab.later_nothing(seconds(1));
            lab.restart();
            lab.run();
            lab.later(minutes(1));
            assert_eq!(lab.muc.shown(), ["小明| 零", "小明| 一", "小红| 二"], "{archive} {ids}");
            assert!(lab.on_qq().is_empty());
            assert_eq!(lab.said, Seq(3));
        }
    }
}

#[test]
fn what_was_committed_and_not_sent_is_said_after_a_restart() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.unsent = true;
    lab.qq(1001, "二");
    lab.restart();
    lab.run();
    lab.later(minutes(1));
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二"]);
}

#[test]
fn a_doubt_is_resolved_without_noise_where_there_is_an_archive() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    let comings = lab.muc.comings.len();
    lab.room.doubt(lab.now);
    lab.says("Ann", "hi");
    lab.later(seconds(5));
    lab.qq(1001, "二");
    assert_eq!(lab.on_qq(), ["Ann| hi"]);
    assert_eq!(lab.muc.shown().len(), 3);
    assert!(
        lab.muc.comings[comings..].iter().all(|coming| coming.starts_with('+')),
        "{:?}",
        lab.muc.comings
    );
}

#[test]
fn rows_wait_in_the_store_while_the_listener_is_away() {
    let mut lab = Lab::new();
    lab.muc.expel("QQ", 307);
    lab.run();
    for n in 0..20 {
        lab.hears(1001, &format!("{n}"));
    }
    lab.run();
    assert!(lab.given <= Seq(1), "{}", lab.given);
    lab.later(minutes(61));
    assert_eq!(lab.muc.shown().len(), 20);
}

#[test]
fn a_room_that_is_gone_is_not_made_by_a_puppet() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    // As after a restart of a service that keeps nothing.
    lab.muc.occupants.clear();
    lab.muc.conduct.exists = false;
    lab.qq(1001, "二");
    lab.qq(1002, "三");
    lab.later(minutes(10));
    assert!(!lab.muc.conduct.exists);
    assert!(lab.alerts()[0].contains("there is no such room"), "{:?}", lab.alerts());
    assert_eq!(lab.muc.shown(), ["小明| 一"]);
    // Somebody makes it.
    lab.muc.conduct.exists = true;
    lab.muc.person("Ann");
    lab.later(minutes(10));
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二", "小红| 三"]);
}
