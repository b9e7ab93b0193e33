//! Clients that send slowly, do not read, or come in crowds.

use std::time::{Duration, Instant};

use crate::support::client::Answer;
use crate::support::service::{KEY, Service, Setup};
use crate::support::wait;
use crate::support::wire::{Wire, ask};
use reqwest::Method;

const DRIPPING: &str =
    "POST /v1-beta/generate-video HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

async fn is_well(service: &Service) -> bool {
    Answer::to(service.anonymous(Method::GET, "/healthz"))
        .await
        .status
        == 200
}

fn limited(settings: &str) -> Setup {
    Setup::new().config(&format!("[server]\n{settings}\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn dripping_clients_without_a_key_are_closed_and_harm_nobody() {
    let service = limited("request_timeout = \"1s\"").start().await;
    let wires: Vec<Wire> = (0..200)
        .map(|_| {
            let mut wire = Wire::connect(service.authority());
            wire.say(DRIPPING);
            wire
        })
        .collect();
    assert!(is_well(&service).await);
    let closed = tokio::task::spawn_blocking(move || {
        wires.into_iter().all(|mut wire| {
            assert_eq!(wire.reply().status, 401);
            wire.is_closed_while_it_drips("1")
        })
    });
    assert!(closed.await.expect("an end"), "one was not closed");
    let errors = service
        .log()
        .into_iter()
        .filter(|line| line.contains("ERROR"));
    assert_eq!(errors.count(), 0);
}

/// Whatever is sent after `opening`, and never ends, is answered with a status at first, and closed soon.
async fn is_closed(service: &Service, opening: &str, status: u16, drip: &'static str) -> bool {
    let mut wire = Wire::connect(service.authority());
    wire.say(opening);
    let closed = tokio::task::spawn_blocking(move || {
        assert_eq!(wire.reply().status, status);
        wire.is_closed_while_it_drips(drip)
    });
    closed.await.expect("an end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_does_not_hold_a_connection() {
    let service = limited("request_timeout = \"1s\"").start().await;
    let head = "HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let drip = "1\r\na\r\n";
    for (request, status) in [
        ("GET /healthz", 200),
        ("POST /nowhere", 404),
        ("POST /healthz", 405),
        ("GET /videos/none.mp4", 404),
    ] {
        let opening = format!("{request} {head}");
        assert!(
            is_closed(&service, &opening, status, drip).await,
            "{request}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_every_request_has_its_time() {
    let service = limited("request_timeout = \"1s\"").start().await;
    let slow = "GET /v1-beta/nothing HTTP/1.1\r\nx: ";
    let whole = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    // Sent after the first answer, and together with the first request.
    for (first, second) in [(whole.to_owned(), slow), (whole.to_owned() + slow, "a")] {
        let mut wire = Wire::connect(service.authority());
        wire.say(first);
        assert_eq!(wire.reply().status, 200);
        wire.say(second);
        let late = tokio::task::spawn_blocking(move || {
            let late = wire.reply();
            assert_eq!(late.status, 408, "{late:?}");
            assert!(late.json().to_string().contains("Request Timeout"));
        });
        late.await.expect("an answer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_further_request_is_closed() {
    let service = Service::start().await;
    let mut wire = Wire::connect(service.authority());
    wire.say("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(wire.reply().status, 200);
    let closed = tokio::task::spawn_blocking(move || wire.is_closed_while_it_drips(""));
    assert!(closed.await.expect("an end"), "it was kept");
}

#[tokio::test]
async fn a_body_that_comes_after_its_head_leaves_the_connection_open() {
    let service = Service::start().await;
    let mut wire = Wire::connect(service.authority());
    for _ in 0..3 {
        wire.say("POST /v1-beta/generate-video HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}");
        assert_eq!(wire.reply().status, 401);
    }
}

#[tokio::test]
async fn newcomers_get_the_places_of_those_who_only_wait() {
    let service = limited("max_connections = 3\nrequest_timeout = \"30s\"")
        .start()
        .await;
    let say = |text: &str| {
        let mut wire = Wire::connect(service.authority());
        wire.say(text);
        wire
    };
    for opening in ["GET /heal", "", DRIPPING] {
        let crowd: Vec<Wire> = (0..6).map(|_| say(opening)).collect();
        let mut served = 0;
        for _ in 0..20 {
            // The first ones may lose their places to the rest of the crowd.
            let health = service.anonymous(Method::GET, "/healthz").send().await;
            served += usize::from(health.is_ok_and(|health| health.status() == 200));
        }
        assert!(served > 10, "{served} beside {opening:?}");
        drop(crowd);
    }
}

#[tokio::test]
async fn a_client_for_whom_there_is_no_place_is_told_so() {
    let service = limited("max_connections = 3\nrequest_timeout = \"6s\"")
        .start()
        .await;
    // They have the key, and their requests are not yet whole.
    let mut crowd: Vec<Wire> = (0..3)
        .map(|_| {
            let mut wire = Wire::connect(service.authority());
            let headers = format!("host: a\r\nx-api-key: {KEY}\r\nexpect: 100-continue");
            wire.say(DRIPPING.replace("host: a", &headers));
            assert_eq!(wire.reply().status, 100);
            wire
        })
        .collect();
    let health = || {
        ask(
            service.authority(),
            "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        )
    };
    let refused = wait::until("there is no place", || {
        let reply = health();
        (reply.status == 503).then_some(reply)
    });
    let refused = refused.await;
    assert!(
        refused.json()["message"]
            .as_str()
            .expect("a message")
            .contains("connections")
    );
    // They are too slow, and their places are free again.
    for wire in &mut crowd {
        assert_eq!(wire.reply().status, 408);
    }
    wait::until("there is a place", || {
        (health().status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn connections_of_one_address_can_be_limited() {
    let service = limited("max_connections_per_address = 2").start().await;
    let mut crowd = Vec::new();
    wait::until("there is no place", || {
        // Among the first, the question may be served before them.
        crowd.push(Wire::connect(service.authority()));
        let reply = ask(
            service.authority(),
            "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        );
        (reply.status == 503).then_some(())
    })
    .await;
}

#[tokio::test]
async fn wrong_keys_are_logged_once_and_slowed() {
    let service = Service::start().await;
    for _ in 0..20 {
        let request = service.anonymous(Method::GET, "/v1/toolkit/authenticate");
        Answer::to(request).await.expect(401);
    }
    let began = Instant::now();
    for _ in 0..14 {
        let request = service.anonymous(Method::GET, "/v1/toolkit/authenticate");
        Answer::to(request.header("x-api-key", "wrong"))
            .await
            .expect(401);
    }
    assert!(began.elapsed() >= Duration::from_secs(1), "not slowed");
    let told = service
        .log()
        .into_iter()
        .filter(|line| line.contains("API key"));
    assert_eq!(told.count(), 1);
    let right = service.anonymous(Method::GET, "/v1/toolkit/authenticate");
    let began = Instant::now();
    Answer::to(right.header("x-api-key", KEY)).await.expect(200);
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn headers_that_are_too_large_answer_431_in_json() {
    let service = Service::start().await;
    let long = "x".repeat(200_000);
    let reply = ask(
        service.authority(),
        &format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx-long: {long}\r\n\r\n"),
    );
    assert!([400, 431].contains(&reply.status), "{reply:?}");
    assert!(reply.json()["message"].is_string());
}

#[tokio::test]
async fn what_is_no_request_is_no_error_of_ours() {
    let service = Service::start().await;
    for nonsense in [
        "\x16\x03\x01\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ] {
        assert_eq!(ask(service.authority(), nonsense).status, 400);
    }
    let log = service.log().join("\n");
    assert!(!log.contains("ERROR"), "{log}");
}
