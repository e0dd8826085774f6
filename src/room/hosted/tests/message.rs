use super::*;
use crate::model::{Mention, Reply};
use crate::xmpp::render::id::Ids;

const ANN: &str = "ann@ex.org/phone";

fn two() -> Portal {
    let mut p = Portal::new();
    p.members(vec![
        member(10001, "小明"),
        member(10002, "小明 2"),
        member(10003, "Rust: fan"),
    ]);
    p.join(ANN, "Ann");
    p.join("bob@ex.org/pc", "Bob");
    p
}

fn say(p: &mut Portal, inner: &str) -> Vec<Got> {
    p.send(&format!(
        "<message type='groupchat' id='m1' from='{ANN}' to='rust@qq.example'>{inner}</message>"
    ))
}

#[test]
fn reflected_to_all_without_what_was_forged() {
    let mut p = two();
    let got = say(
        &mut p,
        "<body xml:lang='en'>hi</body><thread>t</thread><origin-id xmlns='urn:xmpp:sid:0' id='o1'/><x xmlns='jabber:x:oob'><url>https://ex.org/a</url></x><unknown xmlns='urn:x'>kept<a/></unknown><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='forged'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><delay xmlns='urn:xmpp:delay' from='rust@qq.example' stamp='2001-01-01T00:00:00Z'/><x xmlns='http://jabber.org/protocol/muc#user'><status code='104'/></x><result xmlns='urn:xmpp:mam:2' id='x'/><received xmlns='urn:xmpp:carbons:2'/><retract xmlns='urn:xmpp:message-retract:1' id='e1-1'><moderated xmlns='urn:xmpp:message-moderate:1' by='rust@qq.example/Root'/></retract><addresses xmlns='http://jabber.org/protocol/address'/>",
    );
    let ann = p.person_id("ann@ex.org");
    let wanted = format!(
        "<message type='groupchat' id='m1' from='rust@qq.example/Ann'><body>hi</body><thread>t</thread><origin-id xmlns='urn:xmpp:sid:0' id='o1'/><x xmlns='jabber:x:oob'><url>https://ex.org/a</url></x><unknown xmlns='urn:x'>kept<a/></unknown><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-1'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{ann}'/></message>"
    );
    expect(&got, &[(ANN, wanted.clone()), ("bob@ex.org/pc", wanted)]);
    assert_eq!(p.spoken[0].origin.as_deref(), Some("o1"));
}

#[test]
fn refusals() {
    let mut p = two();
    let got =
        p.send("<message type='groupchat' id='m9' from='eve@ex.org/x' to='rust@qq.example'><body>x</body></message>");
    assert_eq!(
        refused(&got, "eve@ex.org/x"),
        ("cancel".into(), "not-acceptable".into())
    );
    assert_eq!(
        (got[0].1.attr("id"), got[0].1.attr("from")),
        (Some("m9"), Some("rust@qq.example"))
    );
    let got = p.send(&format!(
        "<message type='groupchat' from='{ANN}' to='rust@qq.example/Bob'><body>x</body></message>"
    ));
    assert_eq!(refused(&got, ANN), ("modify".into(), "bad-request".into()));
    let got = say(
        &mut p,
        "<body>x</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>",
    );
    assert_eq!(refused(&got, ANN), ("modify".into(), "not-acceptable".into()));
    let got = say(&mut p, &format!("<body>{}</body>", "x".repeat(20_000)));
    assert_eq!(refused(&got, ANN), ("modify".into(), "policy-violation".into()));
    let got = say(&mut p, "<subject>mine</subject>");
    assert_eq!(refused(&got, ANN), ("auth".into(), "forbidden".into()));
    let got = p.send(&format!(
        "<message type='chat' from='{ANN}' to='rust@qq.example'><body>x</body></message>"
    ));
    assert_eq!(refused(&got, ANN), ("modify".into(), "bad-request".into()));
    assert!(p.rows.is_empty());
    let got = p.send("<message type='groupchat' from='eve@ex.org/x' to='rust@qq.example'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    assert!(got.is_empty());
}

#[test]
fn subject_by_an_owner_is_kept_for_joiners() {
    let mut p = two();
    p.join("root@ex.org/pc", "Root");
    let got = p.send(
        "<message type='groupchat' id='s1' from='root@ex.org/pc' to='rust@qq.example'><subject>new</subject></message>",
    );
    assert_eq!(got.len(), 3);
    let wanted = xml("<message type='groupchat' id='s1' from='rust@qq.example/Root'><subject>new</subject></message>");
    assert!(got.iter().all(|(_, e)| *e == wanted), "{got:?}");
    let got = p.join("cat@ex.org/x", "Cat");
    let last = &got.last().expect("a subject").1;
    assert_eq!(last.get_child("subject", NS).map(Element::text).as_deref(), Some("new"));
    assert!(last.has_child("delay", "urn:xmpp:delay"));
    let got = p.send("<message type='groupchat' from='root@ex.org/pc' to='rust@qq.example'><subject>x</subject><body>a message</body></message>");
    assert_eq!((got.len(), p.rows.len()), (4, 1));
}

#[test]
fn chat_states_pass_and_are_not_kept() {
    let mut p = two();
    let got = say(
        &mut p,
        "<composing xmlns='http://jabber.org/protocol/chatstates'/><no-store xmlns='urn:xmpp:hints'/>",
    );
    assert_eq!(got.len(), 2);
    assert!(got[0].1.has_child("composing", "http://jabber.org/protocol/chatstates"));
    assert!(got[0].1.has_child("occupant-id", "urn:xmpp:occupant-id:0"));
    assert!(!got[0].1.has_child("stanza-id", "urn:xmpp:sid:0"));
    assert!(p.rows.is_empty());
    assert!(say(&mut p, "").is_empty());
}

#[test]
fn reactions_markers_and_retractions_are_kept() {
    let mut p = two();
    for inner in [
        "<reactions xmlns='urn:xmpp:reactions:0' id='e1-1'><reaction>👍</reaction></reactions>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='e1-1'/>",
        "<retract xmlns='urn:xmpp:message-retract:1' id='e1-1'/><body>/me retracted a message</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>",
    ] {
        assert_eq!(say(&mut p, inner).len(), 2, "{inner}");
    }
    assert_eq!(p.rows.len(), 3);
    assert!(p.spoken.iter().all(|s| s.speech.is_none()), "nothing for QQ");
}

#[test]
fn an_id_alone_makes_no_repetition() {
    let mut p = two();
    let mut origin = |inner: &str| {
        say(&mut p, inner);
        p.spoken.pop().and_then(|spoken| spoken.origin)
    };
    let first = origin("<body>one</body>");
    assert!(first.is_some());
    assert_eq!(origin("<body>one</body>"), first);
    assert_ne!(origin("<body>two</body>"), first);
    let named = |body: &str| format!("<body>{body}</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>");
    assert_eq!(origin(&named("one")), origin(&named("two")));
}

#[test]
fn speech_for_qq() {
    let mut p = two();
    let mut speech = |inner: &str| {
        say(&mut p, inner);
        p.spoken.pop().and_then(|s| s.speech).expect("speech")
    };
    let s = speech(
        "<body>&gt; 小明: 😀\nhello</body><reply xmlns='urn:xmpp:reply:0' to='rust@qq.example/小明' id='e1-7'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>",
    );
    assert_eq!((s.text.as_str(), s.action, s.answers), ("hello", false, Some(Seq(7))));
    let s = speech("<body>/me waves</body><reply xmlns='urn:xmpp:reply:0' id='e0-7'/>");
    assert_eq!((s.text.as_str(), s.action, s.answers), ("waves", true, None));
    let s = speech("<body>@小明 2 and @小明, hi @nobody</body>");
    assert_eq!(
        s.mentions,
        [("小明 2".to_owned(), id(10002)), ("小明".to_owned(), id(10001))]
    );
    let s = speech("<body>小明: hi</body>");
    assert_eq!(s.mentions, [("小明".to_owned(), id(10001))]);
    let s = speech("<body>rust: FAN: hi</body>");
    assert_eq!(s.mentions, [("rust: FAN".to_owned(), id(10003))]);
    let s = speech(
        "<body>hi there</body><reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:rust@qq.example/小明' begin='0' end='2'/>",
    );
    assert_eq!(s.mentions, [("小明".to_owned(), id(10001))]);
    let s = speech("<body>fixed</body><replace xmlns='urn:xmpp:message-correct:0' id='m0'/>");
    assert_eq!(s.text, "* fixed");
    let s = speech(
        "<body>https://ex.org/a.jpg</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>",
    );
    assert_eq!(s.text, "https://ex.org/a.jpg");
    let s = speech("<body xml:lang='de'>hallo</body><body xml:lang='en'>hello</body>");
    assert_eq!(s.text, "hallo");
}

#[test]
fn correction_passes_through() {
    let mut p = two();
    let got = say(
        &mut p,
        "<body>fixed</body><replace xmlns='urn:xmpp:message-correct:0' id='m0'/>",
    );
    assert_eq!(
        got[0]
            .1
            .get_child("replace", "urn:xmpp:message-correct:0")
            .and_then(|r| r.attr("id")),
        Some("m0")
    );
}

#[test]
fn from_qq() {
    let mut p = two();
    let got = p.qq(
        10001,
        "小明",
        vec![
            Part::Reply(Reply {
                handle: crate::model::Handle("h".into()),
                answered: None,
                quote: Some("a\nb".into()),
            }),
            Part::Mention(Mention {
                member: Some(id(10002)),
                name: "小明 2".into(),
            }),
            Part::Text(" 😀\u{0}\u{b} ok\r\n".into()),
        ],
    );
    let (one, two) = (p.member_id(10001), p.member_id(10002));
    let wanted = format!(
        "<message type='groupchat' id='e1-1' from='rust@qq.example/小明'><body>&gt; a\n&gt; b\n@小明 2 😀 ok\n</body><mention xmlns='urn:xmpp:mentions:0' begin='8' end='13' occupantid='{two}'/><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-1'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='{one}'/></message>"
    );
    expect(&got, &[(ANN, wanted.clone()), ("bob@ex.org/pc", wanted)]);
}

#[test]
fn a_line_of_the_gateway_comes_from_the_room() {
    let mut p = two();
    let out = p.row(Author::Room, "", Content::Notice("QQ is gone".into()));
    let got: Vec<Got> = out.into_iter().flat_map(got).collect();
    let wanted = "<message type='groupchat' id='e1-1' from='rust@qq.example'><body>QQ is gone</body><stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-1'/></message>";
    expect(&got, &[(ANN, wanted.into()), ("bob@ex.org/pc", wanted.into())]);
}

#[test]
fn repeated_to_one_session_late() {
    let mut p = two();
    say(&mut p, "<body>x</body>");
    let row = p.rows[0].clone();
    let session = full(ANN);
    let out = p.room.reflect(Step::RowTo {
        row: &row,
        session: &session,
        late: true,
    });
    let got: Vec<Got> = out.into_iter().flat_map(got).collect();
    assert!(only(&got, ANN).has_child("delay", "urn:xmpp:delay"));
    let gone = full("gone@ex.org/x");
    let step = Step::RowTo {
        row: &row,
        session: &gone,
        late: false,
    };
    assert!(p.room.reflect(step).is_empty());
}

#[test]
fn ids_are_the_same_for_the_same_salt() {
    let p = two();
    let again = Ids::new(p.room.settings().jid.clone(), "e2", [7; 32]);
    assert_eq!(again.of_member(&id(10001)), p.member_id(10001));
    assert_ne!(p.member_id(10001), p.member_id(10002));
}

#[test]
fn an_author_is_told_by_the_id_of_the_message() {
    let mut p = two();
    say(&mut p, "<body>x</body>");
    let error = p.room.undelivered(&full(ANN), Some("m1"), "QQ is off line\u{0}".into());
    let got = got(error);
    assert_eq!(refused(&got, ANN), ("wait".into(), "recipient-unavailable".into()));
    assert_eq!(
        (got[0].1.attr("id"), got[0].1.attr("from")),
        (Some("m1"), Some("rust@qq.example"))
    );
    assert!(String::from(&got[0].1).contains("QQ is off line<"));
}

#[test]
fn one_stanza_for_everybody() {
    let mut p = Portal::new();
    p.members((0..150).map(|n| member(20_000 + n, &format!("m{n}"))).collect());
    for n in 0..40 {
        p.join(&format!("u{n}@ex.org/x"), &format!("u{n}"));
    }
    let out = p.row(Author::Room, "", Content::Notice("x".into()));
    assert_eq!((out.len(), out[0].to.len()), (1, 40));
    let got = p.join(ANN, "Ann");
    assert_eq!(
        got.iter().filter(|(to, e)| to == ANN && e.name() == "presence").count(),
        191
    );
    let status = event(&format!(
        "<presence from='{ANN}' to='rust@qq.example/Ann'><show>away</show></presence>"
    ));
    let admitted = p.room.admit(status, p.now);
    let [Effect::Change(change)] = admitted.effects.as_slice() else {
        panic!("{admitted:?}")
    };
    let step = Step::Change {
        change,
        history: &[],
        cut: Seq(0),
    };
    let recipients: Vec<usize> = p.room.reflect(step).iter().map(|o| o.to.len()).collect();
    assert_eq!(recipients, [40, 1]);
}
