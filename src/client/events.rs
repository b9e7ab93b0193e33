//! The events of a video, until it has ended.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::StatusCode;
use tokio::time::Instant;

use super::{Client, ClientError, PAUSE, Video, answered};

/// Without an event, the connection is given up: one comes twice a second.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a server may be away while a video is followed.
const PATIENCE: Duration = Duration::from_secs(300);

impl Client {
    /// Follows a video to its end. A connection that breaks is made again.
    pub async fn follow(
        &self,
        id: &str,
        mut tell: impl FnMut(&Video),
    ) -> Result<Video, ClientError> {
        let mut heard = Instant::now();
        loop {
            let listened = self.listen(id, |video| {
                heard = Instant::now();
                tell(video);
            });
            let error = match listened.await {
                Ok(Some(video)) => return Ok(video),
                // The stream ended early, as when the server was stopped.
                Ok(None) => ClientError::Unavailable(StatusCode::OK),
                Err(error @ (ClientError::Refused(_) | ClientError::BadAnswer(_))) => {
                    return Err(error);
                }
                Err(error) => error,
            };
            if heard.elapsed() > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Listens to one stream. Tells the video if it has ended.
    async fn listen(
        &self,
        id: &str,
        mut tell: impl FnMut(&Video),
    ) -> Result<Option<Video>, ClientError> {
        let request = self.http.get(self.url(&format!("/api/videos/{id}/events")));
        let answer = request.header("x-api-key", &self.key).send().await;
        let answer = answer.map_err(ClientError::Unreachable)?;
        if answer.status().is_server_error() {
            return Err(ClientError::Unavailable(answer.status()));
        }
        let mut chunks = answered(answer).await?.bytes_stream();
        let mut buffer = Vec::new();
        while let Ok(Some(chunk)) = tokio::time::timeout(SILENCE, chunks.next()).await {
            buffer.extend_from_slice(&chunk.map_err(ClientError::BrokeOff)?);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                // Each event has its data in one line.
                let Some(data) = line.strip_prefix(b"data:") else {
                    continue;
                };
                let video: Video = serde_json::from_slice(data).map_err(ClientError::BadAnswer)?;
                tell(&video);
                if video.has_ended() {
                    return Ok(Some(video));
                }
            }
        }
        Ok(None)
    }
}
