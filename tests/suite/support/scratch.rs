//! A directory of one test's own, gone with it.

use std::fs;
use std::path::{Path, PathBuf};

use uuid::Uuid;

pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("kinora-test-{}", Uuid::new_v4().simple()));
        fs::create_dir(&path).expect("a directory for the test");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and tells where it is.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, bytes).expect("a file for the test");
        path
    }

    /// Writes a shell script that can be run as a program.
    pub fn script(&self, name: &str, lines: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, format!("#!/bin/sh\n{lines}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a script");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Err: somebody else has cleaned up.
        let _ = fs::remove_dir_all(&self.0);
    }
}
