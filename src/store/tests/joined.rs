//! Rooms of other services: what they call a row, what was heard of them, and who stands for members there.

use super::*;
use crate::model::{Heard, KeptPuppet, Member, Role, StaysAway};
use crate::store::Settled;

const TEN: i64 = 10 * 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + seconds)
}

/// Something that Bob said in a room that is not ours.
fn from_elsewhere(id: Option<&str>, origin: Option<&str>, time: Timestamp) -> NewMessage {
    NewMessage {
        identity: Identity::Elsewhere {
            session: full("rust@qq.example.org/Bob"),
            id: id.map(str::to_owned),
            origin: origin.map(str::to_owned),
        },
        author: Author::Guest("occ-bob".into()),
        nick: "Bob".into(),
        time,
        ..from_xmpp(origin, time, &[])
    }
}

fn puppet(member: u64) -> KeptPuppet {
    KeptPuppet {
        member: MemberId::Number(QqNumber(member)),
        group: GROUP,
        address: bare(&format!("u-{member}x@qq.example.org")),
        nick: "小明".into(),
        occupant: None,
        inside: false,
        silenced: None,
    }
}

#[tokio::test]
async fn a_stanza_id_is_the_same_message_for_ever() {
    let lab = Lab::new().await;
    let rows = lab.new_rows(from_elsewhere(Some("1"), Some("o"), at(0))).await;
    // By the archive, a day later, and whatever else it says.
    for time in [at(0), at(24 * 3600)] {
        let again = from_elsewhere(Some("1"), None, time);
        assert_eq!(lab.one(Write::Message(again)).await, Written::Known);
    }
    // An id by the service is no id by an author, and another id is another message.
    lab.new_rows(from_elsewhere(None, Some("1"), at(1))).await;
    lab.new_rows(from_elsewhere(Some("2"), Some("o"), at(1))).await;
    assert_eq!(lab.archive().await.len(), 3);
    let called = lab.store.row_called(lab.room, "1").await.expect("read");
    assert_eq!(called, Some(rows[0].seq));
    assert_eq!(lab.store.row_called(lab.room, "o").await.expect("read"), None);
    // Each room counts on its own.
    let other = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let there = vec![Write::Message(from_elsewhere(Some("1"), None, at(0)))];
    let there = lab.store.commit(other, there).await.expect("a commit");
    assert!(matches!(there[..], [Written::Rows(_)]));
}

#[tokio::test]
async fn without_a_stanza_id_an_origin_counts_for_ten_minutes() {
    let lab = Lab::new().await;
    let batch = vec![
        Write::Message(from_elsewhere(None, Some("o"), at(0))),
        Write::Message(from_elsewhere(None, Some("o"), at(TEN))),
        Write::Message(from_elsewhere(None, Some("o"), at(TEN + 1))),
        Write::Message(from_elsewhere(None, None, at(0))),
        Write::Message(from_elsewhere(None, None, at(0))),
    ];
    let written = lab.store.commit(lab.room, batch).await.expect("a commit");
    let new: Vec<bool> = written.iter().map(|w| matches!(w, Written::Rows(_))).collect();
    assert_eq!(new, [true, false, true, true, true]);
    assert_eq!(written[1], Written::Known);
}

#[tokio::test]
async fn what_the_service_calls_a_row_of_ours_is_known() {
    let lab = Lab::new().await;
    let seq = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    let other = lab.new_rows(from_qq("2", "ho")).await[0].seq;
    let named = |row, id: &str| Write::Named {
        row,
        id: id.into(),
        by_listener: false,
    };
    let elsewhere = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let foreign = lab.store.commit(elsewhere, vec![named(seq, "foreign")]).await;
    assert_eq!(foreign.expect("a commit"), [Written::Done]);
    for write in [
        named(seq, "a"),
        named(seq, "a"),
        named(seq, "b"),
        // Taken, and gone.
        named(other, "a"),
        named(Seq(999), "c"),
    ] {
        assert_eq!(lab.one(write).await, Written::Done);
    }
    let ids = lab
        .store
        .stanza_ids(lab.room, vec![seq, other, Seq(999)])
        .await
        .expect("read");
    let ids: Vec<_> = ids
        .into_iter()
        .map(|(row, called)| (row, called.id, called.by_listener))
        .collect();
    assert_eq!(ids, [(seq, "b".to_owned(), false)]);
    let called = async |room, id| lab.store.row_called(room, id).await.expect("read");
    assert_eq!(called(lab.room, "a").await, Some(seq));
    assert_eq!(called(lab.room, "c").await, None);
    assert_eq!(called(elsewhere, "foreign").await, None);
    // Its reflection is no news.
    let reflected = from_elsewhere(Some("a"), None, at(0));
    assert_eq!(lab.one(Write::Message(reflected)).await, Written::Known);

    // Names go with their rows.
    let keep = Duration::from_secs(1);
    lab.store.prune(keep, Timestamp::now(), 9).await.expect("a prune");
    assert_eq!(called(lab.room, "a").await, None);
}

#[tokio::test]
async fn the_author_of_what_failed_is_found_in_the_room() {
    let lab = Lab::new().await;
    let mut message = from_elsewhere(Some("1"), Some("o"), at(0));
    message.pieces = vec![piece(GROUP, "hi")];
    let said = lab.new_rows(message).await[0].seq;
    let main = account("main");
    let due = lab.store.due(&main, Timestamp::now(), 9).await.expect("due");
    let failed = Settled::Failed("muted".into());
    lab.store
        .settle(due[0].id, failed, Timestamp::now())
        .await
        .expect("settled");
    let untold = lab.store.untold(lab.room, None).await.expect("read");
    assert_eq!(untold[0].session, Some(full("rust@qq.example.org/Bob")));
    assert_eq!(untold[0].id.as_deref(), Some("id-o"));

    // A recall that fails is told, as it is to people of hosted rooms.
    let sent = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    let recall = NewMessage {
        upon: take_back(sent).upon,
        ..from_elsewhere(Some("2"), None, at(1))
    };
    let recall = lab.new_rows(recall).await[0].seq;
    let due = lab.store.due(&main, Timestamp::now(), 9).await.expect("due");
    let failed = Settled::Failed("too late".into());
    lab.store
        .settle(due[0].id, failed, Timestamp::now())
        .await
        .expect("settled");
    let untold = lab.store.untold(lab.room, None).await.expect("read");
    let told: Vec<_> = untold.iter().map(|u| (u.message, u.recall)).collect();
    assert_eq!(told, [(said, false), (recall, true)]);
}

#[tokio::test]
async fn what_one_guest_said_is_told_from_what_another_did() {
    let lab = Lab::new().await;
    let bob = lab.new_rows(from_elsewhere(Some("1"), None, at(0))).await[0].seq;
    let mut message = from_elsewhere(Some("2"), Some("o"), at(0));
    message.author = Author::Guest("=Bob".into());
    lab.new_rows(message).await;
    let again = lab.new_rows(from_elsewhere(Some("3"), Some("o2"), at(0))).await[0].seq;
    let author = Author::Guest("occ-bob".into());
    let said = lab.store.stanzas_by(lab.room, &author).await.expect("read");
    let rows: Vec<_> = said.iter().map(|said| (said.row, said.id.as_str())).collect();
    assert_eq!(rows, [(bob, "id-none"), (again, "id-o2")]);
    let nobody = lab.store.stanzas_by(lab.room, &Author::Room).await.expect("read");
    assert!(nobody.is_empty());
}

#[tokio::test]
async fn the_cursor_of_what_was_said_only_grows() {
    let lab = Lab::new().await;
    let (first, second) = (
        lab.new_rows(from_qq("1", "a")).await[0].seq,
        lab.new_rows(from_qq("2", "b")).await[0].seq,
    );
    for seq in [second, first] {
        assert_eq!(lab.one(Write::Said(seq)).await, Written::Done);
        let state = lab.store.room_state(lab.room).await.expect("state");
        assert_eq!(state.confirmed, second);
    }
}

#[tokio::test]
async fn what_was_heard_last_is_found_again() {
    let lab = Lab::new().await;
    let heard = async |lab: &Lab| lab.store.room_state(lab.room).await.expect("state").heard;
    assert_eq!(heard(&lab).await, None);
    let steps = [
        ((None, at(5)), (None, at(5))),
        ((Some("a"), at(7)), (Some("a"), at(7))),
        ((None, at(9)), (Some("a"), at(9))),
        ((Some("b"), at(8)), (Some("b"), at(9))),
    ];
    for ((id, time), (last, newest)) in steps {
        let id = id.map(str::to_owned);
        lab.one(Write::Heard(Heard { id, time })).await;
        let id = last.map(str::to_owned);
        assert_eq!(heard(&lab).await, Some(Heard { id, time: newest }));
    }
    assert_eq!(heard(&lab.killed().await).await, heard(&lab).await);
}

#[tokio::test]
async fn puppets_outlive_a_kill() {
    let lab = Lab::new().await;
    let one = puppet(1);
    lab.one(Write::Puppet(one.clone())).await;
    let named = KeptPuppet {
        member: MemberId::Named("a/b".into()),
        group: OTHER,
        address: bare("u-b@qq.example.org"),
        occupant: Some("occ".into()),
        inside: true,
        silenced: Some(at(60)),
        ..puppet(2)
    };
    lab.one(Write::Puppet(named.clone())).await;
    let after = lab.killed().await;
    let mut found = after.store.room_state(after.room).await.expect("state").puppets;
    found.sort_by_key(|puppet| puppet.inside);
    assert_eq!(found, [one, named.clone()]);

    let changed = KeptPuppet {
        nick: "小红".into(),
        inside: false,
        occupant: None,
        silenced: None,
        ..named
    };
    after.one(Write::Puppet(changed.clone())).await;
    let found = after.store.room_state(after.room).await.expect("state").puppets;
    assert_eq!(found.len(), 2);
    assert!(found.contains(&changed));
}

#[tokio::test]
async fn a_puppet_leads_to_its_member() {
    let lab = Lab::new().await;
    let find = async |puppet: &KeptPuppet| lab.store.find_puppet(&puppet.address).await.expect("read");
    let one = puppet(1);
    assert_eq!(find(&one).await, None);
    lab.one(Write::Puppet(one.clone())).await;
    let unlisted = find(&one).await.expect("a member");
    assert_eq!((unlisted.id, unlisted.nickname), (one.member.clone(), one.nick.clone()));

    let member = |card: &str| Member {
        id: one.member.clone(),
        nickname: "明".into(),
        card: card.into(),
        role: Role::Admin,
    };
    lab.one(Write::Member(GROUP, member(""))).await;
    lab.one(Write::Member(OTHER, member("🐱猫"))).await;
    assert_eq!(find(&one).await, Some(member("")));
    // The same person stands in another room, for another group.
    let room = lab.store.room(&bare("cats@qq.example.org")).await.expect("a room");
    let there = KeptPuppet {
        group: OTHER,
        ..one.clone()
    };
    lab.store
        .commit(room, vec![Write::Puppet(there)])
        .await
        .expect("a commit");
    assert_eq!(find(&one).await, Some(member("🐱猫")));
}

#[tokio::test]
async fn the_kind_of_puppet_addresses_is_fixed_once() {
    let lab = Lab::new().await;
    for wanted in ["hashed", "number", "hashed"] {
        let fixed = lab.store.fix_puppet_address(wanted).await.expect("fixed");
        assert_eq!(fixed, "hashed");
    }
    let after = lab.killed().await;
    assert_eq!(after.store.fix_puppet_address("number").await.expect("fixed"), "hashed");
}

#[tokio::test]
async fn a_file_of_the_second_format_is_brought_up_to_date() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("db");
    let old = rusqlite::Connection::open(&path).expect("a file");
    for migration in [
        include_str!("../migrations/001_initial.sql"),
        include_str!("../migrations/002_deeds.sql"),
    ] {
        old.execute_batch(migration).expect("the second format");
    }
    old.execute_batch(
        "PRAGMA application_id = 0x7171786d;
         PRAGMA user_version = 2;
         INSERT INTO rooms (id, jid, confirmed, subject, subject_nick, subject_time)
             VALUES (1, 'rust@qq.example.org', 7, 'cats', 'Alice', 1000);
         INSERT INTO messages (seq, room, message, time, author, nick, content, speaker, resource, origin)
             VALUES (7, 1, 7, 1000, 'oalice@example.org', 'Alice', '{\"stanza\":{\"id\":\"x\",\"children\":\"\"}}',
                 'alice@example.org', 'phone', 'o1');
         INSERT INTO reactions (row, author, emoji) VALUES (7, 'obob@example.org', '👍');
         INSERT INTO members (grp, member, nickname, card, role) VALUES (346000003, '1', '明', '', 'member');",
    )
    .expect("rows of old");
    old.close().expect("closed");
    let store = Store::open(&path).expect("today's store");
    let room = store.room(&room_jid()).await.expect("the room");
    let state = store.room_state(room).await.expect("state");
    assert_eq!((state.last, state.confirmed), (Seq(7), Seq(7)));
    assert_eq!(state.subject.expect("a subject").text, "cats");
    assert_eq!((state.heard, state.puppets), (None, Vec::new()));
    let alice = Author::Occupant(bare("alice@example.org"));
    assert_eq!(store.stanzas_by(room, &alice).await.expect("read").len(), 1);
    let bob = Author::Occupant(bare("bob@example.org"));
    assert_eq!(store.reactions_of(Seq(7), &bob).await.expect("read"), ["👍"]);
    let new = vec![
        Write::Puppet(puppet(1)),
        Write::Named {
            row: Seq(7),
            id: "s".into(),
            by_listener: false,
        },
        Write::Message(from_elsewhere(Some("t"), None, at(0))),
    ];
    store.commit(room, new).await.expect("a commit");
    assert_eq!(store.row_called(room, "s").await.expect("read"), Some(Seq(7)));
    let member = store.find_puppet(&puppet(1).address).await.expect("read");
    assert_eq!(member.expect("a member").nickname, "明");
}

#[tokio::test]
async fn a_moderator_s_word_is_kept_and_taken_back() {
    let lab = Lab::new().await;
    let away = async |lab: &Lab| lab.store.room_state(lab.room).await.expect("state").stays_away;
    assert_eq!(away(&lab).await, None);
    let put_out = StaysAway {
        until: Timestamp(i64::MAX),
        why: "banned".into(),
    };
    lab.one(Write::StaysAway(Some(put_out.clone()))).await;
    let lab = lab.killed().await;
    assert_eq!(away(&lab).await, Some(put_out));
    lab.one(Write::StaysAway(None)).await;
    assert_eq!(away(&lab).await, None);
}

#[tokio::test]
async fn people_s_words_do_not_count_among_those_that_wait_for_the_room() {
    let lab = Lab::new().await;
    let first = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    for n in 0..5 {
        lab.one(Write::Message(from_elsewhere(Some(&n.to_string()), None, at(n))))
            .await;
    }
    lab.new_rows(from_qq("2", "ho")).await;
    let edge = async |newer| lab.store.word_with_newer(lab.room, newer).await.expect("read");
    assert_eq!((edge(1).await, edge(2).await), (Some(first), None));
}
