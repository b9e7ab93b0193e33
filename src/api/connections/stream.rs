//! A client's connection: it holds its place, and is closed when the client is too slow.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::rt::net::{ActixStream, Ready, TcpStream};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, sleep_until};

use super::bare_errors::BareErrors;
use super::place::{Phase, Place};

/// Bytes that wait in the system to be sent, at most. Whether a client reads is seen by whether they get
/// fewer; without a limit, megabytes that nobody reads would pass for sent.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 128 << 10;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the head of a request, from its first byte on.
    pub head: Duration,
    /// Until the first byte of a further request.
    pub keep_alive: Duration,
    /// For the next bytes of an answer.
    pub write: Duration,
}

pub struct ClientStream {
    socket: TcpStream,
    /// Shared with the requests of this connection.
    place: Arc<Place>,
    timeouts: Timeouts,
    errors: BareErrors,
    /// Runs while a request is waited for, up to this time.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    /// Runs while nothing can be sent.
    stalled: Option<Pin<Box<Sleep>>>,
    /// An answer of ours that is not yet sent to its end.
    pending: Vec<u8>,
    has_ended: bool,
}

impl ClientStream {
    pub fn new(socket: TcpStream, place: Place, timeouts: Timeouts) -> Self {
        // Err: slow readers are found later.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_BYTES);
        Self {
            socket,
            place: Arc::new(place),
            timeouts,
            errors: BareErrors::default(),
            waiting: None,
            stalled: None,
            pending: Vec::new(),
            has_ended: false,
        }
    }

    pub fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Errors when another connection has the place of this one.
    fn check_place(&self, cx: &Context<'_>) -> io::Result<()> {
        match self.place.is_lost(cx) {
            true => Err(ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }

    /// A client that was waited for has begun a request.
    fn begin_request(&self) {
        if let Some((Phase::Waiting { has_begun: false }, _)) = self.place.phase() {
            self.place.set(Phase::Waiting { has_begun: true });
        }
    }

    /// Whether a request that is waited for is late. Wakes the task when it is.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((Phase::Waiting { has_begun }, since)) = self.place.phase() else {
            self.waiting = None;
            return Poll::Pending;
        };
        let timeout = match has_begun {
            true => self.timeouts.head,
            false => self.timeouts.keep_alive,
        };
        let deadline = since + timeout;
        if self
            .waiting
            .as_ref()
            .is_none_or(|(until, _)| *until != deadline)
        {
            self.waiting = Some((deadline, Box::pin(sleep_until(deadline.into()))));
        }
        if let Some((_, sleep)) = &mut self.waiting {
            ready!(sleep.as_mut().poll(cx));
        }
        if has_begun {
            self.pending = self.errors.timeout();
        }
        Poll::Ready(())
    }

    /// Lets a write wait for the client, but not for ever.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.stalled.take().is_some()
                && let Some((Phase::Stalled, _)) = self.place.phase()
            {
                self.place.set(Phase::Busy);
            }
            return written;
        }
        self.check_place(cx)?;
        if self.stalled.is_none()
            && let Some((Phase::Busy, _)) = self.place.phase()
        {
            self.place.set(Phase::Stalled);
        }
        let timeout = self.timeouts.write;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn send_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = Pin::new(&mut self.socket).poll_write(cx, &self.pending);
            let sent = ready!(self.in_time(cx, written))?;
            self.pending.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.send_pending(cx))?;
        match self.errors.with_body(bytes) {
            Some(answer) => {
                self.pending = answer;
                // Err or pending: the next write, flush or shutdown will see it again.
                let _ = self.send_pending(cx);
                Poll::Ready(Ok(bytes.len()))
            }
            None => self.send(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_pending(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_pending(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.has_ended {
            return Poll::Ready(Ok(()));
        }
        self.check_place(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if read.is_pending() {
            // No more is read: to Actix, the client has closed its side.
            self.has_ended = self.poll_late(cx).is_ready();
            return match self.has_ended {
                true => Poll::Ready(Ok(())),
                false => Poll::Pending,
            };
        }
        let bytes = &buf.filled()[before..];
        if !bytes.is_empty() {
            self.errors.keep_opening(bytes);
            self.begin_request();
        }
        read
    }
}

impl ActixStream for ClientStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.socket, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.socket, cx)
    }
}
