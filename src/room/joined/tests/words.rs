//! What members said is shown once and in order, whatever the room answers.

use super::*;
use crate::model::{Answered, Handle, Reply};

fn answer(row: Seq, nick: &str, text: &str) -> Content {
    let answered = Answered {
        row,
        nick: nick.into(),
        text: "早".into(),
    };
    let reply = Reply {
        handle: Handle("h".into()),
        quote: None,
        answered: Some(answered),
    };
    Content::Parts(vec![Part::Reply(reply), Part::Text(text.into())])
}

fn take_back(row: Seq, moderated: bool) -> Content {
    Content::Retraction {
        row,
        moderated,
        reason: None,
    }
}

/// The last message of ours, as XML.
fn last(lab: &Lab) -> String {
    let line = lab
        .muc
        .lines
        .iter()
        .rev()
        .find(|line| line.is_ours())
        .expect("words of ours");
    String::from(&line.message)
}

#[test]
fn a_lost_message_is_said_again_and_a_hidden_one_is_not() {
    for archive in [true, false] {
        for (lose, hide) in [(1, 0), (0, 1)] {
            let conduct = Conduct {
                archive,
                ..Conduct::default()
            };
            let mut lab = Lab::with(settings(), conduct);
            lab.says("Ann", "hi");
            (lab.muc.conduct.lose, lab.muc.conduct.hide) = (lose, hide);
            lab.hears(1001, "一");
            lab.hears(1002, "二");
            lab.later(minutes(2));
            assert_eq!(
                lab.muc.shown(),
                ["Ann| hi", "小明| 一", "小红| 二"],
                "{archive} {lose} {hide}"
            );
            assert_eq!(lab.on_qq(), ["Ann| hi"]);
            assert_eq!(lab.said, Seq(3));
            assert!(lab.inside());
        }
    }
}

#[test]
fn what_is_heard_meanwhile_does_not_hide_what_was_shown() {
    for archive in [true, false] {
        for restart in [true, false] {
            let conduct = Conduct {
                archive,
                ..Conduct::default()
            };
            let mut lab = Lab::with(settings(), conduct);
            lab.muc.conduct.hide = 1;
            lab.qq(1001, "一");
            lab.later(seconds(1));
            lab.says("Ann", "hi");
            if restart {
                lab.restart();
            }
            lab.later(minutes(2));
            assert_eq!(lab.muc.shown(), ["小明| 一", "Ann| hi"]);
            assert_eq!(lab.on_qq(), ["Ann| hi"]);
        }
    }
}

#[test]
fn what_is_refused_for_a_while_waits() {
    for refusal in [("wait", "resource-constraint"), ("wait", "policy-violation")] {
        let mut lab = Lab::new();
        lab.muc.conduct.refuse_words = [refusal; 3].into();
        lab.hears(1001, "一");
        lab.hears(1002, "二");
        lab.run();
        assert!(lab.muc.shown().is_empty());
        lab.later(minutes(1));
        assert_eq!(lab.muc.shown(), ["小明| 一", "小红| 二"], "{refusal:?}");
    }
}

#[test]
fn a_room_with_a_limit_gets_everything_at_its_pace() {
    let conduct = Conduct {
        limit: Some((0.5, 3.0)),
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    let texts: Vec<String> = (0..40).map(|n| format!("line {n}")).collect();
    for (n, text) in texts.iter().enumerate() {
        lab.hears(1001 + n as u64 % 3, text);
    }
    lab.later(minutes(10));
    let shown = lab.muc.shown();
    assert_eq!(shown.len(), 40, "{shown:?}");
    for (line, text) in shown.iter().zip(&texts) {
        assert!(line.ends_with(text), "{line} for {text}");
    }
    let refused = lab.muc.got.iter().filter(|got| got.name() == "message").count() - 40;
    assert!(refused < 40, "{refused} in vain");
}

#[test]
fn what_never_fits_is_given_up_and_said_so() {
    let conduct = Conduct {
        limit: Some((0.5, 3.0)),
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    lab.hears(1001, "1\n2\n3\n4\n5\n6\n7\n8");
    lab.hears(1002, "二");
    lab.later(minutes(30));
    assert!(
        lab.muc.shown().iter().any(|line| line.ends_with("二")),
        "{:?}",
        lab.muc.shown()
    );
    assert!(
        lab.alerts()[0].contains("refuses a message of 小明"),
        "{:?}",
        lab.alerts()
    );
    assert!(lab.muc.shown().iter().any(|line| line.contains("NotSaid(1)")));
}

#[test]
fn a_message_that_is_refused_for_good_holds_up_nobody() {
    for condition in [
        "not-acceptable",
        "item-not-found",
        "service-unavailable",
        "bad-request",
        "not-allowed",
    ] {
        let mut lab = Lab::new();
        lab.muc.conduct.refuse_text = Some(("一", condition));
        lab.hears(1001, "一");
        lab.later(minutes(10));
        let joins = lab.muc.comings.len();
        assert!(joins < 20, "{condition}: {joins} entries");
        lab.qq(1002, "二");
        assert!(
            lab.muc.shown().iter().any(|line| line.ends_with("二")),
            "{condition}: {:?}",
            lab.muc.shown()
        );
        assert_eq!(lab.muc.shown(), ["QQ| NotSaid(1)", "小红| 二"], "{condition}");
    }
}

#[test]
fn without_voice_it_waits_and_goes_on_when_there_is_one() {
    let conduct = Conduct {
        moderated: true,
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    lab.qq(1001, "一");
    lab.later(minutes(10));
    assert!(lab.muc.shown().is_empty());
    assert_eq!(lab.alerts().len(), 1);
    assert!(lab.alerts()[0].contains("no voice"));
    assert!(matches!(lab.room.trouble(), Some(Trouble::NeedsOperator(_))));
    // A moderator gives it to the listener.
    for occupant in lab.muc.occupants.iter_mut().filter(|o| o.nick == "QQ") {
        occupant.role = "participant";
    }
    lab.later(minutes(2));
    assert_eq!(lab.muc.shown(), ["QQ| 小明: 一"]);
    assert_eq!(lab.room.trouble(), None);
}

#[test]
fn voice_for_the_puppet_is_enough() {
    let conduct = Conduct {
        moderated: true,
        ..Conduct::default()
    };
    let mut lab = Lab::with(settings(), conduct);
    lab.qq(1001, "一");
    for occupant in lab.muc.occupants.iter_mut().filter(|o| o.nick == "小明") {
        occupant.role = "participant";
    }
    lab.later(minutes(3));
    assert_eq!(lab.muc.shown(), ["小明| 一"]);
}

#[test]
fn who_fell_out_of_the_room_comes_back_and_says_it() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    lab.muc.occupants.retain(|o| o.nick != "小明");
    lab.qq(1001, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二"]);
    lab.muc.forget();
    lab.hears(1001, "三");
    lab.later(minutes(10));
    assert_eq!(lab.muc.shown(), ["小明| 一", "小明| 二", "小明| 三"]);
    assert!(lab.on_qq().is_empty());
}

#[test]
fn answers_reactions_and_retractions_name_what_the_room_calls_it() {
    let mut lab = Lab::new();
    let theirs = lab.says("Ann", "早");
    lab.hears_content(1001, answer(Seq(1), "Ann", "你好"));
    lab.run();
    assert!(
        last(&lab).contains("urn:xmpp:reply:0") && last(&lab).contains(&theirs),
        "{}",
        last(&lab)
    );
    assert_eq!(lab.muc.shown()[1], "小明| > Ann: 早\n你好");
    let own = lab.muc.lines[1].stanza_id.clone();
    lab.hears_content(
        1002,
        Content::Reactions {
            row: Seq(2),
            emoji: vec!["👍".into()],
        },
    );
    lab.run();
    assert!(last(&lab).contains(&own) && last(&lab).contains("👍"), "{}", last(&lab));
    assert_eq!(lab.muc.lines[2].nick, "小红");
    lab.hears_content(1001, take_back(Seq(2), false));
    lab.run();
    let line = &lab.muc.lines[3];
    assert_eq!(line.nick, "小明");
    assert!(
        last(&lab).contains("message-retract:1") && last(&lab).contains(&own),
        "{}",
        last(&lab)
    );
    assert_eq!(lab.on_qq(), ["Ann| 早"]);
}

#[test]
fn what_is_taken_back_at_once_is_taken_back() {
    let mut lab = Lab::new();
    lab.qq(1001, "零");
    let row = lab.hears(1001, "糟");
    // An admin of the group takes it back; only its author can in the room.
    lab.hears_content(1002, take_back(row, true));
    lab.hears_content(1002, answer(row, "小明", "嗯"));
    lab.run();
    let id = lab.muc.lines[1].stanza_id.clone();
    assert_eq!(lab.muc.lines.len(), 4, "{:?}", lab.muc.shown());
    assert_eq!(lab.muc.lines[2].nick, "小明");
    assert!(String::from(&lab.muc.lines[2].message).contains(&id));
    assert!(last(&lab).contains(&id));
}

#[test]
fn what_the_listener_said_it_takes_back() {
    let mut lab = Lab::with(
        Settings {
            puppets: false,
            ..settings()
        },
        Conduct::default(),
    );
    let row = lab.qq(1001, "糟");
    lab.settings.puppets = true;
    let admitted = lab.room.configure(lab.settings.clone(), lab.now);
    lab.take(admitted);
    lab.hears_content(1001, take_back(row, false));
    lab.run();
    assert_eq!(lab.muc.lines[1].nick, "QQ");
    assert!(last(&lab).contains("message-retract:1"));
}

#[test]
fn what_the_room_moderated_is_not_taken_back_there_again() {
    let mut lab = Lab::new();
    let row = lab.qq(1001, "一");
    let id = lab.muc.lines[0].stanza_id.clone();
    lab.muc.room_says(&format!(
        "<retract xmlns='urn:xmpp:message-retract:1' id='{id}'><moderated xmlns='urn:xmpp:message-moderate:1' \
         by='{ROOM}/Bob'/><reason>spam</reason></retract>"
    ));
    lab.run();
    let heard = lab.overheard.last().expect("a moderation");
    assert_eq!(heard.about, About::Moderates(id, Some("spam".into())));
    assert_eq!(
        (heard.author.clone(), heard.spoken.nick.as_str()),
        (Author::Guest("=Bob".into()), "Bob")
    );
    // The row that the portal makes of it comes by.
    lab.row(Author::Guest("=Bob".into()), "Bob", take_back(row, true));
    lab.qq(1002, "二");
    assert_eq!(lab.muc.shown(), ["小明| 一", "小红| 二"]);
    assert_eq!(lab.muc.lines.iter().filter(|line| line.is_ours()).count(), 2);
}

#[test]
fn a_long_absence_leaves_out_what_is_too_much_and_counts_it() {
    let mut lab = Lab::new();
    lab.qq(1001, "零");
    lab.muc.conduct.down = true;
    for n in 0..50 {
        lab.hears(1001, &format!("line {n}"));
    }
    lab.later(hours(1));
    lab.muc.conduct.down = false;
    lab.later(minutes(10));
    let shown = lab.muc.shown();
    let lines = shown.iter().filter(|line| line.contains("line ")).count();
    let told: usize = shown
        .iter()
        .filter_map(|line| {
            line.split_once("NotSaid(")?
                .1
                .trim_end_matches(')')
                .parse::<usize>()
                .ok()
        })
        .sum();
    assert_eq!(lines + told, 50, "{shown:?}");
    assert!((29..=31).contains(&lines), "{lines}");
}

#[test]
fn what_is_too_old_is_left_out_and_counted() {
    let mut lab = Lab::new();
    lab.qq(1001, "零");
    lab.muc.conduct.silent = true;
    lab.hears(1001, "一");
    lab.later(hours(25));
    lab.muc.conduct.silent = false;
    lab.later(minutes(10));
    assert!(
        !lab.muc.shown().iter().any(|line| line.contains('一')),
        "{:?}",
        lab.muc.shown()
    );
    assert!(
        lab.muc.shown().iter().any(|line| line.contains("NotSaid(1)")),
        "{:?}",
        lab.muc.shown()
    );
}

#[test]
fn a_short_doubt_is_no_absence() {
    let mut lab = Lab::new();
    lab.muc.conduct.lose = 1;
    for n in 0..50 {
        lab.hears(1001, &format!("line {n}"));
    }
    lab.later(minutes(2));
    assert_eq!(lab.muc.shown().len(), 50);
    assert_eq!(lab.returned, 1);
}
