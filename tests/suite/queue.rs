//! The bound of the queue, the express lane, and callers who leave.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::client::Answer;
use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{KEY, PAID, Service, Setup, V1};
use crate::support::sink::Sink;
use crate::support::wire::Wire;

const CLIENTS: usize = 50;

/// All answers, accepted ones first.
async fn answers(asked: Vec<JoinHandle<Answer>>) -> (Vec<Answer>, Vec<Answer>) {
    let mut all = Vec::new();
    for answer in asked {
        all.push(answer.await.expect("an answer"));
    }
    all.into_iter().partition(|answer| answer.status == 202)
}

fn swarm(service: &Service, order: &Value) -> Vec<JoinHandle<Answer>> {
    (0..CLIENTS)
        .map(|n| service.post_aside(if n % 2 == 0 { PAID } else { V1 }, order))
        .collect()
}

#[tokio::test]
async fn a_busy_service_accepts_exactly_as_many_as_its_queue_holds() {
    const BOUND: usize = 7;
    let service = Setup::new()
        .env("MAX_QUEUE_LENGTH", BOUND.to_string())
        .start()
        .await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    service.post(PAID, &order).await.expect(202);
    gate.arrived(1).await;

    let (accepted, refused) = answers(swarm(&service, &order)).await;
    assert_eq!((accepted.len(), refused.len()), (BOUND, CLIENTS - BOUND));
    for answer in &refused {
        let body = answer.expect(429);
        assert_eq!(
            body["message"],
            format!("MAX_QUEUE_LENGTH ({BOUND}) reached")
        );
        assert_eq!(body["queue_length"], BOUND, "{body}");
        answer.header("retry-after");
    }
    gate.open();
    for received in sink.wait_for("/hook", BOUND + 1).await {
        assert_eq!(received.json()["code"], 200);
    }
}

#[tokio::test]
async fn an_idle_service_accepts_one_more_for_each_worker() {
    const BOUND: usize = 5;
    const WORKERS: usize = 2;
    let service = Setup::new()
        .env("MAX_QUEUE_LENGTH", BOUND.to_string())
        .env("KINORA_WORKERS", WORKERS.to_string())
        .start()
        .await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let (accepted, refused) = answers(swarm(&service, &order)).await;
    assert_eq!(
        (accepted.len(), refused.len()),
        (BOUND + WORKERS, CLIENTS - BOUND - WORKERS)
    );
    gate.open();
    sink.wait_for("/hook", BOUND + WORKERS).await;
}

#[tokio::test]
async fn waiting_callers_count_like_any_other_and_all_get_their_videos() {
    const BOUND: usize = 3;
    let service = Setup::new()
        .env("MAX_QUEUE_LENGTH", BOUND.to_string())
        .start()
        .await;
    let (photos, gate) = (PhotoServer::start(), Gate::new());
    let order = short(&photos.gated("/held.png", &gate));
    let first = service.post_aside(PAID, &order);
    gate.arrived(1).await;
    let waiting: Vec<_> = (0..BOUND)
        .map(|_| service.post_aside(PAID, &order))
        .collect();
    crate::support::wait::until_async("the queue is full", async || {
        let length = service.get("/v1/toolkit/authenticate").await.json();
        (length["queue_length"] == BOUND).then_some(())
    })
    .await;
    service.post(PAID, &order).await.expect(429);
    gate.open();
    for answer in waiting.into_iter().chain([first]) {
        answer.await.expect("an answer").expect(200);
    }
}

#[tokio::test]
async fn a_full_queue_is_open_again_once_it_has_drained() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "1").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    service.post(PAID, &order).await.expect(202);
    gate.arrived(1).await;
    service.post(PAID, &order).await.expect(202);
    service.post(PAID, &order).await.expect(429);
    gate.open();
    sink.wait_for("/hook", 2).await;
    service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
}

#[tokio::test]
async fn who_bypasses_a_full_queue_is_served_at_once() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "1").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let held = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    service.post(PAID, &held).await.expect(202);
    gate.arrived(1).await;
    service.post(PAID, &held).await.expect(202);
    service.post(PAID, &held).await.expect(429);

    // The only worker and the whole queue stand behind the gate, and still these are answered.
    let order = short(&photos.small());
    let field = with(order.clone(), json!({ "bypass_queue": true }));
    service.post(PAID, &field).await.expect(200);
    service.post(V1, &field).await.expect(200);
    let by_query = format!("{PAID}?bypass_queue=true");
    service.post(&by_query, &order).await.expect(200);
}

#[tokio::test]
async fn to_bypass_nothing_is_to_queue() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "1").start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let held = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    service.post(PAID, &held).await.expect(202);
    gate.arrived(1).await;
    service.post(PAID, &held).await.expect(202);
    let field = with(held.clone(), json!({ "bypass_queue": false }));
    service.post(PAID, &field).await.expect(429);
    let by_query = format!("{PAID}?bypass_queue=false");
    service.post(&by_query, &held).await.expect(429);
}

#[tokio::test]
async fn the_express_lane_has_a_bound_and_a_message_of_its_own() {
    let service = Setup::new()
        .env("MAX_QUEUE_LENGTH", "1")
        .config("[jobs]\nmax_express_queue_length = 2")
        .start()
        .await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let express = with(order.clone(), json!({ "bypass_queue": true }));
    // Two at work, on the reserved worker and on the other; two waiting.
    for n in 0..4 {
        service.post(PAID, &express).await.expect(202);
        gate.arrived(2.min(n + 1)).await;
    }
    let answer = service.post(PAID, &express).await;
    let message = answer.expect(429)["message"].to_string();
    assert!(message.contains("(2) reached"), "{message}");
    assert!(!message.contains("\"MAX_QUEUE_LENGTH"), "{message}");
    answer.header("retry-after");
    // The normal lane still has its place.
    service.post(PAID, &order).await.expect(202);
    service.post(PAID, &order).await.expect(429);
    gate.open();
    sink.wait_for("/hook", 5).await;
}

#[tokio::test]
async fn the_express_lane_is_served_first() {
    let service = Service::start().await;
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let (gate, shut) = (Gate::new(), Gate::new());
    let hook = sink.url("/hook");
    let reserved = with(
        short_to(&photos.gated("/reserved.png", &shut), &hook),
        json!({ "bypass_queue": true }),
    );
    // The reserved worker first: it is the only one that serves nothing else.
    service
        .post(PAID, &short_to(&photos.gated("/held.png", &gate), &hook))
        .await
        .expect(202);
    gate.arrived(1).await;
    service.post(PAID, &reserved).await.expect(202);
    shut.arrived(1).await;

    let small = |name: &str| with(short_to(&photos.small(), &hook), json!({ "id": name }));
    for name in ["normal-1", "normal-2"] {
        service.post(PAID, &small(name)).await.expect(202);
    }
    let express = with(small("express"), json!({ "bypass_queue": true }));
    service.post(PAID, &express).await.expect(202);
    gate.open();
    let jobs = sink.wait_for("/hook", 4).await;
    let mut order: Vec<(u64, String)> = Vec::new();
    for job in jobs {
        let body = job.json();
        if let Some(name) = body["id"].as_str() {
            let waited = (body["queue_time"].as_f64().unwrap() * 1000.0) as u64;
            order.push((waited, name.to_owned()));
        }
    }
    order.sort();
    assert_eq!(order[0].1, "express", "{order:?}");
}

#[tokio::test]
async fn a_bypass_that_is_neither_true_nor_false_is_refused() {
    let service = Service::start().await;
    let order = short("http://127.0.0.1:9/a.jpg");
    let path = format!("{PAID}?bypass_queue=maybe");
    let body = service.post(&path, &order).await.expect(400);
    assert!(
        body["message"].as_str().unwrap().contains("bypass_queue"),
        "{body}"
    );
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_his_job() {
    let service = Service::start().await;
    let (photos, gate) = (PhotoServer::start(), Gate::new());
    let body = short(&photos.gated("/held.png", &gate)).to_string();
    let authority = service.authority();
    let mut wire = Wire::connect(authority);
    wire.say(format!(
        "POST {PAID} HTTP/1.1\r\nhost: {authority}\r\nx-api-key: {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    gate.arrived(1).await;
    drop(wire);
    // Any answer after this shows that the service has had time to notice.
    service.get("/v1/toolkit/authenticate").await.expect(200);
    gate.open();
    let jobs = service
        .post("/v1/toolkit/jobs/status", &json!({}))
        .await
        .expect(200);
    let id = jobs["response"]
        .as_object()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    let status = service.job_is(&id, "done").await;
    assert_eq!(status["response"]["response"]["code"], 200, "{status}");
    let video = Answer::to(service.anonymous(Method::GET, &format!("/videos/{id}.mp4"))).await;
    assert_eq!(video.status, 200);
}
