//! Clients that send requests before they have the answers to earlier ones.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::support::download::{request, serving};
use crate::support::service::Service;

/// Refused with a wait, once there were a few.
fn wrong_key() -> Vec<u8> {
    b"GET /v1/toolkit/authenticate HTTP/1.1\r\nhost: a\r\nx-api-key: wrong\r\n\r\n".to_vec()
}

fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.authority()).expect("a connection")
}

/// It takes what it is answered, which is fast at first, and then slow.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_slow_answers_cost_little() {
    let (service, path) = serving("", 10).await;
    let mut stream = connect(&service);
    for _ in 0..15 {
        stream.write_all(&wrong_key()).expect("a request");
        let _ = stream.read(&mut [0; 4096]).expect("an answer");
    }
    let before = (service.processor_seconds(), service.resident_mebibytes());
    let requests = [request(&path).repeat(1500), wrong_key().repeat(6000)].concat();
    let clients: Vec<_> = (0..4).map(|_| connect(&service)).collect();
    let asking: Vec<_> = clients
        .into_iter()
        .map(|stream| {
            let requests = requests.clone();
            tokio::task::spawn_blocking(move || send_and_read(stream, &requests))
        })
        .collect();
    for asked in asking {
        let answers = asked.await.expect("an end");
        assert!(answers > 1500, "{answers} answers are too few to tell");
    }
    let used = service.processor_seconds() - before.0;
    let grown = service.resident_mebibytes().saturating_sub(before.1);
    assert!(used < 3.0, "{used} s of the processor");
    assert!(grown < 40, "{grown} MiB more");
}

/// For 8 seconds; tells how many answers there were.
fn send_and_read(mut stream: TcpStream, requests: &[u8]) -> usize {
    stream.set_nonblocking(true).expect("a socket");
    let (mut sent, mut answers) = (0, Vec::new());
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(8) {
        let idle = |error: &std::io::Error| error.kind() == ErrorKind::WouldBlock;
        match stream.write(&requests[sent..]) {
            Ok(count) => sent += count,
            Err(error) => assert!(idle(&error), "{error}"),
        }
        let mut chunk = [0; 64 << 10];
        match stream.read(&mut chunk) {
            Ok(count) => answers.extend_from_slice(&chunk[..count]),
            Err(error) => assert!(idle(&error), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    count(&answers, b"HTTP/1.1 ")
}

fn count(bytes: &[u8], what: &[u8]) -> usize {
    bytes
        .windows(what.len())
        .filter(|part| *part == what)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_before_the_end_of_a_connection_are_all_answered() {
    let (service, path) = serving("", 10).await;
    let one = format!("GET {path} HTTP/1.1\r\nhost: a\r\nrange: bytes=0-0\r\n\r\n");
    for many in [1, 10, 30, 60, 100, 200] {
        for ends in [true, false] {
            let mut stream = connect(&service);
            let requests = one.repeat(many);
            let answered = tokio::task::spawn_blocking(move || {
                stream.write_all(requests.as_bytes()).expect("requests");
                if ends {
                    stream.shutdown(Shutdown::Write).expect("an end");
                }
                let mut answers = Vec::new();
                let mut chunk = [0; 64 << 10];
                stream
                    .set_read_timeout(Some(Duration::from_secs(20)))
                    .expect("a socket");
                while count(&answers, b"HTTP/1.1 206") < many {
                    match stream.read(&mut chunk).expect("answers") {
                        0 => break,
                        read => answers.extend_from_slice(&chunk[..read]),
                    }
                }
                count(&answers, b"HTTP/1.1 206")
            });
            assert_eq!(answered.await.expect("an end"), many, "ends: {ends}");
        }
    }
}

/// The sender of a large body over a slow line.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_steadily_is_not_too_slow() {
    let (service, _) = serving("request_timeout = \"1s\"", 10).await;
    let mut stream = connect(&service);
    let answer = tokio::task::spawn_blocking(move || {
        let head = "POST /v1-beta/generate-video HTTP/1.1\r\nhost: a\r\nx-api-key: key-of-the-tests\r\n\
            content-type: application/json\r\ncontent-length: 100000\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("a head");
        // 25 KB a second, for four times as long as a body may take that does not move.
        for _ in 0..50 {
            stream.write_all(&[b' '; 2000]).expect("a piece");
            std::thread::sleep(Duration::from_millis(80));
        }
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        status
    });
    let status = answer.await.expect("an end");
    // It is no JSON.
    assert_eq!(
        &status,
        b"HTTP/1.1 400",
        "{}",
        String::from_utf8_lossy(&status)
    );
}
