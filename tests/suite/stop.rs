//! SIGTERM: politely, with a grace time, and at once when told twice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::order::{short, short_to, with};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::service::{KEY, PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;

fn id(envelope: &Value) -> String {
    envelope["job_id"].as_str().expect("job_id").to_owned()
}

#[tokio::test]
async fn an_idle_service_stops_at_once() {
    for signal in ["TERM", "INT", "HUP"] {
        let mut service = Service::start().await;
        // A connection that is kept for a further request delays nothing.
        service.get("/healthz").await.expect(200);
        // Nor does one whose last request had a body, which came after its head.
        let mut connection = TcpStream::connect(service.authority()).expect("a connection");
        let head = format!(
            "POST {PAID} HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).expect("a head");
        service.get("/healthz").await.expect(200);
        connection.write_all(b"{}").expect("a body");
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 400");
        let begun = Instant::now();
        service.signal(signal);
        assert!(service.ended().await.success());
        assert!(begun.elapsed() < Duration::from_secs(4));
    }
}

#[tokio::test]
async fn the_end_of_the_terminal_that_is_told_twice_cuts_nothing_short() {
    let (photos, gate) = (PhotoServer::start(), Gate::new());
    let mut service = Service::start().await;
    let running = service.post_aside(PAID, &short(&photos.gated("/held.png", &gate)));
    gate.arrived(1).await;
    service.signal("HUP");
    service.logged("stopping").await;
    service.signal("HUP");
    // It is heard of by then.
    service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(503);
    gate.open();
    running.await.expect("an answer").expect(200);
    assert_eq!(service.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_service_without_a_terminal_does_not_hear_of_its_end() {
    let setup = Setup::new();
    let program = env!("CARGO_BIN_EXE_kinora");
    let nohup = setup
        .home()
        .script("nohup", &format!("trap '' HUP; exec {program} \"$@\""));
    let mut service = setup.program(&nohup).start().await;
    service.signal("HUP");
    service.get("/healthz").await.expect(200);
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_stopping_service_refuses_new_orders_and_finishes_what_runs() {
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let mut service = Service::start().await;
    let held = photos.gated("/held.png", &gate);
    let running = service.post_aside(PAID, &short(&held));
    gate.arrived(1).await;
    let queued = service
        .post(PAID, &short_to(&held, &sink.url("/hook")))
        .await
        .expect(202);

    service.terminate();
    service.logged("stopping").await;
    for order in [
        short(&held),
        with(short(&held), json!({ "bypass_queue": true })),
    ] {
        let answer = service.post(PAID, &order).await;
        let body = answer.expect(503);
        assert!(body["message"].is_string(), "{body}");
    }
    gate.open();
    running.await.expect("an answer").expect(200);
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(sink.received("/hook").is_empty(), "a queued job was begun");

    let service = service.start_again().await;
    service.job_is(&id(&queued), "done").await;
    let received = sink.wait_for("/hook", 1).await;
    assert_eq!(received[0].json()["code"], 200);
}

#[tokio::test]
async fn a_waiting_caller_hears_503_and_the_job_is_kept() {
    let (photos, gate) = (PhotoServer::start(), Gate::new());
    let mut service = Service::start().await;
    let held = short(&photos.gated("/held.png", &gate));
    let running = service.post_aside(PAID, &held);
    gate.arrived(1).await;
    let waiting = service.post_aside(PAID, &short(&photos.small()));
    wait::until_async("the second order waits", async || {
        let body = service.get("/v1/toolkit/authenticate").await.json();
        (body["queue_length"] == 1).then_some(())
    })
    .await;
    service.terminate();
    let body = waiting.await.expect("an answer").expect(503);
    let job = id(&body);
    gate.open();
    running.await.expect("an answer").expect(200);
    assert_eq!(service.ended().await.code(), Some(0));
    let service = service.start_again().await;
    service.job_is(&job, "done").await;
}

#[tokio::test]
async fn a_job_that_outlasts_the_grace_time_goes_back_to_the_queue() {
    let setup = Setup::new().config("[server]\nstop_grace = \"200ms\"");
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let mut service = setup.start().await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    let long = with(order, json!({ "length": 60, "frame_rate": 60 }));
    let accepted = service.post(PAID, &long).await.expect(202);
    let work = service.setup().data().join("work");
    wait::until("the rendering has begun", || {
        std::fs::read_dir(&work).ok()?.next()?.ok()
    })
    .await;
    let begun = Instant::now();
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    assert!(sink.received("/hook").is_empty());
    assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0, "left-overs");

    let service = service.start_again().await;
    service.job_is(&id(&accepted), "running").await;
}

#[tokio::test]
async fn a_caller_whose_job_goes_back_to_the_queue_hears_503() {
    let setup = Setup::new().config("[server]\nstop_grace = \"200ms\"");
    let photos = PhotoServer::start();
    let mut service = setup.start().await;
    let long = with(
        short(&photos.small()),
        json!({ "length": 60, "frame_rate": 60 }),
    );
    let waiting = service.post_aside(PAID, &long);
    let work = service.setup().data().join("work");
    wait::until("the rendering has begun", || {
        std::fs::read_dir(&work).ok()?.next()?.ok()
    })
    .await;
    service.terminate();
    let body = waiting.await.expect("an answer").expect(503);
    let job = id(&body);
    assert_eq!(service.ended().await.code(), Some(0));
    let log = service.log().join("\n");
    assert!(!log.contains("encoding failed"), "{log}");
    let service = service.start_again().await;
    service.job_is(&job, "running").await;
}

#[tokio::test]
async fn a_job_that_hangs_in_a_download_is_not_lost_when_the_grace_time_is_over() {
    let setup = Setup::new().config("[server]\nstop_grace = \"100ms\"");
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let mut service = setup.start().await;
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let accepted = service.post(PAID, &order).await.expect(202);
    gate.arrived(1).await;
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0));
    gate.open();
    let service = service.start_again().await;
    service.job_is(&id(&accepted), "done").await;
    let received = sink.wait_for("/hook", 1).await;
    assert_eq!(received[0].json()["code"], 200);
}

#[tokio::test]
async fn a_second_sigterm_stops_at_once_and_loses_nothing() {
    let (photos, sink, gate) = (PhotoServer::start(), Sink::start(), Gate::new());
    let mut service = Service::start().await;
    let order = short_to(&photos.gated("/held.png", &gate), &sink.url("/hook"));
    let first = service.post(PAID, &order).await.expect(202);
    gate.arrived(1).await;
    let second = service.post(PAID, &order).await.expect(202);
    service.terminate();
    service.logged("stopping").await;
    let begun = Instant::now();
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    gate.open();
    let service = service.start_again().await;
    for accepted in [first, second] {
        let status = service.job_is(&id(&accepted), "done").await;
        assert_eq!(status["response"]["response"]["code"], 200);
    }
}

#[tokio::test]
async fn an_encoder_that_does_not_move_keeps_nobody_from_stopping() {
    let photos = PhotoServer::start();
    let setup = Setup::new();
    let program = setup.home().script("ffmpeg", "exec sleep 600");
    let setup = setup
        .env("KINORA_FFMPEG", program.display().to_string())
        .config("[server]\nstop_grace = \"300ms\"");
    let mut service = setup.start().await;
    let running = service.post_aside(PAID, &short(&photos.small()));
    wait::until_async("the job runs", async || {
        let body = json!({});
        let states = service.post("/v1/toolkit/jobs/status", &body).await.json();
        states.to_string().contains("running").then_some(())
    })
    .await;

    let begun = Instant::now();
    service.terminate();
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15));
    running.abort();
}

#[tokio::test]
async fn a_signal_that_ends_the_encoder_as_well_costs_no_job() {
    let (photos, sink) = (PhotoServer::start(), Sink::start());
    let setup = Setup::new();
    let program = setup.home().script(
        "ffmpeg",
        "case \"$*\" in *'-f null'*) exec ffmpeg \"$@\";; esac\n\
         [ -e stopped ] && exec ffmpeg \"$@\"\n\
         touch stopped; while [ ! -e signalled ]; do sleep 0.02; done; exit 255",
    );
    let home = setup.home().path().to_owned();
    let setup = setup.env("KINORA_FFMPEG", program.display().to_string());
    let mut service = setup.start().await;
    let order = short_to(&photos.small(), &sink.url("/hook"));
    let accepted = service.post(PAID, &order).await.expect(202);
    wait::until("it encodes", || home.join("stopped").exists().then_some(())).await;
    service.terminate();
    std::fs::write(home.join("signalled"), "").expect("a file");
    assert_eq!(service.ended().await.code(), Some(0));
    assert!(sink.received("/hook").is_empty(), "a failure was announced");

    let service = service.start_again().await;
    service.job_is(&id(&accepted), "done").await;
    let received = sink.wait_for("/hook", 1).await;
    assert_eq!(received[0].json()["code"], 200);
}
