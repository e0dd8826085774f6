//! Taking back and reacting: what the room shows, refuses, and tells to QQ.

use super::*;

const ANN: &str = "ann@ex.org/phone";
const BOB: &str = "bob@ex.org/pc";
const ROOT: &str = "root@ex.org/pc";

/// Ann, Bob and an owner, and one line by Ann (`e1-1`).
fn three() -> Portal {
    let mut p = Portal::new();
    p.members(vec![member(10001, "小明")]);
    for (session, nick) in [(ANN, "Ann"), (BOB, "Bob"), (ROOT, "Root")] {
        p.join(session, nick);
    }
    say(&mut p, ANN, "<body>mine</body>");
    p
}

fn say(p: &mut Portal, from: &str, inner: &str) -> Vec<Got> {
    p.send(&format!(
        "<message type='groupchat' id='m2' from='{from}' to='rust@qq.example'>{inner}</message>"
    ))
}

fn take_back(id: &str) -> String {
    format!("<retract xmlns='urn:xmpp:message-retract:1' id='{id}'/><body>/me took it back</body>")
}

fn moderate(p: &mut Portal, from: &str, id: &str) -> Vec<Got> {
    p.send(&format!(
        "<iq type='set' id='q1' from='{from}' to='rust@qq.example'><moderate xmlns='urn:xmpp:message-moderate:1' id='{id}'><retract xmlns='urn:xmpp:message-retract:1'/><reason>spam</reason></moderate></iq>"
    ))
}

#[test]
fn only_authors_take_back() {
    let mut p = three();
    assert_eq!(
        refused(&say(&mut p, BOB, &take_back("e1-1")), BOB),
        ("auth".into(), "forbidden".into())
    );
    for gone in ["e1-77", "e0-1", "m1", ""] {
        assert_eq!(
            refused(&say(&mut p, BOB, &take_back(gone)), BOB),
            ("cancel".into(), "item-not-found".into())
        );
    }
    let two = format!(
        "{}<retract xmlns='urn:xmpp:message-retract:1' id='e1-1'/>",
        take_back("e1-1")
    );
    assert_eq!(
        refused(&say(&mut p, BOB, &two), BOB),
        ("modify".into(), "bad-request".into())
    );
    let eve = "eve@ex.org/x";
    assert_eq!(refused(&say(&mut p, eve, &take_back("e1-1")), eve).1, "not-acceptable");
    assert_eq!(p.rows.len(), 1, "nobody else's");
    assert_eq!(say(&mut p, ANN, &take_back("e1-1")).len(), 3);
    let spoken = p.spoken.last().expect("a retraction");
    assert_eq!(spoken.retracts, Some(Seq(1)));
    assert!(spoken.speech.is_none(), "QQ is told by taking back, not by words");
}

#[test]
fn reactions_are_told_to_qq() {
    let mut p = three();
    let mut reacts = |to: &str, inner: &str| {
        let got = say(
            &mut p,
            BOB,
            &format!("<reactions xmlns='urn:xmpp:reactions:0' id='{to}'>{inner}</reactions>"),
        );
        assert_eq!(got.len(), 3, "shown in any case");
        let spoken = p.spoken.pop().expect("something said");
        assert!(spoken.speech.is_none() && !spoken.ephemeral);
        spoken.reacts
    };
    let set = |emoji: &[&str]| Some((Seq(1), emoji.iter().map(|e| (*e).to_owned()).collect()));
    let emoji = |emoji: &str| format!("<reaction>{emoji}</reaction>");
    assert_eq!(reacts("e1-1", ""), set(&[]));
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
    let several = ["👍", " ❤️ ", "👍", "", family, "not an emoji"].map(emoji).concat();
    assert_eq!(reacts("e1-1", &several), set(&["❤️", "👍", family]));
    let many = ('a'..='z').map(|c| emoji(&c.to_string())).collect::<String>();
    assert_eq!(reacts("e1-1", &many), set(&["a", "b", "c", "d", "e", "f", "g", "h"]));
    for unknown in ["m2", "e0-1", ""] {
        assert_eq!(reacts(unknown, &emoji("👍")), None, "{unknown}");
    }
}

#[test]
fn two_sets_of_reactions_are_none() {
    let mut p = three();
    let one = "<reactions xmlns='urn:xmpp:reactions:0' id='e1-1'><reaction>👍</reaction></reactions>";
    say(&mut p, BOB, &one.repeat(2));
    assert_eq!(p.spoken.pop().expect("something said").reacts, None);
}

#[test]
fn an_owner_takes_away() {
    let mut p = three();
    let got = moderate(&mut p, ROOT, "e1-1");
    let root = p.person_id("root@ex.org");
    let wanted = format!(
        "<message type='groupchat' id='e1-2' from='rust@qq.example'><retract xmlns='urn:xmpp:message-retract:1' id='e1-1'><moderated xmlns='urn:xmpp:message-moderate:1' by='rust@qq.example/Root'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{root}'/></moderated><reason>spam</reason></retract><apply-to xmlns='urn:xmpp:fasten:0' id='e1-1'><moderated xmlns='urn:xmpp:message-moderate:0' by='rust@qq.example/Root'><retract xmlns='urn:xmpp:message-retract:0'/><reason>spam</reason></moderated></apply-to><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-2'/></message>"
    );
    expect(
        &got,
        &[
            (ROOT, "<iq type='result' id='q1' from='rust@qq.example'/>".into()),
            (ANN, wanted.clone()),
            (BOB, wanted.clone()),
            (ROOT, wanted),
        ],
    );
}

#[test]
fn an_owner_takes_away_in_the_older_form() {
    let mut p = three();
    let got = p.send(&format!(
        "<iq type='set' id='q1' from='{ROOT}' to='rust@qq.example'><apply-to xmlns='urn:xmpp:fasten:0' id='e1-1'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderate></apply-to></iq>"
    ));
    assert_eq!((got.len(), got[0].1.attr("type")), (4, Some("result")));
    assert_eq!(
        p.rows[1].content,
        Content::Retraction {
            row: Seq(1),
            moderated: true,
            reason: None,
        }
    );
}

#[test]
fn who_may_not_take_away() {
    let mut p = three();
    assert_eq!(
        refused(&moderate(&mut p, BOB, "e1-1"), BOB),
        ("auth".into(), "forbidden".into())
    );
    let elsewhere = "root@ex.org/elsewhere";
    assert_eq!(
        refused(&moderate(&mut p, elsewhere, "e1-1"), elsewhere).1,
        "not-acceptable"
    );
    let eve = "eve@evil.example/x";
    assert_eq!(refused(&moderate(&mut p, eve, "e1-1"), eve).1, "forbidden");
    for unknown in ["e1-77", "e0-1", "m2", ""] {
        assert_eq!(refused(&moderate(&mut p, ROOT, unknown), ROOT).1, "item-not-found");
    }
    let got = p.send(&format!(
        "<iq type='set' id='q1' from='{ROOT}' to='rust@qq.example'><moderate xmlns='urn:xmpp:message-moderate:1' id='e1-1'/></iq>"
    ));
    assert_eq!(refused(&got, ROOT).1, "service-unavailable");
    assert_eq!(p.rows.len(), 1, "nothing was taken away");
}

#[test]
fn what_was_taken_back_is_a_tombstone_in_history_and_archive() {
    let mut p = three();
    say(&mut p, ANN, &take_back("e1-1"));
    p.rows[0].content = Content::Tombstone {
        id: Some("m2".into()),
        retraction: Seq(2),
        time: p.now,
        moderator: None,
    };
    let ann = p.person_id("ann@ex.org");
    let tombstone = |ns: &str, delay: &str| {
        format!(
            "<message{ns} type='groupchat' id='m2' from='rust@qq.example/Ann'><retracted xmlns='urn:xmpp:message-retract:1' id='e1-2' stamp='2001-09-09T01:46:40.000Z'/>{delay}<stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-1'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></message>"
        )
    };
    let got = p.join("cat@ex.org/x", "Cat");
    let history: Vec<_> = got.iter().filter(|(_, e)| e.name() == "message").cloned().collect();
    let delay = "<delay xmlns='urn:xmpp:delay' from='rust@qq.example' stamp='2001-09-09T01:46:40.000Z'/>";
    assert_eq!(history[0].1, xml(&tombstone("", delay)));
    assert!(history[1].1.has_child("retract", "urn:xmpp:message-retract:1"));
    let got = p.send(&format!(
        "<iq type='set' id='q1' from='{ANN}' to='rust@qq.example'><query xmlns='urn:xmpp:mam:2'/></iq>"
    ));
    let forwarded = got[0]
        .1
        .get_child("result", "urn:xmpp:mam:2")
        .and_then(|r| r.get_child("forwarded", "urn:xmpp:forward:0"))
        .and_then(|f| f.get_child("message", "jabber:client"))
        .expect("a forwarded message");
    let wanted: Element = tombstone(" xmlns='jabber:client'", "").parse().expect("XML");
    assert_eq!(*forwarded, wanted);
}

#[test]
fn nobody_else_makes_tombstones() {
    let mut p = three();
    let got = say(
        &mut p,
        BOB,
        "<body>x</body><retracted xmlns='urn:xmpp:message-retract:1' id='e1-1'/>",
    );
    assert!(!String::from(&got[0].1).contains("retracted"));
}
