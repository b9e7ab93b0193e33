//! Requests that are sent again: the `Idempotency-Key` of all dialects.

use actix_web::HttpRequest;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use crate::job::Idempotency;

const HEADER: &str = "idempotency-key";
const MAX_LENGTH: usize = 255;

/// What the client calls this request, if it has a name.
pub fn of(request: &HttpRequest, payload: &Value) -> Result<Option<Idempotency>, ApiError> {
    let Some(key) = request.headers().get(HEADER) else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > MAX_LENGTH {
        let message = format!("Idempotency-Key is 1 to {MAX_LENGTH} visible ASCII characters");
        return Err(ApiError::invalid("", message));
    }
    let mut hash = Sha256::new();
    hash.update(request.uri().to_string());
    hash.update([0]);
    hash.update(payload.to_string());
    let hash: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Some(Idempotency {
        key: key.to_owned(),
        request_hash: hash,
    }))
}
