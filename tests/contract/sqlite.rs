//! The embedded backend.

use std::path::Path;
use std::sync::Arc;

use kinora::jobs::Backend;
use kinora::jobs::backend::{Bounds, Serves};
use kinora::jobs::sqlite::SqliteBackend;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::backend::{Harness, backend_contract};

struct Sqlite {
    backend: Arc<SqliteBackend>,
    bounds: Bounds,
    directory: Arc<TempDir>,
}

impl Sqlite {
    async fn open(bounds: Bounds, directory: Arc<TempDir>) -> Self {
        let file = directory.path().join("jobs.sqlite3");
        let backend = SqliteBackend::open(&file, bounds).await;
        Self {
            backend: Arc::new(backend.expect("a backend")),
            bounds,
            directory,
        }
    }
}

impl Harness for Sqlite {
    async fn new(bounds: Bounds) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::open(bounds, Arc::new(directory)).await
    }

    fn backend(&self) -> Arc<dyn Backend> {
        self.backend.clone()
    }

    /// The next process finds the file as the last one left it.
    async fn crash(&self) -> Self {
        self.backend.shut_down().await;
        Self::open(self.bounds, self.directory.clone()).await
    }
}

backend_contract!(Sqlite);

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_agrees_with_its_model() {
    crate::model::a_queue_agrees_with_its_model::<Sqlite>().await;
}

/// A store as version 0.1 left it: the same migrations, told to sqlx in the same way.
async fn store_of_version_0_1(file: &Path) -> SqlitePool {
    let step = |version, name: &'static str, sql: &'static str| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    };
    let migrations = vec![
        step(
            1,
            "jobs and outbox",
            include_str!("../../migrations/sqlite/0001_jobs_and_outbox.sql"),
        ),
        step(
            2,
            "scenes",
            include_str!("../../migrations/sqlite/0002_scenes.sql"),
        ),
        step(
            3,
            "echo",
            include_str!("../../migrations/sqlite/0003_echo.sql"),
        ),
    ];
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.expect("a store");
    let migrator = Migrator::with_migrations(migrations);
    migrator.run(&pool).await.expect("the old migrations");
    pool
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_version_0_1_is_brought_up_to_date() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("jobs.sqlite3");
    let pool = store_of_version_0_1(&file).await;
    let spec = r#"{"scenes":[{"photo":{"label":"image_url","source":{"url":"https://example.com/a.jpg"}},
        "motion":{"centre_zoom":{"speed":3.0}}}],"crossfade":0.0,
        "output":{"length":2.0,"frame_rate":25,"frame":"like_first_photo"}}"#;
    let listing = "/v1-beta/generate-video";
    let rows = [
        // id, endpoint, priority, state, attempt, created_at
        (1, "/v1/image/convert/video", 1, "done", 1, 10),
        (2, listing, 1, "queued", 0, 30),
        (3, "/paid/image/convert/video", 1, "queued", 0, 20),
        (4, "/paid/image/convert/video", 0, "running", 1, 40),
    ];
    let id = |n: i64| format!("00000000-0000-4000-8000-00000000000{n}");
    for (n, endpoint, priority, state, attempt, created_at) in rows {
        sqlx::query(
            "INSERT INTO jobs (id, endpoint, priority, spec, echo, state, attempt, created_at, changed_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id(n))
        .bind(endpoint)
        .bind(priority)
        .bind(spec)
        .bind((endpoint == listing).then_some(r#"{"template_id":"JustSold1"}"#))
        .bind(state)
        .bind(attempt)
        .bind(created_at)
        .bind(created_at)
        .execute(&pool)
        .await
        .expect("a row");
    }
    let outcome = r#"{"Ok":{"url":"u","size":{"width":2,"height":4},"frames":50,"bytes":9}}"#;
    let stamp = r#"{"pid":1,"queue_id":2,"queue_length":0}"#;
    sqlx::query("UPDATE jobs SET outcome = ?, stamp = ? WHERE state = 'done'")
        .bind(outcome)
        .bind(stamp)
        .execute(&pool)
        .await
        .expect("an outcome");
    pool.close().await;

    let bounds = Bounds {
        normal: Some(1),
        express: Some(1),
        workers: 1,
    };
    let backend = SqliteBackend::open(&file, bounds).await;
    let backend = Arc::new(backend.expect("the store of today"));
    assert_eq!(backend.queue_length().await.expect("a length"), 1);
    let job = async |n| {
        let job = backend.job(id(n).parse().expect("an id")).await;
        job.expect("the store").expect("the job")
    };
    let done = job(1).await;
    assert_eq!(done.request.dialect, "revid");
    let video = done.finish.expect("its end").outcome.expect("a video");
    assert_eq!(
        (video.first.facts.frame_rate, video.first.facts.duration()),
        (25, 2.0)
    );
    assert!(!video.first.has_thumbnail());
    let listing = job(2).await.request;
    assert_eq!(listing.dialect, "digitalcarbon");
    let data = listing.dialect_data.expect("its data");
    assert_eq!(data["template_id"], "JustSold1");
    // Of a lane, in the order in which they were created.
    for (n, serves) in [
        (4, Serves::ExpressOnly),
        (3, Serves::Both),
        (2, Serves::Both),
    ] {
        let claiming = backend.clone();
        let claimed = spawn_blocking(move || claiming.claim(serves)).await;
        let claimed = claimed.expect("a claim").expect("a job");
        assert_eq!(claimed.id.to_string(), id(n));
    }
}
