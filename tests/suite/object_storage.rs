//! Videos in a bucket: which address clients get, and that it plays.

use reqwest::Method;
use serde_json::{Value, json};

use crate::servers::proxy::FaultProxy;
use crate::support::bucket::{fake_gcs, own_s3, peer_s3, seaweedfs};
use crate::support::client::{Answer, client};
use crate::support::listing::{about, detail, finished};
use crate::support::order::{short, short_to};
use crate::support::photos::PhotoServer;
use crate::support::raw::{Manner, Raw};
use crate::support::service::{PAID, Service, Setup, V1};
use crate::support::sink::Sink;

/// The answer about a short video.
async fn made(service: &Service) -> Value {
    let photos = PhotoServer::start();
    let order = short(&photos.small());
    service.post(PAID, &order).await.expect(200)
}

async fn fetch(url: &str) -> Answer {
    Answer::to(client().get(url)).await
}

#[track_caller]
fn is_video(answer: &Answer) {
    assert_eq!(answer.status, 200, "{:?}", answer.text());
    assert_eq!(answer.header("content-type"), "video/mp4");
    assert_eq!(&answer.bytes[4..8], b"ftyp");
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {body}"))
}

#[tokio::test]
async fn the_peers_settings_for_s3_give_an_address_that_plays() {
    let server = seaweedfs();
    let service = peer_s3(Setup::new(), &server.endpoint()).start().await;
    let made = made(&service).await;
    let url = text(&made, "response");
    let id = text(&made, "job_id");
    let expected = format!("{}/{}/{id}.mp4?", server.endpoint(), server.bucket());
    assert!(url.starts_with(&expected), "{url}");
    is_video(&fetch(url).await);
    let unsigned = url.split('?').next().expect("a path");
    assert_eq!(fetch(unsigned).await.status, 403, "the bucket is private");
    // A status that is asked later has a fresh address, and nothing is left on this machine's disk.
    let status = service.job(id).await;
    is_video(&fetch(text(&status["response"]["response"], "response")).await);
    for folder in ["unstored", "videos", "work"] {
        let folder = service.setup().data().join(folder);
        assert_eq!(
            std::fs::read_dir(&folder).expect("a folder").count(),
            0,
            "{folder:?}"
        );
    }
    let log = service.log().join("\n");
    assert!(!log.contains(server.secret_key()), "{log}");
}

#[tokio::test]
async fn the_peers_settings_for_google_give_an_address_that_plays() {
    let server = fake_gcs();
    let setup = Setup::new()
        .env("GCP_BUCKET_NAME", server.bucket())
        .env("GCP_SA_CREDENTIALS", server.credentials());
    let service = setup.start().await;
    let made = made(&service).await;
    let url = text(&made, "response");
    assert!(url.starts_with(&server.endpoint()), "{url}");
    assert_eq!(url.matches(server.bucket()).count(), 1, "{url}");
    is_video(&fetch(url).await);
}

/// As emulators are set up: the account has no key to sign with.
#[tokio::test]
async fn without_a_key_to_sign_with_videos_come_through_the_service() {
    let credentials = json!({
        "gcs_base_url": fake_gcs().endpoint(), "disable_oauth": true,
        "client_email": "", "private_key": "", "private_key_id": "",
    });
    let setup = Setup::new()
        .env("GCP_BUCKET_NAME", fake_gcs().bucket())
        .env("GCP_SA_CREDENTIALS", credentials.to_string());
    let output = setup
        .clone()
        .env("KINORA_STORAGE_URLS", "presigned")
        .command()
        .output();
    let told = String::from_utf8(output.expect("an end").stderr).expect("text");
    assert!(
        told.contains("cannot sign") && told.contains("storage.urls"),
        "{told}"
    );
    let service = setup.start().await;
    service.logged("cannot sign addresses").await;
}

#[tokio::test]
async fn a_public_address_is_its_base_and_the_key() {
    let server = seaweedfs();
    let setup = own_s3(Setup::new(), "public/films").env(
        "KINORA_STORAGE_PUBLIC_URL",
        "https://cdn.example.com/media/",
    );
    let service = setup.start().await;
    let made = made(&service).await;
    let (url, id) = (text(&made, "response"), text(&made, "job_id"));
    assert_eq!(
        url,
        format!("https://cdn.example.com/media/public/films/{id}.mp4")
    );
    assert!(!url.contains(server.bucket()));
}

#[tokio::test]
async fn an_address_of_the_service_streams_from_the_bucket() {
    let setup = own_s3(Setup::new(), "service").env("KINORA_STORAGE_URLS", "service");
    let service = setup.start().await;
    let made = made(&service).await;
    let path = format!("/videos/{}.mp4", text(&made, "job_id"));
    assert_eq!(text(&made, "response"), service.url(&path));
    streams(&service, &path).await;
}

/// Also those whose addresses lead to the bucket.
#[tokio::test]
async fn every_video_in_a_bucket_streams_through_the_service() {
    let service = own_s3(Setup::new(), "streams").start().await;
    let made = made(&service).await;
    streams(&service, &format!("/videos/{}.mp4", text(&made, "job_id"))).await;
    let unknown = "/videos/3f1f8b8e-0000-4000-8000-000000000000.mp4";
    let answer = Answer::to(service.anonymous(Method::GET, unknown)).await;
    assert_eq!(answer.status, 404);
}

async fn streams(service: &Service, path: &str) {
    let whole = Answer::to(service.anonymous(Method::GET, path)).await;
    is_video(&whole);
    let length = whole.bytes.len();
    let head = Answer::to(service.anonymous(Method::HEAD, path)).await;
    assert_eq!(head.header("content-length"), length.to_string());
    let range = service
        .anonymous(Method::GET, path)
        .header("range", "bytes=100-199");
    let range = Answer::to(range).await;
    assert_eq!(range.status, 206);
    assert_eq!(
        range.header("content-range"),
        format!("bytes 100-199/{length}")
    );
    assert_eq!(range.bytes, whole.bytes[100..200]);
    let etag = whole.header("etag");
    let known = service
        .anonymous(Method::GET, path)
        .header("if-none-match", etag);
    assert_eq!(Answer::to(known).await.status, 304);
    let beyond = service
        .anonymous(Method::GET, path)
        .header("range", "bytes=99999999-");
    assert_eq!(Answer::to(beyond).await.status, 416);
}

#[tokio::test]
async fn an_address_may_be_signed_for_another_host() {
    let server = seaweedfs();
    let outside = FaultProxy::start(server.port());
    let setup =
        own_s3(Setup::new(), "signed").env("KINORA_STORAGE_SIGNING_URL", outside.endpoint());
    let service = setup.start().await;
    let made = made(&service).await;
    let url = text(&made, "response");
    assert!(url.starts_with(&outside.endpoint()), "{url}");
    is_video(&fetch(url).await);
}

#[tokio::test]
async fn a_webhook_has_the_address() {
    let sink = Sink::start();
    let photos = PhotoServer::start();
    let service = own_s3(Setup::new(), "hooks").start().await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    service.post(V1, &order).await.expect(202);
    let received = sink.wait_for("/hook", 1).await;
    let body = received[0].json();
    is_video(&fetch(text(&body, "response")).await);
}

#[tokio::test]
async fn a_listing_in_a_bucket_has_a_thumbnail_and_can_be_uploaded() {
    let service = own_s3(crate::support::listing::setup(), "listings")
        .start()
        .await;
    let id = finished(&service).await;
    let results = service.get(&about(&id, "results")).await.expect(200);
    let video = fetch(text(&results, "video_url")).await;
    is_video(&video);
    assert_eq!(video.bytes.len() as u64, results["size_bytes"]);
    let thumbnail = fetch(text(&results, "thumbnail_url")).await;
    assert_eq!(thumbnail.header("content-type"), "image/jpeg");
    let sink = Raw::start(Manner::Answer("200 OK"));
    let upload = json!({ "upload_url": sink.url("/here") });
    let path = about(&id, "results/upload-video");
    service.post(&path, &upload).await.expect(200);
    assert!(sink.heard().body == video.bytes);
}

#[tokio::test]
async fn an_object_that_was_deleted_is_missed_with_a_sentence() {
    let service = own_s3(crate::support::listing::setup(), "deleted")
        .start()
        .await;
    let id = finished(&service).await;
    delete(&format!("deleted/{id}.mp4")).await;
    let gone = service.get(&about(&id, "results")).await.expect(500);
    assert_eq!(detail(&gone), "Job completed but no results found");
    let upload = json!({ "upload_url": "http://127.0.0.1:9/here" });
    let path = about(&id, "results/upload-video");
    let gone = service.post(&path, &upload).await.expect(500);
    assert_eq!(detail(&gone), "Job completed but no results found");
    let path = format!("/videos/{id}.mp4");
    let answer = Answer::to(service.anonymous(Method::GET, &path)).await;
    assert_eq!(answer.status, 404);
}

/// Deletes an object behind the service's back.
async fn delete(key: &str) {
    use kinora::storage::{Bucket, ObjectStorage, Provider, Settings, Storage, Variables};
    let server = seaweedfs();
    let (prefix, key) = key.rsplit_once('/').expect("a prefix");
    let variables = [
        ("AWS_ENDPOINT_URL", server.endpoint()),
        ("AWS_ACCESS_KEY_ID", server.access_key().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", server.secret_key().to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let settings = Settings {
        variables: Variables::choose(variables.into_iter()),
        ..Settings::default()
    };
    let bucket = Bucket::new(Provider::S3, server.bucket(), prefix).expect("a bucket");
    let storage = ObjectStorage::new(&bucket, &settings, String::new()).expect("a storage");
    storage.delete(key).await.expect("a deletion");
}

#[tokio::test]
async fn videos_stay_reachable_when_the_storage_changes() {
    let service = Service::start().await;
    let first = made(&service).await;
    let setup = service.kill().await;
    let service = own_s3(setup, "changed").start().await;
    let second = made(&service).await;
    let setup = service.kill().await;
    let other = format!("s3://{}/changed/again", seaweedfs().bucket());
    let service = setup.env("KINORA_STORAGE_URL", other).start().await;
    let third = made(&service).await;
    for made in [&first, &second, &third] {
        let id = text(made, "job_id");
        let path = format!("/videos/{id}.mp4");
        is_video(&Answer::to(service.anonymous(Method::GET, &path)).await);
    }
    for made in [&second, &third] {
        let status = service.job(text(made, "job_id")).await;
        is_video(&fetch(text(&status["response"]["response"], "response")).await);
    }
}

/// The status of a finished job is told, whatever became of the storage where its video was.
#[tokio::test]
async fn a_storage_that_cannot_be_opened_any_more_does_not_hide_a_status() {
    let credentials = fake_gcs().credentials();
    let setup = Setup::new().env("GCP_BUCKET_NAME", fake_gcs().bucket());
    let service = setup.env("GCP_SA_CREDENTIALS", credentials).start().await;
    let made = made(&service).await;
    let setup = service.kill().await;
    let setup = setup
        .without("GCP_BUCKET_NAME")
        .without("GCP_SA_CREDENTIALS");
    let service = own_s3(setup, "later").start().await;
    let id = text(&made, "job_id");
    let status = service.job(id).await;
    assert_eq!(status["response"]["response"]["code"], 200, "{status}");
    let url = text(&status["response"]["response"], "response");
    assert_eq!(url, service.url(&format!("/videos/{id}.mp4")));
}

#[tokio::test]
async fn a_directory_of_another_file_system_can_be_the_storage() {
    // In memory on most machines, and on another file system than the data directory then.
    let shared = ["/dev/shm", "/tmp"]
        .into_iter()
        .find(|path| std::path::Path::new(path).is_dir());
    let directory = tempfile::tempdir_in(shared.expect("a directory")).expect("a directory");
    let url = format!("file://{}/films", directory.path().display());
    let service = Setup::new().env("KINORA_STORAGE_URL", url).start().await;
    let made = made(&service).await;
    is_video(&fetch(text(&made, "response")).await);
    let name = format!("films/{}.mp4", text(&made, "job_id"));
    assert!(directory.path().join(name).exists());
}
