//! Errors below all handlers.
//!
//! What is no HTTP is answered by Actix itself, with an empty body. Clients are promised JSON.

use serde_json::Value;

use crate::api::dialect::{self, Dialect};
use crate::api::error::ApiError;

/// Of a request, enough to tell its dialect: a method and the beginning of a path.
const MAX_OPENING: usize = 64;

const NO_BODY: &str = "\r\ncontent-length: 0\r\n";

/// Puts a JSON body under errors that have none.
#[derive(Default)]
pub struct BareErrors {
    /// The first bytes that were read since the last answer.
    opening: Vec<u8>,
}

impl BareErrors {
    pub fn keep_opening(&mut self, bytes: &[u8]) {
        let room = MAX_OPENING - self.opening.len();
        self.opening.extend(bytes.iter().take(room));
    }

    /// The dialect of the request that is being answered, as far as it was read.
    fn dialect(&self) -> &'static dyn Dialect {
        let opening = String::from_utf8_lossy(&self.opening);
        dialect::of_path(opening.split(' ').nth(1).unwrap_or_default())
    }

    /// The same answer with a body, if it is one of Actix's own. Handlers' errors have theirs.
    pub fn with_body(&mut self, answer: &[u8]) -> Option<Vec<u8>> {
        let dialect = self.dialect();
        self.opening.clear();
        let status = [&b"HTTP/1.1 400"[..], b"HTTP/1.1 431"];
        if !status.iter().any(|status| answer.starts_with(status)) || !answer.ends_with(b"\r\n\r\n")
        {
            return None;
        }
        let head = std::str::from_utf8(answer)
            .ok()
            .filter(|head| head.contains(NO_BODY))?;
        let reason = head.lines().next()?.splitn(3, ' ').nth(2)?;
        let body = error_body(reason, dialect).to_string();
        let about_body = format!(
            "\r\ncontent-length: {}\r\ncontent-type: application/json\r\n",
            body.len()
        );
        Some((head.replacen(NO_BODY, &about_body, 1) + &body).into_bytes())
    }

    /// The answer to a request whose head was not sent in time.
    pub fn timeout(&self) -> Vec<u8> {
        let body = error_body("Request Timeout", self.dialect());
        closing_answer("408 Request Timeout", "", &body)
    }
}

fn error_body(reason: &str, dialect: &dyn Dialect) -> Value {
    dialect.error_body(&ApiError::Malformed(reason.to_owned()))
}

/// An answer after which the connection is closed. `headers`: further ones, each with its end of line.
pub fn closing_answer(status: &str, headers: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\
         content-type: application/json\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}
