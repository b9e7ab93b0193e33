//! DigitalCarbon's `/v1-beta`: every error in its own words and form.

use reqwest::Method;
use serde_json::json;

use crate::support::client::{Answer, keys};
use crate::support::listing::{GENERATE, about, detail, generate, order};
use crate::support::order::short_to;
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{KEY, PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wire::ask;

const UNKNOWN: &str = "3f1f8b8e-0000-4000-8000-000000000000";

#[tokio::test]
async fn the_key_comes_before_everything_else() {
    let service = Service::start().await;
    let refused = json!({ "detail": "API Key is missing or invalid" });
    let paths = [
        (Method::POST, GENERATE.to_owned()),
        (Method::GET, about(UNKNOWN, "status")),
        (Method::GET, about("no-uuid", "results")),
        (Method::POST, about(UNKNOWN, "results/upload-video")),
        (Method::GET, "/v1-beta/templates".to_owned()),
    ];
    for (method, path) in paths {
        let without = service.anonymous(method.clone(), &path).body("no JSON");
        assert_eq!(Answer::to(without).await.expect(401), refused, "{path}");
        let wrong = service
            .anonymous(method, &path)
            .header("X-API-Key", "wrong");
        assert_eq!(Answer::to(wrong).await.expect(401), refused, "{path}");
    }
}

#[tokio::test]
async fn jobs_that_are_not_there_are_told_from_ids_that_are_none() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let sink = Sink::start();
    let order = short_to(&photos.url("/missing.jpg"), &sink.url("/hook"));
    let other = service.post(PAID, &order).await.expect(202);
    let other = other["job_id"].as_str().expect("job_id");
    let upload = json!({ "upload_url": "https://example.com/x" });
    for (id, status, said) in [
        (UNKNOWN, 404, "Job not found"),
        (other, 404, "Job not found"),
        ("no-uuid", 400, "Invalid job ID format"),
        ("%ff", 400, "Invalid job ID format"),
        ("..%2f..", 400, "Invalid job ID format"),
    ] {
        let answers = [
            service.get(&about(id, "status")).await,
            service.get(&about(id, "results")).await,
            service
                .post(&about(id, "results/upload-video"), &upload)
                .await,
            service
                .post(&about(id, "results/upload-video"), &json!([]))
                .await,
        ];
        for answer in answers {
            assert_eq!(detail(&answer.expect(status)), said, "{id}");
        }
    }
}

#[tokio::test]
async fn every_error_is_a_detail() {
    // Longer than Actix's clock is coarse, or it gives up before it has read anything.
    let setup = Setup::new().config("[server]\nrequest_timeout = \"1s\"");
    let service = setup.start().await;
    for path in [
        "/v1-beta",
        "/v1-beta/",
        "/v1-beta/nothing?x=1",
        "/v1-beta/generate-video/",
    ] {
        assert_eq!(
            detail(&service.get(path).await.expect(404)),
            "Page not found",
            "{path}"
        );
    }
    let other = service.get("/v1-betamax").await.expect(404);
    assert_eq!(keys(&other), ["message"]);

    for (method, path, allow) in [
        (Method::GET, GENERATE.to_owned(), "POST"),
        (Method::POST, about(UNKNOWN, "status"), "GET, HEAD"),
        (Method::DELETE, about(UNKNOWN, "results"), "GET, HEAD"),
        (Method::PUT, about(UNKNOWN, "results/upload-video"), "POST"),
        (Method::POST, "/v1-beta/templates".to_owned(), "GET, HEAD"),
    ] {
        let answer = Answer::to(service.request(method, &path)).await;
        detail(&answer.expect(405));
        assert_eq!(answer.header("allow"), allow, "{path}");
    }

    let post = |kind: &'static str, body: String| {
        let request = service.request(Method::POST, GENERATE);
        Answer::to(request.header("content-type", kind).body(body))
    };
    let not_json = post("application/json", "{".to_owned()).await.expect(400);
    assert!(
        detail(&not_json).starts_with("The body is not JSON: "),
        "{not_json}"
    );
    detail(&post("text/plain", "{}".to_owned()).await.expect(415));
    let large = post("application/json", " ".repeat((1 << 20) + 1))
        .await
        .expect(413);
    assert_eq!(detail(&large), "The body is larger than 1048576 bytes");
    let fits = post("application/json", " ".repeat(1 << 20))
        .await
        .expect(400);
    assert!(
        detail(&fits).starts_with("The body is not JSON: "),
        "{fits}"
    );

    // What is answered below all handlers.
    let authority = service.authority();
    let slow = format!(
        "POST {GENERATE} HTTP/1.1\r\nhost: {authority}\r\nx-api-key: {KEY}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    for (request, status) in [
        (slow, 408),
        (
            format!("GET {GENERATE} HTTP/1.1\r\nhost: {authority}\r\n"),
            408,
        ),
        (
            format!("GET {GENERATE} HTTP/1.1\r\nno colon here\r\n\r\n"),
            400,
        ),
        ("GET /v1-beta HTTP/9.9\r\n\r\n".to_owned(), 400),
    ] {
        let reply = ask(authority, &request);
        assert_eq!(reply.status, status, "{request:?}: {reply:?}");
        detail(&reply.json());
    }
}

#[tokio::test]
async fn a_service_that_stops_says_so() {
    let (service, photos, gate) = (Service::start().await, PhotoServer::start(), Gate::new());
    let held = order(&[photos.gated("/held.png", &gate)]);
    generate(&service, &held).await;
    gate.arrived(1).await;
    service.terminate();
    service.logged("stopping").await;
    let answer = service.post(GENERATE, &held).await;
    assert!(detail(&answer.expect(503)).starts_with("The service is stopping"));
    answer.header("retry-after");
}
