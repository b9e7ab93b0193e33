//! Listing videos, ordered and followed.

use std::process::{Command, Stdio};

use actix_web::web::Bytes;
use serde_json::{Value, json};

use super::photos::{Photo, PhotoServer};
use super::service::{Service, Setup};
use super::wait;

pub const GENERATE: &str = "/v1-beta/generate-video";

/// With a quick encoder, as these videos are long.
pub fn setup() -> Setup {
    Setup::new().env("KINORA_PRESET", "fast")
}

/// The least order: these photos, and a template.
pub fn order<S: AsRef<str>>(urls: &[S]) -> Value {
    let files: Vec<Value> = urls
        .iter()
        .map(|url| json!({ "url": url.as_ref() }))
        .collect();
    json!({ "files": files, "template_params": { "template_id": "ActiveListing1" } })
}

/// The order with these template parameters added.
pub fn with_params(mut order: Value, params: Value) -> Value {
    for (name, value) in params.as_object().expect("parameters") {
        order["template_params"][name] = value.clone();
    }
    order
}

/// The path of a question about a job.
pub fn about(id: &str, what: &str) -> String {
    format!("{GENERATE}/{id}/{what}")
}

/// Posts an order that is accepted without a warning, and tells the job's id.
pub async fn generate(service: &Service, order: &Value) -> String {
    let body = service.post(GENERATE, order).await.expect(200);
    assert_eq!(super::client::keys(&body), ["job_id"], "{body}");
    body["job_id"].as_str().expect("job_id").to_owned()
}

/// The sentence of an error, which is all there is.
#[track_caller]
pub fn detail(body: &Value) -> &str {
    assert_eq!(super::client::keys(body), ["detail"], "{body}");
    body["detail"].as_str().expect("a sentence")
}

pub async fn status(service: &Service, id: &str) -> Value {
    service.get(&about(id, "status")).await.expect(200)
}

/// Waits until the job has come to an end, and tells its last status.
pub async fn ended(service: &Service, id: &str) -> Value {
    let what = format!("listing {id} has ended");
    wait::until_async(&what, async || {
        let status = status(service, id).await;
        let ended = ["completed", "failed"].map(Value::from);
        ended.contains(&status["status"]).then_some(status)
    })
    .await
}

/// A finished listing video of one photo, and its id.
pub async fn finished(service: &Service) -> String {
    let photos = PhotoServer::start();
    let id = generate(service, &order(&[photos.small()])).await;
    let status = ended(service, &id).await;
    assert_eq!(status["status"], "completed", "{status}");
    id
}

/// A tone of two seconds, as MP3.
pub fn music() -> Photo {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "sine=frequency=440"])
        .args(["-t", "2", "-f", "mp3", "-"])
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg");
    assert!(output.status.success(), "{output:?}");
    Photo::Bytes("audio/mpeg", Bytes::from(output.stdout))
}
