//! The API key: checked on every request, compared in constant time.

use actix_web::HttpRequest;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::ApiError;

const HEADER: &str = "x-api-key";

/// Only the key's digest: digests have one length, so comparing them tells nothing of the key's.
pub struct ApiKey([u8; 32]);

impl ApiKey {
    pub fn new(key: String) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// Errs unless the request carries the key.
    pub fn check(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let given = request
            .headers()
            .get(HEADER)
            .ok_or(ApiError::Unauthorized)?;
        let given: [u8; 32] = Sha256::digest(given.as_bytes()).into();
        if bool::from(self.0.ct_eq(&given)) {
            Ok(())
        } else {
            Err(ApiError::Unauthorized)
        }
    }
}

/// Whether a key can be sent in a header as it is.
pub fn acceptable(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
}
