//! Pages of the archive (XEP-0313 with XEP-0059). Order is always by `seq`; times only filter.

use rusqlite::{Connection, OptionalExtension, Statement, ToSql};

use super::columns::{Json, author_text, limit};
use super::messages::read;
use super::{Page, PageError, PageQuery, PageWanted, RoomId, Store};
use crate::model::{Row, Seq};

impl Store {
    /// A page of a room's archive. Any row that the query names must be in the room, filtered out or not.
    pub async fn page(&self, room: RoomId, query: PageQuery) -> Result<Page, PageError> {
        self.read(move |db| page(db, room, &query)).await
    }
}

fn page(db: &Connection, room: RoomId, query: &PageQuery) -> Result<Page, PageError> {
    if let Some(unknown) = unknown(db, room, query)? {
        return Err(PageError::UnknownId(unknown));
    }
    let filter = Filter { room, query };
    let count = filter.count(db, i64::MAX)?;
    let (rows, index, complete) = match query.page {
        PageWanted::First => {
            let rows = filter.forward(db, 0)?;
            let complete = as_count(&rows) == count;
            (rows, 0, complete)
        }
        PageWanted::After(Seq(after)) => {
            let rows = filter.forward(db, after)?;
            let index = filter.count(db, after)?;
            let complete = index + as_count(&rows) == count;
            (rows, index, complete)
        }
        PageWanted::Before(Seq(before)) => {
            let rows = filter.backward(db, before)?;
            let index = filter.count(db, before - 1)? - as_count(&rows);
            (rows, index, index == 0)
        }
        PageWanted::Last => {
            let rows = filter.backward(db, i64::MAX)?;
            let index = count - as_count(&rows);
            (rows, index, index == 0)
        }
    };
    Ok(Page {
        rows,
        count,
        index,
        complete,
    })
}

/// The first row named by the query that the room does not have.
fn unknown(db: &Connection, room: RoomId, query: &PageQuery) -> rusqlite::Result<Option<Seq>> {
    let mut known = db.prepare_cached("SELECT 1 FROM messages WHERE seq = ?1 AND room = ?2")?;
    let turned = match query.page {
        PageWanted::After(seq) | PageWanted::Before(seq) => Some(seq),
        PageWanted::First | PageWanted::Last => None,
    };
    let named = [query.after_id, query.before_id, turned].into_iter().flatten();
    for seq in named.chain(query.ids.iter().copied()) {
        if known.query_row((seq, room), |_| Ok(())).optional()?.is_none() {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

struct Filter<'a> {
    room: RoomId,
    query: &'a PageQuery,
}

impl Filter<'_> {
    /// How many rows up to this one the filter lets through.
    fn count(&self, db: &Connection, upto: i64) -> rusqlite::Result<u64> {
        let sql = self.sql("SELECT count(*)", "");
        let mut statement = db.prepare_cached(&sql)?;
        self.bind(&mut statement, 0, upto)?;
        let count: i64 = statement.raw_query().next()?.map_or(Ok(0), |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    fn forward(&self, db: &Connection, after: i64) -> rusqlite::Result<Vec<Row>> {
        self.rows(db, "ORDER BY seq LIMIT :max", after, i64::MAX)
    }

    fn backward(&self, db: &Connection, before: i64) -> rusqlite::Result<Vec<Row>> {
        let mut rows = self.rows(db, "ORDER BY seq DESC LIMIT :max", 0, before - 1)?;
        rows.reverse();
        Ok(rows)
    }

    fn rows(&self, db: &Connection, order: &str, after: i64, upto: i64) -> rusqlite::Result<Vec<Row>> {
        let sql = self.sql("SELECT seq, message, time, author, nick, content", order);
        let mut statement = db.prepare_cached(&sql)?;
        self.bind(&mut statement, after, upto)?;
        bind(&mut statement, ":max", &limit(self.query.max))?;
        statement.raw_query().mapped(read).collect()
    }

    /// One of four statements: only what is asked for is in it, so that a count without `with` touches the index alone.
    fn sql(&self, select: &str, order: &str) -> String {
        let with = match self.query.with.as_slice() {
            [] => "",
            _ => "AND author IN (SELECT value FROM json_each(:with))",
        };
        let ids = match self.query.ids.as_slice() {
            [] => "",
            _ => "AND seq IN (SELECT value FROM json_each(:ids))",
        };
        format!(
            "{select} FROM messages WHERE room = :room AND seq > :after AND seq <= :upto
             AND time >= :start AND time <= :end {with} {ids} {order}"
        )
    }

    fn bind(&self, statement: &mut Statement<'_>, after: i64, upto: i64) -> rusqlite::Result<()> {
        let query = self.query;
        let after = after.max(query.after_id.map_or(0, |seq| seq.0));
        let upto = upto.min(query.before_id.map_or(i64::MAX, |seq| seq.0 - 1));
        bind(statement, ":room", &self.room)?;
        bind(statement, ":after", &after)?;
        bind(statement, ":upto", &upto)?;
        bind(statement, ":start", &query.start.map_or(i64::MIN, |time| time.0))?;
        bind(statement, ":end", &query.end.map_or(i64::MAX, |time| time.0))?;
        if !query.with.is_empty() {
            let with: Vec<String> = query.with.iter().map(author_text).collect();
            bind(statement, ":with", &Json(&with))?;
        }
        if !query.ids.is_empty() {
            bind(statement, ":ids", &Json(&query.ids))?;
        }
        Ok(())
    }
}

fn bind(statement: &mut Statement<'_>, name: &str, value: &dyn ToSql) -> rusqlite::Result<()> {
    let index = statement
        .parameter_index(name)?
        .ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?;
    statement.raw_bind_parameter(index, value)
}

fn as_count(rows: &[Row]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX)
}
