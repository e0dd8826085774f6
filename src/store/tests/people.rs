//! Rooms, sessions, nicks, what was shown; groups, members, accounts.

use super::*;
use crate::model::{HistoryWanted, Member, Role};
use crate::store::{ClientSession, Confirmed, RoomState, Shown, Subject, rooms};

fn session(jid: &str, nick: &str) -> ClientSession {
    ClientSession {
        jid: full(jid),
        nick: nick.into(),
        cut: Seq(3),
        greeted: false,
        presence: "<show>away</show>".into(),
        history: HistoryWanted {
            since: Some(Timestamp(77)),
            ..HistoryWanted::default()
        },
    }
}

fn shown(nick: &str) -> Shown {
    Shown {
        nick: nick.into(),
        role: "participant".into(),
        affiliation: "none".into(),
        digest: "d".into(),
    }
}

async fn state(lab: &Lab) -> RoomState {
    lab.store.room_state(lab.room).await.expect("a state")
}

#[tokio::test]
async fn a_room_has_one_key() {
    let lab = Lab::new().await;
    assert_eq!(lab.store.room(&room_jid()).await.expect("a room"), lab.room);
    assert_ne!(
        lab.store.room(&bare("cats@qq.example.org")).await.expect("a room"),
        lab.room
    );
    let new = state(&lab).await;
    assert_eq!((new.last, new.confirmed, new.subject), (Seq(0), Seq(0), None));
}

#[tokio::test]
async fn sessions_come_change_and_go() {
    let lab = Lab::new().await;
    let phone = session("alice@example.org/phone", "Alice");
    let mut laptop = session("alice@example.org/laptop", "Alice");
    lab.one(Write::Entered(phone.clone())).await;
    lab.one(Write::Entered(laptop.clone())).await;
    laptop.presence = String::new();
    laptop.greeted = true;
    lab.one(Write::Entered(laptop.clone())).await;
    let (who, new) = (bare("alice@example.org"), "Alicia".to_owned());
    lab.one(Write::Renamed {
        who: who.clone(),
        old: "Alice".into(),
        new: new.clone(),
    })
    .await;
    for session in [&mut laptop, &mut phone.clone()] {
        session.nick.clone_from(&new);
    }
    let after = lab.killed().await;
    let found = state(&after).await.sessions;
    assert_eq!(
        found,
        [
            laptop,
            ClientSession {
                nick: new.clone(),
                ..phone
            }
        ]
    );
    assert!(found[0].greeted && !found[1].greeted);

    lab.one(Write::Gone(full("alice@example.org/phone"))).await;
    lab.one(Write::Gone(full("alice@example.org/nobody"))).await;
    lab.one(Write::Gone(full("alice@example.org/laptop"))).await;
    let left = state(&lab).await;
    assert_eq!(left.sessions, []);
    let [(remembered, nick, seen)] = &left.remembered[..] else {
        panic!("{:?}", left.remembered);
    };
    assert_eq!((remembered, nick), (&who, &new));
    assert!(Timestamp::now().since(*seen) < MINUTE);
}

#[tokio::test]
async fn a_nick_is_remembered_for_thirty_days_and_while_its_owner_is_here() {
    let lab = Lab::new().await;
    lab.one(Write::Entered(session("alice@example.org/phone", "Alice")))
        .await;
    lab.one(Write::Entered(session("bob@example.org/phone", "Bob"))).await;
    lab.one(Write::Gone(full("bob@example.org/phone"))).await;
    let names_after = async |days: i64| {
        let (room, now) = (lab.room, Timestamp(Timestamp::now().0 + days * 86_400_000));
        let state = lab
            .store
            .read(move |db| Ok::<_, crate::store::StoreError>(rooms::state(db, room, now)?));
        let remembered = state.await.expect("a state").remembered;
        remembered.into_iter().map(|(_, nick, _)| nick).collect::<Vec<_>>()
    };
    assert_eq!(names_after(29).await, ["Alice", "Bob"]);
    assert_eq!(names_after(31).await, ["Alice"]);
}

#[tokio::test]
async fn confirmed_only_grows_and_shown_follows() {
    let lab = Lab::new().await;
    lab.one(Write::Entered(session("alice@example.org/phone", "Alice")))
        .await;
    let confirm = async |confirmed: Confirmed| lab.store.confirm(lab.room, confirmed).await.expect("confirmed");
    confirm(Confirmed {
        seq: Some(Seq(7)),
        shown: vec![("a".into(), Some(shown("Alice"))), ("b".into(), Some(shown("Bob")))],
        greeted: vec![full("alice@example.org/phone")],
    })
    .await;
    confirm(Confirmed {
        seq: Some(Seq(5)),
        shown: vec![
            ("a".into(), Some(shown("Alicia"))),
            ("b".into(), None),
            ("b".into(), None),
        ],
        greeted: vec![],
    })
    .await;
    confirm(Confirmed::default()).await;
    let now = state(&lab).await;
    assert_eq!(now.confirmed, Seq(7));
    assert_eq!(now.shown, [("a".to_owned(), shown("Alicia"))]);
    assert!(now.sessions[0].greeted);
}

#[tokio::test]
async fn the_subject_stays() {
    let lab = Lab::new().await;
    for text in ["first", ""] {
        let subject = Subject {
            text: text.into(),
            nick: "Alice".into(),
            time: Timestamp(5),
        };
        lab.one(Write::Subject(subject.clone())).await;
        assert_eq!(state(&lab).await.subject, Some(subject));
    }
}

fn member(qq: u64, card: &str, role: Role) -> Member {
    Member {
        id: MemberId::Number(QqNumber(qq)),
        nickname: "n".into(),
        card: card.into(),
        role,
    }
}

#[tokio::test]
async fn groups_and_members() {
    let lab = Lab::new().await;
    let named = Member {
        id: MemberId::Named("猫".into()),
        ..member(0, "", Role::Member)
    };
    let group = |members: Vec<Member>| Write::Group {
        group: GROUP,
        name: "Rust".into(),
        members,
    };
    lab.one(group(vec![
        member(1, "", Role::Owner),
        member(2, "b", Role::Admin),
        named.clone(),
    ]))
    .await;
    lab.one(Write::Member(OTHER, member(1, "one", Role::Member))).await;
    lab.one(group(vec![
        member(1, "", Role::Owner),
        member(2, "bb", Role::Member),
        named.clone(),
    ]))
    .await;
    lab.one(Write::MemberLeft(GROUP, named.id.clone())).await;
    let state = lab.store.group_state(GROUP).await.expect("a state");
    assert_eq!(state.name.as_deref(), Some("Rust"));
    assert_eq!(
        state.members,
        [member(1, "", Role::Owner), member(2, "bb", Role::Member)]
    );
    let elsewhere = lab.store.group_state(OTHER).await.expect("a state");
    assert_eq!((elsewhere.name, elsewhere.members.len()), (None, 1));
    lab.one(Write::GroupName(OTHER, "猫".into())).await;
    assert_eq!(
        lab.store.group_state(OTHER).await.expect("a state").name.as_deref(),
        Some("猫")
    );

    let asked = lab.store.member(GROUP, MemberId::Number(QqNumber(2))).await;
    assert_eq!(asked.expect("read"), Some(member(2, "bb", Role::Member)));
    assert_eq!(lab.store.member(OTHER, named.id).await.expect("read"), None);
    // The group where the person has a card is preferred.
    let found = lab.store.find_member(QqNumber(1)).await.expect("read");
    assert_eq!(found, Some(member(1, "one", Role::Member)));
    assert_eq!(lab.store.find_member(QqNumber(9)).await.expect("read"), None);
    lab.one(group(vec![])).await;
    assert_eq!(lab.store.group_state(GROUP).await.expect("a state").members, []);
}

#[tokio::test]
async fn an_account_finds_its_state_again() {
    let lab = Lab::new().await;
    let main = account("main");
    assert_eq!(lab.store.account_state(&main).await.expect("read"), None);
    for state in [b"cookies".to_vec(), b"newer".to_vec()] {
        lab.store.save_account_state(&main, state.clone()).await.expect("saved");
        assert_eq!(
            lab.killed().await.store.account_state(&main).await.expect("read"),
            Some(state)
        );
    }
    assert_eq!(lab.store.account_state(&account("other")).await.expect("read"), None);
}
