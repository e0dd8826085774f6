//! Gaps of all kinds, closed from pages that a program might give.

use serde_json::json;

use super::*;
use crate::qq::onebot::dialect;

const GROUP: GroupNumber = GroupNumber(7);
const NOW: i64 = 1_700_000_000;

/// A page of `NapCat`: message `n` was said `n` seconds after the start.
fn page(numbers: impl IntoIterator<Item = i64>) -> Vec<Heard> {
    let items: Vec<Value> = numbers
        .into_iter()
        .map(|n| {
            json!({"message_type": "group", "group_id": 7, "user_id": 5, "message_id": n * 1000, "real_seq": n.to_string(),
                "time": NOW + n, "sender": {}, "message": [{"type": "text", "data": {"text": n.to_string()}}]})
        })
        .collect();
    read(&json!({"messages": items}), QqNumber(1), GROUP)
}

fn known(event: &str, handle: i64, time: i64) -> Known {
    Known {
        event: Some(EventId(event.into())),
        handle: Some(Handle(handle.to_string().into())),
        time: Timestamp::from_secs(NOW + time),
    }
}

fn seqs(heard: &[Heard]) -> Vec<u64> {
    heard.iter().filter_map(|heard| heard.real_seq).collect()
}

#[test]
fn pages_in_any_order_become_one_story() {
    let napcat = dialect::of("NapCat");
    let mut gap = Gap::new(&known("seq:3", 3000, 3), 100, Timestamp(0));
    assert_eq!(gap.take(page([9, 8, 10]), napcat), Page::More);
    assert_eq!(gap.take(page([8]), napcat), Page::NothingNew);
    assert_eq!(gap.take(page([5, 6, 7, 8]), napcat), Page::More);
    assert_eq!(gap.take(page([1, 2, 3, 4, 5]), napcat), Page::Reached);
    let (heard, extent) = gap.close(Extent::Whole);
    assert_eq!((seqs(&heard), extent), (vec![4, 5, 6, 7, 8, 9, 10], Extent::Whole));
}

#[test]
fn the_message_behind_the_known_one_closes_the_gap() {
    let mut gap = Gap::new(&known("seq:3", 3000, 3), 100, Timestamp(0));
    assert_eq!(gap.take(page([4, 5]), dialect::of("NapCat")), Page::Reached);
    assert_eq!(seqs(&gap.close(Extent::Whole).0), [4, 5]);
}

#[test]
fn what_is_cut_off_is_said() {
    let napcat = dialect::of("NapCat");
    let mut gap = Gap::new(&known("seq:3", 3000, 3), 2, Timestamp(0));
    assert_eq!(gap.take(page([4, 5, 6]), napcat), Page::Reached);
    let (heard, extent) = gap.close(Extent::Whole);
    assert_eq!((seqs(&heard), extent), (vec![5, 6], Extent::Part));

    let mut gap = Gap::new(&known("seq:3", 3000, 3), 100, Timestamp::from_secs(NOW + 8));
    assert_eq!(gap.take(page([7, 8, 9]), napcat), Page::Enough);
    let (heard, extent) = gap.close(Extent::Part);
    assert_eq!((seqs(&heard), extent), (vec![8, 9], Extent::Part));
}

#[test]
fn without_numbers_time_and_handle_tell() {
    let lagrange = dialect::of("Lagrange.OneBot");
    let mut gap = Gap::new(&known("id:3000:1700000003", 3000, 3), 100, Timestamp(0));
    assert_eq!(gap.take(page([3, 4, 5]), lagrange), Page::Reached);
    assert_eq!(seqs(&gap.close(Extent::Whole).0), [4, 5]);
    // The known one was taken back meanwhile.
    let mut gap = Gap::new(&known("id:3500:1700000003", 3500, 3), 100, Timestamp(0));
    assert_eq!(gap.take(page([3, 4, 5]), lagrange), Page::More);
    assert_eq!(gap.take(page([2, 3]), lagrange), Page::Reached);
    assert_eq!(seqs(&gap.close(Extent::Whole).0), [3, 4, 5]);
}

/// The last known message is an own one, which was kept with the time of our clock.
#[test]
fn a_clock_that_is_ahead_hides_nothing() {
    let ahead = |event: &str, by: i64| Known {
        time: Timestamp::from_secs(NOW + 3 + by),
        ..known(event, 3000, 3)
    };
    let lagrange = dialect::of("Lagrange.OneBot");
    let mut gap = Gap::new(&ahead("id:3000:1700000003", 60), 100, Timestamp(0));
    assert_eq!(gap.take(page([3, 4, 5, 50]), lagrange), Page::Reached);
    assert_eq!(seqs(&gap.close(Extent::Whole).0), [4, 5, 50]);
    // An event without a time: the tolerance is all there is.
    let mut gap = Gap::new(&ahead("seq:3", 4), 100, Timestamp(0));
    assert_eq!(gap.take(page([3, 4, 5]), lagrange), Page::Reached);
    assert_eq!(seqs(&gap.close(Extent::Whole).0), [4, 5]);
}

#[test]
fn each_dialect_pages_in_its_own_way() {
    let mark = Mark {
        seq: Some(41),
        time: Timestamp(0),
        handle: Handle("-5".into()),
    };
    let asked = |app: &str| params(dialect::of(app), GROUP, Some(&mark), true);
    assert_eq!(asked("LLOneBot").expect("a way")["message_seq"], 41);
    assert_eq!(asked("Lagrange").expect("a way")["message_id"], -5);
    let napcat = asked("NapCat").expect("a way");
    assert_eq!(
        (&napcat["message_seq"], &napcat["reverse_order"]),
        (&json!(-5), &json!(true))
    );
    assert_eq!(asked("else"), None);
}

proptest::proptest! {
    #[test]
    fn no_page_breaks_the_order(pages in proptest::collection::vec(proptest::collection::vec(1i64..60, 0..12), 0..8), after in 0i64..60) {
        let napcat = dialect::of("NapCat");
        let mut gap = Gap::new(&known(&format!("seq:{after}"), after * 1000, after), 20, Timestamp(0));
        for numbers in pages {
            gap.take(page(numbers), napcat);
        }
        let (heard, _) = gap.close(Extent::Whole);
        let seqs = seqs(&heard);
        proptest::prop_assert!(seqs.len() <= 20);
        proptest::prop_assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]));
        proptest::prop_assert!(seqs.iter().all(|seq| i64::try_from(*seq).is_ok_and(|seq| seq > after)));
    }
}

/// `Lagrange` numbers nothing, and its times are whole seconds.
#[test]
fn within_a_second_the_order_of_the_pages_counts() {
    let said = |numbers: std::ops::Range<i64>| {
        let items: Vec<Value> = numbers
            .map(|n| {
                json!({"message_type": "group", "group_id": 7, "user_id": 5, "message_id": (n * 7919) % 1009, "time": NOW + 1,
                    "sender": {}, "message": [{"type": "text", "data": {"text": n.to_string()}}]})
            })
            .collect();
        read(&json!({"messages": items}), QqNumber(1), GROUP)
    };
    let lagrange = dialect::of("Lagrange.OneBot");
    let mut gap = Gap::new(&known("id:1:1700000000", 1, 0), 100, Timestamp(0));
    assert_eq!(gap.take(said(20..30), lagrange), Page::More);
    let oldest = gap.oldest.clone().expect("one");
    assert_eq!(&*oldest.handle.0, ((20 * 7919) % 1009).to_string());
    assert_eq!(gap.take(said(11..21), lagrange), Page::More);
    assert_eq!(gap.take(said(11..12), lagrange), Page::NothingNew);
    let (heard, _) = gap.close(Extent::Whole);
    let texts: Vec<String> = heard
        .iter()
        .map(|heard| crate::model::words::plain_text(&heard.parts, crate::model::Language::En))
        .collect();
    assert_eq!(texts, (11..30).map(|n| n.to_string()).collect::<Vec<_>>());
}
