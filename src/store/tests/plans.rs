//! How `SQLite` goes about the questions that are asked again and again: by an index, and never through all that waits.

use super::*;
use crate::store::{outbox, prune};

/// The steps of a statement.
async fn plan(lab: &Lab, sql: &'static str) -> Vec<String> {
    let steps = lab.store.read(move |db| {
        let mut query = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let unbound = query.parameter_count();
        for n in 1..=unbound {
            query.raw_bind_parameter(n, 1)?;
        }
        let mut rows = query.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get::<_, String>(3)?);
        }
        Ok::<_, StoreError>(steps)
    });
    steps.await.expect("a plan")
}

#[tokio::test]
async fn nothing_goes_through_the_whole_queue() {
    let lab = Lab::new().await;
    for (sql, index) in [
        (outbox::DUE, "outbox_open (account=? AND grp=?)"),
        (outbox::NEXT_DUE, "outbox_open (account=? AND grp=?)"),
        (outbox::UNSETTLED, "outbox_moving (account=?)"),
        (outbox::OPEN_ECHO, "outbox_moving (account=? AND grp=?)"),
        (outbox::DROP_OPPOSITE, "outbox_about (answers=?)"),
        (outbox::QUEUED, "COVERING INDEX outbox_open (account=?)"),
        (prune::OLD, "COVERING INDEX messages_by_room (room=? AND seq>?)"),
    ] {
        let steps = plan(&lab, sql).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{sql}\n{steps:#?}");
        let small = ["place", "head", "o", "CONSTANT ROW"];
        let scanned = steps.iter().filter_map(|step| step.strip_prefix("SCAN "));
        let mut scanned = scanned.filter(|table| !small.contains(table));
        assert_eq!(scanned.next(), None, "{sql}\n{steps:#?}");
    }
}

#[tokio::test]
async fn what_goes_with_a_row_is_found_by_an_index() {
    let lab = Lab::new().await;
    let lacking = lab.store.read(|db| {
        // Every column that refers to another table is the first of an index, or of the key.
        let mut query = db.prepare(
            "SELECT t.name || '.' || f.\"from\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
             WHERE t.type = 'table' AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_info(i.name) c
                 WHERE c.seqno = 0 AND c.name = f.\"from\" AND i.partial = 0)",
        )?;
        let found = query.query_map([], |row| row.get(0))?;
        Ok::<_, StoreError>(found.collect::<rusqlite::Result<Vec<String>>>()?)
    });
    assert_eq!(lacking.await.expect("read"), Vec::<String>::new());
}
