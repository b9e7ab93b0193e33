//! The storage in a bucket, at each provider.

use std::fs::File;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kinora::storage::{Bucket, Checksums, NoFence, ObjectStorage, Provider, Settings, Storage};
use kinora::storage::{StorageError, Variables};
use tempfile::TempDir;
use uuid::Uuid;

use crate::servers::azurite::Azurite;
use crate::servers::fake_gcs::FakeGcs;
use crate::servers::proxy::{Action, FaultProxy, Request};
use crate::servers::seaweedfs::SeaweedFs;
use crate::storage::{Harness, storage_contract};

/// One server for all tests; each has a prefix of its own.
fn seaweedfs() -> &'static SeaweedFs {
    static SERVER: OnceLock<SeaweedFs> = OnceLock::new();
    SERVER.get_or_init(SeaweedFs::start)
}

fn fake_gcs() -> &'static FakeGcs {
    static SERVER: OnceLock<FakeGcs> = OnceLock::new();
    SERVER.get_or_init(FakeGcs::start)
}

fn azurite() -> &'static Azurite {
    static SERVER: OnceLock<Azurite> = OnceLock::new();
    SERVER.get_or_init(Azurite::start)
}

/// A prefix of a bucket, and a directory for files that are to be stored.
struct Objects {
    storage: Arc<ObjectStorage>,
    work: TempDir,
}

impl Objects {
    fn new(provider: Provider, bucket: &str, settings: &Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let prefix = format!("tests/{}", Uuid::new_v4());
        let bucket = Bucket::new(provider, bucket, &prefix).expect("a bucket");
        let service_url = "http://127.0.0.1:8080/videos".to_owned();
        let storage = ObjectStorage::new(&bucket, settings, service_url);
        Self {
            storage: Arc::new(storage.expect("a storage")),
            work: tempfile::tempdir().expect("a directory"),
        }
    }

    fn file(&self, bytes: &[u8]) -> std::path::PathBuf {
        let path = self.work.path().join("file.mp4");
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

fn variables<const N: usize>(all: [(&str, &str); N]) -> Variables {
    let owned = all.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Variables::choose(owned.into_iter())
}

fn s3_settings(endpoint: &str) -> Settings {
    let server = seaweedfs();
    Settings {
        variables: variables([
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", server.access_key()),
            ("AWS_SECRET_ACCESS_KEY", server.secret_key()),
        ]),
        ..Settings::default()
    }
}

/// A provider with a server to test against.
trait Server: Send + Sync {
    fn objects() -> Objects;
}

struct S3;

impl Server for S3 {
    fn objects() -> Objects {
        let server = seaweedfs();
        let settings = s3_settings(&server.endpoint());
        Objects::new(Provider::S3, server.bucket(), &settings)
    }
}

struct Google;

impl Server for Google {
    fn objects() -> Objects {
        let server = fake_gcs();
        let settings = Settings {
            variables: variables([("GOOGLE_SERVICE_ACCOUNT_KEY", &server.credentials())]),
            ..Settings::default()
        };
        Objects::new(Provider::Google, server.bucket(), &settings)
    }
}

struct Azure;

impl Server for Azure {
    fn objects() -> Objects {
        let server = azurite();
        let settings = Settings {
            variables: variables([
                ("AZURE_STORAGE_ACCOUNT_NAME", server.account()),
                ("AZURE_STORAGE_ACCOUNT_KEY", server.key()),
                ("AZURE_STORAGE_ENDPOINT", &server.account_url()),
            ]),
            ..Settings::default()
        };
        Objects::new(Provider::Azure, server.container(), &settings)
    }
}

struct StoredAt<S> {
    objects: Objects,
    server: PhantomData<S>,
}

impl<S: Server> Harness for StoredAt<S> {
    async fn new() -> Self {
        Self {
            objects: S::objects(),
            server: PhantomData,
        }
    }

    fn storage(&self) -> Arc<dyn Storage> {
        self.objects.storage.clone()
    }

    fn work(&self) -> &TempDir {
        &self.objects.work
    }
}

mod s3 {
    use super::*;
    storage_contract!(StoredAt<S3>);
}

mod google {
    use super::*;
    storage_contract!(StoredAt<Google>);
}

mod azure {
    use super::*;
    storage_contract!(StoredAt<Azure>);
}

const KEY: &str = "3f1f8b8e-0000-4000-8000-000000000000.mp4";

/// What a client gets who follows a signed address.
async fn follow(url: &str) -> reqwest::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::get(url).await.expect("an answer")
}

/// A file of several parts plays from its address, with its headers.
async fn a_large_file_plays_from_its_signed_address<S: Server>() {
    let objects = S::objects();
    let bytes: Vec<u8> = (0..5_500_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = objects.file(&bytes);
    let storage = &objects.storage;
    storage
        .put(KEY, &file, &NoFence)
        .await
        .expect("a stored file");
    let url = storage.url(KEY, Duration::ZERO).await.expect("an address");
    let answer = follow(&url).await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| {
        let value = answer
            .headers()
            .get(name)
            .map(|value| value.to_str().expect("a header"));
        value.map(str::to_owned)
    };
    assert_eq!(header("content-type").as_deref(), Some("video/mp4"));
    let caching = Settings::default().cache_control;
    assert_eq!(header("cache-control"), Some(caching));
    assert!(
        answer.bytes().await.expect("bytes") == bytes,
        "the bytes differ"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_s3_file_plays_from_its_signed_address() {
    a_large_file_plays_from_its_signed_address::<S3>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_google_file_plays_from_its_signed_address() {
    a_large_file_plays_from_its_signed_address::<Google>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_azure_file_plays_from_its_signed_address() {
    a_large_file_plays_from_its_signed_address::<Azure>().await;
}

/// A storage behind a proxy that breaks what its rule says.
fn broken(rule: impl FnMut(&Request) -> Action + Send + 'static) -> (Objects, FaultProxy) {
    let server = seaweedfs();
    let proxy = FaultProxy::start(server.port());
    proxy.rule(rule);
    let settings = s3_settings(&proxy.endpoint());
    (
        Objects::new(Provider::S3, server.bucket(), &settings),
        proxy,
    )
}

/// Does it to the first `count` requests that are asked about, and lets the others pass.
fn first(
    count: usize,
    action: Action,
    asked: impl Fn(&Request) -> bool + Send + 'static,
) -> impl FnMut(&Request) -> Action + Send + 'static {
    let mut left = count;
    move |request| {
        if left > 0 && asked(request) {
            left -= 1;
            return action.clone();
        }
        Action::Pass
    }
}

fn is_put(request: &Request) -> bool {
    request.method == "PUT"
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_of_the_store_are_tried_again() {
    let slow_down = "<Error><Code>SlowDown</Code></Error>".to_owned();
    for action in [
        Action::Answer(500, String::new()),
        Action::Answer(503, slow_down),
        Action::ResetMidway,
    ] {
        for size in [100_000, 17 << 20] {
            let (objects, proxy) = broken(first(2, action.clone(), is_put));
            let file = objects.file(&vec![7; size]);
            // Of what object_store does not try again, the caller does.
            for _ in 0..3 {
                if objects.storage.put(KEY, &file, &NoFence).await.is_ok() {
                    break;
                }
            }
            let found = objects.storage.metadata(KEY).await.expect("metadata");
            assert_eq!(found.expect("the file").size, size as u64, "{action:?}");
            let done = proxy
                .seen()
                .iter()
                .filter(|seen| seen.action == action)
                .count();
            assert_eq!(done, 2, "{action:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_is_lost_does_not_lose_the_file() {
    for size in [100_000, 17 << 20] {
        let completes = |request: &Request| {
            is_put(request) && !request.target.contains("partNumber")
                || request.method == "POST" && request.target.contains("uploadId")
        };
        let (objects, _proxy) = broken(first(1, Action::LoseAnswer, completes));
        let file = objects.file(&vec![7; size]);
        for _ in 0..3 {
            if objects.storage.put(KEY, &file, &NoFence).await.is_ok() {
                break;
            }
        }
        let found = objects.storage.metadata(KEY).await.expect("metadata");
        assert_eq!(found.expect("the file").size, size as u64);
        assert_eq!(
            std::fs::read_dir(objects.work.path())
                .expect("files")
                .count(),
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_upload_is_aborted() {
    let part = |request: &Request| request.target.contains("partNumber=3");
    let (objects, proxy) = broken(first(100, Action::Answer(403, String::new()), part));
    let file = objects.file(&vec![7; 20 << 20]);
    let stored = objects.storage.put(KEY, &file, &NoFence).await;
    assert!(
        matches!(stored, Err(StorageError::Refused { .. })),
        "{stored:?}"
    );
    let aborts = aborts(&proxy);
    assert_eq!(aborts.len(), 1, "{aborts:?}");
    assert_eq!(aborts[0], Some(204));
}

fn aborts(proxy: &FaultProxy) -> Vec<Option<u16>> {
    let seen = proxy
        .seen()
        .into_iter()
        .filter(|seen| seen.request.method == "DELETE" && seen.request.target.contains("uploadId"));
    seen.map(|seen| seen.status).collect()
}

/// As a process that dies leaves it: the future is dropped, and nothing runs any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_cut_off_is_aborted_by_the_next_attempt() {
    let (objects, proxy) = broken(|request| match request.target.contains("partNumber=2") {
        true => Action::Hang,
        false => Action::Pass,
    });
    let file = objects.file(&vec![7; 20 << 20]);
    let put = objects.storage.put(KEY, &file, &NoFence);
    let cut_off = tokio::time::timeout(Duration::from_secs(5), put).await;
    assert!(cut_off.is_err(), "the store was to hang");
    let names = std::fs::read_dir(objects.work.path())
        .expect("files")
        .count();
    assert_eq!(names, 2, "the file and the note of its upload");
    proxy.rule(|_| Action::Pass);
    objects
        .storage
        .put(KEY, &file, &NoFence)
        .await
        .expect("a stored file");
    assert_eq!(aborts(&proxy), [Some(204)]);
    let names = std::fs::read_dir(objects.work.path())
        .expect("files")
        .count();
    assert_eq!(names, 1, "the note is gone");
}

/// The disk cannot take the note: the file is there all the same, and nothing is left in the store.
#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_cannot_be_written_is_no_lost_file() {
    let (objects, proxy) = broken(|_| Action::Pass);
    let file = objects.file(&vec![7; 17 << 20]);
    std::fs::create_dir(objects.work.path().join("file.mp4.upload")).expect("an obstacle");
    let stored = objects.storage.put(KEY, &file, &NoFence).await;
    assert!(
        matches!(stored, Err(StorageError::Failed { .. })),
        "{stored:?}"
    );
    assert_eq!(aborts(&proxy), [Some(204)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_conditions_is_written_all_the_same() {
    let conditional = |request: &Request| request.header("if-none-match").is_some();
    let not_implemented = "<Error><Code>NotImplemented</Code></Error>".to_owned();
    let action = Action::Answer(501, not_implemented);
    for size in [1000, 17 << 20] {
        let (objects, _proxy) = broken(first(100, action.clone(), conditional));
        let file = objects.file(&vec![7; size]);
        let stored = objects.storage.put(KEY, &file, &NoFence).await;
        stored.expect("a stored file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_may_only_put_are_enough_to_store() {
    let server = seaweedfs();
    let writer = server.writer_keys();
    let settings = Settings {
        variables: variables([
            ("AWS_ENDPOINT_URL", &server.endpoint()),
            ("AWS_ACCESS_KEY_ID", writer.access_key),
            ("AWS_SECRET_ACCESS_KEY", writer.secret_key),
        ]),
        ..Settings::default()
    };
    let objects = Objects::new(Provider::S3, server.bucket(), &settings);
    for size in [1000, 17 << 20] {
        let file = objects.file(&vec![7; size]);
        // The second time, there is something to be replaced.
        for _ in 0..2 {
            let stored = objects.storage.put(KEY, &file, &NoFence).await;
            stored.expect("a stored file");
        }
    }
    objects.storage.probe().await.expect("a probe");
    let asked = objects.storage.metadata(KEY).await;
    assert!(
        matches!(asked, Err(StorageError::Refused { .. })),
        "{asked:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_new_objects_are_as_the_settings_say() {
    for size in [1000, 17 << 20] {
        let server = seaweedfs();
        let proxy = FaultProxy::start(server.port());
        let settings = Settings {
            acl: Some("public-read".into()),
            checksums: Checksums::WhenSupported,
            ..s3_settings(&proxy.endpoint())
        };
        let objects = Objects::new(Provider::S3, server.bucket(), &settings);
        let file = objects.file(&vec![7; size]);
        objects
            .storage
            .put(KEY, &file, &NoFence)
            .await
            .expect("a stored file");
        let seen = proxy.seen();
        let (with, without): (Vec<_>, Vec<_>) = seen
            .iter()
            .partition(|seen| seen.request.header("x-amz-acl").is_some());
        assert_eq!(
            with.len(),
            1,
            "only the request that begins an object has an ACL"
        );
        assert_eq!(with[0].request.header("content-type"), Some("video/mp4"));
        let sums = seen
            .iter()
            .filter(|seen| seen.request.header("x-amz-checksum-sha256").is_some());
        assert!(sums.count() > 0, "{without:?}");
    }
    let (objects, proxy) = broken(|_| Action::Pass);
    let file = objects.file(&[7; 1000]);
    objects
        .storage
        .put(KEY, &file, &NoFence)
        .await
        .expect("a stored file");
    for seen in proxy.seen() {
        let named = |name: &str| seen.request.header(name).is_some();
        assert!(
            !named("x-amz-acl") && !named("x-amz-checksum-sha256"),
            "{seen:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_may_begin_or_end_with_the_bucket() {
    let server = seaweedfs();
    let bucket = server.bucket();
    let settings = s3_settings(&format!("{}/{bucket}", server.endpoint()));
    let objects = Objects::new(Provider::S3, bucket, &settings);
    let file = objects.file(&[7; 1000]);
    objects
        .storage
        .put(KEY, &file, &NoFence)
        .await
        .expect("a stored file");
    let url = objects
        .storage
        .url(KEY, Duration::ZERO)
        .await
        .expect("an address");
    assert_eq!(url.matches(bucket).count(), 1, "{url}");
    assert_eq!(follow(&url).await.status(), 200);
    for (endpoint, path_style) in [
        (format!("https://{bucket}.s3.example.com"), None),
        (format!("https://{bucket}.s3.example.com"), Some(false)),
        ("https://s3.example.com".to_owned(), Some(false)),
    ] {
        let settings = Settings {
            path_style,
            ..s3_settings(&endpoint)
        };
        let objects = Objects::new(Provider::S3, bucket, &settings);
        let url = objects
            .storage
            .url(KEY, Duration::ZERO)
            .await
            .expect("an address");
        let host = format!("https://{bucket}.s3.example.com/tests/");
        assert!(url.starts_with(&host), "{url}");
        let path = url.split('?').next().expect("a path");
        assert_eq!(path.matches(bucket).count(), 1, "{url}");
    }
}

/// A host that begins with the bucket's name by chance keeps its path.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_may_have_the_name_of_its_host() {
    let server = seaweedfs();
    let bucket = server.bucket();
    for (endpoint, path_style) in [
        (format!("https://{bucket}.example.com"), None),
        (format!("https://{bucket}.s3.example.com"), Some(true)),
    ] {
        let settings = Settings {
            path_style,
            ..s3_settings(&endpoint)
        };
        let objects = Objects::new(Provider::S3, bucket, &settings);
        let url = objects
            .storage
            .url(KEY, Duration::ZERO)
            .await
            .expect("an address");
        assert!(
            url.starts_with(&format!("{endpoint}/{bucket}/tests/")),
            "{url}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_signed_for_the_host_that_clients_reach() {
    let server = seaweedfs();
    let proxy = FaultProxy::start(server.port());
    let settings = Settings {
        signing_url: Some(proxy.endpoint()),
        ..s3_settings(&server.endpoint())
    };
    let objects = Objects::new(Provider::S3, server.bucket(), &settings);
    let file = objects.file(&[7; 1000]);
    objects
        .storage
        .put(KEY, &file, &NoFence)
        .await
        .expect("a stored file");
    let url = objects
        .storage
        .url(KEY, Duration::ZERO)
        .await
        .expect("an address");
    assert!(url.starts_with(&proxy.endpoint()), "{url}");
    assert_eq!(follow(&url).await.status(), 200);
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_address_holds_longer_than_the_setting_says() {
    let server = seaweedfs();
    let settings = Settings {
        presign_ttl: Duration::from_secs(60),
        ..s3_settings(&server.endpoint())
    };
    let objects = Objects::new(Provider::S3, server.bucket(), &settings);
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    for (at_least, expected) in [
        (Duration::ZERO, "X-Amz-Expires=60&"),
        (days(3), "X-Amz-Expires=259200&"),
        (days(30), "X-Amz-Expires=604800&"),
    ] {
        let url = objects
            .storage
            .url(KEY, at_least)
            .await
            .expect("an address");
        assert!(url.contains(expected), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_for_uploads_is_bounded() {
    // Many at once: they wait for each other, and none for ever.
    let harness = StoredAt::<S3>::new().await;
    let file = harness.work().path().join("large.mp4");
    let large = File::create(&file).expect("a file");
    large.set_len(18 << 20).expect("room");
    let puts = (0..6).map(|n| {
        let storage = harness.storage();
        let file = harness.work().path().join(format!("{n}.mp4"));
        std::fs::copy(harness.work().path().join("large.mp4"), &file).expect("a copy");
        async move {
            let key = format!("{n}.mp4");
            storage.put(&key, &file, &NoFence).await
        }
    });
    for stored in futures_util::future::join_all(puts).await {
        stored.expect("a stored file");
    }
}
