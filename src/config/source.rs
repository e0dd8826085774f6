//! Where the configuration comes from, kept so that a reload can read it again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Config, Problems};

type Env = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A file and an environment. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    path: PathBuf,
    env: Arc<Env>,
}

impl Source {
    /// This file, with the environment of the process.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_env(path, |name| std::env::var(name).ok())
    }

    /// This file, with an environment of its own.
    pub fn with_env(path: impl Into<PathBuf>, env: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            path: path.into(),
            env: Arc::new(env),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads everything anew. Blocks for the time of reading a small file.
    pub fn load(&self) -> Result<Config, Problems> {
        let text = std::fs::read_to_string(&self.path).map_err(|error| Problems::unreadable(&self.path, &error))?;
        Config::load(&text, &self.path, &*self.env)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
