//! The contract of storages. See the promises of [`Storage`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use kinora::storage::{Fence, FenceError, NoFence, Storage, StorageError, StoredFile};
use tempfile::TempDir;

/// A storage of its own.
pub trait Harness: Sized {
    async fn new() -> Self;

    fn storage(&self) -> Arc<dyn Storage>;

    /// A directory for files that are to be stored.
    fn work(&self) -> &TempDir;
}

/// Runs the whole contract against a harness.
macro_rules! storage_contract {
    ($harness:ty) => {
        crate::storage::storage_contract!($harness:
            a_stored_file_is_read_whole,
            a_range_of_a_file_is_read,
            a_large_file_comes_in_pieces,
            a_file_that_is_stored_again_replaces_the_first,
            what_is_not_there_is_none,
            a_deleted_file_is_gone_and_may_be_deleted_again,
            a_file_that_cannot_be_read_leaves_nothing_behind,
            a_file_behind_a_fence_that_does_not_hold_is_not_stored,
            a_file_is_stored_again_after_it_was_abandoned,
            a_file_that_is_replaced_while_it_is_read_comes_whole,
            an_address_holds_the_key,
            a_probe_leaves_nothing_behind,
        );
    };
    ($harness:ty: $($test:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::storage::$test::<$harness>().await;
            }
        )*
    };
}
pub(crate) use storage_contract;

const KEY: &str = "3f1f8b8e-0000-4000-8000-000000000000.mp4";

/// A file of these bytes, to be stored.
fn file(harness: &impl Harness, bytes: &[u8]) -> PathBuf {
    let path = harness.work().path().join("file.mp4");
    std::fs::write(&path, bytes).expect("a file");
    path
}

async fn store(harness: &impl Harness, key: &str, bytes: &[u8]) {
    let file = file(harness, bytes);
    let stored = harness.storage().put(key, &file, &NoFence).await;
    stored.expect("a stored file");
}

async fn whole(file: StoredFile) -> Vec<u8> {
    let pieces: Vec<_> = file.stream.try_collect().await.expect("its bytes");
    pieces.concat()
}

pub async fn a_stored_file_is_read_whole<H: Harness>() {
    let harness = H::new().await;
    let before = SystemTime::now() - Duration::from_secs(5);
    store(&harness, KEY, b"a video").await;
    let storage = harness.storage();
    let metadata = storage.metadata(KEY).await.expect("metadata");
    let metadata = metadata.expect("the file");
    assert_eq!(metadata.size, 7);
    assert!(metadata.modified > before, "{:?}", metadata.modified);
    let read = storage.read(KEY, None).await.expect("a file");
    let read = read.expect("the file");
    assert_eq!(read.metadata, metadata);
    assert_eq!(whole(read).await, b"a video");
}

pub async fn a_range_of_a_file_is_read<H: Harness>() {
    let harness = H::new().await;
    store(&harness, KEY, b"0123456789").await;
    for (range, expected) in [
        (0..1, "0"),
        (3..7, "3456"),
        (9..10, "9"),
        (0..10, "0123456789"),
    ] {
        let part = harness.storage().read(KEY, Some(range)).await;
        let part = part.expect("a file").expect("the file");
        assert_eq!(part.metadata.size, 10);
        assert_eq!(whole(part).await, expected.as_bytes());
    }
}

pub async fn a_large_file_comes_in_pieces<H: Harness>() {
    let harness = H::new().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    store(&harness, KEY, &bytes).await;
    let file = harness.storage().read(KEY, None).await.expect("a file");
    let pieces: Vec<_> = file
        .expect("the file")
        .stream
        .try_collect()
        .await
        .expect("its bytes");
    let longest = pieces.iter().map(bytes::Bytes::len).max();
    assert!(longest < Some(bytes.len() / 4), "{longest:?}");
    assert!(pieces.concat() == bytes, "the bytes differ");
}

pub async fn a_file_that_is_stored_again_replaces_the_first<H: Harness>() {
    let harness = H::new().await;
    store(&harness, KEY, b"first").await;
    let first = harness.storage().metadata(KEY).await.expect("metadata");
    store(&harness, KEY, b"the second").await;
    let second = harness.storage().metadata(KEY).await.expect("metadata");
    let etag = |metadata: Option<kinora::storage::Metadata>| metadata.expect("the file").etag;
    let (first, second) = (etag(first), etag(second));
    assert!(first.is_none() || first != second, "{first:?}");
    let read = harness.storage().read(KEY, None).await.expect("a file");
    assert_eq!(whole(read.expect("the file")).await, b"the second");
}

pub async fn what_is_not_there_is_none<H: Harness>() {
    let harness = H::new().await;
    let storage = harness.storage();
    assert!(storage.metadata(KEY).await.expect("metadata").is_none());
    assert!(storage.read(KEY, None).await.expect("a file").is_none());
    let part = storage.read(KEY, Some(0..3)).await;
    assert!(part.expect("a file").is_none());
}

pub async fn a_deleted_file_is_gone_and_may_be_deleted_again<H: Harness>() {
    let harness = H::new().await;
    store(&harness, KEY, b"a video").await;
    for _ in 0..2 {
        harness.storage().delete(KEY).await.expect("a deletion");
        let found = harness.storage().metadata(KEY).await;
        assert!(found.expect("metadata").is_none());
    }
}

pub async fn a_file_that_cannot_be_read_leaves_nothing_behind<H: Harness>() {
    let harness = H::new().await;
    let missing = harness.work().path().join("missing.mp4");
    let stored = harness.storage().put(KEY, &missing, &NoFence).await;
    assert!(
        matches!(stored, Err(StorageError::NoFile { .. })),
        "{stored:?}"
    );
    let found = harness.storage().metadata(KEY).await;
    assert!(found.expect("metadata").is_none());
}

struct Broken(FenceError);

#[async_trait::async_trait]
impl Fence for Broken {
    async fn check(&self) -> Result<(), FenceError> {
        Err(self.0)
    }
}

pub async fn a_file_behind_a_fence_that_does_not_hold_is_not_stored<H: Harness>() {
    let harness = H::new().await;
    // In one piece, and in several.
    for bytes in [vec![1; 1000], vec![2; 17 << 20]] {
        let file = file(&harness, &bytes);
        for error in [FenceError::Lost, FenceError::Unknown] {
            let stored = harness.storage().put(KEY, &file, &Broken(error)).await;
            match error {
                FenceError::Lost => assert!(matches!(stored, Err(StorageError::Fenced(_)))),
                FenceError::Unknown => {
                    assert!(matches!(stored, Err(StorageError::FenceUnknown(_))));
                }
            }
        }
        let found = harness.storage().metadata(KEY).await;
        assert!(found.expect("metadata").is_none());
        assert_eq!(
            beside(&harness),
            ["file.mp4"],
            "nothing is left beside the file"
        );
    }
}

pub async fn a_file_is_stored_again_after_it_was_abandoned<H: Harness>() {
    let harness = H::new().await;
    let file = file(&harness, &[3; 1000]);
    harness.storage().abandon(KEY, &file).await;
    store(&harness, KEY, &[3; 1000]).await;
    let file = self::file(&harness, &[3; 1000]);
    harness.storage().abandon(KEY, &file).await;
    let found = harness.storage().metadata(KEY).await.expect("metadata");
    assert_eq!(found.expect("the file").size, 1000);
}

/// The names of the files in the directory from which files are stored.
fn beside(harness: &impl Harness) -> Vec<String> {
    let entries = std::fs::read_dir(harness.work().path()).expect("a directory");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let names = entries.map(|entry| name(entry).into_string().expect("a name"));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

pub async fn a_file_that_is_replaced_while_it_is_read_comes_whole<H: Harness>() {
    let harness = H::new().await;
    let first = vec![1; 2 << 20];
    store(&harness, KEY, &first).await;
    let reading = harness.storage().read(KEY, None).await.expect("a file");
    store(&harness, KEY, &[2; 1000]).await;
    assert!(whole(reading.expect("the file")).await == first);
}

pub async fn an_address_holds_the_key<H: Harness>() {
    let harness = H::new().await;
    let url = harness
        .storage()
        .url(KEY, Duration::ZERO)
        .await
        .expect("an address");
    assert!(url.starts_with("http") && url.contains(KEY), "{url}");
}

pub async fn a_probe_leaves_nothing_behind<H: Harness>() {
    let harness = H::new().await;
    harness.storage().probe().await.expect("a probe");
    store(&harness, KEY, b"a video").await;
    harness.storage().probe().await.expect("a second probe");
}
