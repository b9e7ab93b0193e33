//! A client's connection: it holds its place, and is closed when the client is too slow.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::rt::net::{ActixStream, Ready, TcpStream};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, sleep_until};

use super::bare_errors::BareErrors;
use super::place::{MAX_READ_AHEAD, Phase, Place};

/// Bytes that wait in the system to be sent, at most. Whether a client reads is seen by whether they get
/// fewer; without a limit, megabytes that nobody reads would pass for sent.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 << 10;

/// The system takes a whole write, even if it holds nearly that many.
const WRITE_BYTES: usize = 16 << 10;

/// A client that takes fewer bytes a second has stalled, although it takes some.
const LEAST_RATE: f64 = 8_192.0;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For the head of a request, from its first byte on.
    pub head: Duration,
    /// Until the first byte of a further request.
    pub keep_alive: Duration,
    /// For the next bytes of an answer.
    pub write: Duration,
    /// To hear of an answer after which the connection is closed.
    pub linger: Duration,
}

pub struct ClientStream {
    socket: TcpStream,
    /// Shared with the requests of this connection.
    place: Arc<Place>,
    timeouts: Timeouts,
    errors: BareErrors,
    /// Runs while the place is in a phase of waiting, up to this time.
    head_timer: Option<(Instant, Pin<Box<Sleep>>)>,
    /// Runs while nothing can be sent.
    write_timer: Option<Pin<Box<Sleep>>>,
    stall: Option<Stall>,
    /// Runs while the client may hear of the last answer.
    linger_timer: Option<Pin<Box<Sleep>>>,
    /// An answer of ours that is not yet sent to its end.
    pending: Vec<u8>,
    /// Actix holds bytes that could not be sent.
    is_unsent: bool,
    /// A piece was read, which Actix has not looked at.
    has_piece: bool,
    /// The last request is answered, and what is left of it is thrown away.
    is_answered: bool,
    has_ended: bool,
}

/// A time in which a client takes too little.
struct Stall {
    since: Instant,
    /// Bytes since then.
    taken: usize,
    /// There is nothing more for it to take, since this time.
    caught_up_at: Option<Instant>,
}

impl Stall {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            taken: 0,
            caught_up_at: None,
        }
    }

    /// There is more to take. Leaves out the time in which there was nothing, and tells since when the client has
    /// been slow without that.
    fn go_on(&mut self) -> Instant {
        if let Some(at) = self.caught_up_at.take() {
            self.since += at.elapsed();
        }
        self.since
    }
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
            head_timer: None,
            write_timer: None,
            stall: None,
            linger_timer: None,
            pending: Vec::new(),
            is_unsent: false,
            has_piece: false,
            is_answered: false,
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

    /// Whether Actix may have more. Wakes the task when it may again.
    fn may_read(&mut self, cx: &Context<'_>) -> bool {
        if std::mem::take(&mut self.has_piece) {
            cx.waker().wake_by_ref();
            return false;
        }
        // A client that is ahead of its answers is not heard.
        if self.is_unsent {
            return false;
        }
        match self.place.phase() {
            Some((Phase::Waiting { .. }, _)) | None => true,
            _ => self.is_answered || self.place.has_credit(),
        }
    }

    /// Reads a piece.
    fn read_piece(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let mut piece = (&mut self.socket).take(MAX_READ_AHEAD as u64);
        let read = ready!(Pin::new(&mut piece).poll_read(cx, buf));
        let bytes = &buf.filled()[before..];
        if !bytes.is_empty() {
            self.has_piece = true;
            self.place.has_read(bytes.len());
            self.errors.keep_opening(bytes);
            self.begin_request();
        }
        Poll::Ready(read)
    }

    /// Whether a request that is waited for is late. Wakes the task when it is.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((Phase::Waiting { has_begun }, since)) = self.place.phase() else {
            self.head_timer = None;
            return Poll::Pending;
        };
        let timeout = match has_begun {
            true => self.timeouts.head,
            false => self.timeouts.keep_alive,
        };
        let deadline = since + timeout;
        if self
            .head_timer
            .as_ref()
            .is_none_or(|(until, _)| *until != deadline)
        {
            self.head_timer = Some((deadline, Box::pin(sleep_until(deadline.into()))));
        }
        if let Some((_, sleep)) = &mut self.head_timer {
            ready!(sleep.as_mut().poll(cx));
        }
        if has_begun {
            self.pending = self.errors.timeout();
        }
        Poll::Ready(())
    }

    /// Lets a write wait for the client, but not for ever.
    fn in_time(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            self.write_timer = None;
            self.count_taken(*written.as_ref().unwrap_or(&0));
            return Poll::Ready(written);
        }
        self.check_place(cx)?;
        let stall = self.stall.get_or_insert_with(Stall::begin);
        if let Some((Phase::Busy, _)) = self.place.phase() {
            self.place.set_since(Phase::Stalled, stall.go_on());
        }
        let timeout = self.timeouts.write;
        let timer = self
            .write_timer
            .get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    /// Ends a stall once the client has taken enough since it began.
    fn count_taken(&mut self, bytes: usize) {
        if let Some(stall) = &mut self.stall {
            stall.go_on();
            stall.taken += bytes;
            if stall.taken as f64 >= stall.since.elapsed().as_secs_f64() * LEAST_RATE {
                self.stall = None;
                self.take_from_stalled();
            }
        }
    }

    /// The client has taken all that there was for it; more may come.
    fn pause_stall(&mut self) {
        if let Some(stall) = &mut self.stall {
            stall.caught_up_at = Some(Instant::now());
            self.take_from_stalled();
        }
    }

    fn take_from_stalled(&self) {
        if let Some((Phase::Stalled, _)) = self.place.phase() {
            self.place.set(Phase::Busy);
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let piece = &bytes[..bytes.len().min(WRITE_BYTES)];
        let written = Pin::new(&mut self.socket).poll_write(cx, piece);
        self.is_unsent |= written.is_pending();
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

    /// Takes what the client goes on sending, until it has closed its side or its time is over: a connection
    /// that is closed over unread bytes is broken off, and the last answer with it.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let linger = self.timeouts.linger;
        let timer = self
            .linger_timer
            .get_or_insert_with(|| Box::pin(sleep(linger)));
        if timer.as_mut().poll(cx).is_ready() || self.place.is_lost(cx) {
            return Poll::Ready(());
        }
        let mut rest = [0; MAX_READ_AHEAD];
        let mut rest = ReadBuf::new(&mut rest);
        match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut rest)) {
            Ok(()) if !rest.filled().is_empty() => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
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

    /// Called when Actix has no more to send.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_pending(cx))?;
        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
        self.pause_stall();
        if std::mem::take(&mut self.is_unsent) {
            cx.waker().wake_by_ref();
        }
        if let Some(phase) = self.place.sent() {
            self.stall = None;
            self.is_answered = phase == Phase::Leaving;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send_pending(cx))?;
        if self.linger_timer.is_none() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
            self.place.set(Phase::Leaving);
        }
        // Actix has let it linger already.
        if !self.is_answered {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
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
        if self.may_read(cx)
            && let Poll::Ready(read) = self.read_piece(cx, buf)
        {
            return Poll::Ready(read);
        }
        // No more is read: to Actix, the client has closed its side.
        self.has_ended = self.poll_late(cx).is_ready();
        match self.has_ended {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
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
