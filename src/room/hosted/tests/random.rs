//! Whatever comes, the room does not panic, speaks as itself alone, and tells nobody's address to a participant.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{Answered, Handle, Reply, nick as nicks};
use crate::room::hosted::stage::Key;

const PEOPLE: [&str; 4] = ["ann@ex.org", "bob@ex.org", "eve@evil.example", "root@ex.org"];
const RESOURCES: [&str; 3] = ["", "/a", "/b"];
const NICKS: [&str; 9] = [
    "",
    "/Ann",
    "/ann",
    "/Bob",
    "/小明",
    "/小明 (QQ)",
    "/  x",
    "/猫\u{301}",
    "/Root",
];
const CHILDREN: [&str; 32] = [
    "<x xmlns='http://jabber.org/protocol/muc'/>",
    "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='2' maxchars='500' seconds='9' since='x'/></x>",
    "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator' jid='forged@evil.example'/><status code='110'/></x>",
    "<x xmlns='http://jabber.org/protocol/muc#user'><destroy/><invite/></x>",
    "<body>hi</body>",
    "<body xml:lang='zh'>@小明 /me</body>",
    "<subject>s</subject>",
    "<thread>t</thread>",
    "<show>away</show>",
    "<status>x</status>",
    "<stanza-id xmlns='urn:xmpp:sid:0' by='rust@qq.example' id='forged'/>",
    "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>",
    "<delay xmlns='urn:xmpp:delay' from='rust@qq.example' stamp='forged'/>",
    "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='4' end='1'/></fallback>",
    "<reply xmlns='urn:xmpp:reply:0' id='e1-1'/>",
    "<reactions xmlns='urn:xmpp:reactions:0' id='e1-1'/>",
    "<retract xmlns='urn:xmpp:message-retract:1' id='e1-1'><moderated xmlns='urn:xmpp:message-moderate:1' by='forged'/></retract>",
    "<active xmlns='http://jabber.org/protocol/chatstates'/>",
    "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><before/></set></query>",
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    "<query xmlns='http://jabber.org/protocol/muc#admin'><item role='participant'/></query>",
    "<vCard xmlns='vcard-temp'/>",
    "<ping xmlns='urn:xmpp:ping'/>",
    "<a xmlns='urn:x'><b xmlns='jabber:component:accept'>c</b></a>",
    "<hats xmlns='urn:xmpp:hats:0'/>",
    "<retract xmlns='urn:xmpp:message-retract:1' id='e1-1'/>",
    "<retracted xmlns='urn:xmpp:message-retract:1' id='forged'/>",
    "<reactions xmlns='urn:xmpp:reactions:0' id='e1-2'><reaction>👍</reaction><reaction/></reactions>",
    "<apply-to xmlns='urn:xmpp:fasten:0' id='e1-1'><moderated xmlns='urn:xmpp:message-moderate:0' by='forged'/></apply-to>",
    "<moderate xmlns='urn:xmpp:message-moderate:1' id='e1-1'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>",
    "<apply-to xmlns='urn:xmpp:fasten:0' id='e1-2'><moderate xmlns='urn:xmpp:message-moderate:0'><retract xmlns='urn:xmpp:message-retract:0'/></moderate></apply-to>",
];

#[derive(Debug, Clone)]
enum Happening {
    Stanza {
        name: &'static str,
        kind: &'static str,
        from: String,
        to: String,
        children: Vec<&'static str>,
    },
    Qq(u64, String, Content),
    Members(Vec<(u64, String)>),
    Later(i64),
    CatchUp,
    Restart,
}

fn stanza() -> impl Strategy<Value = Happening> {
    let kinds = prop_oneof![
        Just(("presence", "")),
        Just(("presence", "join")),
        Just(("presence", "join")),
        Just(("presence", "join")),
        Just(("presence", "unavailable")),
        Just(("presence", "error")),
        Just(("presence", "probe")),
        Just(("message", "groupchat")),
        Just(("message", "groupchat")),
        Just(("message", "chat")),
        Just(("message", "normal")),
        Just(("message", "error")),
        Just(("iq", "get")),
        Just(("iq", "set")),
        Just(("iq", "result")),
    ];
    let people = proptest::sample::select(PEOPLE.to_vec());
    let resources = proptest::sample::select(RESOURCES.to_vec());
    let nicks = proptest::sample::select(NICKS.to_vec());
    let children = proptest::collection::vec(proptest::sample::select(CHILDREN.to_vec()), 0..5);
    (kinds, people, resources, nicks, children).prop_map(|((name, kind), who, resource, nick, children)| {
        let (kind, join) = if kind == "join" {
            ("", Some(CHILDREN[0]))
        } else {
            (kind, None)
        };
        let children: Vec<_> = join.into_iter().chain(children).collect();
        Happening::Stanza {
            name,
            kind,
            from: format!("{who}{resource}"),
            to: format!("rust@qq.example{nick}"),
            children: if name == "iq" {
                children.into_iter().take(1).collect()
            } else {
                children
            },
        }
    })
}

/// What a row of a QQ member may hold.
fn content() -> impl Strategy<Value = Content> {
    let row = (1_i64..4).prop_map(Seq);
    let nick = proptest::option::of(proptest::sample::select(vec!["", "Ann", "小明", "x\u{0}\ny"]));
    let answer = |row: Seq| {
        let answered = Answered {
            row,
            nick: "Ann".into(),
            text: "> 在\u{b}\n在".into(),
        };
        let reply = Reply {
            handle: Handle("h".into()),
            quote: None,
            answered: Some(answered),
        };
        Content::Parts(vec![Part::Reply(reply), Part::Text("在\u{b}".into())])
    };
    prop_oneof![
        row.clone().prop_map(answer),
        (row.clone(), any::<bool>()).prop_map(|(row, moderated)| Content::Retraction {
            row,
            moderated,
            reason: None
        }),
        (row.clone(), nick).prop_map(|(retraction, nick)| Content::Tombstone {
            id: None,
            retraction,
            time: Timestamp(0),
            moderator: nick.map(Into::into),
        }),
        row.prop_map(|row| Content::Reactions {
            row,
            emoji: vec!["👍\u{0}".into()],
        }),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let card = proptest::sample::select(vec!["小明", "Ann", "🐱", "Bob", "x\u{0}y", "ROOT"]);
    let member = (1_u64..6, card.clone()).prop_map(|(n, c)| (n, c.to_owned()));
    prop_oneof![
        12 => stanza(),
        3 => (1_u64..6, card, content()).prop_map(|(n, c, content)| Happening::Qq(n, c.to_owned(), content)),
        1 => proptest::collection::vec(member, 0..5).prop_map(Happening::Members),
        1 => (0_i64..3_000_000).prop_map(Happening::Later),
        2 => Just(Happening::CatchUp),
        1 => Just(Happening::Restart),
    ]
}

fn happen(p: &mut Portal, happening: &Happening) -> (bool, Vec<Got>) {
    match happening {
        Happening::Qq(n, card, content) => (false, p.row_from_qq(*n, card, content.clone())),
        Happening::Members(list) => {
            let mut list: Vec<_> = list.iter().map(|(n, card)| member(*n, card)).collect();
            list.sort_by_key(|m| m.member.id.clone());
            list.dedup_by_key(|m| m.member.id.clone());
            (false, p.members(list))
        }
        Happening::CatchUp => (false, p.catch_up()),
        Happening::Restart => (false, p.restart()),
        Happening::Later(seconds) => {
            p.later(*seconds);
            (false, vec![])
        }
        Happening::Stanza {
            name,
            kind,
            from,
            to,
            children,
        } => {
            let kind = if kind.is_empty() {
                String::new()
            } else {
                format!(" type='{kind}'")
            };
            let text = format!(
                "<{name}{kind} id='i' from='{from}' to='{to}'>{}</{name}>",
                children.concat()
            );
            // What the stream cannot parse does not reach a room.
            match stanza_of(&text) {
                Some(event) => {
                    let error = text.contains("type='error'");
                    let admitted = p.room.admit(event, p.now);
                    let answered = admitted
                        .replies
                        .iter()
                        .any(|o| o.to.iter().any(|to| to.to_string() == *from));
                    (error && answered, p.follow(admitted))
                }
                None => (false, vec![]),
            }
        }
    }
}

fn stanza_of(text: &str) -> Option<Event> {
    let element = xml(text);
    let (from, to) = (
        Jid::new(element.attr("from")?).ok()?,
        Jid::new(element.attr("to")?).ok()?,
    );
    let stanza = match element.name() {
        "presence" => Stanza::Presence(Presence::try_from(element).ok()?),
        "message" => Stanza::Message(Message::try_from(element).ok()?),
        _ => Stanza::Iq(Iq::try_from(element).ok()?),
    };
    Some(Event { from, to, stanza })
}

/// What clients believe: the nicks that each of them was told of.
#[derive(Default)]
struct Views(BTreeMap<String, BTreeSet<String>>);

impl Views {
    fn watch(&mut self, got: &[Got]) -> Result<(), TestCaseError> {
        for (to, element) in got {
            let from = Jid::new(element.attr("from").unwrap_or_default()).expect("checked before");
            let Some(nick) = from.resource().map(|r| r.as_str().to_owned()) else {
                continue;
            };
            match (element.name(), element.attr("type")) {
                ("presence", None) => {
                    self.0.entry(to.clone()).or_default().insert(nick);
                }
                ("presence", Some("unavailable")) => {
                    let codes = codes(element);
                    let known = self.0.get_mut(to).is_some_and(|view| view.remove(&nick));
                    prop_assert!(known, "{} hears that {} goes, who was not there", to, nick);
                    if codes.contains(&"110".to_owned()) && !codes.contains(&"303".to_owned()) {
                        self.0.remove(to);
                    }
                }
                ("message", Some("groupchat")) if !element.has_child("delay", "urn:xmpp:delay") => {
                    let known = self.0.get(to).is_some_and(|view| view.contains(&nick));
                    prop_assert!(
                        known || element.has_child("subject", NS),
                        "{} hears {}, who is not there",
                        to,
                        nick
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn check(got: &[Got]) -> Result<(), TestCaseError> {
    for (to, element) in got {
        let from = Jid::new(element.attr("from").unwrap_or_default());
        let from = from.map_err(|e| TestCaseError::fail(format!("{e}: {element:?}")))?;
        prop_assert_eq!(from.to_bare().to_string(), "rust@qq.example");
        let text = String::from(element);
        prop_assert!(element.name() == "iq" || !text.contains("forged"), "{}", text);
        for once in ["<stanza-id", "<occupant-id", "<delay"] {
            let most = if text.contains("<forwarded") { 2 } else { 1 };
            prop_assert!(text.matches(once).count() <= most, "{}", text);
        }
        if !to.starts_with("root@") {
            for who in PEOPLE.iter().filter(|who| !to.starts_with(**who)) {
                prop_assert!(!text.contains(who), "{} reads {}", to, text);
            }
            prop_assert!(!text.contains("@qq.example'") || !text.contains("jid='"), "{}", text);
        }
    }
    Ok(())
}

/// Book and stage agree when everything was shown, clients believe the same, and no nick has two owners.
fn settled(p: &Portal, views: &Views) -> Result<(), TestCaseError> {
    let (book, stage) = (&p.room.book, &p.room.stage);
    let admitted: Vec<_> = book.sessions().map(|(s, g)| (s.clone(), g.nick.clone())).collect();
    let nick = |key: &Key| stage.occupants[key].face.nick.clone();
    let seated: Vec<_> = stage
        .seats
        .iter()
        .map(|(s, seat)| (s.clone(), nick(&seat.key)))
        .collect();
    prop_assert_eq!(admitted, seated);
    let shown: BTreeSet<String> = stage.occupants.keys().map(nick).collect();
    for (session, view) in &views.0 {
        prop_assert_eq!(view, &shown, "{}", session);
    }
    prop_assert_eq!(views.0.len(), stage.seats.len());
    let owner = |key: &Key| match key {
        Key::Person(who, _) => who.to_string(),
        other => format!("{other:?}"),
    };
    let owners: BTreeSet<_> = stage
        .occupants
        .keys()
        .map(|key| (nicks::fold(&nick(key)), owner(key)))
        .collect();
    let folds: BTreeSet<_> = owners.iter().map(|(fold, _)| fold).collect();
    prop_assert_eq!(folds.len(), owners.len(), "two people under one nick");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_comes(happenings in proptest::collection::vec(happening(), 1..40), behind in any::<bool>()) {
        let mut p = Portal::new();
        p.behind = behind;
        let mut views = Views::default();
        for happening in &happenings {
            let (answered_an_error, got) = happen(&mut p, happening);
            prop_assert!(!answered_an_error, "{happening:?}");
            check(&got)?;
            views.watch(&got)?;
            if matches!(happening, Happening::Restart) {
                // Who left, or was found gone, before the restart is told nothing any more.
                views.0.retain(|session, _| p.room.book.guest(&full(session)).is_some());
            }
        }
        let got = p.catch_up();
        check(&got)?;
        views.watch(&got)?;
        settled(&p, &views)?;
    }
}
