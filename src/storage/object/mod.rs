//! A bucket of S3 and all that speak it, of Google Cloud Storage, or a container of Azure.
//!
//! ```text
//! clients ─ the provider's client, several times: to write, to read, to sign
//! addresses ─ what clients are given
//! upload ─ a large file, in parts
//! failure ─ what an error means, and what to do about it
//! ```

mod addresses;
mod clients;
mod failure;
mod upload;

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use log::warn;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, ObjectMeta, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload,
};
use tokio::sync::Semaphore;

use super::{
    Bucket, Fence, FenceError, Location, Metadata, Settings, SettingsError, Storage, StorageError,
    StoredFile,
};
use crate::errors::chain;
use addresses::Addresses;
use clients::Clients;
pub use failure::Cause;
use failure::{is_not_implemented, is_refusal};
use upload::{MEMORY_MIB, Note, Upload, read_part, reserve};

/// Files that are larger are uploaded in parts.
const WHOLE_BYTES: u64 = 16 << 20;

/// For an answer that somebody waits for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// For one piece of a file that is read.
const PIECE_TIMEOUT: Duration = Duration::from_secs(30);

/// The key of [`Storage::probe`]'s object.
const PROBE_KEY: &str = "kinora-probe.txt";
const PROBE: &[u8] = b"Kinora can store files here.\n";

pub struct ObjectStorage {
    bucket: Bucket,
    clients: Clients,
    addresses: Addresses,
    cache_control: String,
    /// The bytes of uploads, in MiB: of all uploads together, so that memory stays bounded.
    memory: Arc<Semaphore>,
    /// The store does not know `If-None-Match`.
    always_replaces: AtomicBool,
}

/// Why a file was not stored.
enum Interrupted {
    Store(Error),
    File(std::io::Error),
    /// The note of an upload could not be written.
    Note(std::io::Error),
    Fence(FenceError),
    /// Another object, or our own whose acknowledgement was lost, is there already.
    Exists,
}

impl ObjectStorage {
    /// `service_url`: where this service serves files, without a slash at its end.
    pub fn new(
        bucket: &Bucket,
        settings: &Settings,
        service_url: String,
    ) -> Result<Self, SettingsError> {
        let keys = failure::names(bucket.provider).keys;
        let clients = Clients::new(bucket, settings).map_err(|error| SettingsError::Provider {
            location: Location::Bucket(bucket.clone()).to_string(),
            cause: failure::bad_setting(&error, bucket.provider),
            keys,
        })?;
        let addresses = Addresses::new(settings, clients.signer.clone(), service_url, keys)?;
        Ok(Self {
            bucket: bucket.clone(),
            clients,
            addresses,
            cache_control: settings.cache_control.clone(),
            memory: Arc::new(Semaphore::new(MEMORY_MIB as usize)),
            always_replaces: AtomicBool::new(false),
        })
    }

    fn path(&self, key: &str) -> Path {
        Path::from(self.bucket.key(key))
    }

    /// The headers of a new object.
    fn attributes(&self, key: &str) -> Attributes {
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, super::media_type(key).into());
        if !self.cache_control.is_empty() {
            attributes.insert(Attribute::CacheControl, self.cache_control.clone().into());
        }
        attributes
    }

    /// Stores a file; `replace`: also in the place of another.
    async fn upload(
        &self,
        key: &str,
        file: &FilePath,
        fence: &dyn Fence,
        replace: bool,
    ) -> Result<(), Interrupted> {
        let size = tokio::fs::metadata(file)
            .await
            .map_err(Interrupted::File)?
            .len();
        let path = self.path(key);
        let uploaded = if size > WHOLE_BYTES {
            let upload = Upload {
                clients: &self.clients,
                path: &path,
                file,
                memory: &self.memory,
            };
            let options = PutMultipartOptions::from(self.attributes(key));
            upload.run(size, options, fence, replace).await
        } else {
            self.put_whole(key, &path, file, size, fence, replace).await
        };
        match uploaded {
            Err(Interrupted::Store(Error::AlreadyExists { .. } | Error::Precondition { .. }))
                if !replace =>
            {
                Err(Interrupted::Exists)
            }
            uploaded => uploaded,
        }
    }

    async fn put_whole(
        &self,
        key: &str,
        path: &Path,
        file: &FilePath,
        size: u64,
        fence: &dyn Fence,
        replace: bool,
    ) -> Result<(), Interrupted> {
        let _memory = reserve(&self.memory, size).await;
        let file = std::fs::File::open(file).map_err(Interrupted::File)?;
        let bytes = read_part(Arc::new(file), 0, size).await?;
        fence.check().await.map_err(Interrupted::Fence)?;
        let put = |mode| {
            let options = PutOptions {
                mode,
                attributes: self.attributes(key),
                ..PutOptions::default()
            };
            let payload = PutPayload::from_bytes(bytes.clone());
            self.clients.writer.put_opts(path, payload, options)
        };
        if !replace && !self.always_replaces.load(Ordering::Relaxed) {
            match put(PutMode::Create).await {
                Err(error) if is_not_implemented(&error) => {
                    self.always_replaces.store(true, Ordering::Relaxed);
                }
                done => return done.map(drop).map_err(Interrupted::Store),
            }
        }
        let done = put(PutMode::Overwrite).await;
        done.map(drop).map_err(Interrupted::Store)
    }

    /// Fails if the store says that the object has another size. Who may only put is not told.
    async fn verify(&self, key: &str, size: u64) -> Result<(), StorageError> {
        match self.metadata(key).await {
            Ok(Some(found)) if found.size == size => Ok(()),
            Ok(Some(found)) => {
                let sizes = format!("the store has {} bytes of {size}", found.size);
                Err(StorageError::failed(key, sizes))
            }
            Ok(None) => Err(StorageError::failed(key, "the store has lost the object")),
            Err(StorageError::Refused { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Creates the probe's object, if it is not there. `None`: there is no bucket.
    async fn create_probe(&self, path: &Path) -> Result<Option<()>, StorageError> {
        let options = PutOptions::from(PutMode::Create);
        let payload = PutPayload::from_static(PROBE);
        let put = async {
            match self.clients.writer.put_opts(path, payload, options).await {
                Ok(_) | Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        };
        self.ask(PROBE_KEY, put).await
    }

    fn error(&self, key: &str, error: Error) -> StorageError {
        let refused = is_refusal(&error);
        let cause = Box::new(Cause::of(&error, &self.bucket));
        let key = key.to_owned();
        if refused {
            StorageError::Refused { key, cause }
        } else {
            StorageError::Failed { key, cause }
        }
    }

    fn interrupted(&self, key: &str, why: Interrupted) -> StorageError {
        match why {
            Interrupted::Store(error) => self.error(key, error),
            Interrupted::File(cause) => StorageError::unreadable(key, cause),
            Interrupted::Note(cause) => StorageError::failed(key, cause),
            Interrupted::Fence(error) => error.at(key),
            Interrupted::Exists => StorageError::failed(key, "there is another object"),
        }
    }

    /// Asks the store, for as long as somebody may wait for the answer.
    async fn ask<T>(
        &self,
        key: &str,
        question: impl Future<Output = object_store::Result<T>>,
    ) -> Result<Option<T>, StorageError> {
        match tokio::time::timeout(ANSWER_TIMEOUT, question).await {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(Error::NotFound { source, .. })) if !failure::is_missing_bucket(&*source) => {
                Ok(None)
            }
            Ok(Err(error)) => Err(self.error(key, error)),
            Err(_) => Err(StorageError::failed(key, Cause::no_answer(&self.bucket))),
        }
    }
}

#[async_trait]
impl Storage for ObjectStorage {
    async fn put(&self, key: &str, file: &FilePath, fence: &dyn Fence) -> Result<(), StorageError> {
        self.abandon(key, file).await;
        let size = tokio::fs::metadata(file).await;
        let size = size
            .map_err(|cause| self.interrupted(key, Interrupted::File(cause)))?
            .len();
        match self.upload(key, file, fence, false).await {
            Err(Interrupted::Exists) => {}
            stored => {
                stored.map_err(|why| self.interrupted(key, why))?;
                return self.verify(key, size).await;
            }
        }
        // Ours: its acknowledgement was lost, or it is of an attempt before. The fence is checked again.
        match self.upload(key, file, fence, true).await {
            // Whoever may only put may not replace.
            Err(Interrupted::Store(error)) if is_refusal(&error) => self.verify(key, size).await,
            stored => {
                stored.map_err(|why| self.interrupted(key, why))?;
                self.verify(key, size).await
            }
        }
    }

    async fn abandon(&self, key: &str, file: &FilePath) {
        let note = Note::of(file);
        let (Some(uploads), Some(id)) = (&self.clients.uploads, note.read()) else {
            return;
        };
        let path = self.path(key);
        let aborted = uploads.store.abort_multipart(&path, &id);
        match tokio::time::timeout(ANSWER_TIMEOUT, aborted).await {
            // NotFound: it was completed, or the store has removed it.
            Ok(Ok(()) | Err(Error::NotFound { .. })) => note.remove(),
            Ok(Err(error)) => {
                warn!(
                    "an upload of {key} could not be aborted: {}",
                    failure::summary(&error)
                );
            }
            Err(_) => warn!("an upload of {key} could not be aborted: the store does not answer"),
        }
    }

    async fn url(&self, key: &str, at_least: Duration) -> Result<String, StorageError> {
        let path = self.path(key);
        match &self.addresses {
            Addresses::Public(base) => Ok(format!("{base}/{path}")),
            Addresses::Service(base) => Ok(format!("{base}/{key}")),
            Addresses::Presigned(presigned) => {
                let signing = presigned.sign(&path, at_least);
                // Credentials may have to be fetched.
                let signed = self.ask(key, signing).await.and_then(|signed| {
                    let missing = "there are no credentials to sign with";
                    signed.ok_or_else(|| StorageError::failed(key, missing))
                });
                match (signed, &presigned.otherwise) {
                    (Err(error), Some(base)) => {
                        warn!("no address was signed: {}", chain(&error));
                        Ok(format!("{base}/{key}"))
                    }
                    (signed, _) => Ok(signed?.into()),
                }
            }
        }
    }

    async fn metadata(&self, key: &str) -> Result<Option<Metadata>, StorageError> {
        let path = self.path(key);
        let found = self.ask(key, self.clients.store.head(&path)).await?;
        Ok(found.map(metadata))
    }

    async fn read(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredFile>, StorageError> {
        let path = self.path(key);
        let options = GetOptions {
            range: range.map(Into::into),
            ..GetOptions::default()
        };
        let found = self
            .ask(key, self.clients.reader.get_opts(&path, options))
            .await?;
        Ok(found.map(|found| StoredFile {
            metadata: metadata(found.meta.clone()),
            stream: in_time(found.into_stream()).boxed(),
        }))
    }

    async fn copy(&self, from: &str, to: &str) -> Result<bool, StorageError> {
        let (from, path) = (self.path(from), self.path(to));
        let copied = self.ask(to, self.clients.store.copy(&from, &path)).await?;
        Ok(copied.is_some())
    }

    async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let path = self.path(key);
        self.ask(key, self.clients.store.delete(&path))
            .await
            .map(drop)
    }

    async fn probe(&self) -> Result<(), StorageError> {
        let path = self.path(PROBE_KEY);
        let payload = PutPayload::from_static(PROBE);
        let options = PutOptions::from(self.attributes(PROBE_KEY));
        let put = self.clients.writer.put_opts(&path, payload, options);
        let put = match self.ask(PROBE_KEY, put).await {
            // Whoever may only put may not replace; that it is there shows that it was put.
            Err(StorageError::Refused { .. }) => self.create_probe(&path).await?,
            put => put?.map(drop),
        };
        put.ok_or_else(|| StorageError::failed(PROBE_KEY, Cause::no_bucket(&self.bucket)))?;
        self.url(PROBE_KEY, Duration::ZERO).await.map(drop)
    }
}

/// Each piece has its time, which begins when somebody asks for it: a reader may pause.
fn in_time(
    stream: BoxStream<'static, object_store::Result<Bytes>>,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::unfold(stream, |mut stream| async {
        let next = tokio::time::timeout(PIECE_TIMEOUT, stream.next()).await;
        let piece = next.unwrap_or_else(|_| {
            Some(Err(Error::Generic {
                store: "read",
                source: "the store has stopped sending".into(),
            }))
        })?;
        Some((piece.map_err(std::io::Error::other), stream))
    })
}

fn metadata(object: ObjectMeta) -> Metadata {
    Metadata {
        size: object.size,
        modified: object.last_modified.into(),
        // A weak one is none for ranges.
        etag: object
            .e_tag
            .filter(|tag| !tag.starts_with("W/"))
            .map(|tag| tag.trim_matches('"').to_owned()),
    }
}
