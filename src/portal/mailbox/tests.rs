use super::*;
use xmpp_parsers::message::Message;
use xmpp_parsers::presence::Presence;

const ALL: Portion = Portion {
    words: usize::MAX,
    motion: usize::MAX,
};

fn event(type_: Type) -> Event {
    from("ann", Presence::new(type_))
}

fn from(who: &str, stanza: impl Into<Stanza>) -> Event {
    Event {
        from: format!("{who}@example.org/phone").parse().expect("a JID"),
        to: "room@qq.example.org".parse().expect("a JID"),
        stanza: stanza.into(),
    }
}

fn words() -> Message {
    Message::groupchat(None)
}

fn seen(taken: &[Event]) -> Vec<String> {
    let one = |event: &Event| {
        let what = match &event.stanza {
            Stanza::Message(_) => "says",
            Stanza::Presence(presence) if presence.type_ == Type::None => "comes",
            _ => "goes",
        };
        format!("{} {what}", event.from.node().expect("a node"))
    };
    taken.iter().map(one).collect()
}

#[test]
fn words_overtake_the_motion_of_others_alone() {
    let mailbox = Mailbox::default();
    let (comes, goes) = (|| Presence::new(Type::None), || Presence::new(Type::Unavailable));
    for event in [
        from("ann", goes()),
        from("ann", comes()),
        from("ann", words()),
        from("bob", words()),
        from("bob", goes()),
        from("bob", words()),
        from("cyd", goes()),
    ] {
        assert!(mailbox.push(event).is_ok());
    }
    let order = [
        "bob says",
        "ann goes",
        "ann comes",
        "ann says",
        "bob goes",
        "bob says",
        "cyd goes",
    ];
    let taken = mailbox.take(ALL);
    assert_eq!(seen(&taken), order);
    mailbox.give_back(taken.into_iter());
    let part = Portion { words: 2, motion: 9 };
    assert_eq!(seen(&mailbox.take(part)), order[..2]);
    assert_eq!(seen(&mailbox.take(ALL)), order[2..]);
    // Nothing of hers stands there any more.
    assert!(mailbox.push(from("cyd", goes())).is_ok());
    assert!(mailbox.push(from("ann", words())).is_ok());
    assert_eq!(seen(&mailbox.take(ALL)), ["ann says", "cyd goes"]);
}

#[test]
fn nobody_goes_before_their_last_words() {
    let mailbox = Mailbox::default();
    let goes = || Presence::new(Type::Unavailable);
    for event in [
        from("ann", words()),
        from("bob", words()),
        from("ann", goes()),
        from("cyd", goes()),
    ] {
        assert!(mailbox.push(event).is_ok());
    }
    let part = Portion { words: 1, motion: 9 };
    let taken = mailbox.take(part);
    assert_eq!(seen(&taken), ["ann says", "ann goes", "cyd goes"]);
    mailbox.give_back(taken.into_iter());
    assert!(mailbox.push(from("bob", goes())).is_ok());
    // What was given back counts as well.
    assert_eq!(seen(&mailbox.take(part)), ["ann says"]);
    assert_eq!(
        seen(&mailbox.take(ALL)),
        ["ann goes", "cyd goes", "bob says", "bob goes"]
    );
}

#[test]
fn who_answers_a_question_does_not_move() {
    let mailbox = Mailbox::default();
    let pong = Iq::Result {
        from: None,
        to: None,
        id: "ping".into(),
        payload: None,
    };
    for event in [
        from("ann", Presence::new(Type::None)),
        from("bob", pong),
        from("bob", words()),
    ] {
        assert!(mailbox.push(event).is_ok());
    }
    let some = Portion { words: 2, motion: 0 };
    assert_eq!(mailbox.take(some).len(), 2);
}

#[test]
fn a_storm_of_motion_leaves_room_for_words() {
    let mailbox = Mailbox::default();
    for _ in 0..MOTION_AT {
        assert!(mailbox.push(event(Type::None)).is_ok());
    }
    assert!(mailbox.push(from("bob", words())).is_ok());
    let mine = mailbox.push(from("ann", words())).expect_err("behind her own motion");
    assert_eq!(mine.1, Refused::Busy);
    let nothing = Portion { words: 0, motion: 0 };
    assert!(mailbox.take(nothing).is_empty());
    let some = Portion { words: 9, motion: 0 };
    assert_eq!(seen(&mailbox.take(some)), ["bob says"]);
    assert_eq!(mailbox.take(ALL).len(), MOTION_AT);
}

#[test]
fn what_somebody_else_s_room_says_keeps_its_order() {
    let mailbox = Mailbox::default();
    mailbox.push_anyway(from("ann", Presence::new(Type::None)));
    mailbox.push_anyway(from("bob", words()));
    mailbox.push_anyway(from("ann", Presence::new(Type::Unavailable)));
    assert_eq!(seen(&mailbox.take(ALL)), ["ann comes", "bob says", "ann goes"]);
}

#[test]
fn refuses_what_can_be_answered_and_keeps_the_rest() {
    let mailbox = Mailbox::default();
    for _ in 0..MOTION_AT {
        assert!(mailbox.push(event(Type::None)).is_ok());
    }
    let refused = mailbox.push(event(Type::None)).expect_err("full");
    assert_eq!(refused.1, Refused::Busy);
    assert!(mailbox.push(event(Type::Unavailable)).is_ok());
    assert_eq!(mailbox.take(ALL).len(), MOTION_AT + 1);
    assert!(!mailbox.take_overrun());
}

#[test]
fn a_new_stream_waits_until_the_portal_knows_it() {
    let link = || Link::new("qq.example.org".parse().expect("a domain"), 1).0;
    let (first, second) = (link(), link());
    let mailbox = Mailbox::default();
    let taken = || mailbox.take(ALL).len();
    assert!(mailbox.push(event(Type::None)).is_ok());
    mailbox.opened(&first);
    assert!(mailbox.push(event(Type::None)).is_ok());
    assert_eq!(taken(), 1, "what came before");
    mailbox.opened(&second);
    assert!(mailbox.push(event(Type::Unavailable)).is_ok());
    mailbox.linked(&first);
    assert_eq!(taken(), 0);
    mailbox.linked(&second);
    assert_eq!(taken(), 2);
    assert!(mailbox.push(event(Type::None)).is_ok());
    assert_eq!(taken(), 1);
}

#[test]
fn a_closed_one_refuses_joins_and_keeps_departures() {
    let mailbox = Mailbox::default();
    mailbox.close();
    let refused = mailbox.push(event(Type::None)).expect_err("closed");
    assert_eq!(refused.1, Refused::NotReady);
    assert!(mailbox.push(event(Type::Unavailable)).is_ok());
    mailbox.open();
    assert_eq!(mailbox.take(ALL).len(), 1);
}

#[test]
fn is_overrun_past_the_second_depth() {
    let mailbox = Mailbox::default();
    for _ in 0..=DROP_AT {
        assert!(mailbox.push(event(Type::Unavailable)).is_ok());
    }
    assert_eq!(mailbox.take(ALL).len(), DROP_AT);
    assert!(mailbox.take_overrun());
    assert!(!mailbox.take_overrun());
}
