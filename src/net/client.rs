//! The HTTP client behind the address guard: downloads with limits, posts, and uploads.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use log::debug;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{Policy, Settings, UrlError};

const MAX_REDIRECTS: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("Kinora/", env!("CARGO_PKG_VERSION"));

/// Why the client could not be built.
pub type ClientError = reqwest::Error;

/// Outbound HTTP; cheap to clone.
#[derive(Clone)]
pub struct Net {
    client: Client,
    policy: Arc<Policy>,
    fetch_timeout: Duration,
    max_download_bytes: u64,
    upload_timeout: Duration,
}

/// Why a download failed. The text completes "image_url …".
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("answered {}", .0.as_u16())]
    Status(StatusCode),
    #[error("redirects more than {MAX_REDIRECTS} times")]
    TooManyRedirects,
    #[error("redirects to nowhere")]
    BadRedirect,
    #[error("is larger than the limit of {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("did not arrive within {} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("broke off before it was complete")]
    BrokeOff(#[source] reqwest::Error),
    #[error("could not be written to our disk")]
    NotWritten(#[source] io::Error),
}

/// What to do with a download that is larger than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oversize {
    Refuse,
    /// Its beginning is enough.
    Cut,
}

/// What a receiver answered to a post.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub status: u16,
    /// From `Retry-After`, which names seconds or a date.
    pub retry_after: Option<Duration>,
}

/// Why something could not be sent. The text completes "upload_url …".
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("timed out")]
    TimedOut,
    #[error("could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("broke the connection off")]
    BrokeOff(#[source] reqwest::Error),
}

/// A host name leads nowhere that may be reached. One sentence for both reasons: else strangers could ask
/// us for the names of the inner network.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "could not be reached: its host name is not known, or leads to an address that is not allowed"
)]
pub struct NameError;

impl Net {
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        let policy = Arc::new(Policy::new(settings.allow_networks.clone()));
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .dns_resolver(Arc::new(GuardedResolver {
                policy: policy.clone(),
            }))
            .no_proxy()
            // HTTP/2 is there for object stores; bodies of strangers are counted and timed over 1.1.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        Ok(Self {
            client,
            policy,
            fetch_timeout: settings.fetch_timeout,
            max_download_bytes: settings.max_download_bytes,
            upload_timeout: settings.upload_timeout,
        })
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The size of the largest download, in bytes.
    pub fn max_download_bytes(&self) -> u64 {
        self.max_download_bytes
    }

    /// Downloads `url` into `file`, within the limits of time and size, and returns the file.
    pub async fn fetch(
        &self,
        url: &str,
        accept: &'static str,
        oversize: Oversize,
        file: std::fs::File,
    ) -> Result<std::fs::File, FetchError> {
        let download = async {
            let response = self.get(url, accept).await?;
            self.save(response, oversize, File::from_std(file)).await
        };
        tokio::time::timeout(self.fetch_timeout, download)
            .await
            .unwrap_or(Err(FetchError::TimedOut(self.fetch_timeout)))
    }

    /// Requests `url`. Follows redirects itself, because each target has to pass the guard.
    async fn get(&self, url: &str, accept: &'static str) -> Result<Response, FetchError> {
        let mut url = self.policy.check_url(url)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .client
                .get(url.clone())
                .header(ACCEPT, accept)
                .send()
                .await;
            let response = response.map_err(|error| match name_error(&error) {
                Some(unknown) => FetchError::Name(unknown),
                None => FetchError::Unreachable(error),
            })?;
            match response.status() {
                status if status.is_success() => return Ok(response),
                status if is_redirect(status) => url = redirect_target(&url, &response)?,
                status => return Err(FetchError::Status(status)),
            }
            self.policy.check(&url)?;
        }
        Err(FetchError::TooManyRedirects)
    }

    /// Writes the body to the file and counts its bytes: the declared length may be wrong.
    async fn save(
        &self,
        mut response: Response,
        oversize: Oversize,
        mut file: File,
    ) -> Result<std::fs::File, FetchError> {
        let limit = self.max_download_bytes;
        let declared = response.content_length().unwrap_or(0);
        if declared > limit && oversize == Oversize::Refuse {
            return Err(FetchError::TooLarge { limit });
        }
        let mut room = limit;
        while let Some(mut chunk) = response.chunk().await.map_err(FetchError::BrokeOff)? {
            if chunk.len() as u64 > room {
                if oversize == Oversize::Refuse {
                    return Err(FetchError::TooLarge { limit });
                }
                chunk.truncate(room as usize);
            }
            file.write_all(&chunk)
                .await
                .map_err(FetchError::NotWritten)?;
            room -= chunk.len() as u64;
            if room == 0 && oversize == Oversize::Cut {
                break;
            }
        }
        file.flush().await.map_err(FetchError::NotWritten)?;
        Ok(file.into_std().await)
    }

    /// Posts `body` and reports the answer's status, whatever it is. Follows no redirect.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, SendError> {
        let url = self.policy.check_url(url)?;
        let mut request = self.client.post(url).body(body).timeout(timeout);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = send(request).await?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        Ok(Reply {
            status: response.status().as_u16(),
            retry_after: retry_after.and_then(wait),
        })
    }

    /// Puts `length` bytes at `url`, as they come, and reports the answer's status, whatever it is.
    /// Follows no redirect.
    pub async fn put(
        &self,
        url: &str,
        content_type: &'static str,
        length: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<u16, SendError> {
        let url = self.policy.check_url(url)?;
        let request = self.client.put(url).timeout(self.upload_timeout);
        // Said here, it keeps the body from being sent in chunks, which object stores refuse.
        let request = request
            .header(CONTENT_LENGTH, length)
            .header(CONTENT_TYPE, content_type);
        let response = send(request.body(Body::wrap_stream(bytes))).await?;
        Ok(response.status().as_u16())
    }
}

async fn send(request: RequestBuilder) -> Result<Response, SendError> {
    // Without the URL, which may hold a signature and is not for the log.
    let sent = request.send().await.map_err(reqwest::Error::without_url);
    sent.map_err(|error| match name_error(&error) {
        Some(unknown) => SendError::Name(unknown),
        None if error.is_timeout() => SendError::TimedOut,
        None if error.is_connect() => SendError::Unreachable(error),
        None => SendError::BrokeOff(error),
    })
}

/// The wait that a `Retry-After` asks for (RFC 9110, 10.2.3).
fn wait(retry_after: &str) -> Option<Duration> {
    match retry_after.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(retry_after).ok()?;
            date.duration_since(std::time::SystemTime::now()).ok()
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirect_target(from: &Url, response: &Response) -> Result<Url, FetchError> {
    let location = response
        .headers()
        .get(LOCATION)
        // Not only ASCII, by servers that do not escape; joining does.
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    location
        .and_then(|target| from.join(target).ok())
        .ok_or(FetchError::BadRedirect)
}

/// What the resolver says, if it is among the causes of a failed request.
fn name_error(error: &reqwest::Error) -> Option<NameError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(unknown) = error.downcast_ref::<NameError>() {
            return Some(*unknown);
        }
        cause = error.source();
    }
    None
}

/// Resolves names as the system does, and keeps the addresses that may be reached. The connection
/// is made to one of these, so a name cannot change its mind between the check and the use.
struct GuardedResolver {
    policy: Arc<Policy>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let allowed: Vec<SocketAddr> = match found {
                Ok(found) => found.filter(|socket| policy.allows(socket.ip())).collect(),
                Err(error) => {
                    debug!("{:?} was not resolved: {error}", name.as_str());
                    Vec::new()
                }
            };
            if allowed.is_empty() {
                return Err(Box::new(NameError) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
