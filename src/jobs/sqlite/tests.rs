use std::path::PathBuf;

use serde_json::json;

use super::*;
use crate::spec::{Asset, Frame, Motion, Move, Output, Scene, Source};

/// A record of its own, and where it is.
async fn record() -> (Store, PathBuf) {
    let file = std::env::temp_dir().join(format!("kinora-{}.sqlite3", JobId::random()));
    let store = Store::open(&file).await.expect("a record");
    (store, file)
}

async fn remove(store: Store, file: PathBuf) {
    store.close().await;
    std::fs::remove_file(file).expect("the record's end");
}

fn job(lane: Lane, created_at: i64) -> Job {
    let photo = Asset {
        label: "image_url".into(),
        source: Source::Url("https://example.com/a.jpg".into()),
    };
    let spec = VideoSpec {
        scenes: vec![Scene {
            photo,
            motion: Motion::Eased(Move::ZoomIn),
        }],
        crossfade: 0.0,
        overlays: Vec::new(),
        logo: None,
        soundtrack: None,
        output: Output {
            length: 2.0,
            frame_rate: 25,
            frame: Frame::LikeFirstPhoto,
            thumbnail_at: None,
        },
    };
    Job {
        id: JobId::random(),
        request: Request {
            endpoint: "/here".into(),
            client_id: None,
            webhook_url: None,
            lane,
            spec,
            echo: Some(json!({ "mine": [1] })),
        },
        state: JobState::Queued,
        attempt: 0,
        created_at: Timestamp(created_at),
        started_at: None,
        finish: None,
    }
}

#[tokio::test]
async fn the_place_in_the_queue_is_that_of_the_lanes() {
    let (store, file) = record().await;
    let jobs = [
        job(Lane::Normal, 20),
        job(Lane::Normal, 10),
        job(Lane::Express, 30),
        job(Lane::Normal, 20),
    ];
    for job in &jobs {
        store.insert(job).await.expect("a row");
    }
    let mut places = Vec::new();
    for job in &jobs {
        places.push(store.queue_position(job.id).await.expect("a place"));
    }
    assert_eq!((places[1], places[2]), (Some(2), Some(1)));
    // Of the same millisecond, but not at the same place.
    let mut last = [places[0], places[3]];
    last.sort();
    assert_eq!(last, [Some(3), Some(4)]);

    let lease = Duration::from_secs(60);
    let express = store.start(jobs[2].id, Timestamp(40), lease).await;
    assert!(express.expect("a start").is_some());
    for (job, place) in [(&jobs[2], None), (&jobs[1], Some(1))] {
        let found = store.queue_position(job.id).await;
        assert_eq!(found.expect("a place"), place);
    }
    let unknown = store.queue_position(JobId::random()).await;
    assert_eq!(unknown.expect("no place"), None);
    remove(store, file).await;
}

#[tokio::test]
async fn a_row_of_an_older_version_still_reads() {
    let (store, file) = record().await;
    let job = job(Lane::Normal, 10);
    store.insert(&job).await.expect("a row");
    let read = store.job(job.id).await.expect("the row").expect("the job");
    assert_eq!(read.request.echo, job.request.echo);

    let outcome = r#"{"Ok":{"url":"u","size":{"width":2,"height":4},"frames":50,"bytes":9}}"#;
    let stamp = r#"{"pid":1,"queue_id":2,"queue_length":0}"#;
    sqlx::query("UPDATE jobs SET state = 'done', outcome = ?, stamp = ?, echo = NULL")
        .bind(outcome)
        .bind(stamp)
        .execute(&store.writer)
        .await
        .expect("an old row");
    let read = store.job(job.id).await.expect("the row").expect("the job");
    assert_eq!(read.request.echo, None);
    let video = read.finish.expect("its end").outcome.expect("a video");
    assert_eq!((video.frame_rate, video.duration()), (25, 2.0));
    assert_eq!(video.thumbnail_url, None);
    remove(store, file).await;
}
