//! Clients that send slowly, do not read, or come in crowds.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use uuid::Uuid;

use crate::support::client::Answer;
use crate::support::service::{KEY, Service, Setup};
use crate::support::wait;
use crate::support::wire::{Wire, ask};

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

#[tokio::test]
async fn a_client_for_whom_there_is_no_place_is_told_so() {
    let service = limited("max_connections = 3\nrequest_timeout = \"6s\"")
        .start()
        .await;
    let mut crowd: Vec<Wire> = (0..3)
        .map(|_| {
            let mut wire = Wire::connect(service.authority());
            wire.say("GET /heal");
            wire
        })
        .collect();
    let refused = wait::until("there is no place", || {
        let reply = ask(
            service.authority(),
            "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        );
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
    drop(crowd);
    wait::until("there is a place", || {
        let reply = ask(
            service.authority(),
            "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        );
        (reply.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn connections_of_one_address_can_be_limited() {
    let service = limited("max_connections_per_address = 2").start().await;
    let _crowd: Vec<TcpStream> = (0..2)
        .map(|_| TcpStream::connect(service.authority()).expect("a connection"))
        .collect();
    wait::until("there is no place", || {
        let reply = ask(
            service.authority(),
            "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        );
        (reply.status == 503).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed() {
    let setup = limited("write_timeout = \"1s\"");
    let id = Uuid::new_v4();
    let videos = setup.data().join("videos");
    std::fs::create_dir_all(&videos).expect("a directory");
    let video = File::create(videos.join(format!("{id}.mp4"))).expect("a file");
    video.set_len(200 << 20).expect("room");
    let service = setup.start().await;
    let open = || {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", service.pid()));
        let targets = descriptors
            .expect("descriptors")
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets
            .filter(|target| {
                target
                    .extension()
                    .is_some_and(|extension| extension == "mp4")
            })
            .count()
    };
    let readers: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(service.authority()).expect("a connection");
            let request = format!("GET /videos/{id}.mp4 HTTP/1.1\r\nhost: a\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("a request");
            stream
        })
        .collect();
    wait::until("one is served", || (open() > 0).then_some(())).await;
    wait::until("all are given up", || (open() == 0).then_some(())).await;
    drop(readers);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_gets_all_of_it() {
    let setup = limited("write_timeout = \"2s\"");
    let id = Uuid::new_v4();
    let videos = setup.data().join("videos");
    std::fs::create_dir_all(&videos).expect("a directory");
    let video = File::create(videos.join(format!("{id}.mp4"))).expect("a file");
    let size = 24 << 20;
    video.set_len(size).expect("room");
    let service = setup.start().await;
    let authority = service.authority().to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(authority).expect("a connection");
        let request =
            format!("GET /videos/{id}.mp4 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut chunk = vec![0; 2 << 20];
        let mut count = 0;
        loop {
            match stream.read(&mut chunk).expect("bytes") {
                0 => return count,
                read => count += read as u64,
            }
            // Longer than the limit in all, shorter at a time.
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    assert!(read.await.expect("an end") >= size);
}

#[tokio::test]
async fn wrong_keys_are_logged_once_and_slowed() {
    let service = Service::start().await;
    let began = std::time::Instant::now();
    for _ in 0..12 {
        let request = service.anonymous(Method::GET, "/v1/toolkit/authenticate");
        Answer::to(request.header("x-api-key", "wrong"))
            .await
            .expect(401);
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "not slowed");
    let told = service
        .log()
        .into_iter()
        .filter(|line| line.contains("API key"));
    assert_eq!(told.count(), 1);
    let right = service.anonymous(Method::GET, "/v1/toolkit/authenticate");
    let began = std::time::Instant::now();
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
