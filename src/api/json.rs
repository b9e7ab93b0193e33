//! JSON bodies: read whole, within bounds of size and time.

use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::{BytesMut, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::Instant;

use super::Service;
use super::error::ApiError;

/// Bytes, for bodies that name a thing or two.
const USUAL_LIMIT: usize = 64 << 10;
/// An oversized body is read on to here before it is refused: a client that is still sending would
/// see a broken connection in place of the answer.
const MAX_DRAINED_BYTES: usize = 16 << 20;

/// A body that comes this fast, in bytes a second, is never too slow.
const STEADY_RATE: f64 = 16_384.0;

/// Extracts a body of at most `LIMIT` bytes that says that it is JSON.
pub struct Json<const LIMIT: usize = USUAL_LIMIT>(pub Value);

/// The same for a body that may be left out.
pub struct OptionalJson(pub Option<Value>);

impl<const LIMIT: usize> FromRequest for Json<LIMIT> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read(&request, payload, LIMIT).await?;
            parse(&request, &body).map(Self)
        })
    }
}

impl FromRequest for OptionalJson {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read(&request, payload, USUAL_LIMIT).await?;
            if body.is_empty() {
                return Ok(Self(None));
            }
            parse(&request, &body).map(|value| Self(Some(value)))
        })
    }
}

/// Reads the body. Err: it is larger than `limit` bytes, too slow, or it broke off.
async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
) -> Result<BytesMut, ApiError> {
    let service = request.app_data::<Data<Service>>();
    let began = Instant::now();
    let timeout = service.ok_or(ApiError::Internal)?.request_timeout;
    let mut body = BytesMut::new();
    let mut received = 0;
    loop {
        let steady = Duration::from_secs_f64(received.min(limit) as f64 / STEADY_RATE);
        let chunk = tokio::time::timeout_at(began + timeout + steady, payload.next());
        let Some(chunk) = chunk.await.map_err(|_| ApiError::BodyTooSlow)? else {
            break;
        };
        let chunk = chunk.map_err(|_| ApiError::invalid("", "the body broke off"))?;
        received += chunk.len();
        if received > MAX_DRAINED_BYTES {
            break;
        }
        if received <= limit {
            body.extend_from_slice(&chunk);
        }
    }
    match received > limit {
        true => Err(ApiError::BodyTooLarge { limit }),
        false => Ok(body),
    }
}

fn parse(request: &HttpRequest, body: &[u8]) -> Result<Value, ApiError> {
    if !request
        .content_type()
        .eq_ignore_ascii_case("application/json")
    {
        return Err(ApiError::UnsupportedMediaType);
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid("", format!("the body is not JSON: {error}")))
}
