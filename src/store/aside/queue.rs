//! What waits for QQ: to be seen, hurried, and given up.

use std::time::Duration;

use jid::BareJid;
use rusqlite::Connection;

use super::Aside;
use crate::model::{AccountName, GroupNumber, Language, Part, Seq, Timestamp, words};
use crate::store::StoreError;
use crate::store::columns::{Json, Text};

/// Why a row that was given up by the operator did not reach QQ.
const DROPPED: &str = "the operator of the gateway gave it up";

/// A row that is not done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// Whose queue it stands in.
    pub account: AccountName,
    /// For which group.
    pub group: GroupNumber,
    /// The room it was said in, and by whom.
    pub room: BareJid,
    /// Their nick.
    pub author: String,
    /// Since when it counts as waiting: its first try, before that its commit.
    pub since: Timestamp,
    /// How long that is.
    pub age: Duration,
    /// How often it was tried.
    pub tries: u32,
    /// `due`, `sending` or `unknown`.
    pub state: String,
    /// What it says, or does.
    pub words: String,
    /// Why it waits.
    pub why: Why,
}

/// Why a row waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Rows of a group go in order, and this one is before it.
    Behind(i64),
    /// Nothing hinders it but its turn.
    Turn,
    /// It was tried, and is tried again.
    Again {
        /// Then.
        at: Timestamp,
        /// In so long.
        wait: Duration,
        /// What QQ or the session said.
        error: String,
    },
    /// The session has it.
    Sending,
    /// QQ may have it: its echo is waited for; what was said.
    Unknown(String),
}

/// Which rows are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This one.
    One(i64),
    /// All of them, or all of an account.
    All(Option<AccountName>),
}

impl Chosen {
    /// All of an account, by its name, or all there are.
    pub fn all(account: Option<&str>) -> Self {
        Self::All(account.map(|name| AccountName(name.into())))
    }
}

/// What became of rows that were to be given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// So many are given up; their authors are told.
    pub rows: usize,
    /// QQ may have so many of them all the same: their authors are told that, too.
    pub doubtful: usize,
}

impl Aside {
    /// Tells what waits, in the order of the queues.
    pub fn waiting(&self, mut tell: impl FnMut(Waiting)) -> Result<(), StoreError> {
        let mut query = self.connection.prepare(
            "SELECT o.id, o.account, o.grp, r.jid, m.nick, o.since, o.tries, o.state, o.parts, o.deed, o.emoji, o.answers,
                 o.not_before, o.why
             FROM outbox o INDEXED BY outbox_open CROSS JOIN messages m ON m.seq = o.message JOIN rooms r ON r.id = m.room
             WHERE o.settled IS NULL ORDER BY o.account, o.grp, o.id",
        )?;
        let now = Timestamp::now();
        let mut rows = query.query([])?;
        let mut head: Option<(AccountName, GroupNumber, i64)> = None;
        while let Some(row) = rows.next()? {
            let (id, account, group): (i64, AccountName, GroupNumber) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let before = head
                .as_ref()
                .filter(|(a, g, _)| *a == account && *g == group)
                .map(|(_, _, id)| *id);
            if before.is_none() {
                head = Some((account.clone(), group, id));
            }
            let (state, why): (String, String) = (row.get(7)?, row.get(13)?);
            let why = match (before, state.as_str()) {
                (Some(head), _) => Why::Behind(head),
                (None, "sending") => Why::Sending,
                (None, "unknown") => Why::Unknown(why),
                (None, _) if why.is_empty() => Why::Turn,
                (None, _) => {
                    let at: Timestamp = row.get(12)?;
                    let (wait, error) = (at.since(now), why);
                    Why::Again { at, wait, error }
                }
            };
            tell(Waiting {
                id,
                account,
                group,
                room: row.get::<_, Text<BareJid>>(3)?.0,
                author: row.get(4)?,
                since: row.get(5)?,
                age: now.since(row.get(5)?),
                tries: row.get(6)?,
                state,
                words: deed(row)?,
                why,
            });
        }
        Ok(())
    }

    /// Makes rows due at once; says how many. What is with a session, or unknown, stays as it is.
    pub fn retry(&self, chosen: &Chosen) -> Result<usize, StoreError> {
        let (id, account) = parts(chosen);
        self.write(|db| {
            db.execute(
                "UPDATE outbox SET not_before = 0 WHERE settled IS NULL AND state = 'due'
                     AND (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR account = ?2)",
                (id, account),
            )
        })
    }

    /// Gives rows up, as if QQ had refused them: the rest of a message goes with its piece, and authors are told. What is with a session
    /// or unknown is remembered as possibly sent.
    pub fn give_up(&self, chosen: &Chosen) -> Result<Dropped, StoreError> {
        let (id, account) = parts(chosen);
        self.write(|db| {
            let mut dropped = Dropped::default();
            let mut query = db.prepare(
                "UPDATE outbox SET doubt = (state <> 'due'), state = 'failed', settled = ?3, why = ?4
                 WHERE settled IS NULL AND (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR account = ?2) RETURNING doubt",
            )?;
            let mut rows = query.query((id, account, Timestamp::now(), DROPPED))?;
            while let Some(row) = rows.next()? {
                dropped.rows += 1;
                dropped.doubtful += usize::from(row.get::<_, bool>(0)?);
            }
            if let Some(id) = id {
                dropped.rows += rest_of_message(db, id)?;
            }
            Ok(dropped)
        })
    }
}

fn parts(chosen: &Chosen) -> (Option<i64>, Option<&AccountName>) {
    match chosen {
        Chosen::One(id) => (Some(*id), None),
        Chosen::All(account) => (None, account.as_ref()),
    }
}

/// No text goes on without its middle.
fn rest_of_message(db: &Connection, id: i64) -> rusqlite::Result<usize> {
    db.execute(
        "UPDATE outbox SET state = 'failed', settled = ?2, why = ?3 FROM
             (SELECT message, grp, piece FROM outbox WHERE id = ?1 AND state = 'failed' AND deed = 'say') AS first
         WHERE outbox.message = first.message AND outbox.grp = first.grp AND outbox.piece > first.piece
             AND outbox.state = 'due'",
        (id, Timestamp::now(), DROPPED),
    )
}

/// What a row says or does, on one line.
fn deed(row: &rusqlite::Row<'_>) -> rusqlite::Result<String> {
    let about: Option<Seq> = row.get(11)?;
    let about = about.map_or(0, |about| about.0);
    Ok(match row.get_ref(9)?.as_str()? {
        "recall" => format!("(recall of message {about})"),
        deed @ ("react" | "unreact") => {
            let sign = if deed == "react" { '+' } else { '-' };
            let emoji: String = row.get(10)?;
            format!("(reaction {sign}{emoji} to message {about})")
        }
        _ => words::plain_text(&row.get::<_, Json<Vec<Part>>>(8)?.0, Language::En),
    })
}
