//! The answers to an order: exactly the reference's keys, with its types.

use serde_json::{Value, json};

use crate::support::client::keys;
use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{PAID, Service, Setup, V1};
use crate::support::sink::Sink;

const OF_200: &[&str] = &[
    "build_number",
    "code",
    "id",
    "job_id",
    "message",
    "pid",
    "queue_id",
    "queue_length",
    "queue_time",
    "response",
    "run_time",
    "total_time",
];
const OF_202: &[&str] = &[
    "build_number",
    "code",
    "id",
    "job_id",
    "max_queue_length",
    "message",
    "pid",
    "queue_id",
    "queue_length",
];
/// And of 500.
const OF_429: &[&str] = &[
    "build_number",
    "code",
    "id",
    "job_id",
    "message",
    "pid",
    "queue_id",
    "queue_length",
];

/// What all envelopes share.
fn is_envelope(body: &Value, code: u16, id: Value, names: &[&str]) {
    assert_eq!(keys(body), names, "{body}");
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["id"], id, "{body}");
    let job_id = body["job_id"].as_str().expect("job_id");
    assert!(uuid::Uuid::parse_str(job_id).is_ok(), "{job_id}");
    assert!(body["message"].is_string(), "{body}");
    for whole in ["pid", "queue_id", "queue_length"] {
        assert!(body[whole].is_u64(), "{whole}: {body}");
    }
    assert!(body["build_number"].is_string(), "{body}");
}

fn with_endpoint(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.push("endpoint");
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_video_on_paid_answers_the_references_200() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let order = with(short(&photos.small()), json!({ "id": "request-123" }));
    let body = service.post(PAID, &order).await.expect(200);
    is_envelope(&body, 200, json!("request-123"), OF_200);
    assert_eq!(body["message"], "success");
    let url = format!("{}.mp4", body["job_id"].as_str().unwrap());
    assert_eq!(body["response"], service.url(&format!("/videos/{url}")));

    let time = |name: &str| body[name].as_f64().expect("a time in seconds");
    let (run, queue, total) = (time("run_time"), time("queue_time"), time("total_time"));
    assert!(run > 0.0 && queue >= 0.0, "{body}");
    assert!((run + queue - total).abs() < 0.0015, "{body}");
    for seconds in [run, queue, total] {
        let thousandths = seconds * 1000.0;
        assert!((thousandths - thousandths.round()).abs() < 1e-6, "{body}");
    }
}

#[tokio::test]
async fn a_video_on_v1_answers_the_same_and_its_endpoint() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let body = service.post(V1, &short(&photos.small())).await.expect(200);
    is_envelope(&body, 200, json!(null), &with_endpoint(OF_200));
    assert_eq!(body["endpoint"], V1);
}

#[tokio::test]
async fn a_failure_answers_500_and_says_why() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let order = short(&photos.url("/missing.jpg"));
    let body = service.post(PAID, &order).await.expect(500);
    is_envelope(&body, 500, json!(null), OF_429);
    assert_eq!(body["message"], "image_url answered 404");

    let order = with(order, json!({ "id": "" }));
    let body = service.post(V1, &order).await.expect(500);
    is_envelope(&body, 500, json!(""), &with_endpoint(OF_429));
    assert_eq!(body["endpoint"], V1);
}

#[tokio::test]
async fn an_order_with_a_webhook_answers_202_on_both_paths_alike() {
    let setup = Setup::new().env("MAX_QUEUE_LENGTH", "7");
    let service = setup.start().await;
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    for path in [PAID, V1] {
        let order = short_to(&photos.small(), &sink.url("/hook"));
        let order = with(order, json!({ "id": "mine" }));
        let body = service.post(path, &order).await.expect(202);
        is_envelope(&body, 202, json!("mine"), OF_202);
        assert_eq!(body["message"], "processing");
        assert_eq!(body["max_queue_length"], 7);
    }
    sink.wait_for("/hook", 2).await;
}

#[tokio::test]
async fn a_queue_without_a_bound_calls_itself_unlimited() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "0").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    for _ in 0..30 {
        let body = service.post(PAID, &order).await.expect(202);
        assert_eq!(body["max_queue_length"], "unlimited");
    }
}

#[tokio::test]
async fn a_full_queue_answers_429_with_the_references_envelope() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "1").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let held = photos.gated("/held.png", &gate);
    let order = short_to(&held, &sink.url("/hook"));
    for _ in 0..2 {
        service.post(PAID, &order).await.expect(202);
        gate.arrived(1).await;
    }
    let order = with(order, json!({ "id": "late" }));
    for (path, names) in [(PAID, OF_429.to_vec()), (V1, with_endpoint(OF_429))] {
        let answer = service.post(path, &order).await;
        let body = answer.expect(429);
        is_envelope(&body, 429, json!("late"), &names);
        assert_eq!(body["message"], "MAX_QUEUE_LENGTH (1) reached");
        assert_eq!(body["queue_length"], 1);
        let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
        assert!(seconds > 0);
    }
}
