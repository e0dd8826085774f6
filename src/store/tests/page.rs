//! Pages against a naive model of them.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::store::{Page, PageError, PageQuery, PageWanted};

/// All rows in a list, filtered and cut as XEP-0059 says.
fn model(rows: &[Row], query: &PageQuery) -> Result<Page, Seq> {
    let known: HashSet<Seq> = rows.iter().map(|row| row.seq).collect();
    let turned = match query.page {
        PageWanted::After(seq) | PageWanted::Before(seq) => Some(seq),
        PageWanted::First | PageWanted::Last => None,
    };
    let named = [query.after_id, query.before_id, turned].into_iter().flatten();
    if let Some(unknown) = named.chain(query.ids.iter().copied()).find(|seq| !known.contains(seq)) {
        return Err(unknown);
    }
    let all: Vec<&Row> = rows
        .iter()
        .filter(|row| query.start.is_none_or(|start| row.time >= start))
        .filter(|row| query.end.is_none_or(|end| row.time <= end))
        .filter(|row| query.after_id.is_none_or(|seq| row.seq > seq))
        .filter(|row| query.before_id.is_none_or(|seq| row.seq < seq))
        .filter(|row| query.ids.is_empty() || query.ids.contains(&row.seq))
        .filter(|row| query.with.is_empty() || query.with.contains(&row.author))
        .collect();
    let (from, to) = match query.page {
        PageWanted::First => (0, query.max.min(all.len())),
        PageWanted::After(seq) => {
            let from = all.iter().filter(|row| row.seq <= seq).count();
            (from, (from + query.max).min(all.len()))
        }
        PageWanted::Before(seq) => {
            let to = all.iter().filter(|row| row.seq < seq).count();
            (to.saturating_sub(query.max), to)
        }
        PageWanted::Last => (all.len().saturating_sub(query.max), all.len()),
    };
    let complete = match query.page {
        PageWanted::First | PageWanted::After(_) => to == all.len(),
        PageWanted::Before(_) | PageWanted::Last => from == 0,
    };
    Ok(Page {
        rows: all[from..to].iter().map(|row| (*row).clone()).collect(),
        count: all.len() as u64,
        index: from as u64,
        complete,
    })
}

fn seqs() -> impl Strategy<Value = Seq> {
    // Even ones are in the room, odd ones in another; beyond 60 there is nothing.
    prop_oneof![20 => (1..=30i64).prop_map(|n| Seq(n * 2)), 1 => (-1..70i64).prop_map(Seq)]
}

fn queries() -> impl Strategy<Value = PageQuery> {
    let time = || prop::option::of((0..20i64).prop_map(Timestamp::from_secs));
    let page = prop_oneof![
        Just(PageWanted::First),
        Just(PageWanted::Last),
        seqs().prop_map(PageWanted::After),
        seqs().prop_map(PageWanted::Before),
    ];
    let seq = || prop::option::weighted(0.3, seqs());
    let ids = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(seqs(), 1..6)];
    let with = prop::collection::vec((0..4usize).prop_map(author), 0..3);
    (time(), time(), seq(), seq(), ids, with, page, 0..40usize).prop_map(
        |(start, end, after_id, before_id, ids, with, page, max)| PageQuery {
            start,
            end,
            after_id,
            before_id,
            ids,
            with,
            page,
            max,
        },
    )
}

fn author(n: usize) -> Author {
    match n {
        0 => Author::Room,
        1 => Author::Occupant(bare("alice@example.org")),
        2 => Author::Member {
            group: GROUP,
            id: MemberId::Number(QqNumber(1)),
        },
        _ => Author::Member {
            group: GROUP,
            id: MemberId::Number(QqNumber(11)),
        },
    }
}

#[test]
fn pages_are_those_of_the_model() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let lab = runtime.block_on(Lab::new());
    let other = runtime
        .block_on(lab.store.room(&bare("cats@qq.example.org")))
        .expect("a room");
    for n in 0..30usize {
        let message = NewMessage {
            identity: Identity::Line,
            // Not in order, and often the same.
            time: Timestamp::from_secs(i64::try_from(n * 7 % 19).expect("small")),
            author: author(n % 4),
            ..from_qq("x", &n.to_string())
        };
        let both = async {
            lab.store
                .commit(other, vec![Write::Message(message.clone())])
                .await
                .expect("a commit");
            lab.new_rows(message).await
        };
        runtime.block_on(both);
    }
    let rows = runtime.block_on(lab.archive());
    assert_eq!(rows.last().map(|row| row.seq), Some(Seq(60)));

    let mut runner = TestRunner::new(Config {
        cases: 2000,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&queries(), |query| {
        let page = match runtime.block_on(lab.store.page(lab.room, query.clone())) {
            Ok(page) => Ok(page),
            Err(PageError::UnknownId(seq)) => Err(seq),
            Err(PageError::Store(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert_eq!(page, model(&rows, &query));
        Ok(())
    });
    outcome.expect("equal pages");
}
