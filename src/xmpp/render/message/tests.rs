//! One vector for each form that a row takes, and anything at all for what must always hold.

use jid::BareJid;
use proptest::prelude::*;

use super::*;
use crate::model::{Answered, Author, GroupNumber, Handle, MemberId, Mention, Part, Poke, QqNumber, Reply, Seq};
use crate::xmpp::payload::fallback::{Fallback, strip};
use crate::xmpp::payload::ns::FALLBACK;

const NS: &str = "jabber:component:accept";
/// `<stanza-id/>` of the row under test.
const SID: &str = "<stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='e1-9'/>";

fn ids() -> Ids {
    Ids::new(BareJid::new("rust@qq.example").expect("a JID"), "e1", [7; 32])
}

fn member(number: u64) -> MemberId {
    MemberId::Number(QqNumber(number))
}

fn by_member(number: u64, nick: &str, content: Content) -> Row {
    Row {
        seq: Seq(9),
        message: Seq(9),
        time: Timestamp(1_000_000_000_000),
        author: Author::Member {
            group: GroupNumber(1),
            id: member(number),
        },
        nick: nick.into(),
        content,
    }
}

fn by_room(content: Content) -> Row {
    Row {
        author: Author::Room,
        nick: "".into(),
        ..by_member(1, "", content)
    }
}

fn occupant(number: u64) -> String {
    format!(
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{}'/>",
        ids().of_member(&member(number))
    )
}

/// As it is on the wire.
fn shown(row: &Row, language: Language) -> Element {
    let element = Element::from(super::row(&ids(), language, row, false));
    String::from(&element).parse().expect("legal XML")
}

#[track_caller]
fn expect(row: &Row, wanted: &str) {
    let wanted = format!(
        "<message xmlns='{NS}' type='groupchat' {}",
        &wanted["<message ".len()..]
    );
    let (got, wanted) = (shown(row, Language::En), wanted.parse::<Element>().expect("XML"));
    assert!(
        got == wanted,
        "got:\n{}\nwanted:\n{}",
        String::from(&got),
        String::from(&wanted)
    );
}

fn answer(nick: &str, text: &str) -> Part {
    Part::Reply(Reply {
        handle: Handle("h".into()),
        quote: Some("what QQ quoted".into()),
        answered: Some(Answered {
            row: Seq(4),
            nick: nick.into(),
            text: text.into(),
        }),
    })
}

fn mention(number: u64, name: &str) -> Part {
    Part::Mention(Mention {
        member: Some(member(number)),
        name: name.into(),
    })
}

fn body(parts: Vec<Part>, language: Language) -> String {
    let element = shown(&by_member(1, "猫", Content::Parts(parts)), language);
    element.get_child("body", NS).map(Element::text).unwrap_or_default()
}

#[test]
fn an_answer_names_what_it_answers() {
    let parts = vec![
        answer("小明", "早😀\n\nall"),
        mention(2, "小明"),
        Part::Text(" 早上好".into()),
    ];
    let (one, two) = (occupant(1), ids().of_member(&member(2)));
    expect(
        &by_member(1, "猫", Content::Parts(parts)),
        &format!(
            "<message id='e1-9' from='rust@qq.example/猫'><body>&gt; 小明: 早😀\n&gt; all\n@小明 早上好</body><reply xmlns='urn:xmpp:reply:0' to='rust@qq.example/小明' id='e1-4'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='15'/></fallback><mention xmlns='urn:xmpp:mentions:0' begin='15' end='18' occupantid='{two}'/>{SID}{one}</message>"
        ),
    );
}

#[test]
fn an_answer_to_the_room_itself() {
    let parts = vec![answer("", "QQ is gone"), Part::Text("oh".into())];
    let one = occupant(1);
    expect(
        &by_member(1, "猫", Content::Parts(parts)),
        &format!(
            "<message id='e1-9' from='rust@qq.example/猫'><body>&gt; QQ is gone\noh</body><reply xmlns='urn:xmpp:reply:0' to='rust@qq.example' id='e1-4'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>{SID}{one}</message>"
        ),
    );
}

#[test]
fn quotes_are_short() {
    let quoted = |text: &str| body(vec![answer("Ann", text), Part::Text("yes".into())], Language::En);
    assert_eq!(quoted("a\nb\nc\nd\ne"), "> Ann: a\n> b\n> c…\nyes");
    assert_eq!(quoted("a\r\n\r\n \nb"), "> Ann: a\n> b\nyes");
    assert_eq!(quoted(""), "> Ann:\nyes");
    let long = "长".repeat(500);
    assert_eq!(quoted(&long), format!("> Ann: {}…\nyes", "长".repeat(200)));
    let exact = "长".repeat(200);
    assert_eq!(quoted(&exact), format!("> Ann: {exact}\nyes"));
    assert_eq!(quoted(&format!("{exact}\nb")), format!("> Ann: {exact}…\nyes"));
}

#[test]
fn a_quote_without_its_message_is_words() {
    let reply = |quote: Option<&str>| {
        Part::Reply(Reply {
            handle: Handle("h".into()),
            quote: quote.map(Into::into),
            answered: None,
        })
    };
    let yes = || Part::Text("yes".into());
    assert_eq!(body(vec![reply(Some("a\nb")), yes()], Language::En), "> a\n> b\nyes");
    assert_eq!(body(vec![reply(None), yes()], Language::En), "yes");
    let row = by_member(1, "猫", Content::Parts(vec![reply(Some("a")), yes()]));
    assert!(!String::from(&shown(&row, Language::En)).contains("fallback"));
}

#[test]
fn words_of_ours_are_in_the_language_of_the_room() {
    let poke = || {
        vec![Part::Poke(Poke {
            verb: String::new(),
            target: Mention {
                member: Some(member(2)),
                name: "小明".into(),
            },
            suffix: String::new(),
        })]
    };
    assert_eq!(body(poke(), Language::En), "/me poked 小明");
    assert_eq!(body(poke(), Language::Zh), "/me 戳了戳 小明");
    let row = by_member(
        1,
        "猫",
        Content::Retraction {
            row: Seq(4),
            moderated: false,
            reason: None,
        },
    );
    let text = String::from(&shown(&row, Language::Zh));
    assert!(text.contains("<body>/me 撤回了一条消息"), "{text}");
}

#[test]
fn taken_back_by_the_author() {
    let row = by_member(
        1,
        "猫",
        Content::Retraction {
            row: Seq(4),
            moderated: false,
            reason: None,
        },
    );
    expect(
        &row,
        &format!(
            "<message id='e1-9' from='rust@qq.example/猫'><body>/me retracted a previous message, but it's unsupported by your client.</body><retract xmlns='urn:xmpp:message-retract:1' id='e1-4'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/><store xmlns='urn:xmpp:hints'/>{SID}{}</message>",
            occupant(1)
        ),
    );
}

#[test]
fn taken_back_by_a_moderator() {
    let moderated = |by: &str, id: &str| {
        format!(
            "<message id='e1-9' from='rust@qq.example'><retract xmlns='urn:xmpp:message-retract:1' id='e1-4'><moderated xmlns='urn:xmpp:message-moderate:1' by='{by}'>{id}</moderated></retract><apply-to xmlns='urn:xmpp:fasten:0' id='e1-4'><moderated xmlns='urn:xmpp:message-moderate:0' by='{by}'><retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>{SID}</message>"
        )
    };
    let retraction = |moderated| Content::Retraction {
        row: Seq(4),
        moderated,
        reason: None,
    };
    let known = moderated("rust@qq.example/猫", &occupant(1));
    expect(&by_member(1, "猫", retraction(true)), &known);
    let nobody = moderated("rust@qq.example", "");
    expect(&by_room(retraction(true)), &nobody);
    expect(&by_room(retraction(false)), &nobody);
    let spam = Content::Retraction {
        row: Seq(4),
        moderated: true,
        reason: Some("spam\u{b}".into()),
    };
    let why = known
        .replace("</moderated></retract>", "</moderated><reason>spam</reason></retract>")
        .replace(
            "</moderated></apply-to>",
            "<reason>spam</reason></moderated></apply-to>",
        );
    expect(&by_member(1, "猫", spam), &why);
}

#[test]
fn tombstones_hold_no_words() {
    let tombstone = |id: Option<&str>, moderator: Option<&str>| {
        let content = Content::Tombstone {
            id: id.map(Into::into),
            retraction: Seq(12),
            time: Timestamp(1_000_000_060_000),
            moderator: moderator.map(Into::into),
        };
        by_member(1, "猫", content)
    };
    let one = occupant(1);
    let retracted = "<retracted xmlns='urn:xmpp:message-retract:1' id='e1-12' stamp='2001-09-09T01:47:40.000Z'";
    expect(
        &tombstone(Some("m1"), None),
        &format!("<message id='m1' from='rust@qq.example/猫'>{retracted}/>{SID}{one}</message>"),
    );
    for (nick, by) in [("小明", "rust@qq.example/小明"), ("", "rust@qq.example")] {
        expect(
            &tombstone(None, Some(nick)),
            &format!(
                "<message id='e1-9' from='rust@qq.example/猫'>{retracted}><moderated xmlns='urn:xmpp:message-moderate:1' by='{by}'/></retracted><moderated xmlns='urn:xmpp:message-moderate:0' by='{by}'><retracted xmlns='urn:xmpp:message-retract:0' stamp='2001-09-09T01:47:40.000Z'/></moderated>{SID}{one}</message>"
            ),
        );
    }
}

#[test]
fn reactions_are_the_whole_set() {
    let reactions = |emoji: &[&str]| {
        let emoji = emoji.iter().map(|e| (*e).to_owned()).collect();
        by_member(1, "猫", Content::Reactions { row: Seq(4), emoji })
    };
    let wanted = |inner: &str| {
        format!(
            "<message id='e1-9' from='rust@qq.example/猫'><reactions xmlns='urn:xmpp:reactions:0' id='e1-4'>{inner}</reactions><store xmlns='urn:xmpp:hints'/>{SID}{}</message>",
            occupant(1)
        )
    };
    expect(
        &reactions(&["❤️", "👍\u{0}", "\u{b}"]),
        &wanted("<reaction>❤️</reaction><reaction>👍</reaction>"),
    );
    expect(&reactions(&[]), &wanted(""));
}

#[test]
fn no_body_is_longer_than_servers_take() {
    let parts = vec![
        Part::Text("&".repeat(19_999)),
        mention(2, "小明"),
        Part::Text("never".into()),
    ];
    let element = shown(&by_member(1, "猫", Content::Parts(parts)), Language::En);
    let body = element.get_child("body", NS).map(Element::text).unwrap_or_default();
    assert!(body.ends_with("&@…"), "cut in the mention");
    let mention = element.get_child("mention", "urn:xmpp:mentions:0").expect("a mention");
    assert_eq!(
        (mention.attr("begin"), mention.attr("end")),
        (Some("19999"), Some("20000"))
    );
}

/// Text as the network brings it, with everything that XML forbids.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter),
        "[a-z猫😀\r\n\t\u{0}\u{b}\u{fffe}>&<'\"\\]]{0,300}",
    ]
}

fn any_part() -> impl Strategy<Value = Part> {
    prop_oneof![
        anything().prop_map(Part::Text),
        anything().prop_map(Part::Marker),
        anything().prop_map(|name| mention(2, &name)),
        (anything(), anything()).prop_map(|(nick, text)| answer(&nick, &text)),
    ]
}

fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![
        4 => proptest::collection::vec(any_part(), 1..6).prop_map(Content::Parts),
        1 => anything().prop_map(Content::Notice),
        1 => (any::<bool>(), proptest::option::of(anything())).prop_map(
            |(moderated, reason)| Content::Retraction { row: Seq(4), moderated, reason }
        ),
        1 => (proptest::option::of(anything()), any::<i64>(), proptest::option::of(anything())).prop_map(
            |(id, time, moderator)| Content::Tombstone { id, retraction: Seq(12), time: Timestamp(time), moderator }
        ),
        1 => proptest::collection::vec(anything(), 0..4).prop_map(|emoji| Content::Reactions { row: Seq(4), emoji }),
    ]
}

proptest! {
    #[test]
    fn whatever_a_row_holds(content in any_content(), nick in anything(), room in any::<bool>()) {
        let row = if room { by_room(content) } else { by_member(1, &nick, content) };
        let element = shown(&row, Language::En);
        let body = element.get_child("body", NS).map(Element::text).unwrap_or_default();
        let length = u32::try_from(body.chars().count()).expect("a short body");
        for child in element.children().filter(|c| c.is("fallback", FALLBACK)) {
            let fallback = Fallback::try_from(child.clone()).expect("a fallback");
            if fallback.for_.as_deref() != Some("urn:xmpp:reply:0") {
                continue;
            }
            let [range] = fallback.bodies[..] else { panic!("one range") };
            let (start, end) = (range.start.expect("a start"), range.end.expect("an end"));
            prop_assert!(start < end && end <= length);
            let rest = strip(&body, &[range]);
            let quoted: String = body.chars().skip(start as usize).take((end - start) as usize).collect();
            prop_assert!(quoted.lines().all(|line| line.starts_with("> ")) && quoted.ends_with('\n'), "{quoted:?}");
            prop_assert_eq!(rest.chars().count() + quoted.chars().count(), length as usize);
        }
    }
}
