//! Whether the service can do its work.

use reqwest::Method;
use serde_json::json;

use crate::support::client::Answer;
use crate::support::scratch::Scratch;
use crate::support::service::{Service, Setup};

#[tokio::test]
async fn a_service_with_ffmpeg_is_ready_and_asks_for_no_key() {
    let service = Service::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = Answer::to(service.anonymous(Method::GET, path)).await;
        assert_eq!(answer.expect(200), json!({ "status": "ok" }));
    }
}

#[tokio::test]
async fn a_service_without_ffmpeg_runs_but_is_not_ready() {
    let setup = Setup::new().env("KINORA_FFMPEG", "/nowhere/ffmpeg");
    not_ready(setup).await;
}

#[tokio::test]
async fn a_service_whose_ffmpeg_cannot_encode_is_not_ready() {
    let scratch = Scratch::new();
    let ffmpeg = scratch.script("ffmpeg", "echo 'Unknown encoder libx264' >&2; exit 1");
    let setup = Setup::new().env("KINORA_FFMPEG", ffmpeg.display().to_string());
    not_ready(setup).await;
}

async fn not_ready(setup: Setup) {
    let service = setup.start().await;
    let answer = Answer::to(service.anonymous(Method::GET, "/readyz")).await;
    let body = answer.expect(503);
    assert_ne!(body["status"], "ok");
    let failed = body["failed"].as_array().expect("what failed");
    assert_eq!(failed.len(), 1, "{body}");
    assert_eq!(failed[0]["check"], "ffmpeg");
    assert!(
        failed[0]["message"]
            .as_str()
            .expect("a sentence")
            .contains("encoder")
    );
    let alive = Answer::to(service.anonymous(Method::GET, "/healthz")).await;
    alive.expect(200);
    service.get("/v1/toolkit/authenticate").await.expect(200);
}
