//! A copy of the store, made while it is in use.
//!
//! `VACUUM INTO` reads one snapshot. `SQLite`'s other way, the backup interface, begins anew whenever another process writes, which
//! a gateway does all the time.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Aside;
use crate::store::OpenError;

impl Aside {
    /// Writes a copy (mode 0600) to where nothing is yet. It appears when it is complete and on the disk.
    pub fn backup(&self, to: &Path) -> Result<(), OpenError> {
        let failed = |source| OpenError::Io {
            path: to.to_owned(),
            source,
        };
        if std::fs::symlink_metadata(to).is_ok() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let part = Part::make(to).map_err(failed)?;
        let name = part
            .0
            .to_str()
            .ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        let copied = self.connection.execute("VACUUM INTO ?1", [name]);
        copied.map_err(|source| OpenError::refused(to, source))?;
        part.publish(to).map_err(failed)
    }
}

/// The copy while it is being written; what did not become one is taken away.
struct Part(PathBuf);

impl Part {
    fn make(to: &Path) -> io::Result<Self> {
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = Self(PathBuf::from(name));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part.0)?;
        Ok(part)
    }

    fn publish(self, to: &Path) -> io::Result<()> {
        File::open(&self.0)?.sync_all()?;
        // A link, unlike a rename, takes nobody's place.
        std::fs::hard_link(&self.0, to)?;
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}
