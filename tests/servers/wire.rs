//! HTTP as it goes over the wire, passed on without a change.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy_buf,
    sink,
};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

const BUFFER: usize = 64 * 1024;
/// For a client that was answered early to see it, and to leave.
const LEAVE: Duration = Duration::from_secs(5);

pub type Reader<'a> = BufReader<ReadHalf<'a>>;
pub type Writer<'a> = WriteHalf<'a>;

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The path and the query.
    pub target: String,
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// Whatever the case of the letters in `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name).next()
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    let same = move |header: &str| header.eq_ignore_ascii_case(name);
    let found = headers.iter().filter(move |(header, _)| same(header));
    found.map(|(_, value)| value.as_str())
}

/// The error of a connection that has ended, or is to end, within a request or an answer.
pub fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

pub async fn connect(port: u16) -> io::Result<TcpStream> {
    let upstream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    upstream.set_nodelay(true)?;
    Ok(upstream)
}

pub fn split(stream: &mut TcpStream) -> (Reader<'_>, Writer<'_>) {
    let (read, write) = stream.split();
    (BufReader::with_capacity(BUFFER, read), write)
}

/// What a server in the test's process does.
pub trait Exchange: Send + Sync + 'static {
    /// Whether a new connection is served, and not broken at once.
    fn admits(&self) -> bool {
        true
    }

    /// Serves one request. Tells whether another may follow on the connection; an error breaks it.
    fn exchange(
        &self,
        head: Head,
        read: &mut Reader<'_>,
        write: &mut Writer<'_>,
    ) -> impl Future<Output = io::Result<bool>> + Send;
}

/// Serves the requests of a connection, one after another.
pub async fn converse(mut client: TcpStream, server: Arc<impl Exchange>) {
    if !server.admits() || talk(&mut client, &*server).await.is_err() {
        // The client is to see a reset. Err: it has left.
        let _ = client.set_zero_linger();
    }
}

async fn talk(client: &mut TcpStream, server: &impl Exchange) -> io::Result<()> {
    client.set_nodelay(true)?;
    let (mut read, mut write) = split(client);
    while let Some(head) = Head::read(&mut read).await? {
        if !server.exchange(head, &mut read, &mut write).await? {
            write.shutdown().await?;
            // A connection that is closed on unread bytes is reset, maybe before the answer was seen.
            let mut nowhere = sink();
            let rest = copy_buf(&mut read, &mut nowhere);
            let _ = tokio::time::timeout(LEAVE, rest).await;
            break;
        }
    }
    Ok(())
}

/// How much of an answer is passed on.
#[derive(Clone, Copy, PartialEq)]
pub enum Share {
    Whole,
    Half,
}

/// Passes a request on to the server on this port, and its answer back. Tells whether the client can
/// send another request on its connection, and to `tell` the answer's status before the client gets it.
pub async fn pass(
    port: u16,
    head: &Head,
    read: &mut Reader<'_>,
    write: &mut (impl AsyncWrite + Unpin),
    share: Share,
    tell: impl Fn(u16),
) -> io::Result<bool> {
    let body = head.request_body()?;
    let mut upstream = connect(port).await?;
    let (mut from, mut to) = split(&mut upstream);
    let upload = async {
        to.write_all(&head.bytes).await?;
        body.copy(read, &mut to).await
    };
    let download = relay(&mut from, write, head.asks_for_head(), share, tell);
    tokio::pin!(upload, download);
    // Both at once: a server may answer before it has read the whole request, and then reads no further.
    tokio::select! {
        // The upload first: if the server reads it all, it has ended before the answer comes.
        biased;
        sent = &mut upload => Ok(download.await? && sent.is_ok()),
        keep = &mut download => keep.map(|_| false),
    }
}

async fn relay(
    from: &mut Reader<'_>,
    to: &mut (impl AsyncWrite + Unpin),
    bodiless: bool,
    share: Share,
    tell: impl Fn(u16),
) -> io::Result<bool> {
    loop {
        let head = Head::read(from).await?.ok_or_else(broken)?;
        let status = head.status()?;
        if status < 200 {
            to.write_all(&head.bytes).await?;
            continue;
        }
        tell(status);
        to.write_all(&head.bytes).await?;
        let body = head.answer_body(status, bodiless)?;
        match share {
            Share::Whole => body.copy(from, to).await?,
            Share::Half => body.copy_half(from, to).await?,
        }
        to.flush().await?;
        return Ok(!head.says_close() && body != Body::UntilClose);
    }
}

/// The head of a request or an answer, as it came.
pub struct Head {
    pub bytes: Vec<u8>,
    first: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// None if the connection ended before it.
    pub async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            if from.read_until(b'\n', &mut bytes).await? == 0 {
                return if start == 0 { Ok(None) } else { Err(broken()) };
            }
            if &bytes[start..] == b"\r\n" {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        });
        let headers = headers.collect();
        Ok(Some(Self {
            bytes,
            first,
            headers,
        }))
    }

    pub fn request(&self) -> io::Result<Request> {
        let mut words = self.first.split(' ').map(str::to_owned);
        let (method, target) = words.next().zip(words.next()).ok_or_else(broken)?;
        let headers = self.headers.clone();
        Ok(Request {
            method,
            target,
            headers,
        })
    }

    /// Whether the answer will have no body, whatever its head says.
    pub fn asks_for_head(&self) -> bool {
        self.first.starts_with("HEAD ")
    }

    pub fn status(&self) -> io::Result<u16> {
        let word = self.first.split(' ').nth(1);
        word.and_then(|word| word.parse().ok()).ok_or_else(broken)
    }

    fn says_close(&self) -> bool {
        find(&self.headers, "connection").any(|value| value.eq_ignore_ascii_case("close"))
    }

    pub fn request_body(&self) -> io::Result<Body> {
        Ok(self.body()?.unwrap_or(Body::Length(0)))
    }

    pub fn answer_body(&self, status: u16, bodiless: bool) -> io::Result<Body> {
        if bodiless || matches!(status, 204 | 304) {
            return Ok(Body::Length(0));
        }
        Ok(self.body()?.unwrap_or(Body::UntilClose))
    }

    /// None if the head does not say how long the body is.
    fn body(&self) -> io::Result<Option<Body>> {
        let chunked = |value: &str| value.eq_ignore_ascii_case("chunked");
        if find(&self.headers, "transfer-encoding").any(chunked) {
            return Ok(Some(Body::Chunked));
        }
        let length = find(&self.headers, "content-length").next();
        let length = length.map(|value| value.parse().map(Body::Length));
        length.transpose().map_err(|_| broken())
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, PartialEq)]
pub enum Body {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Body {
    pub async fn copy(
        self,
        from: &mut Reader<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        match self {
            Self::Length(length) => copy(from, to, length).await,
            Self::Chunked => {
                while copy_chunk(from, to).await? {}
                Ok(())
            }
            Self::UntilClose => copy_buf(from, to).await.map(|_| ()),
        }
    }

    /// Half of the body if its length is known, else its first chunk.
    pub async fn copy_half(
        self,
        from: &mut Reader<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        match self {
            Self::Length(length) => copy(from, to, length / 2).await,
            Self::Chunked => copy_chunk(from, to).await.map(|_| ()),
            Self::UntilClose => Ok(()),
        }
    }
}

async fn copy(
    from: &mut Reader<'_>,
    to: &mut (impl AsyncWrite + Unpin),
    length: u64,
) -> io::Result<()> {
    let copied = copy_buf(&mut from.take(length), to).await?;
    if copied == length {
        Ok(())
    } else {
        Err(broken())
    }
}

/// Passes one chunk on as it came. False: it was the last, and what follows it was passed on as well.
async fn copy_chunk(from: &mut Reader<'_>, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
    let line = copy_line(from, to).await?;
    let size = line.split(';').next().unwrap_or_default();
    let size = u64::from_str_radix(size.trim(), 16).map_err(|_| broken())?;
    if size > 0 {
        copy(from, to, size + "\r\n".len() as u64).await?;
        return Ok(true);
    }
    while !copy_line(from, to).await?.trim().is_empty() {}
    Ok(false)
}

async fn copy_line(
    from: &mut Reader<'_>,
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<String> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line).await? == 0 {
        return Err(broken());
    }
    to.write_all(&line).await?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}
