//! A receiver of webhooks that remembers every post and answers as it is told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::host::Host;
use super::wait;

#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// The status, and `Retry-After` in seconds.
    RetryAfter(u16, u32),
    Redirect(String),
    /// Never answers.
    Hang,
}

/// One post as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    pub method: String,
    pub headers: HashMap<String, String>,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a webhook in JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name} in {self:?}"))
    }

    /// Checks the signature as a receiver does by Standard Webhooks 1.0.0.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD
            .decode(secret.strip_prefix("whsec_").expect("a webhook secret"))
            .expect("a secret in base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{time}.").as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature")
            .split(' ')
            .any(|signature| signature == expected)
    }
}

#[derive(Default)]
struct Mailbox {
    received: HashMap<String, Vec<Received>>,
    replies: HashMap<String, VecDeque<Reply>>,
}

pub struct Sink {
    host: Host,
    mailbox: Arc<Mutex<Mailbox>>,
}

impl Sink {
    pub fn start() -> Self {
        let mailbox: Arc<Mutex<Mailbox>> = Arc::default();
        let shared = mailbox.clone();
        let host = Host::start(move |request, body| receive(shared.clone(), request, body));
        Self { host, mailbox }
    }

    pub fn url(&self, path: &str) -> String {
        self.host.url(path)
    }

    pub fn port(&self) -> &str {
        self.host.port()
    }

    /// Answers at a path in this order, and the last reply again and again; 200 if never told.
    pub fn answers(&self, path: &str, replies: impl IntoIterator<Item = Reply>) -> String {
        self.mailbox
            .lock()
            .unwrap()
            .replies
            .insert(path.to_owned(), replies.into_iter().collect());
        self.url(path)
    }

    pub fn received(&self, path: &str) -> Vec<Received> {
        let mailbox = self.mailbox.lock().unwrap();
        mailbox.received.get(path).cloned().unwrap_or_default()
    }

    /// Waits for this many posts at a path.
    pub async fn wait_for(&self, path: &str, count: usize) -> Vec<Received> {
        let what = format!("{count} webhooks came to {path}");
        wait::until(&what, || {
            Some(self.received(path)).filter(|received| received.len() >= count)
        })
        .await
    }
}

async fn receive(mailbox: Arc<Mutex<Mailbox>>, request: HttpRequest, body: Bytes) -> HttpResponse {
    match note(&mailbox, &request, body) {
        Reply::Status(status) => HttpResponse::build(code(status)).finish(),
        Reply::RetryAfter(status, seconds) => HttpResponse::build(code(status))
            .insert_header((RETRY_AFTER, seconds))
            .finish(),
        Reply::Redirect(target) => HttpResponse::Found()
            .insert_header((LOCATION, target))
            .finish(),
        Reply::Hang => std::future::pending().await,
    }
}

fn note(mailbox: &Mutex<Mailbox>, request: &HttpRequest, body: Bytes) -> Reply {
    let header = |(name, value): (&actix_web::http::header::HeaderName, _)| {
        let value: &actix_web::http::header::HeaderValue = value;
        let text = value.to_str().unwrap_or_default();
        (name.as_str().to_owned(), text.to_owned())
    };
    let received = Received {
        at: Instant::now(),
        method: request.method().to_string(),
        headers: request.headers().iter().map(header).collect(),
        body,
    };
    let mut mailbox = mailbox.lock().unwrap();
    let path = request.path().to_owned();
    mailbox
        .received
        .entry(path.clone())
        .or_default()
        .push(received);
    match mailbox.replies.get_mut(&path) {
        Some(replies) if replies.len() > 1 => replies.pop_front(),
        Some(replies) => replies.front().cloned(),
        None => None,
    }
    .unwrap_or(Reply::Status(200))
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("an HTTP status")
}
