//! Videos and jobs whose time is over, and disks that are nearly full.

use reqwest::Method;
use serde_json::json;

use crate::support::api::{VIDEOS, done, faults, order, path};
use crate::support::bucket::own_s3;
use crate::support::client::Answer;
use crate::support::cluster::{self, database};
use crate::support::listing;
use crate::support::order::short;
use crate::support::photos::PhotoServer;
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;

async fn is_gone(service: &Service, path: &str, status: u16) {
    wait::until_async(&format!("{path} answers {status}"), async || {
        let answer = service.get(path).await;
        (answer.status == status).then_some(())
    })
    .await;
}

async fn file_status(url: &str) -> u16 {
    reqwest::get(url)
        .await
        .expect("an answer")
        .status()
        .as_u16()
}

#[tokio::test]
async fn videos_are_deleted_after_their_time_wherever_they_are() {
    let photos = PhotoServer::start();
    let cluster = cluster::node(&database().await, "a");
    for setup in [Setup::new(), own_s3(Setup::new(), "retention"), cluster] {
        let service = setup.env("KINORA_RETENTION_VIDEOS", "3s").start().await;
        let video = done(&service, &order(&[photos.small()])).await;
        let url = video["outputs"][0]["url"].as_str().expect("an address");
        assert_eq!(file_status(url).await, 200);
        is_gone(&service, &path(&video), 410).await;
        assert_eq!(file_status(url).await, 404);
        let list = service.get(VIDEOS).await.expect(200);
        let items = list["items"].as_array().expect("items");
        assert!(items.iter().all(|item| item["id"] != video["id"]));
    }
}

#[tokio::test]
async fn jobs_are_forgotten_after_their_time_and_their_videos_stay() {
    let photos = PhotoServer::start();
    let sink = Sink::start();
    let cluster = cluster::node(&database().await, "a");
    for setup in [Setup::new(), cluster] {
        let service = setup.env("KINORA_RETENTION_JOBS", "3s").start().await;
        let mut order = order(&[photos.small()]);
        order["webhook_url"] = json!(sink.url("/told"));
        let video = done(&service, &order).await;
        let url = video["outputs"][0]["url"].as_str().expect("an address");
        is_gone(&service, &path(&video), 404).await;
        assert_eq!(file_status(url).await, 200);
        let webhooks = service.get("/api/webhooks").await.expect(200);
        let items = webhooks["items"].as_array().expect("items");
        assert!(items.iter().all(|item| item["video_id"] != video["id"]));
    }
    assert_eq!(sink.received("/told").len(), 2);
}

#[tokio::test]
async fn a_job_is_known_for_as_long_as_its_videos_are_to_be_deleted() {
    let photos = PhotoServer::start();
    let setup = Setup::new().env("KINORA_RETENTION_JOBS", "1s");
    let service = setup.env("KINORA_RETENTION_VIDEOS", "4s").start().await;
    let video = done(&service, &order(&[photos.small()])).await;
    let url = video["outputs"][0]["url"].as_str().expect("an address");
    is_gone(&service, &path(&video), 404).await;
    assert_eq!(file_status(url).await, 404);
}

#[tokio::test]
async fn nothing_new_is_accepted_while_the_disk_is_nearly_full() {
    let photos = PhotoServer::start();
    let full = listing::setup().env("KINORA_STORAGE_MIN_FREE", "1000TiB");
    let service = full.start().await;
    let photo = photos.small();
    let setup = service.kill().await.env("KINORA_STORAGE_MIN_FREE", "0");
    let service = setup.start().await;
    let keyed = |service: &Service| {
        let posting = service.posting(VIDEOS, &order(&[photos.small()]));
        Answer::to(posting.header("idempotency-key", "a"))
    };
    let accepted = keyed(&service).await.expect(202);
    let setup = service
        .kill()
        .await
        .env("KINORA_STORAGE_MIN_FREE", "1000TiB");
    let service = setup.start().await;
    // What was accepted is told again.
    let again = keyed(&service).await;
    assert_eq!(again.json()["id"], accepted["id"], "{}", again.text());
    let ready = service.get("/readyz").await.expect(503);
    assert_eq!(ready["failed"][0]["check"], "disk");
    service.get("/healthz").await.expect(200);
    for (path, body) in [
        (PAID, short(&photo)),
        ("/v1-beta/generate-video", listing::order(&[&photo])),
        (VIDEOS, order(&[&photo])),
        ("/api/videos/preview", order(&[&photo])),
    ] {
        let answer = service.post(path, &body).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, "5"),
            "{path}"
        );
        assert!(answer.text().contains("nearly full"), "{}", answer.text());
    }
    let upload = service.request(Method::POST, "/api/photos").body("x");
    let upload = Answer::to(upload).await;
    faults(&upload, 503);
    // What is there can be read.
    service.get(VIDEOS).await.expect(200);
    let setup = service.kill().await;
    let service = setup.env("KINORA_STORAGE_MIN_FREE", "0").start().await;
    done(&service, &order(&[photo])).await;
}
