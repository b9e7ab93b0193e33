//! Request bodies: read whole, within bounds of size and time, and parsed as JSON.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde_json::Value;

use super::error::ApiError;

/// Bytes, for bodies that name a thing or two.
pub const USUAL_LIMIT: usize = 64 << 10;
/// An oversized body is read on to here before it is refused: a client that is still sending would
/// see a broken connection in place of the answer.
const MAX_DRAINED_BYTES: usize = 16 << 20;

/// Reads the body. Err: it is larger than `limit` bytes, too slow or broken off.
pub async fn read(
    mut payload: Payload,
    limit: usize,
    timeout: Duration,
) -> Result<Bytes, ApiError> {
    let read = async {
        let mut body = BytesMut::new();
        let mut received = 0;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| ApiError::invalid("", "the body broke off"))?;
            received += chunk.len();
            if received > MAX_DRAINED_BYTES {
                break;
            }
            if received <= limit {
                body.extend_from_slice(&chunk);
            }
        }
        if received > limit {
            Err(ApiError::BodyTooLarge { limit })
        } else {
            Ok(body.freeze())
        }
    };
    tokio::time::timeout(timeout, read)
        .await
        .unwrap_or(Err(ApiError::BodyTooSlow))
}

/// Parses a body that says that it is JSON.
pub fn json(request: &HttpRequest, body: &[u8]) -> Result<Value, ApiError> {
    if !request
        .content_type()
        .eq_ignore_ascii_case("application/json")
    {
        return Err(ApiError::UnsupportedMediaType);
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid("", format!("the body is not JSON: {error}")))
}
