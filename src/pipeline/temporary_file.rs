//! Files that go when nobody needs them any more.

use std::path::{Path, PathBuf};

/// A file that is removed when this is dropped, unless it was moved before, or is to persist.
pub struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Leaves the file where it is.
    pub fn persist(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Err: it was moved, or never made.
        let _ = std::fs::remove_file(&self.0);
    }
}
