//! How a job stands.

use serde_json::{Value, json};

use crate::support::client::keys;
use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{PAID, Service, V1};
use crate::support::sink::Sink;

const UNKNOWN: &str = "3f1f8b8e-0000-4000-8000-000000000000";

#[tokio::test]
async fn a_job_is_queued_then_running_then_done() {
    let service = Service::start().await;
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let first = id(&service.post(PAID, &order).await.expect(202));
    gate.arrived(1).await;
    let second = id(&service.post(PAID, &order).await.expect(202));

    for (job, state) in [(&first, "running"), (&second, "queued")] {
        let status = service.job(job).await;
        assert_eq!(status["job_status"], state, "{status}");
        assert_eq!(status["response"]["job_status"], state, "{status}");
        assert_eq!(status["response"]["response"], Value::Null, "{status}");
    }
    gate.open();
    for job in [&first, &second] {
        let status = service.job_is(job, "done").await;
        let envelope = &status["response"]["response"];
        assert_eq!(envelope["code"], 200, "{status}");
        assert_eq!(envelope["job_id"], *job, "{status}");
    }
}

#[tokio::test]
async fn every_way_to_ask_gives_the_same_answer_in_an_envelope() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let order = with(short(&photos.small()), json!({ "id": "mine" }));
    let made = service.post(PAID, &order).await.expect(200);
    let id = id(&made);
    let question = json!({ "job_id": id });
    let answers = [
        service.post("/paid/get/job/status", &question).await,
        service.get(&format!("/paid/get/job/status/{id}")).await,
        service.post("/v1/toolkit/job/status", &question).await,
    ];
    for answer in answers {
        let body = answer.expect(200);
        assert_eq!(body["code"], 200, "{body}");
        assert_eq!(body["message"], "success", "{body}");
        assert_eq!(body["job_status"], "done", "{body}");
        for name in ["endpoint", "build_number"] {
            assert!(body[name].is_string(), "{name}: {body}");
        }
        for name in ["pid", "queue_id", "queue_length"] {
            assert!(body[name].is_u64(), "{name}: {body}");
        }
        let status = &body["response"];
        let names = ["job_id", "job_status", "process_id", "queue_id", "response"];
        assert_eq!(keys(status), names, "{status}");
        assert_eq!(status["job_id"], id);

        let envelope = &status["response"];
        assert_eq!(envelope["endpoint"], PAID, "{envelope}");
        for name in keys(&made) {
            assert_eq!(envelope[name], made[name], "{name}");
        }
    }
}

#[tokio::test]
async fn a_failed_job_is_done_and_says_why() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let failed = service
        .post(V1, &short(&photos.url("/missing")))
        .await
        .expect(500);
    let status = service.job(&id(&failed)).await;
    assert_eq!(status["job_status"], "done");
    assert_eq!(status["response"]["response"], failed);
}

#[tokio::test]
async fn an_unknown_job_is_404_and_an_id_that_is_no_uuid_400() {
    let service = Service::start().await;
    for path in ["/paid/get/job/status", "/v1/toolkit/job/status"] {
        let body = service
            .post(path, &json!({ "job_id": UNKNOWN }))
            .await
            .expect(404);
        assert!(body["message"].is_string(), "{body}");
        for bad in [
            json!({ "job_id": "no-uuid" }),
            json!({ "job_id": "" }),
            json!({ "job_id": 5 }),
            json!({}),
            json!([]),
        ] {
            let body = service.post(path, &bad).await.expect(400);
            let message = body["message"].as_str().expect("a message");
            assert!(message.starts_with("Invalid payload: "), "{bad}: {body}");
        }
    }
    let by_path = |id: &str| format!("/paid/get/job/status/{id}");
    service.get(&by_path(UNKNOWN)).await.expect(404);
    for bad in ["no-uuid", "5", "..%2f..%2fetc%2fpasswd", "%ff"] {
        service.get(&by_path(bad)).await.expect(400);
    }
}

#[tokio::test]
async fn an_id_in_capitals_is_the_same_id() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let made = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    let status = service.job(&id(&made).to_uppercase()).await;
    assert_eq!(status["response"]["job_id"], made["job_id"]);
}

#[tokio::test]
async fn jobs_status_lists_the_jobs_that_changed_lately() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let (sink, gate) = (Sink::start(), Gate::new());
    let done = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let running = service.post(PAID, &order).await.expect(202);
    gate.arrived(1).await;
    let queued = service.post(PAID, &order).await.expect(202);

    for question in [json!({ "since_seconds": 600 }), json!({})] {
        let body = service
            .post("/v1/toolkit/jobs/status", &question)
            .await
            .expect(200);
        let jobs = &body["response"];
        assert_eq!(jobs.as_object().map(|jobs| jobs.len()), Some(3), "{body}");
        assert_eq!(jobs[&id(&done)], "done", "{body}");
        assert_eq!(jobs[&id(&running)], "running", "{body}");
        assert_eq!(jobs[&id(&queued)], "queued", "{body}");
        assert_eq!(body["endpoint"], "/v1/toolkit/jobs/status");
    }
    for bad in [
        json!({ "since_seconds": "ten" }),
        json!({ "since_seconds": -1 }),
        json!([]),
    ] {
        service
            .post("/v1/toolkit/jobs/status", &bad)
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn toolkit_test_stores_a_file_that_can_be_had() {
    let service = Service::start().await;
    let body = service.get("/v1/toolkit/test").await.expect(200);
    assert_eq!(body["endpoint"], "/v1/toolkit/test");
    let url = body["response"].as_str().expect("a URL");
    let path = url
        .strip_prefix(&service.url(""))
        .expect("a URL of this service");
    let file = service.get(path).await;
    assert_eq!(file.status, 200);
    assert!(!file.bytes.is_empty());
}

#[tokio::test]
async fn toolkit_authenticate_welcomes_the_right_key() {
    let service = Service::start().await;
    let body = service.get("/v1/toolkit/authenticate").await.expect(200);
    assert_eq!(
        (&body["code"], &body["response"]),
        (&json!(200), &json!("Authorized"))
    );
}

fn id(envelope: &Value) -> String {
    envelope["job_id"].as_str().expect("job_id").to_owned()
}

#[tokio::test]
async fn the_status_of_a_failed_job_has_its_code() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let failed = service
        .post(PAID, &short(&photos.url("/missing.jpg")))
        .await
        .expect(500);
    assert_eq!(failed.get("error_code"), None, "the reference has none");
    let status = service.job(&id(&failed)).await;
    assert_eq!(status["response"]["error_code"], "bad-answer", "{status}");
    let made = service.post(PAID, &short(&photos.small())).await;
    let status = service.job(&id(&made.expect(200))).await;
    assert_eq!(status["response"].get("error_code"), None, "{status}");
}
