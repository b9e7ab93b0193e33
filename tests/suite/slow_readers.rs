//! Clients that take their answers slowly, or not at all.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::support::download::{request, serving};
use crate::support::service::Service;
use crate::support::wait;

/// A connection whose system takes little that nobody reads.
fn connect(service: &Service) -> TcpStream {
    connect_with_buffer(service, 4096)
}

fn connect_with_buffer(service: &Service, bytes: usize) -> TcpStream {
    let address: SocketAddr = service.authority().parse().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(bytes).expect("a small buffer");
    socket.connect(&address.into()).expect("a connection");
    socket.into()
}

/// Its head, and all that comes after it until the service closes the connection.
fn answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let body = answer.split_off(head.expect("a head") + 4);
    (String::from_utf8(answer).expect("a head"), body)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("an end")
}

/// Wherever the rest of the answer is meanwhile: in the service, in its system, or in the client's.
#[tokio::test(flavor = "multi_thread")]
async fn a_next_request_that_is_late_leaves_the_answer_whole() {
    const STEP: usize = 16 << 10;
    const STEPS: usize = 24;
    let (service, path) = serving("request_timeout = \"1s\"", (STEP * STEPS) as u64).await;
    let mut reading = Vec::new();
    for steps in 1..=STEPS {
        let mut stream = connect(&service);
        let last = steps * STEP - 1;
        let range = format!("GET {path} HTTP/1.1\r\nhost: a\r\nrange: bytes=0-{last}\r\n\r\n");
        let read = blocking(move || {
            stream.write_all(range.as_bytes()).expect("a request");
            std::thread::sleep(Duration::from_millis(300));
            stream.write_all(b"G").expect("a beginning");
            std::thread::sleep(Duration::from_secs(3));
            let (head, body) = answer(&mut stream);
            assert!(head.starts_with("HTTP/1.1 206"), "{head}");
            (steps, body)
        });
        reading.push(tokio::spawn(read));
    }
    for read in reading {
        let (steps, mut body) = read.await.expect("an answer");
        let late = body.split_off(steps * STEP);
        assert!(body.iter().all(|byte| *byte == 0), "{steps} steps");
        assert!(late.starts_with(b"HTTP/1.1 408"), "{} bytes", late.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_never_reads_costs_little() {
    let (service, _) = serving("", 0).await;
    let asking = (0..4).map(|_| {
        let mut stream = connect(&service);
        stream.set_nonblocking(true).expect("a socket");
        blocking(move || {
            let many = request("/healthz").repeat(1000);
            let began = Instant::now();
            let mut sent = 0;
            while began.elapsed() < Duration::from_secs(3) {
                match stream.write(&many) {
                    Ok(count) => sent += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            sent
        })
    });
    let asking: Vec<_> = asking.map(tokio::spawn).collect();
    for asked in asking {
        assert!(asked.await.expect("an end") > 100_000, "too little to tell");
    }
    let seconds = service.processor_seconds();
    assert!(seconds < 1.5, "{seconds} s of the processor");
}

/// Waits until somebody else gets a place, and an answer.
async fn a_newcomer_is_served(service: &Service) {
    wait::until_async("a newcomer is served", async || {
        let mut stream = TcpStream::connect(service.authority()).expect("a connection");
        let is_served = blocking(move || {
            let mut status = [0; 12];
            // Err: closed without a word, as there is no place.
            let asked = stream.write_all(&request("/healthz"));
            asked.is_ok() && stream.read_exact(&mut status).is_ok() && &status == b"HTTP/1.1 200"
        });
        is_served.await.then_some(())
    })
    .await;
}

/// They ask again and again, so that requests of theirs are always there to be answered.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_lose_their_places_to_newcomers() {
    let (service, path) = serving("max_connections = 2", 1 << 20).await;
    let holders: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = connect(&service);
            stream
                .write_all(&request(&path).repeat(20))
                .expect("requests");
            stream
        })
        .collect();
    let began = Instant::now();
    a_newcomer_is_served(&service).await;
    // Before they are closed for being slow, after 30 s.
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    drop(holders);
}

/// They take a little all the time, but so little that they could hold their places for hours.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_crawl_lose_their_places_to_newcomers() {
    let (service, path) = serving("max_connections = 2", 40 << 20).await;
    let crawling: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(&service);
            stream.write_all(&request(&path)).expect("a request");
            tokio::spawn(blocking(move || {
                let mut chunk = [0; 1 << 10];
                // Some 5 KB a second, until it is closed.
                while stream.read(&mut chunk).is_ok_and(|count| count > 0) {
                    std::thread::sleep(Duration::from_millis(200));
                }
            }))
        })
        .collect();
    let began = Instant::now();
    a_newcomer_is_served(&service).await;
    assert!(
        began.elapsed() < Duration::from_secs(25),
        "{:?}",
        began.elapsed()
    );
    drop(service);
    for client in crawling {
        client.await.expect("an end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_steadily_keeps_its_place() {
    const SIZE: usize = 600 << 10;
    const BYTES_PER_SECOND: f64 = 50e3;
    let (service, path) = serving("max_connections = 1", SIZE as u64).await;
    let mut stream = connect_with_buffer(&service, 64 << 10);
    stream.write_all(&request(&path)).expect("a request");
    // Until its request is taken up, it is only somebody who waits.
    let (mut stream, first) = blocking(move || {
        let first = stream.read(&mut [0; 4 << 10]).expect("bytes");
        (stream, first)
    })
    .await;
    let reading = tokio::spawn(blocking(move || {
        let mut chunk = [0; 4 << 10];
        let mut count = first;
        let began = Instant::now();
        while count < SIZE {
            // Catches up when the machine has kept it waiting.
            let due = began.elapsed().as_secs_f64() * BYTES_PER_SECOND;
            if count as f64 > due {
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            match stream.read(&mut chunk).expect("bytes") {
                0 => break,
                read => count += read,
            }
        }
        count
    }));
    while !reading.is_finished() {
        // A newcomer. Err: there is no place.
        let _ = TcpStream::connect(service.authority()).map(|mut stream| stream.write_all(b"G"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(reading.await.expect("an end") >= SIZE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed() {
    let (service, path) = serving("write_timeout = \"1s\"", 200 << 20).await;
    let open = || {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", service.pid()));
        let targets = descriptors
            .expect("descriptors")
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let is_video = |target: &PathBuf| target.extension().is_some_and(|ending| ending == "mp4");
        targets.filter(is_video).count()
    };
    let readers: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(service.authority()).expect("a connection");
            stream.write_all(&request(&path)).expect("a request");
            stream
        })
        .collect();
    wait::until("one is served", || (open() > 0).then_some(())).await;
    wait::until("all are given up", || (open() == 0).then_some(())).await;
    drop(readers);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_gets_all_of_it() {
    const SIZE: u64 = 24 << 20;
    let (service, path) = serving("write_timeout = \"3s\"", SIZE).await;
    let mut stream = TcpStream::connect(service.authority()).expect("a connection");
    let asked = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).expect("a request");
    let read = blocking(move || {
        let mut chunk = vec![0; 64 << 10];
        let mut count = 0;
        let began = Instant::now();
        loop {
            match stream.read(&mut chunk).expect("bytes") {
                0 => return count,
                read => count += read as u64,
            }
            // For much longer than the limit; what the system holds would last for all of it.
            if began.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(250));
            }
        }
    });
    assert!(read.await >= SIZE);
}
