//! JSON bodies: read whole, within bounds of size and time.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde_json::Value;

use super::body;
use super::error::ApiError;

/// Bytes, for bodies that name a thing or two.
const USUAL_LIMIT: usize = 64 << 10;

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

async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<BytesMut, ApiError> {
    let mut whole = BytesMut::new();
    let take = async |chunk: &[u8]| {
        whole.extend_from_slice(chunk);
        Ok(())
    };
    body::read(request, payload, limit as u64, take).await?;
    Ok(whole)
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
