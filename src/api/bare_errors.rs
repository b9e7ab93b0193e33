//! A connection that puts a JSON body under errors that have none.
//!
//! What is no HTTP, or arrives too slowly to become a request, is answered by Actix below all
//! handlers, with an empty body. Clients are promised JSON.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client_stream::ClientStream;
use super::dialect::{self, Dialect};
use super::error::ApiError;

/// Of a request, enough to tell its dialect: a method and the beginning of a path.
const MAX_OPENING: usize = 64;

const NO_BODY: &str = "\r\ncontent-length: 0\r\n";

pub struct BareErrors {
    stream: ClientStream,
    /// A response of ours that is not yet sent to its end.
    pending: Vec<u8>,
    /// The first bytes that were read since the last answer.
    opening: Vec<u8>,
}

impl BareErrors {
    pub fn new(stream: ClientStream) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            opening: Vec::new(),
        }
    }

    fn keep_opening(&mut self, bytes: &[u8]) {
        let room = MAX_OPENING - self.opening.len();
        self.opening.extend(bytes.iter().take(room));
    }

    /// The dialect of the request that is being answered, as far as it was read.
    fn dialect(&self) -> &'static dyn Dialect {
        let opening = String::from_utf8_lossy(&self.opening);
        dialect::of_path(opening.split(' ').nth(1).unwrap_or_default())
    }

    fn send_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))?;
            self.pending.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

/// The same response with a body, if it is one of Actix's own. Handlers' errors have theirs.
fn with_body(response: &[u8], dialect: &dyn Dialect) -> Option<Vec<u8>> {
    let status = [&b"HTTP/1.1 400"[..], b"HTTP/1.1 408", b"HTTP/1.1 431"];
    if !status.iter().any(|status| response.starts_with(status)) || !response.ends_with(b"\r\n\r\n")
    {
        return None;
    }
    let head = std::str::from_utf8(response)
        .ok()
        .filter(|head| head.contains(NO_BODY))?;
    let reason = head.lines().next()?.splitn(3, ' ').nth(2)?;
    let error = ApiError::Malformed(reason.to_owned());
    let body = dialect.error_body(&error).to_string();
    let about_body = format!(
        "\r\ncontent-length: {}\r\ncontent-type: application/json\r\n",
        body.len()
    );
    Some((head.replacen(NO_BODY, &about_body, 1) + &body).into_bytes())
}

impl AsyncWrite for BareErrors {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.send_pending(cx))?;
        let dialect = self.dialect();
        self.opening.clear();
        match with_body(bytes, dialect) {
            Some(response) => {
                self.pending = response;
                // Err or pending: the next write, flush or shutdown will see it again.
                let _ = self.send_pending(cx);
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_pending(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_pending(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for BareErrors {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.keep_opening(&buf.filled()[before..]);
        read
    }
}

impl ActixStream for BareErrors {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.stream, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.stream, cx)
    }
}
