//! Whether the file is whole, for `SQLite` and for us.

use rusqlite::Connection;

use super::Aside;
use crate::store::StoreError;

/// Problems of one kind that are told.
const MOST: usize = 20;

/// What must not be found, and in which words; the statement gives a number for each.
const RULES: &[(&str, &str)] = &[
    (
        "outbox: row {} belongs to no row of its message",
        "SELECT o.id FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.seq = o.row AND m.message = o.message)",
    ),
    (
        "outbox: row {} is over and was not settled, or the reverse",
        "SELECT id FROM outbox WHERE (settled IS NULL) <> (state IN ('due', 'sending', 'unknown'))",
    ),
    (
        "outbox: row {} is on its way although an older one of its group waits",
        "SELECT o.id FROM outbox o WHERE o.state IN ('sending', 'unknown') AND EXISTS (SELECT 1 FROM outbox p
             WHERE p.account = o.account AND p.grp = o.grp AND p.id < o.id AND p.settled IS NULL)",
    ),
    (
        "outbox: the words of row {} cannot be read",
        "SELECT id FROM outbox WHERE NOT json_valid(parts)",
    ),
    (
        "archive: row {} cannot be read",
        "SELECT seq FROM messages WHERE NOT json_valid(content)",
    ),
    (
        "archive: row {} comes before its own message",
        "SELECT seq FROM messages WHERE message > seq",
    ),
    (
        "room {}: its mark lies beyond the last row that there ever was",
        "SELECT id FROM rooms WHERE confirmed > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'messages')",
    ),
    (
        "room {}: somebody in it has seen rows that there never were",
        "SELECT DISTINCT room FROM sessions
         WHERE cut > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'messages')",
    ),
    (
        "the key that addresses are made of is missing ({} of 2)",
        "SELECT n FROM (SELECT count(*) AS n FROM meta WHERE key IN ('salt', 'epoch')) WHERE n <> 2",
    ),
];

impl Aside {
    /// Every problem, as a sentence; none when all is well. Reads one snapshot and nothing else.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        self.connection.execute_batch("BEGIN")?;
        let mut problems = Vec::new();
        // What cannot be read is a problem and no reason to end: the next question may be answered.
        note(&mut problems, whole(&self.connection));
        note(&mut problems, references(&self.connection));
        for (words, rule) in RULES {
            note(&mut problems, broken(&self.connection, words, rule));
        }
        self.connection.execute_batch("ROLLBACK").ok();
        problems.dedup();
        Ok(problems)
    }
}

fn note(problems: &mut Vec<String>, found: rusqlite::Result<Vec<String>>) {
    match found {
        Ok(found) => problems.extend(found),
        Err(error) => problems.push(error.to_string()),
    }
}

fn whole(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("PRAGMA integrity_check(20)")?;
    let lines = query.query_map([], |row| row.get::<_, String>(0))?;
    lines
        .filter(|line| line.as_ref().map_or(true, |line| line != "ok"))
        .collect()
}

fn references(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("PRAGMA foreign_key_check")?;
    let lines = query.query_map([], |row| {
        let (table, of): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("{table}: a row refers to one of {of} that is gone"))
    })?;
    lines.take(MOST).collect()
}

fn broken(db: &Connection, words: &str, rule: &str) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare(rule)?;
    let numbers = query.query_map([], |row| row.get::<_, i64>(0))?;
    let sentences = numbers.map(|number| Ok(words.replace("{}", &number?.to_string())));
    sentences.take(MOST).collect()
}
