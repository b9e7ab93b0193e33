//! Videos of Kinora's own API, ordered and followed.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Answer;
use super::service::Service;
use super::wait;

pub const VIDEOS: &str = "/api/videos";

/// The least order of a short video: these photos.
pub fn order<S: AsRef<str>>(urls: &[S]) -> Value {
    let urls: Vec<&str> = urls.iter().map(AsRef::as_ref).collect();
    json!({ "photos": urls, "duration": 1, "frame_rate": 15 })
}

pub fn path(video: &Value) -> String {
    format!("{VIDEOS}/{}", video["id"].as_str().expect("an id"))
}

/// Orders videos, and tells the object.
pub async fn create(service: &Service, order: &Value) -> Value {
    let answer = service.post(VIDEOS, order).await;
    let video = answer.expect(202);
    assert_eq!(answer.header("location"), path(&video));
    video
}

/// Waits until the video is in one of these states, and tells the object.
pub async fn is(service: &Service, video: &Value, states: &[&str]) -> Value {
    let path = path(video);
    let what = format!("{path} is {states:?}");
    wait::until_async(&what, async || {
        let video = service.get(&path).await.expect(200);
        let state = video["state"].as_str().expect("a state");
        states.contains(&state).then_some(video)
    })
    .await
}

pub async fn ended(service: &Service, video: &Value) -> Value {
    is(service, video, &["done", "failed", "cancelled"]).await
}

pub async fn done(service: &Service, order: &Value) -> Value {
    let video = create(service, order).await;
    let video = ended(service, &video).await;
    assert_eq!(video["state"], "done", "{video}");
    video
}

pub async fn delete(service: &Service, video: &Value) -> Answer {
    Answer::to(service.request(Method::DELETE, &path(video))).await
}

/// The pointers of all faults that an answer names.
#[track_caller]
pub fn faults(answer: &Answer, status: u16) -> Vec<String> {
    let body = answer.expect(status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(body["status"], status, "{body}");
    for field in ["type", "title", "detail"] {
        assert!(
            body[field].as_str().is_some_and(|text| !text.is_empty()),
            "{body}"
        );
    }
    let faults = body["errors"].as_array().cloned().unwrap_or_default();
    let pointer = |fault: &Value| fault["pointer"].as_str().expect("a pointer").to_owned();
    faults.iter().map(pointer).collect()
}
