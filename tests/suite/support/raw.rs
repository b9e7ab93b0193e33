//! A receiver on a bare socket, which sees every byte that is sent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What the receiver does once it has read the head of a request.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    /// Reads the body, and answers with this status line and these headers.
    Answer(&'static str),
    /// Answers without reading the body.
    Refuse(&'static str),
    HangUp,
    /// Reads on and never says a word.
    Silent,
}

#[derive(Debug)]
pub struct Heard {
    pub head: String,
    pub body: Vec<u8>,
}

/// One connection's receiver.
pub struct Raw {
    pub authority: String,
    thread: JoinHandle<Option<Heard>>,
}

impl Raw {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let authority = listener.local_addr().expect("the port").to_string();
        let thread = thread::spawn(move || receive(listener.accept().ok()?.0, manner));
        Self { authority, thread }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority)
    }

    /// What came, once the sender is through.
    pub fn heard(self) -> Heard {
        let heard = self.thread.join().expect("the receiver's end");
        heard.expect("a request")
    }
}

fn receive(mut stream: TcpStream, manner: Manner) -> Option<Heard> {
    let limit = Some(Duration::from_secs(60));
    stream.set_read_timeout(limit).expect("a time limit");
    let head = read_head(&mut stream)?;
    let mut body = Vec::new();
    match manner {
        Manner::Answer(answer) => {
            let length = content_length(&head).expect("a length");
            let mut announced = (&mut stream).take(length);
            announced.read_to_end(&mut body).ok()?;
            say(&mut stream, answer);
            // More than was announced would be seen here.
            stream.read_to_end(&mut body).ok()?;
        }
        Manner::Refuse(answer) => {
            say(&mut stream, answer);
            // As web servers do, lest the answer is lost with the rest of the body.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut body);
        }
        Manner::HangUp => {}
        Manner::Silent => drop(stream.read_to_end(&mut body)),
    }
    Some(Heard { head, body })
}

fn say(stream: &mut TcpStream, answer: &str) {
    let answer =
        format!("HTTP/1.1 {answer}\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret");
    stream
        .write_all(answer.as_bytes())
        .expect("an open connection");
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

fn content_length(head: &str) -> Option<u64> {
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    lengths.next()
}
