//! Where the service does not go, whoever asks.

use serde_json::{Value, json};

use crate::support::order::{short, short_to};
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture;
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::Sink;

const FORBIDDEN: &[&str] = &[
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.255.255.254:8080/a.jpg",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://192.0.0.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://[ff02::1]/",
    "https://127.0.0.1/",
    "http://127.0.0.1./",
    "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
];

/// Without a way to the servers beside it.
async fn closed_service() -> Service {
    Setup::new().without("KINORA_ALLOW_NETWORKS").start().await
}

const UNKNOWN_NAME: &str = "image_url could not be reached: its host name is not known, or leads to an \
                            address that is not allowed";

fn names_no_address(body: &Value) {
    let text = body.to_string();
    for word in [
        "127.0.0.1",
        "10.0.0",
        "169.254",
        "localhost",
        "::1",
        "refused",
        "/tmp",
        "data/",
    ] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[tokio::test]
async fn a_literal_address_that_is_not_public_is_refused_in_every_spelling() {
    let service = closed_service().await;
    for url in FORBIDDEN {
        for (field, order) in [
            ("image_url", short(url)),
            ("webhook_url", short_to("https://example.com/a.jpg", url)),
        ] {
            let body = service.post(PAID, &order).await.expect(400);
            let message = body["message"].as_str().expect("a message");
            assert!(message.contains(field), "{url}: {body}");
            assert!(message.contains("not allowed"), "{url}: {body}");
            assert_eq!(
                body["errors"][0]["path"],
                format!("/{field}"),
                "{url}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_url_with_credentials_is_refused() {
    let service = Service::start().await;
    for url in [
        "http://me:secret@127.0.0.1/a.jpg",
        "https://me@example.com/",
        "https://:pw@example.com/",
    ] {
        for order in [short(url), short_to("https://example.com/a.jpg", url)] {
            let body = service.post(PAID, &order).await.expect(400);
            let message = body["message"].as_str().expect("a message");
            assert!(message.contains("user name"), "{body}");
            assert!(!message.contains("secret"), "{body}");
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_not_followed() {
    let service = closed_service().await;
    let photos = PhotoServer::start();
    photos.small();
    let url = format!("http://localhost:{}/small.png", photos.port());
    let body = service.post(PAID, &short(&url)).await.expect(500);
    assert_eq!(body["message"], UNKNOWN_NAME);
    assert_eq!(photos.asked("/small.png"), 0);
    names_no_address(&body);
    // Strangers do not learn which names there are.
    let nowhere = short("http://kinora-test.invalid/small.png");
    let unknown = service.post(PAID, &nowhere).await.expect(500);
    assert_eq!(unknown["message"], UNKNOWN_NAME);
}

#[tokio::test]
async fn a_webhook_to_a_name_that_leads_to_a_forbidden_address_is_not_sent() {
    let service = closed_service().await;
    let sink = Sink::start();
    let hook = format!("http://localhost:{}/hook", sink.port());
    let nowhere = "http://kinora-test.invalid/a.jpg";
    service
        .post(PAID, &short_to(nowhere, &hook))
        .await
        .expect(202);
    let line = service.logged("not allowed").await;
    assert!(line.contains("webhook"), "{line}");
    assert!(sink.received("/hook").is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_not_followed() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    for (target, why) in [
        ("http://10.0.0.1/a.jpg", "not allowed"),
        ("http://169.254.169.254/latest/", "not allowed"),
        ("http://[::1]/a.jpg", "not allowed"),
        ("http://2886729729/", "not allowed"),
        ("//192.168.0.1/a.jpg", "not allowed"),
        ("http://me:pw@127.0.0.1/a.jpg", "user name"),
        ("file:///etc/passwd", "http"),
        ("ftp://127.0.0.1/a.jpg", "http"),
    ] {
        let redirect = Photo::Redirect(302, target.to_owned());
        let url = photos.put("/moved.jpg", redirect);
        let body = service.post(PAID, &short(&url)).await.expect(500);
        let message = body["message"].as_str().expect("a message");
        assert!(message.starts_with("image_url "), "{target}: {body}");
        assert!(message.contains(why), "{target}: {body}");
        assert!(!message.contains("pw"), "{target}: {body}");
        names_no_address(&body);
    }
}

#[tokio::test]
async fn redirects_to_allowed_addresses_are_followed_three_times_at_most() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    photos.put("/hop-0", Photo::Bytes("image/png", picture::small()));
    for (hop, status) in [(1, 301), (2, 302), (3, 307), (4, 308)] {
        let target = format!("/hop-{}", hop - 1);
        photos.put(&format!("/hop-{hop}"), Photo::Redirect(status, target));
    }
    service
        .post(PAID, &short(&photos.url("/hop-3")))
        .await
        .expect(200);
    let body = service
        .post(PAID, &short(&photos.url("/hop-4")))
        .await
        .expect(500);
    assert!(
        body["message"].as_str().unwrap().contains("redirects"),
        "{body}"
    );
}

#[tokio::test]
async fn only_the_allowed_network_is_open() {
    let setup = Setup::new().env("KINORA_ALLOW_NETWORKS", "10.9.0.0/16, 127.0.0.1/32");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    for url in ["http://127.0.0.2/a.jpg", "http://10.8.0.1/a.jpg"] {
        service.post(PAID, &short(url)).await.expect(400);
    }
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let photos = PhotoServer::start();
    let proxy = photos.url("");
    let setup = Setup::new()
        .env("http_proxy", &proxy)
        .env("HTTP_PROXY", &proxy)
        .env("ALL_PROXY", &proxy);
    let service = setup.start().await;
    let url = "http://kinora-test.invalid/small.png";
    photos.small();
    let body = service.post(PAID, &short(url)).await.expect(500);
    assert_eq!(body["message"], UNKNOWN_NAME, "{body}");
    assert_eq!(photos.asked("/small.png"), 0);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_not_told() {
    let service = Service::start().await;
    let body = service
        .post(PAID, &short("http://127.0.0.1:9/a.jpg"))
        .await
        .expect(500);
    assert_eq!(body["message"], json!("image_url could not be reached"));
    names_no_address(&body);
}
