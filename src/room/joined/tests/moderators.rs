//! A moderator's word counts, and the admins hear of it.

use super::*;

#[test]
fn who_is_put_out_is_silent_for_an_hour() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.muc.expel("小明", 307);
    lab.run();
    lab.qq(1001, "二");
    lab.qq(1002, "三");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小红| 三"]);
    assert_eq!(
        lab.alerts(),
        [
            "room cats@c.example: 小明 (1001) was put out by Mod (too loud); nothing they say on QQ is shown there for an hour"
        ]
    );
    lab.later(minutes(61));
    lab.qq(1001, "四");
    assert_eq!(lab.muc.shown().last().map(String::as_str), Some("小明| 四"));
}

#[test]
fn a_ban_outlives_a_restart_and_is_asked_about_once_a_day() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.muc.expel("小明", 301);
    lab.run();
    lab.restart();
    lab.run();
    lab.qq(1001, "二");
    lab.later(hours(23));
    lab.qq(1001, "三");
    assert_eq!(lab.muc.shown(), ["小明| 一"]);
    assert_eq!(lab.muc.asked("presence", &["muc'", "小明"]), 1);
    assert_eq!(lab.alerts().len(), 1);
    assert!(lab.alerts()[0].contains("was banned by Mod") && lab.alerts()[0].contains("24 hours"));
    lab.later(hours(2));
    lab.qq(1001, "四");
    assert_eq!(lab.muc.shown(), ["小明| 一"]);
    assert_eq!(lab.muc.asked("presence", &["muc'", "小明"]), 2);
    lab.muc.affiliations.clear();
    lab.later(hours(25));
    lab.qq(1001, "五");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 五"]);
}

#[test]
fn nobody_speaks_for_who_was_put_out() {
    // Refused first, put out then.
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.muc.conduct.refuse_words = [("auth", "forbidden"), ("wait", "resource-constraint")].into();
    lab.qq(1001, "二");
    lab.muc.expel("小明", 307);
    lab.run();
    lab.later(minutes(2));
    assert_eq!(lab.muc.shown(), ["小明| 一"]);
    // Nor where puppets are turned off.
    lab.settings.puppets = false;
    let admitted = lab.room.configure(lab.settings.clone(), lab.now);
    lab.take(admitted);
    lab.qq(1001, "三");
    lab.qq(1002, "四");
    assert_eq!(lab.muc.shown(), ["小明| 一", "QQ| 小红: 四"]);
}

#[test]
fn who_loses_membership_is_not_made_a_member_against_the_moderators() {
    let conduct = Conduct {
        members_only: true,
        ..Conduct::default()
    };
    let mut lab = Lab::outside(settings(), conduct);
    lab.muc.affiliations.insert("bridge@qq.example".into(), "admin");
    lab.run();
    lab.qq(1001, "一");
    let jid = lab.muc.by_nick("小明").expect("inside").jid.clone();
    lab.muc.affiliations.retain(|bare, _| !jid.starts_with(bare.as_str()));
    lab.muc.remove(&jid, &[321], "Mod", "no");
    lab.run();
    lab.qq(1001, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一"]);
    assert_eq!(lab.muc.asked("iq", &["muc#admin"]), 1);
    assert_eq!(lab.alerts().len(), 1);
}

#[test]
fn a_room_that_becomes_members_only_is_entered_by_members() {
    let mut lab = Lab::outside(settings(), Conduct::default());
    lab.muc.affiliations.insert("bridge@qq.example".into(), "admin");
    lab.run();
    lab.qq(1001, "一");
    let jid = lab.muc.by_nick("小明").expect("inside").jid.clone();
    lab.muc.affiliations.retain(|bare, _| !jid.starts_with(bare.as_str()));
    lab.muc.conduct.members_only = true;
    lab.muc.remove(&jid, &[322], "", "");
    lab.run();
    lab.qq(1001, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二"]);
    assert!(lab.alerts().is_empty());
}

#[test]
fn a_puppet_that_its_server_dropped_is_no_matter_for_moderators() {
    for codes in [&[333][..], &[307, 333], &[]] {
        let mut lab = Lab::new();
        lab.qq(1001, "一");
        let jid = lab.muc.by_nick("小明").expect("inside").jid.clone();
        lab.muc.remove(&jid, codes, "", "");
        lab.run();
        lab.qq(1001, "二");
        assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二"], "{codes:?}");
        assert!(lab.alerts().is_empty());
    }
}
