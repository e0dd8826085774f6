//! What happens in groups.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{ALICE, Fake, GROUP, OTHER, OWN, Reply, member, notice, said, spoken};
use super::running::{Running, message, text};
use crate::model::{Handle, MemberId, Part, QqNumber, Role};
use crate::qq::Act;

fn number(n: u64) -> MemberId {
    MemberId::Number(QqNumber(n))
}

async fn ready() -> Running {
    let mut running = Running::start(Fake::new()).await;
    running.ready().await;
    running
}

#[tokio::test]
async fn members_follow_the_notices() {
    let mut running = ready().await;
    let carol = ALICE + 7;
    running.fake.with(|state| {
        let members = state.members.get_mut(&GROUP).expect("members");
        members.push(member(carol, "carol", "member"));
    });
    let tell = |kind: &str, mut with: Value| {
        with["group_id"] = GROUP.into();
        running.fake.tell(&notice(kind, with));
    };
    tell(
        "group_increase",
        json!({"sub_type": "approve", "user_id": carol, "operator_id": 0}),
    );
    tell(
        "group_card",
        json!({"user_id": carol, "card_new": "Caro", "card_old": ""}),
    );
    tell("group_admin", json!({"sub_type": "set", "user_id": carol}));
    tell(
        "group_ban",
        json!({"sub_type": "ban", "user_id": carol, "operator_id": ALICE, "duration": 600}),
    );
    tell(
        "notify",
        json!({"sub_type": "group_name", "user_id": ALICE, "name_new": "lions"}),
    );
    tell(
        "group_decrease",
        json!({"sub_type": "kick", "user_id": carol, "operator_id": ALICE}),
    );
    tell(
        "group_recall",
        json!({"user_id": ALICE, "operator_id": ALICE, "message_id": 55}),
    );
    tell(
        "group_msg_emoji_like",
        json!({"user_id": ALICE, "message_id": 55, "likes": [{"emoji_id": "128077", "count": 1}], "is_add": true}),
    );
    for (card, role) in [("", Role::Member), ("Caro", Role::Member), ("Caro", Role::Admin)] {
        let Act::Member(seen) = running.act().await else {
            panic!("no member");
        };
        assert_eq!((seen.id, seen.nickname.as_str()), (number(carol), "carol"));
        assert_eq!((seen.card.as_str(), seen.role), (card, role));
    }
    let muted = Act::Muted {
        member: Some(number(carol)),
        duration: Duration::from_secs(600),
    };
    assert_eq!(running.act().await, muted);
    assert_eq!(running.act().await, Act::Renamed("lions".into()));
    let left = Act::Left {
        member: number(carol),
        kicked: true,
        by: Some(number(ALICE)),
    };
    assert_eq!(running.act().await, left);
    let recalled = running.act().await;
    assert!(
        matches!(recalled, Act::Recalled { handle, by, .. } if handle == Handle("55".into()) && by == Some(number(ALICE)))
    );
    let reacted = running.act().await;
    assert!(matches!(reacted, Act::Reacted { emoji, added: true, .. } if emoji == "👍"));
    running.stop().await;
}

#[tokio::test]
async fn members_that_only_notices_told_of_are_not_taken_for_all() {
    let fake = Fake::new();
    // As NapCat does until it has loaded them.
    fake.reply("get_group_member_list", [Reply::Fail(1200, "not yet")]);
    let mut running = Running::start(fake).await;
    running.online().await;
    let card = json!({"group_id": GROUP, "user_id": ALICE, "card_new": "Caro", "card_old": ""});
    running.fake.tell(&notice("group_card", card));
    let changed = |act: &Act| matches!(act, Act::Member(_)).then_some(());
    running.find(changed).await;
    // Whatever is heard meanwhile makes the lane look.
    running.fake.tell(&said(GROUP, 1, ALICE, "hello"));
    running
        .find(|act| {
            assert!(!matches!(act, Act::Snapshot { .. }), "{act:?}");
            matches!(act, Act::Said(_)).then_some(())
        })
        .await;
    running.fake.as_table("get_group_member_list");
    let snapshot = |act: &Act| match act {
        Act::Snapshot { members, .. } => Some(members.len()),
        _ => None,
    };
    assert!(running.find(snapshot).await > 1);
    running.stop().await;
}

#[tokio::test]
async fn an_account_that_is_removed_is_off_line_until_it_is_let_in_again() {
    let mut running = ready().await;
    let groups = running.fake.with(|state| state.groups.split_off(1));
    let before = running.fake.with(|state| std::mem::replace(&mut state.groups, groups));
    let kick = json!({"sub_type": "kick_me", "group_id": GROUP, "user_id": OWN, "operator_id": ALICE});
    running.fake.tell(&notice("group_decrease", kick));
    let why = running.offline().await;
    assert!(why.contains("removed"), "{why}");
    running.say_in_vain("hello").await;
    running.fake.with(|state| state.groups.extend(before));
    let enter = json!({"sub_type": "invite", "group_id": GROUP, "user_id": OWN, "operator_id": ALICE});
    running.fake.tell(&notice("group_increase", enter));
    running.back().await;
    running
        .find(|act| matches!(act, Act::Snapshot { .. }).then_some(()))
        .await;
    running.stop().await;
}

#[tokio::test]
async fn a_slow_record_delays_its_own_group_alone() {
    let mut running = ready().await;
    let lines = json!({"messages": [{"sender": {"user_id": 5, "nickname": "eve"}, "message": [{"type": "text", "data": {"text": "inside"}}]}]});
    running
        .fake
        .reply("get_forward_msg", [Reply::Late(Duration::from_secs(1), lines)]);
    let forward = json!([{"type": "forward", "data": {"id": "abc"}}]);
    running.fake.tell(&spoken(GROUP, 1, ALICE, &forward));
    running.fake.tell(&said(GROUP, 2, ALICE, "after"));
    running.fake.tell(&said(OTHER, 1, ALICE, "elsewhere"));
    assert_eq!(text(&message(&mut running.dogs).await), "elsewhere");
    assert!(running.cats.try_recv().is_err());
    let record = running.message().await;
    assert!(text(&record).contains("eve: inside"), "{record:?}");
    assert_eq!(text(&running.message().await), "after");
    running.stop().await;
}

#[tokio::test]
async fn a_file_is_said_once() {
    let mut running = ready().await;
    let upload = |name: &str| {
        let file = json!({"id": "/x", "name": name, "size": 10, "busid": 104});
        notice(
            "group_upload",
            json!({"group_id": GROUP, "user_id": ALICE, "file": file}),
        )
    };
    let file = |name: &str| json!([{"type": "file", "data": {"file": name, "file_id": "y", "file_size": "10"}}]);
    running.fake.tell(&upload("a.zip"));
    running.fake.tell(&spoken(GROUP, 1, ALICE, &file("a.zip")));
    running.fake.tell(&spoken(GROUP, 2, ALICE, &file("b.zip")));
    running.fake.tell(&upload("b.zip"));
    running.fake.tell(&upload("c.zip"));
    for name in ["a.zip", "b.zip"] {
        let said = running.message().await;
        assert!(text(&said).contains(name) && said.handle.is_some(), "{said:?}");
    }
    // Nobody told of the third one as a message.
    let third = running.message().await;
    assert!(text(&third).contains("c.zip") && third.handle.is_none(), "{third:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_file_is_said_once_also_behind_a_slow_record() {
    let mut running = ready().await;
    let (late, join) = (Duration::from_millis(350), super::running::FILE_JOIN);
    assert!(late > join, "the notice has to be due when the record comes");
    let forward = json!([{"type": "forward", "data": {"id": "abc"}}]);
    // More than one round: which of two ready things a lane takes first may be chance.
    for round in 0..6 {
        let name = format!("{round}.zip");
        let record = json!({"messages": [{"sender": {"user_id": 5}, "message": "inside"}]});
        running.fake.reply("get_forward_msg", [Reply::Late(late, record)]);
        let file = json!({"id": "/x", "name": name, "size": 10, "busid": 104});
        let upload = json!({"group_id": GROUP, "user_id": ALICE, "file": file});
        running.fake.tell(&notice("group_upload", upload));
        running.fake.tell(&spoken(GROUP, 10 * round + 1, ALICE, &forward));
        let file = json!([{"type": "file", "data": {"file": name, "file_id": "y", "file_size": "10"}}]);
        running.fake.tell(&spoken(GROUP, 10 * round + 2, ALICE, &file));
        running.fake.tell(&said(GROUP, 10 * round + 3, ALICE, "after"));
        running.message().await;
        let said = running.message().await;
        assert!(text(&said).contains(&name) && said.handle.is_some(), "{said:?}");
        assert_eq!(text(&running.message().await), "after");
    }
    running.stop().await;
}

#[tokio::test]
async fn names_are_filled_in() {
    let mut running = ready().await;
    let at = json!([{"type": "at", "data": {"qq": ALICE.to_string()}}, {"type": "text", "data": {"text": " hi"}}]);
    running.fake.tell(&spoken(GROUP, 1, ALICE + 1, &at));
    assert_eq!(text(&running.message().await), "@alice hi");
    let poke = json!({"sub_type": "poke", "group_id": GROUP, "user_id": ALICE, "target_id": ALICE + 1,
        "raw_info": [{"type": "qq"}, {"type": "nor", "txt": "拍了拍"}, {"type": "qq"}]});
    running.fake.tell(&notice("notify", poke));
    let poke = running.message().await;
    assert!(matches!(&poke.parts[..], [Part::Poke(_)]));
    assert_eq!(
        (text(&poke).as_str(), &poke.sender.id),
        ("/me 拍了拍 bob", &number(ALICE))
    );
    running.stop().await;
}

#[tokio::test]
async fn a_portal_that_did_not_take_an_event_is_told_to_ask_for_history() {
    let mut running = ready().await;
    let mut slow = running.inbox.map(super::running::CATS, 1);
    // It takes nothing: its mailbox is full with the first that it is told.
    for seq in 1..=3 {
        running.fake.tell(&said(GROUP, seq, ALICE, "lost"));
    }
    let lost = async {
        while running.inbox.lost.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::running::PATIENCE, lost)
        .await
        .expect("one is lost");
    running.fake.tell(&said(OTHER, 9, ALICE, "elsewhere"));
    assert_eq!(text(&message(&mut running.dogs).await), "elsewhere");
    let acts = async {
        let mut onlines = 0;
        loop {
            match slow.recv().await.expect("the session runs").act {
                Act::Online { .. } => onlines += 1,
                _ if onlines > 1 => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(super::running::PATIENCE, acts)
        .await
        .expect("it is on line again");
    running.stop().await;
}
