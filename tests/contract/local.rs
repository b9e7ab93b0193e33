//! The storage in a local directory.

use std::fs;
use std::sync::Arc;

use kinora::storage::{LocalStorage, Storage};
use tempfile::TempDir;

use crate::storage::{Harness, storage_contract};

struct Local {
    directory: TempDir,
    work: TempDir,
}

impl Harness for Local {
    async fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory"),
            work: tempfile::tempdir().expect("a directory"),
        }
    }

    fn storage(&self) -> Arc<dyn Storage> {
        let directory = self.directory.path().to_owned();
        let base_url = "http://127.0.0.1:8080/videos".to_owned();
        Arc::new(LocalStorage::new(directory, base_url))
    }

    fn work(&self) -> &TempDir {
        &self.work
    }
}

storage_contract!(Local);

#[tokio::test]
async fn a_directory_that_is_gone_fails_the_probe() {
    let local = Local::new().await;
    fs::remove_dir(local.directory.path()).expect("an empty directory");
    assert!(local.storage().probe().await.is_err());
}
