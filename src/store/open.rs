//! Opening the file: who may, what it must be, and how an older one becomes today's.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::OpenError;
use super::meta::{self, Meta};

/// Each brings the format from its index to the next; `PRAGMA user_version` says how many a file has seen. A published one
/// is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/001_initial.sql"),
    include_str!("migrations/002_deeds.sql"),
    include_str!("migrations/003_joined.sql"),
    include_str!("migrations/004_pressure.sql"),
    include_str!("migrations/005_history.sql"),
];

/// `PRAGMA application_id` of our files: "qqxm".
const APPLICATION: i32 = 0x7171_786d;

/// Statements kept prepared by each connection; there are fewer.
const STATEMENTS: usize = 128;

/// Another program's transaction, a backup's or a repair's, only delays ours when it is shorter.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Pages that connections keep in memory, in KiB. Behind them are the system's, which cost a copy.
const WRITER_KIB: i64 = 8192;
const READER_KIB: i64 = 1024;

/// An open store, not yet running.
pub(super) struct Opened {
    /// To be written through.
    pub(super) connection: Connection,
    /// To be held as long as the connection.
    pub(super) lock: File,
    /// What was made with the store.
    pub(super) meta: Meta,
}

/// Locks, creates, checks and migrates.
pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    private_file(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let refused = |source| OpenError::refused(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(refused)?;
    connection.busy_timeout(LOCK_PATIENCE).map_err(refused)?;
    check(path, &connection)?;
    configure(&connection).map_err(refused)?;
    migrate(&mut connection).map_err(refused)?;
    let meta = meta::read_or_make(&mut connection).map_err(refused)?;
    Ok(Opened { connection, lock, meta })
}

/// A connection beside a gateway's: to a file of ours, of today's format.
pub(super) fn beside(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let refused = |source| OpenError::refused(path, source);
    connection.busy_timeout(LOCK_PATIENCE).map_err(refused)?;
    check(path, connection)?;
    if format(connection).map_err(refused)? < MIGRATIONS.len() {
        return Err(OpenError::Older(path.to_owned()));
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(refused)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(refused)
}

/// A connection that only reads. The file exists and is of today's format.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_PATIENCE)?;
    connection.pragma_update(None, "cache_size", -READER_KIB)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Whether a gateway has this store open now. Makes nothing.
pub(super) fn in_use(path: &Path) -> bool {
    lock_path(path).exists() && matches!(lock(path), Err(OpenError::InUse(_)))
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// The lock dies with the process, however it dies. The file stays: removing it would let two processes hold two of them.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let name = lock_path(path);
    let failed = |source| OpenError::Io {
        path: name.clone(),
        source,
    };
    let file = private_file(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The file with mode 0600, made when missing. `SQLite` gives the files beside it the same mode.
fn private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Refuses what is not ours to write, before anything is written.
fn check(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let refused = |source| OpenError::refused(path, source);
    let found = format(connection).map_err(refused)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(refused)?;
    let application: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(refused)?;
    if application != APPLICATION && (tables > 0 || application != 0 || found > 0) {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found > MIGRATIONS.len() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.len(),
        });
    }
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Means something for a new file alone: `store vacuum` gives its free pages back while others write.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // After a burst the write-ahead log shrinks again.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    // The hot ends of all indexes stay in memory.
    connection.pragma_update(None, "cache_size", -WRITER_KIB)?;
    keep_plans(connection)
}

/// A statement is planned once. Without the planner's stability guarantee `SQLite` looks, for partial indexes, at the bound
/// values too, and plans anew for each.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    for (done, migration) in MIGRATIONS.iter().enumerate().skip(format(connection)?) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(migration)?;
        step.pragma_update(None, "application_id", APPLICATION)?;
        step.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))?;
        step.commit()?;
    }
    Ok(())
}

fn format(connection: &Connection) -> rusqlite::Result<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}
