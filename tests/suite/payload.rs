//! The reference's schema, rule by rule.

use serde_json::{Value, json};

use crate::support::order::{short, with};
use crate::support::photos::PhotoServer;
use crate::support::service::{PAID, Service, Setup, V1};

const URL: &str = "http://127.0.0.1:9/a.jpg";

/// Posts a payload that breaks one rule; the answer must name the field.
async fn refuses(service: &Service, path: &str, payload: Value, field: &str) {
    let body = service.post(path, &payload).await.expect(400);
    let message = body["message"].as_str().expect("a message");
    assert!(
        message.starts_with("Invalid payload: "),
        "{payload}: {body}"
    );
    assert!(message.contains(field), "{payload}: {body}");
    let errors = body["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{payload}: {body}");
    let told = |name: &str| errors[0][name].as_str().expect("a text").to_owned();
    assert!(
        format!("{} {}", told("path"), told("message")).contains(field),
        "{payload}: {body}"
    );
    assert!(message.contains(&told("message")), "{payload}: {body}");
    assert_eq!(body.as_object().map(|body| body.len()), Some(2), "{body}");
}

#[tokio::test]
async fn each_rule_of_the_schema_is_held_and_named() {
    let service = Service::start().await;
    for fields in [
        json!({ "length": 0.99 }),
        json!({ "length": 60.01 }),
        json!({ "length": "5" }),
        json!({ "length": null }),
        json!({ "length": 1e300 }),
        json!({ "frame_rate": 14 }),
        json!({ "frame_rate": 61 }),
        json!({ "frame_rate": 29.97 }),
        json!({ "frame_rate": "30" }),
        json!({ "zoom_speed": -0.1 }),
        json!({ "zoom_speed": 100.1 }),
        json!({ "zoom_speed": true }),
        json!({ "webhook_url": "not a url" }),
        json!({ "webhook_url": null }),
        json!({ "id": 7 }),
        json!({ "id": null }),
        json!({ "bypass_queue": "true" }),
        json!({ "bypass_queue": 1 }),
        json!({ "image_url": 1 }),
        json!({ "image_url": null }),
        json!({ "lenght": 5 }),
    ] {
        let field = fields.as_object().unwrap().keys().next().unwrap().clone();
        let payload = with(json!({ "image_url": URL }), fields);
        refuses(&service, PAID, payload, &field).await;
    }
    refuses(&service, PAID, json!({ "length": 5 }), "image_url").await;
}

#[tokio::test]
async fn a_payload_that_is_no_object_is_refused() {
    let service = Service::start().await;
    for payload in [json!([]), json!("text"), json!(5), json!(null), json!(true)] {
        refuses(&service, PAID, payload, "object").await;
    }
}

#[tokio::test]
async fn every_broken_rule_is_listed() {
    let service = Service::start().await;
    let payload = json!({ "image_url": "x", "length": 0, "frame_rate": 1, "colour": "red" });
    let body = service.post(PAID, &payload).await.expect(400);
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(4), "{body}");
    for field in ["image_url", "length", "frame_rate", "colour"] {
        assert!(body["message"].as_str().unwrap().contains(field), "{body}");
    }
}

#[tokio::test]
async fn a_url_must_be_absolute_and_http() {
    let service = Service::start().await;
    for url in [
        "",
        "photo.jpg",
        "/photo.jpg",
        "//example.com/photo.jpg",
        "ftp://example.com/photo.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http://[1/",
        "example.com/photo.jpg",
    ] {
        refuses(&service, PAID, json!({ "image_url": url }), "image_url").await;
        let payload = json!({ "image_url": URL, "webhook_url": url });
        refuses(&service, PAID, payload, "webhook_url").await;
    }
}

#[tokio::test]
async fn v1_has_a_length_range_of_its_own() {
    let service = Service::start().await;
    for length in [0.09, 400.1] {
        let payload = json!({ "image_url": URL, "length": length });
        refuses(&service, V1, payload, "length").await;
    }
    let photos = PhotoServer::start();
    let order = with(short(&photos.small()), json!({ "length": 0.1 }));
    service.post(V1, &order).await.expect(200);
    service.post(PAID, &order).await.expect(400);
}

#[tokio::test]
async fn numbers_that_are_whole_count_as_integers_and_limits_are_inclusive() {
    let service = Setup::new().env("MAX_QUEUE_LENGTH", "0").start().await;
    let photos = PhotoServer::start();
    let order =
        json!({ "image_url": photos.small(), "length": 1.0, "frame_rate": 15.0, "zoom_speed": 0 });
    service.post(PAID, &order).await.expect(200);
    let widest = json!({ "image_url": photos.url("/none"), "length": 60, "frame_rate": 60, "zoom_speed": 100 });
    service.post(PAID, &widest).await.expect(500);
}
