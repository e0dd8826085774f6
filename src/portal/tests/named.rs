//! Stanzas that name earlier rows: retractions of what has several versions, moderation, answers.

use super::*;
use crate::model::{Author, Content, Reply};
use crate::store::Settled;

fn stanza_id(element: &Element) -> String {
    let id = element.children().find(|child| child.name() == "stanza-id");
    id.and_then(|id| id.attr("id")).expect("a stanza-id").to_owned()
}

fn correct(lab: &Lab, id: &str, replaces: &str, text: &str) {
    lab.xml(
        ANN,
        ROOM,
        &format!(
            "<message xmlns='jabber:component:accept' type='groupchat' id='{id}'><body>{text}</body>\
             <replace xmlns='urn:xmpp:message-correct:0' id='{replaces}'/></message>"
        ),
    );
}

fn retract(lab: &Lab, id: &str) {
    lab.xml(
        ANN,
        ROOM,
        &format!(
            "<message xmlns='jabber:component:accept' type='groupchat' id='r1'>\
             <retract xmlns='urn:xmpp:message-retract:1' id='{id}'/></message>"
        ),
    );
}

fn moderate(lab: &Lab, id: &str) {
    lab.xml(
        ANN,
        ROOM,
        &format!(
            "<iq xmlns='jabber:component:accept' type='set' id='q1'><moderate xmlns='urn:xmpp:message-moderate:1' \
             id='{id}'><retract xmlns='urn:xmpp:message-retract:1'/><reason>spam</reason></moderate></iq>"
        ),
    );
}

fn answer(lab: &Lab, to: &str, text: &str) {
    lab.xml(
        ANN,
        ROOM,
        &format!(
            "<message xmlns='jabber:component:accept' type='groupchat' id='re-{text}'><body>&gt; quoted by Ann\n{text}</body>\
             <reply xmlns='urn:xmpp:reply:0' id='{to}'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>\
             <body start='0' end='16'/></fallback></message>"
        ),
    );
}

/// What QQ gets: the words, and whether they answer something by name.
fn words(sent: &[(GroupNumber, Deed)]) -> Vec<(String, Option<QqHandle>)> {
    let said = sent.iter().filter_map(|(_, deed)| match deed {
        Deed::Say { parts, answers } => Some((parts, answers.clone())),
        _ => None,
    });
    said.map(|(parts, answers)| (crate::model::words::plain_text(parts, Language::Zh), answers))
        .collect()
}

fn recall(handles: &[&str]) -> Deed {
    Deed::Recall {
        handles: handles.iter().map(|h| handle(h)).collect(),
        unnamed: false,
    }
}

#[tokio::test]
async fn a_retraction_takes_every_version_back_whichever_it_names() {
    for named in [0, 1, 2] {
        let (lab, mut server) = Lab::attended(settings()).await;
        lab.say(ANN, "a1", "the secrte");
        let mut ids = vec![stanza_id(&server.until_body(ANN, "the secrte").await)];
        correct(&lab, "a2", "a1", "the secret");
        ids.push(stanza_id(&server.until_body(ANN, "the secret").await));
        correct(&lab, "a3", "a1", "the secret word");
        ids.push(stanza_id(&server.until_body(ANN, "the secret word").await));
        lab.say(ANN, "a4", "else");
        server.until_body(ANN, "else").await;
        let sent = words(&lab.send_all().await);
        assert_eq!(sent[1].0, "Ann: * the secret");
        retract(&lab, &ids[named]);
        let rows = lab.rows_upto(&mut server, 7).await;
        for row in &rows[..3] {
            assert!(matches!(row.content, Content::Tombstone { .. }), "{row:?}");
        }
        assert!(matches!(rows[3].content, Content::Stanza { .. }));
        // Clients are told of each.
        let mut told: Vec<&str> = Vec::new();
        for (_, element) in &server.got {
            told.extend(
                element
                    .children()
                    .filter(|c| c.name() == "retract")
                    .filter_map(|c| c.attr("id")),
            );
        }
        told.sort_unstable();
        assert_eq!(told, ids);
        let mut deeds = lab.send_all().await;
        deeds.sort_by_key(|(_, deed)| format!("{deed:?}"));
        let recalls = ["sent-1", "sent-2", "sent-3"].map(|id| (GROUP, recall(&[id])));
        assert_eq!(deeds, recalls);
    }
}

#[tokio::test]
async fn a_correction_that_comes_in_the_same_turn_goes_with_its_message() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.say(ANN, "a1", "the secrte");
    let id = stanza_id(&server.until_body(ANN, "the secrte").await);
    // The portal is not scheduled in between.
    correct(&lab, "a2", "a1", "the secret");
    retract(&lab, &id);
    let rows = lab.rows_upto(&mut server, 7).await;
    let gone = |row: &Row| matches!(&row.content, Content::Tombstone { id: Some(id), .. } if id == "a2");
    assert!(rows.iter().any(gone), "{rows:?}");
    assert_eq!(lab.send_all().await, [], "nothing was sent yet");
}

#[tokio::test]
async fn replies_do_not_repeat_what_was_taken_back() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.say(ANN, "a1", "the secret");
    let id = stanza_id(&server.until_body(ANN, "the secret").await);
    lab.send_all().await;
    let reply = Reply {
        handle: handle("sent-1"),
        quote: Some("the secret".into()),
        answered: None,
    };
    let reply = Message {
        parts: vec![Part::Reply(reply), Part::Text("really?".into())],
        ..named("q1")
    };
    lab.act(GROUP, Act::Said(reply)).await;
    server.until_body(ANN, "> Ann: the secret\nreally?").await;
    retract(&lab, &id);
    let rows = lab.rows_upto(&mut server, 7).await;
    let text = format!("{rows:?}");
    assert!(!text.contains("the secret") && text.contains("really?"), "{text}");
}

#[tokio::test]
async fn what_a_member_said_is_moderated_on_qq_and_the_moderator_hears_when_qq_keeps_it() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.act(GROUP, Act::Said(named("spam"))).await;
    let id = stanza_id(&server.until_body(ANN, "spam").await);
    moderate(&lab, &id);
    server
        .until(ANN, |el| el.children().any(|child| child.name() == "retract"))
        .await;
    let account = AccountName("main".into());
    let due = lab.store.due(&account, Timestamp::now(), 9).await.expect("pieces");
    assert_eq!((due.len(), &due[0].deed), (1, &recall(&["h-spam"])));
    assert!(lab.store.sending(due[0].id, Timestamp::now()).await.expect("a mark"));
    let refused = Settled::Failed("the account is no admin".into());
    let settled = lab.store.settle(due[0].id, refused, Timestamp::now()).await;
    settled.expect("settled");
    lab.handle.untold.notify_one();
    let line = server
        .until_body(ANN, "QQ cannot take this message back: the account is no admin")
        .await;
    assert_eq!((kind(&line), line.attr("from")), ("groupchat", Some(ROOM)));
}

#[tokio::test]
async fn qq_keeps_what_it_gave_no_name() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.said(GROUP, "spam").await;
    let id = stanza_id(&server.until_body(ANN, "spam").await);
    moderate(&lab, &id);
    lab.rows_upto(&mut server, 7).await;
    let unnamed = Deed::Recall {
        handles: Vec::new(),
        unnamed: true,
    };
    assert_eq!(lab.send_all().await, [(GROUP, unnamed)]);
}

#[tokio::test]
async fn an_answer_is_quoted_where_qq_has_no_name_for_what_is_answered() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.act(GROUP, Act::Said(message("早上好", false))).await;
    let id = stanza_id(&server.until_body(ANN, "早上好").await);
    answer(&lab, &id, "早");
    server.until(ANN, |el| el.attr("id") == Some("re-早")).await;
    let sent = lab.send_all().await;
    assert_eq!(words(&sent), [("Ann: 「m10: 早上好」早".to_owned(), None)]);
    // What comes back is known as our own.
    let echo = Message {
        parts: vec![Part::Text("Ann: 「m10: 早上好」早 ".into())],
        ..message("echo", true)
    };
    lab.act(GROUP, Act::Said(echo)).await;
    assert_eq!(lab.rows_upto(&mut server, 7).await.len(), 3);
    moderate(&lab, &id);
    server.until(ANN, |el| el.attr("id") == Some("q1")).await;
    assert_eq!(lab.rows_upto(&mut server, 8).await.len(), 5);
    let left: i64 = rusqlite::Connection::open(lab.dir.path().join("db"))
        .expect("the file")
        .query_row(
            "SELECT count(*) FROM outbox WHERE parts || normal LIKE '%早上好%'",
            [],
            |row| row.get(0),
        )
        .expect("a count");
    assert_eq!(left, 0, "the quote went with what it quotes");
    // Nothing is known of what is answered but what the client quotes.
    answer(&lab, "old-1", "嗯");
    server.until(ANN, |el| el.attr("id") == Some("re-嗯")).await;
    assert_eq!(words(&lab.send_all().await)[0].0, "Ann: 「quoted by Ann」嗯");
}

#[tokio::test]
async fn an_answer_names_what_it_answers_in_each_group_that_knows_it() {
    let (lab, mut server) = Lab::attended(Settings {
        groups: vec![GROUP, OTHER],
        faces: Known::OneBot,
        to_xmpp: true,
        ..settings()
    })
    .await;
    lab.act(GROUP, Act::Said(named("hi"))).await;
    let hi = stanza_id(&server.until_body(ANN, "hi").await);
    lab.act(GROUP, Act::Missed(Some(5))).await;
    let line = stanza_id(&server.until_body(ANN, "5 messages from QQ are missing here").await);
    // Its own words for the other group still wait: they will have a name before the answer is sent.
    answer(&lab, &hi, "ho");
    answer(&lab, &line, "oh");
    server.until(ANN, |el| el.attr("id") == Some("re-oh")).await;
    let sent = words(&lab.send_all().await);
    let all: Vec<(&str, Option<&str>)> = sent
        .iter()
        .map(|(w, h)| (w.as_str(), h.as_ref().map(|h| &*h.0)))
        .collect();
    assert_eq!(all.len(), 5, "{all:?}");
    assert!(all.contains(&("Ann: ho", Some("h-hi"))), "{all:?}");
    assert!(all.contains(&("Ann: ho", Some("sent-1"))), "{all:?}");
    let quoted = "Ann: 「5 messages from QQ are missing here」oh";
    assert_eq!(all.iter().filter(|said| **said == (quoted, None)).count(), 2, "{all:?}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_costs_nobody_else_a_word() {
    let (lab, mut server) = Lab::attended(settings()).await;
    lab.say(ANN, "a1", "one");
    let id = stanza_id(&server.until_body(ANN, "one").await);
    lab.greeted().await;
    let file = rusqlite::Connection::open(lab.dir.path().join("db")).expect("the file");
    file.execute("UPDATE messages SET content = '{' WHERE seq = 1", [])
        .expect("damaged");
    // One turn: the portal is not scheduled in between.
    let event = GroupEvent {
        account: AccountName("main".into()),
        group: GROUP,
        act: Act::Said(named("q1")),
    };
    lab.handle.qq.try_send(event).expect("room");
    lab.say(ANN, "a2", "two");
    retract(&lab, &id);
    lab.say(ANN, "a3", "three");
    let error = server.until(ANN, is_error).await;
    assert_eq!(error.attr("id"), Some("r1"));
    server.until_body(ANN, "three").await;
    assert_eq!(server.bodies(ANN), ["one", "q1", "two", "three"]);
    let author = Author::Occupant(BareJid::new("ann@ex.org").expect("a JID"));
    let room = lab.room().await;
    let rows = lab.store.rows_after(room, Seq(1), 10).await.expect("rows");
    assert_eq!(rows.last().map(|row| &row.author), Some(&author));
}
