//! Every error is JSON, never HTML or plain text.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::client::Answer;
use crate::support::service::{KEY, PAID, Service, Setup, V1};
use crate::support::wire::{Wire, ask};

#[tokio::test]
async fn unknown_paths_answer_404_in_json() {
    let service = Service::start().await;
    for path in [
        "/index.html",
        "/paid",
        "/paid/image/convert/video/",
        "/v1/image",
        "/%00",
        "/é",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let body = Answer::to(service.request(method, path)).await.expect(404);
            assert!(body["message"].is_string(), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn a_known_path_with_another_method_answers_405_and_names_the_right_one() {
    let service = Service::start().await;
    for (path, allowed) in [
        (PAID, "POST"),
        (V1, "POST"),
        ("/paid/get/job/status", "POST"),
        ("/v1/toolkit/job/status", "POST"),
        ("/v1/toolkit/jobs/status", "POST"),
        ("/paid/get/job/status/some-job", "GET"),
        ("/v1/toolkit/test", "GET"),
        ("/v1/toolkit/authenticate", "GET"),
        ("/videos/some.mp4", "GET"),
        ("/healthz", "GET"),
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            if method.as_str() == allowed {
                continue;
            }
            let answer = Answer::to(service.request(method, path)).await;
            let body = answer.expect(405);
            assert!(body["message"].is_string(), "{path}: {body}");
            let allow = answer.header("allow");
            assert!(
                allow.split(", ").any(|name| name == allowed),
                "{path}: {allow}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_answers_400() {
    let service = Service::start().await;
    for broken in [
        "",
        "{",
        "not json",
        "{\"image_url\": }",
        "\u{feff}{}",
        "{} {}",
        "\"\\ud800\"",
    ] {
        let request = service
            .request(Method::POST, PAID)
            .header("content-type", "application/json")
            .body(broken);
        let body = Answer::to(request).await.expect(400);
        let message = body["message"].as_str().expect("a message");
        assert!(
            message.starts_with("Invalid payload: "),
            "{broken:?}: {body}"
        );
        assert!(body["errors"][0]["message"].is_string(), "{body}");
        assert!(body["errors"][0]["path"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn json_nested_without_end_answers_400_and_harms_nobody() {
    let service = Service::start().await;
    let request = service
        .request(Method::POST, PAID)
        .header("content-type", "application/json")
        .body("[".repeat(60_000));
    Answer::to(request).await.expect(400);
    service.get("/v1/toolkit/authenticate").await.expect(200);
}

#[tokio::test]
async fn another_content_type_answers_415() {
    let service = Service::start().await;
    let body = r#"{"image_url": "http://127.0.0.1/a.jpg"}"#;
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("multipart/form-data; boundary=x"),
    ] {
        let mut request = service.request(Method::POST, PAID).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let body = Answer::to(request).await.expect(415);
        assert!(body["message"].is_string(), "{kind:?}: {body}");
    }
}

#[tokio::test]
async fn json_with_a_charset_is_json() {
    let service = Service::start().await;
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        let request = service
            .request(Method::POST, PAID)
            .header("content-type", kind)
            .body("{}");
        Answer::to(request).await.expect(400);
    }
}

#[tokio::test]
async fn a_large_body_answers_413_and_is_not_reset() {
    let service = Service::start().await;
    for bytes in [(64 << 10) + 1, 3_000_000] {
        let request = service
            .request(Method::POST, PAID)
            .header("content-type", "application/json")
            .body(vec![b' '; bytes]);
        let body = Answer::to(request).await.expect(413);
        assert!(body["message"].is_string(), "{body}");
    }
    let just_fits = format!("{{}}{}", " ".repeat((64 << 10) - 2));
    let request = service
        .request(Method::POST, PAID)
        .header("content-type", "application/json")
        .body(just_fits);
    Answer::to(request).await.expect(400);
}

#[tokio::test]
async fn a_large_body_in_chunks_answers_413_as_well() {
    let service = Service::start().await;
    let authority = service.authority();
    let mut wire = Wire::connect(authority);
    wire.say(format!(
        "POST {PAID} HTTP/1.1\r\nhost: {authority}\r\nx-api-key: {KEY}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    ));
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..190 {
        wire.say(&chunk);
    }
    let reply = wire.say("0\r\n\r\n").reply();
    assert_eq!(reply.status, 413, "{reply:?}");
    assert!(reply.json()["message"].is_string());
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_answers_408() {
    let setup = Setup::new().config("[server]\nrequest_timeout = \"400ms\"");
    let service = setup.start().await;
    let authority = service.authority();
    let begun = Instant::now();
    let reply = ask(
        authority,
        &format!(
            "POST {PAID} HTTP/1.1\r\nhost: {authority}\r\nx-api-key: {KEY}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
        ),
    );
    assert_eq!(reply.status, 408, "{reply:?}");
    assert!(reply.json()["message"].is_string());
    assert!(begun.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_head_that_does_not_arrive_in_time_answers_408_in_json() {
    let setup = Setup::new().config("[server]\nrequest_timeout = \"400ms\"");
    let service = setup.start().await;
    let authority = service.authority();
    let reply = ask(
        authority,
        &format!("POST {PAID} HTTP/1.1\r\nhost: {authority}\r\n"),
    );
    assert_eq!(reply.status, 408, "{reply:?}");
    assert!(reply.json()["message"].is_string());
}

#[tokio::test]
async fn a_request_that_is_not_http_answers_400_in_json() {
    let service = Service::start().await;
    for nonsense in [
        "BLAH\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
    ] {
        let reply = ask(service.authority(), nonsense);
        assert_eq!(reply.status, 400, "{nonsense:?}: {reply:?}");
        assert!(reply.json()["message"].is_string(), "{nonsense:?}");
    }
}

#[tokio::test]
async fn an_answered_mistake_leaves_the_connection_open_for_the_next_request() {
    let service = Service::start().await;
    let authority = service.authority();
    let mut wire = Wire::connect(authority);
    for _ in 0..3 {
        wire.say(format!(
            "POST {PAID} HTTP/1.1\r\nhost: {authority}\r\nx-api-key: {KEY}\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        ));
        assert_eq!(wire.reply().status, 400);
    }
    let unauthorized =
        format!("POST {PAID} HTTP/1.1\r\nhost: {authority}\r\ncontent-length: 2\r\n\r\n{{}}");
    for _ in 0..2 {
        let reply = wire.say(&unauthorized).reply();
        assert_eq!(
            (reply.status, reply.json()),
            (401, json!({ "message": "Unauthorized" }))
        );
    }
}
