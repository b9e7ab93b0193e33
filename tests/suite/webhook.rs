//! Webhooks, by Standard Webhooks 1.0.0.

use std::net::TcpListener;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::order::{short, short_to, with};
use crate::support::photos::PhotoServer;
use crate::support::service::{PAID, SECRET, Service, Setup, V1};
use crate::support::sink::{Reply, Sink};

/// Receivers.
const HANGING: usize = 400;

async fn start(retries: &str) -> (Service, PhotoServer, Sink) {
    let setup = Setup::new().env("KINORA_WEBHOOK_RETRIES", retries);
    (setup.start().await, PhotoServer::start(), Sink::start())
}

#[tokio::test]
async fn a_webhook_carries_the_result_and_a_signature_that_verifies() {
    let (service, photos, sink) = start("0s").await;
    let order = short_to(&photos.small(), &sink.url("/hook?token=a%20b"));
    let order = with(order, json!({ "id": "mine" }));
    let accepted = service.post(PAID, &order).await.expect(202);
    let received = sink.wait_for("/hook", 1).await.remove(0);

    assert_eq!(received.method, "POST");
    assert_eq!(received.header("content-type"), "application/json");
    assert!(!received.header("webhook-id").is_empty());
    let sent: u64 = received
        .header("webhook-timestamp")
        .parse()
        .expect("seconds");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!(now.abs_diff(sent) < 60, "{sent} at {now}");
    assert!(received.is_signed_with(SECRET), "{received:?}");
    assert!(!received.is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));

    let body = received.json();
    assert_eq!(body["job_id"], accepted["job_id"]);
    assert_eq!((&body["code"], &body["id"]), (&json!(200), &json!("mine")));
    assert_eq!(body["endpoint"], PAID);
    let status = service.job(accepted["job_id"].as_str().unwrap()).await;
    assert_eq!(status["response"]["response"], body);
}

#[tokio::test]
async fn a_made_secret_signs_and_is_kept_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let setup = Setup::new().without("KINORA_WEBHOOK_SECRET");
    let (service, photos, sink) = (setup.start().await, PhotoServer::start(), Sink::start());
    let order = short_to(&photos.small(), &sink.url("/hook"));
    service.post(PAID, &order).await.expect(202);
    let received = sink.wait_for("/hook", 1).await.remove(0);
    let file = service.setup().data().join("webhook-secret");
    let secret = std::fs::read_to_string(&file).expect("the made secret");
    assert!(received.is_signed_with(secret.trim()));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn failures_are_announced_as_well() {
    let (service, photos, sink) = start("0s").await;
    let order = short_to(&photos.url("/missing.jpg"), &sink.url("/hook"));
    let accepted = service.post(V1, &order).await.expect(202);
    let received = sink.wait_for("/hook", 1).await.remove(0);
    assert!(received.is_signed_with(SECRET));
    let body = received.json();
    assert_eq!(
        (&body["code"], &body["endpoint"]),
        (&json!(500), &json!(V1))
    );
    assert_eq!(body["message"], "image_url answered 404");
    assert_eq!(body["job_id"], accepted["job_id"]);
}

#[tokio::test]
async fn every_retry_has_the_same_id_and_the_same_bytes() {
    let (service, photos, sink) = start("0s,100ms,100ms,100ms,100ms").await;
    let elsewhere = sink.url("/elsewhere");
    let replies = [
        Reply::Status(500),
        Reply::Status(404),
        Reply::Redirect(elsewhere),
        Reply::Status(204),
    ];
    let order = short_to(&photos.small(), &sink.answers("/hook", replies));
    service.post(PAID, &order).await.expect(202);
    let received = sink.wait_for("/hook", 4).await;
    for again in &received {
        assert_eq!(again.header("webhook-id"), received[0].header("webhook-id"));
        assert_eq!(again.body, received[0].body);
        assert!(again.is_signed_with(SECRET));
    }
    service.logged("was delivered").await;
    assert_eq!(sink.received("/hook").len(), 4);
    assert!(
        sink.received("/elsewhere").is_empty(),
        "a redirect was followed"
    );
}

#[tokio::test]
async fn a_webhook_is_given_up_after_its_last_try() {
    let (service, photos, sink) = start("0s,50ms,50ms").await;
    let hook = sink.answers("/hook", [Reply::Status(500)]);
    service
        .post(PAID, &short_to(&photos.small(), &hook))
        .await
        .expect(202);
    service.logged("given up").await;
    assert_eq!(sink.received("/hook").len(), 3);
}

#[tokio::test]
async fn a_receiver_that_is_gone_for_good_is_not_asked_again() {
    let (service, photos, sink) = start("0s,10ms,10ms").await;
    let hook = sink.answers("/hook", [Reply::Status(410)]);
    service
        .post(PAID, &short_to(&photos.small(), &hook))
        .await
        .expect(202);
    service.logged("given up").await;
    // A later one overtakes any retry there might be.
    service
        .post(PAID, &short_to(&photos.small(), &sink.url("/later")))
        .await
        .expect(202);
    sink.wait_for("/later", 1).await;
    assert_eq!(sink.received("/hook").len(), 1);
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let (service, photos, sink) = start("0s,0s,0s").await;
    let replies = [Reply::RetryAfter(503, 2), Reply::Status(200)];
    let hook = sink.answers("/hook", replies);
    service
        .post(PAID, &short_to(&photos.small(), &hook))
        .await
        .expect(202);
    let received = sink.wait_for("/hook", 2).await;
    let waited = received[1].at - received[0].at;
    assert!(waited >= Duration::from_millis(1990), "{waited:?}");
}

#[tokio::test]
async fn receivers_that_hang_delay_nobody_else() {
    let (service, photos, sink) = start("0s").await;
    let (slow, quick) = (Sink::start(), sink);
    slow.answers("/hook", [Reply::Hang]);
    let missing = photos.url("/missing.jpg");
    // More than are under way to one receiver at a time.
    for _ in 0..10 {
        let order = short_to(&missing, &slow.url("/hook"));
        service.post(PAID, &order).await.expect(202);
    }
    slow.wait_for("/hook", 8).await;
    // Another host, and another path of the same.
    for (receiver, path) in [(&quick, "/hook"), (&slow, "/other")] {
        let order = short_to(&missing, &receiver.url(path));
        let begun = std::time::Instant::now();
        service.post(PAID, &order).await.expect(202);
        receiver.wait_for(path, 1).await;
        // Well under the 15 s that each of the others may take.
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(10), "{path}: {waited:?}");
    }
}

#[tokio::test]
async fn hundreds_of_receivers_that_hang_delay_nobody_else() {
    let setup = Setup::new().env("MAX_QUEUE_LENGTH", "1000");
    let (service, photos, live) = (setup.start().await, PhotoServer::start(), Sink::start());
    let missing = photos.url("/missing.jpg");
    // More than there are places. The system takes connections to them, and nobody answers.
    let bind = |_| TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent: Vec<TcpListener> = (0..HANGING).map(bind).collect();
    for listener in &silent {
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let order = short_to(&missing, &url);
        service.post(PAID, &order).await.expect(202);
    }
    for n in 0..5 {
        let path = format!("/live/{n}");
        let begun = std::time::Instant::now();
        let order = short_to(&missing, &live.url(&path));
        service.post(PAID, &order).await.expect(202);
        live.wait_for(&path, 1).await;
        // Less than half of what those before it may take.
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(7), "{path}: {waited:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_answers_too_late_is_tried_again() {
    let setup = Setup::new()
        .env("KINORA_WEBHOOK_RETRIES", "0s,0s")
        .config("[webhooks]\ntimeout = \"300ms\"");
    let (service, photos, sink) = (setup.start().await, PhotoServer::start(), Sink::start());
    let hook = sink.answers("/hook", [Reply::Hang, Reply::Status(200)]);
    service
        .post(PAID, &short_to(&photos.url("/missing"), &hook))
        .await
        .expect(202);
    let received = sink.wait_for("/hook", 2).await;
    assert_eq!(received[0].body, received[1].body);
    service.logged("was delivered").await;
}

#[tokio::test]
async fn a_receiver_that_is_down_is_tried_again_when_it_is_up() {
    let (service, photos, sink) = start("0s,50ms,50ms,50ms").await;
    let nobody = "http://127.0.0.1:9/hook";
    service
        .post(PAID, &short_to(&photos.url("/missing"), nobody))
        .await
        .expect(202);
    service.logged("will be tried again").await;
    // Who is there is served in the meantime.
    service
        .post(PAID, &short_to(&photos.url("/missing"), &sink.url("/hook")))
        .await
        .expect(202);
    sink.wait_for("/hook", 1).await;
}

#[tokio::test]
async fn without_a_webhook_nothing_is_sent() {
    let (service, photos, sink) = start("0s").await;
    let made: Value = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    assert_eq!(made["code"], 200);
    service
        .post(PAID, &short_to(&photos.small(), &sink.url("/hook")))
        .await
        .expect(202);
    let received = sink.wait_for("/hook", 1).await;
    assert_ne!(received[0].json()["job_id"], made["job_id"]);
    assert!(!service.log().iter().any(|line| line.contains("given up")));
}
