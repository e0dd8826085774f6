//! Files for the operator's eyes alone: whole or not at all, mode 0600 from the first byte.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt;

/// Writes a file anew. What lay there before is replaced, also when others could read it.
pub(super) async fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = beside(path);
    remove(&fresh).await?;
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&fresh).await?;
    file.write_all(bytes).await?;
    file.flush().await?;
    tokio::fs::rename(&fresh, path).await
}

/// Removes a file; one that is not there is fine.
pub(super) async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_file_that_others_could_read_is_replaced_by_one_that_they_cannot() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("login-key");
        std::fs::write(&path, "old").expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        write(&path, b"new").await.expect("written");
        assert_eq!(std::fs::read(&path).expect("the file"), b"new");
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
        remove(&path).await.expect("removed");
        remove(&path).await.expect("gone already");
    }
}
