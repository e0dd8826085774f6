//! A small disk for the store, which can be filled: a file system in memory, which only root may mount.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Room enough for the store of a run, and filled in no time.
const SIZE: &str = "size=96m";
const BLOCK: usize = 64 * 1024;

/// Dropped, it is unmounted.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one in a new folder; nothing when we may not.
    pub(crate) fn mount(path: &Path) -> anyhow::Result<Option<Self>> {
        fs::create_dir(path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let is_there = mounted.is_ok_and(|status| status.success());
        Ok(is_there.then(|| Self { path: path.to_owned() }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes all that is left.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler())?;
        let block = vec![b'x'; BLOCK];
        // In the end byte by byte of a page: nothing is left.
        for size in [BLOCK, 4096, 1] {
            while filler.write_all(&block[..size]).is_ok() {}
        }
        Ok(())
    }

    /// Gives it back.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        fs::remove_file(self.filler()).context("the disk was not full")
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever holds a file there may finish.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
