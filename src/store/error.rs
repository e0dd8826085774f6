//! What can go wrong with the store, as far as somebody branches on it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::model::Seq;

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file was written by a later version.
    #[error(
        "{path} was written by a newer qqxmpp (format {found}, this one knows {known}): install that version again, or restore the copy from before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: usize,
        /// The newest format known here.
        known: usize,
    },
    /// Another gateway has it open.
    #[error("{0} is in use by another qqxmpp: stop that one first, or give this one a [store] path of its own")]
    InUse(PathBuf),
    /// A file of `SQLite`, but not ours.
    #[error("{0} belongs to another program: give qqxmpp a [store] path of its own")]
    Foreign(PathBuf),
    /// The file, or the lock beside it, cannot be made or read.
    #[error("cannot open {path}: {source}; [store] path must lie in a directory that this user may write to")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `SQLite` refuses it.
    #[error("cannot open {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// Why something was not committed or could not be read. Nothing of a failed commit is kept.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The store was closed, or its writer died.
    #[error("the store is closed")]
    Closed,
    /// No space is left. Writes work again when there is.
    #[error("the disk of the store is full: make room on it")]
    Full,
    /// The file may not be written.
    #[error("the store is read-only: check the mount and the file's owner")]
    ReadOnly,
    /// Another program holds the file's lock for longer than we wait.
    #[error("another program keeps the store locked: end its transaction")]
    Busy,
    /// The disk fails, or the file is damaged.
    #[error("the file of the store is damaged or its disk fails ({0}): restore a copy")]
    Damaged(Arc<rusqlite::Error>),
    /// What was to be committed contradicts itself.
    #[error("cannot be committed: {0}")]
    Malformed(&'static str),
    /// Anything else that `SQLite` says.
    #[error("the store refuses: {0}")]
    Sql(Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure) => {
                Self::Damaged(Arc::new(error))
            }
            _ => Self::Sql(Arc::new(error)),
        }
    }
}

/// Why a page of the archive was not given.
#[derive(Debug, Clone, Error)]
pub enum PageError {
    /// The query names a row that this room does not have (`item-not-found`, XEP-0313 §4.3 and XEP-0059 §2.2).
    #[error("row {0} is not in the archive of this room")]
    UnknownId(Seq),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for PageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}
