//! What can go wrong with the store, as far as somebody branches on it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};
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
    /// The file was written by an earlier version, and is wanted as it is today.
    #[error("{0} was written by an older qqxmpp: start the gateway once, which brings it up to date")]
    Older(PathBuf),
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
    /// Its disk does not let it be opened, or it is damaged.
    #[error("cannot open {path}: {trouble}")]
    Trouble {
        /// The file.
        path: PathBuf,
        /// Why.
        trouble: Trouble,
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

impl OpenError {
    /// What `SQLite` says of a file.
    pub(super) fn refused(path: &std::path::Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match Trouble::of(&source) {
            Some(trouble) => Self::Trouble { path, trouble },
            None => Self::Sqlite { path, source },
        }
    }
}

/// What keeps a store from being written or read: nobody's mistake but its disk's. See [`super::Health`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    /// No space is left.
    #[error("the disk of the store is full: make room on it")]
    Full,
    /// The file may not be written.
    #[error("the store is read-only: check the mount, and that the file is the gateway's own")]
    ReadOnly,
    /// Another program holds the file's lock for longer than we wait.
    #[error("another program keeps the store locked: end its transaction, or that program")]
    Busy,
    /// The disk does not do what it is asked.
    #[error("the disk of the store fails ({0}): the system's log says more")]
    Disk(String),
    /// The file is damaged. What lies on its good pages still works.
    #[error("the file of the store is damaged ({0}): stop the gateway, run `qqxmpp store check`, and restore a copy")]
    Damaged(String),
}

impl Trouble {
    /// Nothing, when the error is not about the disk or the file.
    pub(super) fn of(error: &rusqlite::Error) -> Option<Self> {
        let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Self::Full),
            // The memory that connections share is a file too, and has to grow.
            ErrorCode::SystemIoFailure if extended == ffi::SQLITE_IOERR_SHMSIZE => Some(Self::Full),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Some(Self::ReadOnly),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(Self::Busy),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Self::Damaged(error.to_string())),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Some(Self::Disk(error.to_string())),
            _ => None,
        }
    }

    /// Whether it can pass without anybody touching the file: then the store finds out by itself.
    pub fn heals(&self) -> bool {
        !matches!(self, Self::Damaged(_))
    }
}

/// Why something was not committed or could not be read. Nothing of a failed commit is kept.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The store was closed, or its writer died.
    #[error("the store is closed")]
    Closed,
    /// The disk or the file. What [heals](Trouble::heals) can be tried again when [`super::Health::writable`] says so.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// What was to be committed contradicts itself.
    #[error("cannot be committed: {0}")]
    Malformed(&'static str),
    /// Anything else that `SQLite` says.
    #[error("the store refuses: {0}")]
    Sql(Arc<rusqlite::Error>),
}

impl StoreError {
    /// The disk or the file, where it is that.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Trouble(trouble) => Some(trouble),
            _ => None,
        }
    }

    /// Whether the same may work later, without anybody touching the file.
    pub fn heals(&self) -> bool {
        self.trouble().is_some_and(Trouble::heals)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match Trouble::of(&error) {
            Some(trouble) => Self::Trouble(trouble),
            None => Self::Sql(Arc::new(error)),
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

/// An error that may be about the disk or the file.
pub(super) trait Troubled {
    /// Then what it is.
    fn trouble(&self) -> Option<&Trouble>;
}

impl Troubled for StoreError {
    fn trouble(&self) -> Option<&Trouble> {
        Self::trouble(self)
    }
}

impl Troubled for PageError {
    fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Store(error) => error.trouble(),
            Self::UnknownId(_) => None,
        }
    }
}
