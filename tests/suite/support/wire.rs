//! HTTP by hand, for requests that no proper client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A connection to a service, and whatever is said on it.
pub struct Wire(TcpStream);

/// An answer, parsed just far enough.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Wire {
    pub fn connect(authority: &str) -> Self {
        let stream = TcpStream::connect(authority).expect("a connection");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("a time limit");
        Self(stream)
    }

    pub fn say(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0
            .write_all(bytes.as_ref())
            .expect("an open connection");
        self
    }

    /// Sends these bytes again and again, until the other side has closed the connection; false if it
    /// has not for a long time.
    pub fn is_closed_while_it_drips(mut self, bytes: &str) -> bool {
        let short = Some(Duration::from_millis(50));
        self.0.set_read_timeout(short).expect("a time limit");
        (0..600).any(|_| {
            let written = self.0.write_all(bytes.as_bytes());
            let ended = matches!(self.0.read(&mut [0; 256]), Ok(0));
            let broken = |error: std::io::Error| error.kind() != std::io::ErrorKind::WouldBlock;
            ended || written.is_err_and(broken)
        })
    }

    /// Reads one answer with a length, or up to the end of the connection.
    pub fn reply(&mut self) -> Reply {
        let mut heard = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if let Some(reply) = parse(&heard) {
                return reply;
            }
            match self.0.read(&mut chunk).expect("an answer") {
                0 => panic!("no whole answer: {:?}", String::from_utf8_lossy(&heard)),
                read => heard.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

impl Reply {
    /// The body, which must be JSON and say so.
    pub fn json(&self) -> Value {
        let head = self.head.to_ascii_lowercase();
        assert!(head.contains("content-type: application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn parse(heard: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(heard);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let length: usize = length.unwrap_or(0);
    (body.len() >= length).then(|| Reply {
        status: head
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0),
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// One request with the key, written out, and its answer.
pub fn ask(authority: &str, request: &str) -> Reply {
    Wire::connect(authority).say(request).reply()
}
