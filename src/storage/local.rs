//! A directory of this machine, served by this service.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Storage, StorageError};

pub struct LocalStorage {
    directory: PathBuf,
    /// What the file's name is appended to, without a slash at its end.
    base_url: String,
}

impl LocalStorage {
    pub fn new(directory: PathBuf, base_url: String) -> Self {
        Self {
            directory,
            base_url,
        }
    }

    fn keep(&self, name: &str, file: &Path) -> io::Result<()> {
        // The bytes first, then the name: after a power cut there is a whole file or none.
        File::open(file)?.sync_all()?;
        fs::rename(file, self.directory.join(name))?;
        File::open(&self.directory)?.sync_all()
    }
}

impl Storage for LocalStorage {
    fn put(&self, name: &str, file: &Path) -> Result<String, StorageError> {
        self.keep(name, file)
            .map_err(|cause| StorageError::new(name, cause))?;
        Ok(format!("{}/{name}", self.base_url))
    }

    fn holds(&self, name: &str) -> io::Result<bool> {
        self.directory.join(name).try_exists()
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::open(self.directory.join(name))
    }
}
