//! Where finished videos are kept, and at which address they can be had.

mod local;

use std::fs::File;
use std::io;
use std::path::Path;

pub use local::LocalStorage;

#[derive(Debug, thiserror::Error)]
#[error("{name:?} could not be stored")]
pub struct StorageError {
    name: String,
    #[source]
    cause: io::Error,
}

impl StorageError {
    pub fn new(name: &str, cause: io::Error) -> Self {
        Self {
            name: name.to_owned(),
            cause,
        }
    }
}

/// A place for files, named by us. Called on threads that may wait, and may block.
pub trait Storage: Send + Sync {
    /// Stores the file under `name`, for good once this returns, and tells its public URL. May take
    /// the file away.
    fn put(&self, name: &str, file: &Path) -> Result<String, StorageError>;

    /// Whether there is a file of this name.
    fn holds(&self, name: &str) -> io::Result<bool>;

    /// The file, to be read from its beginning.
    fn open(&self, name: &str) -> io::Result<File>;
}
