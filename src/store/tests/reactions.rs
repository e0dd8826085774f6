//! Sets of reactions, and what QQ sees of them.

use super::*;
use crate::store::{Deed, Settled};

fn react(who: &str, row: Seq, emoji: &[&str]) -> NewMessage {
    NewMessage {
        identity: Identity::Xmpp {
            session: full(&format!("{who}@example.org/phone")),
            origin: None,
        },
        author: Author::Occupant(bare(&format!("{who}@example.org"))),
        upon: Some(Upon {
            act: Acting::React {
                row,
                emoji: emoji.iter().map(|e| (*e).to_owned()).collect(),
            },
            account: account("main"),
            groups: vec![GROUP, OTHER],
        }),
        ..from_xmpp(None, Timestamp::now(), &[])
    }
}

/// Takes what waits for QQ: emoji and whether it is added.
async fn told_qq(lab: &Lab) -> Vec<(String, bool)> {
    let mut told = Vec::new();
    loop {
        let now = Timestamp::now();
        let due = lab.store.due(&account("main"), now, 100).await.expect("due");
        let Some(piece) = due.into_iter().next() else {
            return told;
        };
        assert_eq!(piece.group, GROUP);
        let Deed::React { handle, emoji, added } = piece.deed else {
            panic!("no reaction: {:?}", piece.deed);
        };
        assert_eq!(handle, Some(super::handle("h-1")));
        told.push((emoji, added));
        assert!(lab.store.sending(piece.id, now).await.expect("sending"));
        let failed = Settled::Failed("no such emoji".into());
        lab.store.settle(piece.id, failed, now).await.expect("settled");
    }
}

fn strings(emoji: &[(&str, bool)]) -> Vec<(String, bool)> {
    emoji.iter().map(|(e, added)| ((*e).to_owned(), *added)).collect()
}

#[tokio::test]
async fn qq_sees_the_union_of_all_occupants_and_is_told_what_changes() {
    let lab = Lab::new().await;
    let row = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    lab.new_rows(react("alice", row, &["👍", "🎉"])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("🎉", true), ("👍", true)]));
    lab.new_rows(react("bob", row, &["👍"])).await;
    assert_eq!(told_qq(&lab).await, []);
    lab.new_rows(react("alice", row, &["😂"])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("🎉", false), ("😂", true)]));
    lab.new_rows(react("bob", row, &[])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("👍", false)]));
    let alice = Author::Occupant(bare("alice@example.org"));
    assert_eq!(lab.store.reactions_of(row, &alice).await.expect("read"), ["😂"]);
    // QQ took none of them; that is nobody's concern.
    assert_eq!(lab.store.untold(lab.room, None).await.expect("untold"), []);
}

#[tokio::test]
async fn people_in_a_joined_room_count_among_the_occupants() {
    let lab = Lab::new().await;
    let row = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    let guest = |who: &str, id: &str, emoji: &[&str]| NewMessage {
        identity: Identity::Elsewhere {
            session: full("rust@qq.example.org/Bob"),
            id: Some(id.into()),
            origin: None,
        },
        author: Author::Guest(who.into()),
        ..react("x", row, emoji)
    };
    lab.new_rows(guest("bob", "1", &["👍", "🎉"])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("🎉", true), ("👍", true)]));
    lab.new_rows(guest("=eve", "2", &["👍"])).await;
    lab.new_rows(guest("bob", "3", &[])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("🎉", false)]));
    // A repetition changes nothing.
    let again = lab.one(Write::Message(guest("bob", "1", &["👍", "🎉"]))).await;
    assert_eq!(again, Written::Known);
    assert_eq!(told_qq(&lab).await, []);
    lab.new_rows(guest("=eve", "4", &[])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("👍", false)]));
}

#[tokio::test]
async fn reactions_of_members_are_on_qq_already() {
    let lab = Lab::new().await;
    let row = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    let member = NewMessage {
        identity: Identity::Line,
        ..react("x", row, &["👍"])
    };
    let member = NewMessage {
        author: from_qq("x", "").author,
        ..member
    };
    lab.new_rows(member).await;
    assert_eq!(told_qq(&lab).await, []);
    // The same from XMPP is the account's own on QQ.
    lab.new_rows(react("alice", row, &["👍"])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("👍", true)]));
}

#[tokio::test]
async fn a_row_that_is_gone_has_no_reactions() {
    let lab = Lab::new().await;
    let row = lab.new_rows(from_xmpp(Some("1"), Timestamp::now(), &[])).await[0].seq;
    lab.new_rows(react("bob", row, &["👍"])).await;
    lab.new_rows(take_back(row)).await;
    lab.new_rows(react("bob", row, &["🎉"])).await;
    let bob = Author::Occupant(bare("bob@example.org"));
    assert_eq!(
        lab.store.reactions_of(row, &bob).await.expect("read"),
        Vec::<String>::new()
    );
    assert_eq!(told_qq(&lab).await, []);
}

#[tokio::test]
async fn reactions_go_with_their_row() {
    let lab = Lab::new().await;
    let row = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    lab.new_rows(react("bob", row, &["👍"])).await;
    told_qq(&lab).await;
    let keep = MINUTE;
    lab.store.prune(keep, Timestamp::now(), 10).await.expect("pruned");
    let left: i64 = rusqlite::Connection::open(lab.dir.path().join("db"))
        .expect("the file")
        .query_row("SELECT count(*) FROM reactions", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn who_changes_their_mind_in_time_leaves_nothing_for_qq() {
    let lab = Lab::new().await;
    let row = lab.new_rows(from_qq("1", "hi")).await[0].seq;
    for _ in 0..5 {
        lab.new_rows(react("bob", row, &["👍", "🎉"])).await;
        lab.new_rows(react("bob", row, &["🎉"])).await;
    }
    assert_eq!(told_qq(&lab).await, strings(&[("🎉", true)]));
    // The other way round: QQ has it, and keeps it.
    lab.new_rows(react("bob", row, &[])).await;
    lab.new_rows(react("bob", row, &["🎉"])).await;
    assert_eq!(told_qq(&lab).await, []);
    // What was tried is no longer taken out.
    lab.new_rows(react("bob", row, &[])).await;
    let now = Timestamp::now();
    let id = lab.store.due(&account("main"), now, 9).await.expect("due")[0].id;
    assert!(lab.store.sending(id, now).await.expect("sending"));
    let busy = Settled::Retry {
        at: Timestamp(0),
        why: "busy".into(),
    };
    lab.store.settle(id, busy, now).await.expect("settled");
    lab.new_rows(react("bob", row, &["🎉"])).await;
    assert_eq!(told_qq(&lab).await, strings(&[("🎉", false), ("🎉", true)]));
}
