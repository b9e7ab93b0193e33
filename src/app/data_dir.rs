//! The data directory: its layout and its lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::StartError;

/// How long a lock may take to be given up by a process that was killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The directory of everything that outlives the process. Locked while the process runs.
pub struct DataDir {
    path: PathBuf,
    /// Locked until it is closed.
    _lock: File,
}

impl DataDir {
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let fail = |cause| StartError::DataDir {
            path: path.to_owned(),
            cause,
        };
        create(path).map_err(fail)?;
        let path = path.canonicalize().map_err(fail)?;
        let lock = File::create(path.join("lock")).map_err(fail)?;
        if !locked(&lock).map_err(fail)? {
            return Err(StartError::InUse(path));
        }
        let data = Self { path, _lock: lock };
        // Whatever was being made when the last process ended will be made anew.
        match fs::remove_dir_all(data.work()) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(fail(cause)),
            _ => {}
        }
        fs::create_dir(data.work()).map_err(fail)?;
        fs::create_dir_all(data.unstored()).map_err(fail)?;
        fs::create_dir_all(data.videos()).map_err(fail)?;
        Ok(data)
    }

    pub fn job_store(&self) -> PathBuf {
        job_store(&self.path)
    }

    pub fn videos(&self) -> PathBuf {
        videos(&self.path)
    }

    pub fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Finished videos on their way to the storage.
    pub fn unstored(&self) -> PathBuf {
        self.path.join("unstored")
    }

    pub fn api_key(&self) -> PathBuf {
        self.path.join("api-key")
    }

    pub fn webhook_secret(&self) -> PathBuf {
        self.path.join("webhook-secret")
    }

    /// A name for this directory, of its own. Where jobs are shared, it tells whose files are here.
    pub fn id(&self) -> Result<String, StartError> {
        let (id, _) = self.load_or_create(&self.path.join("id"), || Uuid::new_v4().to_string())?;
        Ok(id)
    }

    /// Reads a secret from its file, or makes it and writes it for our eyes only. Says which.
    pub fn load_or_create(
        &self,
        file: &Path,
        make: impl FnOnce() -> String,
    ) -> Result<(String, bool), StartError> {
        let fail = |cause| StartError::DataDir {
            path: file.to_owned(),
            cause,
        };
        match fs::read_to_string(file) {
            Ok(text) => return Ok((text.trim().to_owned(), false)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            Err(_) => {}
        }
        let secret = make();
        // Beside its place, and moved there whole: a crash in between leaves no half a key.
        let draft = file.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut opened = options.open(&draft).map_err(fail)?;
        let written = writeln!(opened, "{secret}").and_then(|()| opened.sync_all());
        written
            .and_then(|()| fs::rename(&draft, file))
            .map_err(fail)?;
        Ok((secret, true))
    }
}

/// Makes a directory for our eyes only: the job store holds addresses that are as good as keys.
pub fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

pub fn job_store(data_dir: &Path) -> PathBuf {
    data_dir.join("kinora.sqlite3")
}

pub fn videos(data_dir: &Path) -> PathBuf {
    data_dir.join("videos")
}

/// Takes the lock, and has patience: a child process that was about to begin when its parent was
/// killed holds it a moment longer.
fn locked(file: &File) -> io::Result<bool> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(fs::TryLockError::Error(cause)) => return Err(cause),
            Err(fs::TryLockError::WouldBlock) if begun.elapsed() > LOCK_PATIENCE => {
                return Ok(false);
            }
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
