//! The store as a program sees it that stands beside the gateway: the commands of the command line.
//!
//! A connection of its own to the same file, whether a gateway has it open or not. It reads in snapshots and writes in short
//! transactions, so that the gateway waits for nothing; a gateway that runs sees by the file's version that somebody wrote
//! ([`super::Store::version`]). Blocking: not for a task of the runtime's.

mod check;
mod copy;
mod queue;
mod space;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

pub use queue::{Chosen, Dropped, Waiting, Why};
pub use space::{Given, NotGiven};

use super::{OpenError, StoreError, open};

/// The file, open beside the gateway.
#[derive(Debug)]
pub struct Aside {
    path: PathBuf,
    connection: Connection,
}

impl Aside {
    /// Opens a store that is there; makes nothing, and brings nothing up to date.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        std::fs::metadata(path).map_err(|source| OpenError::Io {
            path: path.to_owned(),
            source,
        })?;
        let refused = |source| OpenError::refused(path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(refused)?;
        open::beside(path, &connection)?;
        Ok(Self {
            path: path.to_owned(),
            connection,
        })
    }

    /// Whether a gateway has it open now.
    pub fn in_use(&self) -> bool {
        open::in_use(&self.path)
    }

    /// One short transaction.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = work(&self.connection).and_then(|done| {
            self.connection.execute_batch("COMMIT")?;
            Ok(done)
        });
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").ok();
        }
        Ok(done?)
    }
}
