//! Bodies of requests, as they arrive: within bounds of size and time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::web::Data;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::Service;
use super::error::ApiError;

/// An oversized body is read on to here before it is refused: a client that is still sending would
/// see a broken connection in place of the answer.
const MAX_DRAINED_BYTES: u64 = 16 << 20;

/// A body that comes this fast, in bytes a second, is never too slow.
const STEADY_RATE: f64 = 16_384.0;

/// Gives the body to `take`, piece by piece. Err: it is larger than `limit` bytes, too slow, or it broke off; or what
/// `take` says.
pub async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limit: u64,
    mut take: impl AsyncFnMut(&[u8]) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let service = request.app_data::<Data<Service>>();
    let timeout = service.ok_or(ApiError::Internal)?.request_timeout;
    let began = Instant::now();
    let mut received = 0;
    let mut taken = Ok(());
    loop {
        let steady = Duration::from_secs_f64(received.min(limit) as f64 / STEADY_RATE);
        let chunk = tokio::time::timeout_at(began + timeout + steady, payload.next());
        let Some(chunk) = chunk.await.map_err(|_| ApiError::BodyTooSlow)? else {
            break;
        };
        let chunk = chunk.map_err(|_| ApiError::invalid("", "the body broke off"))?;
        received += chunk.len() as u64;
        if received > MAX_DRAINED_BYTES.max(limit) || taken.is_err() && received > MAX_DRAINED_BYTES
        {
            break;
        }
        if received <= limit && taken.is_ok() {
            taken = take(&chunk).await;
        }
    }
    taken?;
    match received > limit {
        true => Err(ApiError::BodyTooLarge { limit }),
        false => Ok(()),
    }
}
