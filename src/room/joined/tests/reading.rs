//! What people say reaches QQ once: live, from the archive, from history.

use super::*;

fn absent(conduct: Conduct) -> Lab {
    let mut lab = Lab::with(settings(), conduct);
    lab.says("Ann", "before");
    lab.qq(1001, "零");
    lab.muc.conduct.silent = true;
    lab.later(minutes(6));
    lab
}

fn back(lab: &mut Lab) {
    lab.muc.conduct.silent = false;
    lab.muc.forget();
    lab.later(minutes(6));
    assert!(lab.inside());
}

#[test]
fn what_was_missed_is_read_up_in_order() {
    for (archive, page, occupant_ids) in [
        (true, 100, true),
        (true, 3, true),
        (true, 3, false),
        (false, 100, true),
        (false, 9, false),
    ] {
        let mut lab = absent(Conduct {
            archive,
            occupant_ids,
            page,
            ..Conduct::default()
        });
        for n in 0..10 {
            lab.muc.now = lab.now;
            lab.muc.says("Bob", &format!("missed {n}"));
            lab.now = lab.now.plus(seconds(1));
        }
        back(&mut lab);
        lab.says("Ann", "after");
        let mut wanted = vec!["Ann| before".to_owned()];
        wanted.extend((0..10).map(|n| format!("Bob| missed {n}")));
        wanted.push("Ann| after".into());
        assert_eq!(lab.on_qq(), wanted, "{archive} {page} {occupant_ids}");
        assert_eq!(lab.muc.asked("iq", &["urn:xmpp:mam:2"]) > 1, archive && page < 10);
    }
}

#[test]
fn what_is_too_old_for_qq_is_counted() {
    for archive in [true, false] {
        let mut lab = absent(Conduct {
            archive,
            ..Conduct::default()
        });
        lab.muc.now = lab.now;
        lab.muc.says("Bob", "old");
        lab.muc.sends("Bob", "<store xmlns='urn:xmpp:hints'/>");
        lab.later(minutes(20));
        lab.muc.now = lab.now;
        lab.muc.says("Bob", "new");
        back(&mut lab);
        assert_eq!(lab.on_qq(), ["Ann| before", "Bob| new"], "{archive}");
        assert_eq!(lab.asides, [Aside::TooLateForQq(1)]);
    }
}

#[test]
fn an_archive_that_forgot_is_read_by_time() {
    let mut lab = absent(Conduct::default());
    lab.muc.lines.clear();
    lab.muc.now = lab.now;
    lab.muc.says("Bob", "hi");
    back(&mut lab);
    assert_eq!(lab.on_qq(), ["Ann| before", "Bob| hi"]);
}

#[test]
fn an_archive_that_refuses_is_not_insisted_on() {
    let mut lab = absent(Conduct::default());
    lab.muc.now = lab.now;
    lab.muc.says("Bob", "hi");
    lab.muc.conduct.refuse_archive = true;
    back(&mut lab);
    assert_eq!(lab.on_qq(), ["Ann| before", "Bob| hi"], "by history");
    for (lose, hide, text) in [(1, 0, "一"), (0, 1, "二")] {
        (lab.muc.conduct.lose, lab.muc.conduct.hide) = (lose, hide);
        lab.hears(1001, text);
        lab.later(minutes(2));
        let said = lab.muc.shown().iter().filter(|line| line.ends_with(text)).count();
        assert_eq!((said, lab.inside()), (1, true), "{text}");
    }
}

#[test]
fn what_is_said_while_it_reads_comes_behind() {
    for archive in [true, false] {
        let mut lab = absent(Conduct {
            archive,
            page: 2,
            ..Conduct::default()
        });
        for n in 0..5 {
            lab.muc.now = lab.now;
            lab.muc.says("Bob", &format!("missed {n}"));
        }
        lab.muc.conduct.silent = false;
        lab.muc.forget();
        // With each stanza that the room sends, Ann says something.
        let end = lab.now.plus(minutes(6));
        let mut said = 0;
        while lab.now < end && said < 12 {
            let comes = !lab.muc.out.is_empty();
            lab.step();
            if comes && lab.muc.listener().is_some() {
                lab.muc.says("Ann", &format!("live {said}"));
                said += 1;
            }
        }
        lab.later(minutes(6));
        let mut wanted = vec!["Ann| before".to_owned()];
        wanted.extend((0..5).map(|n| format!("Bob| missed {n}")));
        wanted.extend((0..12).map(|n| format!("Ann| live {n}")));
        assert_eq!(lab.on_qq(), wanted, "{archive}");
    }
}

#[test]
fn more_than_can_be_held_is_read_from_the_archive() {
    let mut lab = Lab::new();
    lab.says("Ann", "first");
    lab.muc.conduct.lose = 1;
    lab.hears(1001, "一");
    lab.run();
    lab.now = lab.now.plus(seconds(21));
    let admitted = lab.room.tick(lab.now);
    lab.muc.now = lab.now;
    for n in 0..1500 {
        lab.muc.says("Bob", &format!("{n}"));
    }
    lab.take(admitted);
    lab.later(minutes(1));
    assert_eq!(lab.on_qq().len(), 1501);
    assert_eq!(lab.on_qq()[1500], "Bob| 1499");
    assert_eq!(lab.muc.shown().iter().filter(|line| line.contains('一')).count(), 1);
}

#[test]
fn an_archive_that_falls_silent_is_tried_again() {
    let mut lab = absent(Conduct {
        page: 2,
        ..Conduct::default()
    });
    for n in 0..6 {
        lab.muc.now = lab.now;
        lab.muc.says("Bob", &format!("missed {n}"));
    }
    lab.muc.conduct.silent = false;
    lab.muc.forget();
    while lab.on_qq().len() < 3 {
        lab.step();
    }
    lab.muc.out.clear();
    lab.later(minutes(2));
    assert_eq!(lab.on_qq().len(), 7, "{:?}", lab.on_qq());
}

#[test]
fn a_first_visit_hears_nothing_of_the_past() {
    for archive in [true, false] {
        let mut lab = Lab::outside(
            settings(),
            Conduct {
                archive,
                ..Conduct::default()
            },
        );
        lab.muc.says("Ann", "private matters");
        lab.run();
        lab.says("Ann", "hi");
        assert_eq!(lab.on_qq(), ["Ann| hi"]);
    }
}

#[test]
fn answers_and_reactions_of_people_say_what_they_are_about() {
    let mut lab = Lab::new();
    lab.qq(1001, "早");
    let id = lab.muc.lines[0].stanza_id.clone();
    lab.sends(
        "Ann",
        &format!(
            "<body>&gt; 小明: 早\nhi</body><reply xmlns='urn:xmpp:reply:0' id='{id}'/><fallback \
        xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>"
        ),
    );
    lab.sends(
        "Ann",
        &format!("<reactions xmlns='urn:xmpp:reactions:0' id='{id}'><reaction>👍</reaction></reactions>"),
    );
    lab.sends("Ann", "<body>@小明 and @小红: 早</body>");
    assert_eq!(lab.overheard[0].about, About::Answers(id.clone()));
    assert_eq!(
        lab.overheard[0].spoken.speech.as_ref().map(|s| s.text.as_str()),
        Some("hi")
    );
    assert_eq!(lab.overheard[1].about, About::Reacts(id, vec!["👍".into()]));
    assert_eq!(lab.overheard[1].spoken.speech, None);
    let mentions = &lab.overheard[2].spoken.speech.as_ref().expect("words").mentions;
    assert_eq!(mentions.len(), 2, "{mentions:?}");
    assert_eq!(lab.overheard[0].author, Author::Guest("o-ann@ex.org".into()));
}

#[test]
fn a_clock_that_is_behind_costs_nothing() {
    for archive in [true, false] {
        let behind = seconds(9);
        let conduct = Conduct {
            archive,
            behind,
            ..Conduct::default()
        };
        let mut lab = Lab::with(settings(), conduct);
        lab.later(minutes(1));
        lab.says("Ann", "before");
        // Lost without a trace, and something else is said at once.
        lab.muc.forget();
        lab.says("Bob", "missed");
        lab.restart();
        lab.later(minutes(6));
        assert_eq!(lab.on_qq(), ["Ann| before", "Bob| missed"], "{archive}");
    }
}
