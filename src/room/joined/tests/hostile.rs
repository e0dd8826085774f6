//! What occupants forge counts for nothing, and nothing goes round in circles.

use super::*;

fn user(inside: &str) -> String {
    format!("<x xmlns='http://jabber.org/protocol/muc#user'>{inside}</x>")
}

#[test]
fn errors_from_occupants_are_no_answers_of_the_room() {
    for condition in [
        "not-acceptable",
        "forbidden",
        "remote-server-not-found",
        "item-not-found",
        "bad-request",
    ] {
        let mut lab = Lab::new();
        lab.muc.conduct.hide = 1;
        lab.qq(1001, "一");
        let (to, sent) = (lab.listener(), lab.muc.got.len());
        let error = format!("<error type='cancel'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
        lab.comes(&format!(
            "<message type='error' id='e1-1' from='{ROOM}/Bob' to='{to}'>{error}</message>"
        ));
        lab.comes(&format!(
            "<presence type='error' id='x' from='{ROOM}/Bob' to='{to}'>{error}</presence>"
        ));
        assert_eq!(lab.muc.got.len(), sent, "{condition}");
        assert!(lab.inside(), "{condition}");
        lab.later(minutes(2));
        assert_eq!(lab.muc.shown(), ["小明| 一"], "{condition}");
    }
}

#[test]
fn answers_from_occupants_are_no_answers_of_the_room() {
    let mut lab = Lab::outside(
        settings(),
        Conduct {
            silent: true,
            ..Conduct::default()
        },
    );
    lab.run();
    let to = lab.listener();
    let id = lab.muc.got[0].attr("id").expect("an id").to_owned();
    lab.comes(&format!("<iq type='result' id='{id}' from='{ROOM}/Bob' to='{to}'/>"));
    assert_eq!(lab.muc.asked("presence", &[ROOM]), 0);
}

#[test]
fn a_forged_occupant_id_is_nobody() {
    let mut lab = Lab::with(
        settings(),
        Conduct {
            occupant_ids: false,
            ..Conduct::default()
        },
    );
    lab.qq(1001, "一");
    lab.sends(
        "Bob",
        "<body>hi</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='=Ann'/>",
    );
    assert_eq!(lab.overheard[0].author, Author::Guest("=Bob".into()));
}

#[test]
fn a_forged_address_makes_nobody_one_of_ours() {
    for occupant_ids in [true, false] {
        let mut lab = Lab::with(
            settings(),
            Conduct {
                occupant_ids,
                ..Conduct::default()
            },
        );
        lab.qq(1001, "一");
        // Ids of the next rows, which another bridge would keep when it brings our words back, and one of a person's own.
        for id in ["e1-3", "e1-5", "b7"] {
            lab.muc.sends_as(
                "Bob",
                id,
                &format!("<body>{id}</body>{}", user("<item jid='u-1@qq.example/gw'/>")),
            );
            lab.run();
        }
        lab.hears(1001, "二");
        lab.hears(1001, "三");
        lab.run();
        assert_eq!(
            lab.muc.shown(),
            ["小明| 一", "Bob| e1-3", "Bob| e1-5", "Bob| b7", "小明| 二", "小明| 三"],
            "{occupant_ids}"
        );
        assert_eq!(lab.on_qq(), ["Bob| b7"]);
    }
}

#[test]
fn forged_results_in_private_are_not_read() {
    let mut lab = Lab::new();
    lab.says("Ann", "hi");
    lab.room.doubt(lab.now);
    let to = lab.listener();
    let found = "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' \
                 stamp='2023-11-14T22:13:20Z'/><message xmlns='jabber:client' type='groupchat' from='cats@c.example/Ann'>\
                 <body>forged</body></message></forwarded></result>";
    lab.comes(&format!(
        "<message from='{ROOM}/Bob' to='{to}' type='chat'>{found}</message>"
    ));
    lab.comes(&format!("<message from='{ROOM}' to='{to}'>{found}</message>"));
    lab.later(minutes(1));
    assert_eq!(lab.on_qq(), ["Ann| hi"]);
}

#[test]
fn a_delay_by_a_client_changes_nothing() {
    for archive in [true, false] {
        let mut lab = Lab::with(
            settings(),
            Conduct {
                archive,
                ..Conduct::default()
            },
        );
        let delay = "<delay xmlns='urn:xmpp:delay' from='bob@ex.org' stamp='2030-01-01T00:00:00Z'/>";
        lab.sends("Bob", &format!("<body>one</body>{delay}"));
        lab.room.doubt(lab.now);
        let tick = lab.room.tick(lab.now);
        lab.take(tick);
        lab.sends("Bob", &format!("<body>two</body>{delay}"));
        lab.later(minutes(1));
        assert!(
            lab.heard.as_ref().is_some_and(|heard| heard.time <= lab.now),
            "{:?}",
            lab.heard
        );
        assert_eq!(lab.on_qq(), ["Bob| one", "Bob| two"]);
        assert!(lab.overheard.iter().all(|o| o.spoken.time <= lab.now));
        lab.later(minutes(1));
        lab.room.doubt(lab.now);
        lab.says("Ann", "three");
        lab.later(minutes(1));
        assert_eq!(lab.on_qq().len(), 3);
    }
}

#[test]
fn a_presence_under_a_guessed_id_is_not_ours() {
    let mut lab = Lab::outside(settings(), Conduct::default());
    // Everything up to the entry.
    while lab.muc.asked("presence", &[ROOM]) == 0 {
        lab.step();
    }
    let id = lab
        .muc
        .got
        .last()
        .and_then(|join| join.attr("id"))
        .expect("an id")
        .to_owned();
    let to = lab.listener();
    lab.comes(&format!(
        "<presence id='{id}' from='{ROOM}/Bob' to='{to}'>{}<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o-bob@ex.org'/></presence>",
        user("<item affiliation='owner' role='moderator'/>")
    ));
    assert_eq!(lab.room.listener.nick, "QQ");
    assert!(!lab.room.listener.is_admin());
    lab.says("Bob", "hi");
    assert_eq!(lab.on_qq(), ["Bob| hi"]);
}

#[test]
fn a_forged_moderation_is_an_ordinary_message() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    let id = lab.muc.lines[0].stanza_id.clone();
    lab.sends(
        "Bob",
        &format!(
            "<retract xmlns='urn:xmpp:message-retract:1' id='{id}'><moderated xmlns='urn:xmpp:message-moderate:1' \
         by='{ROOM}/Ann'/></retract>"
        ),
    );
    assert!(!lab.overheard.iter().any(|o| matches!(o.about, About::Moderates(..))));
}

#[test]
fn our_own_words_never_come_back_whatever_the_nick() {
    for (archive, occupant_ids) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut lab = Lab::outside(
            settings(),
            Conduct {
                archive,
                occupant_ids,
                ..Conduct::default()
            },
        );
        lab.muc.person("QQ");
        lab.run();
        lab.settings.puppets = false;
        let admitted = lab.room.configure(lab.settings.clone(), lab.now);
        lab.take(admitted);
        lab.qq(1001, "一");
        assert_eq!(lab.muc.shown(), ["QQ (QQ)| 小明: 一"]);
        // The nick gets free while the listener is away, and the past shows the old one.
        lab.muc.conduct.hide = 9;
        lab.qq(1001, "二");
        lab.muc.remove("qq@ex.org/x", &[], "", "");
        lab.muc.forget();
        lab.restart();
        lab.run();
        lab.later(minutes(2));
        assert_eq!(lab.muc.ours(), ["QQ"]);
        assert!(lab.on_qq().is_empty(), "{archive} {occupant_ids}: {:?}", lab.on_qq());
    }
}

#[test]
fn a_person_under_the_listener_s_old_nick_is_heard() {
    let mut lab = Lab::new();
    lab.muc.expel("QQ", 307);
    lab.run();
    lab.muc.person("QQ");
    lab.later(minutes(61));
    assert_eq!(lab.muc.ours(), ["QQ (QQ)"]);
    lab.says("QQ", "hi");
    assert_eq!(lab.on_qq(), ["QQ| hi"]);
}

#[test]
fn private_words_are_answered_seldom_and_go_nowhere() {
    let mut lab = Lab::new();
    lab.qq(1001, "一");
    let puppet = lab.muc.by_nick("小明").expect("inside").jid.clone();
    for to in [lab.listener(), puppet.clone(), puppet] {
        lab.comes(&format!(
            "<message type='chat' from='{ROOM}/Bob' to='{to}'><body>psst</body>{}</message>",
            user("")
        ));
        lab.later(seconds(40));
    }
    let whispers: Vec<_> = lab.muc.whispers.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(whispers, ["Bob", "Bob"]);
    assert!(lab.on_qq().is_empty());
    for n in 0..1000 {
        let to = lab.listener();
        lab.comes(&format!(
            "<message type='chat' from='{ROOM}/n{n}' to='{to}'><body>psst</body></message>"
        ));
    }
    assert!(lab.muc.whispers.len() < 300);
}

#[test]
fn a_stranger_s_stanza_is_nothing() {
    let mut lab = Lab::new();
    let to = lab.listener();
    lab.comes(&format!(
        "<message type='groupchat' from='dogs@c.example/Ann' to='{to}'><body>hi</body></message>"
    ));
    lab.comes(&format!(
        "<presence type='unavailable' from='dogs@c.example/QQ' to='{to}'>{}</presence>",
        user("<status code='301'/>")
    ));
    assert!(lab.inside() && lab.on_qq().is_empty());
}
