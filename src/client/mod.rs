//! A client of Kinora's own API, for the command line.

mod events;

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{CONTENT_LENGTH, RETRY_AFTER};
use reqwest::{Body, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// For the next bytes of any answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Attempts at a request while the server is too busy, or cannot be reached.
const MOST_ATTEMPTS: u32 = 20;

/// Between attempts, if the server names no time.
const PAUSE: Duration = Duration::from_secs(1);

/// And at most, whatever it names.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Speaks to one server; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Without a slash at its end.
    server: String,
    key: String,
}

/// A video of the server.
#[derive(Clone, Debug, Deserialize)]
pub struct Video {
    pub id: String,
    pub state: String,
    /// From 0 to 1.
    pub progress: f64,
    pub queue_position: Option<u32>,
    pub outputs: Vec<Output>,
    #[serde(default)]
    pub skipped: Vec<Skipped>,
    #[serde(default)]
    pub warnings: Vec<String>,
    pub error: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Output {
    pub name: String,
    pub url: Option<String>,
    pub thumbnail_url: Option<String>,
}

/// A photo that is not in the video.
#[derive(Clone, Debug, Deserialize)]
pub struct Skipped {
    pub message: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Failure {
    pub message: String,
}

impl Video {
    pub fn has_ended(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{0:?} is not the http(s) address of a server")]
    BadServer(String),
    #[error("the HTTP client cannot be set up")]
    NotSetUp(#[source] reqwest::Error),
    #[error("the server could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the server does not answer as it should: {0}")]
    Unavailable(StatusCode),
    /// With the server's sentence.
    #[error("{0}")]
    Refused(String),
    #[error("the answer broke off")]
    BrokeOff(#[source] reqwest::Error),
    #[error("the server's answer is not that of Kinora")]
    BadAnswer(#[source] serde_json::Error),
    #[error("{file} cannot be read")]
    Unreadable {
        file: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("{file} cannot be written")]
    Unwritable {
        file: String,
        #[source]
        cause: std::io::Error,
    },
}

/// The body of an error (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

#[derive(Deserialize)]
struct UploadedPhoto {
    url: String,
}

impl Client {
    pub fn new(server: &str, key: String) -> Result<Self, ClientError> {
        let is_server = |url: Url| {
            let is_http = matches!(url.scheme(), "http" | "https");
            is_http && url.has_host() && url.query().is_none() && url.fragment().is_none()
        };
        if !Url::parse(server).is_ok_and(is_server) {
            return Err(ClientError::BadServer(server.to_owned()));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("Kinora/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()
            .map_err(ClientError::NotSetUp)?;
        Ok(Self {
            http,
            server: server.trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// Uploads a photo, and tells the address that an order calls it by.
    pub async fn upload(&self, photo: &Path) -> Result<String, ClientError> {
        let unreadable = |cause| ClientError::Unreadable {
            file: photo.display().to_string(),
            cause,
        };
        let request = async || {
            let file = File::open(photo).await.map_err(unreadable)?;
            let length = file.metadata().await.map_err(unreadable)?.len();
            let body = Body::wrap_stream(ReaderStream::new(file));
            let request = self.http.post(self.url("/api/photos"));
            Ok(request.header(CONTENT_LENGTH, length).body(body))
        };
        let photo: UploadedPhoto = json(self.send(request).await?).await?;
        Ok(photo.url)
    }

    /// Sends an order, which is accepted once however often this key comes.
    pub async fn create(&self, order: &Value, key: &str) -> Result<Video, ClientError> {
        let request = async || {
            let request = self.http.post(self.url("/api/videos"));
            let request = request.header("content-type", "application/json");
            let request = request.header("idempotency-key", key);
            Ok(request.body(order.to_string()))
        };
        json(self.send(request).await?).await
    }

    /// Cancels a video that has not ended.
    pub async fn cancel(&self, id: &str) -> Result<(), ClientError> {
        let path = format!("/api/videos/{id}");
        let request = async || Ok(self.http.delete(self.url(&path)));
        self.send(request).await.map(drop)
    }

    /// Saves a file of a video, wherever it is stored. `arrived`: bytes so far, and of how many.
    pub async fn download(
        &self,
        url: &str,
        file: &Path,
        mut arrived: impl FnMut(u64, Option<u64>),
    ) -> Result<(), ClientError> {
        let unwritable = |cause| ClientError::Unwritable {
            file: file.display().to_string(),
            cause,
        };
        // Not to be sent the key: it may be anybody's.
        let answer = self.http.get(url).send().await;
        let answer = answered(answer.map_err(ClientError::Unreachable)?).await?;
        let length = answer.content_length();
        let mut out = File::create(file).await.map_err(unwritable)?;
        let mut bytes = 0;
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(ClientError::BrokeOff)?;
            out.write_all(&chunk).await.map_err(unwritable)?;
            bytes += chunk.len() as u64;
            arrived(bytes, length);
        }
        out.sync_all().await.map_err(unwritable)
    }

    /// Sends a request until it is answered by more than that it is too early.
    async fn send(
        &self,
        request: impl AsyncFn() -> Result<RequestBuilder, ClientError>,
    ) -> Result<Response, ClientError> {
        let mut attempt = 1;
        loop {
            let request = request().await?.header("x-api-key", &self.key);
            let pause = match request.send().await {
                // A server that was never there is not waited for.
                Err(error) if error.is_connect() => return Err(ClientError::Unreachable(error)),
                Err(error) if attempt >= MOST_ATTEMPTS => {
                    return Err(ClientError::Unreachable(error));
                }
                Err(_) => PAUSE,
                Ok(answer) => match retry_after(&answer) {
                    Some(pause) if attempt < MOST_ATTEMPTS => pause,
                    _ => return answered(answer).await,
                },
            };
            attempt += 1;
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }
}

/// How long a busy server wants to be left alone.
fn retry_after(answer: &Response) -> Option<Duration> {
    let is_busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = seconds.parse().ok().map(Duration::from_secs);
    seconds.filter(|_| is_busy.contains(&answer.status()))
}

/// The answer, unless it tells of an error.
async fn answered(answer: Response) -> Result<Response, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.bytes().await.unwrap_or_default();
    let problem: Option<Problem> = serde_json::from_slice(&body).ok();
    Err(ClientError::Refused(match problem {
        Some(problem) => problem.detail,
        None => format!("the server answered {status}"),
    }))
}

async fn json<T: for<'a> Deserialize<'a>>(answer: Response) -> Result<T, ClientError> {
    let body = answer.bytes().await.map_err(ClientError::BrokeOff)?;
    serde_json::from_slice(&body).map_err(ClientError::BadAnswer)
}
