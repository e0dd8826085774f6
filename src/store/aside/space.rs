//! Space that rows left behind goes back to the disk.

use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Aside;
use crate::store::{OpenError, StoreError, open};

/// Pages of one step: some milliseconds of the writer's time.
const STEP: u32 = 64;
/// Between two steps others have the file for so many times what the last one took.
const REST: u32 = 4;
/// `PRAGMA auto_vacuum` of a file that gives pages back by steps.
const BY_STEPS: i64 = 2;

/// How much was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Bytes of the file that are the disk's again.
    pub bytes: u64,
}

/// Why nothing was.
#[derive(Debug, Error)]
pub enum NotGiven {
    /// The file was made by an early version.
    #[error(
        "this store was made by a version that could not do this while the gateway runs: stop it, vacuum once more, and start it; from then on it needs no stop"
    )]
    NeedsStop,
    /// The file cannot be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Aside {
    /// Gives back what is free, in small steps while a gateway may be at work. An old file is first rebuilt, for which no gateway may
    /// run.
    pub fn vacuum(&self) -> Result<Given, NotGiven> {
        let before = self.bytes()?;
        if self.number("auto_vacuum")? == BY_STEPS {
            while self.number("freelist_count")? > 0 {
                let begin = Instant::now();
                self.write(|db| db.execute_batch(&format!("PRAGMA incremental_vacuum({STEP})")))?;
                thread::sleep(begin.elapsed().max(Duration::from_millis(1)) * REST);
            }
        } else {
            let _alone = match open::lock(&self.path) {
                Err(OpenError::InUse(_)) => return Err(NotGiven::NeedsStop),
                alone => alone?,
            };
            let rebuild = "PRAGMA auto_vacuum = INCREMENTAL; VACUUM";
            self.connection.execute_batch(rebuild).map_err(StoreError::from)?;
        }
        // The file itself shrinks when the log was written into it; a gateway that runs does that in time, too.
        let log = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection
            .query_row(log, [], |_| Ok(()))
            .map_err(StoreError::from)?;
        Ok(Given {
            bytes: before.saturating_sub(self.bytes()?),
        })
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        Ok((self.number("page_count")? * self.number("page_size")?).cast_unsigned())
    }

    fn number(&self, pragma: &str) -> Result<i64, StoreError> {
        Ok(self.connection.pragma_query_value(None, pragma, |row| row.get(0))?)
    }
}
