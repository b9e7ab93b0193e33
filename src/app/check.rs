//! What `kinora check` tries: everything that the service needs of its surroundings.

use std::io;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::config::Config;
use crate::encode::Encoder;
use crate::errors::chain;
use crate::jobs::postgres::PostgresBackend;
use crate::jobs::sqlite::SqliteBackend;
use crate::sandbox::{self, SandboxError};
use crate::storage::{NoFence, ServiceUrl, Storage, StorageError, Storages};

/// One thing that was tried.
pub struct Check {
    pub name: &'static str,
    /// What was found, or what is wrong and how to cure it. Holds no secret.
    pub result: Result<String, String>,
}

impl Check {
    fn new(name: &'static str, result: Result<String, String>) -> Self {
        Self { name, result }
    }
}

/// Tries everything, also beside a service that runs.
pub async fn check(config: &Config) -> Vec<Check> {
    let data_dir = &config.storage.data_dir;
    let mut checks = vec![
        Check::new("ffmpeg", check_ffmpeg(config).await),
        Check::new("decoding", check_decoding(config).await),
        Check::new("HEIC", check_heif(config).await),
        Check::new("data directory", check_data_dir(data_dir)),
        Check::new("job store", check_job_store(config).await),
    ];
    checks.extend(check_storage(config).await);
    checks
}

async fn check_ffmpeg(config: &Config) -> Result<String, String> {
    let encoder = Encoder::new(&config.encoder, Handle::current());
    match encoder.check().await {
        Ok(()) => Ok("it encodes".into()),
        Err(error) => Err(format!(
            "{}; install ffmpeg with libx264, or check encoder.ffmpeg (KINORA_FFMPEG)",
            chain(&error)
        )),
    }
}

async fn check_decoding(config: &Config) -> Result<String, String> {
    let (settings, runtime) = (config.sandbox.clone(), Handle::current());
    let probed = tokio::task::spawn_blocking(move || sandbox::probe(&settings, &runtime)).await;
    let probed = probed.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    let missing =
        probed.map_err(|error| format!("a process for decoding could not be started: {error}"))?;
    Ok(if missing.is_empty() {
        "in processes with limits of memory, time, files and system calls".into()
    } else {
        format!(
            "in processes with limits of memory and time; this system has no {}",
            missing.join(" and no ")
        )
    })
}

/// Without a converter the service runs, too.
async fn check_heif(config: &Config) -> Result<String, String> {
    let (settings, runtime) = (config.sandbox.clone(), Handle::current());
    let probed =
        tokio::task::spawn_blocking(move || sandbox::probe_heif(&settings, &runtime)).await;
    match probed {
        Ok(Ok(())) => Ok("heif-convert converts it".into()),
        Ok(Err(SandboxError::NoConverter)) => Ok(
            "there is no heif-convert, or it lacks a decoder, so that these photos are refused; install \
             libheif-examples (Debian) or libheif (Homebrew)"
                .into(),
        ),
        Ok(Err(error)) => Err(format!(
            "a sample {}; check sandbox.heif_convert",
            chain(&error)
        )),
        Err(panic) => Err(panic.to_string()),
    }
}

fn check_data_dir(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let written = super::data_dir::create(path).and_then(|()| {
        let file = path.join(format!("check-{}", Uuid::new_v4()));
        std::fs::write(&file, "Kinora can write here.\n")?;
        std::fs::remove_file(file)
    });
    match written {
        Ok(()) => Ok(format!("{shown} can be written")),
        Err(error) => Err(format!(
            "{shown} cannot be written: {error}; check storage.data_dir and the rights to it"
        )),
    }
}

async fn check_job_store(config: &Config) -> Result<String, String> {
    if let Some(url) = &config.jobs.database_url {
        return match PostgresBackend::probe_url(url).await {
            Ok(()) => Ok("PostgreSQL answers".into()),
            Err(error) => Err(format!("{}; check DATABASE_URL", chain(&error))),
        };
    }
    let data_dir = &config.storage.data_dir;
    let file = super::data_dir::job_store(data_dir);
    if !file.exists() {
        return Ok("there is none yet; the first start makes it".into());
    }
    match SqliteBackend::probe_file(&file).await {
        Ok(()) => Ok("it answers".into()),
        Err(error) => Err(format!(
            "{}; check the rights to {}, and whether its disk is full",
            chain(&error),
            file.display()
        )),
    }
}

/// Writes a small file, reads it, and removes it.
async fn check_storage(config: &Config) -> Vec<Check> {
    let built_in = super::data_dir::videos(&config.storage.data_dir);
    let service = ServiceUrl {
        base: config.server.public_url.clone().unwrap_or_default(),
        is_set: true,
    };
    let storages = Storages::open(&config.storage, built_in, service);
    let storages = match storages {
        Ok(storages) => storages,
        Err(error) => return vec![Check::new("storage", Err(error.to_string()))],
    };
    if config.storage.location.is_none() {
        // As the first start does. Err: the write tells of it.
        let _ = super::data_dir::create(&super::data_dir::videos(&config.storage.data_dir));
    }
    let storage = &**storages.current();
    let key = format!("kinora-check-{}.txt", Uuid::new_v4());
    let told = |result: Result<(), StorageError>, done: &str| match result {
        Ok(()) => Ok(done.to_owned()),
        Err(error) => Err(chain(&error)),
    };
    let written = told(
        in_time(&key, write(storage, &key)).await,
        "a file was written",
    );
    if written.is_err() {
        return vec![Check::new("storage, write", written)];
    }
    let read = told(in_time(&key, read(storage, &key)).await, "it was read back");
    let removed = told(in_time(&key, storage.delete(&key)).await, "it was removed");
    vec![
        Check::new("storage, write", written),
        Check::new("storage, read", read),
        Check::new("storage, delete", removed),
    ]
}

/// For each step, so that a store that hangs is told of.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);

async fn in_time(
    key: &str,
    step: impl Future<Output = Result<(), StorageError>>,
) -> Result<(), StorageError> {
    let done = tokio::time::timeout(STEP_TIMEOUT, step).await;
    done.unwrap_or_else(|_| Err(StorageError::failed(key, "it does not answer")))
}

const CONTENT: &[u8] = b"Kinora can store files here.\n";

async fn write(storage: &dyn Storage, key: &str) -> Result<(), StorageError> {
    let failed = |cause: io::Error| StorageError::failed(key, cause);
    let directory = tempfile::tempdir().map_err(failed)?;
    let file = directory.path().join(key);
    tokio::fs::write(&file, CONTENT).await.map_err(failed)?;
    storage.put(key, &file, &NoFence).await?;
    // Signs an address, where that is how they are given out.
    storage.url(key, Duration::ZERO).await.map(drop)
}

async fn read(storage: &dyn Storage, key: &str) -> Result<(), StorageError> {
    let file = storage.read(key, None).await?;
    let file = file.ok_or_else(|| StorageError::failed(key, "the file is not there"))?;
    let pieces: Result<Vec<_>, io::Error> = file.stream.try_collect().await;
    let bytes = pieces
        .map_err(|cause| StorageError::failed(key, cause))?
        .concat();
    if bytes != CONTENT {
        return Err(StorageError::failed(key, "the file has other bytes"));
    }
    Ok(())
}
