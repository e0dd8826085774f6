//! How the plain types lie in columns.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jid::BareJid;
use rusqlite::Result;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RoomId;
use crate::model::{AccountName, Author, EventId, GroupNumber, Handle, MemberId, Seq, Timestamp};

impl ToSql for Seq {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Seq {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

impl ToSql for RoomId {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for RoomId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

// SQLite has no unsigned integers; the bits are the same.
impl ToSql for GroupNumber {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.cast_signed().into())
    }
}

impl FromSql for GroupNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|n| Self(n.cast_unsigned()))
    }
}

impl ToSql for AccountName {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for AccountName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.into()))
    }
}

impl ToSql for Handle {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok((&*self.0).into())
    }
}

impl FromSql for Handle {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.into()))
    }
}

impl ToSql for EventId {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok((&*self.0).into())
    }
}

impl FromSql for EventId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(text.into()))
    }
}

impl ToSql for MemberId {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for MemberId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

// One text for each author, so that a query can ask for one with `=`.
impl ToSql for Author {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(author_text(self).into())
    }
}

/// The text of an author in its column.
pub(super) fn author_text(author: &Author) -> String {
    match author {
        Author::Member { group, id } => format!("m{group}/{id}"),
        Author::Occupant(jid) => format!("o{jid}"),
        Author::Guest(id) => format!("g{id}"),
        Author::Room => "r".to_owned(),
    }
}

impl FromSql for Author {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        if text == "r" {
            return Ok(Self::Room);
        }
        if let Some(jid) = text.strip_prefix('o') {
            return BareJid::new(jid).map(Self::Occupant).map_err(FromSqlError::other);
        }
        if let Some(id) = text.strip_prefix('g') {
            return Ok(Self::Guest(id.to_owned()));
        }
        let (group, id) = text
            .strip_prefix('m')
            .and_then(|member| member.split_once('/'))
            .ok_or(FromSqlError::InvalidType)?;
        Ok(Self::Member {
            group: GroupNumber(group.parse().map_err(FromSqlError::other)?),
            id: MemberId::parse(id).ok_or(FromSqlError::InvalidType)?,
        })
    }
}

/// A column whose text is the type's own text form.
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> ToSql for Text<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl<T> FromSql for Text<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A column of JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A text column that many readers share.
pub(super) fn shared(row: &rusqlite::Row<'_>, column: usize) -> Result<Arc<str>> {
    Ok(row.get_ref(column)?.as_str()?.into())
}

/// A limit as `SQLite` wants it.
pub(super) fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
