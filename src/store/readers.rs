//! The connections that read, on tokio's blocking threads. They never wait for the writer, nor it for them (WAL).

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::error::Troubled;
use super::{Health, StoreError, open};

/// Reads at the same time.
const READERS: u32 = 4;

/// A small pool.
pub(super) struct Readers {
    shared: Arc<Shared>,
    turns: Arc<Semaphore>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Idle>,
    health: Health,
}

struct Idle {
    connections: Vec<Connection>,
    /// Held until the last read has ended: while there are connections, the file is in use.
    lock: Option<Arc<File>>,
}

impl Readers {
    /// Opens connections when they are first needed.
    pub(super) fn new(path: PathBuf, lock: Arc<File>, health: Health) -> Self {
        let idle = Mutex::new(Idle {
            connections: Vec::new(),
            lock: Some(lock),
        });
        Self {
            shared: Arc::new(Shared { path, idle, health }),
            turns: Arc::new(Semaphore::new(READERS as usize)),
        }
    }

    /// Runs `work` in one snapshot. It goes on to its end when the caller stops waiting.
    pub(super) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<rusqlite::Error> + Troubled + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let Ok(turn) = self.turns.clone().acquire_owned().await else {
            return Err(StoreError::Closed.into());
        };
        let shared = self.shared.clone();
        let task = tokio::task::spawn_blocking(move || {
            let outcome = shared.read(work);
            // Writing is the writer's to judge; that the file is damaged may be found by reading alone.
            if let Some(damaged) = outcome
                .as_ref()
                .err()
                .and_then(E::trouble)
                .filter(|trouble| !trouble.heals())
            {
                shared.health.failed(damaged);
            }
            drop(turn);
            outcome
        });
        match task.await.map_err(JoinError::try_into_panic) {
            Ok(outcome) => outcome,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime shuts down.
            Err(Err(_)) => Err(StoreError::Closed.into()),
        }
    }

    /// Waits for the reads that run, and closes all connections.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.turns.acquire_many(READERS).await {
            self.turns.close();
            drop(all);
        }
        let mut idle = self.shared.idle();
        idle.connections.clear();
        idle.lock = None;
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
        F: FnOnce(&Connection) -> Result<T, E>,
    {
        let connection = self.take()?;
        let snapshot = connection.unchecked_transaction()?;
        let outcome = work(&snapshot);
        drop(snapshot);
        self.give_back(connection);
        outcome
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle().connections.pop();
        idle.map_or_else(|| open::reader(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle().connections.push(connection);
    }
}
